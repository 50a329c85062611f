"""A matrix of the planner's own: ways from people to candidates and to what is there, checked, packed, unpacked."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from geodata.network import Mode
from geodata.travel_matrix import Matrix
from geodata.travel_own import MatrixWays, matrix_ways

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
ROWS_AT_MOST = 2500
COLUMNS_AT_MOST = 4000
SHOWN = 5
ALIKE_S = 5.0
"""Seconds by which the ways of two places a metre apart may differ."""
UNPACKED_AT_MOST = 256 << 20
"""Bytes of an archive; the largest matrix takes 80 MB and its names little."""


@dataclass(frozen=True, eq=False)
class Expected:
    """The places that a matrix is about, in the order of its rows and columns.

    Attributes
    ----------
    rows, people
        Longitude and latitude of the people, shape (n, 2), and how many they are at each.
    candidates, there
        Longitude and latitude of where something could stand, and of the facilities that are there; the columns.
    kind
        What the facilities are; None where none count.
    demand
        Whose people they are, in words.
    """

    rows: Floats
    people: Floats
    candidates: Floats
    there: Floats
    kind: str | None
    demand: str = ""

    @property
    def columns(self) -> Floats:
        """Return longitude and latitude of all columns."""
        return np.concatenate([self.candidates, self.there])

    @property
    def row_names(self) -> list[str]:
        """Return the name of each row."""
        return [f"p{at}" for at in range(1, len(self.rows) + 1)]

    @property
    def column_names(self) -> list[str]:
        """Return the name of each column: c for a candidate, f for a facility that is there."""
        return [f"c{at}" for at in range(1, len(self.candidates) + 1)] + [
            f"f{at}" for at in range(1, len(self.there) + 1)
        ]


@dataclass(frozen=True, eq=False)
class OwnMatrix:
    """A matrix with its places; `Expected` says what they are."""

    places: Expected
    od_s: Floats32

    @property
    def nearest_s(self) -> Floats:
        """Return seconds from each row to its nearest column; infinite where no way leads."""
        return np.asarray(self.od_s.min(axis=1, initial=np.inf), dtype=np.float64)

    @property
    def sha256(self) -> str:
        """Return the hash of all that it says."""
        places, made = self.places, hashlib.sha256()
        for part in (self.od_s, places.rows, places.people, places.candidates, places.there):
            made.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        made.update(repr(places.kind).encode())
        return made.hexdigest()

    def ways(self, mode: Mode, metric_srid: int) -> MatrixWays:
        """Return its ways in place of a road network."""
        return matrix_ways(self.od_s, self.places.rows, self.places.columns, mode=mode, metric_srid=metric_srid)

    def packed(self) -> bytes:
        """Return it as an archive."""
        into, places = io.BytesIO(), self.places
        np.savez_compressed(
            into, od_s=self.od_s, rows=places.rows, people=places.people, candidates=places.candidates,
            there=places.there, words=np.array([places.kind or "", places.demand]),
        )  # fmt: skip
        return into.getvalue()

    @classmethod
    def unpacked(cls, archive: bytes) -> OwnMatrix:
        """Return it as `packed` wrote it."""
        with np.load(io.BytesIO(archive), allow_pickle=False) as file:
            kind, demand = (str(each) for each in file["words"])
            places = Expected(
                file["rows"], file["people"], file["candidates"], file["there"], kind or None, demand
            )  # fmt: skip
            return cls(places, file["od_s"])


def fitted(matrix: Matrix, places: Expected, name: str) -> OwnMatrix:
    """Return a matrix as it was read, brought into the order of its places.

    Rows and columns go by their names where these are those of the lists (p1, c1, f1 …); else by their order.

    Raises
    ------
    InvalidInput
        When it has another shape, some names are missing, or places at one spot have different ways; says how many.
    """
    rows, columns = places.row_names, places.column_names
    if len(rows) > ROWS_AT_MOST or len(columns) > COLUMNS_AT_MOST:
        raise InvalidInput(
            f"A matrix of {len(rows):,} by {len(columns):,} is too large.",
            hint=f"At most {ROWS_AT_MOST:,} rows and {COLUMNS_AT_MOST:,} columns.",
        )
    if not columns:
        raise InvalidInput(
            "There is no place the ways could lead to.", hint="Give candidates, or a kind that is there."
        )
    if matrix.seconds.shape != (len(rows), len(columns)):
        raise InvalidInput(
            f"{name} has {matrix.seconds.shape[0]:,} rows and {matrix.seconds.shape[1]:,} columns; the question has"
            f" {len(rows):,} places of people and {len(columns):,} of candidates and facilities.",
            hint="Take the lists of places beside the form: a row and a column for each, in their order.",
            zh=f"{name} 有 {matrix.seconds.shape[0]:,} 行 {matrix.seconds.shape[1]:,} 列；本问题有 {len(rows):,} 行"
            f"（人口点）、{len(columns):,} 列（候选点和设施）。请按表单旁的地点清单，每个地点一行、一列。",
        )
    order = tuple(
        _order(given, wanted, what, name, ordered=matrix.ordered)
        for given, wanted, what in ((matrix.origins, rows, "rows"), (matrix.destinations, columns, "columns"))
    )
    made = OwnMatrix(places, np.ascontiguousarray(matrix.seconds[np.ix_(*order)], dtype=np.float32))
    for what, at, values in (("rows", places.rows, made.od_s), ("columns", places.columns, made.od_s.T)):
        _one_place(what, at, values, name)
    return made


def _order(
    given: NDArray[np.str_], wanted: list[str], what: str, name: str, *, ordered: bool
) -> NDArray[np.int64]:  # fmt: skip
    """Return where each wanted name stands; as they stand where no name is known and they stand in an order."""
    at = {str(each).strip(): number for number, each in enumerate(given)}
    missing = [each for each in wanted if each not in at]
    if len(missing) == len(wanted) and not ordered:
        raise InvalidInput(
            f"{name} is a table of pairs, and its {what} do not have the names of the lists ({wanted[0]} …).",
            hint="Pairs stand in no order: name the places as in the lists, or bring a table with a row for each.",
            zh=f"{name} 是成对列出的表，其名称与地点清单不符（{wanted[0]} 等）。成对的行没有固定顺序："
            "请使用清单中的名称，或改用每个地点一行的表。",
        )
    if len(missing) == len(wanted):
        return np.arange(len(wanted))
    if missing:
        shown = ", ".join(missing[:SHOWN]) + (" …" if len(missing) > SHOWN else "")
        raise InvalidInput(
            f"{name}: {len(missing):,} of {len(wanted):,} {what} are missing: {shown}.",
            hint="Name all of them as in the lists of places, or none.",
        )
    return np.array([at[each] for each in wanted], dtype=np.int64)


def _one_place(what: str, at: Floats, values: Floats32, name: str) -> None:
    """Give places that are the same spot the ways of the first; refuse ways that differ by more than `ALIKE_S`."""
    _, first, which = np.unique(np.round(at, 5), axis=0, return_index=True, return_inverse=True)
    known = values[first[which.reshape(-1)]]
    both = np.isfinite(values) & np.isfinite(known)
    apart = np.abs(np.where(both, values, 0) - np.where(both, known, 0))
    other = ~((values == known) | (both & (apart <= ALIKE_S))).all(axis=1)
    if other.any():
        raise InvalidInput(
            f"{name}: {int(other.sum()):,} {what} lie at the place of another and have other ways.",
            hint="Give them the same ways, or move one of them by some metres.",
        )
    values[:] = known
