"""The command matrix: from three files to an archive, without a database, and what it says of bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app import cli
from tests.unit.test_travel_files import CROSS


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the command on a cross of two streets; returns the exit code, the answer and what was said of errors."""
    (tmp_path / "streets.geojson").write_text(json.dumps(CROSS))

    def run_(origins: str, destinations: str, *more: str, out: str = "m.npz") -> tuple[int, dict, str]:
        (tmp_path / "o.csv").write_text(origins)
        (tmp_path / "d.csv").write_text(destinations)
        given = {"streets": "streets.geojson", "origins": "o.csv", "destinations": "d.csv", "out": out}
        options = [part for name, file in given.items() for part in (f"--{name}", str(tmp_path / file))]
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(["matrix", *options, "--json", *more])
        told = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(told.out) if told.out else {}, told.err

    return run_


HERE = "id,lon,lat\na,0,0\nb,0.02,0.0001\n"


def test_the_answer_says_what_the_archive_holds(run, tmp_path):
    code, told, _ = run(HERE, "id,lon,lat\nx,0.01,0.01\ny,0.01,-0.005\nz,0.5,0.5\n", "--mode", "walk")
    assert code == 0
    assert (told["nodes"], told["arcs"], told["origins"], told["destinations"]) == (5, 8, 2, 3)
    assert told["prepare_s"] >= 0
    assert told["matrix_s"] >= 0
    assert told["far_destinations"] == 1
    assert told["unreachable"] == 2
    assert any("1 of 3 destinations lie more than 1,000 m" in each and "z" in each for each in told["quality"])
    assert any("no lines" in each for each in told["quality"])
    with np.load(tmp_path / "m.npz") as file:
        assert file["od_s"].dtype == np.float32
        assert file["od_s"].shape == (2, 3)
        assert file["od_s"][0, 0] == pytest.approx((1113.2 + 1105.7) / 1.25, rel=1e-3)
        assert np.isinf(file["od_s"][:, 2]).all()
        assert file["origins"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("origins", "more", "said"),
    [
        (HERE, ["--mode", "fly"], "Nobody travels by 'fly'"),
        ("id,lon,lat\na,40,40\n", [], "all 1 origins lie more than 1,000 m from every street"),
        ("id,lon,lat\na,620000,5600000\n", [], "no longitude and latitude"),
        ("", [], "is empty"),
    ],
)
def test_bad_input_ends_with_2_and_a_sentence(run, tmp_path, origins, more, said):
    code, _, error = run(origins, HERE, *more)
    assert code == 2
    assert said in error
    assert not (tmp_path / "m.npz").exists()


def test_an_out_file_must_be_an_archive_in_a_folder_that_is_there(run):
    assert "does not end in .npz" in run(HERE, HERE, out="m.csv")[2]
    assert "no folder" in run(HERE, HERE, out="none/m.npz")[2]


def test_swapped_longitude_and_latitude_are_told(run):
    code, _, error = run("id,lon,lat\na,-0.009,0.0105\n", "id,lon,lat\nx,0.0105,-0.009\n", "--far-m", "300")
    assert code == 2
    assert "Longitude and latitude are swapped." in error


def test_islands_are_named_and_their_times_infinite(run, tmp_path):
    longer, island = ([[0.02, 0], [0.06, 0]], [[0.2, 0], [0.25, 0]])
    more = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": line}}
        for line in (longer, island)
    ]
    grown = {**CROSS, "features": [*CROSS["features"], *more]}
    (tmp_path / "streets.geojson").write_text(json.dumps(grown))
    code, told, _ = run("id,lon,lat\na,0,0\n", "id,lon,lat\nx,0.22,0\ny,0.01,0.001\n")
    assert code == 0
    assert told["unreachable"] == 1
    assert (told["dropped"]["count"], told["dropped"]["kept"]) == (2, 2)
    assert any("2 parts without a way between them" in each for each in told["quality"])
    assert any("1 of 2 destinations are reached from no origin (x)" in each for each in told["quality"])
