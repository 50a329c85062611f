"""user add, list, retire-demo: accounts for a platform that is no demo."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from app.cli.common import AsJson, TerritoryName, emit
from core.errors import InvalidInput, NotFound
from core.identity import Role, system_actor
from geodata.db import transaction
from geodata.territory import communities, find_territory
from people import accounts, service

ROLES = [role.value for role in Role if role is not Role.SYSTEM]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    users = groups["user"]
    users.command("add")(add)
    users.command("list")(sessions)
    users.command("retire-demo")(retire_demo)


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
    if role not in ROLES:
        raise InvalidInput(f"There is no role {role!r}.", hint=f"Known are: {', '.join(ROLES)}.")
    password = (
        sys.stdin.readline().rstrip("\n")
        if password_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    actor = system_actor(label="command line")
    with transaction(actor, purpose="user add") as session:
        place = find_territory(session, territory)
        known = communities(session, place.id)
        areas = {str(code): int(area) for code, area in zip(known["code"], known["id"], strict=True)}
        units = {each.code: each.id for each in service.list_units(session, actor, place.id)}
        user_id = accounts.create_user(
            session,
            actor,
            login=login,
            password=password,
            role=Role(role),
            territory_id=place.id,
            title_en=title,
            title_zh=title_zh or title,
            area_ids=_ids("community", areas, community),
            unit_ids=_ids("unit", units, unit),
        )
    emit({"login": login, "role": role, "territory": place.name, "id": user_id}, as_json)


def _ids(what: str, known: dict[str, int], wanted: list[str] | None) -> list[int]:
    unknown = [code for code in wanted or () if code not in known]
    if unknown:
        raise NotFound(
            f"There is no {what} with the code {unknown[0]}.", hint=f"Known are: {', '.join(known) or 'none'}."
        )
    return [known[code] for code in wanted or ()]


def sessions(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Say who is logged in."""
    actor = system_actor(label="command line")
    with transaction(actor) as session:
        place = find_territory(session, territory)
        live = accounts.list_sessions(session, actor, place.id)
    emit(
        {f"{row.login} {row.id[:8]}": f"{row.role}, since {row.created_at:%Y-%m-%d %H:%M} UTC" for row in live}, as_json
    )


def retire_demo(*, as_json: AsJson = False) -> None:
    """Make every demo account inactive, so that the platform may start outside demo mode."""
    actor = system_actor(label="command line")
    with transaction(actor, purpose="retire demo accounts") as session:
        count = accounts.retire_demo_accounts(session, actor)
    emit({"retired": count}, as_json)
