"""The record as lines that anybody can check, and the verifier that trusts nothing but published heads.

The database is checked over the same lines that an exported file holds (`geodata.record_file`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import GridkeeperError
from core.progress import Progress, Silent
from geodata.heads import Head, Verifier, open_note
from geodata.merkle import Tree
from geodata.record_file import EVERY, HASHED, Line, read, write

__all__ = ["Line", "Verdict", "export", "lines", "read", "verify"]

LEAVES_MOST = 50_000
"""So many leaves are held before they go into the tree, however long a batch is."""
BEFORE_ALL = -(2**31)
_SEALED = """
    SELECT batch_id, seq, convert_to(gk_record_text(record), 'UTF8'), row_hash, action LIKE 'bulk%%' FROM record
    WHERE (batch_id, seq) > (%(batch)s, %(after)s) AND batch_id <= %(last)s ORDER BY batch_id, seq LIMIT %(most)s
"""
_UNSEALED = """
    SELECT seq, convert_to(gk_record_text(record), 'UTF8'), row_hash, action LIKE 'bulk%%' FROM record
    WHERE seq IN (
        (SELECT seq FROM record WHERE batch_id IS NULL AND seq > %(after)s ORDER BY seq LIMIT %(most)s)
        UNION ALL
        (SELECT seq FROM record WHERE batch_id > %(last)s AND seq > %(after)s ORDER BY seq LIMIT %(most)s)
    ) ORDER BY seq LIMIT %(most)s
"""
_KEPT = """
    SELECT row_no, convert_to(jsonb_build_array(before, after)::text, 'UTF8') FROM load_row
    WHERE record_seq = %(seq)s AND row_no > %(after)s ORDER BY row_no LIMIT %(most)s
