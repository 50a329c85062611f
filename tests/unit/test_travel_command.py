"""The command matrix: from three files to an archive, without a database, and what it says of bad input."""

from __future__ import annotations

import datetime as dt
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


SPEEDS = "time,speed_kmh,lon,lat,street,heading\n"
ROADS = ("id,lon,lat\na,0,0\n", "id,lon,lat\nx,0.02,0\n")


@pytest.fixture
def drive(run, tmp_path):
    """Runs the command for cars on streets that lead both ways."""
    (tmp_path / "streets.geojson").write_text(json.dumps(CROSS).replace("true", "false"))
    return lambda *more: run(*ROADS, "--mode", "drive", *more)


def test_cars_go_as_fast_as_was_measured_at_the_hour(drive, tmp_path):
    (tmp_path / "kmh.csv").write_text(
        SPEEDS
        + "2026-03-03 08:10,10,,,high street,\n2026-03-03 08:40,10,0.005,0,,90\n"  # a Tuesday
        + "2026-03-03 12:00,40,,,High Street,\n2026-03-07 08:00,45,,,High Street,\n"  # noon; a Saturday
        + "2026-03-03 08:00,20,,,No Street,\n2026-03-03 08:00,20,30,30,,\n"
    )
    speeds = ["--speeds", str(tmp_path / "kmh.csv")]
    free = drive()[1]
    with np.load(tmp_path / "m.npz") as file:
        free_s = float(file["od_s"][0, 0])
    code, told, _ = drive(*speeds, "--hour", "8")
    assert code == 0
    assert "speeds" not in free
    assert {key: told["speeds"][key] for key in ("hour", "measured", "readings")} == {
        "hour": 8, "measured": 2, "readings": 3,
    }  # fmt: skip
    assert any("2 lines of kmh.csv were left out: line 6: there is no street" in each for each in told["quality"])
    with np.load(tmp_path / "m.npz") as file:
        assert file["od_s"][0, 0] == pytest.approx(2226.4 / 10 * 3.6, rel=1e-2)
        assert file["od_s"][0, 0] > 2 * free_s
    assert drive(*speeds)[1]["speeds"]["hour"] is None, "without an hour all speeds count"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--mode", "walk", "--speeds", "kmh.csv"], "only where people drive"),
        (["--mode", "drive", "--hour", "8"], "not said which speeds"),
        (["--mode", "drive", "--speeds", "kmh.csv", "--hour", "3"], "no speed of a weekday at 3:00"),
        (["--mode", "drive", "--speeds", "none.csv"], "cannot be read"),
        (["--mode", "drive", "--speeds", "far.csv"], "No speed of far.csv can be used"),
        (["--mode", "drive", "--speeds", "o.csv"], "speeds need others"),
        (["--mode", "drive", "--speeds", "wide.csv"], "The columns are  t i m e"),
        (["--mode", "drive", "--speeds", "signs.csv"], "The columns are time,  ]0;here , <b>;"),
    ],
)
def test_speeds_that_cannot_be_used_are_refused_in_a_sentence(drive, tmp_path, monkeypatch, more, said):
    (tmp_path / "kmh.csv").write_text(f"{SPEEDS}2026-03-03 08:10,10,,,High Street,\n")
    (tmp_path / "far.csv").write_text(f"{SPEEDS}2026-03-03 08:10,10,50,50,,\n")
    (tmp_path / "wide.csv").write_bytes(SPEEDS.encode("utf-16-be"))
    (tmp_path / "signs.csv").write_text("time,\x1b]0;here\x07,<b>\n")
    monkeypatch.chdir(tmp_path)
    code, _, error = drive(*more)
    assert (code, said in error) == (2, True), error


@pytest.mark.parametrize(("bound", "said"), [("traffic_model.LINES_MOST", "1 lines"), ("traffic.PLACES_MOST", "1 str")])
def test_speeds_that_are_not_read_to_their_end_are_refused(drive, tmp_path, monkeypatch, bound, said):
    monkeypatch.setattr(f"dispatch.{bound}", 1)
    file = tmp_path / "kmh.csv"
    file.write_text(f"{SPEEDS}2026-03-03 12:10,10,,,High Street,\n2026-03-03 08:10,10,,,High Street,\n")
    code, _, error = drive("--speeds", str(file), "--hour", "8")
    assert code == 2
    assert f"kmh.csv is too long: more than {said}" in error.replace("the streets of this file have ", "")


def test_the_clocks_of_the_east_are_not_in_the_future(drive, tmp_path):
    here = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    lines = [f"{here + dt.timedelta(hours=ahead):%Y-%m-%d %H:%M},{kmh},,,High Street,\n" for ahead, kmh in
             ((8, 10), (20, 40), (-1_000_000, 40))]  # fmt: skip
    (tmp_path / "kmh.csv").write_text(SPEEDS + "".join(lines))
    told = drive("--speeds", str(tmp_path / "kmh.csv"))[1]
    assert told["speeds"]["readings"] == 2, "a stretch each"
    said = "; ".join(told["quality"])
    assert (
        "2 lines of kmh.csv were left out: line 3: it was taken in the future; line 4: it is older than 36,500" in said
    )
