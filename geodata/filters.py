"""Filters in CQL2 text as a condition on the rows of an offer: what a reader writes becomes values, never SQL."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, LiteralString

import cql2
import numpy as np
import pyproj
import shapely
from psycopg import sql
from shapely.geometry.base import BaseGeometry

from core.errors import InvalidInput
from geodata.catalogue_builtin import Source
from geodata.catalogue_model import FieldInfo

LONGEST = 2000
"""Characters of a filter."""
MOST_BRACKETS = 6
"""Inside each other: the parser looks at a broken text again for each of them, twice as long each time."""
DEEPEST = 40
WGS84 = 4326
PLACES = frozenset({"geometry", "geom"})
_SHAPES = frozenset({
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
})  # fmt: skip
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_COMPARED: dict[str, LiteralString] = {"=": "=", "<>": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_KNOWN = "AND, OR, NOT, =, <>, <, >, <=, >=, IN, LIKE, BETWEEN, IS NULL, S_INTERSECTS"


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as it was written, with the coordinate system of the places in it.

    Attributes
    ----------
    srid, flipped
        ``flipped`` has the second axis first, as EPSG:4326 has it.
    """

    text: str
    srid: int = WGS84
    flipped: bool = False


def condition(source: Source, given: Filter, territory_id: int) -> sql.Composable:
    """Return the condition.

    Raises
    ------
    InvalidInput
        When it cannot be read, names a column that there is not, or compares what cannot be compared.
    """
    _check(given.text)
    try:
        tree = cql2.parse_text(given.text).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError) as error:
        told = " ".join(str(error).replace("^---", "").split())[:120]
        raise InvalidInput(
            f"The filter cannot be read: {told}.", hint="Write CQL2 text, as status = 'closed'."
        ) from error
    return _Reader(source, given, territory_id).read(tree, 0)


def _check(text: str) -> None:
    """Refuse what would keep the parser busy for long, before it sees it."""
    if len(text) > LONGEST or "\x00" in text:
        raise InvalidInput(f"A filter has at most {LONGEST:,} characters.", hint="Ask in several questions.")
    depth = deepest = lowest = 0
    for sign in _QUOTED.sub("", text):
        depth += (sign == "(") - (sign == ")")
        deepest, lowest = max(deepest, depth), min(lowest, depth)
    if depth or lowest < 0:
        raise InvalidInput("The brackets of the filter do not match.", hint="Each that opens is closed, also quotes.")
    if deepest > MOST_BRACKETS:
        raise InvalidInput(f"At most {MOST_BRACKETS} brackets stand inside each other.", hint="Ask in two questions.")


class _Reader:
    """Turns the tree of one filter into a condition."""

    def __init__(self, source: Source, given: Filter, territory_id: int) -> None:
        self._source, self._given, self._territory_id = source, given, territory_id
        self._acts: dict[str, Callable[[Sequence[Any]], sql.Composable]] = {
            "in": self._in, "like": self._like, "between": self._between, "isNull": self._null,
            "s_intersects": self._intersects,
        }  # fmt: skip

    def read(self, tree: Any, depth: int) -> sql.Composable:
        """Return the condition that a part of the tree says."""
        if depth > DEEPEST:
            raise InvalidInput(f"The filter is nested more than {DEEPEST} deep.", hint="Ask in several questions.")
        if isinstance(tree, bool):
            return sql.Literal(tree)
        if not isinstance(tree, Mapping):
            raise _unknown(tree)
        if "property" in tree:
            return self._yes_or_no(tree)
        name, parts = tree.get("op"), tree.get("args")
        if not isinstance(name, str) or not isinstance(parts, list):
            raise _unknown(tree)
        if name in {"and", "or"}:
            between: LiteralString = " AND " if name == "and" else " OR "
            return sql.SQL("({})").format(sql.SQL(between).join(self.read(each, depth + 1) for each in parts))
        if name == "not" and len(parts) == 1:
            return sql.SQL("(NOT {})").format(self.read(parts[0], depth + 1))
        if name in _COMPARED and len(parts) == 2:
            column, value = self._column(parts[0])
            return sql.SQL("({} {} {})").format(value, sql.SQL(_COMPARED[name]), literal(column, parts[1]))
        if name in self._acts and parts:
            return self._acts[name](parts)
        raise _unknown(name)

    def _yes_or_no(self, tree: Mapping[str, Any]) -> sql.Composable:
        column, value = self._column(tree)
        if column.kind != "boolean":
            raise InvalidInput(f"{column.name} is no yes or no.", hint=f"Write {column.name} = …")
        return value

    def _column(self, tree: Any) -> tuple[FieldInfo, sql.Composable]:
        if not isinstance(tree, Mapping) or not isinstance(tree.get("property"), str):
            raise InvalidInput("A column stands left of a comparison, a value right.", hint="Write status = 'closed'.")
        column = self._source.offer.column(tree["property"])
        if column is None:
            raise InvalidInput(
                f"{self._source.offer.key} has no column {tree['property'][:60]!r}.", hint="See its queryables."
            )
        return column, self._source.columns[column.name]

    def _in(self, parts: Sequence[Any]) -> sql.Composable:
        column, value = self._column(parts[0])
        given = parts[1] if len(parts) == 2 and isinstance(parts[1], list) else []
        if not given:
            raise InvalidInput("IN has values in brackets.", hint="Write status IN ('new', 'closed').")
        return sql.SQL("({} IN ({}))").format(value, sql.SQL(", ").join(literal(column, each) for each in given))

    def _like(self, parts: Sequence[Any]) -> sql.Composable:
        column, value = self._column(parts[0])
        if column.kind != "text" or len(parts) != 2 or not isinstance(parts[1], str):
            raise InvalidInput("LIKE compares a column of text with a pattern.", hint="Write name LIKE 'St%'.")
        if (len(parts[1]) - len(parts[1].rstrip("\\"))) % 2:
            raise InvalidInput("A pattern does not end with a backslash.", hint="Write it twice.")
        return sql.SQL("({} LIKE {})").format(value, sql.Literal(parts[1]))

    def _between(self, parts: Sequence[Any]) -> sql.Composable:
        column, value = self._column(parts[0])
        if len(parts) != 3:
            raise _unknown("between")
        low, high = literal(column, parts[1]), literal(column, parts[2])
        return sql.SQL("({} BETWEEN {} AND {})").format(value, low, high)

    def _null(self, parts: Sequence[Any]) -> sql.Composable:
        return sql.SQL("({} IS NULL)").format(self._column(parts[0])[1])

    def _intersects(self, parts: Sequence[Any]) -> sql.Composable:
        source = self._source
        named = parts[0].get("property") if len(parts) == 2 and isinstance(parts[0], Mapping) else None
        if source.geom is None or source.box is None or named not in PLACES:
            raise InvalidInput(
                "S_INTERSECTS compares the column geometry with a place.",
                hint="Write S_INTERSECTS(geometry, BBOX(113.2, 23.1, 113.3, 23.2)).",
            )
        shape = self._shape(parts[1])
        near = source.box.format(shape=shape, territory=sql.Literal(self._territory_id))
        return sql.SQL("({} AND ST_Intersects({}, {}))").format(near, source.geom, shape)

    def _shape(self, tree: Any) -> sql.Composable:
        try:
            made = _place(tree)
            if self._given.flipped:
                made = shapely.transform(made, lambda at: at[:, ::-1])
            if self._given.srid != WGS84:
                told = _to_degrees(self._given.srid)
                made = shapely.transform(made, lambda at: np.column_stack(told.transform(at[:, 0], at[:, 1])))
        except (TypeError, ValueError, KeyError, shapely.errors.ShapelyError) as error:
            raise _no_place() from error
        west, south, east, north = made.bounds if not made.is_empty else (math.nan,) * 4
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90) or not made.is_valid:
            raise _no_place()
        return sql.SQL("ST_GeomFromWKB({}, 4326)").format(sql.Literal(shapely.to_wkb(made)))


