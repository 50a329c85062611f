"""PostgreSQL's own programs and scratch databases: what backup and restore are made of."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import Conflict, SourceUnavailable
from core.progress import Progress
from core.settings import settings
from geodata import db
from geodata.embedded import ADMIN, DATABASE, OWNER, program_folders

APART: Final = ("person_key", "spatial_ref_sys")
"""Tables whose rows are not dumped: the keys of persons, and what belongs to PostGIS."""
SCRATCH: Final = "__scratch"
NEW: Final = "__restoring"
OLD: Final = "__before_restore"
LEFT_OVER: Final = (SCRATCH, NEW, OLD)
"""Ends of the names of databases that only a backup or restore that was killed leaves."""
_LOCK = 141421356
_WAIT_S = 0.2
_QUIET = "-c synchronous_commit=off -c maintenance_work_mem=256MB -c jit=off -c statement_timeout=0 -c lock_timeout=0"
_LEFT_OUT = re.compile(r"^\d+; \d+ \d+ (EXTENSION - postgis\b|COMMENT - EXTENSION )")
_CONTENTS_PIECES = 8


@dataclass(frozen=True)
class Home:
    """Where the database lives, and as whom it is read whole and made anew.

    Attributes
    ----------
    owner
        Connection string of who owns the tables; row-level security does not filter him.
    admin
        Connection string of who may make databases, to a database that is not the city's.
    """

    database: str
    owner: str
    admin: str

    def owner_of(self, database: str) -> str:
        """Return the owner's connection string for another database of the same server."""
        return make_conninfo(self.owner, dbname=database)

    def admin_of(self, database: str) -> str:
        """Return the administrator's connection string for another database of the same server."""
        return make_conninfo(self.admin, dbname=database)

    @property
    def owner_name(self) -> str:
        """Return the name of the role that owns the tables."""
        return str(conninfo_to_dict(self.owner)["user"])


def home() -> Home:
    """Return where the database of these settings lives; starts the embedded one.

    Raises
    ------
    SourceUnavailable
        When a server is set without its owner.
    """
    chosen = settings()
    if chosen.database_url is None:
        cluster = db.cluster()
        cluster.up()
        return Home(DATABASE, cluster.conninfo(OWNER), cluster.conninfo(ADMIN, "postgres"))
    if chosen.owner_database_url is None:
        raise SourceUnavailable(
            "The application's login does not see every row, so it cannot take a backup.",
            hint="Set GRIDKEEPER_OWNER_DATABASE_URL to the owner of the tables.",
        )
    owner = _plain(chosen.owner_database_url.get_secret_value())
    database = str(conninfo_to_dict(owner)["dbname"])
    admin = owner if chosen.admin_database_url is None else _plain(chosen.admin_database_url.get_secret_value())
    if conninfo_to_dict(admin).get("dbname", database) == database:
        admin = make_conninfo(admin, dbname="postgres")
    return Home(database, owner, admin)


def _plain(url: str) -> str:
    return make_conninfo(url.replace("postgresql+psycopg://", "postgresql://", 1))


def server_version(connection: psycopg.Connection) -> int:
    """Return the major version of the server."""
    return connection.info.server_version // 10_000


