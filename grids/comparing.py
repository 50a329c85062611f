"""What a draft of grids changes against today: cells, people, open incidents, how even the loads are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy.orm import Session

from geodata.crs import project
from geodata.territory import TerritoryInfo, communities
from grids import store_changes, store_versions
from grids.change_model import Change, Comparison


def compared_with_today(session: Session, territory: TerritoryInfo, change: Change, cells: pd.DataFrame) -> Comparison:
    """Return what the cells of a change (see `grids.store_changes.plain`) would do to those in force."""
    live = store_changes.live_plain(session, change.area_ids)
    kept = cells["unit_grid_id"].dropna().astype(int)
    ended = live[~live["id"].isin(kept)]
    now_of = dict(zip(live["id"], live["area"], strict=True))
    stays = cells[cells["unit_grid_id"].notna()]
    rebound = sum(
        now_of.get(int(one), "") != area for one, area in zip(stays["unit_grid_id"], stays["area"], strict=True)
    )
    areas = communities(session, territory.id)
    ground = project(areas[areas["id"].isin(change.area_ids)].geometry.to_numpy(), territory.metric_srid)
    people = ended["people"].to_numpy(dtype=np.float64, na_value=np.nan)
    codes_now = live["area"].to_numpy(dtype=object)
    covered = float(cells["area_m2"].sum())
    return Comparison(
        kept=int(live["id"].isin(kept).sum()),
        new=int(cells["unit_grid_id"].isna().sum()),
        ended=len(ended),
        rebound=rebound,
        people=None if np.isnan(people).any() else float(people.sum()),
        open_incidents=len(store_versions.open_incidents(session, ended["id"].tolist())),
        areas=len(set(cells["area"]) - {""}),
        areas_now=len(set(codes_now) - {""}),
        max_over_mean=_evenness(cells["area"].to_numpy(dtype=object), cells["people"]),
        max_over_mean_now=_evenness(codes_now, live["people"]),
        missing_m2=float(shapely.area(ground).sum()) - covered,
    )


def _evenness(codes: Any, people: Any) -> float | None:
    bound = codes != ""
    values = np.nan_to_num(people.to_numpy(dtype=np.float64, na_value=np.nan))[bound]
    if not bound.any() or values.sum() <= 0:
        return None
    _, area = np.unique(codes[bound].astype(str), return_inverse=True)
    sums = np.bincount(area, weights=values)
    return round(float(sums.max() / sums.mean()), 4)
