"""Schema migrations: run by the owner, short locks, never touching what is not ours."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from core.progress import Progress, Silent

FOLDER = Path(__file__).resolve().parent
_FOREIGN_PREFIXES = ("procrastinate_",)


def config(connection: Connection | None = None) -> Config:
    """Return the Alembic configuration, bound to a connection where one is given."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def upgrade(engine: Engine, progress: Progress | None = None, *, to: str = "head") -> None:
    """Bring the schema to revision ``to``; does nothing when it is there."""
    progress = progress or Silent()
    with engine.connect() as connection:
        have = MigrationContext.configure(connection).get_current_revision()
        if to == "head" and have == head():
            return
        progress.step("Bringing the database schema up to date")
        command.upgrade(config(connection), to)
        connection.commit()


def downgrade(engine: Engine, *, to: str) -> None:
    """Take the schema back to revision ``to``; data of dropped columns is lost."""
    with engine.connect() as connection:
        command.downgrade(config(connection), to)
        connection.commit()


@lru_cache(maxsize=1)
def head() -> str | None:
    """Return the newest revision this code knows; read once, so that it stays that of the program that runs."""
    return ScriptDirectory(str(FOLDER)).get_current_head()


def include_object(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Return whether autogenerate may look at an object.

    A reflected table that our metadata does not know belongs to PostGIS, the job queue or a
    partition; without this rule autogenerate proposes to drop it.
    """
    if kind == "table" and reflected and compare_to is None:
        return False
    if kind == "index" and reflected and compare_to is None:
        return str(name).startswith(("ix_", "uq_")) and not str(thing.table.name).startswith(_FOREIGN_PREFIXES)
    return True
