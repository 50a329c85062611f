"""All SQL of the roster: what decides who works when, in one statement, and what is written to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import shapely
from sqlalchemy import Date, Integer, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from geodata.tables import (
    ResponsibilityGrid,
    RosterException,
    RosterRule,
    ShiftPattern,
    Territory,
    Worker,
    WorkerPattern,
)
from people.cover import GridNeed, Member
from people.roster import EPOCH, Assignment, Away, DayException, Pattern, Plan, Step
from people.roster_rules import Rules

# Days travel as numbers: a range of weeks is thousands of them.
_PLAN = text(
    """
    SELECT
      (SELECT jsonb_agg(jsonb_build_array(id, code, name, name_zh, cycle_days, steps, version) ORDER BY code)
       FROM shift_pattern WHERE territory_id = :home),
      (SELECT jsonb_agg(jsonb_build_array(id, worker_id, pattern_id, anchor_on - date '1970-01-01',
                                          valid_from - date '1970-01-01', valid_to - date '1970-01-01', version))
       FROM worker_pattern
       WHERE territory_id = :home AND valid_from <= :last AND coalesce(valid_to, 'infinity') >= :first),
      (SELECT jsonb_agg(jsonb_build_array(worker_id, day - date '1970-01-01', start_min, end_min, break_min, reason,
                                          version))
       FROM roster_exception WHERE territory_id = :home AND day BETWEEN :first AND :last),
      (SELECT jsonb_agg(jsonb_build_array(worker_id, deputy_id, from_on - date '1970-01-01',
                                          to_on - date '1970-01-01'))
       FROM gk_away(:home, :first, :last)),
      (SELECT jsonb_agg(jsonb_build_array(id, employed_from - date '1970-01-01', employed_to - date '1970-01-01'))
       FROM worker
       WHERE territory_id = :home AND (employed_from IS NOT NULL OR employed_to IS NOT NULL))
    """
).bindparams(bindparam("home", type_=Integer), bindparam("first", type_=Date), bindparam("last", type_=Date))


def read_plan(session: Session, territory_id: int, first: dt.date, last: dt.date) -> Plan:
    """Return all that decides who works when from ``first`` to ``last``, in one statement."""
    patterns, assignments, exceptions, away, employed = session.execute(
        _PLAN, {"home": territory_id, "first": first, "last": last}
    ).one()
    return Plan(
        tuple(_pattern(row) for row in patterns or ()),
        tuple(
            Assignment(id_, worker, pattern, _required(anchor), _required(since), _day(until), version)
            for id_, worker, pattern, anchor, since, until, version in assignments or ()
        ),
        tuple(
            DayException(worker, _required(day), start, end, rest, reason, version)
            for worker, day, start, end, rest, reason, version in exceptions or ()
        ),
        tuple(Away(worker, deputy, _required(since), _required(until)) for worker, deputy, since, until in away or ()),
        {worker: (_day(since), _day(until)) for worker, since, until in employed or ()},
    )


def timezone(session: Session, territory_id: int) -> str:
    """Return the time zone of the territory; UTC when it is not there."""
    return session.scalar(select(Territory.timezone).where(Territory.id == territory_id)) or "UTC"


def members(session: Session, territory_id: int) -> list[Member]:
    """Return the active workers of the territory by staff number."""
    rows = session.execute(
        select(Worker.id, Worker.code, Worker.responsibility_grid_id)
        .where(Worker.territory_id == territory_id, Worker.active)
        .order_by(Worker.code)
    )
    return [Member(*row) for row in rows]


def grids(session: Session, territory_id: int) -> list[GridNeed]:
    """Return the responsibility grids by code."""
    rows = session.execute(
        select(
            ResponsibilityGrid.id,
            ResponsibilityGrid.code,
            ResponsibilityGrid.name,
            ResponsibilityGrid.name_zh,
            ResponsibilityGrid.min_workers,
        )
        .where(ResponsibilityGrid.territory_id == territory_id)
        .order_by(ResponsibilityGrid.code)
    )
    return [GridNeed(*row) for row in rows]


def set_need(session: Session, territory_id: int, code: str, need: int) -> bool:
    """Store how many workers a responsibility grid needs at a time; return False when there is no such grid."""
    result = session.execute(
        update(ResponsibilityGrid)
        .where(ResponsibilityGrid.territory_id == territory_id, ResponsibilityGrid.code == code)
        .values(min_workers=need, version=ResponsibilityGrid.version + 1)
        .returning(ResponsibilityGrid.id)
    )
    return result.one_or_none() is not None


def shapes(session: Session, territory_id: int, tolerance_deg: float) -> dict[int, shapely.Geometry]:
    """Return the boundaries of the responsibility grids in EPSG:4326, simplified, those that have one."""
    boundary = func.ST_AsBinary(func.ST_SimplifyPreserveTopology(ResponsibilityGrid.boundary, tolerance_deg))
    rows = session.execute(
        select(ResponsibilityGrid.id, boundary).where(
            ResponsibilityGrid.territory_id == territory_id, ResponsibilityGrid.boundary.is_not(None)
        )
    )
    return {id_: shapely.from_wkb(bytes(wkb)) for id_, wkb in rows}


def rules(session: Session, territory_id: int) -> Rules:
    """Return the rules of the territory; what ships where it has none of its own."""
    row = session.scalar(select(RosterRule).where(RosterRule.territory_id == territory_id))
    return Rules() if row is None else Rules(**{name: getattr(row, name) for name in asdict(Rules())})


def put_rules(session: Session, territory_id: int, given: Rules) -> bool:
    """Store the rules; return False when the ones there are not of the version of ``given``."""
    values = asdict(given) | {"version": given.version + 1}
    if given.version == 0:
        statement = insert(RosterRule).values(territory_id=territory_id, **values)
        result = session.execute(statement.on_conflict_do_nothing().returning(RosterRule.id))
    else:
        result = session.execute(
            update(RosterRule)
            .where(RosterRule.territory_id == territory_id, RosterRule.version == given.version)
            .values(**values)
            .returning(RosterRule.id)
        )
    return result.one_or_none() is not None


def put_pattern(session: Session, territory_id: int, given: Pattern) -> int | None:
    """Insert the pattern, or change the one of that code; return its id, None when its version is another."""
    values: dict[str, Any] = {
        "name": given.name,
        "name_zh": given.name_zh,
        "cycle_days": given.cycle_days,
        "steps": [asdict(step) for step in given.steps],
        "version": given.version + 1,
    }
    if given.version == 0:
        statement = insert(ShiftPattern).values(territory_id=territory_id, code=given.code, **values)
        result = session.execute(statement.on_conflict_do_nothing().returning(ShiftPattern.id))
    else:
        result = session.execute(
            update(ShiftPattern)
            .where(ShiftPattern.id == given.id, ShiftPattern.version == given.version)
            .values(**values)
            .returning(ShiftPattern.id)
        )
    return result.scalar_one_or_none()


def add_assignments(session: Session, territory_id: int, given: Sequence[Assignment]) -> bool:
    """Insert what workers work by; return False when another holds for one of the days."""
    names = ("worker_id", "pattern_id", "anchor_on", "valid_from", "valid_to")
    rows = [{"territory_id": territory_id} | {name: getattr(each, name) for name in names} for each in given]
    try:
        with session.begin_nested():
            if rows:
                session.execute(insert(WorkerPattern), rows)
    except IntegrityError:
        return False
    return True


def end_assignment(session: Session, assignment: Assignment, last: dt.date) -> bool:
    """Let an assignment end on ``last``, or delete it when it would be over before it began; False when changed."""
    mine = (WorkerPattern.id == assignment.id, WorkerPattern.version == assignment.version)
    if last < assignment.valid_from:
        gone = session.execute(delete(WorkerPattern).where(*mine).returning(WorkerPattern.id))
        return gone.one_or_none() is not None
    ended = session.execute(
        update(WorkerPattern)
        .where(*mine)
        .values(valid_to=last, version=WorkerPattern.version + 1)
        .returning(WorkerPattern.id)
    )
    return ended.one_or_none() is not None


def put_exceptions(session: Session, territory_id: int, given: Sequence[DayException]) -> list[DayException]:
    """Insert or change exceptions; return those that were changed meanwhile, so that nothing came of them.

    The version of each is that of the row it replaces; 0 where there should be none.
    """
    if not given:
        return []
    names = ("worker_id", "day", "start_min", "end_min", "break_min", "reason", "version")
    columns: Mapping[str, list[Any]] = {name: [getattr(each, name) for each in given] for name in names}
    rows = session.execute(
        text(
            """
            INSERT INTO roster_exception AS e
                (territory_id, worker_id, day, start_min, end_min, break_min, reason, version)
            SELECT :home, g.worker_id, g.day, g.start_min, g.end_min, g.break_min, g.reason, g.version + 1
            FROM unnest(CAST(:worker_id AS integer[]), CAST(:day AS date[]), CAST(:start_min AS smallint[]),
                        CAST(:end_min AS smallint[]), CAST(:break_min AS smallint[]), CAST(:reason AS text[]),
                        CAST(:version AS integer[]))
                 AS g (worker_id, day, start_min, end_min, break_min, reason, version)
            ORDER BY g.worker_id, g.day
            ON CONFLICT (worker_id, day) DO UPDATE SET
                start_min = excluded.start_min, end_min = excluded.end_min, break_min = excluded.break_min,
                reason = excluded.reason, version = excluded.version
            WHERE e.version = excluded.version - 1
            RETURNING e.worker_id, e.day
            """
        ),
        {"home": territory_id, **columns},
    )
    done = {(worker, day) for worker, day in rows}
    return [each for each in given if (each.worker_id, each.day) not in done]


def remove_exception(session: Session, worker_id: int, day: dt.date, version: int) -> bool:
    """Delete an exception; return False when it is not there in that version."""
    mine = (RosterException.worker_id == worker_id, RosterException.day == day, RosterException.version == version)
    return session.execute(delete(RosterException).where(*mine).returning(RosterException.id)).one_or_none() is not None


def _pattern(row: Sequence[Any]) -> Pattern:
    id_, code, name, name_zh, cycle_days, steps, version = row
    known = tuple(sorted((Step(**step) for step in steps), key=lambda step: step.day))
    return Pattern(id_, code, name, name_zh, cycle_days, known, version)


def _day(number: int | None) -> dt.date | None:
    return None if number is None else _required(number)


def _required(number: int) -> dt.date:
    return dt.date.fromordinal(_EPOCH + number)


_EPOCH = EPOCH.toordinal()
