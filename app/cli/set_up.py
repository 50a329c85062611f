"""set-up, territory clear-demo: how far a new territory is, and clearing the demo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from app import clear_demo
from app.cli.common import AsJson, TerritoryName, emit, progress
from app.set_up_acts import holdings
from app.set_up_model import Missing, Step, done_count, is_ready, next_step, steps_of
from core.errors import InvalidInput
from core.identity import system_actor
from geodata import db
from geodata.territory import find_territory


def register(app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    app.command("set-up")(set_up)
    groups["territory"].command("clear-demo")(clear)


def set_up(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Say how far the set-up of a territory is: eight steps, and what each still misses."""
    with progress() as shown:
        db.ensure_database(shown)
    with db.transaction(system_actor(label="command line")) as session:
        home = find_territory(session, territory)
        steps = steps_of(holdings(session, home))
    if as_json:
        emit(
            {
                "territory": home.name,
                "done": done_count(steps),
                "of": len(steps),
                "ready": is_ready(steps),
                "next": next_step(steps).key.value,
                "steps": [_step(step) for step in steps],
            },
            as_json,
        )
        return
    emit({"territory": home.name, "done": f"{done_count(steps)} of {len(steps)}", **dict(map(_line, steps))}, as_json)


def clear(
    name: Annotated[str, typer.Argument(help="The demo territory, e.g. isle-of-wight.")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Really clear it; without this only what would go is told.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a demo territory with all its rows and accounts; nothing else is touched, the record stays."""
    actor = system_actor(label="command line")
    with progress() as shown:
        db.ensure_database(shown)
        foreseen = clear_demo.foresee(actor, name)
        if not yes:
            emit(
                {
                    "territory": name,
                    "cleared": False,
                    "rows": foreseen.content.total,
                    "by_table": dict(foreseen.content.rows),
                    "incidents_filed_by_people": foreseen.content.real_incidents,
                    "accounts_to_close": foreseen.accounts.retired,
                    "accounts_without_role": foreseen.accounts.homeless,
                },
                as_json,
            )
            raise InvalidInput("Nothing was cleared.", hint="Say --yes to clear it for good.")
        done = clear_demo.clear(actor, name, shown)
    emit({"cleared": True, **done}, as_json)


def _step(step: Step) -> dict[str, object]:
    return {
        "step": step.key.value,
        "state": step.state.value,
        "missing": [_missing(each) for each in step.missing],
        "advice": [_missing(each) for each in step.advice],
    }


def _missing(missing: Missing) -> dict[str, object]:
    return {"what": missing.what.value} | ({"count": missing.count} if missing.count else {})


def _line(step: Step) -> tuple[str, str]:
    lacking = ", ".join(f"{each.count} {each.what}" if each.count else each.what.value for each in step.missing)
    return step.key.value, step.state.value + (f": {lacking}" if lacking else "")
