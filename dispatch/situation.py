"""The situation of a territory as a problem: who is on shift and where, what is open, and the ways between.

Nothing in it names a person: workers stand by staff number, work by the number of its incident.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from dispatch import store, store_situation
from dispatch.closures import network_now
from dispatch.costs import Costs, costs_of
from dispatch.model import Place, Whereabouts
from dispatch.plan_files import straight_lines
from dispatch.plan_model import Commitment, Id, Problem, Reason, Seconds, Task, Worker
from dispatch.situation_model import (
    Company,
    Crew,
    Situation,
    WorkRow,
    begun,
    companies,
    concerns,
    is_left,
    is_postponed,
    left_s,
    moves,
    name_tasks,
    rest_of,
)
from dispatch.standing_words import reason
from geodata.network import RoadNetwork
from geodata.territory import TerritoryInfo
from geodata.travel import matrix_s
from people.model import WorkerInfo
from people.service import workers_with_shifts

SERVICE_MIN: Mapping[str, float] = {"handle": 20.0, "verify": 10.0, "check": 10.0, "visit": 15.0, "patrol": 30.0}
"""Minutes on site by kind of task, where the class has no history of its own."""
LONGEST_SERVICE_MIN = 240.0
OFF_NETWORK_M = 2_000.0
"""Farther from every street than this a place is not on the network."""
FRESH = dt.timedelta(minutes=30)
LONGEST_SHIFT = dt.timedelta(hours=24)
HISTORY_KEPT_S = 600.0
_NO_WAY = np.float32(65_535.0)
_history: OrderedDict[tuple[str, int], tuple[float, dict[tuple[int, str], float]]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class _Known:
    """What a task is read with: staff numbers on shift, pins and bars by task, minutes on site by class and kind."""

    moment: dt.datetime
    codes: Mapping[int, str]
    pinned: Mapping[str, frozenset[str]]
    barred: Mapping[str, frozenset[str]]
    minutes: Mapping[tuple[int, str], float]
    costs: Costs
    together: Mapping[int, Company] = field(default_factory=dict)


def read_situation(session: Session, territory: TerritoryInfo, moment: dt.datetime) -> Situation:
    """Return what there is to plan at a moment; the caller has asked whether the actor may."""
    shifts = workers_with_shifts(session, territory.id, at=moment, timezone=territory.timezone)
    present = [worker for worker in shifts if worker.on_duty(moment)]
    codes = {worker.id: worker.code for worker in shifts}
    crew = place_crew(session, territory.id, present, moment)
    here = {each.id for each in crew}
    in_hand = store_situation.in_hand(session, territory.id)
    held = [row for row in in_hand if concerns(row, here)]
    left = [
        (row, codes.get(row.worker_id or 0, "?"), next((each.code for each in present if each.owns(row.grid)), None))
        for row in in_hand
        if is_left(row, here)
    ]
    waiting = [row for row in store_situation.to_send(session, territory.id) if not is_postponed(row, moment)]
    costs = costs_of(session, territory.id)
    absent = {one: code for one, code in codes.items() if one not in here}
    on_duty = {each.id: each.code for each in crew}
    pins = store_situation.pins(session, territory.id)
    by_hand = {incident for incident, _, kind in pins if kind == "pin"}
    called = [row for row in in_hand if row.by_hand and row.worker_id not in here]
    together = companies([*held, *waiting, *called], on_duty, by_hand)
    parts = _parts(held, on_duty, together)
    placed = {part.task_id for each in parts.values() for part in each.values()}
    work = [row for row in [*held, *waiting] if row.task_id is None or row.task_id not in placed]
    ids = name_tasks(work)
    pinned, barred = _pins(pins, work, ids, codes)
    known = _Known(moment, on_duty, pinned, barred, _usual(session, territory.id, moment), costs, together)
    tasks = [_task(row, name, known) for row, name in zip(work, ids, strict=True)]
    able = store_situation.abilities(session, [each.id for each in crew])
    leads = {row.incident_id: name for row, name in zip(work, ids, strict=True) if moves(row)}
    given = [(part, leads[incident]) for incident, each in parts.items() for part in each.values()]
    running = _running([*zip(work, ids, strict=True), *given], codes, here)
    people = [
        _worker(
            worker,
            able.get(worker.id, (frozenset(), frozenset())),
            _commitments(work, tasks, worker.id, moment),
            moment,
        )
        for worker in present
    ]
    nowhere = (np.nan, np.nan)
    places = np.array(
        [
            *((each.place.lon, each.place.lat) if each.place else nowhere for each in crew),
            *((r.lon, r.lat) for r in work),
        ]
    ).reshape(-1, 2)
    network = network_now(session, territory, "drive", moment)
    ways, told = ways_between(network, places)
    problem = Problem(tasks, people, ways, costs.weights)
    return Situation(moment, problem, work, crew, running, frozenset(barred), told, places, left, absent, parts)


def on_shift(session: Session, territory: TerritoryInfo, moment: dt.datetime) -> list[WorkerInfo]:
    """Return who is on shift at a moment, without names."""
    shifts = workers_with_shifts(session, territory.id, at=moment, timezone=territory.timezone)
    return [worker for worker in shifts if worker.on_duty(moment)]


def is_work_open(session: Session, territory_id: int) -> bool:
    """Return whether a worker has something in hand, or something waits to be sent out."""
    return store_situation.anything_open(session, territory_id)


def new_task(
    session: Session, territory: TerritoryInfo, row: WorkRow, moment: dt.datetime, costs: Costs | None = None
) -> Task:
    """Return work that was just filed as a task; without ``costs`` the cost table as it is now counts."""
    usual = _usual(session, territory.id, moment)
    return _task(row, row.number, _Known(moment, {}, {}, {}, usual, costs or costs_of(session, territory.id)))


def _task(row: WorkRow, name: str, known: _Known) -> Task:
    due = row.due_at if row.kind == "handle" or row.task_due_at is None else row.task_due_at
    mine = known.codes.get(row.worker_id or 0)
    pinned, barred = known.pinned.get(name, frozenset()), known.barred.get(name, frozenset())
    usual = row.service_min if row.kind == "handle" and row.service_min > 0 else SERVICE_MIN[row.kind]
    service = min(LONGEST_SERVICE_MIN, known.minutes.get((row.class_id, row.kind), usual))
    if mine is not None and not moves(row):
        pinned = frozenset({mine})
    asked = moves(row) and not pinned  # who was chosen by hand, or is at work on it, is not asked for anything
    company = known.together.get(row.incident_id, Company(row.workers)) if moves(row) else Company(1)
    if asked and company.told:
        pinned, asked = company.told, False
    return Task(
        id=name,
        skills=frozenset(row.skills if asked else ()),
        equipment=frozenset(row.equipment if asked else ()),
        workers=company.wanted if asked or company.told else 1,
        service_s=60.0 * service,
        priority=0 if row.emergency else min(2, max(0, row.priority - 1)),
        due_s=np.inf if due is None else (due - known.moment).total_seconds(),
        grid=row.grid,
        owner_s=known.costs.owner_by_class.get(row.class_id),
        pinned=pinned,
        excluded=(barred - pinned) | company.there,
        accepted_by=mine if row.kind == "handle" and row.state != "waiting" else None,
        # Who was only sent may have read it, and a plan that turns every minute helps nobody: it costs, but less.
        sent_to=mine if row.kind == "handle" and row.state == "waiting" else None,
    )


def _worker(
    worker: WorkerInfo,
    able: tuple[frozenset[str], frozenset[str]],
    commitments: tuple[Commitment, ...],
    moment: dt.datetime,
) -> Worker:
    start, end = worker.shift_start or moment, worker.shift_end or moment
    return Worker(
        id=worker.code,
        end_s=(end - moment).total_seconds(),
        breaks=rest_of(start, end, worker.break_min, moment),
        skills=able[0],
        equipment=able[1],
        grids=frozenset({code for code in (worker.grid_code, *worker.stands_in) if code}),
        commitments=commitments,
    )


def _commitments(
    work: Sequence[WorkRow], tasks: Sequence[Task], worker_id: int, moment: dt.datetime
) -> tuple[Commitment, ...]:
    """Return what a worker is doing: first where he is, then where he is going."""
    mine = [(row, task) for row, task in zip(work, tasks, strict=True) if row.worker_id == worker_id and begun(row)]
    on_site = [pair for pair in mine if pair[0].state == "started" or pair[0].arrived_at is not None]
    on_way = [pair for pair in mine if pair not in on_site]
    on_site.sort(key=lambda pair: pair[0].arrived_at or pair[0].accepted_at or moment, reverse=True)
    on_way.sort(key=lambda pair: pair[0].on_way_at or moment)
    return (
        *(Commitment(task.id, left_s(row, task.service_s, moment)) for row, task in on_site),
        *(Commitment(task.id) for _, task in on_way),
    )


def _running(work: Sequence[tuple[WorkRow, str]], codes: Mapping[int, str], here: set[int]) -> dict[Id, tuple[Id, ...]]:
    """Return the routes as they are given out: begun first, then by planned time, then by deadline."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    routes: dict[str, list[tuple[tuple[object, ...], str]]] = {}
    for row, name in work:
        if row.worker_id in here:
            key = (not begun(row), row.planned_start or never, row.due_at or never, row.created_at or never, name)
            routes.setdefault(codes[row.worker_id or 0], []).append((key, name))
    return {code: tuple(name for _, name in sorted(each)) for code, each in routes.items()}


