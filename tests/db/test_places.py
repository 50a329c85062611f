"""Places by what people call them, in the small demo town."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import db
from geodata.places import find_places
from geodata.territory import find_territory


@pytest.fixture
def found(demo_database):
    def look(wanted: str, **more: int) -> list[tuple[str, str, str]]:
        with db.transaction(system_actor()) as session:
            town = find_territory(session, "tiny-town")
            return [
                (place.kind, place.name, place.community)
                for place in find_places(session, town.id, wanted, **more)
                if _inside(session, town.id, place.lon, place.lat)
            ]

    return look


def _inside(session: Session, territory_id: int, lon: float, lat: float) -> bool:
    from grids.service import locate_one

    return locate_one(session, territory_id, lon, lat) is not None


def test_a_street_is_found_once_in_each_community_it_runs_through(found) -> None:
    assert found("High Street")[:2] == [("road", "High Street", "Eastside"), ("road", "High Street", "Westside")]
    assert found("high street, west") == [("road", "High Street", "Westside")]
    assert found("  HIGH   street ")[0][1] == "High Street"


@pytest.mark.parametrize("wanted", ["12 Oak Avenue", "Oak Avenue 12a", "No. 12 Oak Avenue", "12, Oak Avenue"])
def test_house_numbers_are_left_aside(found, wanted: str) -> None:
    assert {name for _, name, _ in found(wanted)} == {"Oak Avenue"}


def test_facilities_towns_and_grid_codes_are_found(found) -> None:
    assert ("facility", "Tiny Town Library", "Westside") in found("library")
    assert found("Tiny Town")[0] == ("place", "Tiny Town", "Westside")
    codes = found("001-0")
    assert codes
    assert all(kind == "grid" and name.startswith("001-0") for kind, name, _ in codes)


def test_a_mistyped_name_is_offered_as_a_guess(demo_database) -> None:
    with db.transaction(system_actor()) as session:
        town = find_territory(session, "tiny-town")
        places = find_places(session, town.id, "Hgih Steet")
        exact = find_places(session, town.id, "High Street")
    assert places[0].name == "High Street"
    assert all(place.guessed for place in places)
    assert not any(place.guessed for place in exact)


@pytest.mark.parametrize(
    "wanted", ["", " ", "x", "zzzz qqqq", "%", "100%", "_", "\\", "'; DROP TABLE road; --", "," * 50]
)
def test_nothing_found_is_an_empty_list(found, wanted: str) -> None:
    assert found(wanted) == []


def test_no_more_than_asked_for(found) -> None:
    assert len(found("Avenue", limit=3)) == 3
