"""Tasks and workers from CSV files, and travel times where there is no matrix; no database."""

from __future__ import annotations

import csv
import io
import math
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from dispatch.plan_model import Commitment, Problem, Task, Weights, Worker

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 20_000
MOST_SHOWN = 40
_MORE = "more cells than the heading"
DETOUR = 1.3
SPEED_M_S = 25 / 3.6
"""Straight line × detour at this speed, where no matrix is given."""
EARTH_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be used; the heading is row 1, as a spreadsheet counts."""

    file: str
    row: int
    id: str
    en: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row} ({self.id or 'no id'}): {self.en}"


@dataclass(frozen=True, eq=False)
class Files:
    """A problem out of files, with the rows that are set aside and how the ways were come by."""

    problem: Problem
    faults: tuple[Fault, ...]
    task_rows: Mapping[str, int]
    worker_rows: Mapping[str, int]
    travel: str


class Wrong(Exception):
    """A cell that cannot be read."""


def refuse(what: str) -> None:
    """Raise that a cell cannot be read."""
    raise Wrong(what)


def read_files(tasks: Path, workers: Path, matrix: Path | None, weights: Weights | None = None) -> Files:
    """Return the problem that two CSV files and a matrix of seconds (``.npy``, workers first, then tasks) state.

    Raises
    ------
    InvalidInput
        When a file is missing, has not the columns, or the matrix does not fit the files.
    """
    faults: list[Fault] = []
    people, people_rows, people_places, people_lines = table_of(workers, worker_of, ("id",), faults)
    most = max(1, len(people_lines))
    work, work_rows, work_places, work_lines = table_of(
        tasks, lambda cells: _task(cells, most), ("id", "service_s"), faults
    )
    people_total, work_total = len(people_lines), len(work_lines)
    total = people_total + work_total
    at = np.searchsorted(np.array(people_lines, np.int64), np.array(people_rows, np.int64))
    task_at = np.searchsorted(np.array(work_lines, np.int64), np.array(work_rows, np.int64)) + people_total
    if matrix is None:
        places = np.full((total, 2), np.nan)
        places[at], places[task_at] = np.array(people_places).reshape(-1, 2), np.array(work_places).reshape(-1, 2)
        travel_s = straight_lines(places)
        travel = f"straight line × {DETOUR} at {SPEED_M_S * 3.6:.0f} km/h (no matrix was given)"
    else:
        travel_s, travel = _matrix(matrix, people_total, work_total), f"matrix {matrix.name}"
    problem = Problem(work, people, travel_s, weights or Weights(), worker_at=at, task_at=task_at)
    task_row = {str(each.id): row for each, row in zip(reversed(work), reversed(work_rows), strict=True)}
    worker_row = {str(each.id): row for each, row in zip(reversed(people), reversed(people_rows), strict=True)}
    return Files(problem, tuple(faults), task_row, worker_row, travel)


def straight_lines(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return seconds between places (longitude, latitude), straight line × detour; nan where a place is unknown."""
    lon, lat = np.radians(places[:, 0]), np.radians(places[:, 1])
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    metres = 2 * EARTH_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return np.asarray(metres * DETOUR / SPEED_M_S, np.float32)


def _matrix(path: Path, workers: int, tasks: int) -> NDArray[np.float32]:
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)  # a wrong shape is seen before it takes room
    except (OSError, ValueError, EOFError, OverflowError, tokenize.TokenError) as error:  # the last: a torn heading
        raise InvalidInput(f"The matrix {path.name} cannot be read.", hint="Give a .npy file of numbers.") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise InvalidInput(f"The matrix {path.name} holds no numbers.", hint="Give a .npy file of seconds.")
    wanted = (workers + tasks, workers + tasks)
    if values.shape != wanted:
        raise InvalidInput(
            f"The matrix {path.name} has the shape {values.shape}; {workers} workers and {tasks} tasks need {wanted}.",
            hint="Give workers first, then tasks, a row and a column for each row of the files.",
        )
    # A missing time is a wrong figure of the matrix, like one below zero: a place off the network has none at all.
    with np.errstate(over="ignore"):  # what is beyond is no way at all
        return np.where(np.isnan(values), -1, values).astype(np.float32)


