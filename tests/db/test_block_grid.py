"""Blocks in the real database: a territory cut along its own streets, replacing squares that have incidents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shapely
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.crs import project
from geodata.tables import Incident, UnitGrid
from geodata.territory import find_territory
from grids.quality import check_cells
from grids.service import locate_one, make_block_grid, make_responsibility_grids
from grids.store import border_lines
from tests.demo_city import TINY_TOWN

SYSTEM = system_actor()


@pytest.fixture
def demo_session(demo_database: Engine) -> Iterator[Session]:
    """A session on the demo city as the system; everything is rolled back."""
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as opened:
            db.as_actor(opened, SYSTEM)
            yield opened
        outer.rollback()


def test_a_town_is_cut_along_its_streets_and_incidents_keep_their_cell(demo_session: Session) -> None:
    session = demo_session
    town = find_territory(session, TINY_TOWN.name)
    one = session.scalars(select(Incident).where(Incident.territory_id == town.id).limit(1)).one()
    before = one.grid_id
    with pytest.raises(InvalidInput, match="already"):
        make_block_grid(session, SYSTEM, town)
    made = make_block_grid(session, SYSTEM, town, replace=True)
    assert made.area_m2 == pytest.approx(made.boundary_area_m2, rel=1e-6)
    assert made.ended > 0
    cells = session.scalars(select(UnitGrid).where(UnitGrid.territory_id == town.id, UnitGrid.ended_on.is_(None))).all()
    assert {cell.kind for cell in cells} == {"block"}
    assert {cell.size_m for cell in cells} == {None}
    assert len({cell.code for cell in cells}) == made.cells == len(cells)
    session.refresh(one)
    assert one.grid_id == before
    shapes = project(shapely.from_wkb([bytes(cell.geom.data) for cell in cells]), town.metric_srid)
    lines = border_lines(session, town.id)
    path = (lines["kind"] == "path").to_numpy()
    metric = project(lines.geometry.to_numpy(), town.metric_srid)
    card = check_cells(shapes, lines=metric[~path], paths=metric[path])
    assert card.sound, (card.gaps[:3], card.overlaps[:3])
    assert card.border_on_line is not None
    assert card.border_on_line > 0.85
    inner = shapely.point_on_surface(shapely.from_wkb(bytes(cells[0].geom.data)))
    assert locate_one(session, town.id, inner.x, inner.y) == (cells[0].id, cells[0].community_id)
    assert make_responsibility_grids(session, SYSTEM, town).grids > 0
    again = make_block_grid(session, SYSTEM, town, replace=True)
    assert again.unchanged
    assert again.cells == made.cells


def test_only_who_may_edit_grids_cuts_blocks(demo_session: Session) -> None:
    town = find_territory(demo_session, TINY_TOWN.name)
    for role in Role:
        if role in {Role.SUPERVISOR, Role.SYSTEM}:
            continue
        with pytest.raises(NotPermitted):
            make_block_grid(demo_session, Actor(1, "somebody", role, town.id), town, replace=True)
