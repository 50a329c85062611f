"""Restoring a backup: into a new database, compared, erased again, and only then put in the old one's place."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine

from core.errors import Conflict, InvalidInput, SourceUnavailable
from core.identity import Actor, May, require, system_actor
from core.progress import Progress, Silent
from geodata import db, dumping, migrations
from geodata.backup import READ_KEYS, WRITE_KEYS, compare, keys_key, load_keys, signing_key, unpack
from geodata.backup_file import Sealed, megabytes, read_backup
from geodata.backup_keys import Keys, read_keys
from geodata.erasure import Erased, erase_again, erasures_of, from_log
from geodata.erasure_log import Logged, read_log, write_log
from geodata.jobs import WATCH_LOCK

SWAP_TRIES: Final = 50
SWAP_PAUSE_S: Final = 0.1
_SUBJECTS = """
    SELECT subject_id FROM person UNION SELECT subject_id FROM incident_personal UNION SELECT subject_id FROM quarantine
    UNION SELECT subject_id FROM draft
"""
_KEYLESS = f"""
    SELECT count(*), count(*) FILTER (WHERE k.subject_id IS NULL)
    FROM ({_SUBJECTS}) AS s LEFT JOIN person_key AS k USING (subject_id)
"""  # noqa: S608  (a constant of ours)
_IN_USE = """
    SELECT 1 FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = %s AND d.datname = %s
"""
_TIDY = """
    UPDATE user_session SET revoked_at = now() WHERE revoked_at IS NULL;
    UPDATE invitation SET used_at = now() WHERE used_at IS NULL;
    UPDATE job_run SET state = 'cancelled', finished_at = now(), message = 'The platform was restored.'
    WHERE kind = 'backup' AND state IN ('waiting', 'running')
"""
_NOTED = """
    INSERT INTO backup (at, by_label, file_name, bytes, sha256, keys_saved, verified, counts, last_seq, seconds)
    VALUES (%(at)s, %(by)s, %(name)s, %(bytes)s, %(sha256)s, %(keys)s, true, %(counts)s, %(seq)s, 0)
"""


@dataclass(frozen=True)
class Looked:
    """A backup that can be restored here, and what stands in its way.

    Attributes
    ----------
    present
        Territory and account rows of the database as it is; both 0 in an empty platform.
    """

    sealed: Sealed
    keys: Keys | None
    present: Mapping[str, int]
    place: dumping.Home

    @property
    def empty(self) -> bool:
        """Return whether there is no city that would be replaced."""
        return not any(self.present.values())


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes
    ----------
    keys_from
        ``keys file``, ``present database`` or ``none``.
    erased_again
        Persons who were erased after the backup was taken, and are erased again.
    without_key
        Persons whose fields do not open, because no key came with them.
    """

    made_at: str
    rows: int
    last_seq: int
    revision: str
    keys_from: str
    erased_again: int
    without_key: int
    seconds: float


def look(file: Path, *, keys: Path | None = None, progress: Progress | None = None) -> Looked:
    """Return what would be restored; everything that can be refused is refused here, before anything is touched.

    Raises
    ------
    InvalidInput
        When a file is cut short, altered, of another platform, or made by a newer Gridkeeper.
    Conflict
        When the platform is running.
    """
    progress = progress or Silent()
    progress.step("Reading the file (MB)", megabytes(file.stat().st_size) if file.is_file() else None)
    sealed = read_backup(file, signing_key(), progress.advance)
    revision = str(sealed.manifest["census"]["revision"])
    known = {script.revision for script in ScriptDirectory(str(migrations.FOLDER)).walk_revisions()}
    if revision not in known:
        raise InvalidInput(
            f"{file.name} has the schema {revision}, and this Gridkeeper knows none newer than {migrations.head()}.",
            hint="Bring Gridkeeper up to date first.",
        )
    opened = None if keys is None else read_keys(keys, keys_key())
    place = dumping.home()
    with dumping.in_words(), psycopg.connect(place.admin) as admin:
        server = dumping.server_version(admin)
        made_on = int(str(sealed.manifest["postgresql"]).split(".")[0])
        if made_on > server:
            raise InvalidInput(
                f"{file.name} was made on PostgreSQL {made_on}, and this server runs {server}.",
                hint="Restore it to a server that is at least as new.",
            )
        dumping.find_program("pg_restore", server)
        if admin.execute(_IN_USE, [WATCH_LOCK, place.database]).fetchone():
            raise Conflict("The platform is running.", hint="Stop `gridkeeper run` first, and its background jobs.")
        there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [place.database]).fetchone()
    return Looked(sealed, opened, _present(place) if there else {}, place)


