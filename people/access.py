"""Ways in: the first administrator, invitations, new passwords, lock-out, accounts closed and opened again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require, system_actor
from core.settings import settings
from geodata.db import as_actor
from geodata.territory import list_territories, territory_name
from people import accounts, credentials, store_accounts
from people import store_access as store

INVITE_LASTS = dt.timedelta(days=3)
RESET_LASTS = dt.timedelta(hours=24)
FIRST_LASTS = dt.timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A one-time code, shown once to who made it; ``login`` is empty for the first administrator."""

    code: str
    kind: str
    login: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a code lets in."""

    login: str
    title_en: str
    title_zh: str
    kind: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class First:
    """What the first administrator says; ``city_zh`` empty means the same as ``city``."""

    city: str
    city_zh: str
    timezone: str
    login: str
    password: str
    title_en: str = "Administrator"
    title_zh: str = "系统管理员"


def lacks_administrator(session: Session) -> bool:
    """Return whether nobody can enter as administrator, so that the platform has to be set up first."""
    return store.administrators(session, demo=settings().demo) == 0


def ticket_for_first(session: Session, actor: Actor, *, at: dt.datetime | None = None) -> Ticket | None:
    """Return a fresh code for the first administrator, in place of earlier ones; None when there is one."""
    require(actor, May.SET_UP)
    if not lacks_administrator(session):
        return None
    now = at or clock_now()
    store.withdraw_codes(session, None, now)
    return _ticket(session, None, "first", "", made_by=None, at=now, lasts=FIRST_LASTS)


def first_code_opens(session: Session, code: str, *, at: dt.datetime | None = None) -> bool:
    """Return whether a code lets somebody make the first administrator account now."""
    found = store.live_code(session, credentials.token_id(code), at or clock_now())
    return found is not None and found.kind == "first" and lacks_administrator(session)


def set_up_first(session: Session, code: str, first: First, *, locale: str, at: dt.datetime | None = None) -> str:
    """Make the first administrator, with a territory without a boundary where there is none; return the token.

    Called as the system: nobody is logged in yet.

    Raises
    ------
    NotFound
        When the code opens nothing (any more).
    InvalidInput
        For a name, time zone, login or password that breaks the rules.
    """
    now = at or clock_now()
    found = store.live_code(session, credentials.token_id(code), now, lock=True)
    if found is None or found.kind != "first" or not lacks_administrator(session):
        raise NotFound(
            "This address opens nothing any more.",
            hint="Start the platform again: it prints a new one while there is no administrator.",
            zh="该地址已失效。请重新启动平台：在没有系统管理员时，启动时会显示新的地址。",
        )
    login = accounts.known_login(first.login)
    credentials.check_password(first.password, login)
    system = system_actor(label=login)
    as_actor(session, system, purpose="first administrator")
    known = list_territories(session)
    if not known:
        title = first.city.strip()
        if not title:
            raise InvalidInput("The city needs a name.", zh="请填写城市名称。")
        from geodata.outline import make_blank_territory

        known = [
            make_blank_territory(
                session,
                system,
                territory_name(title),
                title_en=title,
                title_zh=first.city_zh.strip() or title,
                timezone=first.timezone,
            )
        ]
    as_actor(session, system_actor(known[0].id, label=login), purpose="first administrator")
    if store_accounts.user_id_of(session, login) is not None:
        raise Conflict(
            f"The login {login} is taken.", hint="Choose another.", zh=f"登录名 {login} 已被使用，请换一个。"
        )
    for territory in known:
        user_id = accounts.ensure_user(
            session,
            login=login,
            password=first.password,
            role=Role.ADMINISTRATOR,
            territory_id=territory.id,
            title_en=first.title_en.strip() or "Administrator",
            title_zh=first.title_zh.strip() or "系统管理员",
            locale=locale,
        )
    found.used_at = now
    session.flush()
    return accounts.start_session(session, store_accounts.accounts_of(session, user_id, now)[0], locale=locale, at=now)


def invite(session: Session, actor: Actor, user_id: int, *, at: dt.datetime | None = None) -> Ticket:
    """Return a fresh one-time code with which the owner of an account sets its password; earlier ones are void.

    A password that is set already stays until the new one is.

    Raises
    ------
    NotFound
        When there is no such account.
    NotPermitted
        When it works in a territory that the actor does not administer: the code opens all its roles.
    InvalidInput
        When the account is closed, or a demo account.
    """
    require(actor, May.MANAGE_USERS)
    now = at or clock_now()
    check_administers(session, user_id)
    user = store.lock_user(session, user_id)
    if user is None:
        raise NotFound("There is no such account.", zh="没有该账号。")
    if not user.active:
        raise InvalidInput(
            f"The account {user.login} is closed.", hint="Open it first.", zh=f"账号 {user.login} 已停用，请先启用。"
        )
    if user.is_demo:
        raise InvalidInput("Demo accounts have no password.", zh="演示账号没有密码。")
    store.withdraw_codes(session, user_id, now)
    kind = "invite" if user.password_hash == credentials.NO_PASSWORD else "reset"
    lasts = INVITE_LASTS if kind == "invite" else RESET_LASTS
    return _ticket(session, user_id, kind, user.login, made_by=actor.user_id, at=now, lasts=lasts)


def check_administers(session: Session, user_id: int) -> None:
    """Return when an account works in no territory that the actor does not administer; else `NotPermitted`."""
    if not store.administers(session, user_id):
        raise NotPermitted(
            "This account works in another territory too, which you do not administer.",
            hint="Its administrator helps; the roles here you may end.",
            zh="该账号还在您不负责管理的其他辖区工作。请联系该辖区的系统管理员；本辖区的角色可由您结束。",
        )


def _ticket(
    session: Session,
    user_id: int | None,
    kind: str,
    login: str,
    *,
    made_by: int | None,
    at: dt.datetime,
    lasts: dt.timedelta,
) -> Ticket:
    code = credentials.new_code()
    store.add_code(
        session,
        user_id=user_id,
        kind=kind,
        code_hash=credentials.token_id(code),
        made_by=made_by,
        at=at,
        expires_at=at + lasts,
    )
    return Ticket(code, kind, login, at + lasts)


def invited(session: Session, code: str, *, at: dt.datetime | None = None) -> Invited | None:
    """Return whom a code lets in now; None when it opens nothing (any more)."""
    found = store.live_code(session, credentials.token_id(code), at or clock_now())
    user = None if found is None or found.user_id is None else store.user(session, found.user_id)
    if found is None or user is None or not user.active:
        return None
    return Invited(user.login, user.title_en, user.title_zh, found.kind, found.expires_at)


def redeem(session: Session, code: str, password: str, *, locale: str, at: dt.datetime | None = None) -> str | None:
    """Set the password of whom the code lets in, end older sessions, and return the token of a new one.

    None when the account has no role yet: then there is a password and nothing to enter. Called as the
    system: nobody is logged in yet.

    Raises
    ------
    NotFound
        When the code opens nothing (any more).
    InvalidInput
        When the password breaks the rules; the code stays good.
    """
    now = at or clock_now()
    found = store.live_code(session, credentials.token_id(code), now, lock=True)
    user = None if found is None or found.user_id is None else store.lock_user(session, found.user_id)
    if found is None or user is None or not user.active:
        raise NotFound(
            "This invitation opens nothing any more.",
            hint="Ask the administrator for a new one.",
            zh="该邀请已失效。请向系统管理员索取新的邀请。",
        )
    credentials.check_password(password, user.login)
    roles = store_accounts.accounts_of(session, user.id, now)
    home = roles[0].territory_id if roles else None
    as_actor(session, system_actor(home, label=user.login), purpose="password by invitation")
    user.password_hash = credentials.hash_password(password)
    user.failed_logins, user.locked_until, user.version = 0, None, user.version + 1
    found.used_at = now
    session.flush()
    store.revoke_sessions(session, user.id, now)
    return accounts.start_session(session, roles[0], locale=locale, at=now) if roles else None
