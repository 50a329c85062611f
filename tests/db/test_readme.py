"""The commands of the front page do what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.cli import main
from tests import osm_city
from tests.conftest import ROOT

COMMANDS = re.findall(r"^\.venv/bin/gridkeeper (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
REPORTS = "id,date,class,lon,lat\n1,2025-03-05 08:00,Gas leak,10.001,50.001\n2,2025-03-06,Pothole,10.003,50.003\n"


def test_your_own_city_by_the_commands_of_the_readme(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    osm_city.write(tmp_path / "harbourtown.osm.pbf")
    (tmp_path / "reports.csv").write_text(REPORTS)
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(command))
        assert ended.value.code == 0, f"{command}: {capsys.readouterr().err}"
    with database.connect() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        assert connection.execute(text("SELECT count(*) FROM incident")).scalar_one() == 2
