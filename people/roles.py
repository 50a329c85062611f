"""Who may do what, where and until when: accounts made, roles given and ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from core.settings import settings
from geodata.tables import AppUser
from people import access, accounts, credentials, store_accounts
from people import store_access as store
from people.access import Ticket
from people.access_model import AccountRow, RoleRow, RoleState, Separation, separations

NEEDS_AREAS = frozenset({Role.GRID_MANAGER})
NEEDS_UNITS = frozenset({Role.HANDLER})
MAY_HAVE_AREAS = NEEDS_AREAS | {Role.GRID_WORKER}


@dataclass(frozen=True, slots=True)
class Reach:
    """A role with the communities and units it reaches."""

    role: Role
    area_ids: tuple[int, ...] = ()
    unit_ids: tuple[int, ...] = ()


def account(session: Session, actor: Actor, user_id: int) -> AccountRow:
    """Return an account that has, or had, a role in the actor's territory; raise `NotFound` for any other."""
    require(actor, May.REVIEW_USERS)
    found = next((each for each in store.account_rows(session, home_of(actor)) if each.id == user_id), None)
    if found is None:
        raise NotFound("There is no such account in this territory.", zh="本辖区没有该账号。")
    return found


def account_of_login(session: Session, actor: Actor, login: str) -> AccountRow:
    """Return the account of a login in the actor's territory; raise `NotFound` for any other."""
    require(actor, May.REVIEW_USERS)
    wanted = login.strip().lower()
    found = next((each for each in store.account_rows(session, home_of(actor)) if each.login == wanted), None)
    if found is None:
        raise NotFound(
            f"There is no account {login!r} in this territory.",
            hint="See the list of accounts.",
            zh=f"本辖区没有账号 {login}。请查看账号列表。",
        )
    return found


def invite_new(
    session: Session,
    actor: Actor,
    *,
    login: str,
    title_en: str,
    title_zh: str,
    first: Reach,
    worker_id: int | None = None,
    locale: str = "en",
    at: dt.datetime | None = None,
) -> tuple[int, Ticket]:
    """Make an account with its first role, and return its id and the code that lets its owner set the password.

    Raises
    ------
    InvalidInput
        For a login, title or reach that breaks the rules.
    Conflict
        When the login is taken.
    """
    require(actor, May.MANAGE_USERS)
    name = accounts.known_login(login)
    if store_accounts.user_id_of(session, name) is not None:
        raise Conflict(f"The login {name} is taken.", hint="Choose another.", zh=f"登录名 {name} 已被使用，请换一个。")
    titles = (title_en.strip() or title_zh.strip(), title_zh.strip() or title_en.strip())
    if not all(titles):
        raise InvalidInput(
            "The account needs a title.",
            hint="Give the function, e.g. Head of supervision; not a private name.",
            zh="请填写职务名称，例如“监督科科长”，不要填写个人姓名。",
        )
    if worker_id is not None and not store.worker_here(session, home_of(actor), worker_id):
        raise NotFound("There is no such worker in this territory.", zh="本辖区没有该网格员。")
    if first.role is Role.GRID_WORKER and worker_id is None:
        raise InvalidInput(
            "The account of a grid worker needs the worker.",
            hint="Choose the staff number.",
            zh="网格员账号须指定对应的网格员编号。",
        )
    user_id = store_accounts.put_user(
        session,
        login=name,
        password_hash=credentials.NO_PASSWORD,
        title_en=titles[0],
        title_zh=titles[1],
        worker_id=worker_id,
        locale=locale if locale in accounts.LOCALES else accounts.LOCALES[0],
        is_demo=False,
    )
    grant(session, actor, user_id, first, at=at)
    return user_id, access.invite(session, actor, user_id, at=at)


