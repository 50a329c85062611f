"""Real files of four cities; what came of each stands in docs/figures/incident_files.md."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import db
from geodata.tables import Incident, IncidentDay
from geodata.territory import make_territory
from grids.service import make_grid
from incidents.imported import ImportResult
from incidents.service import import_file

Box = tuple[float, float, float, float]


def bring_in(session: Session, path: Path, box: Box, size_m: float) -> tuple[ImportResult, ImportResult]:
    """Return what came of the file, and of the same file again."""
    territory = make_territory(session, system_actor(), "real-city", boundary=shapely.box(*box))
    actor = system_actor(territory.id)
    db.as_actor(session, actor)
    make_grid(session, actor, territory, kind="square", size_m=size_m)
    first = import_file(session, actor, territory, path)
    return first, import_file(session, actor, territory, path)


@pytest.mark.parametrize(
    ("name", "box", "expected"),
    [
        ("nyc311_sample.csv", (-74.26, 40.49, -73.70, 40.92), ((155, 154, 1, 0, 154), {"bad_position": 1})),
        ("sf_incidents_rgooglemaps.csv", (-122.515, 37.70, -122.355, 37.83), ((5000, 4950, 0, 50, 5000), {})),
        (
            "haiti_ushahidi_2010.csv",
            (-72.6, 18.4, -72.1, 18.75),
            ((3593, 2680, 913, 0, 2684), {"outside": 907, "unknown_class": 6}),
        ),
        pytest.param(
            "toronto_mci_2014_on.csv.gz",
            (-79.4537, 43.6121, -79.3123, 43.7031),
            ((240_992, 82_237, 157_152, 1_603, 82_761), {"outside": 157_152}),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_every_row_of_a_real_file_is_accounted_for(
    session: Session, shared_data: Path, name: str, box: Box, expected: tuple[tuple[int, ...], dict[str, int]]
) -> None:
    first, again = bring_in(session, shared_data / "incidents" / name, box, size_m=1000)
    assert (first.read, first.loaded, first.rejected, first.duplicates, first.placed) == expected[0]
    assert first.reasons == expected[1]
    assert first.read == first.loaded + first.rejected + first.duplicates
    assert (again.loaded, again.placed) == (0, first.placed)
    assert session.scalar(select(func.count()).select_from(Incident)) == first.loaded
    assert session.scalar(select(func.sum(IncidentDay.open + IncidentDay.closed))) == first.loaded
