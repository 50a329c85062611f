"""user add, retire-demo, first: accounts for a platform that is no demo."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, Role, system_actor
from core.settings import settings
from geodata.db import transaction
from geodata.territory import communities, find_territory
from people import access, accounts, service

ROLES = [role.value for role in Role if role is not Role.SYSTEM]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    users = groups["user"]
    users.command("add")(add)
    users.command("retire-demo")(retire_demo)
    users.command("first")(first)


def add(
    login: Annotated[str, typer.Argument(help="Name to log in with.")],
    *,
    role: Annotated[str, typer.Option(help="One of: " + ", ".join(ROLES))],
    title: Annotated[str, typer.Option(help="Function shown beside acts, e.g. 'Head of supervision'.")],
    title_zh: Annotated[str | None, typer.Option(help="The same in Chinese.")] = None,
    community: Annotated[list[str] | None, typer.Option(help="Code of a community a grid manager reaches.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Code of a unit a handler works for.")] = None,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Make an account; asks for the password."""
    chosen = known_role(role)
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    actor = system_actor(label="command line")
    with transaction(actor, purpose="user add") as session:
        place = find_territory(session, territory)
        areas, units = places(session, actor, place.id)
        user_id = accounts.create_user(
            session,
            actor,
            login=login,
            password=password,
            role=chosen,
            territory_id=place.id,
            title_en=title,
            title_zh=title_zh or title,
            area_ids=ids_of("community", areas, community),
            unit_ids=ids_of("unit", units, unit),
        )
    emit({"login": login, "role": role, "territory": place.name, "id": user_id}, as_json)


def places(session: Session, actor: Actor, territory_id: int) -> tuple[dict[str, int], dict[str, int]]:
    """Return the ids of the territory's communities and units by their codes."""
    known = communities(session, territory_id)
    areas = {str(code): int(area) for code, area in zip(known["code"], known["id"], strict=True)}
    return areas, {each.code: each.id for each in service.list_units(session, actor, territory_id)}


def ids_of(what: str, known: dict[str, int], wanted: list[str] | None) -> tuple[int, ...]:
    """Return the ids of codes; raise `NotFound` naming the first that is unknown."""
    unknown = [code for code in wanted or () if code not in known]
    if unknown:
        raise NotFound(
            f"There is no {what} with the code {unknown[0]}.", hint=f"Known are: {', '.join(known) or 'none'}."
        )
    return tuple(known[code] for code in wanted or ())


def known_role(name: str) -> Role:
    """Return the role of a name; raise `InvalidInput` naming those there are."""
    if name not in ROLES:
        raise InvalidInput(f"There is no role {name!r}.", hint=f"Known are: {', '.join(ROLES)}.")
    return Role(name)


def retire_demo(*, as_json: AsJson = False) -> None:
    """Make every demo account inactive, so that the platform may start outside demo mode."""
    actor = system_actor(label="command line")
    with transaction(actor, purpose="retire demo accounts") as session:
        count = accounts.retire_demo_accounts(session, actor)
    emit({"retired": count}, as_json)


def first(*, as_json: AsJson = False) -> None:
    """Say where the first administrator makes an account, while there is none; earlier addresses are void."""
    actor = system_actor(label="command line")
    with transaction(actor, purpose="first administrator") as session:
        ticket = access.ticket_for_first(session, actor)
    if ticket is None:
        raise Conflict(
            "This platform has an administrator.", hint="Ask him for an invitation, or see 'gridkeeper user list'."
        )
    address = f"http://localhost:{settings().port}/first?code={ticket.code}"
    emit({"address": address, "until": ticket.expires_at.isoformat(timespec="minutes")}, as_json)
