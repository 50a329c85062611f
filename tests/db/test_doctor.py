"""`gridkeeper doctor`: what it finds on a real database, its exit code, and that it tells no secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app import health, retention
from app.cli import main
from app.health_model import Check, State
from core.errors import NotPermitted
from core.identity import Role, system_actor
from core.settings import secret_key, settings
from geodata import db
from geodata.embedded import OWNER, Cluster
from geodata.jobs import WATCH_LOCK
from people import accounts

KEYS = {
    "database",
    "disk",
    "migrations",
    "jobs",
    "dispatch",
    "assets",
    "clock",
    "certificate",
    "backup",
    "retention",
    "calendars",
    "sessions",
    "demo",
    "settings",
    "feeds",
    "basemaps",
}
KEEPER = system_actor()


def doctor(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


def by_key() -> dict[str, Check]:
    return {check.key: check for check in health.look(KEEPER)}


def test_it_looks_at_everything_and_names_no_secret(demo_database: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = doctor(capsys)
    checks = told["checks"]
    assert isinstance(checks, dict)
    assert set(checks) == KEYS
    assert (code, told["healthy"]) == (1, False), "no jobs process is at work"
    assert checks["jobs"]["state"] == "fault"
    assert checks["jobs"]["way_out"]
    assert checks["migrations"]["state"] == "ok"
    assert checks["clock"]["state"] in {"ok", "warning"}
    assert all(check["sentence"] and check["title"] for check in checks.values())
    whole = json.dumps(told)
    for secret in (secret_key().hex(), os.environ["GRIDKEEPER_DATABASE_URL"]):
        assert secret not in whole


def test_with_a_jobs_process_and_a_clean_up_there_is_no_fault(
    demo_database: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The cluster of tests writes without waiting for the disk; that fault is not what is asked here.
    retention.clean_up()
    with demo_database.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WATCH_LOCK})
        found = by_key()
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock_all()"))
    assert found["jobs"].state is State.OK
    assert found["retention"].state is State.OK
    assert found["database"].numbers["connections_most"]
    assert {key for key, check in found.items() if check.state is State.FAULT} <= {"database"}
    assert "durable" in found["database"].sentence


def test_a_login_above_the_rules_is_a_fault(
    demo_database: Engine, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(demo_database.url.database)
    monkeypatch.setenv("GRIDKEEPER_DATABASE_URL", cluster.url(OWNER, name))
    settings.cache_clear()
    db.engine.cache_clear()
    try:
        found = by_key()
    finally:
        db.engine().dispose()
        monkeypatch.undo()
        settings.cache_clear()
        db.engine.cache_clear()
    assert found["database"].state is State.FAULT
    assert "above the rules" in found["database"].sentence


def test_an_older_schema_is_a_fault_and_the_rest_unknown(demo_database: Engine) -> None:
    with db.owner_engine().begin() as owner:
        before = owner.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        owner.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    try:
        found = by_key()
    finally:
        with db.owner_engine().begin() as owner:
            owner.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": before})
    assert found["migrations"].state is State.FAULT
    assert found["migrations"].numbers["revision"] == "0001"
    assert {found[key].state for key in ("jobs", "backup", "sessions", "retention")} == {State.UNKNOWN}


def test_a_stopped_database_is_a_fault_in_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRIDKEEPER_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("GRIDKEEPER_DATABASE_URL", raising=False)
    monkeypatch.delenv("GRIDKEEPER_OWNER_DATABASE_URL", raising=False)
    for cached in (settings, db.cluster, db.engine):
        cached.cache_clear()
    try:
        code, told = doctor(capsys)
    finally:
        monkeypatch.undo()
        for cached in (settings, db.cluster, db.engine):
            cached.cache_clear()
    checks = told["checks"]
    assert isinstance(checks, dict)
    assert code == 1
    assert set(checks) == KEYS
    assert checks["database"]["state"] == "fault"
    assert "gridkeeper up" in checks["database"]["way_out"]
    assert checks["disk"]["state"] in {"ok", "warning"}


def test_a_wrong_certificate_is_a_fault_and_not_a_crash(demo_database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDKEEPER_TLS_CERT", "/nowhere/cert.pem")
    settings.cache_clear()
    try:
        found = by_key()["certificate"]
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert found.state is State.FAULT
    assert "GRIDKEEPER_TLS_KEY is not" in found.sentence


def test_only_who_keeps_the_platform_running_looks(demo_database: Engine) -> None:
    with db.transaction(KEEPER) as session:
        officers = {each.role: each.actor() for each in accounts.demo_accounts(session)}
    assert health.look(officers[Role.ADMINISTRATOR])
    for role in set(officers) - {Role.ADMINISTRATOR}:
        with pytest.raises(NotPermitted):
            health.look(officers[role])
