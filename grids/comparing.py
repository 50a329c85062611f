"""What a draft of grids changes against today: cells, people, open incidents, how even the loads are."""

from __future__ import annotations

import shapely
from sqlalchemy.orm import Session

from geodata.crs import project
from geodata.territory import TerritoryInfo, communities
from grids import store_comparing
from grids.change_model import Change, Comparison


def compared_with_today(session: Session, territory: TerritoryInfo, change: Change) -> Comparison:
    """Return what the cells of a change would do to those in force."""
    found = store_comparing.counts(session, change)
    areas = communities(session, territory.id)
    ground = project(areas[areas["id"].isin(change.area_ids)].geometry.to_numpy(), territory.metric_srid)
    return Comparison(
        kept=found["kept"],
        new=found["new"],
        ended=found["ended"],
        rebound=found["rebound"],
        people=float(found["people"]) if found["counted"] == found["ended"] else None,
        open_incidents=store_comparing.incidents_moving(session, change) if found["ended"] else 0,
        areas=found["areas"],
        areas_now=found["areas_now"],
        max_over_mean=_rounded(found["max_over_mean"]),
        max_over_mean_now=_rounded(found["max_over_mean_now"]),
        missing_m2=float(shapely.area(ground).sum()) - float(found["covered_m2"]),
    )


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else round(float(ratio), 4)
