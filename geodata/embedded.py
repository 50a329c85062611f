"""A private PostgreSQL + PostGIS cluster in the state folder, reached through a Unix socket only."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypedDict

import psycopg
from psycopg import sql

from core.errors import SourceUnavailable
from core.progress import Progress, Silent

DatabaseRole = Literal["gridkeeper_admin", "gridkeeper_owner", "gridkeeper_app"]
ADMIN: Final = "gridkeeper_admin"
OWNER: Final = "gridkeeper_owner"
APP: Final = "gridkeeper_app"
DATABASE = "gridkeeper"
PORT = 5432
SOCKET_PATH_LIMIT = 107
START_TIMEOUT_S = 90.0
INSTALL_HINT = "On Debian run: apt-get install postgresql-postgis (as root), then try again."

_CONFIGURATION = """
listen_addresses = ''
port = {port}
max_connections = 60
shared_buffers = {shared_mib}MB
work_mem = 32MB
maintenance_work_mem = 128MB
effective_cache_size = {cache_mib}MB
random_page_cost = 1.1
jit = off
max_wal_size = 512MB
wal_compression = on
recovery_init_sync_method = syncfs
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
log_timezone = 'UTC'
timezone = 'UTC'
cluster_name = 'gridkeeper'
"""


class _RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ClusterStatus:
    """Whether the cluster answers, and which versions it runs; versions are None when it does not."""

    running: bool
    postgresql: str | None
    postgis: str | None
    folder: Path


def program_folders(wanted: Path | None = None) -> list[Path]:
    """Return the folders where PostgreSQL's programs may lie, the best first.

    These are ``wanted``, the conda prefix, the Python prefix, Debian's, Red Hat's, Homebrew's and
    Postgres.app's places (highest version first), then what ``pg_config`` says.
    """
    places: list[Path] = [wanted] if wanted else []
    if prefix := os.environ.get("CONDA_PREFIX"):
        places.append(Path(prefix) / "bin")
    places.append(Path(sys.prefix) / "bin")
    for pattern in (
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql@*/bin",
        "/usr/local/opt/postgresql@*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ):
        found = sorted(glob.glob(pattern), key=lambda p: [int(n) for n in re.findall(r"\d+", p)], reverse=True)  # noqa: PTH207
        places += [Path(p) for p in found]
    if (tool := shutil.which("pg_config")) is not None:
        places.append(Path(_output(tool, "--bindir")))
    return list(dict.fromkeys(places))


def find_binaries(wanted: Path | None = None) -> Path:
    """Return the folder with ``initdb`` and ``postgres`` of an installation that has PostGIS.

    Looks in `program_folders`.

    Raises
    ------
    SourceUnavailable
        Naming what was found and why it does not do.
    """
    without = []
    for place in program_folders(wanted):
        if not (os.access(place / "initdb", os.F_OK) and os.access(place / "postgres", os.F_OK)):
            continue
        tool_path = place / "pg_config"
        share = Path(_output(str(tool_path), "--sharedir")) if tool_path.exists() else place.parent / "share"
        if any((share / part / "extension/postgis.control").exists() for part in ("", "postgresql")):
            return place
        without.append(str(place))
    why = f"PostgreSQL without PostGIS in {', '.join(without)}." if without else "No PostgreSQL found."
    raise SourceUnavailable(why, hint=INSTALL_HINT)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


class Cluster:
    """The private cluster of one state folder.

    Parameters
    ----------
    state_dir
        Folder of all state; the cluster lives in its subfolder ``pg``. When root runs us and the
        unprivileged server user cannot reach it, a folder under ``/var/lib/gridkeeper`` is used.
    durable
        False makes writes fast and unsafe, for tests only. Fixed when the cluster is made.
    binaries
        Folder with ``initdb``; None searches.
    """

    def __init__(self, state_dir: Path, *, durable: bool = True, binaries: Path | None = None) -> None:
        self.state_dir = state_dir.absolute()
        self.durable = durable
        self._wanted = binaries
        self._owner = _server_user()
        self.folder = self._reachable_folder()
        self.data = self.folder / "data"

    @property
    def log(self) -> Path:
        """Return the server's log file."""
        return self.folder / "postgres.log"

    @property
    def socket_dir(self) -> Path:
        """Return the folder of the socket: that of the running server, else the one it would get."""
        with contextlib.suppress(OSError, IndexError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            if lines[4]:
                return Path(lines[4])
        name = "gk-" + hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        runtime = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
        base = runtime if runtime and os.access(runtime, os.W_OK) else tempfile.gettempdir()
        if len(f"{base}/{name}/.s.PGSQL.{PORT}") > SOCKET_PATH_LIMIT:
            base = "/tmp"  # noqa: S108  (owner and mode are checked below)  # nosec B108
        return Path(base) / name

    def conninfo(self, role: DatabaseRole = APP, database: str = DATABASE) -> str:
        """Return a libpq connection string."""
        return f"host={self.socket_dir} port={PORT} user={role} dbname={database} connect_timeout=10"

    def url(self, role: DatabaseRole = APP, database: str = DATABASE) -> str:
        """Return a SQLAlchemy address."""
        return f"postgresql+psycopg://{role}@/{database}?host={self.socket_dir}&port={PORT}"

    def up(self, progress: Progress | None = None, database: str = DATABASE) -> None:
        """Make the cluster if there is none, start it if it does not answer, and prepare ``database``."""
        progress = progress or Silent()
        with self._locked():
            if not (self.data / "PG_VERSION").exists():
                progress.step("Making a private database cluster")
                self._initialise()
            if not self.answers():
                progress.step("Starting the database")
                self._start()
        self.prepare(database)

    def down(self) -> bool:
        """Stop the server; return False when it was not running."""
        if not self.data.exists():
            return False
        with self._locked():
            if not self.answers() and not (self.data / "postmaster.pid").exists():
                return False
            done = self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop", check=False)
        return done.returncode == 0

    def answers(self) -> bool:
        """Return whether a real connection succeeds; ``pg_ctl status`` lies for a while after a kill -9."""
        try:
            with psycopg.connect(self.conninfo(ADMIN, "postgres")):
                return True
        except psycopg.OperationalError:
            return False

    def status(self) -> ClusterStatus:
        """Return whether the cluster answers and the versions it runs."""
        try:
            with psycopg.connect(self.conninfo(ADMIN, DATABASE)) as connection:
                row = connection.execute(
                    "SELECT current_setting('server_version'),"
                    " (SELECT extversion FROM pg_extension WHERE extname = 'postgis')",
                ).fetchone()
        except psycopg.OperationalError:
            return ClusterStatus(running=self.answers(), postgresql=None, postgis=None, folder=self.folder)
        server, postgis = row or (None, None)
        return ClusterStatus(running=True, postgresql=server, postgis=postgis, folder=self.folder)

    def prepare(self, database: str) -> None:
        """Create the three roles and ``database`` with PostGIS where they are missing."""
        with psycopg.connect(self.conninfo(ADMIN, "postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(718281828)")
            for role in (OWNER, APP):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE").format(
                            sql.Identifier(role),
                        ),
                    )
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
                return
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER)),
            )
            with psycopg.connect(self.conninfo(ADMIN, database), autocommit=True) as inside:
                inside.execute("CREATE EXTENSION IF NOT EXISTS postgis")

    def clone(self, template: str, name: str) -> None:
        """Create database ``name`` as a copy of ``template``, replacing an older one; for tests."""
        with psycopg.connect(self.conninfo(ADMIN, "postgres"), autocommit=True) as connection:
            # copying files is four times as fast as writing each page to the log, which is what 15 began to do
            how = " STRATEGY file_copy" if connection.info.server_version >= 150000 else ""
            create = "CREATE DATABASE {0} TEMPLATE {1} OWNER {2}" + how
            for statement in ("DROP DATABASE IF EXISTS {0} WITH (FORCE)", create):
                connection.execute(
                    sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(template), sql.Identifier(OWNER)),
                )

    def _reachable_folder(self) -> Path:
        wanted = self.state_dir / "pg"
        if os.geteuid() == self._owner.pw_uid:
            return wanted
        for parent in wanted.parents:
            if not parent.exists():
                continue
            mode = parent.stat()
            if mode.st_uid != self._owner.pw_uid and not mode.st_mode & stat.S_IXOTH:
                name = hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:12]
                return Path("/var/lib/gridkeeper") / name / "pg"
        return wanted

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _initialise(self) -> None:
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        speed = [] if self.durable else ["-N"]
        options = ["-U", ADMIN, "-A", "peer", "-E", "UTF8", "--locale=C.UTF-8", "-k", *speed]
        self._run("initdb", "-D", fresh, *options)
        memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
        configuration = _CONFIGURATION.format(
            port=PORT,
            shared_mib=max(64, min(512, memory_mib // 16)),
            cache_mib=max(256, memory_mib // 4),
            durable="on" if self.durable else "off",
        )
        with (fresh / "postgresql.conf").open("a") as file:
            file.write(configuration)
        (fresh / "pg_hba.conf").write_text("local all all peer map=gridkeeper\n")
        people = sorted({pwd.getpwuid(os.geteuid()).pw_name, self._owner.pw_name})
        lines = [f"gridkeeper {person} {role}\n" for person in people for role in (ADMIN, OWNER, APP)]
        (fresh / "pg_ident.conf").write_text("".join(lines))
        fresh.rename(self.data)

    def _start(self) -> None:
        socket_dir = self._own_socket_dir()
        options = f"-c unix_socket_directories={socket_dir} -c unix_socket_permissions=0700"
        # A server killed hard leaves children for a moment; they hold its memory and a start fails.
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            command = ["-D", self.data, "-w", "-t", "60", "-l", self.log, "-o", options, "start"]
            done = self._run("pg_ctl", *command, check=False)
            if self.answers():
                return
            if time.monotonic() > deadline:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) if self.log.exists() else ""
                raise SourceUnavailable(
                    f"The database does not start: {(tail or done.stderr).strip()[-600:]}",
                    hint=f"See {self.log}.",
                )
            time.sleep(0.5)

    def _own_socket_dir(self) -> Path:
        folder = self.socket_dir
        folder.mkdir(mode=0o700, exist_ok=True)
        entry = folder.lstat()
        if not stat.S_ISDIR(entry.st_mode) or entry.st_uid not in {os.geteuid(), self._owner.pw_uid}:
            raise SourceUnavailable(f"{folder} belongs to somebody else.", hint="Remove it or ask its owner to.")
        if os.geteuid() == 0:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        return folder

    def _run(self, tool: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        run_as: _RunAs = {}
        if os.geteuid() != self._owner.pw_uid:
            run_as = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        done = subprocess.run(  # noqa: S603
            [str(find_binaries(self._wanted) / tool), *map(str, arguments)],
            env=environment | {"LC_ALL": "C.UTF-8", "HOME": "/"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            **run_as,
        )
        if check and done.returncode:
            raise SourceUnavailable(f"{tool} failed: {(done.stderr or done.stdout).strip()[-600:]}", hint=INSTALL_HINT)
        return done


def _server_user() -> pwd.struct_passwd:
    """Return the user the server runs as: ourselves, or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise SourceUnavailable("PostgreSQL cannot run as root and there is no user postgres or nobody.")
