"""SQL of the accounts of demo territories."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy.orm import Session

from core.clock import now
from core.identity import Role
from geodata.tables import AppUser, Territory, UserRole, UserSession
from people.credentials import NO_PASSWORD


def _elsewhere(territory_id: int) -> ColumnElement[bool]:
    """Return the condition that the account has a role in another demo territory."""
    return (
        exists()
        .where(UserRole.user_id == AppUser.id, UserRole.territory_id != territory_id)
        .where(UserRole.territory_id == Territory.id, Territory.is_demo)
        .correlate(AppUser)
    )


def _of_demo(territory_id: int) -> Select[int]:
    return select(AppUser.id).where(AppUser.is_demo, AppUser.active, ~_elsewhere(territory_id))


def count_demo_accounts(session: Session, territory_id: int) -> int:
    """Return how many active demo accounts have a role in no other demo territory."""
    return session.scalar(select(func.count()).select_from(_of_demo(territory_id).subquery())) or 0


def retire_demo_accounts(session: Session, territory_id: int) -> int:
    """Make the same accounts inactive and end their sessions; return how many."""
    gone = list(session.scalars(_of_demo(territory_id)))
    session.execute(
        update(AppUser).where(AppUser.id.in_(gone)).values(active=False, worker_id=None, version=AppUser.version + 1)
    )
    session.execute(
        update(UserSession)
        .where(UserSession.user_id.in_(gone), UserSession.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    return len(gone)


def count_administrators_elsewhere(session: Session, territory_id: int) -> int:
    """Return how many active accounts administer another territory and are no demo accounts, with a way in."""
    query = (
        select(func.count(AppUser.id.distinct()))
        .join(UserRole, UserRole.user_id == AppUser.id)
        .where(
            AppUser.active,
            ~AppUser.is_demo,
            UserRole.role == Role.ADMINISTRATOR.value,
            UserRole.territory_id != territory_id,
            UserRole.acting_for.is_(None),
            or_(UserRole.valid_until.is_(None), UserRole.valid_until > func.now()),
            AppUser.password_hash != NO_PASSWORD,
        )
    )
    return session.scalar(query) or 0


def count_homeless(session: Session, territory_id: int) -> int:
    """Return how many active accounts that are no demo accounts have a role in this territory only."""
    away = exists().where(UserRole.user_id == AppUser.id, UserRole.territory_id != territory_id).correlate(AppUser)
    here = exists().where(UserRole.user_id == AppUser.id, UserRole.territory_id == territory_id).correlate(AppUser)
    query = select(func.count()).select_from(AppUser).where(AppUser.active, ~AppUser.is_demo, here, ~away)
    return session.scalar(query) or 0


def count_territories_elsewhere(session: Session, territory_id: int) -> int:
    """Return how many other territories there are."""
    return session.scalar(select(func.count()).select_from(Territory).where(Territory.id != territory_id)) or 0
