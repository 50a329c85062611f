"""Checking rows: each rule over a column at once, every violation told with what could stand there instead."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geodata.exchange import CELL_AT_MOST, Checked, Chunk, FieldSpec, Geometries, Role, Spec, Type, Violation
from geodata.exchange_cells import narrow, spelled, trimmed, typed
from geodata.exchange_pack import row_keys
from geodata.exchange_place import Ground, in_wgs84, shapes_of
from geodata.exchange_rules import References, Seen, broken_by

Mask = NDArray[np.bool_]
SHOWN: Final = 120
"""Characters of a cell that a violation shows."""
SHAPE_AT_MOST: Final = 20_000
"""A mended shape is proposed up to so many characters; half of one would be none."""
_TYPES: Final = {
    Type.INTEGER: ("a whole number", "整数"),
    Type.NUMBER: ("a number", "数值"),
    Type.BOOLEAN: ("yes or no", "是或否"),
    Type.DATE: ("a date", "日期"),
    Type.DATETIME: ("a date with a time", "日期时间"),
}


class Checker:
    """Checks the chunks of one file, one after the other.

    Parameters
    ----------
    references
        Cells that are allowed, by ``data set.field``, for rules that refer to another data set.
    seen
        What rows held today say, by field, for rules that ask for unique cells.
    """

    def __init__(
        self, spec: Spec, ground: Ground, name: str, references: References | None = None,
        seen: Mapping[str, Seen] | None = None,
    ) -> None:  # fmt: skip
        self._spec, self._ground, self._name = spec, ground, name
        self._references, self._seen = references or {}, dict(seen or {})
        if ground.boundary is not None:
            shapely.prepare(ground.boundary)

    def check(self, chunk: Chunk) -> Checked:
        """Return the rows as values, which of them are good, and everything that is wrong with the others."""
        spec, found = self._spec, _Found(len(chunk))
        values: dict[str, pa.Array] = {}
        cells: dict[str, pa.Array] = {}
        for field in spec.kept:
            raw = chunk.columns.get(field.heading)
            cut = trimmed(raw) if raw is not None else pa.nulls(len(chunk), pa.string())
            made, wrong = typed(cut, field.type, field.style, spec.zone)
            values[field.name], cells[field.name] = made, cut
            self._types(field, cut, wrong, found)
            self._text(field, cut, found)
        for rule in spec.rules:
            self._rule(rule, values, cells, found)
        for name in spec.key:
            if name in cells:
                _required(name, cells[name], found, "It is the key of the row.", "该列为主键。")
        shapes = None
        if spec.places:
            shapes = self._places(chunk, found)
        return Checked(~found.bad, values, shapes, found.violations)

    def _types(self, field: FieldSpec, cells: pa.Array, wrong: Mask, found: _Found) -> None:
        if field.type is Type.TEXT or not wrong.any():
            return
        en, zh = _TYPES[field.type]
        found.add(
            wrong, field.name, cells, "type", f"{field.name} has to be {en}.",
            f"{field.name} 应为{zh}。", mend=lambda cell: _repaired(cell, field, self._spec.zone),
        )  # fmt: skip

    def _text(self, field: FieldSpec, cells: pa.Array, found: _Found) -> None:
        if field.type is not Type.TEXT:
            return
        odd = pc.or_(pc.match_substring(cells, "\x00"), pc.match_substring(cells, "\ufffd"))
        if pc.any(odd).as_py():
            found.add(
                _mask(odd), field.name, cells, "text", f"{field.name} holds signs that cannot be read.",
                f"{field.name} 含有无法识别的字符。", mend=lambda cell: cell.replace("\x00", "").replace("\ufffd", ""),
            )  # fmt: skip
        if (pc.max(pc.utf8_length(cells)).as_py() or 0) > CELL_AT_MOST:
            found.add(
                _mask(pc.greater(pc.utf8_length(cells), CELL_AT_MOST)), field.name, cells, "text",
                f"{field.name} is longer than {CELL_AT_MOST:,} characters.",
                f"{field.name} 超过 {CELL_AT_MOST:,} 个字符。", mend=lambda cell: cell[:200],
            )  # fmt: skip

    def _rule(
        self, rule: Mapping[str, Any], values: Mapping[str, pa.Array], cells: Mapping[str, pa.Array], found: _Found
    ) -> None:
        by, name = str(rule.get("id", "")), str(rule.get("field", ""))
        if rule.get("rule") == "unique" and name in cells:
            seen = self._seen.setdefault(name, Seen())
            keys = row_keys(values, self._spec.key) if self._spec.key else None
            said = ("unique", f"{name} stands in another row already.", f"{name} 与其他行重复。")
            found.add(seen.again(cells[name], keys), name, cells[name], *said, by=by)
            return
        broken = broken_by(rule, values, cells, self._references)
        if broken is not None:
            said = (str(rule["rule"]), broken.en, broken.zh)
            found.add(broken.rows, broken.field, cells[broken.field], *said, mend=broken.mend, by=by)

    def _places(self, chunk: Chunk, found: _Found) -> Geometries:
        spec = self._spec
        raw = shapes_of(spec, chunk)
        shapes = in_wgs84(raw, spec, self._name)
        there = shapely.is_geometry(shapes)
        empty = ~there | shapely.is_empty(shapes)
        if chunk.linked is not None:
            shapes = np.where(empty, chunk.linked, shapes)
            empty &= ~shapely.is_geometry(shapes)
        for each in chunk.unlinked:
            found.keep(each)
            empty[each.row] = False
        told = place_cells(spec, chunk, raw)
        field = (
            "+".join(each.heading for each in (spec.by_role(Role.LON), spec.by_role(Role.LAT)) if each) or "geometry"
        )
        found.add(
            empty,
            field,
            told,
            "place",
            "The row does not say where it lies.",
            "该行没有位置。",
            mend=_number_repair,
        )
        bounds = shapely.bounds(shapes)
        finite = np.isfinite(bounds).all(axis=1)
        found.add(
            ~empty & ~finite & shapely.is_geometry(shapes),
            field,
            told,
            "place",
            "Its coordinates are no numbers of this world.",
            "坐标不是有限数值。",
        )
        far = (
            ~empty
            & finite
            & ~((bounds[:, 0] >= -180) & (bounds[:, 2] <= 180) & (bounds[:, 1] >= -90) & (bounds[:, 3] <= 90))
        )
        found.add(far, field, told, "place", "It lies beyond longitude 180 or latitude 90.", "经纬度超出范围。")
        usable = ~empty & finite & ~far & shapely.is_geometry(shapes)
        shapes = shapes.copy()
        shapes[~usable] = None
        broken = usable & ~shapely.is_valid(shapes)
        if broken.any():
            reasons = shapely.is_valid_reason(shapes[broken])
            shown = pa.array([str(each) for each in reasons], pa.string())
            whole = shapely.to_wkt(shapely.make_valid(shapes[broken]), rounding_precision=7)
            said = ("shape", "Its shape crosses itself or is not closed.", "几何自相交或未闭合。")
            found.add_at(
                np.flatnonzero(broken),
                field,
                shown,
                *said,
                repairs=[each if len(each) <= SHAPE_AT_MOST else "" for each in whole],
            )
        if spec.inside and self._ground.boundary is not None and not self._ground.boundary.is_empty:
            usable &= ~broken
            outside = np.zeros(len(shapes), dtype=bool)
            outside[usable] = ~shapely.intersects(self._ground.boundary, shapes[usable])
            found.add(
                outside, field, told, "inside", f"It lies outside {self._ground.title}.",
                "位于辖区之外。", mend=self._turned,
            )  # fmt: skip
        return shapes

    def _turned(self, cell: str) -> str:
        """Return a pair of coordinates the other way round where that lies inside."""
        parts = cell.split(", ")
        try:
            x, y = (float(part) for part in parts)
        except ValueError:
            return ""
        box, boundary = self._ground.box, self._ground.boundary
        inside = box[0] <= y <= box[2] and box[1] <= x <= box[3]
        return f"{parts[1]}, {parts[0]}" if inside and shapely.intersects(boundary, shapely.Point(y, x)) else ""


class _Found:
    """Violations of one chunk, and which rows have any."""

    def __init__(self, count: int) -> None:
        self.bad = np.zeros(count, dtype=bool)
        self.violations: list[Violation] = []

    def keep(self, violation: Violation) -> None:
        """Keep what was found wrong before."""
        self.bad[violation.row] = True
        self.violations.append(violation)

    def add(
        self, wrong: Mask, field: str, cells: pa.Array, *said: str, mend: Callable[[str], str] | None = None,
        by: str = "",
    ) -> None:  # fmt: skip
        """Keep what is wrong; ``said`` is the rule and its sentence in English and Chinese."""
        if not wrong.any():
            return
        places = np.flatnonzero(wrong)
        told = pc.take(cells, pa.array(places))
        repairs = None if mend is None else [mend(each or "") for each in told.to_pylist()]
        self.add_at(places, field, told, *said, repairs=repairs, by=by)

    def add_at(
        self, places: Iterable[int], field: str, told: pa.Array, *said: str, repairs: Sequence[str] | None = None,
        by: str = "",
    ) -> None:  # fmt: skip
        """Keep what is wrong at rows, with what could stand there instead and the rule of the steward it breaks."""
        rule, en, zh = said
        for place, cell, repair in zip(places, told.to_pylist(), repairs or itertools.repeat(""), strict=False):
            self.bad[place] = True
            shown = (cell or "").replace("\x00", "")[:SHOWN]
            fixed = repair.replace("\x00", "")
            self.violations.append(Violation(int(place), field, shown, rule, en, zh, fixed, by))


def place_cells(spec: Spec, chunk: Chunk, raw: Geometries) -> pa.Array:
    """Return what each row says of its place, as text."""
    if spec.places == "pair":
        columns = [
            pc.fill_null(chunk.columns[field.heading], "")
            for role in (Role.LON, Role.LAT)
            if (field := spec.by_role(role)) is not None and field.heading in chunk.columns
        ]
        if len(columns) == 2:
            return pc.binary_join_element_wise(columns[0], columns[1], ", ")
    texts = [None if each is None else f"{each.geom_type}" for each in raw]
    return pa.array(texts, pa.string())


def _mask(wrong: pa.Array) -> Mask:
    made: Mask = pc.fill_null(wrong, False).to_numpy(zero_copy_only=False)
    return made


def _required(name: str, cells: pa.Array, found: _Found, more: str, more_zh: str) -> None:
    found.add(
        _mask(pc.is_null(cells)), name, cells, "required", f"{name} is empty. {more}".strip(), f"{name} 为空。{more_zh}"
    )


def _number_repair(cell: str) -> str:
    flat = narrow(pa.array([cell])).to_pylist()[0] or ""
    return flat if flat != cell else ""


def _repaired(cell: str, field: FieldSpec, zone: str) -> str:
    """Return what a cell could be instead, where a single reading of it fits the type."""
    import re

    letters = cell.replace("O", "0").replace("o", "0").replace("l", "1")
    tries = [letters, cell.replace(",", "."), spelled(cell), re.sub(r"[^\d.eE+-]", "", cell)]
    styles = [field.style]
    if field.type in {Type.DATE, Type.DATETIME}:
        tries, styles = [cell], ["iso", "ymd", "dmy", "mdy", "excel"]
    for text in tries:
        for style in styles:
            made, wrong = typed(pa.array([text], pa.string()), field.type, style, zone)
            if text and not wrong.any() and made[0].is_valid:
                return str(made[0].as_py())
    return ""
