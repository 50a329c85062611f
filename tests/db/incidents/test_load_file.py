"""The command `gridkeeper load file`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.cli import main
from core.identity import system_actor
from geodata import db
from geodata.territory import find_territory
from incidents.service import import_file
from tests.db.incidents.conftest import make_city

HEAD = "id,date,class,lon,lat"


@pytest.fixture(scope="module")
def town(database: Engine) -> str:
    with db.transaction(system_actor()) as session:
        return make_city(session, "command-town").territory.name


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["load", "file", *map(str, arguments)])
    return int(ended.value.code or 0)


def incidents() -> int:
    with db.transaction(system_actor()) as session:
        return int(session.execute(text("SELECT count(*) FROM incident")).scalar_one())


def test_scripts_get_exactly_the_promised_keys(
    town: str, write_csv: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_csv(HEAD, "1,2025-03-05,Gas leak,-1.31,50.69", "2,2025-03-05,Gas leak,9,50.69")
    counts = []
    for _ in range(2):
        assert run(path, "--as", "incidents", "--territory", town, "--json") == 0
        counts.append(json.loads(capsys.readouterr().out))
    assert [list(answer) for answer in counts] == [
        ["read", "loaded", "rejected", "duplicates", "placed", "seconds"]
    ] * 2
    assert [answer["loaded"] for answer in counts] == [1, 0]


def test_people_are_shown_the_columns_and_the_reasons(
    town: str, write_csv: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_csv(HEAD, "8,2025-03-05,Gas leak,-1.31,50.69", "9,never,Gas leak,-1.31,50.69", name="said.csv")
    assert run(path, "--as", "incidents") == 0
    out = capsys.readouterr().out
    assert "time date" in out
    assert "bad_date 1" in out


@pytest.mark.parametrize(
    ("lines", "options", "said"),
    [
        ((HEAD,), (), "has no rows"),
        ((HEAD, "1,2025-03-05,Gas leak,50.69,-1.31"), (), "swapped"),
        (("id,when", "1,2"), (), "--time-column"),
        ((HEAD, "1,2025-03-05,Gas leak,-1.31,50.69"), ("--territory", "atlantis"), "no territory 'atlantis'"),
        ((HEAD, "1,2025-03-05,Gas leak,-1.31,50.69"), ("--lon-column", "lan"), "did you mean"),
        ((HEAD, "1,2025-03-05,Gas leak,-1.31,50.69"), ("--status", "lost"), "lost"),
    ],
)
@pytest.mark.usefixtures("town")
def test_bad_input_is_code_two_a_sentence_and_no_row(
    write_csv: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    lines: tuple[str, ...],
    options: tuple[str, ...],
    said: str,
) -> None:
    before = incidents()
    assert run(write_csv(*lines, name="bad.csv"), "--as", "incidents", *options) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert incidents() == before


def test_rows_are_a_data_set_unless_said_and_nothing_unknown(town: str, write_csv: Callable[..., Path]) -> None:
    path = write_csv(HEAD, "1,2025-03-05,Gas leak,-1.31,50.69")
    before = incidents()
    assert run(path, "--dry-run") == 0
    assert run(path, "--as", "persons") == 2
    assert incidents() == before


def test_two_loads_of_one_file_at_once_add_it_once(town: str, write_csv: Callable[..., Path]) -> None:
    rows = [f"p{number},2025-03-05,Gas leak,-1.31,50.69" for number in range(300)]
    path = write_csv(HEAD, *rows, name="parallel.csv")
    before, loaded = incidents(), []

    def load() -> None:
        with db.transaction(system_actor()) as session:
            territory = find_territory(session, town)
            actor = system_actor(territory.id)
            db.as_actor(session, actor)
            loaded.append(import_file(session, actor, territory, path).loaded)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(loaded) == [0, 0, 300]
    assert incidents() == before + 300


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("content", "lines", "expected"),
    [
        ("demand", ("people,lon,lat", "12,-1.31,50.69"), {"places": 1}),
        ("facilities", ("code,name,kind,lon,lat", "C1,Mill Clinic,clinic,-1.31,50.69"), {"loaded": 1}),
        ("workers", ("code,name,unit", "W901,Ann Lee,none"), {"rejected": 1}),
        ("dataset", ("code,name,lon,lat", "C1,Mill Lamp,-1.31,50.69"), {"loaded": 1}),
    ],
)
def test_a_file_comes_in_as_what_it_is_said_to_be(
    write_csv: Callable[..., Path], capsys: pytest.CaptureFixture[str],
    content: str, lines: tuple[str, str], expected: dict[str, int],
) -> None:  # fmt: skip
    path = write_csv(*lines, name=f"{content}.csv")
    code = run(path, f"Town {content}", "--as", content, "--json")
    said = capsys.readouterr()
    assert code == 0, said.err
    answer = json.loads(said.out)
    assert {key: answer.get(key) for key in expected} == expected


def test_what_a_file_cannot_be_taken_for_is_refused_in_a_sentence(
    town: str, write_csv: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_csv("people,lon,lat", "12,-1.31,50.69", name="people.csv")
    assert run(path, "--as", "demand", "--crs", "our own") == 2
    assert "'our own' names no coordinate system" in capsys.readouterr().err
    path = write_csv("code,class,name,lon,lat", "C1,lamp,Mill Lamp,-1.31,50.69", name="components.csv")
    assert run(path, "--as", "components") == 2
    assert "row 2: there is no component class 'lamp'" in capsys.readouterr().err
