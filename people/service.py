"""Use cases of units and grid workers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.identity import Actor, May, Role, require
from geodata import persons
from people import store, store_roster
from people.model import OnDuty, UnitInfo, WorkerInfo
from people.roster import on_day

SEES_NAMES = frozenset({Role.GRID_MANAGER, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.SYSTEM})
"""Roles that work with the workers by name; planner, auditor and administrator see staff numbers."""


def list_units(session: Session, actor: Actor, territory_id: int) -> list[UnitInfo]:
    """Return the units of the territory that are valid today, by code."""
    require(actor, May.SEE_MAP)
    return store.units(session, territory_id)


def list_workers(
    session: Session,
    actor: Actor,
    territory_id: int,
    *,
    at: dt.datetime | None = None,
    timezone: str | None = None,
) -> list[WorkerInfo]:
    """Return the active workers in the actor's reach, by staff number, with their shift at a moment (now when None).

    A grid manager reaches the workers whose responsibility grid lies in the communities managed, a
    handler those of the own units, a grid worker nobody; others the territory. Names are unsealed
    for those who work with them.
    """
    require(actor, May.SEE_MAP)
    if actor.role is Role.GRID_WORKER:
        return []
    areas = actor.area_ids if actor.role is Role.GRID_MANAGER else None
    units = actor.unit_ids if actor.role is Role.HANDLER else None
    sealed = store.workers(session, territory_id, area_ids=areas, unit_ids=units)
    zone = ZoneInfo(timezone or store_roster.timezone(session, territory_id))
    workers = _with_shifts(session, territory_id, [item.worker for item in sealed], at or clock_now(), zone)
    if actor.role not in SEES_NAMES:
        return workers
    named = [item for item in sealed if item.subject_id and item.name_cipher]
    names = persons.unseal_many(
        session, [item.subject_id or "" for item in named], [item.name_cipher for item in named]
    )
    by_worker = {item.worker.id: name for item, name in zip(named, names, strict=True)}
    return [replace(worker, name=by_worker.get(worker.id)) for worker in workers]


def workers_with_shifts(session: Session, territory_id: int, *, at: dt.datetime, timezone: str) -> list[WorkerInfo]:
    """Return the active workers of a territory with their shift at a moment, without names.

    For what a use case arranges with the system's rights; it asks no capability.
    """
    known = [item.worker for item in store.workers(session, territory_id)]
    return _with_shifts(session, territory_id, known, at, ZoneInfo(timezone))


def worker_id_of(session: Session, territory_id: int, code: str) -> int | None:
    """Return the id of the worker with a staff number; None when the territory has none."""
    return store.worker_id_of(session, territory_id, code.strip().upper())


def on_duty(
    session: Session,
    actor: Actor,
    territory_id: int,
    *,
    timezone: str,
    at: dt.datetime | None = None,
) -> OnDuty:
    """Return who is on shift at a moment (now when None), of the workers in reach."""
    moment = at or clock_now()
    workers = list_workers(session, actor, territory_id, at=moment, timezone=timezone)
    return OnDuty(moment, tuple(worker for worker in workers if worker.on_duty(moment)), len(workers))


def _with_shifts(
    session: Session, territory_id: int, workers: list[WorkerInfo], moment: dt.datetime, zone: ZoneInfo
) -> list[WorkerInfo]:
    """Return the workers with their shift at the moment, whether they are away, and for whom they stand in."""
    if not workers:
        return workers
    today = moment.astimezone(zone).date()
    plan = store_roster.read_plan(session, territory_id, today - dt.timedelta(days=1), today)
    known = on_day(plan, [worker.id for worker in workers], moment, zone)
    grid_of = {worker.id: worker.grid_code for worker in workers}
    found = []
    for worker in workers:
        mine = known[worker.id]
        grids = sorted({code for each in mine.stands_in_for if (code := grid_of.get(each))})
        found.append(
            replace(
                worker,
                shift_start=mine.start,
                shift_end=mine.end,
                away=mine.away,
                stands_in=tuple(grids),
                break_min=mine.break_min,
            )
        )
    return found
