"""All SQL of people: units, workers, accounts, sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.identity import Role
from geodata.tables import AppUser, Draft, Person, ResponsibilityGrid, Unit, UnitGrid, UserRole, UserSession, Worker
from people.model import Account, LiveSession, SessionRow, UnitInfo, WorkerInfo


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login is checked against."""

    user_id: int
    password_hash: str
    active: bool
    is_demo: bool
    failed_logins: int
    locked_until: dt.datetime | None


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
        shift_start=worker.shift_start,
        shift_end=worker.shift_end,
        shift_weekdays=tuple(worker.shift_weekdays),
    )
    return SealedWorker(info, person.subject_id if person else None, person.name_cipher if person else None)


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


def set_password_hash(session: Session, user_id: int, password_hash: str) -> None:
    """Store a new hash."""
    session.execute(
        update(AppUser).where(AppUser.id == user_id).values(password_hash=password_hash, version=AppUser.version + 1),
    )


_ACCOUNT = select(AppUser, UserRole).join(UserRole, UserRole.user_id == AppUser.id).where(AppUser.active)


def accounts_of(session: Session, user_id: int) -> list[Account]:
    """Return the roles of an active user, oldest first."""
    rows = session.execute(_ACCOUNT.where(AppUser.id == user_id).order_by(UserRole.id))
    return [_account(user, role) for user, role in rows]


def demo_accounts(session: Session, territory_id: int | None) -> list[Account]:
    """Return the active demo accounts, of one territory when given."""
    query = _ACCOUNT.where(AppUser.is_demo).order_by(UserRole.territory_id, UserRole.id)
    if territory_id is not None:
        query = query.where(UserRole.territory_id == territory_id)
    return [_account(user, role) for user, role in session.execute(query)]


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
            UserRole.user_id == user_id, UserRole.territory_id == territory_id, UserRole.role == role.value
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
        select(UserSession, AppUser, UserRole)
        .join(AppUser, AppUser.id == UserSession.user_id)
        .join(UserRole, UserRole.id == UserSession.role_id)
        .where(
            UserSession.id == session_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            AppUser.active,
        ),
    ).one_or_none()
    if row is None:
        return None
    login, user, role = row
    account = _account(user, role)
    live = LiveSession(
        id=login.id,
        role_id=role.id,
        actor=account.actor(login.locale),
        title_en=user.title_en,
        title_zh=user.title_zh,
        is_demo=user.is_demo,
        expires_at=login.expires_at,
    )
    return live, login.last_seen_at


def _account(user: AppUser, role: UserRole) -> Account:
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
        worker_id=user.worker_id,
        locale=user.locale,
        is_demo=user.is_demo,
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


def sessions(session: Session, territory_id: int, now: dt.datetime) -> list[SessionRow]:
    """Return the sessions of the territory that are live, newest first."""
    rows = session.execute(
        select(UserSession, AppUser.login, UserRole.role)
        .join(AppUser, AppUser.id == UserSession.user_id)
        .join(UserRole, UserRole.id == UserSession.role_id)
        .where(UserRole.territory_id == territory_id, UserSession.revoked_at.is_(None), UserSession.expires_at > now)
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
