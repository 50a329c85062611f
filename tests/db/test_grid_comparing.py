"""What a draft changes against today, counted in the database: as counting row by row says, in any order of rows."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import Actor
from geodata.crs import project
from geodata.territory import TerritoryInfo, communities
from grids import drafting, publishing, rebalancing
from grids.change_model import Change, Comparison
from tests.db.test_grid_changes import across, busiest

ActAs = Callable[[Actor], Session]
Crew = tuple[TerritoryInfo, Actor, Actor]


def row_by_row(session: Session, town: TerritoryInfo, change: Change) -> Comparison:
    asked = {"change": change.id, "areas": list(change.area_ids)}
    cells = session.execute(
        text("SELECT unit_grid_id, area, area_m2, people FROM grid_change_cell WHERE change_id = :change"), asked
    ).all()
    live = session.execute(
        text(
            "SELECT g.id, g.people, coalesce(r.code, '') AS area FROM unit_grid AS g LEFT JOIN responsibility_grid AS r"
            " ON r.id = g.responsibility_grid_id WHERE g.community_id = ANY(:areas) AND g.ended_on IS NULL"
        ),
        asked,
    ).all()
    open_in = Counter(session.scalars(text("SELECT grid_id FROM incident WHERE status NOT IN ('closed', 'void')")))
    stays = {each.unit_grid_id for each in cells}
    ended = [each for each in live if each.id not in stays]
    area_of = {each.id: each.area for each in live}
    areas = communities(session, town.id)
    ground = project(areas[areas["id"].isin(change.area_ids)].geometry.to_numpy(), town.metric_srid)
    people = [each.people for each in ended]
    return Comparison(
        kept=len(live) - len(ended),
        new=sum(each.unit_grid_id is None for each in cells),
        ended=len(ended),
        rebound=sum(area_of.get(each.unit_grid_id, "") != each.area for each in cells if each.unit_grid_id is not None),
        people=None if None in people else sum(people),
        open_incidents=sum(open_in[each.id] for each in ended),
        areas=len({each.area for each in cells} - {""}),
        areas_now=len({each.area for each in live} - {""}),
        max_over_mean=evenness(cells),
        max_over_mean_now=evenness(live),
        missing_m2=float(shapely.area(ground).sum()) - sum(each.area_m2 for each in cells),
    )


def evenness(rows: Sequence[Any]) -> float | None:
    sums: dict[str, float] = defaultdict(float)
    for each in rows:
        if each.area:
            sums[each.area] += each.people or 0.0
    return max(sums.values()) / np.mean(list(sums.values())) if sum(sums.values()) > 0 else None


def agree(session: Session, manager: Actor, town: TerritoryInfo, change: Change) -> Comparison:
    told, known = publishing.compare(session, manager, town, change.id), row_by_row(session, town, change)
    for field, value in dataclasses.asdict(known).items():
        off = {"people": 1e-6, "missing_m2": 1e-3, "max_over_mean": 6e-5, "max_over_mean_now": 6e-5}.get(field, 0)
        said = getattr(told, field)
        assert said == (None if value is None else pytest.approx(value, rel=0, abs=off)), field
    return told


def test_a_draft_is_set_against_today_as_row_by_row(acting: ActAs, crew: Crew) -> None:
    town, manager, _ = crew
    session = acting(manager)
    cell, community = busiest(session, manager)
    change = drafting.start_draft(session, manager, town, "By hand", [community])
    assert agree(session, manager, town, change).nothing
    frame = drafting.draft_cells(session, manager, change.id, community)
    mine = frame[frame["unit_grid_id"] == cell].iloc[0]
    drafting.split(session, manager, town, change.id, int(mine["id"]), across(mine.geometry))
    split = agree(session, manager, town, change)
    assert (split.new, split.ended) == (2, 1)
    assert split.open_incidents > 0
    parts = drafting.draft_cells(session, manager, change.id, community)
    parts = parts["id"][parts["unit_grid_id"].isna()]
    drafting.merge(session, manager, town, change.id, parts.tolist())
    assert agree(session, manager, town, change).new == 1
    drafting.draw(session, manager, town, change.id, kind="square", size=120)
    assert agree(session, manager, town, change).areas == 0
    rebalancing.balance_draft(session, manager, town, change.id, k=3, weights={"cells": 1})
    assert agree(session, manager, town, change).areas == 3


@pytest.mark.parametrize("seed", range(4))
def test_any_draft_is_set_against_today_as_row_by_row(acting: ActAs, crew: Crew, seed: int) -> None:
    """Cells gone, new, unbound, bound to others, of unknown people, and such as ended since: whatever a draft holds."""
    town, manager, supervisor = crew
    session = acting(manager)
    change = drafting.start_draft(session, manager, town, "Anything", manager.area_ids[: 1 + seed % 2])
    ids = drafting.draft_cells(session, manager, change.id)["id"].to_numpy()
    live = session.scalars(
        text("SELECT unit_grid_id FROM grid_change_cell WHERE id = ANY(:ids)"), {"ids": ids.tolist()}
    )
    ended, rng = np.array(live.all()), np.random.default_rng(seed)

    def some(share: float, these: np.ndarray = ids) -> dict[str, list[int]]:
        return {"ids": these[rng.random(len(these)) < share].tolist()}

    for act, share in (
        ("DELETE FROM grid_change_cell WHERE id = ANY(:ids)", 0.2),
        ("UPDATE grid_change_cell SET unit_grid_id = NULL, people = people * 0.7 + 0.1 WHERE id = ANY(:ids)", 0.3),
        ("UPDATE grid_change_cell SET area = '' WHERE id = ANY(:ids)", 0.1),
        ("UPDATE grid_change_cell SET area = 'A' || id % 3 WHERE id = ANY(:ids)", 0.5),
        ("UPDATE grid_change_cell SET people = NULL WHERE id = ANY(:ids)", 0.2 * (seed % 2)),
    ):
        session.execute(text(act), some(share))
    acting(supervisor)
    for act, share in (
        ("UPDATE unit_grid SET people = NULL WHERE id = ANY(:ids)", 0.3 * (seed // 2)),
        ("UPDATE unit_grid SET responsibility_grid_id = NULL WHERE id = ANY(:ids)", 0.2),
        ("UPDATE unit_grid SET ended_on = CURRENT_DATE WHERE id = ANY(:ids)", 0.1),
    ):
        session.execute(text(act), some(share, ended))
    acting(manager)
    told = agree(session, manager, town, change)
    for _ in range(2):  # rows lie elsewhere on the disk; the answer is the same to the last digit
        session.execute(text("UPDATE grid_change_cell SET code = code WHERE id = ANY(:ids)"), some(0.5))
        assert publishing.compare(session, manager, town, change.id) == told
