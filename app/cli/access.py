"""user invite, list, roles, grant, revoke, acting, deputies, lock, unlock, sessions, review, handover."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.user import ROLES, ids_of, known_role, places
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, system_actor
from core.settings import settings
from geodata.db import as_actor, transaction
from geodata.territory import TerritoryInfo, find_territory
from people import access, accounts, acting, handover, reviews, roles, service
from people.access import Ticket
from people.access_model import RoleRow, RoleState
from people.roles import Reach

LABEL = "command line"
Login = Annotated[str, typer.Argument(help="Name to log in with.")]
Communities = Annotated[list[str] | None, typer.Option("--community", help="Code of a community the role reaches.")]
Units = Annotated[list[str] | None, typer.Option("--unit", help="Code of a unit a handler works for.")]
RoleName = Annotated[str, typer.Option("--role", help="One of: " + ", ".join(ROLES))]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    users = groups["user"]
    users.command("invite")(invite)
    users.command("list")(list_all)
    users.command("roles")(show_roles)
    users.command("grant")(grant)
    users.command("revoke")(revoke)
    users.command("acting")(act)
    users.command("deputies")(deputies)
    users.command("lock")(lock)
    users.command("unlock")(unlock)
    users.command("sessions")(sessions)
    users.command("review")(review)
    users.command("handover")(hand_over)


@contextlib.contextmanager
def _act(territory: str | None, purpose: str) -> Iterator[tuple[Session, Actor, TerritoryInfo]]:
    with transaction(system_actor(label=LABEL), purpose=purpose) as session:
        place = find_territory(session, territory)
        actor = system_actor(place.id, label=LABEL)
        as_actor(session, actor, purpose=purpose)
        yield session, actor, place


def invite(
    login: Login,
    *,
    role: Annotated[str | None, typer.Option(help="First role of a new account: " + ", ".join(ROLES))] = None,
    title: Annotated[str | None, typer.Option(help="Function of a new account, shown beside acts.")] = None,
    title_zh: Annotated[str | None, typer.Option(help="The same in Chinese.")] = None,
    community: Communities = None,
    unit: Units = None,
    worker: Annotated[str | None, typer.Option(help="Staff number of the grid worker whose account it is.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Print a one-time address at which somebody sets his password; makes the account when it is new."""
    with _act(territory, "user invite") as (session, actor, place):
        known = {each.account.login: each.account for each in reviews.list_accounts(session, actor)}
        found = known.get(login.strip().lower())
        if found is not None:
            ticket = access.invite(session, actor, found.id)
        else:
            if role is None or title is None:
                raise InvalidInput(f"{login} has no account yet.", hint="Give --role and --title to make one.")
            areas, units = places(session, actor, place.id)
            worker_id = None if worker is None else service.worker_id_of(session, place.id, worker)
            if worker is not None and worker_id is None:
                raise NotFound(f"There is no worker {worker}.")
            _, ticket = roles.invite_new(
                session,
                actor,
                login=login,
                title_en=title,
                title_zh=title_zh or title,
                first=Reach(known_role(role), ids_of("community", areas, community), ids_of("unit", units, unit)),
                worker_id=worker_id,
            )
    emit(_told(ticket), as_json)


def _told(ticket: Ticket) -> dict[str, object]:
    return {
        "login": ticket.login,
        "kind": ticket.kind,
        "address": f"http://localhost:{settings().port}/invitation?code={ticket.code}",
        "until": ticket.expires_at.isoformat(timespec="minutes"),
    }


