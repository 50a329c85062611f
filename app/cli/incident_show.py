"""incident show: all about one incident for scripts and for the operator; no personal field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.incident import As, Here, Which, acting, incident_id_of, row_of
from core.clock import now
from incidents import service
from incidents.deadlines import Pause
from incidents.duplicates import Relative
from incidents.model import IncidentDetail, TaskInfo
from incidents.service import clocks, duplicates, evidence
from incidents.stages import StageClock


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    groups["incident"].command("show")(show)


def show(incident: Which, *, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Tell about one incident: where it stands, its tasks, the clock of each stage, what may be done, duplicates."""
    with acting(territory, as_) as here:
        detail = service.incident_detail(here.session, here.actor, incident_id_of(here, incident))
        told = row_of(detail.row) | _beside(here, detail)
        tasks = [_task(each) for each in detail.tasks]
        stages = [_stage(each) for each in _clocks(here, detail)]
    if as_json:
        emit(told | {"tasks": tasks, "stages": stages}, as_json)
        return
    emit(told, as_json)
    for task in tasks:
        typer.echo(f"task   {task['kind']:<12} {task['state']:<10} {task['worker'] or '-'}")
    for stage in stages:
        used = "" if stage["used"] is None else f"  {stage['used']:.0%} used"
        typer.echo(f"stage  {stage['condition'] or stage['stage']:<12} {stage['state']:<10}{used}")


def _beside(here: Here, detail: IncidentDetail) -> dict[str, Any]:
    """Return what stands beside the row of the list."""
    first, followers = duplicates.relatives(here.session, here.actor, detail.row.id)
    side = detail.side
    return {
        "acts": list(service.allowed_acts(here.actor, detail)),
        "evidence": len(evidence.evidence_of(here.session, here.actor, detail.row.id)),
        "evidence_lacking": list(side.lacking),
        "duplicate_of": None if first is None else _relative(first),
        "duplicates": [_relative(each) for each in followers],
        "postponed_until": None if side.postponed_until is None else side.postponed_until.isoformat(),
        "urges": side.urges,
        "reworks": detail.row.reworks,
        "reopens": detail.row.reopens,
        "external_ref": detail.external_ref,
    }


def _clocks(here: Here, detail: IncidentDetail) -> tuple[StageClock, ...]:
    side = detail.side
    pauses = [] if side.postponed_at is None else [Pause(side.postponed_at, side.postponed_until)]
    return clocks.stages_of(here.session, here.actor, detail, here.territory, moment=now(), pauses=pauses)


def _task(task: TaskInfo) -> dict[str, Any]:
    return {
        "id": task.id,
        "kind": task.kind,
        "state": task.state,
        "unit": task.unit,
        "worker": task.worker_code,
        "joint": task.joint,
        "created_at": task.created_at.isoformat(),
        "due_at": None if task.due_at is None else task.due_at.isoformat(),
        "finished_at": None if task.finished_at is None else task.finished_at.isoformat(),
        "outcome": task.outcome,
    }


def _stage(stage: StageClock) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "condition": stage.condition,
        "state": stage.state,
        "began_at": None if stage.began_at is None else stage.began_at.isoformat(),
        "ended_at": None if stage.ended_at is None else stage.ended_at.isoformat(),
        "due_at": None if stage.due_at is None else stage.due_at.isoformat(),
        "used": None if stage.share is None else round(stage.share, 4),
    }


def _relative(each: Relative) -> dict[str, Any]:
    return {"id": each.id, "number": each.number, "status": each.status}
