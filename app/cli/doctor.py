"""doctor: how the platform stands, for a person or for a monitor."""

from __future__ import annotations

from collections.abc import Mapping

import typer
from rich.console import Console

from app import health
from app.cli.common import AsJson, emit
from app.health_model import Check, State
from core.clock import now
from core.identity import system_actor

COLOURS = {State.FAULT: "red", State.WARNING: "yellow", State.UNKNOWN: "dim", State.OK: "green"}


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    app.command()(doctor)


def doctor(*, as_json: AsJson = False) -> None:
    """Look at database, disk, clock, background work, certificate, backup and settings.

    Ends with 1 when there is a fault; with 0 otherwise, warnings included.
    """
    checks = health.look(system_actor(label="command line"))
    code = health.ends_with(checks)
    if as_json:
        counts = {state.value: sum(check.state is state for check in checks) for state in State}
        told = {check.key: _told(check) for check in checks}
        emit({"at": now().isoformat(timespec="seconds"), "healthy": not code, **counts, "checks": told}, as_json)
    else:
        _print(checks)
    raise typer.Exit(code)


def _told(check: Check) -> dict[str, object]:
    return {
        "state": check.state.value,
        "title": check.title,
        "sentence": check.sentence,
        "way_out": check.way_out,
        "numbers": dict(check.numbers),
    }


def _print(checks: list[Check]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(check.title) for check in checks)
    for check in checks:
        state = f"[{COLOURS[check.state]}]{check.state.value:<8}[/]"
        console.print(f"{state} {check.title:<{width}}  ", end="")
        console.print(check.sentence, markup=False)
        if check.way_out:
            console.print(f"{'':<{width + 11}}{check.way_out}", markup=False)
