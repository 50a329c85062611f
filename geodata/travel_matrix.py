"""Matrices of travel times with named rows and columns: computed on streets, or a planner's own from a file."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InvalidInput, NotFound
from geodata.archives import LARGEST_BYTES, read_arrays
from geodata.files import CELLS_AT_MOST, Table, read_table
from geodata.network import RoadNetwork
from geodata.travel import matrix_s
from geodata.travel_files import Points

LONGEST_S = 1e8
"""Longer ways are marks of no way, written as a number."""
Floats32 = NDArray[np.float32]
Names = NDArray[np.str_]
_PARTS = ("od_s", "origins", "destinations")
_FROM = ("origin", "from", "origin_id", "from_id", "起点")
_TO = ("destination", "to", "destination_id", "to_id", "终点")
_SECONDS = {
    "seconds": 1.0,
    "travel_s": 1.0,
    "time_s": 1.0,
    "minutes": 60.0,
    "travel_min": 60.0,
    "秒": 1.0,
    "分钟": 60.0,
}


class TravelTimes(Protocol):
    """Whoever knows how long it takes from places to places."""

    def od_s(self, origins: Points, destinations: Points) -> Floats32:
        """Return seconds, shape (origins, destinations); infinite where no way leads."""


@dataclass(frozen=True, eq=False)
class StreetTimes:
    """Times on a road network, found for any places."""

    network: RoadNetwork

    def od_s(self, origins: Points, destinations: Points) -> Floats32:
        """Return seconds, shape (origins, destinations); infinite where no way leads."""
        return matrix_s(self.network, self.network.snap(origins.lonlat), self.network.snap(destinations.lonlat))


@dataclass(frozen=True, eq=False)
class Matrix:
    """Times between named places, as given.

    Attributes
    ----------
    origins, destinations
        Names of rows and columns, each once.
    seconds
        Shape (origins, destinations); infinite where no way leads.
    ordered
        Whether rows and columns stand in an order of their own; those of a table of pairs stand in none.
    """

    origins: Names
    destinations: Names
    seconds: Floats32
    ordered: bool = True

    def od_s(self, origins: Points, destinations: Points) -> Floats32:
        """Return the seconds between places by their names.

        Raises
        ------
        NotFound
            When a place is not in the matrix; says how many and which.
        """
        rows = _places(self.origins, origins.ids, "rows")
        columns = _places(self.destinations, destinations.ids, "columns")
        return np.ascontiguousarray(self.seconds[np.ix_(rows, columns)])


def read_matrix(path: Path, *, most_bytes: int | None = None) -> Matrix:
    """Return a matrix of travel times from a file.

    ``.npz`` as `write_matrix` writes it; a table (CSV, Excel) with columns origin, destination and seconds (or
    minutes), a row per pair; or a table with the origins in the first column and a column of seconds for each
    destination. An empty cell or a missing pair has no way.

    Parameters
    ----------
    most_bytes
        That a file may unpack to; None: `LARGEST_BYTES`, of a table what the settings allow.

    Raises
    ------
    InvalidInput
        When it is none of these, a name stands twice, or a time is negative, no number or above `LONGEST_S`; says
        how many.
    """
    if path.suffix.lower() == ".npz":
        return _checked(_from_npz(path, most_bytes or LARGEST_BYTES), path.name)
    table = read_table(path, most_bytes=most_bytes)
    headings = {heading.lower().strip(): heading for heading in table.columns}
    start = next((headings[name] for name in _FROM if name in headings), None)
    goal = next((headings[name] for name in _TO if name in headings), None)
    return _checked(_by_pairs(table, headings, start, goal) if start and goal else _by_rows(table), path.name)


def write_matrix(path: Path, matrix: Matrix) -> None:
    """Write a matrix as ``.npz`` (od_s, origins, destinations); it stands there whole or not at all.

    Raises
    ------
    InvalidInput
        When the folder is not there or cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".new-", suffix=".npz", dir=path.parent)
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written: {error.strerror}.", hint="Name a folder that is there."
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, od_s=matrix.seconds, origins=matrix.origins, destinations=matrix.destinations)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _from_npz(path: Path, most_bytes: int) -> Matrix:
    parts = read_arrays(
        path, _PARTS, what="matrix file", hint="Names are texts or numbers.", most_bytes=most_bytes
    )  # fmt: skip
    missing = set(_PARTS) - set(parts)
    if missing:
        raise InvalidInput(
            f"{path.name} has no {', '.join(sorted(missing))}.", hint="It needs od_s, origins, destinations."
        )
    seconds, ones, others = (parts[name] for name in _PARTS)
    if seconds.ndim != 2 or seconds.shape != (ones.size, others.size) or seconds.dtype.kind not in "fiu":
        raise InvalidInput(f"{path.name}: od_s has shape {seconds.shape}, not ({ones.size}, {others.size}).")
    return Matrix(_names(ones, path.name), _names(others, path.name), _seconds(seconds))


