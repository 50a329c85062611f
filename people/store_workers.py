"""All SQL of the staff list: workers with their persons still sealed, absences, what happened to them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session, aliased

from geodata.bulk import copy_rows, reserve_ids
from geodata.tables import Absence, AppUser, Person, PersonKey, Record, ResponsibilityGrid, Unit, UnitGrid, Worker
from people.worker_model import AbsenceRow, Away, GridRef, StaffRow

WRITING_KEY = 0x676B_7772
"""Namespace of the lock that lets staff numbers and phones be given out one act at a time."""


@dataclass(frozen=True, slots=True)
class SealedStaff:
    """A worker with the personal fields still sealed."""

    row: StaffRow
    person_id: int | None = None
    subject_id: str | None = None
    name_cipher: bytes | None = None
    phone_cipher: bytes | None = None
    phone_hash: bytes | None = None


def staff(
    session: Session,
    territory_id: int,
    *,
    area_ids: Sequence[int] | None = None,
    unit_ids: Sequence[int] | None = None,
    worker_id: int | None = None,
    known: Sequence[GridRef] | None = None,
) -> list[SealedStaff]:
    """Return the workers, those who left included, by staff number; the ids narrow when given.

    ``known`` are the grids where they have been read already.
    """
    query = (
        select(Worker, Unit, Person, PersonKey.destroyed_at)
        .join(Unit, Unit.id == Worker.unit_id)
        .outerjoin(Person, Person.id == Worker.person_id)
        .outerjoin(PersonKey, PersonKey.subject_id == Person.subject_id)
        .where(Worker.territory_id == territory_id)
        .order_by(Worker.code)
        .execution_options(populate_existing=True)
    )
    query = _narrowed(query, area_ids, unit_ids)
    if worker_id is not None:
        query = query.where(Worker.id == worker_id)
    found: Sequence[Any] = session.execute(query).all()
    if known is None and found:
        held = {worker.responsibility_grid_id for worker, *_ in found} - {None}
        known = grids(session, territory_id, only=None if worker_id is None else list(held))
    by_id = {grid.id: grid for grid in known or ()}
    return [_sealed(worker, unit, person, erased_at, by_id) for worker, unit, person, erased_at in found]


def _narrowed(query: Any, area_ids: Sequence[int] | None, unit_ids: Sequence[int] | None) -> Any:
    if area_ids is not None:
        query = query.where(
            select(UnitGrid.id)
            .where(
                UnitGrid.responsibility_grid_id == Worker.responsibility_grid_id,
                UnitGrid.community_id.in_(area_ids),
                UnitGrid.ended_on.is_(None),
            )
            .exists()
        )
    return query if unit_ids is None else query.where(Worker.unit_id.in_(unit_ids))


def _sealed(
    worker: Worker, unit: Unit, person: Person | None, erased_at: dt.datetime | None, known: Mapping[int, GridRef]
) -> SealedStaff:
    row = StaffRow(
        id=worker.id,
        code=worker.code,
        version=worker.version,
        unit_id=unit.id,
        unit_code=unit.code,
        unit_name=unit.name,
        unit_name_zh=unit.name_zh,
        grid=known.get(worker.responsibility_grid_id or 0),
        language=worker.language,
        skills=tuple(worker.skills),
        equipment=tuple(worker.equipment),
        employed_from=worker.employed_from,
        employed_to=worker.employed_to,
        active=worker.active,
        person="erased" if erased_at else "none" if person is None else "named",
    )
    if person is None:
        return SealedStaff(row)
    return SealedStaff(row, person.id, person.subject_id, person.name_cipher, person.phone_cipher, person.phone_hash)


def grids(session: Session, territory_id: int, *, only: Sequence[int] | None = None) -> list[GridRef]:
    """Return the responsibility grids by code, with a live cell, the communities and the workers of each.

    ``only`` are the ids of some of them.
    """
    cells: dict[int | None, tuple[int, tuple[int, ...]]] = {
        grid: (cell, tuple(areas))
        for grid, cell, areas in session.execute(
            select(
                UnitGrid.responsibility_grid_id,
                func.min(UnitGrid.id),
                func.array_agg(UnitGrid.community_id.distinct()),
            )
            .where(
                UnitGrid.territory_id == territory_id,
                UnitGrid.ended_on.is_(None),
                UnitGrid.responsibility_grid_id.is_not(None),
                *([] if only is None else [UnitGrid.responsibility_grid_id.in_(only)]),
            )
            .group_by(UnitGrid.responsibility_grid_id)
        )
    }
    codes: dict[int | None, list[str]] = defaultdict(list)
    for grid, code in session.execute(
        select(Worker.responsibility_grid_id, Worker.code)
        .where(Worker.territory_id == territory_id, Worker.active, Worker.responsibility_grid_id.is_not(None))
        .order_by(Worker.code)
    ):
        codes[grid].append(code)
    named = select(ResponsibilityGrid.id, ResponsibilityGrid.code, ResponsibilityGrid.name, ResponsibilityGrid.name_zh)
    rows = session.execute(
        named.where(ResponsibilityGrid.territory_id == territory_id).order_by(ResponsibilityGrid.code)
    )
    return [
        GridRef(
            grid, code, name, name_zh, cells.get(grid, (None,))[0], cells.get(grid, (None, ()))[1], tuple(codes[grid])
        )
        for grid, code, name, name_zh in rows
    ]


def away(session: Session, territory_id: int, first: dt.date, last: dt.date) -> list[Away]:
    """Return who is away in the days, whoever asks: not why."""
    call = func.gk_away(territory_id, first, last).table_valued("worker_id", "deputy_id", "from_on", "to_on")
    return [Away(*row) for row in session.execute(select(call).order_by(call.c.from_on, call.c.worker_id))]


def open_tasks(session: Session, territory_id: int) -> dict[int, int]:
    """Return how many live tasks each worker has."""
    call = func.gk_open_tasks(territory_id).table_valued("worker_id", "tasks")
    return dict(session.execute(select(call)).all())


def codes(session: Session, territory_id: int) -> dict[str, int]:
    """Return every staff number of the territory with its worker's id, those who left included."""
    rows = session.execute(select(Worker.code, Worker.id).where(Worker.territory_id == territory_id))
    return dict(rows.all())


