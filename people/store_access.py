"""All SQL of one-time codes, roles with an end, deputies and reviews."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from core.identity import Role
from geodata.tables import AppUser, Invitation, UserRole, UserSession
from people.credentials import NO_PASSWORD


def administrators(session: Session, *, demo: bool) -> int:
    """Return how many accounts can enter as administrator today, with a password or (``demo``) by a card."""
    enters = AppUser.password_hash != NO_PASSWORD
    enters = or_(enters, AppUser.is_demo) if demo else and_(enters, AppUser.is_demo.is_(False))
    query = (
        select(func.count(func.distinct(AppUser.id)))
        .join(UserRole, UserRole.user_id == AppUser.id)
        .where(
            AppUser.active,
            enters,
            UserRole.role == Role.ADMINISTRATOR.value,
            UserRole.acting_for.is_(None),
            UserRole.valid_until.is_(None),
        )
    )
    return session.execute(query).scalar_one()


def user(session: Session, user_id: int) -> AppUser | None:
    """Return an account; None when there is none, or not for the actor."""
    return session.get(AppUser, user_id)


def lock_user(session: Session, user_id: int) -> AppUser | None:
    """Return an account, locked until the end of the transaction; None when there is none."""
    query = select(AppUser).where(AppUser.id == user_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def withdraw_codes(session: Session, user_id: int | None, now: dt.datetime) -> int:
    """Withdraw the codes of an account that still open something (of the first administrator: None)."""
    whose = Invitation.user_id.is_(None) if user_id is None else Invitation.user_id == user_id
    gone = session.execute(
        update(Invitation).where(whose, Invitation.used_at.is_(None)).values(used_at=now).returning(Invitation.id)
    )
    return len(gone.all())


def add_code(
    session: Session,
    *,
    user_id: int | None,
    kind: str,
    code_hash: str,
    made_by: int | None,
    at: dt.datetime,
    expires_at: dt.datetime,
) -> None:
    """Insert a one-time code."""
    session.add(
        Invitation(
            user_id=user_id, kind=kind, code_hash=code_hash, made_by=made_by, created_at=at, expires_at=expires_at
        )
    )
    session.flush()


def live_code(session: Session, code_hash: str, now: dt.datetime, *, lock: bool = False) -> Invitation | None:
    """Return the code of a hash while it opens something, locked when it is about to be used."""
    query = select(Invitation).where(
        Invitation.code_hash == code_hash, Invitation.used_at.is_(None), Invitation.expires_at > now
    )
    if lock:
        query = query.with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def revoke_sessions(session: Session, user_id: int, now: dt.datetime, *, keep: str | None = None) -> int:
    """Revoke the live sessions of an account, all but ``keep``; return how many."""
    gone = session.execute(
        update(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            UserSession.id != (keep or ""),
        )
        .values(revoked_at=now)
        .returning(UserSession.id)
    )
    return len(gone.all())
