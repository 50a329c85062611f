"""A backup of the demo city: taken beside work that goes on, proved, and refused where it cannot be."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psycopg
import pytest
from sqlalchemy import Engine, text

from core.errors import Conflict, InvalidInput, NotPermitted, SourceUnavailable
from core.identity import Actor, Role, system_actor
from core.progress import Cancelled, Silent
from core.settings import settings
from geodata import backup, db, dumping
from geodata.backup_file import read_backup
from geodata.backup_keys import read_keys
from geodata.census import Census, take_census
from geodata.embedded import ADMIN, Cluster
from geodata.tables import PersonKey

SYSTEM = system_actor(label="command line")


@pytest.fixture(scope="module", autouse=True)
def administrator(cluster: Cluster, demo_database: Engine) -> Iterator[None]:
    os.environ["GRIDKEEPER_ADMIN_DATABASE_URL"] = cluster.url(ADMIN, "postgres")
    settings.cache_clear()
    yield
    del os.environ["GRIDKEEPER_ADMIN_DATABASE_URL"]
    settings.cache_clear()


def databases() -> set[str]:
    with psycopg.connect(dumping.home().admin) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


class Writer:
    """Keeps writing rows while the context is open."""

    def __init__(self) -> None:
        self.written = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._stop.is_set():
            with db.transaction(SYSTEM) as session:
                session.execute(
                    text("UPDATE incident SET priority = priority WHERE id = (SELECT min(id) FROM incident)")
                )
                session.execute(
                    text("UPDATE incident SET version = version + 1 WHERE id = (SELECT max(id) FROM incident)")
                )
            self.written += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()


def test_a_backup_beside_writers_is_whole_and_equal(tmp_path: Path) -> None:
    before = databases()
    target, keys = tmp_path / "city.tar", tmp_path / "city.keys"
    with Writer() as writer:
        taken = backup.take_backup(target, SYSTEM, keys=keys)
    assert writer.written > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["city.keys", "city.tar"]
    assert target.stat().st_mode & 0o777 == keys.stat().st_mode & 0o777 == 0o600
    assert databases() == before
    sealed = read_backup(target, backup.signing_key())
    assert (sealed.size, sealed.sha256, sealed.own) == (taken.bytes, taken.sha256, True)
    census = Census.from_dict(sealed.manifest["census"])
    assert census.bad_seq is None
    assert census.counts["incident"] == 1500
    with psycopg.connect(dumping.home().owner) as connection:
        now = take_census(connection, Silent())
    assert now is not None
    assert now.last_seq > census.last_seq, "the writers went on"
    with db.transaction(SYSTEM) as session:
        assert backup.last_backup(session) == taken
        keyed = session.query(PersonKey).count()
    assert read_keys(keys, backup.keys_key()).count == keyed > 100
    assert sealed.manifest["census"]["tables"]["person_key"][0] == keyed


def test_neither_keys_nor_secret_are_in_the_file(tmp_path: Path) -> None:
    target = tmp_path / "city.tar"
    backup.take_backup(target, SYSTEM)
    with db.transaction(SYSTEM) as session:
        subject, wrapped = session.query(PersonKey.subject_id, PersonKey.wrapped_key).first() or ("", b"")
    sealed = read_backup(target, backup.signing_key())
    program = dumping.find_program("pg_restore", 1)
    dump = tmp_path / "dump"
    dump.write_bytes(b"".join(sealed.dump()))
    plain = os.popen(f"{program} --file=- {dump}").read()
    assert "COPY public.incident " in plain
    assert "COPY public.person_key " not in plain
    assert subject in plain, "the ciphertext stays"
    assert wrapped.hex() not in plain
    secret = (settings().state_dir / "secret").read_text().strip()
    assert secret not in plain
    assert secret.encode() not in target.read_bytes()


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    target = tmp_path / "city.tar"
    target.write_text("precious")
    with pytest.raises(Conflict, match="is there already"):
        backup.take_backup(target, SYSTEM)
    (tmp_path / "letter.txt").write_text("precious")
    with pytest.raises(InvalidInput, match="no keys file"):
        backup.take_backup(tmp_path / "new.tar", SYSTEM, keys=tmp_path / "letter.txt")
    with pytest.raises(InvalidInput, match="There is no folder"):
        backup.take_backup(tmp_path / "nowhere" / "new.tar", SYSTEM)
    assert {path.read_text() for path in tmp_path.iterdir()} == {"precious"}
    with pytest.raises(NotPermitted):
        backup.take_backup(tmp_path / "new.tar", Actor(None, "x", Role.SUPERVISOR, 1))


class Stop(Silent):
    """Asks to stop at a named step."""

    def __init__(self, step: str) -> None:
        self._step, self._at = step, ""

    def step(self, name: str, total: int | None = None) -> None:  # noqa: ARG002  (the words of `Progress`)
        self._at = name

    def advance(self, items: int = 1) -> None:  # noqa: ARG002
        if self._at.startswith(self._step):
            raise Cancelled("Cancelled on request.")


@pytest.mark.parametrize("step", ["Dumping", "Writing the file", "Restoring", "Comparing"])
def test_a_backup_that_is_stopped_leaves_nothing(tmp_path: Path, step: str) -> None:
    before = databases()
    with pytest.raises(Cancelled):
        backup.take_backup(tmp_path / "city.tar", SYSTEM, keys=tmp_path / "city.keys", progress=Stop(step))
    assert list(tmp_path.iterdir()) == []
    assert databases() == before


def test_a_backup_that_does_not_restore_to_the_same_is_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored = dumping.restore_into

    def lossy(conninfo: str, *rest: object) -> None:
        restored(conninfo, *rest)
        with psycopg.connect(conninfo) as connection:
            connection.execute("DELETE FROM place_name WHERE id = (SELECT min(id) FROM place_name)")
            connection.execute("UPDATE facility SET name = 'x' WHERE id = (SELECT min(id) FROM facility)")

    monkeypatch.setattr(dumping, "restore_into", lossy)
    with pytest.raises(SourceUnavailable, match=r"rows of facility differ; place_name has .* rows and not"):
        backup.take_backup(tmp_path / "city.tar", SYSTEM)
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_was_altered_is_found(tmp_path: Path) -> None:
    place = dumping.home()
    with psycopg.connect(place.admin_of(place.database), autocommit=True) as admin:
        seq = admin.execute("SELECT max(seq) FROM record").fetchone()
        change = "UPDATE record SET actor_label = {} WHERE seq = (SELECT max(seq) FROM record)"
        admin.execute("SET session_replication_role = replica")
        was = admin.execute("SELECT actor_label FROM record ORDER BY seq DESC LIMIT 1").fetchone()
        admin.execute(change.format("'somebody else'"))
        try:
            with pytest.raises(SourceUnavailable, match=f"Row {seq[0]} of the record does not fit its hash"):
                backup.take_backup(tmp_path / "city.tar", SYSTEM)
        finally:
            admin.execute(change.format(f"'{was[0]}'"))
    assert list(tmp_path.iterdir()) == []


def test_an_older_pg_dump_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceUnavailable, match=r"runs PostgreSQL 99 and needs a pg_dump at least as new; the newest"):
        dumping.find_program("pg_dump", 99)


def test_whoever_may_make_no_database_is_told_what_to_set(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRIDKEEPER_ADMIN_DATABASE_URL")
    settings.cache_clear()
    try:
        with pytest.raises(SourceUnavailable, match="GRIDKEEPER_ADMIN_DATABASE_URL"):
            backup.take_backup(tmp_path / "city.tar", SYSTEM)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert list(tmp_path.iterdir()) == []


def test_only_one_backup_at_a_time(tmp_path: Path) -> None:
    with dumping.alone(dumping.home()), pytest.raises(Conflict, match="Another backup or restore"):
        backup.take_backup(tmp_path / "city.tar", SYSTEM)


def test_the_nightly_backup_keeps_as_many_as_the_settings_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(3):
        (folder / f"gridkeeper-2026010{day + 1}T023000Z.tar").touch()
    (folder / "gridkeeper-20260104T023000Z.tar.part").touch()
    (folder / "own notes.txt").touch()
    for name, value in {"BACKUP_DIR": folder, "BACKUP_KEYS_DIR": tmp_path / "keys", "BACKUP_KEEP": 2}.items():
        monkeypatch.setenv(f"GRIDKEEPER_{name}", str(value))
    settings.cache_clear()
    try:
        done = backup.run_backup(SYSTEM, Silent())
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert done["removed"] == 2
    names = {path.name for path in folder.iterdir()}
    assert names == {"gridkeeper-20260103T023000Z.tar", done["file"], "own notes.txt"}
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["gridkeeper.keys"]
