"""All SQL of accounts, roles and sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from core.identity import Role
from geodata.tables import AppUser, UserRole, UserSession
from people.model import Account, Acting, LiveSession, SessionRow


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login is checked against."""

    user_id: int
    password_hash: str
    active: bool
    is_demo: bool
    failed_logins: int
    locked_until: dt.datetime | None


def credentials(session: Session, login: str) -> Credentials | None:
    """Return what the login is checked against, with the row locked so that attempts come one by one."""
    user = session.scalar(
        select(AppUser).where(AppUser.login == login).with_for_update().execution_options(populate_existing=True)
    )
    if user is None:
        return None
    return Credentials(user.id, user.password_hash, user.active, user.is_demo, user.failed_logins, user.locked_until)


def set_failures(session: Session, user_id: int, failures: int, locked_until: dt.datetime | None) -> None:
    """Store how many attempts failed in a row and until when the account is locked."""
    session.execute(
        update(AppUser)
        .where(AppUser.id == user_id)
        .values(failed_logins=failures, locked_until=locked_until, version=AppUser.version + 1),
    )


def answer_failure(session: Session) -> None:
    """Let the end of a failed attempt wait for no disk: how long it takes tells nobody whether something was counted.

    After a crash of the machine the count may be short by the attempts of the last half second.
    """
    session.execute(text("SET LOCAL synchronous_commit = off"))


def set_password_hash(session: Session, user_id: int, password_hash: str) -> None:
    """Store a new hash."""
    session.execute(
        update(AppUser).where(AppUser.id == user_id).values(password_hash=password_hash, version=AppUser.version + 1),
    )


_Other = aliased(AppUser)
"""Whose role somebody acts in."""
_ACCOUNT = (
    select(AppUser, UserRole, _Other)
    .join(UserRole, UserRole.user_id == AppUser.id)
    .outerjoin(_Other, _Other.id == UserRole.acting_for)
    .where(AppUser.active)
)


def lasting(now: dt.datetime) -> ColumnElement[bool]:
    """Return the condition that a role holds at a moment; one's own role has begun when it is there."""
    begun = or_(UserRole.acting_for.is_(None), UserRole.valid_from <= now)
    return and_(begun, or_(UserRole.valid_until.is_(None), UserRole.valid_until > now))


def accounts_of(session: Session, user_id: int, now: dt.datetime) -> list[Account]:
    """Return the roles an active user has at a moment: the own ones oldest first, then those he acts in."""
    own_first = UserRole.acting_for.is_not(None)
    rows = session.execute(_ACCOUNT.where(AppUser.id == user_id, lasting(now)).order_by(own_first, UserRole.id))
    return [_account(*row) for row in rows]


def demo_accounts(session: Session, territory_id: int | None) -> list[Account]:
    """Return the active demo accounts, of one territory when given."""
    query = _ACCOUNT.where(AppUser.is_demo, UserRole.acting_for.is_(None), UserRole.valid_until.is_(None))
    if territory_id is not None:
        query = query.where(UserRole.territory_id == territory_id)
    return [_account(*row) for row in session.execute(query.order_by(UserRole.territory_id, UserRole.id))]


def count_demo_accounts(session: Session) -> int:
    """Return how many demo accounts are active."""
    query = select(func.count()).select_from(AppUser).where(AppUser.is_demo, AppUser.active)
    return session.execute(query).scalar_one()


def retire_demo_accounts(session: Session) -> int:
    """Make every demo account inactive; return how many were active."""
    result = session.execute(
        update(AppUser)
        .where(AppUser.is_demo, AppUser.active)
        .values(active=False, version=AppUser.version + 1)
        .returning(AppUser.id),
    )
    return len(result.all())


def put_user(
    session: Session,
    *,
    login: str,
    password_hash: str,
    title_en: str,
    title_zh: str,
    worker_id: int | None,
    locale: str,
    is_demo: bool,
) -> int:
    """Insert the account or bring the one with this login up to date; return its id."""
    user = session.scalar(select(AppUser).where(AppUser.login == login))
    if user is None:
        user = AppUser(login=login, password_hash=password_hash)
        session.add(user)
    elif password_hash:
        user.password_hash = password_hash
    user.title_en, user.title_zh = title_en, title_zh
    user.worker_id, user.locale = worker_id, locale
    user.is_demo, user.active = is_demo, True
    session.flush()
    return user.id


def user_id_of(session: Session, login: str) -> int | None:
    """Return the id of the account with this login, or None."""
    return session.scalar(select(AppUser.id).where(AppUser.login == login))


