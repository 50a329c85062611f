"""Taking a backup of the whole database, and what is known of the last one.

One snapshot is shared by the dump and by the census that says what stands in it, so that work may go
on meanwhile. The file gets its name once it was restored into a scratch database and found equal.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.metadata
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, SourceUnavailable
from core.identity import Actor, May, require, system_actor
from core.progress import Progress, Silent
from core.settings import settings
from geodata import db, dumping
from geodata.backup_file import Sealed, megabytes, read_backup, write_backup
from geodata.backup_keys import Keys, read_keys, write_keys
from geodata.census import Census, differences, take_census
from geodata.erasure import erasures_of, from_log
from geodata.erasure_log import read_log, sync_folder
from geodata.persons import derived_key
from geodata.tables import Backup

NAME = "gridkeeper-{:%Y%m%dT%H%M%SZ}.tar"
KEYS_NAME = "gridkeeper.keys"
READ_KEYS = b"""
    COPY (SELECT subject_id, wrapped_key, created_at, destroyed_at FROM person_key ORDER BY subject_id) TO STDOUT
"""
WRITE_KEYS = b"COPY person_key (subject_id, wrapped_key, created_at, destroyed_at) FROM STDIN"


@dataclass(frozen=True, slots=True)
class TakenBackup:
    """A backup that was taken; see the columns of the table `backup`."""

    at: dt.datetime
    by_label: str
    file_name: str
    bytes: int
    sha256: str
    keys_saved: bool
    verified: bool
    counts: Mapping[str, int]
    last_seq: int
    seconds: float


def last_backup(session: Session) -> TakenBackup | None:
    """Return the newest backup that was verified; None when there is none yet."""
    row = session.scalar(select(Backup).where(Backup.verified).order_by(Backup.at.desc(), Backup.id.desc()).limit(1))
    if row is None:
        return None
    return TakenBackup(**{name: getattr(row, name) for name in TakenBackup.__slots__})


def signing_key() -> bytes:
    """Return the key that signs backup files."""
    return derived_key("backup files")


def keys_key() -> bytes:
    """Return the key that keys files are encrypted with."""
    return derived_key("keys files")


def take_backup(
    target: Path, actor: Actor, *, keys: Path | None = None, progress: Progress | None = None
) -> TakenBackup:
    """Write one verified file with everything but the keys of persons, and note it in the database.

    Parameters
    ----------
    keys
        Where the keys of persons go, encrypted; replaces an older keys file. None leaves them out.

    Raises
    ------
    Conflict
        When the file is there already, or another backup is at work.
    InvalidInput
        When a file cannot be written there.
    SourceUnavailable
        When the backup could not be taken or did not verify; no file is left then.
    """
    require(actor, May.KEEP_RUNNING)
    progress = progress or Silent()
    began = time.monotonic()
    _check_target(target, keys)
    place = dumping.home()
    with dumping.alone(place) as admin, _parts(target, keys) as (raw, part, toc, keys_part):
        census, at, kept_keys = _dump(place, raw, part, progress)
        if kept_keys is not None and keys is not None:
            write_keys(keys_part, kept_keys, keys_key())
            kept_keys = read_keys(keys_part, keys_key())
        progress.step("Reading the file again (MB)", megabytes(raw.stat().st_size))
        raw.unlink()
        sealed = read_backup(part, signing_key(), progress.advance)
        _verify(place, admin, sealed, toc=toc, keys=kept_keys if keys is not None else None, progress=progress)
        if keys is not None:
            keys_part.rename(keys)
            sync_folder(keys.parent)
        part.rename(target)
        sync_folder(target.parent)
    taken = TakenBackup(
        at=at,
        by_label=actor.label,
        file_name=target.name,
        bytes=sealed.size,
        sha256=sealed.sha256,
        keys_saved=keys is not None,
        verified=True,
        counts=census.counts,
        last_seq=census.last_seq,
        seconds=round(time.monotonic() - began, 1),
    )
    if "backup" not in census.tables:
        return taken  # a schema of before, backed up by a newer program
    with db.transaction(system_actor(label=actor.label), purpose="backup") as session:
        session.add(Backup(**{name: getattr(taken, name) for name in TakenBackup.__slots__}))
    return taken


def _check_target(target: Path, keys: Path | None) -> None:
    for path in filter(None, (target, keys)):
        if not path.parent.is_dir():
            raise InvalidInput(f"There is no folder {path.parent}.", hint="Make it first.")
    if target.exists():
        raise Conflict(f"{target} is there already.", hint="Give another name; no backup is written over.")
    if keys is not None and keys.resolve() == target.resolve():
        raise InvalidInput("The keys of persons need a file of their own.")
    if keys is not None and keys.exists():
        read_keys(keys, keys_key())  # what is not ours is not written over


@contextlib.contextmanager
def _parts(target: Path, keys: Path | None) -> Iterator[tuple[Path, Path, Path, Path]]:
    """Yield the names of what is unfinished; nothing of it is left at the end."""
    made = tuple(target.with_name(f"{target.name}.{end}") for end in ("dump.part", "part", "toc.part"))
    keys_part = (keys or target).with_name(f"{(keys or target).name}.keys.part")
    try:
        for path in (*made, keys_part):
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
    except OSError as error:
        raise InvalidInput(f"No file can be written to {target.parent}: {error.strerror}.") from error
    try:
        yield made[0], made[1], made[2], keys_part
    except OSError as error:
        raise SourceUnavailable(
            f"The backup cannot be written: {error.strerror}.", hint="Make room, or give another folder."
        ) from error
    finally:
        for path in (*made, keys_part):
            path.unlink(missing_ok=True)


def _dump(place: dumping.Home, raw: Path, part: Path, progress: Progress) -> tuple[Census, dt.datetime, Keys | None]:
    """Write the file from one snapshot, and return what stands in it."""
    with psycopg.connect(place.owner) as reader:
        reader.isolation_level, reader.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        row = reader.execute("SELECT pg_export_snapshot(), now(), current_setting('server_version')").fetchone()
        if row is None:
            raise SourceUnavailable("The database gives no snapshot.")
        snapshot, at, server = row
        program = dumping.find_program("pg_dump", dumping.server_version(reader))
        progress.step("Dumping, and counting what is dumped")
        with dumping.dump(place, program, snapshot, raw) as running:
            census = take_census(reader, progress)
            if census is None:
                raise Conflict("The database was never prepared; there is nothing to back up.")
            _refuse_damage(census)
            postgis = reader.execute("SELECT extversion FROM pg_extension WHERE extname = 'postgis'").fetchone()
            territories = [name for (name,) in reader.execute("SELECT name FROM territory ORDER BY id")]
            kept_keys = _keys(reader, at, census)
            running.wait(progress)
    manifest = {
        "made_at": at.isoformat(),
        "gridkeeper": importlib.metadata.version("gridkeeper"),
        "postgresql": server,
        "postgis": postgis[0] if postgis else None,
        "territories": territories,
        "apart": list(dumping.APART),
        "census": census.as_dict(),
    }
    progress.step("Writing the file (MB)", megabytes(raw.stat().st_size))
    write_backup(part, manifest, raw, signing_key(), progress.advance)
    return census, at, kept_keys


def _refuse_damage(census: Census) -> None:
    if census.bad_seq is not None:
        raise SourceUnavailable(
            f"Row {census.bad_seq} of the record does not fit its hash: the database itself was altered or damaged.",
            hint="Keep the older backups, and find out who changed it before you take another.",
        )


def _keys(reader: psycopg.Connection, at: dt.datetime, census: Census) -> Keys:
    with reader.cursor().copy(READ_KEYS) as copy:
        rows = b"".join(bytes(piece) for piece in copy)
    erased = {**from_log(read_log().values()), **erasures_of(reader)}
    return Keys(at, census.tables["person_key"][0], rows, erased)


def _verify(
    place: dumping.Home, admin: psycopg.Connection, sealed: Sealed, *, toc: Path, keys: Keys | None, progress: Progress
) -> None:
    """Restore the file into a scratch database and compare; raise `SourceUnavailable` where it differs."""
    scratch = place.database + dumping.SCRATCH
    with dumping.new_database(admin, place, scratch):
        unpack(place, admin, scratch, sealed, toc=toc, progress=progress)
        with psycopg.connect(place.owner_of(scratch)) as found:
            if keys is not None:
                load_keys(found, keys)
            wrong = compare(sealed, found, progress, with_keys=keys is not None)
    if wrong:
        raise SourceUnavailable(
            f"The backup does not restore to what was backed up: {'; '.join(wrong[:5])}. No file was kept.",
            hint="Try again; if it happens again, check disk and memory of this machine.",
        )


def unpack(
    place: dumping.Home, admin: psycopg.Connection, name: str, sealed: Sealed, *, toc: Path, progress: Progress
) -> None:
    """Restore a backup file into the new database ``name``."""
    program = dumping.find_program("pg_restore", dumping.server_version(admin))
    dumping.contents(program, sealed.dump(), toc)
    progress.step("Restoring (MB)", megabytes(sealed.dump_bytes))
    dumping.restore_into(place.owner_of(name), program, sealed.dump(), toc, progress)


def load_keys(connection: psycopg.Connection, keys: Keys) -> None:
    """Put the keys of persons into a database that has none."""
    with connection.cursor().copy(WRITE_KEYS) as copy:
        copy.write(keys.rows)


def compare(sealed: Sealed, connection: psycopg.Connection, progress: Progress, *, with_keys: bool) -> list[str]:
    """Return in words where a restored database differs from what the file says stands in it."""
    progress.step("Comparing rows, checksums and the hashes of the record")
    found = take_census(connection, progress)
    return differences(Census.from_dict(sealed.manifest["census"]), found, with_keys=with_keys)


def run_backup(actor: Actor, progress: Progress) -> Mapping[str, Any]:
    """Take the backup of the settings, with the keys file, and remove the oldest; a job's work."""
    chosen = settings()
    folder = chosen.backup_dir or chosen.state_dir / "backups"
    keys_folder = chosen.backup_keys_dir or chosen.state_dir / "backup-keys"
    for path in (folder, keys_folder):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    taken = take_backup(folder / NAME.format(now()), actor, keys=keys_folder / KEYS_NAME, progress=progress)
    gone = sorted(folder.glob("gridkeeper-*.tar"))[: -chosen.backup_keep]
    for old in (*gone, *folder.glob("gridkeeper-*.part")):
        old.unlink()  # parts are of a backup that was killed
    return {"file": taken.file_name, "bytes": taken.bytes, "seconds": taken.seconds, "removed": len(gone)}
