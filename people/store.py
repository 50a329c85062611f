"""All SQL of units, workers and drafts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geodata.tables import Draft, Person, ResponsibilityGrid, Unit, UnitGrid, Worker
from people.model import UnitInfo, WorkerInfo


@dataclass(frozen=True, slots=True)
class SealedWorker:
    """A worker with the name still sealed."""

    worker: WorkerInfo
    subject_id: str | None
    name_cipher: bytes | None


def units(session: Session, territory_id: int) -> list[UnitInfo]:
    """Return the units of the territory that are valid today, by code."""
    rows = session.scalars(
        select(Unit)
        .where(Unit.territory_id == territory_id, or_(Unit.valid_to.is_(None), Unit.valid_to >= func.current_date()))
        .order_by(Unit.code),
    )
    return [UnitInfo(row.id, row.code, row.kind, row.name, row.name_zh) for row in rows]


def workers(
    session: Session,
    territory_id: int,
    *,
    area_ids: Sequence[int] | None = None,
    unit_ids: Sequence[int] | None = None,
) -> list[SealedWorker]:
    """Return the active workers, by code; ``area_ids`` and ``unit_ids`` narrow when given.

    A worker belongs to an area when the responsibility grid has a live cell in it.
    """
    query = (
        select(Worker, Unit, ResponsibilityGrid, Person)
        .join(Unit, Unit.id == Worker.unit_id)
        .outerjoin(ResponsibilityGrid, ResponsibilityGrid.id == Worker.responsibility_grid_id)
        .outerjoin(Person, Person.id == Worker.person_id)
        .where(Worker.territory_id == territory_id, Worker.active)
        .order_by(Worker.code)
    )
    if area_ids is not None:
        query = query.where(
            select(UnitGrid.id)
            .where(
                UnitGrid.responsibility_grid_id == Worker.responsibility_grid_id,
                UnitGrid.community_id.in_(area_ids),
                UnitGrid.ended_on.is_(None),
            )
            .exists(),
        )
    if unit_ids is not None:
        query = query.where(Worker.unit_id.in_(unit_ids))
    return [_sealed_worker(*row) for row in session.execute(query)]


def worker_id_of(session: Session, territory_id: int, code: str) -> int | None:
    """Return the id of the worker with a staff number, or None."""
    return session.scalar(select(Worker.id).where(Worker.territory_id == territory_id, Worker.code == code))


def _sealed_worker(worker: Worker, unit: Unit, grid: ResponsibilityGrid | None, person: Person | None) -> SealedWorker:
    info = WorkerInfo(
        id=worker.id,
        code=worker.code,
        unit_id=unit.id,
        unit_name=unit.name,
        unit_name_zh=unit.name_zh,
        grid_code=grid.code if grid else None,
        grid_name=grid.name if grid else None,
        grid_name_zh=grid.name_zh if grid else None,
    )
    return SealedWorker(info, person.subject_id if person else None, person.name_cipher if person else None)


def delete_drafts(session: Session, *, changed_before: dt.datetime) -> Sequence[str]:
    """Delete the drafts last changed before a moment; return their subjects."""
    return session.scalars(delete(Draft).where(Draft.updated_at < changed_before).returning(Draft.subject_id)).all()


def draft(session: Session, user_id: int, territory_id: int, kind: str) -> Draft | None:
    """Return the user's draft of a kind, or None."""
    return session.scalar(
        select(Draft).where(Draft.user_id == user_id, Draft.territory_id == territory_id, Draft.kind == kind)
    )


def put_draft(
    session: Session,
    user_id: int,
    territory_id: int,
    kind: str,
    *,
    subject_id: str,
    cipher: bytes,
    at: dt.datetime,
) -> None:
    """Insert the draft or put it in place of the last one; of two first savings at once one stands."""
    values = {"subject_id": subject_id, "content_cipher": cipher, "updated_at": at}
    session.execute(
        insert(Draft)
        .values(user_id=user_id, territory_id=territory_id, kind=kind, **values)
        .on_conflict_do_update(index_elements=[Draft.user_id, Draft.territory_id, Draft.kind], set_=values),
    )


def remove_draft(session: Session, known: Draft) -> None:
    """Delete a draft."""
    session.delete(known)
    session.flush()
