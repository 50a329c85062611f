"""A backup comes back: equal, with everybody erased who was erased since, or not at all."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, select, text

from core.clock import now
from core.errors import Conflict, InvalidInput, SourceUnavailable
from core.identity import system_actor
from core.progress import Silent
from core.settings import secret_key, settings
from geodata import backup, db, dumping, erasure, erasure_log, persons, record
from geodata import restore as restoring
from geodata.backup_file import read_backup, write_backup
from geodata.backup_keys import Keys, write_keys
from geodata.census import Census, take_census
from geodata.embedded import ADMIN, APP, OWNER, Cluster
from geodata.jobs import WATCH_LOCK
from geodata.migrations import downgrade, head
from geodata.restore import look, restore
from geodata.tables import Backup, IncidentPersonal, Invitation, Person, PersonKey, UserSession, Worker
from layers.registry import layer_entries
from layers.tiles import tiles_of
from people import accounts
from tests.reporters import reporter_of

SYSTEM = system_actor(label="command line")
BOUNDS = """
    SELECT id, ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b) FROM (SELECT id, Box2D(boundary) AS b FROM territory) AS t
"""


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
    """A folder with the backup ``city.tar`` and the keys file ``city.keys`` of the demo city."""
    made = tmp_path_factory.mktemp("backups")
    with db.transaction(SYSTEM) as session:
        account = accounts.demo_accounts(session)[0]
        accounts.start_session(session, account, locale="en")
        session.add(Invitation(user_id=account.user_id, kind="reset", code_hash="x", expires_at=now()))
    backup.take_backup(made / "city.tar", SYSTEM, keys=made / "city.keys")
    return made


@pytest.fixture
def elsewhere(
    cluster: Cluster,
    fresh_database: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """The name of another database, with a state folder that has the secret and no log of erasures.

    It is empty, or with the fixture `grown` the city of the backup, to which things happen afterwards.
    """
    name = fresh_database(*([request.getfixturevalue("demo_template")] if "grown" in request.fixturenames else []))
    shutil.copy(settings().state_dir / "secret", tmp_path / "secret")
    monkeypatch.setenv("GRIDKEEPER_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("GRIDKEEPER_DATABASE_URL", cluster.url(APP, name))
    monkeypatch.setenv("GRIDKEEPER_OWNER_DATABASE_URL", cluster.url(OWNER, name))
    yield from _with_settings_of_now()
    monkeypatch.undo()
    settings.cache_clear()
    db.engine.cache_clear()


def _with_settings_of_now() -> Iterator[str]:
    settings.cache_clear()
    db.engine.cache_clear()
    yield dumping.home().database
    db.engine().dispose()


def census() -> Census:
    with psycopg.connect(dumping.home().owner) as connection:
        found = take_census(connection, Silent())
    assert found is not None
    return found


def a_worker() -> tuple[str, str]:
    """Return subject and name of a worker."""
    with db.transaction(SYSTEM) as session:
        person = session.scalars(select(Person).join(Worker).order_by(Worker.id).limit(1)).one()
        return person.subject_id, persons.unseal(session, person.subject_id, person.name_cipher) or ""


def name_of(subject: str) -> str | None:
    with db.transaction(SYSTEM) as session:
        person = session.scalars(select(Person).where(Person.subject_id == subject)).one()
        return persons.unseal(session, subject, person.name_cipher)


def test_restored_elsewhere_it_equals_the_city(folder: Path, elsewhere: str) -> None:
    looked = look(folder / "city.tar", keys=folder / "city.keys")
    assert looked.empty
    done = restore(looked, SYSTEM)
    assert (done.keys_from, done.erased_again, done.without_key) == ("keys file", 0, 0)
    expected = Census.from_dict(looked.sealed.manifest["census"])
    found = census()
    other = {name for name, facts in expected.tables.items() if found.tables[name] != facts}
    assert other == {"backup", "invitation", "record", "user_session"}, "what the restore itself writes"
    assert found.last_seq > expected.last_seq
    with db.transaction(SYSTEM) as session:
        assert record.first_bad(session) is None
        assert session.scalars(select(UserSession).where(UserSession.revoked_at.is_(None))).all() == []
        assert session.scalars(select(Invitation.used_at)).one() is not None, "a code used since opens nothing again"
        row = session.scalars(select(Backup)).one()
        assert (row.file_name, row.last_seq, row.keys_saved) == ("city.tar", expected.last_seq, True)
        told = record.history(session, "backup", "city.tar")
        assert [entry.action for entry in told] == ["restore"]
        hashes = "SELECT sha256(string_agg(row_hash, ''::bytea ORDER BY seq)) FROM record WHERE seq <= :last"
        before = session.execute(text(hashes), {"last": expected.last_seq}).scalar_one()
        assert before.hex() == expected.record_sha256
        session.execute(text("UPDATE incident SET version = version + 1 WHERE id = (SELECT min(id) FROM incident)"))
    subject, name = a_worker()
    with pytest.raises(Conflict, match=r"There is a city already \(1 rows in territory"):
        restore(look(folder / "city.tar", keys=folder / "city.keys"), SYSTEM)
    assert name_of(subject) == name != ""


@pytest.fixture
def grown() -> None:
    """Asks `elsewhere` for the city of the backup."""


def _erase(*subjects: str) -> None:
    with db.transaction(SYSTEM) as session:
        for subject in subjects:
            erasure.erase_person(session, SYSTEM, subject, purpose="request", reference="17/2026")


def _a_reporter() -> tuple[str, list[str]]:
    with db.transaction(SYSTEM) as session:
        row = session.scalars(select(IncidentPersonal).where(IncidentPersonal.phone_hash.is_not(None)).limit(1)).one()
        texts = (*reporter_of(session, row.incident_id), persons.unseal(session, row.subject_id, row.note_cipher))
        return row.subject_id, [each for each in texts if each]


@pytest.mark.parametrize(
    "known_by",
    [
        "log",
        pytest.param("present database", marks=pytest.mark.slow),
        pytest.param("newer keys file", marks=pytest.mark.slow),
    ],
)
def test_a_backup_older_than_an_erasure_erases_again(
    folder: Path, grown: None, elsewhere: str, known_by: str, tmp_path: Path
) -> None:
    subject, name = a_worker()
    reporter, told = _a_reporter()
    _erase(subject, reporter)
    keys = folder / "city.keys"
    if known_by == "newer keys file":
        keys = tmp_path / "newer.keys"
        backup.take_backup(tmp_path / "newer.tar", SYSTEM, keys=keys)
    if known_by != "log":
        erasure_log.log_path().unlink()
    if known_by != "present database":
        _make_empty(elsewhere)
    done = restore(look(folder / "city.tar", keys=keys), SYSTEM, replace=True)
    assert done.erased_again == (0 if known_by == "newer keys file" else 2)
    assert name_of(subject) is None
    assert set(erasure_log.read_log()) >= {subject, reporter}
    with db.transaction(SYSTEM) as session:
        for each in (subject, reporter):
            key = session.get(PersonKey, each)
            assert key is not None
            assert key.wrapped_key is None
            with pytest.raises(Exception, match="erased or never existed"):
                persons.seal(session, each, "x")
        assert record.first_bad(session) is None
    if known_by == "log":
        _assert_no_trace([name, *told], tmp_path)


def _make_empty(database: str) -> None:
    """As after the loss of the machine: a database that was never prepared."""
    db.engine().dispose()
    place = dumping.home()
    with dumping.alone(place) as admin:
        dumping.make_database(admin, place, database)


def _assert_no_trace(names: list[str], folder: Path) -> None:
    """Look for names in every table, in the plain dump, in the files of a new backup and in the vector tiles."""
    wanted = {word for name in names for word in _written_forms(name)}
    assert len(wanted) >= 4
    plain = _plain_dump(folder)
    assert "COPY public.person " in plain
    assert "COPY public.load_row " in plain
    assert [word for word in wanted if word in plain] == []
    with psycopg.connect(dumping.home().owner) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        for (table,) in tables:
            found = connection.execute(
                f"SELECT count(*) FROM public.{table} AS t WHERE t::text LIKE ANY (%s)",  # type: ignore[arg-type]
                [[f"%{word}%" for word in wanted]],
            ).fetchone()
            assert found == (0,), table
    tiles = _tiles()
    assert b"Mill Lane" in tiles, "the tiles are there"
    assert not [word for word in wanted if word.encode() in tiles]
    for path in (erasure_log.log_path(), folder / "trace.tar", folder / "trace.keys"):
        content = path.read_bytes()
        assert not [word for word in wanted if word.encode() in content], path


def _tiles() -> bytes:
    """Return every tile of every layer as the system sees it."""
    with psycopg.connect(db.conninfo()) as connection:
        connection.execute(db.SCOPE_SQL, db.scope_parameters(SYSTEM))
        home, *bounds = connection.execute(BOUNDS).fetchone() or ()
        actor = system_actor(home)
        connection.execute(db.SCOPE_SQL, db.scope_parameters(actor))
        made = []
        for layer in layer_entries().values():
            if layer.statement is None:
                continue
            for zoom in range(layer.zooms[0], layer.zooms[1] + 1):
                for key in tiles_of(tuple(bounds), zoom):
                    given = {
                        "territory": home,
                        "z": zoom,
                        "x": key.x,
                        "y": key.y,
                        "pixel": key.pixel_deg,
                        "zone": "UTC",
                    }
                    made += connection.execute(layer.statement(zoom), given).fetchall()
        return b"".join(row[0] for row in made if row[0])


def _written_forms(name: str) -> list[str]:
    raw = name.encode()
    return [name, raw.hex(), base64.b64encode(raw).decode().rstrip("=")[:-1]]


def _plain_dump(folder: Path) -> str:
    backup.take_backup(folder / "trace.tar", SYSTEM, keys=folder / "trace.keys")
    dump = folder / "trace.dump"
    dump.write_bytes(b"".join(read_backup(folder / "trace.tar", backup.signing_key()).dump()))
    program = dumping.find_program("pg_restore", 1)
    return subprocess.run([program, "--file=-", dump], capture_output=True, check=True).stdout.decode()


@pytest.fixture
def untouched(elsewhere: str) -> Iterator[None]:
    """Proves that what the test did left the database, and the others beside it, as they were."""
    before, others = census(), _databases()
    yield
    assert census() == before
    assert _databases() == others


def _databases() -> set[str]:
    with psycopg.connect(dumping.home().admin) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_a_file_that_was_cut_or_altered_touches_nothing(folder: Path, untouched: None, tmp_path: Path) -> None:
    whole = (folder / "city.tar").read_bytes()
    bad = tmp_path / "bad.tar"
    for length in (0, 1, 511, 512, 1000, len(whole) // 2, len(whole) - 1025, len(whole) - 1):
        bad.write_bytes(whole[:length])
        with pytest.raises(InvalidInput, match="cut short|no backup"):
            look(bad)
    bad.write_bytes(whole[: len(whole) // 2] + b"other" + whole[len(whole) // 2 + 5 :])
    with pytest.raises(InvalidInput, match="altered or damaged"):
        look(bad)


def test_a_newer_schema_and_a_newer_server_are_refused(folder: Path, untouched: None, tmp_path: Path) -> None:
    sealed = read_backup(folder / "city.tar", backup.signing_key())
    (tmp_path / "raw").write_bytes(b"".join(sealed.dump()))
    for change, said in (
        (
            {"census": {**sealed.manifest["census"], "revision": "9999"}},
            "has the schema 9999, and this Gridkeeper knows",
        ),
        ({"postgresql": "99.1"}, "was made on PostgreSQL 99"),
    ):
        newer = tmp_path / "newer.tar"
        write_backup(newer, {**sealed.manifest, **change}, tmp_path / "raw", backup.signing_key(), lambda _: None)
        with pytest.raises(InvalidInput, match=said):
            look(newer)


def test_wrong_keys_are_refused_in_words(folder: Path, untouched: None, tmp_path: Path) -> None:
    city = folder / "city.tar"
    with pytest.raises(Conflict, match=r"has no key of the [\d,]+ persons.*--without-keys"):
        restore(look(city), SYSTEM)
    other = tmp_path / "other.keys"
    write_keys(other, Keys(now(), 1, b"somebody\t\\\\x00\t2026-01-01\t\\N\n", {}), backup.keys_key())
    with pytest.raises(Conflict, match="The keys file is of another city"):
        restore(look(city, keys=other), SYSTEM)
    with pytest.raises(InvalidInput, match="no keys file of Gridkeeper"):
        look(city, keys=city)


def test_without_the_secret_the_city_comes_back_and_no_name_opens(folder: Path, elsewhere: str) -> None:
    (settings().state_dir / "secret").unlink()
    secret_key.cache_clear()
    persons.derived_key.cache_clear()
    try:
        with pytest.raises(InvalidInput, match="made with another master secret.*the file `secret`"):
            look(folder / "city.tar", keys=folder / "city.keys")
        looked = look(folder / "city.tar")
        with pytest.raises(Conflict, match="no name, phone number or note in it will open"):
            restore(looked, SYSTEM)
        done = restore(looked, SYSTEM, without_keys=True)
        assert done.keys_from == "none"
        assert done.without_key > 100
        assert a_worker()[1] == ""
    finally:
        secret_key.cache_clear()
        persons.derived_key.cache_clear()


def test_a_restore_that_fails_leaves_the_city_untouched(
    folder: Path, untouched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = look(folder / "city.tar", keys=folder / "city.keys")

    def fails() -> None:
        raise SourceUnavailable("The disk is full.")

    for module, name in ((dumping, "restore_into"), (restoring, "erase_again")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, lambda *_args, **_more: fails())
            with pytest.raises(SourceUnavailable, match="The disk is full"):
                restore(looked, SYSTEM)
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "compare", lambda *_args, **_more: ["facility has 1 rows and not 2"])
        with pytest.raises(SourceUnavailable, match="not what was backed up: facility has 1 rows"):
            restore(looked, SYSTEM)


def test_a_platform_that_is_running_is_not_replaced(folder: Path, untouched: None) -> None:
    with db.engine().connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": WATCH_LOCK})
        with pytest.raises(Conflict, match="The platform is running. Stop `gridkeeper run` first"):
            look(folder / "city.tar")
        connection.execute(text("SELECT pg_advisory_unlock_all()"))


def test_an_older_schema_is_brought_up_to_date(elsewhere: str, tmp_path: Path) -> None:
    owner = db.owner_engine()
    downgrade(owner, to="0012")
    owner.dispose()
    backup.take_backup(tmp_path / "old.tar", SYSTEM)
    looked = look(tmp_path / "old.tar")
    assert looked.sealed.manifest["census"]["revision"] == "0012"
    assert restore(looked, SYSTEM).revision == head()
    assert census().revision == head()
