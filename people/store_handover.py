"""All SQL of handing over: what a leaver holds, and giving it to somebody else."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnClause, column, func, select, update
from sqlalchemy.orm import Session

from geodata.tables import Absence, AppUser, ResponsibilityGrid, StandingDeputy, Unit, UserRole, Worker


@dataclass(frozen=True, slots=True)
class Numbers:
    """Counts of what is held or was moved."""

    tasks: int
    incidents: int
    drafts: int


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What a handover has to know of a worker."""

    id: int
    code: str
    active: bool
    unit_id: int
    unit_name: str
    grid_id: int | None
    grid_name: str
    version: int


_COUNTS: tuple[ColumnClause[int], ...] = tuple(column(name) for name in ("tasks", "incidents", "drafts"))


def held(session: Session, worker_id: int | None, user_id: int | None) -> Numbers:
    """Return in numbers what a worker and an account hold; zeros for those who may not hand over."""
    found = func.gk_held(worker_id, user_id).table_valued(*_COUNTS)
    row = session.execute(select(found)).one_or_none()
    return Numbers(0, 0, 0) if row is None else Numbers(*row)


def hand_over(session: Session, worker_id: int | None, receiver_id: int | None, user_id: int | None) -> Numbers:
    """Give open tasks and incidents to another worker, destroy the drafts of the account; return how many."""
    found = func.gk_hand_over(worker_id, receiver_id, user_id).table_valued(*_COUNTS)
    return Numbers(*session.execute(select(found)).one())


def worker(session: Session, territory_id: int, *, code: str = "", worker_id: int | None = None) -> WorkerFacts | None:
    """Return a worker of the territory by staff number or id, locked; None when there is none."""
    named = Worker.id == worker_id if worker_id is not None else Worker.code == code
    row = session.execute(
        select(Worker, Unit.name, ResponsibilityGrid.name)
        .join(Unit, Unit.id == Worker.unit_id)
        .outerjoin(ResponsibilityGrid, ResponsibilityGrid.id == Worker.responsibility_grid_id)
        .where(Worker.territory_id == territory_id, named)
        .with_for_update(of=Worker)
    ).one_or_none()
    if row is None:
        return None
    found, unit_name, grid_name = row
    return WorkerFacts(
        id=found.id,
        code=found.code,
        active=found.active,
        unit_id=found.unit_id,
        unit_name=unit_name,
        grid_id=found.responsibility_grid_id,
        grid_name=grid_name or "",
        version=found.version,
    )


def away_from(session: Session, territory_id: int, worker_id: int, day: dt.date) -> dt.date | None:
    """Return the last day of a worker's absence on a day; None when he is there."""
    found = func.gk_away(territory_id, day, day).table_valued(column("worker_id"), column("to_on"))
    last: dt.date | None = session.scalar(select(func.max(found.c.to_on)).where(found.c.worker_id == worker_id))
    return last


def others_in_grid(session: Session, grid_id: int, worker_id: int) -> int:
    """Return how many other active workers are bound to a responsibility grid."""
    query = select(func.count()).select_from(Worker)
    return session.execute(
        query.where(Worker.responsibility_grid_id == grid_id, Worker.active, Worker.id != worker_id)
    ).scalar_one()


def take_grid(session: Session, worker_id: int, grid_id: int) -> None:
    """Bind a worker to a responsibility grid."""
    session.execute(
        update(Worker).where(Worker.id == worker_id).values(responsibility_grid_id=grid_id, version=Worker.version + 1)
    )


def absences_stood_in(session: Session, territory_id: int, worker_id: int, day: dt.date) -> int:
    """Return how many absences of others, today or later, name this worker as deputy."""
    query = select(func.count()).select_from(Absence)
    return session.execute(
        query.where(Absence.territory_id == territory_id, Absence.deputy_id == worker_id, Absence.to_on >= day)
    ).scalar_one()


def give_absences(session: Session, territory_id: int, worker_id: int, receiver_id: int | None, day: dt.date) -> int:
    """Let another worker (None: nobody) stand in for those whose deputy this was; nobody for himself."""
    moved = session.execute(
        update(Absence)
        .where(Absence.territory_id == territory_id, Absence.deputy_id == worker_id, Absence.to_on >= day)
        .values(deputy_id=func.nullif(receiver_id, Absence.worker_id), version=Absence.version + 1)
        .returning(Absence.id)
    )
    return len(moved.all())


def account_of_worker(session: Session, worker_id: int) -> int | None:
    """Return the id of the open account of a worker; None when he has none."""
    return session.scalar(
        select(AppUser.id).where(AppUser.worker_id == worker_id, AppUser.active).order_by(AppUser.id).limit(1)
    )


def end_roles(session: Session, territory_id: int, role_ids: list[int], now: dt.datetime) -> None:
    """End roles of the territory now."""
    session.execute(
        update(UserRole)
        .where(UserRole.territory_id == territory_id, UserRole.id.in_(role_ids))
        .values(valid_from=func.least(UserRole.valid_from, now), valid_until=now, version=UserRole.version + 1)
    )


def give_deputies(session: Session, territory_id: int, user_id: int, receiver_id: int | None) -> int:
    """Let another stand in wherever this account is a standing deputy; its own deputies go; return how many moved."""
    rows = session.scalars(
        select(StandingDeputy).where(
            StandingDeputy.territory_id == territory_id,
            (StandingDeputy.deputy_id == user_id) | (StandingDeputy.user_id == user_id),
        )
    ).all()
    there = set(
        session.scalars(
            select(StandingDeputy.user_id).where(
                StandingDeputy.territory_id == territory_id, StandingDeputy.deputy_id == receiver_id
            )
        )
    )
    moved = 0
    for row in rows:
        if receiver_id is not None and row.deputy_id == user_id and row.user_id not in there | {receiver_id}:
            row.deputy_id = receiver_id
            moved += 1
        else:
            session.delete(row)
    session.flush()
    return moved


def standing_for(session: Session, territory_id: int, user_id: int) -> int:
    """Return for how many accounts this one is a standing deputy."""
    query = select(func.count()).select_from(StandingDeputy)
    return session.execute(
        query.where(StandingDeputy.territory_id == territory_id, StandingDeputy.deputy_id == user_id)
    ).scalar_one()


def close_account(session: Session, user_id: int) -> None:
    """Close an account."""
    session.execute(update(AppUser).where(AppUser.id == user_id).values(active=False, version=AppUser.version + 1))