"""
_HEADS = "SELECT id, head FROM record_batch ORDER BY id"


@dataclass(frozen=True)
class Verdict:
    """What a check of the record found.

    Attributes
    ----------
    ok
        Whether every row, batch and head fits.
    records
        Rows checked, the unsealed ones too.
    sealed
        Rows under the last head that fits.
    head
        That head; None when there is none.
    first_bad
        Sequence number of the first row that does not fit, or where the batch begins that does not;
        None when all fit, or when what is wrong is that rows are missing at the end.
    reason
        What is wrong, in words; empty when nothing is.
    """

    ok: bool
    records: int
    sealed: int
    head: Head | None
    first_bad: int | None = None
    reason: str = ""


def lines(session: Session) -> Iterator[Line]:
    """Return the lines of the record as the database holds it, batch by batch, the unsealed rows last.

    What is sealed meanwhile counts as unsealed.
    """
    heads: dict[int, str] = {int(batch): str(note) for batch, note in session.execute(text(_HEADS))}
    last = max(heads, default=0)
    current: int | None = None
    for batch, seq, row, row_hash, bulk in _paged(session, _SEALED, ("batch", "after"), last=last):
        if batch != current:
            if current is not None:
                yield ("h", heads.pop(current, "").encode(), b"")
            current = batch
        yield ("r", row, row_hash)
        if bulk:
            yield from _kept(session, seq)
    if current is not None:
        yield ("h", heads.pop(current, "").encode(), b"")
    # A batch whose rows are all gone.
    yield from (("h", note.encode(), b"") for note in heads.values())
    for seq, row, row_hash, bulk in _paged(session, _UNSEALED, ("after",), last=last):
        yield ("u", row, row_hash)
        if bulk:
            yield from _kept(session, seq)


def _kept(session: Session, seq: int) -> Iterator[Line]:
    return (("k", row, b"") for _, row in _paged(session, _KEPT, ("after",), seq=seq))


def _paged(session: Session, query: str, place: tuple[str, ...], **values: Any) -> Iterator[Any]:
    """Return rows, a page in memory at a time; they begin with the values that name a ``place`` in their order."""
    driver = cast("Connection[Any]", session.connection().connection.driver_connection)
    reached = (BEFORE_ALL,) * len(place)
    while True:
        asked = dict(zip(place, reached, strict=True)) | {"most": EVERY}
        with driver.cursor(binary=True) as cursor:
            page = cursor.execute(query, values | asked).fetchall()
        yield from page
        if len(page) < EVERY:
            return
        reached = page[-1][: len(place)]


def export(session: Session, path: Path, key: Verifier, progress: Progress | None = None) -> int:
    """Write the whole record to a file, compressed when its name ends in .gz; return the rows written.

    Personal fields stand in it as ciphertext only.
    """
    return write(path, lines(session), key, progress)


def verify(
    record: Iterable[Line],
    keys: Sequence[Verifier],
    published: Iterable[Head] = (),
    progress: Progress | None = None,
) -> Verdict:
    """Check every row, every bulk load, every batch and its head, and that published heads are still kept.

    Parameters
    ----------
    record
        From `lines` or `read`.
    keys
        Public keys of the record, got elsewhere than from the file.
    published
        Heads that were kept elsewhere, their signatures checked already; without any, a tail that was
        cut off together with its heads is not found.
    """
    check = _Check(list(keys), {head.size: head for head in published}, progress or Silent())
    try:
        check.take_all(record)
        check.end()
    except _Broken as broken:
        return Verdict(False, check.records, check.sealed, check.head, broken.seq, str(broken))
    return Verdict(True, check.records, check.sealed, check.head)


class _Broken(Exception):
    """The first thing that does not fit."""

    def __init__(self, reason: str, seq: int | None) -> None:
        super().__init__(reason)
        self.seq = seq


class _Check:
    """The state of a check: the tree so far, and the bulk load whose rows are awaited."""

    def __init__(self, keys: list[Verifier], published: dict[int, Head], progress: Progress) -> None:
        self.keys, self.published, self.progress = keys, published, progress
        self.tree = Tree()
        self.leaves: list[bytes] = []
        self.records = self.sealed = 0
        self.head: Head | None = None
        self.ended = 0
        self.first: int | None = None
        self.last: int | None = None
        self.load: tuple[int, int, str] | None = None
        self.kept, self.kept_digest = 0, hashlib.sha256()
        published.pop(0, None)
        self.awaited = min(published, default=0)

    def take_all(self, record: Iterable[Line]) -> None:
        """Take every line; rows, which are nearly all of them, in one tight loop."""
        sha256 = hashlib.sha256
        for kind, body, stated in record:
            if kind not in HASHED:
                self._other(kind, body)
                continue
            if self.load is not None or self.kept:
                self._close_load()
            seq = _seq_of(body)
            digest = sha256(body).digest()
            if digest != stated:
                raise _Broken(f"Row {seq} is not what was written: it does not fit its hash.", seq)
            self.records += 1
            if kind == "r":
                self._in_order(seq)
                self.leaves.append(sha256(b"\x00" + digest).digest())
                if len(self.leaves) >= LEAVES_MOST or self.tree.size + len(self.leaves) == self.awaited:
                    self._grow()
            if self.records % EVERY == 0:
                self.progress.advance(EVERY)
            if b'"bulk_' in body:
                self._loads(seq, body)

    def _in_order(self, seq: int) -> None:
        if self.last is None or self.first is None:
            self.first = seq
        elif seq <= self.last:
            raise _Broken(f"Row {seq} stands after row {self.last}.", seq)
        self.last = seq

    def _other(self, kind: str, body: bytes) -> None:
        if kind == "k":
            self.kept += 1
            self.kept_digest.update(hashlib.sha256(body).digest())
            return
        self._close_load()
        self._grow()
        self._head(body.decode())

    def _loads(self, seq: int, body: bytes) -> None:
        fields = json.loads(body)
        if fields[8].startswith("bulk_"):
            self.load = (seq, int(fields[13]["rows"]), fields[13]["sha256"])

    def _grow(self) -> None:
        """Put the leaves at hand into the tree, and compare it where a head of its size was published."""
        self.tree.extend(self.leaves)
        self.leaves.clear()
        wanted = self.published.pop(self.tree.size, None)
        self.awaited = min((size for size in self.published if size > self.tree.size), default=0)
        if wanted is not None and wanted.root != self.tree.root():
            raise _Broken(
                f"The record up to row {self.last} is not the one over which the head of {wanted.size} rows was"
                " published.",
                self.first,
            )

    def _close_load(self) -> None:
        if self.load is not None:
            seq, rows, digest = self.load
            if self.kept != rows or self.kept_digest.hexdigest() != digest:
                raise _Broken(f"The rows of the load in row {seq} are not those that were loaded.", seq)
        elif self.kept:
            raise _Broken("Rows of a load stand where no load is.", self.last)
        self.load = None
        self.kept, self.kept_digest = 0, hashlib.sha256()

    def _head(self, note: str) -> None:
        try:
            head = open_note(note, self.keys)
        except GridkeeperError as error:
            raise _Broken(f"A batch has no valid head: {error.message}", self._place()) from error
        if (head.size, head.root) != (self.tree.size, self.tree.root()):
            raise _Broken(
                f"The batch from row {self._place()} on does not fit its head of {head.size} rows:"
                " a row was changed, left out, added or moved.",
                self._place(),
            )
        self.head, self.sealed = head, head.size
        self.ended, self.first, self.last = self.last or self.ended, None, None

    def _place(self) -> int:
        """Return the first row of the batch; of one whose rows are all gone, the number after the last row before."""
        return self.ended + 1 if self.first is None else self.first

    def end(self) -> None:
        self._close_load()
        self._grow()
        if self.tree.size > self.sealed:
            raise _Broken(f"The rows from {self.first} on have no head.", self.first)
        if self.published:
            size = max(self.published)
            raise _Broken(
                f"A head over {size} rows was published, but only {self.tree.size} rows are here: the end is missing.",
                None,
            )


def _seq_of(row: bytes) -> int:
    try:
        return int(row[1 : row.index(b",")])
    except ValueError:
        return 0