def table_of(
    path: Path, make: Callable[[Mapping[str, str]], Any], needed: tuple[str, ...], faults: list[Fault]
) -> tuple[list[Any], list[int], list[tuple[float, float]], list[int]]:
    """Return what the rows of a file state, their row numbers and places, and all row numbers, wrong ones too."""
    made, rows, places, lines = [], [], [], []
    seen: dict[str, int] = {}
    for row, cells in _rows(path, needed):
        lines.append(row)
        try:
            name = cells["id"]
            if cells.get(_MORE):
                refuse("it has more cells than the heading, as with a comma within a number")
            if not name:
                refuse("the id is missing")
            if not name.isprintable():
                refuse("the id holds a sign that is not printed, as of a quotation mark that was not closed")
            if name in seen:
                refuse(f"the same id stands in row {seen[name]}")
            seen[name] = row
            place = _place(cells)
            made.append(make(cells))
        except Wrong as wrong:
            shown = "".join(sign if sign.isprintable() else " " for sign in cells["id"][:MOST_SHOWN])
            faults.append(Fault(path.name, row, shown, str(wrong)))
            continue
        rows.append(row)
        places.append(place)
    return made, rows, places, lines


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{path.name} is larger than {MOST_BYTES // 2**20} MiB.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{path.name} cannot be read.", hint="Look whether the file is there.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name} is not UTF-8 text.", hint="Save it as CSV UTF-8.") from error
    try:
        reader = csv.DictReader(io.StringIO(text.rstrip(), newline=""), restkey=_MORE, restval="")
        reader.fieldnames = _heading(path.name, reader.fieldnames or (), needed)
        for count, cells in enumerate(reader, 1):
            if count > MOST_ROWS:
                raise InvalidInput(f"{path.name} has more than {MOST_ROWS:,} rows.")
            more = "".join(cells.pop(_MORE, ()))
            row = reader.line_num - sum(value.count("\n") for value in cells.values())
            yield row, {key: value.strip() for key, value in cells.items() if key} | {_MORE: more}
    except csv.Error as error:
        raise InvalidInput(f"{path.name} is no CSV: {error}.") from error


def _heading(file: str, given: Sequence[str], needed: Sequence[str]) -> list[str]:
    """Return the names of the columns; raise where one is missing or stands twice."""
    heading = [name.strip() for name in given]
    missing = [name for name in needed if name not in heading]
    if missing:
        found = ", ".join(heading)[: 3 * MOST_SHOWN] or "nothing"
        raise InvalidInput(
            f"{file} lacks the column {missing[0]}.",
            hint=f"Needed, parted by commas: {', '.join(needed)}; found: {found}.",
        )
    twice = [name for name in heading if name and heading.count(name) > 1]
    if twice:
        raise InvalidInput(f"{file} has the column {twice[0]} twice.", hint="Leave one of them.")
    return heading


def _place(cells: Mapping[str, str]) -> tuple[float, float]:
    """Return longitude and latitude, nan when not given: a matrix may do without."""
    lon, lat = number(cells, "lon", math.nan), number(cells, "lat", math.nan)
    if math.isnan(lon) or math.isnan(lat):
        return math.nan, math.nan
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Wrong(f"the place {lon}, {lat} is not on the earth")
    return lon, lat


def _task(cells: Mapping[str, str], most: int) -> Task:
    """Return the task that a row states; it asks for no more workers than there are."""
    several = whole(cells, "workers", 1)
    if several > most:
        raise Wrong(f"workers is {several}, and the file of workers has {most}")
    skills = names(cells, "skill") | names(cells, "skills")
    prize = number(cells, "prize", math.nan)
    return Task(
        id=cells["id"],
        service_s=number(cells, "service_s", None),
        priority=whole(cells, "priority", 2),
        earliest_s=number(cells, "earliest_s", 0.0),
        due_s=number(cells, "due_s", math.inf),
        latest_s=number(cells, "latest_s", math.inf),
        skills=skills,
        equipment=names(cells, "equipment"),
        size=number(cells, "size", 0.0),
        prize_s=None if math.isnan(prize) else prize,
        grid=cells.get("grid") or None,
        workers=several,
        pinned=frozenset(names(cells, "pinned")),
        excluded=frozenset(names(cells, "excluded")),
        accepted_by=cells.get("accepted_by") or None,
    )


def worker_of(cells: Mapping[str, str]) -> Worker:
    """Return the worker that a row states."""
    at, left_s = cells.get("at_task"), number(cells, "left_s", math.nan)
    return Worker(
        id=cells["id"],
        start_s=number(cells, "start_s", 0.0),
        end_s=number(cells, "end_s", math.inf),
        overtime_s=number(cells, "overtime_s", 0.0),
        skills=names(cells, "skills"),
        equipment=names(cells, "equipment"),
        capacity=number(cells, "capacity", math.inf),
        grids=names(cells, "grids"),
        commitments=(Commitment(at, None if math.isnan(left_s) else left_s),) if at else (),
    )


def names(cells: Mapping[str, str], column: str) -> frozenset[str]:
    """Return the names of a cell, which semicolons separate."""
    return frozenset(part.strip() for part in cells.get(column, "").split(";") if part.strip())


def number(cells: Mapping[str, str], column: str, default: float | None) -> float:
    """Return the number of a cell, the default where it is empty; without a default it must be there."""
    text = cells.get(column, "")
    if not text:
        if default is None:
            raise Wrong(f"{column} is missing")
        return default
    try:
        value = float(text)
    except ValueError:
        raise Wrong(f"{column} is {text!r}, not a number") from None
    if math.isnan(value):
        raise Wrong(f"{column} is not a number")
    return value


def whole(cells: Mapping[str, str], column: str, default: int) -> int:
    """Return the whole number of a cell, the default where it is empty."""
    value = number(cells, column, float(default))
    if not math.isfinite(value) or value != int(value):
        raise Wrong(f"{column} is {value}, not a whole number")
    return int(value)
