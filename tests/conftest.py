"""Fixtures: a real database per run, a savepoint session per test, the shared data where it lies."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from psycopg import sql
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from core.identity import system_actor
from core.settings import secret_key, settings
from geodata import db, roads
from geodata.embedded import ADMIN, APP, OWNER, Cluster
from geodata.migrations import upgrade
from people import credentials

if TYPE_CHECKING:
    from tests.halves import Halves

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
TEMPLATE = "gk_template"
OWN_HASHER = credentials._hasher
PROXIES = {"http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy"}
"""Of the machine; those that GDAL is given (geodata/__init__.py) stay."""

# What set-up compiled is used: the state folder of a run has nothing yet, and goes away with it.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(os.environ.get("GRIDKEEPER_STATE_DIR", ROOT / ".state")) / "numba"))

# A machine that is busy with other things must not fail a test of what is true.
hypothesis.settings.register_profile("gridkeeper", deadline=None)
hypothesis.settings.load_profile("gridkeeper")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Give files to the processes as they come free, all of tests/browser to one: two browsers at once are too many."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneBrowser(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            scope = super()._split_scope(nodeid)
            return "tests/browser" if "tests/browser/" in scope else scope

    return OneBrowser(config, log)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests that need it skip without it."""
    if not SHARED_DATA.exists():
        pytest.skip("the folder ../shared/data is absent")
    assert any(SHARED_DATA.iterdir()), "../shared/data is there but empty"
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def state_dir() -> Iterator[Path]:
    """A state folder of this run alone; no test reads or writes the user's."""
    folder = Path(tempfile.mkdtemp(prefix="gk-test-"))
    folder.chmod(0o755)
    for name in [n for n in os.environ if n.startswith("GRIDKEEPER_") or n.lower() in PROXIES]:
        del os.environ[name]
    os.environ |= {"GRIDKEEPER_STATE_DIR": str(folder), "GRIDKEEPER_DURABLE": "false", "GRIDKEEPER_DEMO": "true"}
    for cached in (settings, secret_key, db.cluster, db.engine):
        cached.cache_clear()
    yield folder
    subprocess.run(["/bin/sh", "-c", 'rm -rf "$0" &', str(folder)], check=False)  # nobody waits for it


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords are hashed in a millisecond; that the platform's own hasher is slow is a test of its own."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credentials, "_hasher", lambda: quick)
        yield


@pytest.fixture(scope="session")
def cluster(state_dir: Path) -> Iterator[Cluster]:
    """A running private cluster with a migrated template database."""
    made = Cluster(state_dir, durable=False)
    made.up(database=TEMPLATE)
    owner = create_engine(made.url(OWNER, TEMPLATE))
    upgrade(owner)
    owner.dispose()
    yield made
    db.engine.cache_clear()
    made.down()


@pytest.fixture(scope="session")
def fresh_database(cluster: Cluster) -> Callable[[], str]:
    """A maker of databases that are copies of the migrated, empty template; returns the name."""
    made: list[str] = []

    def make(template: str = TEMPLATE) -> str:
        name = f"gk_test_{len(made)}"
        cluster.clone(template, name)
        made.append(name)
        return name

    return make  # the databases go with their cluster


def engine_for(cluster: Cluster, name: str, role: str = APP) -> Engine:
    return create_engine(cluster.url(role, name), pool_size=5, max_overflow=15)


@pytest.fixture(scope="session")
def _session_engine(cluster: Cluster, fresh_database: Callable[[], str]) -> Iterator[Engine]:
    engine = engine_for(cluster, fresh_database())
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _small_city(cluster: Cluster, fresh_database: Callable[[], str]) -> Iterator[tuple[Engine, Halves]]:
    """A database that holds the city of `tests.halves` and nothing else."""
    from tests.halves import make_halves

    engine = engine_for(cluster, fresh_database())
    with Session(engine) as opened, opened.begin():
        db.as_actor(opened, system_actor())
        made = make_halves(opened, "small-city")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    yield engine, made
    engine.dispose()


@pytest.fixture
def small_city(session: Session, _small_city: tuple[Engine, Halves]) -> Halves:
    """The territory, its western and its eastern community, there before the test began; the system acts in it."""
    made = _small_city[1]
    roads._kept.clear()  # kept by territory and newest load, and both are the same for the next test
    db.as_actor(session, system_actor(made[0].id))
    return made


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session as the application's login, acting as the system; everything is rolled back.

    The database is empty, or holds the small city where a test or one of its fixtures asks for `small_city`.
    """
    if "small_city" in request.fixturenames:
        engine: Engine = request.getfixturevalue("_small_city")[0]
    else:
        engine = request.getfixturevalue("_session_engine")
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as opened:
            db.as_actor(opened, system_actor())
            yield opened
        outer.rollback()


@pytest.fixture(scope="module")
def database(cluster: Cluster, fresh_database: Callable[[], str]) -> Iterator[Engine]:
    """A fresh empty database for one module, for committed data; `geodata.db.engine()` points at it."""
    name = fresh_database()
    yield from _as_application_database(cluster, name)
    _drop(cluster, name)


def _drop(cluster: Cluster, name: str) -> None:
    """Remove a database while its thousand files are still known to the kernel; later each costs a look at the disk."""
    with psycopg.connect(cluster.conninfo(ADMIN, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _as_application_database(cluster: Cluster, name: str) -> Iterator[Engine]:
    os.environ["GRIDKEEPER_DATABASE_URL"] = cluster.url(APP, name)
    os.environ["GRIDKEEPER_OWNER_DATABASE_URL"] = cluster.url(OWNER, name)
    settings.cache_clear()
    db.engine.cache_clear()
    try:
        yield db.engine()
    finally:
        db.engine().dispose()
        del os.environ["GRIDKEEPER_DATABASE_URL"], os.environ["GRIDKEEPER_OWNER_DATABASE_URL"]
        settings.cache_clear()
        db.engine.cache_clear()


@pytest.fixture(scope="session")
def demo_template(cluster: Cluster, fresh_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the small demo city of `tests.demo_city`, built once a run."""
    from tests.demo_city import load_tiny_town

    name = fresh_database()
    with contextlib.contextmanager(_as_application_database)(cluster, name):
        load_tiny_town(tmp_path_factory.mktemp("tiny-town"))
    return name


@pytest.fixture(scope="module")
def demo_database(cluster: Cluster, fresh_database: Callable[[str], str], demo_template: str) -> Iterator[Engine]:
    """A copy of the small demo city for one module; `geodata.db.engine()` points at it."""
    name = fresh_database(demo_template)
    yield from _as_application_database(cluster, name)
    _drop(cluster, name)
