"""Standing in: somebody acts in another's role for a time, and everybody looks after his own account."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, Role, require, system_actor
from geodata.db import as_actor
from people import credentials, store_accounts
from people import store_access as store
from people.access_model import ACTING_MOST, RoleRow, RoleState, Separation, separations
from people.model import SessionRow
from people.roles import home_of, refuse_oneself


@dataclass(frozen=True, slots=True)
class MyAccount:
    """What everybody sees of the own account."""

    login: str
    roles: tuple[RoleRow, ...]
    acting_for_me: tuple[tuple[str, RoleRow], ...]
    deputies: tuple[str, ...]
    sessions: tuple[SessionRow, ...]
    opens: bool


def act_for(
    session: Session,
    actor: Actor,
    user_id: int,
    role_id: int,
    *,
    from_: dt.datetime,
    until: dt.datetime,
    reason: str,
    at: dt.datetime | None = None,
) -> tuple[int, tuple[Separation, ...]]:
    """Let an account act in another's role for a time; return the id, and duties it then holds together.

    The administrator does this, and everybody for his own roles. It ends by itself; sessions in it end with it.

    Raises
    ------
    NotPermitted
        For oneself.
    InvalidInput
        For a time that is over, longer than 90 days or without a reason, for oneself, and for closed accounts.
    Conflict
        When the account acts in this role already in that time.
    """
    refuse_oneself(actor, user_id)
    now = at or clock_now()
    row = store.lock_role(session, home_of(actor), role_id)
    if row is None or row.acting_for is not None or row.valid_until is not None:
        raise NotFound(
            "There is no such role.", hint="Nobody lends a role he has for a time only.", zh="没有可代理的该角色。"
        )
    if row.user_id != actor.user_id:
        require(actor, May.MANAGE_USERS)
    user, other = store.user(session, user_id), store.user(session, row.user_id)
    if user is None or other is None or not user.active:
        raise InvalidInput("Who acts for another needs an account that is open.", zh="代理人须有已启用的账号。")
    _check_time(user_id, row.user_id, from_, until, reason=reason, now=now)
    mine = [each for each in store.role_rows(session, home_of(actor)) if each.user_id == user_id]
    if any(
        each.acting_for == row.user_id
        and each.role.value == row.role
        and each.valid_from < until
        and (each.valid_until or until) > from_
        for each in mine
    ):
        raise Conflict(
            f"{user.login} acts for {other.login} in that time already.",
            hint="End that first, or choose another time.",
            zh=f"{user.login} 在该时段已代理 {other.login}。请先结束，或另选时段。",
        )
    made = store.add_role(
        session,
        user_id,
        home_of(actor),
        Role(row.role),
        reach=(row.area_ids, row.unit_ids),
        from_=from_,
        until=until,
        acting_for=row.user_id,
        reason=reason.strip(),
    )
    lasting = [each.role for each in mine if each.state(now) is RoleState.NOW]
    return made, separations([Role(row.role), *lasting])


def _check_time(
    user_id: int, other_id: int, from_: dt.datetime, until: dt.datetime, *, reason: str, now: dt.datetime
) -> None:
    if user_id == other_id:
        raise InvalidInput("Nobody acts for himself.", zh="不能代理本人。")
    if until <= max(from_, now):
        raise InvalidInput("The end lies before the beginning, or is over.", zh="结束时间早于开始时间，或已过去。")
    if until - from_ > ACTING_MOST:
        raise InvalidInput(
            "Acting for another lasts 90 days at most.",
            hint="Give the role itself when it is for longer.",
            zh="代理最长 90 天。如需更久，请直接授予角色。",
        )
    if not reason.strip():
        raise InvalidInput("Say why: the reason is kept in the record.", zh="请说明理由，理由会写入操作记录。")


def deputies_of(session: Session, actor: Actor, user_id: int) -> tuple[str, ...]:
    """Return the logins of an account's standing deputies."""
    require(actor, May.REVIEW_USERS)
    return store.deputy_logins(session, home_of(actor), user_id)


def set_deputies(session: Session, actor: Actor, user_id: int, deputy_ids: Sequence[int]) -> None:
    """Say who acts for an account whenever its owner says that he is away; nobody when empty.

    Raises
    ------
    InvalidInput
        When a deputy is the owner himself, or has no open account here.
    """
    require(actor, May.MANAGE_USERS)
    known = {each.id: each for each in store.account_rows(session, home_of(actor))}
    if user_id not in known:
        raise NotFound("There is no such account in this territory.", zh="本辖区没有该账号。")
    for deputy_id in deputy_ids:
        if deputy_id == user_id or deputy_id not in known or not known[deputy_id].active:
            raise InvalidInput(
                "A deputy is somebody else with an open account here.", zh="代理人须为本辖区另一位账号已启用的人员。"
            )
    store.put_deputies(session, home_of(actor), user_id, deputy_ids)


# --- the own account: done by its owner, whose rights over accounts are otherwise none


