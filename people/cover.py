"""Who covers which responsibility grid when: the home worker, a deputy, or nobody for a named reason."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from people.roster import DAY_MIN, NONE, Flags, Ints, Roster, Shifts, moments, ordinal


class Reason(enum.StrEnum):
    """Why nobody covers a grid; the order is from nothing there at all to nearly covered."""

    NO_WORKER = "no_worker"
    FREE_DAY = "free_day"
    AWAY = "away"
    DEPUTY_OFF = "deputy_off"
    OFF_SHIFT = "off_shift"
    TOO_FEW = "too_few"


REASONS = tuple(Reason)


class State(enum.StrEnum):
    """Whether a grid is covered at a moment; ``REST`` is outside the hours that need anybody."""

    HOME = "home"
    DEPUTY = "deputy"
    UNCOVERED = "uncovered"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Member:
    """A worker as the roster needs one."""

    id: int
    code: str
    grid_id: int | None


@dataclass(frozen=True, slots=True)
class GridNeed:
    """A responsibility grid and how many workers it needs at a time."""

    id: int
    code: str
    name: str
    name_zh: str | None
    need: int


@dataclass(frozen=True, slots=True)
class Home:
    """A responsibility grid with its own workers, as rows of the roster; ``need`` is how many at a time."""

    grid_id: int
    workers: tuple[int, ...]
    need: int = 1


@dataclass(frozen=True, eq=False, slots=True)
class Cover:
    """Every time in which somebody covers a grid; a shift that passes midnight stands for each of its two days.

    Attributes
    ----------
    grid, day, worker
        Indices of the grid, of the day of the window, and of the worker who covers.
    start_s, end_s
        Within the window of the day.
    deputy
        Whether the worker stands in.
    """

    grid: Ints
    day: Ints
    worker: Ints
    start_s: Ints
    end_s: Ints
    deputy: Flags


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a grid is short of workers; indices of grid and day as in the cover."""

    grid: int
    day: int
    start_s: int
    end_s: int
    present: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class GridState:
    """A grid at a moment: who is there, as rows of the roster, or why nobody is."""

    state: State
    workers: tuple[int, ...] = ()
    reason: Reason | None = None


def windows(roster: Roster, zone: ZoneInfo, from_min: int, to_min: int) -> tuple[Ints, Ints]:
    """Return begin and end of the hours that need cover on each day of the roster."""
    base = (ordinal(roster.first) + np.arange(roster.days)) * DAY_MIN
    return moments(base + from_min, zone), moments(base + to_min, zone)


def cover_of(roster: Roster, shifts: Shifts, homes: Sequence[Home], window: tuple[Ints, Ints]) -> Cover:
    """Return who covers which grid when, within the window of each day."""
    grids = np.array([index for index, home in enumerate(homes) for _ in home.workers], dtype=np.int64)
    owners = np.array([row for home in homes for row in home.workers], dtype=np.int64)
    # A shift counts for the own grid and for that of everybody the worker stands in for on the day.
    known = np.full(roster.start_min.shape, NONE, dtype=np.int64)
    known[shifts.worker, shifts.day] = np.arange(len(shifts))
    place, day = np.nonzero(known[owners] >= 0)
    own = known[owners[place], day]
    lacking, on = np.nonzero((roster.deputy[owners] >= 0) & roster.away[owners])
    stands = roster.deputy[owners[lacking], on]
    theirs = known[stands, on]
    lacking, theirs = lacking[theirs >= 0], theirs[theirs >= 0]
    grid = np.concatenate([grids[place], grids[lacking]])
    shift = np.concatenate([own, theirs])
    deputy = np.concatenate([np.zeros(len(own), dtype=np.bool_), np.ones(len(theirs), dtype=np.bool_)])
    # Who stands in for a colleague of the same grid, or for two of them, is still one.
    _, once = np.unique(grid * max(len(shifts), 1) + shift, return_index=True)
    grid, shift, deputy = grid[once], shift[once], deputy[once]
    parts = []
    for after in (0, 1):
        column = shifts.day[shift] + after
        inside = np.flatnonzero(column < roster.days)
        column, which = column[inside], shift[inside]
        start = np.maximum(shifts.start_s[which], window[0][column])
        end = np.minimum(shifts.end_s[which], window[1][column])
        real = start < end
        parts.append((grid[inside], column, shifts.worker[which], start, end, deputy[inside], real))
    joined = [np.concatenate([part[at][part[6]] for part in parts]) for at in range(6)]
    return Cover(*joined)


