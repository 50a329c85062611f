"""The engine, the transaction with its actor, and bringing the database up to date."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache

import psycopg
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from core.errors import GridkeeperError, InvalidInput, SourceUnavailable
from core.identity import Actor, Role
from core.progress import Progress, Silent
from core.settings import settings
from geodata import changes
from geodata.embedded import APP, OWNER, Cluster

CONNECT_WITHIN_S = 10
FAULTS = (GridkeeperError, SQLAlchemyError)
"""What a transaction may end with that is no fault of the program: refused, in conflict, a deadlock, lost."""
_SCOPE = (
    ("territory", "gridkeeper.territory"),
    ("user", "gridkeeper.user"),
    ("role", "gridkeeper.role"),
    ("label", "gridkeeper.label"),
    ("areas", "gridkeeper.areas"),
    ("units", "gridkeeper.units"),
    ("worker", "gridkeeper.worker"),
    ("purpose", "gridkeeper.purpose"),
    ("command", "gridkeeper.command"),
)
SCOPE_SQL = "SELECT " + ", ".join(f"set_config('{name}', %({key})s, true)" for key, name in _SCOPE)
"""Sets the actor's scope until the end of the transaction; psycopg parameters from `scope_parameters`."""


def scope_parameters(actor: Actor, *, purpose: str = "", command_id: str | None = None) -> dict[str, str]:
    """Return the parameters of `SCOPE_SQL` for an actor; the empty string means none."""
    return {
        "territory": "" if actor.territory_id is None else str(actor.territory_id),
        "user": "" if actor.user_id is None else str(actor.user_id),
        "role": actor.role.value,
        "label": actor.label,
        "areas": "{" + ",".join(map(str, actor.area_ids)) + "}",
        "units": "{" + ",".join(map(str, actor.unit_ids)) + "}",
        "worker": "" if actor.worker_id is None else str(actor.worker_id),
        "purpose": purpose,
        "command": command_id or "",
    }


@lru_cache(maxsize=1)
def cluster() -> Cluster:
    """Return the embedded cluster of this process's state folder."""
    chosen = settings()
    return Cluster(chosen.state_dir, durable=chosen.durable, binaries=chosen.postgres_bin)


def url(*, owner: bool = False) -> str:
    """Return the SQLAlchemy address for the application's login, or for the owner who migrates."""
    given = settings().owner_database_url if owner else settings().database_url
    if given is not None:
        return given.get_secret_value().replace("postgresql://", "postgresql+psycopg://", 1)
    return cluster().url(OWNER if owner else APP)


def conninfo() -> str:
    """Return the libpq connection string of the application's login, for async pools and listeners."""
    given = settings().database_url
    if given is not None:
        return given.get_secret_value().replace("postgresql+psycopg://", "postgresql://", 1)
    return cluster().conninfo(APP)


@lru_cache(maxsize=1)
def engine() -> Engine:
    """Return the engine of the application's login (no superuser, owns nothing)."""
    return create_engine(
        url(),
        pool_size=5,
        max_overflow=15,
        pool_pre_ping=True,
        hide_parameters=True,  # a failing statement is logged without what was typed into it
        connect_args={"options": "-c jit=off", "connect_timeout": CONNECT_WITHIN_S},
    )


def owner_engine() -> Engine:
    """Return a fresh engine of the owner; for migrations only."""
    return create_engine(url(owner=True), pool_size=1)


def as_actor(session: Session | Connection, actor: Actor, *, purpose: str = "", command_id: str | None = None) -> None:
    """Set role, territory, areas and units of ``actor`` for the rest of the transaction."""
    driver = session.connection() if isinstance(session, Session) else session
    driver.exec_driver_sql(SCOPE_SQL, scope_parameters(actor, purpose=purpose, command_id=command_id))