def by_own_hand(actor: Actor) -> Actor:
    """Return the system acting under the user's own name, for what everybody may do to his own account."""
    if actor.user_id is None:
        raise InvalidInput("Only a person has an account.")
    return dataclasses.replace(
        system_actor(actor.territory_id, label=actor.label), user_id=actor.user_id, locale=actor.locale
    )


def my_account(session: Session, actor: Actor, *, at: dt.datetime | None = None) -> MyAccount:
    """Return the actor's own account: roles, who acts for him, deputies, sessions."""
    now, mine = at or clock_now(), by_own_hand(actor)
    as_actor(session, mine)
    user = store.user(session, mine.user_id or 0)
    rows = store.role_rows(session, home_of(mine))
    standing = [each for each in rows if each.acting_for == mine.user_id and each.state(now) is not RoleState.ENDED]
    names = {each.user_id: store.user(session, each.user_id) for each in standing}
    found = MyAccount(
        login="" if user is None else user.login,
        roles=tuple(each for each in rows if each.user_id == mine.user_id and each.state(now) is not RoleState.ENDED),
        acting_for_me=tuple((who.login, each) for each in standing if (who := names[each.user_id]) is not None),
        deputies=store.deputy_logins(session, home_of(mine), mine.user_id or 0),
        sessions=tuple(store_accounts.sessions(session, None, now, user_id=mine.user_id)),
        opens=user is not None and user.password_hash != credentials.NO_PASSWORD,
    )
    as_actor(session, actor)
    return found


def change_password(
    session: Session,
    actor: Actor,
    old: str,
    new: str,
    *,
    keep: str | None = None,
    at: dt.datetime | None = None,
) -> bool:
    """Set the actor's own password and end his other sessions; return False for a wrong old one, which is counted.

    ``keep`` is the session that goes on. After five wrong ones the account is locked as at the login.

    Raises
    ------
    InvalidInput
        When the new one breaks the rules, or the account is locked or has no password.
    """
    now, mine = at or clock_now(), by_own_hand(actor)
    user = None
    as_actor(session, mine, purpose="change the own password")
    user = store.lock_user(session, mine.user_id or 0)
    if user is None or user.password_hash == credentials.NO_PASSWORD:
        raise InvalidInput("This account has no password to change.", zh="该账号没有可修改的密码。")
    if user.locked_until is not None and user.locked_until > now:
        raise InvalidInput(
            "The account is locked for some minutes.",
            hint="Wait, or ask an administrator.",
            zh="账号已暂时锁定，请稍候或联系系统管理员。",
        )
    credentials.check_password(new, user.login)
    right = credentials.verify_password(user.password_hash, old)
    if right:
        user.password_hash = credentials.hash_password(new)
        user.failed_logins, user.locked_until = 0, None
        store.revoke_sessions(session, user.id, now, keep=keep)
        store.withdraw_codes(session, user.id, now)
    else:
        user.failed_logins += 1
        user.locked_until = credentials.lock_after(user.failed_logins, now)
    user.version += 1
    session.flush()
    as_actor(session, actor)
    return right


def end_my_sessions(session: Session, actor: Actor, *, keep: str | None, at: dt.datetime | None = None) -> int:
    """End the actor's own sessions, all but ``keep``; return how many."""
    mine = by_own_hand(actor)
    as_actor(session, mine, purpose="end the own sessions")
    ended = store.revoke_sessions(session, mine.user_id or 0, at or clock_now(), keep=keep)
    as_actor(session, actor)
    return ended


def go_away(
    session: Session,
    actor: Actor,
    *,
    from_: dt.datetime,
    until: dt.datetime,
    reason: str,
    at: dt.datetime | None = None,
) -> tuple[str, ...]:
    """Let the actor's standing deputies act in his own roles for a time; return their logins.

    Raises
    ------
    InvalidInput
        When nobody is named as deputy, or the time cannot be used.
    """
    now, mine = at or clock_now(), by_own_hand(actor)
    as_actor(session, mine, purpose="away")
    deputies = [each for each in store.deputies(session, home_of(mine), mine.user_id or 0) if each.active]
    if not deputies:
        raise InvalidInput(
            "No deputy is named for you.",
            hint="Ask an administrator to name one.",
            zh="尚未为您指定代理人，请联系系统管理员。",
        )
    for role in store.role_rows(session, home_of(mine)):
        if role.user_id != mine.user_id or role.acting_for is not None or role.state(now) is not RoleState.NOW:
            continue
        for deputy in deputies:
            act_for(session, mine, deputy.id, role.id, from_=from_, until=until, reason=reason, at=now)
    as_actor(session, actor)
    return tuple(each.login for each in deputies)


def come_back(session: Session, actor: Actor, *, at: dt.datetime | None = None) -> int:
    """End everybody's acting for the actor, now; return how many roles came back."""
    now, mine = at or clock_now(), by_own_hand(actor)
    as_actor(session, mine, purpose="back")
    rows = store.role_rows(session, home_of(mine), acting_for=mine.user_id)
    ended = [each for each in rows if each.state(now) is not RoleState.ENDED]
    for each in ended:
        store.cut_short(session, each.id, now)
        store.revoke_sessions_in(session, each.id, now)
    as_actor(session, actor)
    return len(ended)
