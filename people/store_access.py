"""All SQL of one-time codes, roles with an end, deputies and reviews."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import and_, column, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from core.identity import Actor, Role
from geodata.tables import (
    AccessReview,
    AppUser,
    Area,
    Invitation,
    StandingDeputy,
    Unit,
    UserRole,
    UserSession,
    Worker,
)
from people.access_model import AccountRow, RoleRow
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


def administers(session: Session, user_id: int) -> bool:
    """Return whether an account is the actor's to administer: it works nowhere that he does not administer."""
    return bool(session.scalar(select(func.gk_administers(user_id))))


def lock_roles_of(session: Session, user_id: int) -> None:
    """Let the roles of an account be given one by one, until the end of the transaction."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("gridkeeper.user_role"), user_id)))


def lock_administrators(session: Session) -> None:
    """Let nobody else take an administrator away before this transaction has ended."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("gridkeeper.administrators"), 0)))


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


def account_rows(session: Session, territory_id: int) -> list[AccountRow]:
    """Return the accounts with a role in the territory, with their roles and last review, by login.

    Empty for those who neither manage nor review accounts.
    """
    columns = (
        "id login title_en title_zh worker_id locale is_demo active opens failed_logins locked_until created_at version"
        " last_login"
    )
    found = func.gk_accounts(territory_id).table_valued(*(column(name) for name in columns.split()))
    roles: dict[int, list[RoleRow]] = {}
    for role in role_rows(session, territory_id):
        roles.setdefault(role.user_id, []).append(role)
    reviews = {
        user_id: (at, label)
        for user_id, at, label in session.execute(
            select(AccessReview.user_id, AccessReview.reviewed_at, AccessReview.reviewed_label)
            .where(AccessReview.territory_id == territory_id)
            .ext(distinct_on(AccessReview.user_id))
            .order_by(AccessReview.user_id, AccessReview.reviewed_at.desc())
        )
    }
    return [
        AccountRow(
            **row._asdict(),
            roles=tuple(roles.get(row.id, ())),
            reviewed_at=reviews[row.id][0] if row.id in reviews else None,
            reviewed_by=reviews[row.id][1] if row.id in reviews else "",
        )
        for row in session.execute(select(found).order_by(found.c.login))
    ]


def role_rows(session: Session, territory_id: int, *, acting_for: int | None = None) -> list[RoleRow]:
    """Return the roles in the territory, own ones first, the newest last; ``acting_for`` narrows when given."""
    other = aliased(AppUser)
    query = (
        select(UserRole, other.login)
        .outerjoin(other, other.id == UserRole.acting_for)
        .where(UserRole.territory_id == territory_id)
        .order_by(UserRole.acting_for.is_not(None), UserRole.id)
    )
    if acting_for is not None:
        query = query.where(UserRole.acting_for == acting_for)
    return [_role_row(role, login) for role, login in session.execute(query)]


def _role_row(role: UserRole, acting_login: str | None) -> RoleRow:
    return RoleRow(
        id=role.id,
        user_id=role.user_id,
        role=Role(role.role),
        area_ids=tuple(role.area_ids),
        unit_ids=tuple(role.unit_ids),
        acting_for=role.acting_for,
        acting_login=acting_login or "",
        reason=role.reason,
        valid_from=role.valid_from,
        valid_until=role.valid_until,
        version=role.version,
    )


