"""Rows of one file into one data set: checked, packed, placed, written, counted; within the caller's transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.progress import Progress
from geodata import exchange_store as store
from geodata.exchange import Checked, Chunk, Geometries, Role, Spec, Type, Violation
from geodata.exchange_check import SHOWN, Checker
from geodata.exchange_link import LINKED, Linker
from geodata.exchange_pack import pack
from geodata.exchange_place import Ground, in_wgs84, shapes_of
from geodata.exchange_rules import References, Seen

Place = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.int64]]
"""From longitudes and latitudes to unit grids, 0 for none."""
Bad = tuple[int, dict[str, Any], list[dict[str, Any]]]
GEOMETRY: Final = "_geometry"
WGS84: Final = "_wgs84"
ROW: Final = "_row"
"""Beside the cells of a row in quarantine: its shape as in the file, its shape in WGS 84, its text where it broke."""
_QUARANTINE_PIECE: Final = 2_000
_TWICE = (
    "Its key stands in an earlier row of the file, which says something else.",
    "主键与文件中前面的行重复且内容不同。",
)


@dataclass(slots=True)
class Counts:
    """What came of a file."""

    read: int = 0
    loaded: int = 0
    changed: int = 0
    duplicates: int = 0
    rejected: int = 0
    placed: int = 0
    cells: int = 0
    filled: int = 0
    newest: str = ""
    hashes: Any = field(default_factory=hashlib.sha256)
    kinds: set[str] = field(default_factory=set)

    def scores(self, today: dt.date, *, places: bool) -> dict[str, Any]:
        """Return completeness, validity, uniqueness, placement and timeliness, 0 … 1, as far as they can be said."""
        taken = self.loaded + self.changed + self.duplicates
        made: dict[str, Any] = {
            "completeness": _share(self.filled, self.cells),
            "validity": _share(self.read - self.rejected, self.read),
            "uniqueness": _share(self.read - self.duplicates, self.read),
        }
        if places:
            made["placement"] = _share(self.placed, taken - self.duplicates) if taken > self.duplicates else None
        if self.newest:
            age = (today - dt.date.fromisoformat(self.newest[:10])).days
            made |= {"newest": self.newest[:10], "timeliness": round(max(0.0, min(1.0, 1 - age / 365)), 4)}
        return {name: value for name, value in made.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Into:
    """What rows are brought into: which data set, as which batch, from when they hold, what they are checked against.

    Attributes
    ----------
    fresh
        The data set has no rows yet: they go into its bare table, and indexes come afterwards.
    """

    data_set_id: int
    batch_id: int
    moment: dt.datetime
    fresh: bool
    place: Place
    references: References
    seen: Mapping[str, Seen]
    linker: Linker | None = None


class Run:
    """Brings the chunks of a file into a data set."""

    def __init__(self, session: Session, spec: Spec, ground: Ground, name: str, into: Into) -> None:
        self._session, self._spec, self._name = session, spec, name
        self._set, self._batch, self._moment, self._fresh = into.data_set_id, into.batch_id, into.moment, into.fresh
        self._place = into.place
        self._headings = {each.name: each.heading for each in spec.fields}
        self._linker = into.linker
        self._checker = Checker(spec, ground, name, into.references, into.seen)
        self._files = ExitStack()
        self._spool: IO[str] = self._files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115
        self.counts = Counts()
        self.first_wrong: dict[str, Any] | None = None

    def write(self, chunks: Iterable[Chunk], progress: Progress) -> None:
        """Check and write every chunk; `Cancelled` comes out of ``progress``."""
        table = ""
        for chunk in chunks:
            checked = self._checker.check(self._linked(chunk))
            self._keep_bad(chunk, checked)
            self._count(chunk, checked)
            good = np.flatnonzero(checked.good)
            if len(good):
                table = table or self._table()
                self._copy(table, chunk, checked, good)
            progress.advance(len(chunk) + len(chunk.broken))
        if not table:
            return
        if self._fresh:
            twice = [
                (number, same, said, place) for number, same, said, place in store.attach(self._session, self._set)
            ]
            self.counts.loaded -= len(twice)
            self.counts.duplicates += sum(same for _, same, _, _ in twice)
            self._keep_twice((number, said or {}, place) for number, same, said, place in twice if not same)
        else:
            made, twice_ = store.merge_incoming(self._session, self._set, self._batch, self._moment)
            for name, value in made.items():
                setattr(self.counts, name, value)
            self._keep_twice(twice_)

    def _linked(self, chunk: Chunk) -> Chunk:
        """Return the chunk with the places of rows that say them in words or by a code."""
        if self._linker is None:
            return chunk
        own = self._spec.places not in LINKED
        return self._linker.link(chunk, in_wgs84(shapes_of(self._spec, chunk), self._spec, self._name) if own else None)

    def bad(self) -> Iterator[Bad]:
        """Give the rows that broke a rule, in the order of the file."""
        self._spool.seek(0)
        for line in self._spool:
            number, raw, wrong = json.loads(line)
            yield number, raw, wrong

    def quarantine(self, territory_id: int) -> None:
        """Write the rows that broke a rule into quarantine; the batch has to be there."""
        piece: list[Bad] = []
        of = {"territory_id": territory_id, "data_set_id": self._set, "batch_id": self._batch}
        for each in self.bad():
            piece.append(each)
            if len(piece) == _QUARANTINE_PIECE:
                store.add_quarantined(self._session, piece, **of)
                piece = []
        store.add_quarantined(self._session, piece, **of)

    def close(self) -> None:
        """Let go of what was kept aside."""
        self._files.close()

    def _table(self) -> str:
        return store.new_table(self._session, self._set) if self._fresh else store.begin_incoming(self._session)

    def _copy(self, table: str, chunk: Chunk, checked: Checked, good: NDArray[np.intp]) -> None:
        whole = len(good) == len(chunk)
        places = None if whole else pa.array(good)
        values = checked.values if whole else {name: pc.take(each, places) for name, each in checked.values.items()}
        shapes = checked.shapes if checked.shapes is None or whole else checked.shapes[good]
        grids = self._grids(shapes, len(good))
        made = pack(
            values, shapes, self._spec.key, chunk.row_numbers[good], grids, data_set_id=self._set, batch_id=self._batch,
            moment_us=int(self._moment.timestamp() * 1_000_000),
        )  # fmt: skip
        store.copy_packed(self._session, table, made.body)
        self.counts.hashes.update(b"".join(made.hashes))
        self.counts.loaded += len(good)
        self.counts.placed += int((grids > 0).sum())

    def _grids(self, shapes: Geometries | None, count: int) -> NDArray[np.int64]:
        if shapes is None:
            return np.zeros(count, dtype=np.int64)
        self.counts.kinds.update(np.unique(shapely.get_type_id(shapes)).astype(str).tolist())
        inner = shapes if (shapely.get_type_id(shapes) == 0).all() else shapely.point_on_surface(shapes)
        return np.asarray(self._place(shapely.get_x(inner), shapely.get_y(inner)), dtype=np.int64)

    def _count(self, chunk: Chunk, checked: Checked) -> None:
        counts = self.counts
        counts.read += len(chunk) + len(chunk.broken)
        counts.rejected += int((~checked.good).sum()) + len(chunk.broken)
        for each in self._spec.kept:
            cells = checked.values[each.name]
            if each.role is Role.MADE:
                continue  # of the gate, not of the file
            counts.cells, counts.filled = counts.cells + len(cells), counts.filled + len(cells) - cells.null_count
            if each.type in {Type.DATE, Type.DATETIME}:
                newest = pc.max(pc.if_else(pc.less_equal(cells, self._moment.isoformat()), cells, None)).as_py()
                counts.newest = max(counts.newest, newest or "")

    def _keep_bad(self, chunk: Chunk, checked: Checked) -> None:
        """Keep rows that broke a rule aside: number, cells as read without those about persons, violations."""
        personal = any(each.role is Role.PERSONAL for each in self._spec.fields)
        for number, text, told in chunk.broken:
            raw = {} if personal else {ROW: text.replace("\x00", "")}
            zh = "该行列数与表头不一致。"
            shown = "" if personal else text[:SHOWN].replace("\x00", "")
            self._spool_row(number, raw, [Violation(0, "", shown, "columns", told, zh).as_dict()])
        if checked.good.all():
            return
        wrong: dict[int, list[dict[str, Any]]] = {}
        for each in checked.violations:
            heading = self._headings.get(each.field, each.field)  # who mends sees the columns of the file
            wrong.setdefault(each.row, []).append(each.as_dict() | {"field": heading})
        bad = np.flatnonzero(~checked.good)
        taken = pa.array(bad)
        kept = [
            each.heading
            for each in self._spec.fields
            if each.role is not Role.PERSONAL and each.heading in chunk.columns
        ]
        cells = {heading: pc.take(chunk.columns[heading], taken).to_pylist() for heading in kept}
        shapes = shapes_of(self._spec, chunk)[bad] if self._spec.places == "own" else None
        numbers = chunk.row_numbers[bad]
        for place, row in enumerate(bad.tolist()):
            raw = {heading: (each[place] or "").replace("\x00", "")[:20_000] for heading, each in cells.items()}
            if shapes is not None:
                raw[GEOMETRY] = (
                    "" if shapes[place] is None else shapely.to_wkt(shapes[place], rounding_precision=9)[:200_000]
                )
            self._spool_row(int(numbers[place]), raw, wrong[row])

    def _keep_twice(self, rows: Iterable[tuple[int, Mapping[str, Any], bytes | None]]) -> None:
        for number, said, place in rows:
            raw = {self._headings.get(name, name): "" if v is None else str(v) for name, v in said.items()}
            if place is not None:
                raw[WGS84] = shapely.to_wkt(shapely.from_wkb(bytes(place)), rounding_precision=9)
            key = [self._headings.get(name, name) for name in self._spec.key]
            told = Violation(0, ", ".join(key), ", ".join(raw.get(name, "") for name in key), "unique", *_TWICE)
            self._spool_row(number, raw, [told.as_dict()])
            self.counts.rejected += 1

    def _spool_row(self, number: int, raw: Mapping[str, Any], wrong: list[dict[str, Any]]) -> None:
        self.first_wrong = self.first_wrong or {"row": number, **wrong[0]}
        self._spool.write(json.dumps([number, raw, wrong], ensure_ascii=False) + "\n")


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
