"""Why borders are there, in the database: drawn, changed by hand, published, and as of a day; and whose a cell was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import shapely
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.clock import now
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from grids import bordering, drafting, publishing, store_borders
from grids.border_reasons import DIRECTIONS, REASONS
from grids.service import make_block_grid, make_responsibility_grids
from tests.demo_city import TINY_TOWN

SYSTEM = system_actor()


@pytest.fixture
def town(demo_database: Engine) -> Iterator[tuple[Session, TerritoryInfo]]:
    """A session on the demo city, cut into blocks; everything is rolled back."""
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            db.as_actor(session, SYSTEM)
            place = find_territory(session, TINY_TOWN.name)
            make_block_grid(session, SYSTEM, place, replace=True)
            yield session, place
        outer.rollback()


def test_every_border_of_blocks_says_why_and_keeps_it_through_a_split_and_a_merge(
    town: tuple[Session, TerritoryInfo],
) -> None:
    session, place = town
    make_responsibility_grids(session, SYSTEM, place)
    rows = session.execute(text("SELECT kind, sum(length_m) AS metres FROM grid_border GROUP BY 1"))
    kept = {row.kind: row.metres for row in rows}
    assert set(kept) <= set(REASONS)
    assert kept["street"] > 0
    assert kept["city"] + kept.get("street", 0) > 0
    whole = session.execute(text(
        "SELECT id, ST_Perimeter(geom::geography) AS border FROM unit_grid WHERE territory_id = :t AND ended_on IS NULL"
        " ORDER BY ST_Area(geom) DESC LIMIT 1"), {"t": place.id}).one()  # fmt: skip
    around = bordering.borders_of(session, SYSTEM, place, whole.id)
    assert sum(each.length_m for each in around) == pytest.approx(whole.border, rel=0.01)
    assert [DIRECTIONS.index(each.direction) for each in around] == sorted(
        DIRECTIONS.index(each.direction) for each in around
    )
    author = Actor(None, "author", Role.SYSTEM, place.id)
    change = drafting.start_draft(session, author, place, "halves")
    cells = drafting.draft_cells(session, author, change.id)
    cell = cells[cells["unit_grid_id"] == whole.id].iloc[0]
    before = bordering.draft_borders_of(session, author, place, change.id, int(cell["id"]))
    assert {(each.kind, each.name) for each in before} == {(each.kind, each.name) for each in around}
    west, south, east, north = cell.geometry.bounds
    middle = (west + east) / 2
    line = shapely.LineString([(middle, south - 0.001), (middle + 1e-5, north + 0.001)])
    drafting.split(session, author, place, change.id, int(cell["id"]), line)
    rows = store_borders.of_draft(session, change.id)
    hands = rows[rows["kind"] == "hand"]
    assert len(hands) >= 1
    parts = {int(hands["left"].iloc[0]), int(hands["right"].iloc[0])}
    told = [each for part in parts for each in bordering.draft_borders_of(session, author, place, change.id, part)]
    outer = {(each.kind, each.name) for each in told if each.kind != "hand"}
    assert outer == {(each.kind, each.name) for each in before}
    drafting.merge(session, author, place, change.id, sorted(parts))
    rows = store_borders.of_draft(session, change.id)
    assert "hand" not in set(rows["kind"])
    again = drafting.draft_cells(session, author, change.id)
    one = again[again["unit_grid_id"].isna()]["id"].iloc[0]
    after = bordering.draft_borders_of(session, author, place, change.id, int(one))
    assert {(each.kind, each.name) for each in after} == {(each.kind, each.name) for each in before}
    drafting.renumber(session, author, place, change.id, int(cell["community_id"]))
    assert len(store_borders.of_draft(session, change.id)) == len(rows)
    drafting.split(session, author, place, change.id, _newest(session, author, change.id, line), line)
    publishing.submit(session, author, place, change.id)
    other = Actor(None, "supervisor", Role.SYSTEM, place.id)
    publishing.publish(session, other, place, change.id)
    hand = session.execute(text("SELECT left_id, right_id FROM grid_border WHERE kind = 'hand'")).all()
    assert len(hand) >= 1
    new = bordering.borders_of(session, other, place, hand[0].left_id)
    assert any(each.kind == "hand" and each.neighbour_id == hand[0].right_id for each in new)
    yesterday = now().date() - dt.timedelta(days=400)
    assert store_borders.bound_on(session, hand[0].left_id, yesterday) is None
    assert store_borders.bound_on(session, hand[0].left_id, now().date() + dt.timedelta(days=1)) is not None


def _newest(session: Session, actor: Actor, change_id: int, line: shapely.LineString) -> int:
    return drafting.cells_on(session, actor, change_id, line)[0]


def test_squares_say_their_borders_without_keeping_them(demo_database: Engine) -> None:
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            db.as_actor(session, SYSTEM)
            place = find_territory(session, TINY_TOWN.name)
            rows = session.execute(text("SELECT id, kind FROM unit_grid WHERE territory_id = :t AND ended_on IS NULL"
                                        " ORDER BY id"), {"t": place.id}).all()  # fmt: skip
            told = bordering.borders_of(session, SYSTEM, place, rows[len(rows) // 2].id)
            assert {each.kind for each in told} <= {"method", "community", "city"}
            assert {each.direction for each in told} >= {"east", "west"}
        outer.rollback()
