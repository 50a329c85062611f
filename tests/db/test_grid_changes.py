"""Changes of grids: drafted by one, published by another; yesterday's statistics stay; incidents keep resolving."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor
from geodata.territory import TerritoryInfo
from grids import drafting, publishing, rebalancing

ActAs = Callable[[Actor], Session]


def busiest(session: Session, manager: Actor) -> tuple[int, int]:
    """Return a cell of the manager with most open incidents that were reported before today, and its community."""
    row = session.execute(
        text(
            "SELECT i.grid_id, i.community_id FROM incident AS i WHERE status NOT IN ('closed', 'void')"
            " AND community_id = ANY (:areas) AND reported_at < now() - interval '1 day'"
            " GROUP BY 1, 2 ORDER BY count(*) DESC, 1 LIMIT 1"
        ),
        {"areas": list(manager.area_ids)},
    ).one()
    return row.grid_id, row.community_id


def across(shape: shapely.geometry.base.BaseGeometry) -> shapely.LineString:
    _, south, _, north = shape.bounds
    middle = shape.centroid.x
    return shapely.LineString([(middle, south - (north - south)), (middle, north + (north - south))])


def test_a_split_of_today_leaves_yesterday_as_it_was(acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]) -> None:
    town, manager, supervisor = crew
    session = acting(supervisor)
    today = now().astimezone(town.zone).date()
    yesterday, first = today - dt.timedelta(days=1), today - dt.timedelta(days=90)
    cell, community = busiest(session, manager)
    session.execute(text("UPDATE unit_grid SET started_on = :day"), {"day": first})
    said = publishing.incidents_as_of(session, supervisor, town.id, first, yesterday, yesterday)
    by_day = session.execute(text("SELECT day, sum(open), sum(closed) FROM incident_day GROUP BY 1 ORDER BY 1")).all()
    cells = publishing.cells_as_of(session, supervisor, town.id, yesterday)
    closed = session.scalars(
        text("SELECT id FROM incident WHERE grid_id = :cell AND status IN ('closed', 'void') ORDER BY id"),
        {"cell": cell},
    ).all()

    session = acting(manager)
    change = drafting.start_draft(session, manager, town, "Split a busy cell", [community])
    frame = drafting.draft_cells(session, manager, change.id, community)
    mine = frame[frame["unit_grid_id"] == cell].iloc[0]
    with pytest.raises(InvalidInput, match="in force already"):
        publishing.submit(session, manager, town, change.id)
    with pytest.raises(InvalidInput, match="does not cut"):
        drafting.split(session, manager, town, change.id, int(mine["id"]), shapely.LineString([(0, 0), (0, 1)]))
    drafting.split(session, manager, town, change.id, int(mine["id"]), across(mine.geometry))
    compared = publishing.compare(session, manager, town, change.id)
    assert (compared.new, compared.ended) == (2, 1)
    assert compared.open_incidents > 0
    publishing.submit(session, manager, town, change.id)
    with pytest.raises(NotPermitted):
        publishing.publish(session, manager, town, change.id)

    session = acting(supervisor)
    done = publishing.publish(session, supervisor, town, change.id)
    assert (done.new, done.ended, done.parents) == (2, 1, 2)
    assert done.incidents_moved == compared.open_incidents
    with pytest.raises(Conflict):
        publishing.publish(session, supervisor, town, change.id)

    # Yesterday is told as it was told yesterday, by cell and by day; the closed keep the cell of their day.
    assert publishing.incidents_as_of(session, supervisor, town.id, first, yesterday, yesterday) == said
    assert (
        session.execute(text("SELECT day, sum(open), sum(closed) FROM incident_day GROUP BY 1 ORDER BY 1")).all()
        == by_day
    )
    before = publishing.cells_as_of(session, supervisor, town.id, yesterday)
    assert before["id"].tolist() == cells["id"].tolist()
    after = publishing.cells_as_of(session, supervisor, town.id, today)
    assert len(after) == len(cells) + 1
    assert after["area_m2"].sum() == pytest.approx(cells["area_m2"].sum(), rel=1e-6)
    kept = session.scalars(text("SELECT id FROM incident WHERE grid_id = :cell ORDER BY id"), {"cell": cell}).all()
    assert kept == closed
    children = publishing.grid_file(session, supervisor, cell).versions
    assert [child.is_parent for child in children] == [False, False]
    file = publishing.grid_file(session, supervisor, children[0].id)
    assert [each.id for each in file.versions] == [cell]
    assert file.neighbours
    assert publishing.find_cell(session, supervisor, file.code) == file.id
    placed = [sum(publishing.daily_by_place(session, supervisor, child.id, 90).values()) for child in children]
    assert sum(placed) >= done.incidents_moved
    wrong = session.execute(
        text(
            "SELECT count(*) FROM incident_home AS h JOIN incident AS i ON i.id = h.incident_id"
            " JOIN unit_grid AS g ON g.id = i.grid_id"
            " WHERE NOT ST_DWithin(g.geom, i.geom, 1e-9) OR g.ended_on IS NOT NULL"
        )
    ).scalar()
    assert wrong == 0
    owners = session.execute(
        text("SELECT count(DISTINCT responsibility_grid_id) FROM unit_grid WHERE id = ANY(:ids)"),
        {"ids": [child.id for child in children]},
    ).scalar()
    assert owners == 1


def test_merge_border_and_numbers(acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]) -> None:
    town, manager, supervisor = crew
    session = acting(manager)
    community = manager.area_ids[0]
    change = drafting.start_draft(session, manager, town, "By hand", [community])
    frame = drafting.draft_cells(session, manager, change.id, community)
    shapes = frame.geometry.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="touches")
    common = shapely.length(shapely.intersection(shapes[left], shapes[right]))
    one, other = left[common.argmax()], right[common.argmax()]
    pair = [int(frame["id"].iloc[each]) for each in (one, other)]
    union = shapely.union_all(shapes[[one, other]])
    drafting.shift_border(session, manager, town, change.id, pair, across(union))
    after = drafting.draft_cells(session, manager, change.id, community)
    new = after[after["unit_grid_id"].isna()]
    assert len(new) == 2
    assert new["sequence"].tolist() == [frame["sequence"].max() + 1, frame["sequence"].max() + 2]
    drafting.merge(session, manager, town, change.id, new["id"].tolist())
    after = drafting.draft_cells(session, manager, change.id, community)
    assert len(after) == len(frame) - 1
    assert after["area_m2"].sum() == pytest.approx(frame["area_m2"].sum(), rel=1e-9)
    drafting.renumber(session, manager, town, change.id, community)
    again = drafting.draft_cells(session, manager, change.id, community)
    assert sorted(again["sequence"]) == list(range(1, len(again) + 1))
    assert again["code"].is_unique
    publishing.submit(session, manager, town, change.id)
    session = acting(supervisor)
    with pytest.raises(InvalidInput, match="reason"):
        publishing.take_back(session, supervisor, change.id)
    publishing.take_back(session, supervisor, change.id, remark="Keep the old border")
    session = acting(manager)
    assert drafting.get_change(session, manager, change.id).remark == "Keep the old border"
    publishing.submit(session, manager, town, change.id)
    session = acting(supervisor)
    done = publishing.publish(session, supervisor, town, change.id)
    assert done.new + len(frame) >= done.ended
    live = session.execute(
        text("SELECT count(*), sum(area_m2) FROM unit_grid WHERE community_id = :one AND ended_on IS NULL"),
        {"one": community},
    ).one()
    assert live[0] == len(again)
    assert live[1] == pytest.approx(frame["area_m2"].sum(), rel=1e-9)


def test_a_community_from_nothing_is_drawn_balanced_and_published(
    acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]
) -> None:
    town, manager, supervisor = crew
    session = acting(manager)
    change = drafting.start_draft(session, manager, town, "From nothing", manager.area_ids[:2])
    change = drafting.draw(session, manager, town, change.id, kind="square", size=250)
    change, found = rebalancing.balance_draft(
        session, manager, town, change.id, k=2 * len(change.area_ids), weights={"people": 1, "cells": 1}
    )
    assert found.non_contiguous == 0
    told = rebalancing.loads(session, manager, town, change.id, {"people": 1, "cells": 1})
    assert len(told) == len(found.load)
    frame = drafting.draft_cells(session, manager, change.id)
    code, other = told[0][0], told[1][0]
    with pytest.raises(InvalidInput):
        drafting.move_cells(session, manager, change.id, frame["id"][frame["area"] == code].tolist(), other)
    change, again = rebalancing.balance_draft(
        session, manager, town, change.id, k=0, weights={"cells": 1}, from_today=True, change_cost=0.5
    )
    assert again.non_contiguous == 0
    publishing.submit(session, manager, town, change.id)
    session = acting(supervisor)
    done = publishing.publish(session, supervisor, town, change.id)
    assert done.new == len(frame)
    unbound = session.execute(
        text(
            "SELECT count(*) FROM unit_grid WHERE ended_on IS NULL AND responsibility_grid_id IS NULL"
            " AND community_id = ANY(:areas)"
        ),
        {"areas": list(change.area_ids)},
    ).scalar()
    assert unbound == 0
    homeless = session.execute(
        text(
            "SELECT count(*) FROM incident AS i JOIN unit_grid AS g ON g.id = i.grid_id"
            " WHERE g.ended_on IS NOT NULL AND i.status NOT IN ('closed', 'void')"
        )
    ).scalar()
    assert homeless == 0


def test_powers_are_separate(acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]) -> None:
    town, manager, supervisor = crew
    session = acting(supervisor)
    own = drafting.start_draft(session, supervisor, town, "My own")
    community = own.area_ids[0]
    drafting.renumber(session, supervisor, town, own.id, community)
    frame = drafting.draft_cells(session, supervisor, own.id, community)
    drafting.split(session, supervisor, town, own.id, int(frame["id"].iloc[0]), across(frame.geometry.iloc[0]))
    publishing.submit(session, supervisor, town, own.id)
    with pytest.raises(NotPermitted, match="somebody else"):
        publishing.publish(session, supervisor, town, own.id)
    law = "UPDATE grid_change SET state = 'published', decided_by = :who, effective_on = now() WHERE id = :id"
    with pytest.raises(DBAPIError, match="did not draft it"), session.begin_nested():
        session.execute(text(law), {"id": own.id, "who": supervisor.user_id})
    session = acting(manager)
    with pytest.raises(DBAPIError, match="did not draft it"), session.begin_nested():
        session.execute(text(law), {"id": own.id, "who": manager.user_id})
    with pytest.raises(DBAPIError, match="may not"), session.begin_nested():
        session.execute(text("UPDATE unit_grid SET code = code"))
    with pytest.raises(Conflict):
        drafting.withdraw(session, manager, own.id)
    foreign = set(range(1, 10_000)) - set(manager.area_ids)
    with pytest.raises(NotPermitted):
        drafting.start_draft(session, manager, town, "Not mine", sorted(foreign)[:3])
    with pytest.raises(InvalidInput, match="title"):
        drafting.start_draft(session, manager, town, "  ")
    with pytest.raises(NotFound):
        drafting.get_change(session, manager, 10**6)


def test_the_second_of_two_drafts_of_the_same_cells_says_what_came_between(
    acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]
) -> None:
    town, manager, supervisor = crew
    session = acting(manager)
    community = manager.area_ids[0]
    first, second = (
        drafting.start_draft(session, manager, town, title, [community]).id for title in ("First", "Second")
    )
    for change in (first, second):
        frame = drafting.draft_cells(session, manager, change, community)
        largest = frame.loc[frame["area_m2"].idxmax()]
        drafting.split(session, manager, town, change, int(largest["id"]), across(largest.geometry))
        publishing.submit(session, manager, town, change)
    session = acting(supervisor)
    looked_at = drafting.get_change(session, supervisor, first).version
    with pytest.raises(Conflict, match="Look at it again"):
        publishing.publish(session, supervisor, town, first, seen=looked_at - 1)
    publishing.publish(session, supervisor, town, first, seen=looked_at)
    with pytest.raises(Conflict, match="“First” was published"):
        publishing.publish(session, supervisor, town, second)
    publishing.take_back(session, supervisor, second, remark="Begin anew")
    session = acting(manager)
    with pytest.raises(Conflict, match="“First” was published") as told:
        publishing.submit(session, manager, town, second)
    assert "“First”已发布" in told.value.zh


def test_a_responsibility_grid_keeps_its_ground_outside_the_draft(
    acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]
) -> None:
    town, manager, supervisor = crew
    session = acting(supervisor)
    here = manager.area_ids[0]
    owner, elsewhere = session.execute(
        text(
            "SELECT g.responsibility_grid_id, o.community_id FROM unit_grid AS g JOIN unit_grid AS o"
            " ON o.community_id <> g.community_id AND ST_Intersects(o.geom, g.geom) AND o.ended_on IS NULL"
            " WHERE g.community_id = :here AND g.ended_on IS NULL LIMIT 1"
        ),
        {"here": here},
    ).one()
    session.execute(
        text("UPDATE unit_grid SET responsibility_grid_id = :owner WHERE community_id IN (:here, :other)"),
        {"owner": owner, "here": here, "other": elsewhere},
    )
    session = acting(manager)
    change = drafting.start_draft(session, manager, town, "One of two communities", [here])
    frame = drafting.draft_cells(session, manager, change.id, here)
    largest = frame.loc[frame["area_m2"].idxmax()]
    drafting.split(session, manager, town, change.id, int(largest["id"]), across(largest.geometry))
    publishing.submit(session, manager, town, change.id)
    session = acting(supervisor)
    publishing.publish(session, supervisor, town, change.id)
    lost = session.execute(
        text(
            "SELECT max(ST_Area(ST_Difference(g.geom, r.boundary)::geography)) FROM unit_grid AS g"
            " JOIN responsibility_grid AS r ON r.id = g.responsibility_grid_id WHERE r.id = :owner AND ended_on IS NULL"
        ),
        {"owner": owner},
    ).scalar_one()
    assert lost < 1


def test_cells_that_nobody_would_look_after_are_not_submitted(
    acting: ActAs, crew: tuple[TerritoryInfo, Actor, Actor]
) -> None:
    town, manager, _ = crew
    session = acting(manager)
    change = drafting.start_draft(session, manager, town, "Only drawn", manager.area_ids[:1])
    drafting.draw(session, manager, town, change.id, kind="square", size=300)
    with pytest.raises(InvalidInput, match="no responsibility grid"):
        publishing.submit(session, manager, town, change.id)
