"""Sealing the record: rows in batches under one Merkle tree, each batch with a signed head.

Sealing stands beside the writing, not in its way: a row is written with its own hash, and a moment
later the jobs process puts it under the tree. Rows are taken in the order in which they are found
committed, so no writer waits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import DataQuality
from core.settings import settings
from geodata.heads import Signer, Verifier, open_note, signer
from geodata.merkle import Tree, leaf_hash
from geodata.tables import Record, RecordBatch

BATCH_ROWS = 20_000
HEADS_FOLDER = "heads"
KEYS_FILE = "keys.txt"
LATEST_FILE = "head.txt"
_LOCK = 271828182
_SEAL = text("SELECT gk_seal(:seqs, :size, :root, :peaks, :head)")


@dataclass(frozen=True)
class Batch:
    """A sealed stretch of the record."""

    id: int
    first_seq: int
    last_seq: int
    tree_size: int
    root: bytes
    sealed_at: dt.datetime
    head: str


def seal(session: Session, *, at: dt.datetime | None = None, rows: int = BATCH_ROWS) -> Batch | None:
    """Seal up to ``rows`` rows that are committed and not yet sealed; None when there are none.

    Called as the system, in a transaction of its own; two at once come one after the other.
    """
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    waiting = session.execute(
        select(Record.seq, Record.row_hash).where(Record.batch_id.is_(None)).order_by(Record.seq).limit(rows)
    ).all()
    if not waiting:
        return None
    tree = _tree(session)
    tree.extend(leaf_hash(bytes(row_hash)) for _, row_hash in waiting)
    root = tree.root()
    head = _signer().sign(tree.size, root, at or now())
    made = session.execute(
        _SEAL,
        {"seqs": [seq for seq, _ in waiting], "size": tree.size, "root": root, "peaks": tree.peaks, "head": head},
    ).scalar_one()
    return _as_batch(session.get_one(RecordBatch, made))


def _tree(session: Session) -> Tree:
    last = session.scalars(select(RecordBatch).order_by(RecordBatch.id.desc()).limit(1)).one_or_none()
    if last is None:
        return Tree()
    peaks = [bytes(peak) for peak in last.peaks]
    if len(peaks) == last.tree_size.bit_count():
        tree = Tree(last.tree_size, peaks)
        if tree.root() == bytes(last.root_hash):
            return tree
    raise DataQuality(
        "The record is not sealed on.",
        [f"batch {last.id} does not fit its own root"],
        hint="Run `gridkeeper record verify --database`.",
    )


def _signer() -> Signer:
    return signer(settings().state_dir)


def verifier() -> Verifier:
    """Return the public key that heads of this platform are checked with."""
    return _signer().verifier


def unsealed(session: Session) -> int:
    """Return how many committed rows wait for their seal."""
    return session.execute(select(func.count()).select_from(Record).where(Record.batch_id.is_(None))).scalar_one()


def latest(session: Session) -> Batch | None:
    """Return the newest batch; None before the first."""
    row = session.scalars(select(RecordBatch).order_by(RecordBatch.id.desc()).limit(1)).one_or_none()
    return None if row is None else _as_batch(row)


def batches(session: Session, *, limit: int, before: int | None = None) -> list[Batch]:
    """Return the newest batches first, those with an id below ``before`` when given."""
    query = select(RecordBatch).order_by(RecordBatch.id.desc()).limit(limit)
    if before is not None:
        query = query.where(RecordBatch.id < before)
    return [_as_batch(row) for row in session.scalars(query)]


def daily(session: Session, timezone: str, *, days: int) -> list[tuple[dt.date, Batch]]:
    """Return the last head of each of the last local days, newest first: what is printed and kept elsewhere."""
    day = func.date(func.timezone(timezone, RecordBatch.sealed_at))
    recent = RecordBatch.sealed_at >= now() - dt.timedelta(days=days)
    newest = (
        select(func.max(RecordBatch.id))
        .where(recent)
        .group_by(day)
        .order_by(func.max(RecordBatch.id).desc())
        .limit(days)
    )
    rows = session.execute(select(day, RecordBatch).where(RecordBatch.id.in_(newest)).order_by(RecordBatch.id.desc()))
    return [(local, _as_batch(batch)) for local, batch in rows]


def last_before(session: Session, moment: dt.datetime) -> Batch | None:
    """Return the newest batch that was sealed before a moment; None when there is none."""
    query = select(RecordBatch).where(RecordBatch.sealed_at < moment).order_by(RecordBatch.sealed_at.desc()).limit(1)
    row = session.scalars(query).one_or_none()
    return None if row is None else _as_batch(row)


def leaves(session: Session, size: int) -> Iterator[bytes]:
    """Return the hashes of the first ``size`` leaves of the tree, in its order."""
    rows = session.execute(
        select(Record.row_hash)
        .where(Record.batch_id.is_not(None))
        .order_by(Record.batch_id, Record.seq)
        .limit(size)
        .execution_options(yield_per=10_000)
    )
    return (leaf_hash(bytes(row_hash)) for (row_hash,) in rows)


def leaf_index(session: Session, seq: int) -> int | None:
    """Return where a row stands in the tree, from 0; None while it is not sealed, or absent."""
    batch = session.scalar(select(Record.batch_id).where(Record.seq == seq))
    if batch is None:
        return None
    earlier = session.scalar(select(func.max(RecordBatch.tree_size)).where(RecordBatch.id < batch)) or 0
    inside = session.execute(
        select(func.count()).select_from(Record).where(Record.batch_id == batch, Record.seq < seq)
    ).scalar_one()
    return int(earlier) + inside


def heads_folder() -> Path:
    """Return where heads are published: ``heads`` of the state folder unless settings name another."""
    return settings().heads_dir or settings().state_dir / HEADS_FOLDER


def publish(batch: Batch, folder: Path | None = None) -> Path:
    """Append a head to the file of its day, and put it in place of the latest; return the day's file.

    The folder is ``heads`` of the state folder unless settings name another, such as a share of
    another department: only a head that lies elsewhere proves anything against who owns the machine.
    """
    target = folder or heads_folder()
    target.mkdir(parents=True, exist_ok=True)
    keys = target / KEYS_FILE
    line = verifier().line()
    if not keys.exists() or line not in keys.read_text().splitlines():
        with keys.open("a") as file:
            file.write(line + "\n")
    of_day = target / f"heads-{batch.sealed_at.astimezone(dt.UTC):%Y-%m-%d}.txt"
    with of_day.open("a") as file:
        file.write(batch.head + "\n")
    fresh = target / f"{LATEST_FILE}.new"
    fresh.write_text(batch.head)
    fresh.replace(target / LATEST_FILE)
    return of_day


def _as_batch(row: RecordBatch) -> Batch:
    return Batch(row.id, row.first_seq, row.last_seq, row.tree_size, bytes(row.root_hash), row.sealed_at, row.head)


def check_head(head: str) -> int:
    """Return the size that a head of this platform was made over; raise `InvalidInput` for any other."""
    return open_note(head, [verifier()]).size
