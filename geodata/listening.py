"""Hearing what changes in the database, alone of one's kind: on a connection that holds a lock.

Incidents and tasks are heard of by looking at the record (`geodata.changes`), the rest is announced.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import Conflict, SourceUnavailable
from geodata import changes, db

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
    """A connection that listens, and one that looks; made by `listening`."""

    def __init__(self, connection: psycopg.Connection, looking: psycopg.Connection) -> None:
        self._connection = connection
        self._looking = looking
        self._changes = changes.Changes()

    def hear(self, timeout_s: float) -> list[tuple[str, str]]:
        """Return what changed, channel and words each: within `changes.LOOK_S`, or nothing after a wait.

        Without a channel it was found in the record.

        Raises
        ------
        SourceUnavailable
            When a connection is lost.
        """
        end = time.monotonic() + timeout_s
        try:
            while True:
                wait_s = max(0.0, min(changes.LOOK_S, end - time.monotonic()))
                heard = [
                    (each.channel, each.payload) for each in self._connection.notifies(timeout=wait_s, stop_after=1)
                ]
                if heard:
                    heard += [(each.channel, each.payload) for each in self._connection.notifies(timeout=0.0)]
                row = self._looking.execute(changes.SQL, self._changes.asked).fetchone()
                heard += [("", each) for each in self._changes.learn(row[0] if row else {})]
                if heard or time.monotonic() >= end:
                    return heard
        except psycopg.OperationalError as error:
            raise SourceUnavailable("The database went away.", hint="It is looked for again.") from error


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
        connection, looking = (
            psycopg.connect(db.conninfo(), autocommit=True, connect_timeout=db.CONNECT_WITHIN_S) for _ in range(2)
        )
    except psycopg.OperationalError as error:
        raise SourceUnavailable("The database does not answer.", hint="Start it with `gridkeeper up`.") from error
    with connection, looking:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [lock]).fetchone()
        if row is None or not row[0]:
            raise Conflict(f"Another {what} process is at work on this database.", hint="Stop it first.")
        for channel in channels:
            connection.execute(f"LISTEN {channel}")  # names of ours alone
        yield Ears(connection, looking)
