"""review run, list, show, decide: findings of the rules of accountability, for scripts and for the operator."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app import accountability
from app.cli.common import AsJson, TerritoryName, emit
from core.errors import InvalidInput
from core.identity import Actor, system_actor
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from insight import reviews
from insight.accountability import BY_KEY
from insight.reviews import ReviewRow
from people import accounts

As = Annotated[str | None, typer.Option("--as", metavar="LOGIN", help="Act in the name of this account.")]
Which = Annotated[int, typer.Argument(metavar="REVIEW", help="Number of the review.")]


@dataclass(frozen=True, slots=True)
class Here:
    """Where a command works, and who acts."""

    session: Session
    actor: Actor
    territory: TerritoryInfo


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["review"]
    group.command("run")(run)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("decide")(decide)


def run(
    *,
    anew: Annotated[bool, typer.Option("--anew", help="The whole record again; the findings stay the same.")] = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Look through what is new in the record, and open a review for each new finding."""
    db.ensure_database()
    with db.transaction(system_actor()) as session:
        chosen = find_territory(session, territory)
    done = accountability.look(chosen, anew=anew)
    told = {"territory": chosen.name, "acts": done.acts, "findings": done.findings, "opened": len(done.opened)}
    emit({**told, "reviews": list(done.opened), "seconds": round(done.seconds, 3)}, as_json)


def list_(
    *,
    rule: Annotated[str, typer.Option("--rule", help="Only one of: " + ", ".join(BY_KEY))] = "",
    state: Annotated[str, typer.Option("--state", help="open, or one of: " + ", ".join(reviews.STATES))] = "",
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List findings: open ones first, then by weight and newness."""
    if rule and rule not in BY_KEY:
        raise InvalidInput(f"There is no rule {rule!r}.", hint=f"Rules are: {', '.join(BY_KEY)}.")
    if state and state not in reviews.STATES:
        raise InvalidInput(f"There is no state {state!r}.", hint=f"States are: {', '.join(reviews.STATES)}.")
    with _acting(territory, as_) as here:
        rows = reviews.list_reviews(here.session, here.actor, rule=rule, states=(state,) if state else reviews.STATES)
    if as_json:
        emit({"rows": [_told(row) for row in rows]}, as_json)
        return
    for row in rows:
        at = row.at.astimezone(here.territory.zone).strftime("%Y-%m-%d %H:%M")
        subject = f"{row.subject_table} {row.number or row.subject_id}"
        typer.echo(f"{row.id:>6}  {row.state:<9}  {at}  {BY_KEY[row.rule].title[0]:<38}  {subject}")


def show(which: Which, *, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Show one finding with the acts that led to it, what was said to it, and the decision."""
    with _acting(territory, as_) as here:
        found = reviews.detail(here.session, here.actor, which)
    told = _told(found.row) | {
        "question": BY_KEY[found.row.rule].question[0],
        "acts": [dataclasses.asdict(act) for act in found.evidence],
        "explanations": [{"by": each.label, "at": each.at, "text": each.text} for each in found.explanations],
        "reason": found.reason,
    }
    if as_json:
        emit(told, as_json)
        return
    plain = {name: value for name, value in told.items() if name not in {"acts", "explanations", "seqs"}}
    emit(plain, as_json)
    for act in found.evidence:
        at = act.at.astimezone(here.territory.zone).strftime("%Y-%m-%d %H:%M:%S")
        about = f"{act.table} {act.number or act.subject_id or ''}"
        typer.echo(f"{act.seq:>10}  {at}  {act.label} ({act.role})  {act.action}  {about}")
    for each in found.explanations:
        typer.echo(f"{each.label}: {each.text or '(erased)'}")


def decide(
    which: Which,
    *,
    state: Annotated[str, typer.Argument(metavar="STATE", help=" or ".join(reviews.DECIDED))],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept sealed.")],
    as_: Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who decides: never a person concerned.")],
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Confirm or dismiss a finding, in somebody's name and with a reason."""
    with _acting(territory, as_) as here:
        row = reviews.detail(here.session, here.actor, which).row
        reviews.decide(here.session, here.actor, which, state, reason, version=row.version)
        told = _told(reviews.detail(here.session, here.actor, which).row)
    emit(told, as_json)


@contextmanager
def _acting(territory: str | None, login: str | None) -> Iterator[Here]:
    db.ensure_database()
    with db.transaction(system_actor(label="command line")) as session:
        chosen = find_territory(session, territory)
        actor = system_actor(chosen.id, label="command line")
        if login is not None:
            actor = accounts.find_account(session, login, chosen.id).actor()
    with db.transaction(actor, purpose="review") as session:
        yield Here(session, actor, chosen)


def _told(row: ReviewRow) -> dict[str, Any]:
    return dataclasses.asdict(row) | {"title": BY_KEY[row.rule].title[0]}