def name_act(session: Session, *, purpose: str, command_id: str | None) -> None:
    """Let what the transaction changes from here on stand in the record under ``purpose`` and command."""
    session.connection().exec_driver_sql(
        "SELECT set_config('gridkeeper.purpose', %(purpose)s, true), set_config('gridkeeper.command', %(id)s, true)",
        {"purpose": purpose, "id": command_id or ""},
    )


@contextlib.contextmanager
def system_rights(session: Session, actor: Actor) -> Iterator[None]:
    """Let what stands inside be done with the system's rights, still in the name of ``actor``.

    For a step that a use case has allowed and no role may do by itself, such as adding the shipped
    catalogue. An error inside ends the transaction, and the rights with it.
    """
    role = "SELECT set_config('gridkeeper.role', %(role)s, true)"
    session.flush()
    session.connection().exec_driver_sql(role, {"role": Role.SYSTEM.value})
    yield
    session.flush()
    session.connection().exec_driver_sql(role, {"role": actor.role.value})


@contextlib.contextmanager
def own_rights(session: Session, actor: Actor) -> Iterator[None]:
    """Let what stands inside `system_rights` be read with the actor's own rights again."""
    role = "SELECT set_config('gridkeeper.role', %(role)s, true)"
    session.flush()
    session.connection().exec_driver_sql(role, {"role": actor.role.value})
    yield
    session.flush()
    session.connection().exec_driver_sql(role, {"role": Role.SYSTEM.value})


@contextlib.contextmanager
def transaction(actor: Actor, *, purpose: str = "", command_id: str | None = None) -> Iterator[Session]:
    """Open a session in which ``actor`` acts; commits at the end, rolls back on any error.

    Opened by a page, a route, a command or a job only; services add and flush.

    Raises
    ------
    SourceUnavailable
        When the database does not answer.
    InvalidInput
        When a text holds a sign that no text of the database holds.
    """
    try:
        with Session(engine(), expire_on_commit=False) as session:
            as_actor(session, actor, purpose=purpose, command_id=command_id)
            yield session
            session.commit()
        changes.committed()
    except (UnicodeEncodeError, DataError, psycopg.DataError) as error:
        if not isinstance(error, UnicodeEncodeError) and "NUL" not in str(error):
            raise
        raise InvalidInput(
            "A text holds a sign that cannot be kept.",
            hint="Type it again instead of pasting it.",
            zh="文字中含有无法保存的字符，请重新输入，不要粘贴。",
        ) from error
    except (OperationalError, psycopg.OperationalError) as error:
        if not _is_gone(error):
            raise
        raise SourceUnavailable(
            "The database does not answer; nothing of this act was kept.",
            hint="Start it with `gridkeeper up`, or check GRIDKEEPER_DATABASE_URL, then try again.",
        ) from error


def _is_gone(error: OperationalError | psycopg.OperationalError) -> bool:
    """Return whether the connection was refused or lost, and not merely a statement (deadlock, time-out)."""
    driver = error.orig if isinstance(error, OperationalError) else error
    state = getattr(driver, "sqlstate", None)
    return state is None or state.startswith(("08", "57P"))


def ensure_database(progress: Progress | None = None) -> None:
    """Start the embedded database where one is used, and bring the schema up to date."""
    from geodata.migrations import upgrade

    progress = progress or Silent()
    if settings().database_url is None:
        cluster().up(progress)
    engine_ = owner_engine()
    try:
        upgrade(engine_, progress)
    except OperationalError as error:
        raise SourceUnavailable(
            f"The database does not answer: {str(error.orig).strip()}.",
            hint="Check GRIDKEEPER_OWNER_DATABASE_URL.",
        ) from error
    finally:
        engine_.dispose()


def revision(session: Session) -> str | None:
    """Return the schema revision of the database; None when it was never migrated."""
    if session.execute(text("SELECT to_regclass('public.alembic_version')")).scalar() is None:
        return None
    return session.execute(text("SELECT version_num FROM alembic_version")).scalar()
