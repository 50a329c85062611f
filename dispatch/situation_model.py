"""The situation of dispatch: open work, who is on shift and where; no input or output here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dispatch.model import Place
from dispatch.plan_model import Break, Id, Problem, Reason

LEAST_LEFT_S = 120.0
"""Whoever is on site needs at least so long still."""
BREAK_FROM, BREAK_TO = 0.4, 0.6
"""The part of a shift in which its break begins; after it the break is taken to be over."""


@dataclass(frozen=True, slots=True)
class WorkRow:
    """An open incident with the task a worker has on it; without a task it waits to be sent out."""

    incident_id: int
    number: str
    class_id: int
    class_en: str
    class_zh: str
    status: str
    priority: int
    emergency: bool
    due_at: dt.datetime | None
    postponed_until: dt.datetime | None
    unit_id: int | None
    lon: float
    lat: float
    version: int
    grid: str | None
    skills: Sequence[str] = ()
    equipment: Sequence[str] = ()
    workers: int = 1
    service_min: float = 0.0
    task_id: int | None = None
    task_version: int | None = None
    kind: str = "handle"
    joint: bool = False
    state: str = ""
    worker_id: int | None = None
    created_at: dt.datetime | None = None
    accepted_at: dt.datetime | None = None
    task_due_at: dt.datetime | None = None
    planned_start: dt.datetime | None = None
    place_in_route: int | None = None
    on_way_at: dt.datetime | None = None
    arrived_at: dt.datetime | None = None
    expected_done_at: dt.datetime | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Crew:
    """A worker on shift, and where the plan takes him to be."""

    id: int
    code: str
    place: Place | None


@dataclass(frozen=True, eq=False)
class Situation:
    """A problem with what its tasks and workers are, in the same order.

    Attributes
    ----------
    running
        Staff number to ids of tasks as they are given out now, in order.
    barred
        Ids of tasks that somebody is kept from: he refused, did not answer, or was taken back.
    told
        What has to be known about how it was reckoned.
    left
        Work of workers who are not on shift that no plan can move, with the staff number of its worker, and of who
        on shift answers for its grid; it is no part of the problem.
    absent
        Worker id to staff number of those who are not on shift.
    parts
        Incident to worker id and task of those who were told to come along, and whom the plan of who leads places.
    """

    at: dt.datetime
    problem: Problem
    work: Sequence[WorkRow]
    crew: Sequence[Crew]
    running: Mapping[Id, tuple[Id, ...]]
    barred: frozenset[Id]
    told: tuple[Reason, ...]
    places: NDArray[np.float64]
    left: Sequence[tuple[WorkRow, str, str | None]] = ()
    absent: Mapping[int, str] = field(default_factory=dict)
    parts: Mapping[int, Mapping[int, WorkRow]] = field(default_factory=dict)


def concerns(row: WorkRow, here: set[int]) -> bool:
    """Return whether work in hand is to be planned: that of workers on shift, and what others have not begun."""
    return row.worker_id in here or moves(row)


def is_left(row: WorkRow, here: set[int]) -> bool:
    """Return whether work of a worker who is not on shift cannot be planned: a person has to look.

    That is what was begun, and what only its worker was asked for: a look (verify, check, visit), or to help.
    """
    return row.worker_id not in here and not moves(row)


def is_postponed(row: WorkRow, moment: dt.datetime) -> bool:
    """Return whether work waits for a later day."""
    return row.postponed_until is not None and row.postponed_until > moment


def name_tasks(work: Sequence[WorkRow]) -> list[str]:
    """Return an id a piece of work: the number of its incident, with the kind of task where it is not to handle it."""
    names, seen = [], set()
    for row in work:
        name = row.number if row.kind == "handle" and not row.joint else f"{row.number} {row.kind}"
        names.append(f"{name} {row.task_id}" if name in seen else name)
        seen.add(name)
    return names


@dataclass(frozen=True, slots=True)
class Company:
    """Who goes together to an incident, once somebody was called to come along; staff numbers.

    Attributes
    ----------
    wanted
        So many are planned for the task of who leads.
    told
        The lead and those who come along, where all of ``wanted`` are told already: they stay together.
    there
        Who comes along by a task of his own, and so is not planned once more.
    """

    wanted: int
    told: frozenset[str] = frozenset()
    there: frozenset[str] = frozenset()


def companies(work: Sequence[WorkRow], codes: Mapping[int, str], held: Collection[int]) -> dict[int, Company]:
    """Return incident to who goes together, of those to which somebody was called to come along.

    Whom a hand called in while he is off shift comes along all the same: so many fewer are planned.

    Parameters
    ----------
    codes
        Worker id to staff number of those on shift.
    held
        Incidents that a hand gave to somebody: their lead goes alone, with whom the hand called.
    """
    parts: dict[int, list[WorkRow]] = {}
    called: dict[int, int] = {}
    for row in work:
        if row.joint and row.worker_id in codes:
            parts.setdefault(row.incident_id, []).append(row)
        elif row.joint and row.worker_id is not None and row.by_hand:
            called[row.incident_id] = called.get(row.incident_id, 0) + 1
    found = {}
    for row in work:
        mine = parts.get(row.incident_id, [])
        away = called.get(row.incident_id, 0)
        if not (mine or away) or not moves(row):
            continue
        least = max(1, row.workers - away)
        along = frozenset(codes[part.worker_id or 0] for part in mine)
        out = frozenset(codes[part.worker_id or 0] for part in mine if begun(part))
        wanted = max(least, 1 + len(along)) - len(out)
        lead = codes.get(row.worker_id or 0)
        told = (along - out) | ({lead} if lead is not None else set())
        if row.incident_id in held:
            found[row.incident_id] = Company(1, there=along)
        elif len(told) == wanted and lead is not None:
            found[row.incident_id] = Company(wanted, told, out)
        else:
            found[row.incident_id] = Company(max(least, 1 + len(along)) - len(along), there=along)
    return found


def moves(row: WorkRow) -> bool:
    """Return whether another worker could have it: work to handle that is not begun."""
    return row.kind == "handle" and not row.joint and not begun(row)


def begun(row: WorkRow) -> bool:
    """Return whether its worker is on the way or on site."""
    return row.state == "started" or row.on_way_at is not None or row.arrived_at is not None


def rest_of(start: dt.datetime, end: dt.datetime, minutes: int, moment: dt.datetime) -> tuple[Break, ...]:
    """Return the break of a shift as far as it lies ahead; nobody is asked whether it was taken."""
    if minutes <= 0:
        return ()
    earliest, latest = ((start + part * (end - start) - moment).total_seconds() for part in (BREAK_FROM, BREAK_TO))
    return () if latest <= 0 else (Break(max(0.0, earliest), latest, 60.0 * minutes),)


def left_s(row: WorkRow, service_s: float, moment: dt.datetime) -> float:
    """Return how long work on site still takes: as its worker says, else as usual, never nothing."""
    if row.expected_done_at is not None:
        return max(LEAST_LEFT_S, (row.expected_done_at - moment).total_seconds())
    since = row.arrived_at or row.accepted_at or moment
    return max(LEAST_LEFT_S, service_s - (moment - since).total_seconds())