def codes_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Return the staff numbers of workers."""
    rows = session.execute(select(Worker.id, Worker.code).where(Worker.id.in_(ids)))
    return dict(rows.all())


def phone_holders(session: Session, territory_id: int, hashes: Sequence[bytes]) -> list[tuple[bytes, int, str, bool]]:
    """Return hash, worker id, staff number and whether he is active, of the workers with these phones."""
    rows = session.execute(
        select(Person.phone_hash, Worker.id, Worker.code, Worker.active)
        .join(Worker, Worker.person_id == Person.id)
        .where(Worker.territory_id == territory_id, Person.phone_hash.in_(hashes))
        .order_by(Worker.active.desc(), Worker.code)
    )
    return [(bytes(held or b""), worker, code, active) for held, worker, code, active in rows]


def lock_staff(session: Session, territory_id: int) -> None:
    """Let one act at a time give out staff numbers and phones in the territory."""
    session.execute(text("SELECT pg_advisory_xact_lock(:space, :id)"), {"space": WRITING_KEY, "id": territory_id})


def lock(session: Session, territory_id: int, ids: Sequence[int]) -> dict[int, Worker]:
    """Return the workers with their rows locked in the order of their ids."""
    rows = session.scalars(
        select(Worker)
        .where(Worker.territory_id == territory_id, Worker.id.in_(ids))
        .order_by(Worker.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {worker.id: worker for worker in rows}


def add_person(session: Session, territory_id: int, subject_id: str, **sealed: bytes | None) -> int:
    """Insert a person with sealed fields and return the id."""
    person = Person(territory_id=territory_id, subject_id=subject_id, **sealed)
    session.add(person)
    session.flush()
    return person.id


def set_person(session: Session, person_id: int, **sealed: bytes | None) -> bool:
    """Put sealed fields in place of the kept ones; return whether the person could be changed."""
    changed = session.execute(update(Person).where(Person.id == person_id).values(**sealed).returning(Person.id))
    return changed.one_or_none() is not None


def subject_of(session: Session, person_id: int) -> str:
    """Return the subject of a person."""
    return session.scalars(select(Person.subject_id).where(Person.id == person_id)).one()


def add_workers(session: Session, columns: Mapping[str, Sequence[Any]], persons: Mapping[str, Sequence[Any]]) -> None:
    """Append workers and their persons, row by row of each belonging together."""
    ids = reserve_ids(session, "person", len(persons["subject_id"]))
    copy_rows(session, "person", {"id": ids, **persons})
    copy_rows(session, "worker", {"person_id": ids, **columns})


def absences(session: Session, *, worker_id: int) -> list[AbsenceRow]:
    """Return the absences of a worker that the actor may read, newest first."""
    deputy = aliased(Worker)
    rows = session.execute(
        select(Absence, deputy.code)
        .outerjoin(deputy, deputy.id == Absence.deputy_id)
        .where(Absence.worker_id == worker_id)
        .order_by(Absence.from_on.desc())
        .execution_options(populate_existing=True)
    )
    return [AbsenceRow(a.id, a.worker_id, a.deputy_id, code, a.kind, a.from_on, a.to_on, a.version) for a, code in rows]


def absence(session: Session, territory_id: int, absence_id: int) -> Absence | None:
    """Return an absence that the actor manages, or None."""
    wanted = select(Absence).where(Absence.id == absence_id, Absence.territory_id == territory_id)
    return session.scalar(wanted.execution_options(populate_existing=True))


def remove_absence(session: Session, absence_id: int) -> None:
    """Delete an absence."""
    session.execute(delete(Absence).where(Absence.id == absence_id))


def login_of(session: Session, worker_id: int) -> str | None:
    """Return the account a worker logs in with, for those who keep accounts; else None."""
    query = select(AppUser.login).where(AppUser.worker_id == worker_id, AppUser.active).order_by(AppUser.id)
    return session.scalars(query.limit(1)).first()


def ended_before(session: Session, day: dt.date, territory_id: int) -> list[Worker]:
    """Return the workers still kept as active whose last day lies before ``day``, locked."""
    query = select(Worker).where(Worker.territory_id == territory_id, Worker.active, Worker.employed_to < day)
    return list(session.scalars(query.order_by(Worker.id).with_for_update(skip_locked=True)))


def absence_ids(session: Session, worker_id: int) -> list[int]:
    """Return the ids of every absence the worker ever had, those taken back included, from the record."""
    owner = func.coalesce(Record.after, Record.before).op("->>")("worker_id")
    query = select(Record.subject_id).where(Record.subject_table == "absence", owner == str(worker_id)).distinct()
    return [int(subject) for subject in session.scalars(query) if subject]
