"""Use cases of accounts: enter, leave, list and revoke sessions, make users."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, Role, require, system_actor
from core.settings import settings
from geodata.db import as_actor
from geodata.record import note_event
from people import credentials
from people import store_accounts as store
from people.model import Account, LiveSession, LoginFailure, LoginOutcome, SessionRow

SEEN_EVERY = dt.timedelta(minutes=5)
LOGIN_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?")
LOCALES = ("en", "zh")
NOBODY = 0
"""No account has this number."""


def login(session: Session, name: str, password: str, *, locale: str, at: dt.datetime | None = None) -> LoginOutcome:
    """Check name and password and start a session; count failures and lock after five in a row.

    Returns an outcome and raises nothing, so that the caller commits the count of failures. An
    unknown name costs the same time as a wrong password, and the caller says the same sentence.
    """
    now = at or clock_now()
    found = store.credentials(session, name.strip().lower())
    stored = found.password_hash if found and found.active else credentials.NO_PASSWORD
    right = credentials.verify_password(stored, password)
    if found is None or not found.active:
        _fail(session, NOBODY, 0, None)
        return LoginOutcome(None, LoginFailure.WRONG)
    if found.locked_until is not None and found.locked_until > now:
        _fail(session, NOBODY, 0, None)
        return LoginOutcome(None, LoginFailure.LOCKED, found.user_id)
    if not right:
        failures = found.failed_logins + 1
        until = credentials.lock_after(failures, now)
        _fail(session, found.user_id, failures, until)
        return LoginOutcome(None, LoginFailure.LOCKED if until else LoginFailure.WRONG, found.user_id)
    if found.is_demo and not settings().demo:
        return LoginOutcome(None, LoginFailure.DEMO_OFF, found.user_id)
    if found.failed_logins or found.locked_until:
        store.set_failures(session, found.user_id, 0, None)
    if credentials.needs_rehash(found.password_hash):
        store.set_password_hash(session, found.user_id, credentials.hash_password(password))
    roles = store.accounts_of(session, found.user_id, now)
    if not roles:
        return LoginOutcome(None, LoginFailure.WRONG, found.user_id)
    return LoginOutcome(start_session(session, roles[0], locale=locale, at=now), None, found.user_id)


def _fail(session: Session, user_id: int, failures: int, until: dt.datetime | None) -> None:
    """Count a failed attempt, by the same statements whether or not there is anybody to count it for."""
    store.answer_failure(session)
    store.set_failures(session, user_id, failures, until)


def enter_demo(
    session: Session, name: str, *, locale: str, role_id: int | None = None, at: dt.datetime | None = None
) -> LoginOutcome:
    """Start a session of a demo account without a password; only in demo mode.

    ``role_id`` says in which of its roles (territories); None takes the oldest.
    """
    if not settings().demo:
        return LoginOutcome(None, LoginFailure.DEMO_OFF)
    for account in store.demo_accounts(session, None):
        if account.login == name and role_id in {None, account.role_id}:
            return LoginOutcome(start_session(session, account, locale=locale, at=at), None, account.user_id)
    return LoginOutcome(None, LoginFailure.WRONG)


def enter_by_header(session: Session, name: str, *, locale: str, at: dt.datetime | None = None) -> LoginOutcome:
    """Start a session of an open account that a trusted proxy names; no account is made for an unknown name."""
    now = at or clock_now()
    found = store.credentials(session, name.strip().lower())
    if found is None or not found.active or found.is_demo:
        return LoginOutcome(None, LoginFailure.WRONG)
    roles = store.accounts_of(session, found.user_id, now)
    if not roles:
        return LoginOutcome(None, LoginFailure.WRONG, found.user_id)
    return LoginOutcome(start_session(session, roles[0], locale=locale, at=now, way="header"), None, found.user_id)


def start_session(
    session: Session, account: Account, *, locale: str, at: dt.datetime | None = None, way: str = ""
) -> str:
    """Insert a session, record the login, and return the token, which only the cookie keeps.

    Called as the system: nobody is logged in yet.
    """
    now = at or clock_now()
    token = credentials.new_token()
    store.add_session(
        session,
        credentials.token_id(token),
        account,
        locale=_locale(locale),
        now=now,
        expires_at=now + dt.timedelta(hours=settings().session_hours),
    )
    # From here on it is known who acts, and the record says so; then the system goes on.
    as_actor(session, account.actor())
    detail = {"role": account.role.value} | ({"by": way} if way else {})
    note_event(session, "login", "app_user", account.user_id, detail)
    as_actor(session, system_actor())
    return token


def session_actor(session: Session, token: str, *, at: dt.datetime | None = None) -> LiveSession | None:
    """Return who is logged in with this token; None when unknown, revoked or expired.

    A demo session counts for nothing outside demo mode.
    """
    now = at or clock_now()
    found = store.live_session(session, credentials.token_id(token), now)
    if found is None:
        return None
    live, seen_at = found
    if live.is_demo and not settings().demo:
        return None
    if now - seen_at > SEEN_EVERY:
        store.touch_session(session, live.id, now)
    return live


def set_locale(session: Session, live: LiveSession, locale: str) -> None:
    """Store the language of a session."""
    store.set_session_locale(session, live.id, _locale(locale))


def log_out(session: Session, token: str, *, at: dt.datetime | None = None) -> bool:
    """Revoke the session of this token; return whether it was live."""
    return store.revoke_session(session, credentials.token_id(token), at or clock_now())


def list_sessions(
    session: Session, actor: Actor, territory_id: int, *, at: dt.datetime | None = None
) -> list[SessionRow]:
    """Return the live sessions of the territory, newest first."""
    require(actor, May.MANAGE_USERS)
    return store.sessions(session, territory_id, at or clock_now())


def revoke(session: Session, actor: Actor, session_id: str, *, at: dt.datetime | None = None) -> None:
    """Revoke a session of the list.

    Raises
    ------
    NotFound
        When no such session is live.
    """
    require(actor, May.MANAGE_USERS)
    if not store.revoke_session(session, session_id, at or clock_now()):
        raise NotFound("This session has already ended.")


def create_user(
    session: Session,
    actor: Actor,
    *,
    login: str,
    password: str,
    role: Role,
    territory_id: int,
    title_en: str,
    title_zh: str,
    area_ids: Sequence[int] = (),
    unit_ids: Sequence[int] = (),
    worker_id: int | None = None,
    locale: str = "en",
) -> int:
    """Make an account with one role and return its id.

    Raises
    ------
    InvalidInput
        For a login or password that breaks the rules, and for a role without its reach.
    Conflict
        When the login is taken.
    """
    require(actor, May.MANAGE_USERS)
    credentials.check_password(password, known_login(login))
    if store.user_id_of(session, known_login(login)) is not None:
        raise Conflict(f"The login {login} is taken.", hint="Choose another.")
    return ensure_user(
        session,
        login=login,
        password=password,
        role=role,
        territory_id=territory_id,
        title_en=title_en,
        title_zh=title_zh,
        area_ids=area_ids,
        unit_ids=unit_ids,
        worker_id=worker_id,
        locale=locale,
    )


def ensure_user(
    session: Session,
    *,
    login: str,
    role: Role,
    territory_id: int,
    title_en: str,
    title_zh: str,
    password: str | None = None,
    area_ids: Sequence[int] = (),
    unit_ids: Sequence[int] = (),
    worker_id: int | None = None,
    locale: str = "en",
    is_demo: bool = False,
) -> int:
    """Make the account or bring it up to date, and return its id; the demo city and set-up call this.

    ``password`` None leaves an account that is there as it is, and makes a new one that no password
    opens (demo accounts are entered by their card).
    """
    name = known_login(login)
    if role is Role.SYSTEM:
        raise InvalidInput("Nobody logs in as the system.")
    if role is Role.GRID_MANAGER and not area_ids:
        raise InvalidInput(f"The grid manager {name} needs at least one community.")
    if role is Role.HANDLER and not unit_ids:
        raise InvalidInput(f"The department handler {name} needs at least one unit.")
    hashed = credentials.hash_password(password) if password is not None else ""
    if not hashed and store.user_id_of(session, name) is None:
        hashed = credentials.NO_PASSWORD
    user_id = store.put_user(
        session,
        login=name,
        password_hash=hashed,
        title_en=title_en,
        title_zh=title_zh,
        worker_id=worker_id,
        locale=_locale(locale),
        is_demo=is_demo,
    )
    store.put_role(session, user_id, territory_id, role, area_ids=area_ids, unit_ids=unit_ids)
    return user_id


def find_account(session: Session, login: str, territory_id: int) -> Account:
    """Return the account of a login in a territory; raise `NotFound` when it has no role there."""
    user_id = store.user_id_of(session, login.strip().lower())
    found = [] if user_id is None else store.accounts_of(session, user_id, clock_now())
    account = next((each for each in found if each.territory_id == territory_id), None)
    if account is None:
        raise NotFound(f"There is no account {login!r} in this territory.", hint="Make one with 'gridkeeper user add'.")
    return account


def join_territory(session: Session, actor: Actor, territory_id: int, *, area_ids: Sequence[int]) -> int:
    """Give the actor the same role in a new territory, in demo mode the demo accounts too; return how many got one.

    ``area_ids`` are the communities a grid manager reaches there. Handlers and grid workers are left
    out: a new territory has no units and no workers yet.
    """
    joining = {(account.user_id, account.role) for account in demo_accounts(session)}
    if actor.user_id is not None:
        joining.add((actor.user_id, actor.role))
    joining = {
        (user_id, role) for user_id, role in joining if role not in {Role.HANDLER, Role.GRID_WORKER, Role.SYSTEM}
    }
    for user_id, role in sorted(joining):
        areas = area_ids if role is Role.GRID_MANAGER else ()
        store.put_role(session, user_id, territory_id, role, area_ids=areas, unit_ids=())
    return len(joining)


def accounts_of(session: Session, user_id: int, *, at: dt.datetime | None = None) -> list[Account]:
    """Return the roles a user has now, one account each: the own ones oldest first, then those acted in."""
    return store.accounts_of(session, user_id, at or clock_now())


def switch_role(session: Session, live: LiveSession, role_id: int, *, at: dt.datetime | None = None) -> None:
    """Let a session act in another of the user's own roles, or in one that he has for a time.

    Raises
    ------
    NotFound
        When the role is not the user's.
    """
    mine = {
        account.role_id: account for account in store.accounts_of(session, live.actor.user_id or 0, at or clock_now())
    }
    if role_id not in mine:
        raise NotFound("This role is not yours.")
    store.set_session_role(session, live.id, role_id)
    if mine[role_id].acting is not None:
        as_actor(session, mine[role_id].actor())
        note_event(session, "act for another", "user_role", role_id, {"role": mine[role_id].role.value})
        as_actor(session, system_actor())


def demo_accounts(session: Session, territory_id: int | None = None) -> list[Account]:
    """Return the demo accounts whose cards the login page shows; none outside demo mode."""
    return store.demo_accounts(session, territory_id) if settings().demo else []


def refuse_demo_accounts(session: Session) -> None:
    """Return when the platform may start; demo accounts refuse to live outside demo mode.

    Raises
    ------
    InvalidInput
        When demo mode is off and demo accounts are active.
    """
    count = 0 if settings().demo else store.count_demo_accounts(session)
    if count:
        raise InvalidInput(
            f"Demo mode is off, but {count} demo accounts are active.",
            hint="Run `gridkeeper user retire-demo`, or set GRIDKEEPER_DEMO=true.",
        )


def retire_demo_accounts(session: Session, actor: Actor) -> int:
    """Make every demo account inactive; return how many were active."""
    require(actor, May.MANAGE_USERS)
    return store.retire_demo_accounts(session)


def known_login(name: str) -> str:
    """Return a login as it is kept, in small letters; raise `InvalidInput` for what cannot be one."""
    lowered = name.strip().lower()
    if not LOGIN_PATTERN.fullmatch(lowered):
        raise InvalidInput(
            f"{name!r} cannot be a login.",
            hint="Use 1 to 64 of a-z, 0-9, dot, dash, underscore and @.",
            zh=f"{name!r} 不能作为登录名。请使用 1 至 64 个小写字母、数字、点、横线、下划线或 @。",
        )
    return lowered


def _locale(locale: str) -> str:
    return locale if locale in LOCALES else LOCALES[0]
