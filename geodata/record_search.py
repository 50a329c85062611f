"""Searching the record: newest first, in pages that are found by sequence number, however long it is.

A page is looked for in stretches of sequence numbers, from the newest back. What is rare is found
through an index; what fits nothing ends after a moment with the place up to which was looked, so no
search holds anybody up.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.identity import Actor, May, require
from geodata.tables import LoadRow, Record, RecordBatch, UnitGrid

BUDGET_S = 0.1
"""After so long a search stops at the end of the stretch it is in."""
FIRST_STRETCH = 20_000
SLACK = dt.timedelta(hours=1)
"""Rows stand in the order of their numbers; one of a long load, or after a set-back clock, may be off by less."""
CHOICES_MOST = 500
_CHOICES = """
    WITH RECURSIVE found AS (
        (SELECT {column} AS one FROM record ORDER BY {column} LIMIT 1)
        UNION ALL
        SELECT (SELECT {column} FROM record WHERE {column} > found.one ORDER BY {column} LIMIT 1)
        FROM found WHERE found.one IS NOT NULL
    )
    SELECT one FROM found WHERE one IS NOT NULL LIMIT :most
"""
"""Jumps from value to value in the index instead of reading all rows."""
_HALVING = """
    WITH RECURSIVE halving (low, high) AS (
        SELECT CAST(:low AS bigint), CAST(:high AS bigint)
        UNION ALL
        SELECT CASE WHEN found.at < :moment THEN found.seq + 1 ELSE low END,
               CASE WHEN found.at < :moment THEN high ELSE (low + high) / 2 END
        FROM halving LEFT JOIN LATERAL (
            SELECT seq, at FROM record WHERE seq >= (low + high) / 2 ORDER BY seq LIMIT 1
        ) AS found ON true
        WHERE low < high
    )
    SELECT low FROM halving WHERE low >= high
