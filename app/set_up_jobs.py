"""The background work of the first set-up; importing this registers its kinds of job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app import clear_demo, set_up_acts
from core.identity import Actor
from core.progress import Progress
from geodata import jobs


@jobs.kind(set_up_acts.MAP)
def _map(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    return set_up_acts.bring_map(actor, arguments["name"], Path(arguments["path"]), progress)


@jobs.kind(set_up_acts.GRIDS)
def _grids(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    return set_up_acts.cut_grids(actor, progress=progress, **arguments)


@jobs.kind(set_up_acts.INCIDENTS)
def _incidents(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    return set_up_acts.bring_incidents(
        actor, arguments["name"], Path(arguments["path"]), status=arguments["status"], progress=progress
    )


@jobs.kind(clear_demo.KIND)
def _clear(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    return clear_demo.clear(actor, arguments["name"], progress)
