"""evaluate: indicators of departments, communities, classes and posts, each with its interval."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.evaluation import keep_facts, keep_facts_of_day
from core.clock import now, past_day
from core.errors import InvalidInput
from core.identity import system_actor
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from insight import service
from insight.indicators import BY_KEY
from insight.model import SUBJECTS, Score, subjects_for
from people import accounts

Subject = Annotated[str, typer.Option("--subject", help="One of: " + ", ".join(SUBJECTS) + "; or all.")]
First = Annotated[str | None, typer.Option("--from", help="First day of report, 2026-01-01; a year ago when left out.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day of report; today when left out.")]
Only = Annotated[str | None, typer.Option("--indicator", help="Only one of: " + ", ".join(BY_KEY))]
Anew = Annotated[bool, typer.Option("--anew", help="Fold the whole record again first; the numbers stay the same.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="What was known at the end of that day; now when left out.")]
As = Annotated[str | None, typer.Option("--as", metavar="LOGIN", help="Within the reach of this account.")]


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    app.command("evaluate")(evaluate)


def evaluate(
    *,
    subject: Subject = "department",
    first: First = None,
    last: Last = None,
    indicator: Only = None,
    anew: Anew = False,
    as_of: AsOf = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate departments, communities, classes or posts from the record; every rate with its 95 % interval."""
    if indicator is not None and indicator not in BY_KEY:
        raise InvalidInput(f"There is no indicator {indicator!r}.", hint=f"Indicators are: {', '.join(BY_KEY)}.")
    db.ensure_database()
    with db.transaction(system_actor(label="command line")) as session:
        chosen = find_territory(session, territory)
        actor = system_actor(chosen.id, label="command line")
        if as_ is not None:
            actor = accounts.find_account(session, as_, chosen.id).actor()
    day = past_day(as_of, now().astimezone(chosen.zone).date()) if as_of else None
    begins, ends = _days(chosen, first, last, day)
    folded = keep_facts(chosen.id, anew=anew)
    if day is not None:
        keep_facts_of_day(chosen.id, day)
    with db.transaction(actor) as session:
        subjects = subjects_for(actor.role) if subject == "all" else (subject,)
        if day is None and subject == "all":
            scores = [score for part in service.evaluate_all(session, actor, begins, ends).values() for score in part]
        else:
            parts = [service.evaluate(session, actor, one, begins, ends, as_of=day) for one in subjects]
            scores = [score for part in parts for score in part]
    rows = [_row(score) for score in scores if indicator in {None, score.indicator}]
    told = {"territory": chosen.name, "subject": subject, "from": begins, "to": ends, "folded": folded.facts}
    told |= {"as_of": day} if day else {}
    if as_json:
        emit({**told, "rows": rows}, as_json)
        return
    for row in rows:
        rate = "–" if row["rate"] is None else f"{row['rate']:.2%} ({row['low']:.1%} to {row['high']:.1%})"
        place = "" if row["rank_low"] is None else f", rank {row['rank_low']} to {row['rank_high']} of {row['ranked']}"
        few = ", too few" if row["too_few"] else ""
        counted = f"{row['numerator']:,} / {row['denominator']:,}"
        typer.echo(f"{row['indicator']:<24} {row['name'] or '–':<36} {counted:>17}  {rate}{place}{few}")


def _days(
    territory: TerritoryInfo, first: str | None, last: str | None, day: dt.date | None
) -> tuple[dt.date, dt.date]:
    today = day or now().astimezone(territory.zone).date()
    ends = _day(last) if last else today
    return _day(first) if first else ends - dt.timedelta(days=364), ends


def _day(given: str) -> dt.date:
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise InvalidInput(f"{given!r} is no day.", hint="Write it as 2026-01-31.") from None


def _row(score: Score) -> dict[str, Any]:
    return {"id": score.subject_id} | {
        name: value for name, value in dataclasses.asdict(score).items() if name != "subject_id"
    }