def put_role(
    session: Session,
    user_id: int,
    territory_id: int,
    role: Role,
    *,
    area_ids: Sequence[int],
    unit_ids: Sequence[int],
) -> int:
    """Insert the role or bring its reach up to date; return its id."""
    row = session.scalar(
        select(UserRole).where(
            UserRole.user_id == user_id,
            UserRole.territory_id == territory_id,
            UserRole.role == role.value,
            UserRole.acting_for.is_(None),
            UserRole.valid_until.is_(None),
        ),
    )
    if row is None:
        row = UserRole(user_id=user_id, territory_id=territory_id, role=role.value)
        session.add(row)
    row.area_ids, row.unit_ids = list(area_ids), list(unit_ids)
    session.flush()
    return row.id


def add_session(
    session: Session, session_id: str, account: Account, *, locale: str, now: dt.datetime, expires_at: dt.datetime
) -> None:
    """Insert a session row."""
    session.add(
        UserSession(
            id=session_id,
            user_id=account.user_id,
            role_id=account.role_id,
            locale=locale,
            created_at=now,
            last_seen_at=now,
            expires_at=expires_at,
        ),
    )
    session.flush()


def live_session(session: Session, session_id: str, now: dt.datetime) -> tuple[LiveSession, dt.datetime] | None:
    """Return the session with when it was last seen, if it is not revoked, not expired, its user active."""
    row = session.execute(
        select(UserSession, AppUser, UserRole, _Other)
        .join(AppUser, AppUser.id == UserSession.user_id)
        .join(UserRole, and_(UserRole.id == UserSession.role_id, UserRole.user_id == UserSession.user_id))
        .outerjoin(_Other, _Other.id == UserRole.acting_for)
        .where(
            UserSession.id == session_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            AppUser.active,
            lasting(now),
        ),
    ).one_or_none()
    if row is None:
        return None
    login, user, role, other = row
    account = _account(user, role, other)
    live = LiveSession(
        id=login.id,
        role_id=role.id,
        actor=account.actor(login.locale),
        title_en=user.title_en,
        title_zh=user.title_zh,
        is_demo=user.is_demo,
        expires_at=login.expires_at,
        acting=account.acting,
        login=user.login,
    )
    return live, login.last_seen_at


def _account(user: AppUser, role: UserRole, other: AppUser | None) -> Account:
    acting = None
    if other is not None and role.valid_until is not None:
        acting = Acting(other.login, other.title_en, other.title_zh, role.valid_until)
    return Account(
        user_id=user.id,
        role_id=role.id,
        login=user.login,
        title_en=user.title_en,
        title_zh=user.title_zh,
        role=Role(role.role),
        territory_id=role.territory_id,
        area_ids=tuple(role.area_ids),
        unit_ids=tuple(role.unit_ids),
        # Who acts for a grid worker does the worker's tasks.
        worker_id=user.worker_id if other is None else other.worker_id,
        locale=user.locale,
        is_demo=user.is_demo,
        acting=acting,
    )


def touch_session(session: Session, session_id: str, now: dt.datetime) -> None:
    """Store that the session was seen."""
    session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen_at=now))


def set_session_locale(session: Session, session_id: str, locale: str) -> None:
    """Store the language of the session."""
    session.execute(update(UserSession).where(UserSession.id == session_id).values(locale=locale))


def set_session_role(session: Session, session_id: str, role_id: int) -> None:
    """Store the role a session acts in."""
    session.execute(update(UserSession).where(UserSession.id == session_id).values(role_id=role_id))


def revoke_session(session: Session, session_id: str, now: dt.datetime) -> bool:
    """Revoke a session; return whether it was live."""
    result = session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(UserSession.id),
    )
    return result.one_or_none() is not None


def delete_sessions(session: Session, *, expired_before: dt.datetime) -> int:
    """Delete the sessions that expired before a moment; return how many."""
    gone = session.execute(delete(UserSession).where(UserSession.expires_at < expired_before).returning(UserSession.id))
    return len(gone.all())


def sessions(
    session: Session, territory_id: int | None, now: dt.datetime, *, user_id: int | None = None
) -> list[SessionRow]:
    """Return the sessions that are live, newest first; of one territory or one user where given."""
    narrowed = [
        *([] if territory_id is None else [UserRole.territory_id == territory_id]),
        *([] if user_id is None else [UserSession.user_id == user_id]),
    ]
    rows = session.execute(
        select(UserSession, AppUser.login, UserRole.role)
        .join(AppUser, AppUser.id == UserSession.user_id)
        .join(UserRole, UserRole.id == UserSession.role_id)
        .where(UserSession.revoked_at.is_(None), UserSession.expires_at > now, *narrowed)
        .order_by(UserSession.created_at.desc()),
    )
    return [
        SessionRow(
            id=row.id,
            user_id=row.user_id,
            login=login,
            role=Role(role),
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )
        for row, login, role in rows
    ]