def _names(given: NDArray[Any], name: str) -> Names:
    try:
        return given.ravel().astype(str)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name}: names in bytes are no texts ({error}).", hint="Write them as texts.") from error


def _seconds(given: NDArray[Any]) -> Floats32:
    """Return seconds as they are kept; what is too long stays too long and does not turn infinite."""
    values = given.astype(np.float64)
    return np.where(np.isfinite(values), np.minimum(values, 2 * LONGEST_S), values).astype(np.float32)


def _by_pairs(table: Table, headings: dict[str, str], start: str, goal: str) -> Matrix:
    unit = next((name for name in _SECONDS if name in headings), None)
    if unit is None:
        raise InvalidInput(f"{table.name} has no column of times.", hint="Call it seconds or minutes.")
    ones, row = np.unique(table.columns[start].astype(str), return_inverse=True)
    others, column = np.unique(table.columns[goal].astype(str), return_inverse=True)
    cells = row * len(others) + column
    if len(np.unique(cells)) < len(cells):
        raise InvalidInput(f"{table.name}: {len(cells) - len(np.unique(cells)):,} pairs stand twice.")
    if len(ones) * len(others) > CELLS_AT_MOST:
        raise InvalidInput(f"{table.name} has pairs of {len(ones):,} by {len(others):,} places; that is too large.")
    seconds = np.full((len(ones), len(others)), np.inf, dtype=np.float32)
    seconds[row, column] = _seconds(_numbers(table.columns[headings[unit]]) * _SECONDS[unit])
    return Matrix(ones, others, seconds, ordered=False)


def _by_rows(table: Table) -> Matrix:
    if len(table.columns) < 2:  # a map file may have none
        raise InvalidInput(
            f"{table.name} has {'one' if table.columns else 'no'} column.",
            hint="Origins stand in the first, destinations beside it.",
        )
    first, *others = table.columns
    seconds = np.column_stack([_numbers(table.columns[name]) for name in others])
    return Matrix(table.columns[first].astype(str), np.array(others, dtype=str), _seconds(seconds))


def _numbers(cells: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return numbers; infinite where a cell is empty, NaN where it is no number."""
    given = np.asarray(pd.to_numeric(pd.Series(cells), errors="coerce"), dtype=np.float64)
    return np.where(cells == "", np.inf, given)


def _checked(matrix: Matrix, name: str) -> Matrix:
    bad = int((~(matrix.seconds >= 0)).sum())
    if bad:
        raise InvalidInput(
            f"{name}: {bad:,} of {matrix.seconds.size:,} times are negative or no number.",
            hint="Leave a cell empty where no way leads.",
        )
    long = int((np.isfinite(matrix.seconds) & (matrix.seconds > LONGEST_S)).sum())
    if long:
        raise InvalidInput(
            f"{name}: {long:,} of {matrix.seconds.size:,} times are above {LONGEST_S:,.0f} seconds.",
            hint="Where no way leads, leave the cell empty, or write infinite in an archive.",
        )
    for what, names in (("rows", matrix.origins), ("columns", matrix.destinations)):
        twice = len(names) - len(np.unique(names))
        if twice:
            raise InvalidInput(f"{name}: {twice:,} names of {what} stand twice.", hint="Each place needs one name.")
    return matrix


def _places(names: Names, wanted: Names, what: str) -> NDArray[np.int64]:
    order = np.argsort(names, kind="stable")
    at = np.minimum(np.searchsorted(names, wanted, sorter=order), len(names) - 1)
    found = order[at]
    missing = wanted[names[found] != wanted]
    if len(missing):
        shown = ", ".join(str(each) for each in missing[:5]) + (" …" if len(missing) > 5 else "")
        raise NotFound(f"{len(missing):,} of {len(wanted):,} places are not in the {what} of the matrix: {shown}.")
    return found