def lock_role(session: Session, territory_id: int | None, role_id: int) -> UserRole | None:
    """Return a role of the territory, locked until the end of the transaction; None when there is none."""
    query = select(UserRole).where(UserRole.id == role_id, UserRole.territory_id == territory_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def add_role(
    session: Session,
    user_id: int,
    territory_id: int,
    role: Role,
    *,
    reach: tuple[Sequence[int], Sequence[int]],
    from_: dt.datetime,
    until: dt.datetime | None = None,
    acting_for: int | None = None,
    reason: str = "",
) -> int:
    """Insert a role, for good or for a time, and return its id; ``reach`` are areas and units."""
    row = UserRole(
        user_id=user_id,
        territory_id=territory_id,
        role=role.value,
        area_ids=list(reach[0]),
        unit_ids=list(reach[1]),
        acting_for=acting_for,
        reason=reason,
        valid_from=from_,
        valid_until=until,
    )
    session.add(row)
    session.flush()
    return row.id


def cut_short(session: Session, role_id: int, now: dt.datetime) -> None:
    """End a role now; one that had not begun holds at no moment."""
    session.execute(
        update(UserRole)
        .where(UserRole.id == role_id)
        .values(valid_from=func.least(UserRole.valid_from, now), valid_until=now, version=UserRole.version + 1)
    )


def revoke_sessions_in(session: Session, role_id: int, now: dt.datetime) -> int:
    """Revoke the live sessions that act in a role; return how many."""
    gone = session.execute(
        update(UserSession)
        .where(UserSession.role_id == role_id, UserSession.revoked_at.is_(None), UserSession.expires_at > now)
        .values(revoked_at=now)
        .returning(UserSession.id)
    )
    return len(gone.all())


def add_review(session: Session, territory_id: int, user_id: int, actor: Actor, at: dt.datetime) -> None:
    """Insert that the actor found an account right."""
    session.add(
        AccessReview(
            territory_id=territory_id,
            user_id=user_id,
            reviewed_by=actor.user_id,
            reviewed_label=actor.label,
            reviewed_at=at,
        )
    )
    session.flush()


def deputies(session: Session, territory_id: int, user_id: int) -> list[AppUser]:
    """Return the standing deputies of an account, by login."""
    return list(
        session.scalars(
            select(AppUser)
            .join(StandingDeputy, StandingDeputy.deputy_id == AppUser.id)
            .where(StandingDeputy.territory_id == territory_id, StandingDeputy.user_id == user_id)
            .order_by(AppUser.login)
        )
    )


def deputy_logins(session: Session, territory_id: int, user_id: int) -> tuple[str, ...]:
    """Return the logins of the standing deputies of an account, as far as the actor may list accounts."""
    names = {each.id: each.login for each in account_rows(session, territory_id)}
    ids = session.scalars(
        select(StandingDeputy.deputy_id).where(
            StandingDeputy.territory_id == territory_id, StandingDeputy.user_id == user_id
        )
    )
    return tuple(sorted(names[each] for each in ids if each in names))


def put_deputies(session: Session, territory_id: int, user_id: int, deputy_ids: Sequence[int]) -> None:
    """Make these the standing deputies of an account, in place of those before."""
    known = session.scalars(
        select(StandingDeputy).where(StandingDeputy.territory_id == territory_id, StandingDeputy.user_id == user_id)
    ).all()
    for row in known:
        if row.deputy_id not in deputy_ids:
            session.delete(row)
    for deputy_id in set(deputy_ids) - {row.deputy_id for row in known}:
        session.add(StandingDeputy(territory_id=territory_id, user_id=user_id, deputy_id=deputy_id))
    session.flush()


def communities_among(session: Session, territory_id: int, area_ids: Sequence[int]) -> int:
    """Return how many of these are communities of the territory."""
    query = select(func.count()).select_from(Area)
    return session.execute(
        query.where(Area.territory_id == territory_id, Area.level == "community", Area.id.in_(area_ids))
    ).scalar_one()


def units_among(session: Session, territory_id: int, unit_ids: Sequence[int]) -> int:
    """Return how many of these are units of the territory."""
    query = select(func.count()).select_from(Unit)
    return session.execute(query.where(Unit.territory_id == territory_id, Unit.id.in_(unit_ids))).scalar_one()


def worker_here(session: Session, territory_id: int, worker_id: int) -> bool:
    """Return whether the territory has this worker, and he works here still."""
    found = session.scalar(
        select(Worker.id).where(Worker.id == worker_id, Worker.territory_id == territory_id, Worker.active)
    )
    return found is not None
