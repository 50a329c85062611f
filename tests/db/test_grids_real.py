"""The parishes of the Isle of Wight as OpenStreetMap has them, cut for real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata.osm import load_osm_as_territory
from geodata.territory import communities
from grids.service import estimate_people, make_grid, make_responsibility_grids, responsibilities
from grids.store import live_cells

SYSTEM = system_actor()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["square", "hexagon"])
def test_an_island_of_parishes(session: Session, shared_data: Path, kind: str) -> None:
    island, counts = load_osm_as_territory(
        session, SYSTEM, "island", shared_data / "osm" / "isle_of_wight_2020.osm.pbf", people_total=140_000
    )
    made = make_grid(session, SYSTEM, island, kind=kind, size_m=500, town_size_m=100)
    settled = communities(session, island.id).set_index("name")["settlement"]
    assert len(settled) == counts.communities == 33
    assert settled[["Newport", "Yarmouth", "Brading", "Shorwell"]].tolist() == ["town"] * 3 + ["countryside"]
    assert 10_000 < made.cells < 40_000
    assert made.area_m2 == pytest.approx(made.boundary_area_m2, rel=1e-9)
    measured = session.execute(
        text("SELECT sum(ST_Area(ST_Transform(geom, :srid))), bool_and(ST_IsValid(geom)) FROM unit_grid"),
        {"srid": island.metric_srid},
    ).one()
    assert measured[0] == pytest.approx(made.boundary_area_m2, rel=1e-9)
    assert measured[1]
    cells = live_cells(session, island.id)
    assert shapely.coverage_is_valid(cells.geometry.to_numpy())
    # Every building has a cell, and the people are the same ones counted two ways.
    people = session.execute(text("SELECT sum(people) FROM building")).scalar_one()
    assert cells["people"].sum() == pytest.approx(people)
    assert estimate_people(session, SYSTEM, island).cells_changed == 0
    make_responsibility_grids(session, SYSTEM, island)
    grids, responsible = responsibilities(session, island.id)
    assert len(responsible) == made.cells
    parts = session.execute(text("SELECT DISTINCT ST_NumGeometries(boundary) FROM responsibility_grid")).scalars()
    assert set(parts) == {1}
    assert np.median(grids["people"]) > 500
