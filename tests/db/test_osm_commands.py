from __future__ import annotations

import json

import pytest

from app.cli import build
from core.errors import InvalidInput
from tests import osm_city

KEYS = {"territory", "roads", "facilities", "buildings", "boundaries", "dropped", "seconds"}


@pytest.fixture
def gridkeeper(database, capsys):
    """The command line; returns what a command prints, with --json what it says."""
    app = build()

    def run(*arguments):
        capsys.readouterr()
        app(args=[str(argument) for argument in arguments], standalone_mode=False)
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in arguments else out

    return run


def test_from_a_file_to_a_territory_and_back(gridkeeper, tmp_path):
    assert "no territory yet" in gridkeeper("territory", "list")
    extract = osm_city.write(tmp_path / "Small_Town.osm.pbf")
    first = gridkeeper("load", "osm", extract, "--people", "1200", "--json")
    assert set(first) >= KEYS
    assert first["territory"] == "small-town"
    assert first["roads"] == osm_city.STRETCHES
    # The only territory is meant; the same file adds nothing.
    again = gridkeeper("load", "osm", extract, "--json")
    assert again["unchanged"]
    assert again["territory"] == "small-town"
    assert gridkeeper("load", "osm", extract, "--replace", "--json")["roads"] == osm_city.STRETCHES

    made = gridkeeper("territory", "make", "box-town", "--bbox", "9.9,49.9,10.1,50.1", "--title-zh", "盒镇", "--json")
    assert made["metric_srid"] == 32632
    assert made["title_zh"] == "盒镇"
    known = gridkeeper("territory", "list", "--json")["territories"]
    assert [entry["territory"] for entry in known] == ["small-town", "box-town"]
    assert "盒镇" in gridkeeper("territory", "list")

    with pytest.raises(InvalidInput, match="Several territories"):
        gridkeeper("load", "osm", extract)
    # The box is wider than the city: the road beyond lies in it too.
    assert gridkeeper("load", "osm", extract, "--territory", "box-town", "--json")["roads"] == osm_city.STRETCHES + 1
    third = gridkeeper("load", "osm", extract, "--territory", "west", "--bbox", "9.9,49.9,10.0025,50.1", "--json")
    assert third["dropped"]["outside_buildings"] == 4
    hull = gridkeeper("territory", "make", "hull", "--hull-of", extract, "--json")
    assert hull["bounds"][0] == pytest.approx(10.0, abs=0.002)

    with pytest.raises(InvalidInput, match="boundary already"):
        gridkeeper("load", "osm", extract, "--territory", "west", "--bbox", "9,49,10,50")


def test_cells_follow_the_buildings_of_a_later_extract(gridkeeper, tmp_path):
    extract = osm_city.write(tmp_path / "growing.osm")
    here = ("--territory", "growing", "--json")
    gridkeeper("load", "osm", extract, "--people", "1000", *here)
    grid = ("grid", "make", "--kind", "square", "--size-m", "100")
    assert gridkeeper(*grid, *here)["people"] == pytest.approx(1000)
    gridkeeper("load", "osm", extract, "--people", "3000", "--replace", *here)
    again = gridkeeper(*grid, *here)
    assert (again["unchanged"], again["people"]) == (True, pytest.approx(3000))


@pytest.mark.parametrize(
    "arguments",
    [
        ("load", "osm"),
        ("load", "osm", "nowhere.osm.pbf"),
        ("load", "osm", "x.osm", "--place", "Smalltown"),
        ("load", "osm", "x.osm", "--bbox", "1,2,3,4", "--boundary", "b.geojson"),
        ("territory", "make", "x"),
        ("territory", "make", "x", "--bbox", "3,2,1,4"),
        ("territory", "make", "x", "--bbox", "1,2,3"),
        ("territory", "make", "X Y", "--bbox", "1,2,3,4"),
        ("territory", "make", "x", "--boundary", "nowhere.geojson"),
        ("territory", "make", "x", "--hull-of", "nowhere.osm"),
    ],
)
def test_bad_input_is_told_in_words(gridkeeper, arguments):
    with pytest.raises(InvalidInput):
        gridkeeper(*arguments)