def _present(place: dumping.Home) -> Mapping[str, int]:
    found = {}
    with dumping.in_words(), psycopg.connect(place.owner) as connection:
        for table in ("territory", "app_user", "incident"):
            row = connection.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone()
            if row and row[0]:
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
                found[table] = (connection.execute(query).fetchone() or (0,))[0]
    return found


def restore(
    looked: Looked, actor: Actor, *, replace: bool = False, without_keys: bool = False, progress: Progress | None = None
) -> Restored:
    """Put the city of a backup in the place of the present one, and return what was done.

    Until the very end the present city is untouched. Whoever was erased, by all that is known here,
    is erased again before anything is served.

    Parameters
    ----------
    replace
        Must be True where there is a city already.
    without_keys
        Must be True where the names of persons will not open for want of their keys.

    Raises
    ------
    Conflict
        When there is a city already, or the keys are not there.
    SourceUnavailable
        When the restored database does not equal what the file says.
    """
    require(actor, May.KEEP_RUNNING)
    progress = progress or Silent()
    began = time.monotonic()
    if not looked.empty and not replace:
        has = ", ".join(f"{count:,} rows in {table}" for table, count in looked.present.items())
        raise Conflict(f"There is a city already ({has}).", hint="Take a backup of it, then give --replace.")
    if not looked.sealed.own and not without_keys:
        raise Conflict(
            "The backup was made with another master secret: no name, phone number or note in it will open.",
            hint="Put the file `secret` of that platform into the state folder first, or give --without-keys.",
        )
    place, new = looked.place, looked.place.database + dumping.NEW
    with dumping.alone(place) as admin, tempfile.TemporaryDirectory(prefix="gk-restore-") as folder:
        with dumping.new_database(admin, place, new):
            unpack(place, admin, new, looked.sealed, toc=Path(folder) / "toc", progress=progress)
            with psycopg.connect(place.owner_of(new)) as made:
                _refuse_differences(looked, made, progress)
                keys_from = _bring_keys(looked, made, without_keys=without_keys)
            _bring_up_to_date(place, new, progress)
            progress.step("Erasing again who was erased")
            with psycopg.connect(place.owner_of(new)) as made:
                made.execute(db.SCOPE_SQL, db.scope_parameters(system_actor(label=actor.label), purpose="restore"))
                without = _refuse_keyless(made, keys_from, without_keys=without_keys)
                erased = _known_here(looked, made)
                again = erase_again(made, erased)
                made.execute(_TIDY)
                _note(made, looked, actor, again)
            progress.step("Putting it in its place")
            _swap(admin, place, new)
        dumping.drop_database(admin, place.database + dumping.OLD)
        _complete_log(erased)
        _erase_the_last(place, erased)
    census = looked.sealed.manifest["census"]
    return Restored(
        made_at=str(looked.sealed.manifest["made_at"]),
        rows=sum(rows for rows, _ in census["tables"].values()),
        last_seq=int(census["last_seq"]),
        revision=str(migrations.head()),
        keys_from=keys_from,
        erased_again=again,
        without_key=without,
        seconds=round(time.monotonic() - began, 1),
    )


def _refuse_differences(looked: Looked, made: psycopg.Connection, progress: Progress) -> None:
    wrong = compare(looked.sealed, made, progress, with_keys=False)
    if wrong:
        raise SourceUnavailable(
            f"What was restored is not what was backed up: {'; '.join(wrong[:5])}. The present city is untouched.",
            hint="Try an older backup; check disk and memory of this machine.",
        )


