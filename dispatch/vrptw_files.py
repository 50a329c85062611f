"""Benchmark files of vehicle routing with time windows in the layout of VRPLIB: every figure checked, by its line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

MOST_BYTES = 16 * 1024 * 1024
MOST_PLACES = 5_000
FARTHEST = 1e6
"""The largest coordinate, time or demand: beyond, tenths are no longer told apart."""
_WIDTH = {"NODE_COORD_SECTION": 3, "DEMAND_SECTION": 2, "TIME_WINDOW_SECTION": 3, "SERVICE_TIME_SECTION": 2}
_NEEDED = ("NODE_COORD_SECTION", "DEMAND_SECTION", "TIME_WINDOW_SECTION", "DEPOT_SECTION")
_LAYOUT = "Give a file of vehicle routing with time windows."


@dataclass(frozen=True, slots=True)
class Places:
    """What a file states, in its own unit; row k of each array is place ``k + 1``."""

    name: str
    xy: NDArray[np.float64]
    demand: NDArray[np.float64]
    windows: NDArray[np.float64]
    service: NDArray[np.float64]
    depot: int
    vehicles: int
    room: float


@dataclass(slots=True)
class _Lines:
    """A file taken apart: the value and line of each heading, the rows of each section with their lines."""

    file: str
    head: dict[str, tuple[int, str]] = field(default_factory=dict)
    sections: dict[str, list[tuple[int, list[float]]]] = field(default_factory=dict)

    def wrong(self, line: int, what: str) -> InvalidInput:
        """Return the error of a line."""
        return InvalidInput(f"{self.file}, line {line}: {what}.")

    def value(self, key: str, least: float) -> float:
        """Return the figure of a heading."""
        if key not in self.head:
            raise InvalidInput(f"{self.file} has no {key}.", hint=_LAYOUT)
        line, text = self.head[key]
        try:
            value = float(text)
        except ValueError:
            raise self.wrong(line, f"{key} is {text[:40]!r}, not a number") from None
        if not least <= value <= FARTHEST:
            raise self.wrong(line, f"{key} is {text[:40]}; it must lie between {least:g} and {FARTHEST:,.0f}")
        return value


def read_places(path: Path) -> Places:
    """Return what a file states.

    Raises
    ------
    InvalidInput
        When the file is not there, not of this layout, or a figure in it cannot be, naming the line.
    """
    lines = _taken_apart(path)
    for name in _NEEDED:
        if not lines.sections.get(name):
            raise InvalidInput(f"{path.name} has no {name}.", hint=_LAYOUT)
    kind = lines.head.get("EDGE_WEIGHT_TYPE", (0, "EUC_2D"))
    if kind[1] != "EUC_2D":
        raise lines.wrong(kind[0], f"ways of the kind {kind[1][:40]!r} are not read, only EUC_2D")
    xy = _by_place(lines, "NODE_COORD_SECTION", -FARTHEST, None)
    count = len(xy)
    if "DIMENSION" in lines.head and lines.value("DIMENSION", 1) != count:
        raise lines.wrong(lines.head["DIMENSION"][0], f"DIMENSION is not {count}, which is how many places follow")
    windows = _by_place(lines, "TIME_WINDOW_SECTION", 0, count)
    for line, (place, early, late) in lines.sections["TIME_WINDOW_SECTION"]:
        if late < early:
            raise lines.wrong(line, f"the window of place {place:g} ends ({late:g}) before it begins ({early:g})")
    if "SERVICE_TIME_SECTION" in lines.sections:
        service = _by_place(lines, "SERVICE_TIME_SECTION", 0, count)[:, 0]
    else:
        service = np.full(count, lines.value("SERVICE_TIME", 0))
    vehicles = lines.value("VEHICLES", 1)
    if vehicles != int(vehicles):
        raise lines.wrong(lines.head["VEHICLES"][0], f"VEHICLES is {vehicles:g}, not a whole number")
    return Places(
        lines.head.get("NAME", (0, path.stem))[1],
        xy,
        _by_place(lines, "DEMAND_SECTION", 0, count)[:, 0],
        windows,
        service,
        _depot(lines, count),
        int(vehicles),
        lines.value("CAPACITY", 0),
    )


def _depot(lines: _Lines, count: int) -> int:
    """Return the row of the only depot."""
    (line, depot), *others = lines.sections["DEPOT_SECTION"]
    if len(depot) != 1 or depot[0] not in range(1, count + 1):
        raise lines.wrong(line, f"the depot is not one of the places 1 to {count}")
    for more, other in others:
        if other != [-1]:
            raise lines.wrong(more, "there is more than one depot")
    return int(depot[0]) - 1


def _taken_apart(path: Path) -> _Lines:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{path.name} is larger than {MOST_BYTES // 2**20} MiB.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} cannot be read.", hint="Look whether the file is there.") from error
    found, rows = _Lines(path.name), None
    for number, line in enumerate(text.splitlines(), 1):
        part = line.strip()
        if not part or part == "EOF":
            continue
        if part.endswith("_SECTION"):
            if part in found.sections:
                raise found.wrong(number, f"{part} stands a second time")
            rows = found.sections[part] = []
        elif rows is None:
            key, _, value = part.partition(":")
            found.head[key.strip()] = (number, value.strip())
        else:
            try:
                rows.append((number, [float(each) for each in part.split()]))
            except ValueError:
                raise found.wrong(number, f"{part[:40]!r} is no row of numbers") from None
    return found


def _by_place(lines: _Lines, section: str, least: float, count: int | None) -> NDArray[np.float64]:
    """Return the figures of a section in the order of the places, the number of the place left out."""
    rows, width = lines.sections[section], _WIDTH[section]
    total = len(rows) if count is None else count
    if total > MOST_PLACES:
        raise InvalidInput(f"{lines.file} has more than {MOST_PLACES:,} places.")
    values, seen = np.zeros((total, width - 1)), dict[int, int]()
    for line, row in rows:
        _check_row(lines, line, row, (width, total, least), seen)
        seen[int(row[0])] = line
        values[int(row[0]) - 1] = row[1:]
    missing = next((k for k in range(1, total + 1) if k not in seen), None)
    if missing is not None:
        raise InvalidInput(f"{lines.file}: place {missing} has no row in {section}.")
    return values


def _check_row(
    lines: _Lines, line: int, row: list[float], rule: tuple[int, int, float], seen: Mapping[int, int]
) -> None:
    """Raise what is wrong with a row of a section."""
    width, total, least = rule
    if len(row) != width:
        raise lines.wrong(line, f"{len(row)} numbers stand here, and {width} are needed")
    if row[0] not in range(1, total + 1):
        raise lines.wrong(line, f"{row[0]:g} is not one of the places 1 to {total}")
    if int(row[0]) in seen:
        raise lines.wrong(line, f"place {row[0]:g} stands in line {seen[int(row[0])]} already")
    for value in row[1:]:
        if not (math.isfinite(value) and least <= value <= FARTHEST):
            raise lines.wrong(line, f"{value:g} does not lie between {least:,.0f} and {FARTHEST:,.0f}")
