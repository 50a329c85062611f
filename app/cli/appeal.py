"""appeal file, decide, list; incident word: what a department and a citizen say of an incident that was counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.unit import Here, acting
from app.evaluation import keep_facts
from core.errors import InvalidInput, NotFound
from incidents import service as incidents
from incidents.service import words
from insight import service
from insight.appeals import EFFECTS, GROUNDS
from insight.model import AppealInfo

By = Annotated[str, typer.Option("--as", metavar="LOGIN", help="The account that acts.")]
Reader = Annotated[str | None, typer.Option("--as", metavar="LOGIN", help="Within the reach of this account.")]
Number = Annotated[str, typer.Argument(metavar="INCIDENT", help="Number of the incident.")]
Appeal = Annotated[int, typer.Argument(metavar="APPEAL", help="Id of the appeal, from 'appeal list'.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    groups["appeal"].command("file")(file)
    groups["appeal"].command("decide")(decide)
    groups["appeal"].command("list")(list_)
    groups["incident"].command("word")(word)


def file(
    number: Number,
    *,
    as_: By,
    effect: Annotated[str, typer.Option(help="One of: " + ", ".join(EFFECTS))],
    ground: Annotated[str, typer.Option(help="One of: " + ", ".join(GROUNDS))],
    evidence: Annotated[str, typer.Option(help="What happened, and where it can be seen; names no person.")],
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Appeal how an incident is counted for the unit of the account."""
    with acting(territory, as_) as here:
        incident = _find(here, number)
        made = service.file_appeal(here.session, here.actor, incident, effect=effect, ground=ground, evidence=evidence)
    emit(_told(made), as_json)


def decide(
    appeal: Appeal,
    *,
    as_: By,
    grant: Annotated[bool | None, typer.Option("--grant/--refuse", help="The decision.")] = None,
    reason: Annotated[str, typer.Option(help="Why; stands in the record.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Decide an appeal under the platform's signature, and fold the facts anew."""
    if grant is None:
        raise InvalidInput("Say how it is decided.", hint="With --grant or --refuse.")
    with acting(territory, as_) as here:
        made = service.decide(here.session, here.actor, appeal, grant=grant, answer=reason)
        home = here.territory.id
    keep_facts(home)
    emit(_told(made), as_json)


def list_(
    *,
    state: Annotated[str | None, typer.Option(help="Only waiting, granted or refused ones.")] = None,
    as_: Reader = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List appeals, the waiting ones first."""
    with acting(territory, as_) as here:
        rows = service.list_appeals(here.session, here.actor, states=(state,) if state else ())
    if as_json:
        emit({"appeals": [_told(each) for each in rows]}, as_json)
        return
    for each in rows:
        typer.echo(f"{each.id:>6}  {each.number:<18} {each.effect:<10} {each.ground:<12} {each.state:<8} {each.unit}")


def word(
    number: Number,
    *,
    as_: By,
    reached: Annotated[bool, typer.Option("--reached/--not-reached", help="Whether the citizen answered.")] = True,
    solved: Annotated[bool | None, typer.Option("--solved/--not-solved", help="What the citizen says.")] = None,
    satisfied: Annotated[int | None, typer.Option(help="1 (not at all) to 5 (very).")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Keep what the citizen said when called back after the close."""
    with acting(territory, as_) as here:
        incident = _find(here, number)
        words.tell_word(here.session, here.actor, incident, reached=reached, solved=solved, satisfied=satisfied)
    emit({"incident": number, "reached": reached, "solved": solved, "satisfied": satisfied}, as_json)


def _find(here: Here, number: str) -> int:
    found = incidents.find_incident(here.session, here.actor, number)
    if found is None:
        raise NotFound(f"There is no incident {number} within reach of this account.")
    return found


def _told(each: AppealInfo) -> dict[str, Any]:
    return dataclasses.asdict(each) | {"signature_holds": service.signed(each)}