def grant(session: Session, actor: Actor, user_id: int, reach: Reach, *, at: dt.datetime | None = None) -> int:
    """Give an account one more role in the actor's territory, for good, and return the role's id.

    Raises
    ------
    NotPermitted
        For oneself, and for an account that works in other territories only.
    InvalidInput
        For a reach that does not fit the role, and for duties that one person must not hold together.
    Conflict
        When the account has the role already.
    """
    require(actor, May.MANAGE_USERS)
    refuse_oneself(actor, user_id)
    now = at or clock_now()
    user = store.user(session, user_id)
    if user is None:
        raise NotFound("There is no such account.", zh="没有该账号。")
    if all(each.id != user_id for each in store.account_rows(session, home_of(actor))):
        access.check_administers(session, user_id)
    store.lock_roles_of(session, user_id)
    _check_reach(session, actor, reach)
    own = [each for each in _own(session, actor, user_id) if each.state(now) is RoleState.NOW]
    if any(each.role is reach.role for each in own):
        raise Conflict(
            f"{user.login} has this role already.",
            hint="Change its reach instead.",
            zh=f"{user.login} 已有该角色，请修改其范围。",
        )
    if Separation.SENDS_AND_CLOSES in separations([reach.role, *(each.role for each in own)]):
        raise InvalidInput(
            f"{user.login} would dispatch incidents and close them: nobody holds both duties for good.",
            hint="End the other role first; to bridge an absence let somebody act for the other, with an end.",
            zh=f"{user.login} 将同时承担派遣与结案，二者不得长期由一人兼任。请先结束另一角色；临时顶岗请用代理。",
        )
    return store.add_role(
        session, user_id, home_of(actor), reach.role, reach=(reach.area_ids, reach.unit_ids), from_=now
    )


def refuse_oneself(actor: Actor, user_id: int) -> None:
    """Return unless an account would get a role from its own hand: who administers reads no incident."""
    if actor.user_id == user_id and actor.role is not Role.SYSTEM:
        raise NotPermitted(
            "Nobody gives himself a role.",
            hint="Ask another administrator.",
            zh="不能给本人授予角色，请由另一位系统管理员办理。",
        )


def change_reach(session: Session, actor: Actor, role_id: int, reach: Reach, *, version: int) -> None:
    """Change which communities or units a role reaches.

    Raises
    ------
    InvalidInput
        For a reach that does not fit the role.
    Conflict
        When somebody else changed it meanwhile.
    """
    require(actor, May.MANAGE_USERS)
    row = store.lock_role(session, home_of(actor), role_id)
    if row is None:
        raise NotFound("There is no such role.", zh="没有该角色。")
    check_version(row.version, version)
    _check_reach(session, actor, Reach(Role(row.role), reach.area_ids, reach.unit_ids))
    row.area_ids, row.unit_ids, row.version = list(reach.area_ids), list(reach.unit_ids), row.version + 1
    session.flush()


def end_role(session: Session, actor: Actor, role_id: int, *, version: int, at: dt.datetime | None = None) -> None:
    """End a role, or somebody's acting for another, now; sessions in it end at once.

    Raises
    ------
    InvalidInput
        When nobody would be left to administer the platform.
    Conflict
        When it has ended already, or somebody else changed it meanwhile.
    """
    require(actor, May.MANAGE_USERS)
    now = at or clock_now()
    row = store.lock_role(session, home_of(actor), role_id)
    if row is None:
        raise NotFound("There is no such role.", zh="没有该角色。")
    check_version(row.version, version)
    if row.valid_until is not None and row.valid_until <= now:
        raise Conflict("This role has ended already.", zh="该角色已经结束。")
    store.cut_short(session, role_id, now)
    store.revoke_sessions_in(session, role_id, now)
    keep_an_administrator(session)


def close_account(session: Session, actor: Actor, user_id: int, *, version: int, at: dt.datetime | None = None) -> int:
    """Close an account: its sessions end at once, its codes open nothing; return how many sessions ended.

    Raises
    ------
    InvalidInput
        For the own account, and when nobody would be left to administer the platform.
    Conflict
        When somebody else changed it meanwhile.
    """
    user = _to_change(session, actor, user_id, version)
    if user_id == actor.user_id:
        raise InvalidInput(
            "You cannot close your own account.",
            hint="Ask another administrator.",
            zh="不能停用本人账号，请由另一位系统管理员办理。",
        )
    now = at or clock_now()
    user.active, user.version = False, user.version + 1
    session.flush()
    store.withdraw_codes(session, user_id, now)
    keep_an_administrator(session)
    return store.revoke_sessions(session, user_id, now)


