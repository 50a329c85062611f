"""The nouns of bringing a file in: what was read, what was taken for what and why, and what broke which rule.

A *layout* is what a file looks like before anybody has understood it; a *mapping* is how it is to be read; a *guess*
is one line of the mapping with its reason, which a person may overrule. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
SAMPLE_ROWS = 5_000
CHUNK_ROWS = 50_000
CELL_AT_MOST = 100_000
"""Characters in one cell of a table; what is longer is no cell but a file."""


class Type(StrEnum):
    """What the cells of a column are."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


class Role(StrEnum):
    """What a column is for."""

    FIELD = "field"
    LON = "lon"
    LAT = "lat"
    SHAPE = "shape"  # WKT
    PERSONAL = "personal"
    LEFT_OUT = "left out"
    ADDRESS = "address"  # kept, and says in words where the row lies
    GRID = "grid code"  # kept, and names a unit grid
    COMPONENT = "component"  # kept, and names a component
    MADE = "made"  # not in the file: how a row was placed


PLACED_BY: Final = "placed_by"
"""Field that says how a row without coordinates was placed, where a data set has such rows."""
_KEPT: Final = frozenset({Role.FIELD, Role.ADDRESS, Role.GRID, Role.COMPONENT, Role.MADE})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file, as text.

    Attributes
    ----------
    first
        Number of its first row, from 1, headings not counted.
    columns
        Heading to its cells (Arrow strings, null where empty).
    shapes
        Geometries as the file has them, in its own coordinate system; None for a file without.
    numbers
        Number of each row in the file, where they do not simply follow each other; None otherwise.
    linked
        Places in EPSG:4326 that were found by address or code, None for a row without; of rows without their own.
    unlinked
        What is wrong with rows that no place was found for.
    """

    first: int
    columns: Mapping[str, pa.Array]
    shapes: Geometries | None = None
    numbers: NDArray[np.int64] | None = None
    broken: Sequence[tuple[int, str, str]] = ()
    linked: Geometries | None = None
    unlinked: Sequence[Violation] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        if self.shapes is not None:
            return len(self.shapes)
        return len(next(iter(self.columns.values()), ()))

    @property
    def row_numbers(self) -> NDArray[np.int64]:
        """Return the number of each row in the file."""
        return self.numbers if self.numbers is not None else np.arange(self.first, self.first + len(self))


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file looks like.

    Attributes
    ----------
    form
        Format in words, e.g. ``CSV`` or ``Shapefile``.
    layer
        The layer that was taken, of those in ``layers``; empty where the format has none.
    crs
        As the file says it (WKT or a code); empty when it does not.
    remarks
        What was found while opening: (what, value, reason).
    """

    form: str
    headings: tuple[str, ...]
    has_shapes: bool = False
    crs: str = ""
    encoding: str = ""
    delimiter: str = ""
    layer: str = ""
    layers: tuple[str, ...] = ()
    rows: int | None = None
    remarks: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing that was taken for something, and why; ``given`` when a person or a mapping said so."""

    what: str
    value: str
    reason: str
    reason_zh: str = ""
    given: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is stored with the batch."""
        return {
            "what": self.what, "value": self.value, "reason": self.reason, "reason_zh": self.reason_zh,
            "given": self.given,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """How one column is read: its heading in the file, its name in the data set, its type and its role."""

    heading: str
    name: str
    type: Type = Type.TEXT
    role: Role = Role.FIELD
    style: str = ""
    """Of dates their order (``dmy``, ``mdy``, ``excel`` …), of numbers ``comma`` for a decimal comma."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is stored in a mapping."""
        return {
            "heading": self.heading, "name": self.name, "type": self.type.value, "role": self.role.value,
            "style": self.style,
        }  # fmt: skip

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> FieldSpec:
        """Return what a stored mapping says."""
        kind, role = Type(given.get("type", "text")), Role(given.get("role", "field"))
        return cls(str(given["heading"]), str(given["name"]), kind, role, str(given.get("style", "")))


@dataclass(frozen=True, slots=True)
class Spec:
    """How files of one layout are read: everything that a person could overrule.

    Attributes
    ----------
    places
        Where the geometry comes from: ``own`` (the file has it), ``pair`` (two columns), ``wkt``, ``address``, ``grid``
        or ``component`` (found by what a column says), or empty (a table).
    crs
        Code or WKT of the coordinates; empty for a table.
    datum
        ``WGS-84``, ``GCJ-02`` or ``BD-09``: how longitudes and latitudes are shifted.
    swapped
        The first coordinate is the latitude (or northing).
    zone
        IANA name of the time zone of times that do not say theirs.
    key
        Names of the fields that name a row; empty: the whole content does.
    rules
        Beyond the types: [{rule, field, …}].
    """

    fields: tuple[FieldSpec, ...]
    places: str = ""
    crs: str = ""
    datum: str = "WGS-84"
    swapped: bool = False
    zone: str = "UTC"
    encoding: str = ""
    delimiter: str = ""
    layer: str = ""
    key: tuple[str, ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    inside: bool = True

    def by_role(self, role: Role) -> FieldSpec | None:
        """Return the first column of a role; None when there is none."""
        return next((each for each in self.fields if each.role is role), None)

    @property
    def kept(self) -> tuple[FieldSpec, ...]:
        """Return the columns that become fields of the data set, in order."""
        return tuple(each for each in self.fields if each.role in _KEPT)

    def as_dict(self) -> dict[str, Any]:
        """Return it as a mapping stores it."""
        plain = ("places", "crs", "datum", "swapped", "zone", "encoding", "delimiter", "layer", "inside")
        return {name: getattr(self, name) for name in plain} | {
            "fields": [each.as_dict() for each in self.fields],
            "key": list(self.key),
            "rules": [dict(each) for each in self.rules],
        }

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Spec:
        """Return what a stored mapping says."""
        plain = ("places", "crs", "datum", "swapped", "zone", "encoding", "delimiter", "layer", "inside")
        return cls(
            fields=tuple(FieldSpec.of(each) for each in given["fields"]),
            key=tuple(given.get("key", ())),
            rules=tuple(given.get("rules", ())),
            **{name: given[name] for name in plain if name in given},
        )

    def with_role(self, heading: str, role: Role) -> Spec:
        """Return the mapping with another role for one column."""
        return replace(
            self, fields=tuple(replace(each, role=role) if each.heading == heading else each for each in self.fields)
        )


@dataclass(frozen=True, slots=True)
class Violation:
    """What one cell of one row breaks, in words for whoever mends it; ``repair`` is what could stand there instead."""

    row: int
    field: str
    value: str
    rule: str
    sentence: str
    sentence_zh: str = ""
    repair: str = ""
    by: str = ""
    """Number of the steward's rule that it breaks; empty for what every file is checked by."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is stored with the row."""
        names = ("field", "value", "rule", "sentence", "sentence_zh", "repair", "by")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Checked:
    """Rows of a chunk after checking.

    Attributes
    ----------
    good
        Which rows broke no rule.
    values
        Name of field to typed cells (Arrow), of all rows.
    shapes
        In EPSG:4326; None for a table.
    """

    good: NDArray[np.bool_]
    values: dict[str, pa.Array]
    shapes: Geometries | None
    violations: list[Violation] = field(default_factory=list)


def plain(heading: str) -> str:
    """Return a heading in the form in which headings are compared."""
    import re
    import unicodedata

    folded = unicodedata.normalize("NFKC", heading).replace("\ufeff", "").casefold()
    return re.sub(r"[\W_]+", "", folded)


def unique_headings(given: Iterable[object]) -> list[str]:
    """Return headings that are all there and all different: ``column 3`` for an empty one, ``name (2)`` for a second.

    A file that says the same heading twice says nothing about which is meant; neither is lost.
    """
    import unicodedata

    made: list[str] = []
    for number, each in enumerate(given, start=1):
        text = "" if each is None else unicodedata.normalize("NFKC", str(each)).replace("\x00", "")
        name = " ".join(text.replace("\ufeff", "").split())[:200] or f"column {number}"
        wanted, count = name, 1
        while wanted in made:
            count += 1
            wanted = f"{name} ({count})"
        made.append(wanted)
    return made


def in_chunks(rows: Iterable[Sequence[str | None]], headings: Sequence[str], size: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Give rows of cells as chunks; a row that is too short ends in empty cells."""
    first, kept = 1, []
    for row in rows:
        kept.append(row)
        if len(kept) == size:
            yield _chunk(first, kept, headings)
            first, kept = first + size, []
    if kept:
        yield _chunk(first, kept, headings)


def _chunk(first: int, rows: Sequence[Sequence[str | None]], headings: Sequence[str]) -> Chunk:
    columns = {
        heading: pa.array([row[place] if place < len(row) else None for row in rows], pa.string())
        for place, heading in enumerate(headings)
    }
    return Chunk(first, columns)
