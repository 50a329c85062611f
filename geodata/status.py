"""What stands in the database, for the command line: versions, revision, rows by table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, literal_column, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geodata.db import revision
from geodata.migrations import head
from geodata.tables import Base, SizeDay

COUNTED = (
    "territory",
    "area",
    "unit_grid",
    "facility",
    "road",
    "building",
    "incident",
    "task",
    "worker",
    "quarantine",
    "record",
)


@dataclass(frozen=True)
class DatabaseStatus:
    """The state of a database that answers.

    Attributes
    ----------
    postgis, revision
        None where the database was never prepared.
    counts
        Rows of `COUNTED` that the session's actor sees; empty while the schema is not up to date.
    """

    postgresql: str
    postgis: str | None
    revision: str | None
    up_to_date: bool
    counts: Mapping[str, int]


def read_status(session: Session) -> DatabaseStatus:
    """Return versions, schema revision and how many rows stand in the main tables."""
    server = session.execute(text("SHOW server_version")).scalar_one()
    postgis = session.execute(text("SELECT extversion FROM pg_extension WHERE extname = 'postgis'")).scalar()
    found = revision(session)
    counts: dict[str, int] = {}
    if found == head():
        sums = [
            select(func.count(literal_column("*"))).select_from(Base.metadata.tables[name]).scalar_subquery()
            for name in COUNTED
        ]
        counts = dict(zip(COUNTED, session.execute(select(*sums)).one(), strict=True))
    return DatabaseStatus(str(server), postgis, found, found == head(), counts)


def measure_size(session: Session, day: dt.date) -> int:
    """Return the size of the database in bytes, and keep it as that of a day."""
    size = int(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    values = {"day": day, "database_bytes": size}
    session.execute(insert(SizeDay).values(values).on_conflict_do_update(index_elements=[SizeDay.day], set_=values))
    return size