def open_account(session: Session, actor: Actor, user_id: int, *, version: int) -> None:
    """Open an account that was closed, and take any lock away; its password is as before."""
    user = _to_change(session, actor, user_id, version)
    if user.is_demo and not settings().demo:
        raise InvalidInput("Demo accounts stay closed outside demo mode.", zh="非演示模式下演示账号须保持停用。")
    user.active, user.failed_logins, user.locked_until, user.version = True, 0, None, user.version + 1
    session.flush()


def release_lock(session: Session, actor: Actor, user_id: int, *, version: int) -> None:
    """Let an account be tried again at once after failed attempts locked it."""
    user = _to_change(session, actor, user_id, version)
    user.failed_logins, user.locked_until, user.version = 0, None, user.version + 1
    session.flush()


def keep_an_administrator(session: Session) -> None:
    """Return when somebody can still enter as administrator; raise `InvalidInput` otherwise.

    Of two who would each take the other away at the same moment, the later one waits and is refused.
    """
    store.lock_administrators(session)
    if access.lacks_administrator(session):
        raise InvalidInput(
            "Nobody would be left to administer the platform.",
            hint="Give another account the role first.",
            zh="平台将没有系统管理员。请先授予其他账号该角色。",
        )


def _to_change(session: Session, actor: Actor, user_id: int, version: int) -> AppUser:
    require(actor, May.MANAGE_USERS)
    account(session, actor, user_id)
    access.check_administers(session, user_id)
    user = store.lock_user(session, user_id)
    if user is None:
        raise NotFound("There is no such account.", zh="没有该账号。")
    check_version(user.version, version)
    return user


def check_version(found: int, expected: int) -> None:
    """Return when a row is as it was when it was shown; raise `Conflict` otherwise."""
    if found != expected:
        raise Conflict(
            "Somebody else changed this meanwhile.",
            hint="Load the page again to see what it is now.",
            zh="他人已修改此项，请重新加载页面查看现状。",
        )


def _check_reach(session: Session, actor: Actor, reach: Reach) -> None:
    home = home_of(actor)
    if reach.role is Role.SYSTEM:
        raise InvalidInput("Nobody logs in as the system.", zh="系统角色不能登录。")
    if reach.role in NEEDS_AREAS and not reach.area_ids:
        raise InvalidInput("A grid manager needs at least one community.", zh="网格长至少负责一个社区。")
    if reach.role in NEEDS_UNITS and not reach.unit_ids:
        raise InvalidInput("A department handler needs at least one unit.", zh="处置人员至少属于一个单位。")
    too_narrow = (reach.area_ids, reach.role in MAY_HAVE_AREAS), (reach.unit_ids, reach.role in NEEDS_UNITS)
    if any(given and not fits for given, fits in too_narrow):
        raise InvalidInput(
            "This role reaches the whole territory and takes no part of it.", zh="该角色覆盖整个辖区，不设局部范围。"
        )
    if store.communities_among(session, home, reach.area_ids) != len(set(reach.area_ids)):
        raise NotFound("A community is not one of this territory.", zh="所选社区不属于本辖区。")
    if store.units_among(session, home, reach.unit_ids) != len(set(reach.unit_ids)):
        raise NotFound("A unit is not one of this territory.", zh="所选单位不属于本辖区。")


def _own(session: Session, actor: Actor, user_id: int) -> list[RoleRow]:
    rows = store.role_rows(session, home_of(actor))
    return [each for each in rows if each.user_id == user_id and each.acting_for is None]


def home_of(actor: Actor) -> int:
    """Return the territory the actor works in; raise `InvalidInput` when there is none."""
    if actor.territory_id is None:
        raise InvalidInput("Say in which territory.", hint="Name it with --territory.")
    return actor.territory_id
