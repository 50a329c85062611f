"""`gridkeeper run`: pages and background work by one command, on the port asked for, and gone together."""

from __future__ import annotations

import signal
import socket
import time

import httpx
import pytest
from sqlalchemy import Engine, text

from app.cli import main
from core.settings import settings
from geodata.jobs import WATCH_LOCK
from tests.serving import ANSWER_WITHIN_S, served

LOCKED = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key AND database ="
              " (SELECT oid FROM pg_database WHERE datname = current_database())")  # fmt: skip


def jobs_at_work(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(LOCKED, {"key": WATCH_LOCK}).scalar_one())


def test_one_command_serves_pages_and_does_jobs_until_it_is_stopped(demo_database: Engine, tmp_path) -> None:
    with served(tmp_path / "log", ("app.cli", "run")) as server:
        assert server.answers(), server.log.read_text()[-3000:]
        assert httpx.get(f"{server.address}/", timeout=ANSWER_WITHIN_S).headers["location"].startswith("/login")
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while not jobs_at_work(demo_database) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert jobs_at_work(demo_database)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(ANSWER_WITHIN_S) == 0
        assert not server.answers()
    assert not jobs_at_work(demo_database)
    said = server.log.read_text()
    assert f"Gridkeeper runs at {server.address}" in said
    assert "Traceback" not in said


def test_a_taken_port_is_said_before_anything_starts(
    demo_database: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("GRIDKEEPER_PORT", str(other.getsockname()[1]))
        settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            main(["run"])
    assert ended.value.code == 4
    assert "Set GRIDKEEPER_PORT to another one" in capsys.readouterr().err
    monkeypatch.undo()
    settings.cache_clear()