def list_all(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the accounts: roles, state, last login, and why one should be looked at."""
    moment = now()
    with _act(territory, "") as (session, actor, _):
        rows = reviews.list_accounts(session, actor, at=moment)
    listed: list[dict[str, Any]] = []
    for row in rows:
        account = row.account
        state = "closed" if not account.active else "locked" if account.locked(moment) else "open"
        listed.append(
            {
                "login": account.login,
                "title": account.title_en,
                "state": "invited" if state == "open" and not account.opens and not account.is_demo else state,
                "roles": [_role(each) for each in account.roles_in(RoleState.NOW, moment)],
                "last_login": None if account.last_login is None else account.last_login.isoformat(timespec="minutes"),
                "look_at": [each.value for each in row.findings],
                "demo": account.is_demo,
            }
        )
    if as_json:
        emit({"accounts": listed}, as_json)
        return
    emit(
        {
            each["login"]: ", ".join(
                [each["state"], *each["roles"], f"last in {each['last_login'] or 'never'}", *each["look_at"]]
            )
            for each in listed
        },
        as_json,
    )


def _role(row: RoleRow) -> str:
    return row.role.value if row.acting_for is None else f"{row.role.value} for {row.acting_login}"


def show_roles(login: Login, *, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Show the roles of an account, those that ended too."""
    moment = now()
    with _act(territory, "") as (session, actor, _):
        account = roles.account_of_login(session, actor, login)
    told = [
        {
            "id": row.id,
            "role": _role(row),
            "state": row.state(moment).value,
            "from": row.valid_from.isoformat(timespec="minutes"),
            "until": None if row.valid_until is None else row.valid_until.isoformat(timespec="minutes"),
            "communities": list(row.area_ids),
            "units": list(row.unit_ids),
            "reason": row.reason,
        }
        for row in account.roles
    ]
    if as_json:
        emit({"login": account.login, "roles": told}, as_json)
        return
    emit(
        {f"{row['id']} {row['role']}": f"{row['state']}, {row['from']} to {row['until'] or '-'}" for row in told},
        as_json,
    )


def grant(
    login: Login,
    *,
    role: RoleName,
    community: Communities = None,
    unit: Units = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Give an account one more role; with a role it has already, change its reach."""
    with _act(territory, "user grant") as (session, actor, place):
        areas, units = places(session, actor, place.id)
        reach = Reach(known_role(role), ids_of("community", areas, community), ids_of("unit", units, unit))
        account = roles.account_of_login(session, actor, login)
        has = [each for each in account.roles_in(RoleState.NOW, now()) if each.acting_for is None]
        same = next((each for each in has if each.role is reach.role), None)
        if same is None:
            roles.grant(session, actor, account.id, reach)
        else:
            roles.change_reach(session, actor, same.id, reach, version=same.version)
    emit({"login": account.login, "role": role, "changed": same is not None}, as_json)


def revoke(login: Login, *, role: RoleName, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """End a role of an account, and every acting in that role for another; sessions in it end at once."""
    wanted, moment = known_role(role), now()
    with _act(territory, "user revoke") as (session, actor, _):
        account = roles.account_of_login(session, actor, login)
        ended = [each for each in account.roles if each.role is wanted and each.state(moment) is not RoleState.ENDED]
        if not ended:
            raise NotFound(f"{account.login} has no role {role}.")
        for each in ended:
            roles.end_role(session, actor, each.id, version=each.version)
    emit({"login": account.login, "ended": len(ended)}, as_json)


def act(
    login: Login,
    *,
    of: Annotated[str, typer.Option("--for", help="Login of who is away.")],
    role: RoleName,
    until: Annotated[str, typer.Option(help="Last day, e.g. 2026-12-24; at most 90 days ahead.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the record.")],
    start: Annotated[str | None, typer.Option("--from", help="First day; today when not given.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody act in another's role until the end of a day."""
    wanted = known_role(role)
    with _act(territory, "acting role") as (session, actor, place):
        who, other = (roles.account_of_login(session, actor, each) for each in (login, of))
        row = next((each for each in other.roles_in(RoleState.NOW, now()) if each.role is wanted), None)
        if row is None:
            raise NotFound(f"{other.login} has no role {role}.")
        begins = now() if start is None else dt.datetime.combine(_day(start), dt.time(), place.zone)
        ends = dt.datetime.combine(_day(until) + dt.timedelta(days=1), dt.time(), place.zone)
        _, warned = acting.act_for(session, actor, who.id, row.id, from_=begins, until=ends, reason=reason)
    told = {"login": who.login, "for": other.login, "role": role, "until": ends.isoformat(timespec="minutes")}
    emit(told | {"warnings": [each.value for each in warned]}, as_json)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no day.", hint="Write it as 2026-12-24.") from error


def deputies(
    login: Login,
    *,
    deputy: Annotated[list[str] | None, typer.Option(help="Login of a deputy; none given: nobody.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say who acts for an account whenever its owner says that he is away."""
    with _act(territory, "standing deputy") as (session, actor, _):
        account = roles.account_of_login(session, actor, login)
        named = [roles.account_of_login(session, actor, each) for each in deputy or ()]
        acting.set_deputies(session, actor, account.id, [each.id for each in named])
    emit({"login": account.login, "deputies": [each.login for each in named]}, as_json)


def lock(login: Login, *, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Close an account; its sessions end at once."""
    with _act(territory, "user lock") as (session, actor, _):
        account = roles.account_of_login(session, actor, login)
        ended = roles.close_account(session, actor, account.id, version=account.version)
    emit({"login": account.login, "sessions_ended": ended}, as_json)


def unlock(login: Login, *, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Open a closed account, and take the lock of failed attempts away."""
    with _act(territory, "user unlock") as (session, actor, _):
        account = roles.account_of_login(session, actor, login)
        roles.open_account(session, actor, account.id, version=account.version)
    emit({"login": account.login, "active": True}, as_json)


def sessions(
    login: Annotated[str | None, typer.Argument(help="Of one account only.")] = None,
    *,
    end: Annotated[bool, typer.Option(help="End them.")] = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say who is logged in; with --end these sessions are over."""
    with _act(territory, "end sessions" if end else "") as (session, actor, place):
        live = accounts.list_sessions(session, actor, place.id)
        if login is not None:
            wanted = roles.account_of_login(session, actor, login).login
            live = [row for row in live if row.login == wanted]
        elif end:
            raise InvalidInput("Say whose sessions end.", hint="gridkeeper user sessions LOGIN --end")
        for row in live if end else ():
            accounts.revoke(session, actor, row.id)
    emit(
        {f"{row.login} {row.id[:8]}": f"{row.role}, since {row.created_at:%Y-%m-%d %H:%M} UTC" for row in live}, as_json
    )


def review(
    login: Annotated[str | None, typer.Argument(help="Record that this account was looked at.")] = None,
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List the accounts to be looked at and why; with a login record that it was found right."""
    with _act(territory, "account review") as (session, actor, _):
        if login is not None:
            account = roles.account_of_login(session, actor, login)
            reviews.review(session, actor, account.id)
            emit({"reviewed": account.login}, as_json)
            return
        rows = [each for each in reviews.list_accounts(session, actor) if each.findings]
    emit({row.account.login: [each.value for each in row.findings] for row in rows}, as_json)


def hand_over(
    leaver: Annotated[str, typer.Argument(help="Login or staff number of who leaves.")],
    receiver: Annotated[str | None, typer.Argument(help="Login or staff number of who takes over.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; otherwise only say what would move.")] = False,
    take_roles: Annotated[bool, typer.Option(help="The receiver acts 90 days in roles he does not have.")] = False,
    leave_grid: Annotated[bool, typer.Option(help="The grid may be left without a worker.")] = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Hand all that somebody holds to a named person and close his account, in one act; without --yes a preview."""
    with _act(territory, "handover") as (session, actor, place):
        who = handover.party(session, actor, leaver)
        to = None if receiver is None else handover.party(session, actor, receiver)
        ask = partial(
            handover.hand_over if yes else handover.preview,
            today=now().astimezone(place.zone).date(),
            take_roles=take_roles,
            leave_grid=leave_grid,
        )
        seen = ask(session, actor, who, to)
        if isinstance(seen, handover.Done):
            emit({name: getattr(seen, name) for name in handover.Done.__slots__}, as_json)
            return
    emit(
        {
            "leaver": who.label,
            "receiver": None if to is None else to.label,
            "tasks": seen.held.tasks,
            "incidents": seen.held.incidents,
            "drafts_destroyed": seen.held.drafts,
            "absences": seen.absences,
            "deputyships": seen.standing,
            "roles_ended": [each.role.value for each in seen.own],
            "roles_acted_in": [_role(each) for each in seen.acting],
            "grid": who.worker.grid_name if who.worker else "",
            "grid_taken": seen.takes_grid,
            "obstacles": [each.en for each in seen.obstacles],
        },
        as_json,
    )