@lru_cache(maxsize=16)
def _to_degrees(srid: int) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(srid, WGS84, always_xy=True)


def _place(tree: Any) -> BaseGeometry:
    if isinstance(tree, Mapping) and isinstance(tree.get("bbox"), list) and len(tree["bbox"]) == 4:
        west, south, east, north = map(float, tree["bbox"])
        if west > east or south > north:
            raise ValueError
        return shapely.box(west, south, east, north)
    if isinstance(tree, Mapping) and tree.get("type") in _SHAPES:
        return shapely.from_geojson(json.dumps({"type": tree["type"], "coordinates": tree["coordinates"]}))
    raise ValueError


def _no_place() -> InvalidInput:
    return InvalidInput(
        "This is no place on earth, or an outline that crosses itself.",
        hint="Write BBOX(west, south, east, north), POINT(…), LINESTRING(…) or POLYGON((…)).",
    )


def _unknown(what: object) -> InvalidInput:
    return InvalidInput(f"Filters know no {str(what)[:40]!r} at this place.", hint=f"They know: {_KNOWN}.")


def literal(column: FieldInfo, given: Any) -> sql.Literal:
    """Return a value of a filter as one of its column's kind."""
    if isinstance(given, Mapping):
        kind = next((each for each in ("timestamp", "date") if isinstance(given.get(each), str)), "")
        if not kind or column.kind not in {"day", "moment"}:
            raise InvalidInput(f"{column.name}: this is no {column.kind}.", hint="Compare it with a value of its kind.")
        return sql.Literal(typed(column.name, column.kind, given[kind]))
    if isinstance(given, bool) or column.kind == "boolean":
        if not isinstance(given, bool) or column.kind != "boolean":
            raise InvalidInput(f"{column.name}: {str(given)[:60]!r} is no {column.kind}.", hint="Write TRUE or FALSE.")
        return sql.Literal(given)
    if isinstance(given, int | float):
        if column.kind not in {"integer", "number"} or not math.isfinite(given):
            raise InvalidInput(f"{column.name}: {given} is no {column.kind}.", hint="Texts stand in '…'.")
        return sql.Literal(float(given))
    if not isinstance(given, str) or column.kind in {"integer", "number"}:
        raise InvalidInput(f"{column.name}: {str(given)[:60]!r} is no {column.kind}.", hint="Numbers have no '.")
    return sql.Literal(typed(column.name, column.kind, given))


def typed(name: str, kind: str, value: str) -> object:
    """Return a text as a value of a column's kind.

    Raises
    ------
    InvalidInput
        When it is none.
    """
    try:
        match kind:
            case "integer":
                number = int(value)
                return number if abs(number) < 2**63 else _no(value)
            case "number":
                return float(value)
            case "boolean":
                return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
            case "day":
                return dt.date.fromisoformat(value)
            case "moment":
                told = dt.datetime.fromisoformat(
                    value
                )  # a day alone begins at midnight UTC, wherever the server stands
                return (told if told.tzinfo else told.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
            case _:
                return value if "\x00" not in value else _no(value)
    except (ValueError, KeyError, OverflowError) as error:
        raise InvalidInput(f"{name}: {value[:60]!r} is no {kind}.", hint="Write days as 2026-03-01.") from error


def _no(value: str) -> object:
    raise ValueError(value)