def reasons(roster: Roster, homes: Sequence[Home]) -> NDArray[np.int8]:
    """Return why each grid would be short on each day when nobody covers it: place in `REASONS`, (grids, days)."""
    found = np.full((len(homes), roster.days), REASONS.index(Reason.NO_WORKER), dtype=np.int8)
    for index, home in enumerate(homes):
        rows = list(home.workers)
        if not rows:
            continue
        works = (roster.start_min[rows] >= 0).any(axis=0)
        away = roster.away[rows]
        stands = (away & (roster.deputy[rows] >= 0)).any(axis=0)
        found[index] = np.select(
            [works, stands, away.any(axis=0)],
            [REASONS.index(each) for each in (Reason.OFF_SHIFT, Reason.DEPUTY_OFF, Reason.AWAY)],
            REASONS.index(Reason.FREE_DAY),
        )
    return found


def gaps(roster: Roster, cover: Cover, homes: Sequence[Home], window: tuple[Ints, Ints]) -> tuple[Gap, ...]:
    """Return the times within the windows in which a grid has fewer workers than it needs, by grid and time."""
    count, days = len(homes), roster.days
    if not count or not days:
        return ()
    cells = np.arange(count * days)
    key = np.concatenate([cells, cells, cover.grid * days + cover.day, cover.grid * days + cover.day])
    at = np.concatenate([np.tile(window[0], count), np.tile(window[1], count), cover.start_s, cover.end_s])
    ones = np.ones(len(cover.grid), dtype=np.int64)
    step = np.concatenate([np.zeros(2 * len(cells), dtype=np.int64), ones, -ones])
    order = np.lexsort((at, key))
    key, at, present = key[order], at[order], np.cumsum(step[order])
    need = np.array([home.need for home in homes], dtype=np.int64)
    short = (key[1:] == key[:-1]) & (at[1:] > at[:-1]) & (present[:-1] < need[key[:-1] // days])
    why = reasons(roster, homes)
    found: list[Gap] = []
    for place in np.flatnonzero(short).tolist():
        grid, day = divmod(int(key[place]), days)
        start, end, there = int(at[place]), int(at[place + 1]), int(present[place])
        last = found[-1] if found else None
        if last is not None and (last.grid, last.day, last.end_s, last.present) == (grid, day, start, there):
            found[-1] = Gap(grid, day, last.start_s, end, there, last.reason)
        else:
            found.append(Gap(grid, day, start, end, there, Reason.TOO_FEW if there else REASONS[why[grid, day]]))
    return tuple(found)


def states_at(
    roster: Roster, cover: Cover, homes: Sequence[Home], window: tuple[Ints, Ints], *, moment_s: int, day: int
) -> list[GridState]:
    """Return how each grid stands at a moment of a day; ``cover`` should hold the whole day."""
    here = np.flatnonzero((cover.start_s <= moment_s) & (moment_s < cover.end_s))
    there: dict[int, list[tuple[bool, int]]] = {}
    for place in here.tolist():
        there.setdefault(int(cover.grid[place]), []).append((bool(cover.deputy[place]), int(cover.worker[place])))
    why = reasons(roster, homes)
    awake = bool(window[0][day] <= moment_s < window[1][day])
    found = []
    for index, home in enumerate(homes):
        who = sorted(there.get(index, []))
        workers = tuple(row for _, row in who)
        if len({*workers}) >= home.need > 0 or (workers and home.need == 0):
            found.append(GridState(State.HOME if not who[0][0] else State.DEPUTY, workers))
        elif home.need == 0 or not awake:
            found.append(GridState(State.REST, workers))
        else:
            found.append(GridState(State.UNCOVERED, workers, Reason.TOO_FEW if workers else REASONS[why[index, day]]))
    return found
