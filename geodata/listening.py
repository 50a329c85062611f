"""Hearing what changes in the database, alone of one's kind: notifications on a connection that holds a lock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import Conflict, SourceUnavailable
from geodata import db

DISPATCH_LOCK = 314_159_266
"""Held by the process that keeps the standing plans."""
_HELD = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


def is_held(session: Session, lock: int) -> bool:
    """Return whether a process holds a lock of this database."""
    return bool(session.execute(_HELD, {"key": lock}).scalar_one())


class Ears:
    """A connection that listens; made by `listening`."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def hear(self, timeout_s: float) -> list[tuple[str, str]]:
        """Return what was announced, channel and words each: at once when something is there, else after a wait.

        Raises
        ------
        SourceUnavailable
            When the connection is lost.
        """
        try:
            heard = [
                (each.channel, each.payload) for each in self._connection.notifies(timeout=timeout_s, stop_after=1)
            ]
            if heard:
                heard += [(each.channel, each.payload) for each in self._connection.notifies(timeout=0.0)]
        except psycopg.OperationalError as error:
            raise SourceUnavailable("The database went away.", hint="It is looked for again.") from error
        return heard


@contextlib.contextmanager
def listening(channels: Sequence[str], lock: int, what: str) -> Iterator[Ears]:
    """Listen to channels while being the only process on this database that holds a lock.

    Raises
    ------
    Conflict
        When another process holds it; ``what`` names the kind.
    SourceUnavailable
        When the database does not answer.
    """
    try:
        connection = psycopg.connect(db.conninfo(), autocommit=True, connect_timeout=db.CONNECT_WITHIN_S)
    except psycopg.OperationalError as error:
        raise SourceUnavailable("The database does not answer.", hint="Start it with `gridkeeper up`.") from error
    with connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [lock]).fetchone()
        if row is None or not row[0]:
            raise Conflict(f"Another {what} process is at work on this database.", hint="Stop it first.")
        for channel in channels:
            connection.execute(f"LISTEN {channel}")  # names of ours alone
        yield Ears(connection)