def _bring_keys(looked: Looked, made: psycopg.Connection, *, without_keys: bool) -> str:
    """Put the keys of persons into the restored database and return where they came from."""
    if looked.keys is not None:
        load_keys(made, looked.keys)
        return "keys file"
    if without_keys or not looked.present:
        return "none"
    with (
        psycopg.connect(looked.place.owner) as present,
        present.cursor().copy(READ_KEYS) as source,
        made.cursor().copy(WRITE_KEYS) as target,
    ):
        for piece in source:
            target.write(piece)
    return "present database"


def _bring_up_to_date(place: dumping.Home, name: str, progress: Progress) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(place.owner_of(name)))
    try:
        migrations.upgrade(engine, progress)
    finally:
        engine.dispose()
    with psycopg.connect(place.owner_of(name), autocommit=True) as made:
        made.execute("ANALYZE")


def _refuse_keyless(made: psycopg.Connection, keys_from: str, *, without_keys: bool) -> int:
    """Return of how many persons there is no key; raise `Conflict` when there is none at all."""
    persons, without = made.execute(_KEYLESS).fetchone() or (0, 0)
    if persons and persons == without and not without_keys:
        whose = {"keys file": "The keys file is of another city: it", "none": "No keys file was given, and there"}
        raise Conflict(
            f"{whose.get(keys_from, 'The present database')} has no key of the {persons:,} persons in the backup.",
            hint="Give the keys file with --keys; with --without-keys their names and notes stay unreadable.",
        )
    return int(without)


def _known_here(looked: Looked, made: psycopg.Connection) -> Mapping[str, Erased]:
    """Return everybody who is known to be erased: by log, keys file, present database, and the backup itself."""
    known = dict(from_log(read_log().values()))
    if looked.keys is not None:
        known |= looked.keys.erased
    if looked.present:
        with psycopg.connect(looked.place.owner) as present:
            known |= erasures_of(present)
    return {**known, **erasures_of(made)}


def _note(made: psycopg.Connection, looked: Looked, actor: Actor, again: int) -> None:
    """Write down in the restored database which backup it is, and that it was restored."""
    sealed = looked.sealed
    census = sealed.manifest["census"]
    facts = {
        "at": sealed.manifest["made_at"],
        "by": actor.label,
        "name": sealed.path.name,
        "bytes": sealed.size,
        "sha256": sealed.sha256,
        "keys": looked.keys is not None,
        "counts": Jsonb({name: rows for name, (rows, _) in census["tables"].items()}),
        "seq": census["last_seq"],
    }
    made.execute(_NOTED, facts)
    told = Jsonb({"made_at": facts["at"], "sha256": sealed.sha256, "erased_again": again})
    made.execute("SELECT gk_record_event('restore', 'backup', %s, %s)", [sealed.path.name, told])


def _swap(admin: psycopg.Connection, place: dumping.Home, new: str) -> None:
    """Give the new database the name of the present one, in one transaction."""
    old = place.database + dumping.OLD
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    names = [place.database, new]
    for _ in range(SWAP_TRIES):
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY (%s)", [names])
        there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [place.database]).fetchone()
        try:
            with admin.transaction():
                if there:
                    admin.execute(rename.format(sql.Identifier(place.database), sql.Identifier(old)))
                admin.execute(rename.format(sql.Identifier(new), sql.Identifier(place.database)))
        except psycopg.errors.ObjectInUse:
            time.sleep(SWAP_PAUSE_S)
        else:
            return
    raise Conflict("Somebody keeps connecting to the database.", hint="Stop the platform, then restore again.")


def _complete_log(erased: Mapping[str, Erased]) -> None:
    known = read_log()
    write_log(
        Logged(subject, each.at, each.purpose or "restored") for subject, each in erased.items() if subject not in known
    )


def _erase_the_last(place: dumping.Home, erased: Mapping[str, Erased]) -> None:
    """Erase who was erased in the last moments of the city that was replaced."""
    late = {subject: each for subject, each in from_log(read_log().values()).items() if subject not in erased}
    if late:
        with psycopg.connect(place.owner) as made:
            made.execute(db.SCOPE_SQL, db.scope_parameters(system_actor(label="restore"), purpose="restore"))
            erase_again(made, late)
