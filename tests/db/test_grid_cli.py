"""gridkeeper grid make: what scripts may rely on, and plain sentences on bad input."""

from __future__ import annotations

import json

import pytest
import shapely
from sqlalchemy import Engine

from app.cli import main
from core.identity import system_actor
from geodata import db
from geodata.territory import make_territory

ARGUMENTS = ["grid", "make", "--kind", "square", "--size-m", "250"]


@pytest.fixture(scope="module")
def town(database: Engine) -> str:
    with db.transaction(system_actor()) as session:
        return make_territory(
            session, system_actor(), "small-town", boundary=shapely.box(24.9, 60.1, 24.93, 60.12)
        ).name


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def test_json_has_the_promised_keys_and_twice_is_once(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *ARGUMENTS, "--json")
    assert code == 0
    assert "Cutting communities into cells" in err
    first = json.loads(out)
    assert {"cells", "area_m2", "boundary_area_m2", "seconds"} <= set(first)
    assert first["area_m2"] == pytest.approx(first["boundary_area_m2"], rel=1e-9)
    assert (first["territory"], first["unchanged"]) == (town, False)
    assert first["responsibility_grids"] > 0
    again = json.loads(run(capsys, *ARGUMENTS, "--json", "--territory", town)[1])
    assert (again["cells"], again["unchanged"]) == (first["cells"], True)
    replaced = json.loads(run(capsys, *ARGUMENTS[:3], "hexagon", *ARGUMENTS[4:], "--replace", "--json")[1])
    assert replaced["removed"] == first["cells"]
    assert "cells" in run(capsys, *ARGUMENTS[:3], "hexagon", *ARGUMENTS[4:])[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kind", "square", "--size-m", "0"], "0 m wide"),
        (["--kind", "square", "--size-m=-100"], "-100 m wide"),
        (["--kind", "square", "--size-m", "nan"], "nan m wide"),
        (["--kind", "square", "--size-m", "0.5"], "cells; at most 2,000,000"),
        (["--kind", "triangle", "--size-m", "100"], "Take one of: square, hexagon"),
        (["--kind", "square", "--size-m", "100", "--territory", "nowhere"], "no territory 'nowhere'"),
        (["--kind", "square", "--size-m", "wide"], "not a valid|valid number"),
        (["--kind", "square"], "need a width"),
    ],
)
def test_bad_input_ends_with_two_and_a_sentence(
    town: str, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    code, out, err = run(capsys, "grid", "make", *arguments, "--json")
    assert code == 2
    assert any(part in err for part in says.split("|"))
    assert "Traceback" not in err
    assert out == ""
