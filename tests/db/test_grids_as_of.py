"""As of a day: maps and evaluation tell yesterday as it was, whatever is split, closed or opened again today."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import now
from core.identity import Actor, system_actor
from geodata.territory import TerritoryInfo
from grids import coding, drafting, publishing
from incidents.model import IncidentFilter
from incidents.service import count_incidents, grid_incidents_summary
from insight import service as insight
from layers.values import Question, cell_values, cells_of
from tests.db.test_grid_changes import ActAs, across, busiest

METRICS = ("reported", "open", "median_days", "per_1000", "overdue")
Crew = tuple[TerritoryInfo, Actor, Actor]


def split_busiest(act: ActAs, crew: Crew) -> tuple[int, list[int]]:
    """Split the busiest cell and put it in force; return it and its parts."""
    town, manager, supervisor = crew
    session = act(manager)
    cell, community = busiest(session, manager)
    change = drafting.start_draft(session, manager, town, "Split", [community])
    frame = drafting.draft_cells(session, manager, change.id, community)
    mine = frame[frame["unit_grid_id"] == cell].iloc[0]
    drafting.split(session, manager, town, change.id, int(mine["id"]), across(mine.geometry))
    publishing.submit(session, manager, town, change.id)
    session = act(supervisor)
    publishing.publish(session, supervisor, town, change.id)
    return cell, [each.id for each in publishing.grid_file(session, supervisor, cell).versions]


def merge_again(act: ActAs, crew: Crew, parts: list[int]) -> int:
    """Merge cells that were split and put it in force; return the cell they became."""
    town, manager, supervisor = crew
    session = act(manager)
    community = publishing.grid_file(session, manager, parts[0]).community_id
    change = drafting.start_draft(session, manager, town, "Merge", [community])
    frame = drafting.draft_cells(session, manager, change.id, community)
    drafting.merge(session, manager, town, change.id, frame["id"][frame["unit_grid_id"].isin(parts)].tolist())
    publishing.submit(session, manager, town, change.id)
    session = act(supervisor)
    publishing.publish(session, supervisor, town, change.id)
    return next(each.id for each in publishing.grid_file(session, supervisor, parts[0]).versions if not each.is_parent)


def told(session: Session, actor: Actor, day: dt.date) -> dict[str, dict[int, float]]:
    """Return what the map says of every cell that was in force on a day, by metric."""
    answers = {}
    for metric in METRICS:
        found = cell_values(session, actor, Question(metric, day - dt.timedelta(days=89), day, day=day))
        cells = cells_of(session, actor.territory_id or 0, day)
        at = np.flatnonzero(cells.live)
        answers[metric] = {int(each + cells.first_id): float(found.values[each]) for each in at}
    return answers


def scored(act: ActAs, supervisor: Actor, town: TerritoryInfo, day: dt.date) -> list[tuple[object, ...]]:
    """Return every indicator of communities and departments as of a day, counted by the real service."""
    keeper = system_actor(town.id)
    session = act(keeper)
    insight.refresh(session, keeper, town.id)
    insight.refresh_day(session, keeper, town.id, day)
    session = act(supervisor)
    return [
        (score.subject, score.subject_id, score.indicator, score.numerator, score.denominator)
        for subject in ("community", "department")
        for score in insight.evaluate(session, supervisor, subject, day - dt.timedelta(days=364), day, as_of=day)
    ]


def same(one: dict[str, dict[int, float]], other: dict[str, dict[int, float]]) -> None:
    for metric in METRICS:
        assert one[metric].keys() == other[metric].keys(), metric
        np.testing.assert_array_equal(list(one[metric].values()), list(other[metric].values()), metric)


def test_yesterday_stays_whatever_happens_today(acting: ActAs, crew: Crew) -> None:
    town, _, supervisor = crew
    session = acting(supervisor)
    today = now().astimezone(town.zone).date()
    yesterday = today - dt.timedelta(days=1)
    session.execute(text("UPDATE unit_grid SET started_on = :day"), {"day": today - dt.timedelta(days=400)})
    map_before, scores_before = told(session, supervisor, yesterday), scored(acting, supervisor, town, yesterday)
    assert any(row[4] for row in scores_before)
    assert sum(map_before["reported"].values()) > 0
    session = acting(supervisor)
    total = cell_values(session, supervisor, Question("reported", today - dt.timedelta(days=89), today)).total

    cell, parts = split_busiest(acting, crew)
    session = acting(system_actor())
    settled = session.scalars(
        text("SELECT id FROM incident WHERE grid_id = :cell AND status = 'closed' ORDER BY id"), {"cell": cell}
    ).all()
    still = session.scalars(
        text("SELECT id FROM incident WHERE grid_id = ANY(:parts) AND status NOT IN ('closed', 'void') ORDER BY id"),
        {"parts": parts},
    ).all()
    assert settled
    assert still
    # One closed before the split is opened again today, one that was open yesterday is closed, another made void.
    session.execute(
        text("UPDATE incident SET status = 'filed', closed_at = NULL, closed_by = NULL WHERE id = :id"),
        {"id": settled[0]},
    )
    session.execute(
        text("UPDATE incident SET status = 'closed', handled_at = now(), closed_at = now() WHERE id = :id"),
        {"id": still[0]},
    )
    if len(still) > 1:
        session.execute(text("UPDATE incident SET status = 'void' WHERE id = :id"), {"id": still[1]})

    session = acting(supervisor)
    same(told(session, supervisor, yesterday), map_before)
    assert scored(acting, supervisor, town, yesterday) == scores_before

    # It came home to the cell that holds its place today, and the cell it was in until today is kept.
    session = acting(system_actor())
    row = session.execute(
        text(
            "SELECT i.grid_id, ST_DWithin(g.geom, i.geom, 1e-9) AS inside, h.grid_id AS was, h.until FROM incident AS i"
            " JOIN unit_grid AS g ON g.id = i.grid_id JOIN incident_home AS h ON h.incident_id = i.id WHERE i.id = :id"
        ),
        {"id": settled[0]},
    ).one()
    assert row.grid_id in parts
    assert row.inside
    assert (row.was, row.until) == (cell, today)
    ground: dict[int, int] = dict(session.execute(text("SELECT incident_id, grid_id FROM incident_ground")).all())
    assert settled[0] not in ground
    assert {ground[each] for each in settled[1:]} <= set(parts)

    # Today's map counts what was settled on the ground of a new cell, and loses nothing.
    session = acting(supervisor)
    now_told = cell_values(session, supervisor, Question("reported", today - dt.timedelta(days=89), today))
    for part in parts:
        value = int(now_told.values[part - now_told.first_id])
        assert sum(grid_incidents_summary(session, supervisor, part).daily) == value
        every = IncidentFilter(grid_id=part, first_day=today - dt.timedelta(days=89), last_day=today)
        void = dataclasses.replace(every, statuses=("void",))
        assert count_incidents(session, supervisor, every) - count_incidents(session, supervisor, void) == value
    again = cell_values(session, supervisor, Question("reported", today - dt.timedelta(days=89), today)).total
    assert again == total - (len(still) > 1)


def test_split_then_merge_is_the_same_area_with_the_same_incidents(acting: ActAs, crew: Crew) -> None:
    town, manager, supervisor = crew
    session = acting(supervisor)

    def resolved(session: Session, cell: int) -> set[int]:
        rows = session.scalars(
            text(
                "SELECT id FROM incident WHERE grid_id = :cell"
                " UNION SELECT incident_id FROM incident_ground WHERE grid_id = :cell"
            ),
            {"cell": cell},
        )
        return set(rows)

    first, _ = busiest(session, manager)
    before, shape = resolved(session, first), publishing.grid_file(session, supervisor, first)
    cell, parts = split_busiest(acting, crew)
    assert cell == first
    session = acting(supervisor)
    assert before == set().union(*(resolved(session, part) for part in parts))
    last = merge_again(acting, crew, parts)
    session = acting(supervisor)
    assert resolved(session, last) == before
    whole = publishing.grid_file(session, supervisor, last)
    assert whole.area_m2 == pytest.approx(shape.area_m2, rel=1e-9)
    assert whole.shape.symmetric_difference(shape.shape).area < 1e-12

    # Three generations of one piece of ground, told from any of them; the code of the first still leads to the last.
    kin = coding.family(session, supervisor, last)
    assert [(each.depth, each.id) for each in kin if each.shared_m2 > 1] == [
        (-2, first),
        *((-1, part) for part in sorted(parts, key=lambda one: publishing.grid_file(session, supervisor, one).code)),
        (0, last),
    ]
    assert {each.depth for each in coding.family(session, supervisor, first)} == {0, 1, 2}
    meant = coding.meaning(session, supervisor, town, shape.code)
    assert (meant.how, [each.id for each in meant.cells]) == ("later", [last])
    links = coding.crosswalk(session, supervisor, town)
    assert {(link["old_code"], link["new_code"]) for link in links} >= {(shape.code, each.code) for each in kin[1:3]}
    halves = [link["share_of_old"] for link in links if link["old_code"] == shape.code]
    assert sum(halves) == pytest.approx(1, rel=1e-4)