def _parts(
    held: Sequence[WorkRow], on_duty: Mapping[int, str], together: Mapping[int, Company]
) -> dict[int, dict[int, WorkRow]]:
    """Return incident to worker and task of those who come along and are planned with who leads."""
    found: dict[int, dict[int, WorkRow]] = {}
    for row in held:
        company = together.get(row.incident_id)
        if row.joint and row.worker_id is not None and company and on_duty.get(row.worker_id) in company.told:
            found.setdefault(row.incident_id, {})[row.worker_id] = row
    return found


def _pins(
    pins: Sequence[tuple[int, int, str]], work: Sequence[WorkRow], ids: Sequence[str], codes: Mapping[int, str]
) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Return task to the workers it is pinned to, and to those who are kept from it."""
    by_incident = {row.incident_id: name for row, name in zip(work, ids, strict=True) if moves(row)}
    pinned: dict[str, frozenset[str]] = {}
    barred: dict[str, frozenset[str]] = {}
    for incident, worker, kind in pins:
        name, code = by_incident.get(incident), codes.get(worker)
        if name is not None and code is not None:
            found = pinned if kind == "pin" else barred
            found[name] = found.get(name, frozenset()) | {code}
    return pinned, barred


def _usual(session: Session, territory_id: int, moment: dt.datetime) -> dict[tuple[int, str], float]:
    """Return the usual minutes on site, read at most once in ten minutes."""
    key = (session.get_bind().engine.url.render_as_string(hide_password=True), territory_id)
    kept = _history.get(key)
    if kept is None or time.monotonic() - kept[0] > HISTORY_KEPT_S:
        since = moment - dt.timedelta(days=store_situation.HISTORY_DAYS)
        kept = (time.monotonic(), store_situation.usual_minutes(session, territory_id, since))
        _history[key] = kept
    return kept[1]


def place_crew(session: Session, territory_id: int, workers: Sequence[WorkerInfo], moment: dt.datetime) -> list[Crew]:
    """Return where each worker is taken to be: a fresh position, the last task of the shift, the home grid, nowhere."""
    ids = [worker.id for worker in workers]
    fresh = store_situation.positions(session, territory_id, moment - FRESH)
    tasks = store.task_places(session, ids, moment - LONGEST_SHIFT)
    middles = store.grid_middles(session, territory_id, [worker.grid_code for worker in workers if worker.grid_code])
    crew = []
    for worker in workers:
        place, start = None, worker.shift_start or moment
        told, last, home = fresh.get(worker.id), tasks.get(worker.id), middles.get(worker.grid_code or "")
        if told is not None and told[2] >= start:
            place = Place(Whereabouts.POSITION, told[0], told[1], at=told[2])
        elif last is not None and (last.at is None or last.at >= start):
            how = Whereabouts.AT_TASK if last.at is None else Whereabouts.AFTER_TASK
            place = Place(how, last.lon, last.lat, last.place, last.at)
        elif home is not None:
            place = Place(Whereabouts.HOME_GRID, *home)
        crew.append(Crew(worker.id, worker.code, place))
    return crew


def ways_between(network: RoadNetwork, places: NDArray[np.float64]) -> tuple[Seconds, tuple[Reason, ...]]:
    """Return whole seconds between places, shape (places, places), and what has to be told about them.

    Infinite where no street leads, nan for a place that is not known or off the network. Where a territory has no
    streets at all, the straight line with a detour stands for them.
    """
    known = np.isfinite(places).all(axis=1)
    if not len(network.targets):
        return whole(straight_lines(places)), (reason("straight"),) if len(places) else ()
    ways = np.full((len(places), len(places)), np.nan, np.float32)
    spots, back = np.unique(places[known], axis=0, return_inverse=True)
    if len(spots):
        snapped = network.snap(spots)
        times = np.array(matrix_s(network, snapped, snapped))
        lost = snapped.distance_m > OFF_NETWORK_M
        times[lost], times[:, lost] = np.nan, np.nan
        rows = np.flatnonzero(known)
        ways[np.ix_(rows, rows)] = times[np.ix_(back.ravel(), back.ravel())]
    np.fill_diagonal(ways, np.where(np.isnan(np.diagonal(ways)), np.nan, 0.0))
    return whole(ways), ()


def ways_to(network: RoadNetwork, place: tuple[float, float], places: NDArray[np.float64]) -> tuple[Seconds, Seconds]:
    """Return whole seconds from a place to others, and from them to it; infinite where no way leads or is known."""
    every = np.vstack([np.array([place]), places])
    if not len(network.targets):
        ways = straight_lines(every)
        there, back = ways[0, 1:], ways[1:, 0]
    else:
        known = np.isfinite(places).all(axis=1)
        here, others = network.snap(every[:1]), network.snap(places[known])
        there, back = (np.full(len(places), np.inf, np.float32) for _ in range(2))
        there[known], back[known] = matrix_s(network, here, others)[0], matrix_s(network, others, here)[:, 0]
        if here.distance_m[0] > OFF_NETWORK_M:
            there[:], back[:] = np.inf, np.inf
    to_s, from_s = (whole(np.where(np.isnan(each), np.inf, each)) for each in (there, back))
    return to_s, from_s


def whole(ways: Seconds) -> Seconds:
    """Return whole seconds, so that a plan can be kept and read again as it was; above 18 h there is no way."""
    rounded = np.rint(ways).astype(np.float32)
    rounded[rounded >= _NO_WAY - 1] = np.inf
    return rounded
