"""The record as lines that anybody can check: export, and the verifier that trusts nothing but published heads.

A file has a line of JSON each: what it is, then ``["r", text, hash]`` for a row (the text is that of
``gk_record_text``), ``["k", text]`` for a row that a bulk load kept, ``["h", note]`` for the head of a
batch, and ``["u", text, hash]`` for a row not yet sealed. The database is checked over the same lines.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import GridkeeperError, InvalidInput, NotFound
from core.progress import Progress, Silent
from geodata.heads import Head, Verifier, open_note
from geodata.merkle import Tree, leaf_hash

FORMAT = "gridkeeper record 1"
EVERY = 5000
_ROWS = """
    SELECT r.batch_id, r.seq, gk_record_text(r), encode(r.row_hash, 'hex'), r.action LIKE 'bulk%'
    FROM record AS r WHERE {which} ORDER BY r.batch_id NULLS LAST, r.seq
"""
_SEALED, _UNSEALED = "r.batch_id <= :last", "r.batch_id IS NULL OR r.batch_id > :last"
_KEPT = "SELECT jsonb_build_array(before, after)::text FROM load_row WHERE record_seq = :seq ORDER BY row_no"
_HEADS = "SELECT id, head FROM record_batch ORDER BY id"
Line = tuple[str, ...]


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
    for batch, seq, row, row_hash, bulk in _stream(session, _ROWS.format(which=_SEALED), last=last):
        if batch != current:
            if current is not None:
                yield ("h", heads.pop(current, ""))
            current = batch
        yield ("r", row, row_hash)
        if bulk:
            yield from (("k", kept) for (kept,) in _stream(session, _KEPT, seq=seq))
    if current is not None:
        yield ("h", heads.pop(current, ""))
    # A batch whose rows are all gone.
    yield from (("h", note) for note in heads.values())
    for _, seq, row, row_hash, bulk in _stream(session, _ROWS.format(which=_UNSEALED), last=last):
        yield ("u", row, row_hash)
        if bulk:
            yield from (("k", kept) for (kept,) in _stream(session, _KEPT, seq=seq))


def _stream(session: Session, query: str, **values: Any) -> Iterator[Any]:
    return iter(session.execute(text(query), values, execution_options={"yield_per": EVERY}))


def export(session: Session, path: Path, key: Verifier, progress: Progress | None = None) -> int:
    """Write the whole record to a file, compressed when its name ends in .gz; return the rows written.

    The file appears whole or not at all. Personal fields stand in it as ciphertext only.
    """
    progress = progress or Silent()
    part = path.with_name(path.name + ".part")
    rows = 0
    try:
        with _open(part, "wt", packed=path.suffix == ".gz") as file:
            file.write(json.dumps({"format": FORMAT, "key": key.line()}) + "\n")
            for line in lines(session):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                rows += line[0] in "ru"
                if line[0] in "ru" and rows % EVERY == 0:
                    progress.advance(EVERY)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return rows


def read(path: Path) -> Iterator[Line]:
    """Return the lines of an exported file.

    Raises
    ------
    NotFound
        When there is no such file.
    InvalidInput
        When it is no export, naming the line.
    """
    if not path.exists():
        raise NotFound(f"There is no file {path}.")
    number = 0
    try:
        with _open(path, "rt", packed=path.suffix == ".gz") as file:
            for number, written in enumerate(file, start=1):
                line = _understood(written, first=number == 1)
                if line:
                    yield line
    except (ValueError, EOFError, OSError) as error:
        raise InvalidInput(
            f"{path.name} is not an exported record; its line {number or 1} cannot be read.",
            hint="Export it again with `gridkeeper record export FILE`.",
        ) from error
    if number == 0:
        raise InvalidInput(f"{path.name} is empty.", hint="Export it again with `gridkeeper record export FILE`.")


def _understood(written: str, *, first: bool) -> Line:
    """Return the line; nothing for the first, which tells the format. Raises ValueError for any other."""
    line = json.loads(written)
    if first and isinstance(line, dict) and line.get("format") == FORMAT:
        return ()
    parts = {"r": 3, "u": 3, "k": 2, "h": 2}
    if first or not isinstance(line, list) or not all(isinstance(part, str) for part in line):
        raise ValueError
    if not line or len(line) != parts.get(line[0]):
        raise ValueError
    return tuple(line)


def _open(path: Path, mode: str, *, packed: bool) -> IO[str]:
    if packed:
        return gzip.open(path, mode, encoding="utf-8")  # type: ignore[return-value]
    return path.open(mode, encoding="utf-8")


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
        for line in record:
            check.take(line)
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
        self.records = self.sealed = 0
        self.head: Head | None = None
        self.ended = 0
        self.first: int | None = None
        self.last: int | None = None
        self.load: tuple[int, int, str] | None = None
        self.kept, self.kept_digest = 0, hashlib.sha256()
        published.pop(0, None)

    def take(self, line: Line) -> None:
        kind = line[0]
        if kind == "k":
            self.kept += 1
            self.kept_digest.update(hashlib.sha256(line[1].encode()).digest())
            return
        self._close_load()
        if kind == "h":
            self._head(line[1])
        else:
            self._row(line[1], line[2], sealed=kind == "r")

    def _row(self, row: str, stated: str, *, sealed: bool) -> None:
        seq = _seq_of(row)
        digest = hashlib.sha256(row.encode())
        if digest.hexdigest() != stated:
            raise _Broken(f"Row {seq} is not what was written: it does not fit its hash.", seq)
        if sealed and self.last is not None and seq <= self.last:
            raise _Broken(f"Row {seq} stands after row {self.last}.", seq)
        self.records += 1
        if self.records % EVERY == 0:
            self.progress.advance(EVERY)
        if sealed:
            self.tree.append(leaf_hash(digest.digest()))
            self.first, self.last = seq if self.first is None else self.first, seq
            self._published(seq)
        if '"bulk_' in row:
            fields = json.loads(row)
            if fields[8].startswith("bulk_"):
                self.load = (seq, int(fields[13]["rows"]), fields[13]["sha256"])
        self.kept, self.kept_digest = 0, hashlib.sha256()

    def _published(self, seq: int) -> None:
        wanted = self.published.pop(self.tree.size, None)
        if wanted is not None and wanted.root != self.tree.root():
            raise _Broken(
                f"The record up to row {seq} is not the one over which the head of {wanted.size} rows was published.",
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
        self.kept = 0

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
        if self.tree.size > self.sealed:
            raise _Broken(f"The rows from {self.first} on have no head.", self.first)
        if self.published:
            size = max(self.published)
            raise _Broken(
                f"A head over {size} rows was published, but only {self.tree.size} rows are here: the end is missing.",
                None,
            )


def _seq_of(row: str) -> int:
    number = row[1 : row.find(",")]
    return int(number) if number.isdecimal() else 0
