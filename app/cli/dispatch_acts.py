"""dispatch publish, override, release, pins, time-out, deliver: carrying the standing plan out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.incident import As, Command, Version, Which, acting, incident_id_of
from core.errors import InvalidInput, NotFound
from dispatch import execution
from incidents.lifecycle import CHOICE_REASONS
from people.service import worker_id_of

Some = Annotated[list[str] | None, typer.Argument(metavar="[INCIDENT]…", help="Numbers or ids; none: every safe row.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["dispatch"]
    for name, command in (
        ("publish", publish),
        ("override", override),
        ("release", release),
        ("pins", pins),
        ("time-out", time_out),
        ("deliver", deliver),
    ):
        group.command(name)(command)


def publish(
    incidents: Some = None,
    *,
    plan: Annotated[int | None, typer.Option(min=1, help="Id of the plan; the newest one when left out.")] = None,
    as_: As = None,
    command_id: Command = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Carry out rows of the standing plan; what moved on since it was made is named and left alone."""
    with acting(territory, as_) as here:
        wanted = None if not incidents else [incident_id_of(here, each) for each in incidents]
        plan_id = plan or execution.newest_plan(here.session, here.actor)
        if plan_id is None:
            raise NotFound("No plan was made yet.", hint="Make one with 'gridkeeper dispatch plan'.")
        done = execution.publish(here.session, here.actor, plan_id, wanted, command_id=command_id or str(uuid.uuid4()))
    told: dict[str, Any] = {
        "plan": plan_id,
        "sent": [each.number for each in done.done if each.what == "sent"],
        "retimed": [each.number for each in done.done if each.what == "retimed"],
        "as they were": [each.number for each in done.done if each.what == "kept"],
        "stale": {each.number: each.en for each in done.stale},
        "also_retimed": done.also_retimed,
        "unplanned": done.unplanned,
        "repeated": done.repeated,
    }
    emit(told, as_json)


def override(
    incident: Which,
    *,
    worker: Annotated[str, typer.Option(help="Staff number of whom you choose.")],
    reason: Annotated[str, typer.Option(help="One of: " + ", ".join(CHOICE_REASONS))],
    version: Version = None,
    as_: As = None,
    command_id: Command = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Give an incident to a worker of your choice and pin it: no plan takes it away again."""
    with acting(territory, as_) as here:
        worker_id = worker_id_of(here.session, here.territory.id, worker)
        if worker_id is None:
            raise NotFound(f"There is no worker {worker!r} in {here.territory.title_en}.", hint="Staff numbers: W001 …")
        done = execution.override(
            here.session,
            here.actor,
            incident_id_of(here, incident),
            worker_id,
            reason=reason,
            version=version,
            command_id=command_id or str(uuid.uuid4()),
        )
    emit(done.as_dict() | {"pinned to": worker.upper(), "repeated": done.repeated}, as_json)


def release(
    incident: Which,
    *,
    worker: Annotated[str | None, typer.Option(help="Let this worker be sent there again, too.")] = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Release the pin of an incident, and the bar of a worker where one is named."""
    with acting(territory, as_) as here:
        worker_id = None if worker is None else worker_id_of(here.session, here.territory.id, worker)
        if worker is not None and worker_id is None:
            raise NotFound(f"There is no worker {worker!r} in {here.territory.title_en}.", hint="Staff numbers: W001 …")
        there = execution.release_pin(here.session, here.actor, incident_id_of(here, incident), worker_id=worker_id)
        if not there:
            raise InvalidInput(f"Nothing is pinned to {incident}.", hint="'gridkeeper dispatch pins' lists what is.")
    emit({"incident": incident, "released": True}, as_json)


def pins(*, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List who is held to which incident, and who is kept off."""
    with acting(territory, as_) as here:
        found = execution.list_pins(here.session, here.actor)
    rows = [
        {"incident": each.number, "worker": each.worker_code, "kind": each.kind, "reason": each.reason}
        for each in found
    ]
    if as_json:
        emit({"pins": rows}, as_json)
        return
    emit({each["incident"]: f"{each['kind']} {each['worker']} ({each['reason']})" for each in rows}, as_json)


def time_out(*, as_json: AsJson = False) -> None:
    """Give on what nobody answered in time, the second time to the shift leader; the platform does it every minute."""
    from app.dispatch_jobs import time_out_all

    emit({"given on or escalated": time_out_all()}, as_json)


def deliver(*, as_json: AsJson = False) -> None:
    """Deliver waiting messages to workers and desks; the platform does it every minute."""
    from app.dispatch_jobs import deliver_all

    emit({"arrived": deliver_all()}, as_json)