"""
"""Finds the first row that is not before a moment, in one question."""


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """What to look for; empty fields narrow nothing.

    Attributes
    ----------
    subject_id
        With ``table``: the object, also where it came with a load of many.
    since, until
        Of the act: from ``since`` on, before ``until``.
    seqs
        These rows alone.
    """

    actor: str = ""
    role: str = ""
    action: str = ""
    table: str = ""
    subject_id: str = ""
    grid_id: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    seqs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One row of the record without what it changed.

    Attributes
    ----------
    head_size, sealed_at
        Of the head it was sealed under; None while it waits.
    """

    seq: int
    at: dt.datetime
    actor_label: str
    actor_role: str
    action: str
    table: str
    subject_id: str | None
    grid_id: int | None
    purpose: str
    head_size: int | None
    sealed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page of the record, newest first.

    Attributes
    ----------
    after
        Where the next page begins: pass it as ``before``; None when nothing is left to look through.
    unfinished
        Whether the search stopped before it had filled the page.
    """

    rows: tuple[RecordRow, ...]
    after: int | None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class RecordAct:
    """One row of the record with all that it holds."""

    row: RecordRow
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    command_id: str | None
    load_id: int | None
    row_hash: bytes


_COLUMNS = (
    Record.seq,
    Record.at,
    Record.actor_label,
    Record.actor_role,
    Record.action,
    Record.subject_table,
    Record.subject_id,
    Record.grid_id,
    Record.purpose,
    RecordBatch.tree_size,
    RecordBatch.sealed_at,
)


def search(
    session: Session,
    actor: Actor,
    wanted: RecordFilter,
    *,
    before: int | None = None,
    limit: int = 50,
    budget_s: float = BUDGET_S,
) -> RecordPage:
    """Return a page of what fits, newest first, with sequence numbers below ``before`` when given.

    Raises
    ------
    NotPermitted
        For roles that may not read the record.
    """
    require(actor, May.SEE_RECORD)
    low, high = _bounds(session, wanted)
    if before is not None:
        high = min(high, before)
    query = _query(session, wanted)
    rows: list[RecordRow] = []
    stretch, begun = FIRST_STRETCH, time.monotonic()
    while high > low:
        bottom = max(low, high - stretch)
        asked = query.where(Record.seq >= bottom, Record.seq < high).limit(limit + 1 - len(rows))
        since = time.monotonic()
        rows += [RecordRow(*row) for row in session.execute(asked)]
        if len(rows) > limit:
            return RecordPage(tuple(rows[:limit]), rows[limit - 1].seq)
        high = bottom
        if time.monotonic() - begun > budget_s:
            return RecordPage(tuple(rows), high if high > low else None, unfinished=high > low)
        if time.monotonic() - since < budget_s / 8:
            stretch *= 4
    return RecordPage(tuple(rows), None)


def act(session: Session, actor: Actor, seq: int) -> RecordAct:
    """Return one row with before and after.

    Raises
    ------
    NotFound
        When there is none within reach.
    """
    require(actor, May.SEE_RECORD)
    rest = (Record.before, Record.after, Record.command_id, Record.load_id, Record.row_hash)
    found = session.execute(_joined(select(*_COLUMNS, *rest)).where(Record.seq == seq)).one_or_none()
    if found is None:
        raise NotFound(f"There is no row {seq} in the record.", zh=f"操作记录中没有第 {seq} 行。")
    *values, before, after, command_id, load_id, row_hash = found
    return RecordAct(RecordRow(*values), before, after, command_id, load_id, bytes(row_hash))


def choices(session: Session, actor: Actor, column: str) -> list[str]:
    """Return the values that occur in ``actor_label``, ``action`` or ``subject_table``, in order."""
    require(actor, May.SEE_RECORD)
    if column not in {"actor_label", "action", "subject_table"}:
        raise ValueError(column)
    return list(session.scalars(text(_CHOICES.format(column=column)), {"most": CHOICES_MOST}))


def grid_named(session: Session, actor: Actor, code: str) -> int:
    """Return the id of the newest unit grid with a code.

    Raises
    ------
    NotFound
        When there is none in the actor's territory.
    """
    require(actor, May.SEE_RECORD)
    same = (UnitGrid.territory_id == actor.territory_id, UnitGrid.code == code)
    found = session.scalars(select(UnitGrid.id).where(*same).order_by(UnitGrid.id.desc()).limit(1)).one_or_none()
    if found is None:
        raise NotFound(f"There is no unit grid {code} here.", zh=f"没有编码为 {code} 的单元网格。")
    return found


def _joined(query: Any) -> Any:
    return query.outerjoin(RecordBatch, RecordBatch.id == Record.batch_id)


def _query(session: Session, wanted: RecordFilter) -> Any:
    return _joined(select(*_COLUMNS)).where(and_(True, *_conditions(session, wanted))).order_by(Record.seq.desc())


def _conditions(session: Session, wanted: RecordFilter) -> list[ColumnElement[bool]]:
    equal = (
        (Record.actor_label, wanted.actor),
        (Record.actor_role, wanted.role),
        (Record.action, wanted.action),
        (Record.subject_table, wanted.table),
    )
    found = [column == value for column, value in equal if value]
    if wanted.grid_id is not None:
        found.append(Record.grid_id == wanted.grid_id)
    if wanted.subject_id:
        loads = session.scalars(select(LoadRow.record_seq).where(LoadRow.subject_id == wanted.subject_id)).all()
        own = Record.subject_id == wanted.subject_id
        found.append(or_(own, Record.seq.in_(loads)) if loads else own)
    if wanted.since is not None:
        found.append(Record.at >= wanted.since)
    if wanted.until is not None:
        found.append(Record.at < wanted.until)
    if wanted.seqs:
        found.append(Record.seq.in_(wanted.seqs))
    return found


def _bounds(session: Session, wanted: RecordFilter) -> tuple[int, int]:
    """Return the sequence numbers to look through: the first, and the one after the last."""
    first, last = session.execute(select(func.min(Record.seq), func.max(Record.seq))).one()
    if first is None:
        return 0, 0
    low, high = int(first), int(last) + 1
    if wanted.seqs:
        low, high = max(low, min(wanted.seqs)), min(high, max(wanted.seqs) + 1)
    if wanted.since is not None:
        low = _number_at(session, wanted.since - SLACK, low, high)
    if wanted.until is not None:
        high = _number_at(session, wanted.until + SLACK, low, high)
    return low, high


def _number_at(session: Session, moment: dt.datetime, low: int, high: int) -> int:
    """Return the first sequence number from ``low`` on whose row is not before ``moment``, by halving."""
    values = {"low": low, "high": high, "moment": moment}
    return int(session.execute(text(_HALVING), values).scalar_one())
