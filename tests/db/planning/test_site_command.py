"""gridkeeper site: what scripts may rely on, and plain sentences on bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, text

from app.cli import main
from core.identity import system_actor
from geodata import db


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["site", *arguments])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


@pytest.mark.parametrize("kind", ["p-median", "mclp"])
def test_json_has_the_promised_keys(demo_database: Engine, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    code, out, _ = run(capsys, "--kind", kind, "--p", "3", "--candidates", "80", "--limit-min", "4", "--json")
    assert code == 0
    found = json.loads(out)
    assert {"sites", "objective", "bound", "gap", "unserved", "seconds", "status", "study"} <= set(found)
    assert len(found["sites"]) == 3
    assert found["status"] in {"optimal", "feasible"}
    assert 0 <= found["gap"] <= 0.02
    assert found["candidates"] <= 80
    points = [shapely.Point(site["lon"], site["lat"]) for site in found["sites"]]
    assert len({point.wkt for point in points}) == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kind", "p-median", "--p", "600"], "600 sites are asked for, but only 500 candidates"),
        (["--kind", "p-median", "--p", "0"], "0 sites cannot be chosen"),
        (["--kind", "p-centre", "--p", "1"], "Take one of: p-median, mclp"),
        (["--kind", "mclp", "--p", "1", "--facility-kind", "casino"], "no kind of facility 'casino'"),
        (["--kind", "mclp", "--p", "1", "--mode", "fly"], "Take one of: drive, walk"),
        (["--kind", "mclp", "--p", "1", "--limit-min", "-3"], "no useful limit"),
        (["--kind", "mclp", "--p", "1", "--limit-min", "nan"], "no useful limit"),
        (["--kind", "mclp", "--p", "1", "--candidates", "0"], "0 candidates cannot be compared"),
        (["--kind", "mclp", "--p", "1", "--territory", "nowhere"], "no territory 'nowhere'"),
        (["--kind", "mclp"], "Missing option"),
    ],
)
def test_bad_input_ends_with_two_and_a_sentence(
    demo_database: Engine, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_a_question_without_an_answer_says_so_in_json_and_in_words(
    demo_database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with db.transaction(system_actor()) as session:
        session.execute(text("UPDATE road SET drivable = false"))
    code, out, err = run(capsys, "--kind", "mclp", "--p", "3", "--json")
    assert code == 2
    found = json.loads(out)
    assert (found["status"], found["binding"], found["candidates"], found["sites"]) == (
        "infeasible", "candidates", 0, []
    )  # fmt: skip
    assert "Only 0 buildable places were found, so 3 sites cannot be chosen." in err


def test_terms_a_plan_by_hand_and_a_file_to_take_along(
    demo_database: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with db.transaction(system_actor()) as session:
        session.execute(text("UPDATE road SET drivable = true"))
    out = tmp_path / "study.gpkg"
    asked = ["--p", "2", "--candidates", "40", "--minutes", "4", "--time-limit", "2", "--json"]
    code, told, _ = run(capsys, "--kind", "mclp", "--spacing", "300", "--out", str(out), *asked)
    assert code == 0
    best = json.loads(told)
    assert len(pyogrio.read_dataframe(out, layer="sites")) == 2
    assert set(pyogrio.read_dataframe(out, layer="grounds")["kind"]) >= {"catchment"}
    places = [f"{site['lon']},{site['lat']}" for site in best["sites"]]
    code, told, _ = run(capsys, "--kind", "mclp", *asked, "--by-hand", places[0], "--by-hand", places[1])
    assert code == 0
    mine = json.loads(told)
    assert mine["objective"] == pytest.approx(best["objective"], rel=1e-6)
    assert mine["best"] >= mine["objective"] * (1 - 1e-9)
    code, told, _ = run(capsys, "--kind", "mclp", *asked, "--forbid", places[0])
    assert code == 0
    assert json.loads(told)["objective"] <= mine["best"] + 1e-6


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kind", "mclp", "--p", "1", "--forbid", "here"], "--forbid 'here' is no place"),
        (["--kind", "mclp", "--p", "1", "--also", "200,100"], "1 of 1 places are no longitude and latitude"),
        (["--kind", "cpmp", "--p", "1"], "not said for how many people a site has room"),
        (["--kind", "fixed-charge"], "not said what a site costs"),
        (["--kind", "mclp", "--p", "1", "--budget", "5"], "not said what a site costs"),
        (["--kind", "mclp", "--p", "1", "--candidates", "none.geojson"], "neither a number nor a file"),
        (["--kind", "mclp", "--p", "1", "--zones", "none.geojson"], "There is no file none.geojson"),
        (["--kind", "mclp", "--p", "1", "--demand", "jobs"], "no layer 'jobs' of demand"),
        (["--kind", "mclp", "--p", "1", "--out", "study.docx"], "unknown ending"),
        (["--kind", "mclp", "--p", "1", "--floor", "200"], "no useful share of each community"),
        (["--kind", "mclp", "--p", "3", "--by-hand", "-1.2,50.6"], "1 places are marked, but 3 sites"),
    ],
)
def test_terms_that_cannot_be_kept_end_with_two_and_a_sentence(
    demo_database: Engine, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, out) == (2, "")
    assert says in " ".join(err.split())
    assert "Traceback" not in err
