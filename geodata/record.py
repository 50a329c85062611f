"""Reading the record: the history of an object, and the hash that anyone can recompute."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geodata.tables import LoadRow, Record

BAD_LOADS = """
    WITH kept AS (
        SELECT record_seq, count(*) AS n,
               encode(sha256(string_agg(sha256(convert_to(jsonb_build_array(before, after)::text, 'UTF8')),
                      ''::bytea ORDER BY row_no)), 'hex') AS digest
        FROM load_row GROUP BY record_seq
    )
    SELECT min(r.seq) FROM record r LEFT JOIN kept k ON k.record_seq = r.seq
    WHERE r.action LIKE 'bulk%'
      AND ((r.after ->> 'sha256') IS DISTINCT FROM k.digest
           OR (r.after ->> 'rows')::bigint IS DISTINCT FROM k.n)
"""
"""Finds the first bulk load whose rows do not fit its hash."""
BAD_ROWS = (
    "SELECT min(seq) FROM record WHERE row_hash IS DISTINCT FROM sha256(convert_to(gk_record_text(record), 'UTF8'))"
)
"""Finds the first row that does not fit its hash, by the database's own reckoning."""


@dataclass(frozen=True)
class RecordEntry:
    """One act on one object.

    Attributes
    ----------
    changes
        Column to (before, after) of every column that changed; for an insert before is None.
    """

    seq: int
    at: dt.datetime
    actor_label: str
    actor_role: str
    action: str
    purpose: str
    changes: Mapping[str, tuple[Any, Any]]
    table: str


def history(session: Session, table: str, subject_id: int | str) -> list[RecordEntry]:
    """Return what happened to one row, oldest first; rows of bulk loads are found through their load."""
    subject = str(subject_id)
    columns = (Record.seq, Record.at, Record.actor_label, Record.actor_role, Record.action, Record.purpose)
    single = select(*columns, Record.before, Record.after).where(
        Record.subject_table == table, Record.subject_id == subject
    )
    bulk = (
        select(*columns, LoadRow.before, LoadRow.after)
        .join(LoadRow, LoadRow.record_seq == Record.seq)
        .where(LoadRow.subject_id == subject, Record.subject_table == table)
    )
    rows = session.execute(single.union_all(bulk)).all()
    return sorted(
        (
            RecordEntry(seq, at, label, role, action.removeprefix("bulk_"), purpose, _changes(before, after), table)
            for seq, at, label, role, action, purpose, before, after in rows
        ),
        key=lambda entry: entry.seq,
    )


def note_event(session: Session, event: str, table: str, subject_id: int | str, detail: Mapping[str, Any]) -> None:
    """Record an act that changes no row, such as a login or the reading of a reporter's identity."""
    session.execute(
        select(func.gk_record_event(event, table, str(subject_id), text("CAST(:detail AS jsonb)"))),
        {"detail": json.dumps(dict(detail), ensure_ascii=False)},
    )


def row_digest(columns_as_json: str) -> bytes:
    """Return the hash a record row must carry.

    Parameters
    ----------
    columns_as_json
        The row's columns as PostgreSQL writes them in one jsonb array (``gk_record_text``).
    """
    return hashlib.sha256(columns_as_json.encode()).digest()


def first_bad(session: Session) -> int | None:
    """Return the sequence number of the first row whose hash does not fit; None when all fit.

    The hashes of bulk loads are checked against their rows too.
    """
    rows = session.execute(text("SELECT seq, gk_record_text(record), row_hash FROM record ORDER BY seq"))
    for seq, columns_as_json, row_hash in rows.yield_per(5000):
        if row_digest(columns_as_json) != bytes(row_hash):
            return int(seq)
    return session.execute(text(BAD_LOADS)).scalar()


def _changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, tuple[Any, Any]]:
    old, new = before or {}, after or {}
    names = [*new, *(name for name in old if name not in new)]
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}
