"""up, down, status: what scripts may rely on."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, text

from app.cli import main
from core.settings import settings
from geodata import db
from geodata.migrations import head


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_status_has_the_promised_keys(demo_database: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "status", "--json")
    status = json.loads(out)
    assert (code, status["revision"]) == (0, head())
    assert status["database"].startswith("PostgreSQL ")
    assert status["postgis"][0].isdecimal()
    with demo_database.connect() as connection:
        cells = connection.execute(text("SELECT count(*) FROM unit_grid")).scalar_one()
    assert status["counts"]["unit_grid"] == cells > 0
    assert status["counts"]["incident"] > 0
    assert run(capsys, "up")[0] == 0


def test_a_database_that_is_away_is_said_in_words(
    demo_database: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv("GRIDKEEPER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    for cached in (settings, db.engine):
        cached.cache_clear()
    code, _, err = run(capsys, "status")
    assert code == 5
    assert "does not answer" in err
    code, _, err = run(capsys, "down")
    assert code == 4
    assert "Stop it there" in err
    # Without a server of its own: an embedded database that was never started.
    monkeypatch.delenv("GRIDKEEPER_DATABASE_URL")
    monkeypatch.setenv("GRIDKEEPER_STATE_DIR", str(tmp_path))
    for cached in (settings, db.cluster, db.engine):
        cached.cache_clear()
    try:
        code, out, _ = run(capsys, "status", "--json")
        assert (code, json.loads(out)["database"]) == (1, "stopped")
        assert "was not running" in run(capsys, "down")[1]
    finally:
        monkeypatch.undo()
        for cached in (settings, db.cluster, db.engine):
            cached.cache_clear()
