"""retention list, run: what is kept how long, and forgetting what is older."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from app import retention
from app.cli.common import AsJson, emit, progress
from core.identity import system_actor
from geodata.db import transaction


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["retention"]
    group.command("list")(list_rules)
    group.command("run")(run)


def list_rules(*, as_json: AsJson = False) -> None:
    """Say what is kept how long, why, and what was forgotten last."""
    actor = system_actor(label="command line")
    with transaction(actor) as session:
        found = retention.rules(session, actor)
    emit(
        {
            rule.key: {
                "what": rule.name,
                "kept_days": rule.keep_days,
                "ground": rule.ground,
                "setting": rule.setting,
                "last_run": rule.last.at.isoformat(timespec="seconds") if rule.last else None,
                "last_deleted": rule.last.deleted if rule.last else None,
            }
            for rule in found
        },
        as_json,
    )


def run(*, as_json: AsJson = False) -> None:
    """Forget now what of every class of data is older than it may be; the jobs process does it every night."""
    with progress() as shown:
        done = retention.clean_up(label="command line", progress=shown)
    emit(
        {"deleted": {each.key: each.deleted for each in done}, "at": done[0].at.isoformat(timespec="seconds")}, as_json
    )