def find_program(name: str, at_least: int) -> Path:
    """Return ``pg_dump`` or ``pg_restore`` of a version that fits the server.

    Raises
    ------
    SourceUnavailable
        Naming the versions that were found.
    """
    found = []
    for folder in [*program_folders(settings().postgres_bin), *map(Path, os.get_exec_path())]:
        program = folder / name
        if not os.access(program, os.X_OK):
            continue
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        major = re.search(r"\d+", told)
        if major is None:
            continue
        if int(major[0]) >= at_least:
            return program
        found.append(major[0])
    has = f"the newest found is {max(found, key=int)}" if found else "none was found"
    raise SourceUnavailable(
        f"The server runs PostgreSQL {at_least} and needs a {name} at least as new; {has}.",
        hint=f"Install postgresql-client-{at_least}, or set GRIDKEEPER_POSTGRES_BIN to the folder it lies in.",
    )


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Let what the database refuses be a sentence."""
    try:
        yield
    except psycopg.Error as error:
        said = str(error).strip().split("\n", maxsplit=1)[0]
        raise SourceUnavailable(
            f"The database does not do it: {said}",
            hint="Nothing was changed. Check that it runs, has room, and GRIDKEEPER_OWNER_DATABASE_URL and"
            " GRIDKEEPER_ADMIN_DATABASE_URL.",
        ) from error


@contextlib.contextmanager
def alone(place: Home) -> Iterator[psycopg.Connection]:
    """Be the only backup or restore of this database; yields the administrator's connection.

    What one that was killed left behind is removed.

    Raises
    ------
    Conflict
        When another is at work.
    SourceUnavailable
        When the database does not answer, or refuses.
    """
    with in_words(), psycopg.connect(place.admin, autocommit=True) as admin:
        row = admin.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_LOCK, place.database]).fetchone()
        if row is None or not row[0]:
            raise Conflict("Another backup or restore is at work.", hint="Wait until it has ended.")
        try:
            for end in LEFT_OVER:
                drop_database(admin, place.database + end)
            yield admin
        finally:  # the server would notice a closed connection a little later
            with contextlib.suppress(psycopg.OperationalError):
                admin.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [_LOCK, place.database])


@contextlib.contextmanager
def new_database(admin: psycopg.Connection, place: Home, name: str) -> Iterator[None]:
    """Make an empty database, and remove it at the end if it still has that name."""
    make_database(admin, place, name)
    try:
        yield
    finally:
        with contextlib.suppress(psycopg.OperationalError):
            drop_database(admin, name)


def make_database(admin: psycopg.Connection, place: Home, name: str) -> None:
    """Make an empty database with PostGIS that belongs to the owner; an older one of that name goes.

    Raises
    ------
    SourceUnavailable
        When the administrator may not.
    """
    drop_database(admin, name)
    like = admin.execute(
        "SELECT datcollate, datctype FROM pg_database WHERE datname IN (%s, 'template1') ORDER BY datname = %s DESC",
        [place.database, place.database],
    ).fetchone()
    if like is None:
        raise SourceUnavailable("The server has no template1 to make a database from.")
    try:
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE {} LC_CTYPE {}").format(
                sql.Identifier(name), sql.Identifier(place.owner_name), *map(sql.Literal, like)
            )
        )
        with psycopg.connect(place.admin_of(name), autocommit=True) as inside:
            inside.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    except psycopg.errors.InsufficientPrivilege as error:
        drop_database(admin, name)
        raise SourceUnavailable(
            f"A database to restore into cannot be made: {str(error).strip()}.",
            hint="Set GRIDKEEPER_ADMIN_DATABASE_URL to a login that may make databases and the extension postgis.",
        ) from error


def drop_database(admin: psycopg.Connection, name: str) -> None:
    """Remove a database that nobody needs; nothing happens when it is not there."""
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def dump(place: Home, program: Path, snapshot: str, target: Path) -> Dumping:
    """Begin to dump what a snapshot shows into a file, and return the running program."""
    command: list[str | Path] = [
        program,
        "--format=custom",
        "--compress=3",
        f"--snapshot={snapshot}",
        "--no-owner",
        "--no-publications",
        "--no-subscriptions",
        "--no-tablespaces",
        "--lock-wait-timeout=60s",
        "--encoding=UTF8",
        *(f"--exclude-table-data=public.{table}" for table in APART),
        f"--file={target}",
    ]
    return Dumping(command, place.owner)


class Dumping:
    """A program of PostgreSQL at work; leaving the context stops it."""

    def __init__(self, command: Sequence[str | Path], conninfo: str, *, feed: bool = False) -> None:
        parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
        password = parts.pop("password", None)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment |= {"LC_ALL": "C.UTF-8", "PGOPTIONS": _QUIET, "PGAPPNAME": "gridkeeper backup"}
        if password is not None:
            environment["PGPASSWORD"] = password
        self.name = Path(command[0]).name
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the program)
        self.process = subprocess.Popen(  # noqa: S603
            [*command, f"--dbname={make_conninfo('', **parts)}"],
            env=environment,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self._said.close()

    def feed(self, pieces: Iterator[bytes], progress: Progress) -> None:
        """Give the program its input; it may end before it has taken all."""
        source = self.process.stdin
        if source is None:
            return
        with contextlib.suppress(BrokenPipeError):
            for piece in pieces:
                source.write(piece)
                progress.advance()
            source.close()

    def wait(self, progress: Progress) -> None:
        """Wait for the end; raise `SourceUnavailable` with what the program said when it failed."""
        while self.process.poll() is None:
            progress.advance(0)
            time.sleep(_WAIT_S)
        if self.process.returncode:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip()
            raise SourceUnavailable(f"{self.name} failed: {said[-600:]}", hint="Nothing was changed.")


def restore_into(conninfo: str, program: Path, pieces: Iterator[bytes], toc: Path, progress: Progress) -> None:
    """Restore a dump into the database of a connection string, which is empty but for PostGIS.

    Parameters
    ----------
    toc
        The table of contents that `contents` wrote.
    """
    command: list[str | Path] = [program, "--exit-on-error", "--no-owner", f"--use-list={toc}"]
    with Dumping(command, conninfo, feed=True) as running:
        running.feed(pieces, progress)
        running.wait(progress)


def contents(program: Path, pieces: Iterator[bytes], target: Path) -> None:
    """Write the table of contents of a dump to a file, without what is the server's own to make.

    Raises
    ------
    SourceUnavailable
        When the program cannot read the dump.
    """
    with subprocess.Popen(  # noqa: S603
        [program, "--list"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        # The contents stand at the head; the program ends before it has taken all.
        told, said = running.communicate(b"".join(itertools.islice(pieces, _CONTENTS_PIECES)))
    if running.returncode:
        raise SourceUnavailable(f"{program.name} cannot read the dump: {said.decode(errors='replace').strip()[-400:]}")
    lines = [line for line in told.decode().splitlines() if not _LEFT_OUT.search(line)]
    target.write_text("\n".join(lines) + "\n")
