"""backup, restore and erase from the command line; a backup that is killed; the embedded database."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, select

from app.cli import main
from core.errors import Conflict
from core.identity import system_actor
from core.settings import CHECKOUT, settings
from geodata import backup, db, dumping, erasure_log, persons
from geodata.embedded import ADMIN, Cluster
from geodata.tables import IncidentPersonal, Person, Worker
from tests.reporters import reporter_of

SYSTEM = system_actor(label="command line")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module", autouse=True)
def administrator(cluster: Cluster, demo_database: Engine) -> Iterator[None]:
    os.environ["GRIDKEEPER_ADMIN_DATABASE_URL"] = cluster.url(ADMIN, "postgres")
    settings.cache_clear()
    erasure_log.log_path().unlink(missing_ok=True)
    yield
    erasure_log.log_path().unlink(missing_ok=True)
    del os.environ["GRIDKEEPER_ADMIN_DATABASE_URL"]
    settings.cache_clear()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, administrator: None) -> Path:
    made = tmp_path_factory.mktemp("backups")
    backup.take_backup(made / "city.tar", SYSTEM, keys=made / "city.keys")
    return made


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*arguments: str | Path, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_a_backup_says_what_it_holds_and_what_it_does_not(command: Run, tmp_path: Path) -> None:
    code, out, err = command("backup", tmp_path / "city.tar")
    assert code == 0, err
    assert "verified  yes" in out
    assert f"The master secret ({settings().state_dir / 'secret'}) is in neither file." in out
    assert "without --keys FILE their names are lost with this city" in out
    code, _, err = command("backup", tmp_path / "city.tar")
    assert (code, "is there already" in err) == (4, True)
    code, _, err = command("backup", tmp_path / "no" / "city.tar")
    assert (code, "There is no folder" in err) == (2, True)


def test_a_city_is_replaced_only_after_the_word(command: Run, folder: Path) -> None:
    before = _incidents()
    for arguments, given, said in (
        ((), "", "There is a city already"),
        (("--replace",), "yes\n", "Nothing was touched"),
    ):
        code, _, err = command("restore", folder / "city.tar", "--keys", folder / "city.keys", *arguments, given=given)
        assert code == 4
        assert said in err
    code, _, err = command("restore", folder / "nowhere.tar")
    assert (code, "There is no file" in err) == (2, True)
    assert _incidents() == before
    code, out, err = command("restore", folder / "city.tar", "--replace", "--json", given="replace\n")
    assert code == 0, err
    assert json.loads(out)["keys_from"] == "present database"
    assert _incidents() == before


def _incidents() -> int:
    with psycopg.connect(dumping.home().owner) as connection:
        row = connection.execute("SELECT count(*) FROM incident").fetchone()
    return row[0] if row else 0


def test_erasing_from_the_command_line(command: Run) -> None:
    with db.transaction(SYSTEM) as session:
        code_of_worker = session.scalars(select(Worker.code).order_by(Worker.id).limit(1)).one()
        personal = select(IncidentPersonal).where(IncidentPersonal.phone_hash.is_not(None)).limit(1)
        row = session.scalars(personal).one()
        phone = reporter_of(session, row.incident_id)[1] or ""
        subject = row.subject_id
    code, out, err = command("erase", "--worker", code_of_worker, "--purpose", "left", "--json")
    assert code == 0, err
    assert json.loads(out)["erased"] == 1
    code, out, _ = command("erase", "--phone-stdin", "--purpose", "request", "--json", given=phone + "\n")
    assert subject in json.loads(out)["subjects"]
    assert set(json.loads(out)["subjects"]) <= set(erasure_log.read_log())
    for arguments, said in (
        (("--purpose", "request"), "Say who, in one way"),
        (("--worker", "W999", "--purpose", "left"), "no worker W999"),
        (("--incident", "0", "--purpose", "left"), "no incident 0"),
        ((subject, "--purpose", "Mr Bean asked"), "no purpose 'Mr Bean asked'"),
    ):
        code, _, err = command("erase", *arguments)
        assert (code, said in err) == (2, True), err


@pytest.mark.slow
def test_a_backup_that_is_killed_leaves_no_file_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    target = tmp_path / "city.tar"
    arguments = [sys.executable, "-m", "app.cli", "backup", str(target)]
    process = subprocess.Popen(arguments, cwd=CHECKOUT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not _scratch_is_there():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not target.exists()
    assert (tmp_path / "city.tar.part").exists()
    while time.monotonic() < deadline:  # the server notices the dead client a little later
        with contextlib.suppress(Conflict):
            backup.take_backup(target, SYSTEM)
            break
    assert [path.name for path in tmp_path.iterdir()] == ["city.tar"]
    assert not _scratch_is_there()


def _scratch_is_there() -> bool:
    with psycopg.connect(dumping.home().admin) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname LIKE '%\\_\\_scratch'"
        return connection.execute(query).fetchone() is not None


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The embedded database of the state folder, as on a fresh machine."""
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "ADMIN_DATABASE_URL"):
        monkeypatch.delenv(f"GRIDKEEPER_{name}")
    for cached in (settings, db.engine, db.cluster):
        cached.cache_clear()
    yield
    db.engine().dispose()
    monkeypatch.undo()
    for cached in (settings, db.engine, db.cluster):
        cached.cache_clear()


def test_a_fresh_embedded_database_takes_the_city_over(command: Run, folder: Path, embedded: None) -> None:
    code, out, err = command("restore", folder / "city.tar", "--keys", folder / "city.keys", "--json")
    assert code == 0, err
    assert json.loads(out)["without_key"] == 0
    with db.transaction(SYSTEM) as session:
        named = session.scalars(select(Person).join(Worker).order_by(Worker.id.desc()).limit(1)).one()
        assert persons.unseal(session, named.subject_id, named.name_cipher)
    with psycopg.connect(dumping.home().admin, autocommit=True) as admin:
        db.engine().dispose()
        dumping.drop_database(admin, dumping.home().database)
