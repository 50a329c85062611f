"""What a grid worker says of the task in hand: on the way, there, done in so many minutes, handed over.

Accepting, starting, finishing and giving back are acts of the lifecycle (`incidents.service.move`). These stand beside
them: each is one command of the worker's own, and what it implies is done with it, so nothing is entered twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import aware
from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, require
from dispatch import execution_store as store
from dispatch.execution_model import LONGEST_MINUTES
from geodata.db import name_act
from incidents.lifecycle_words import HAND_OVER_REASONS
from incidents.service import came_along, move
from incidents.service.commands import COMMAND_ID, once
from incidents.work import Done

OTHER_HAND = "ck_task_other_hand"
"""The rule of the database that who handled an incident does not check it."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What a worker said, and about which incident."""

    session: Session
    actor: Actor
    incident_id: int
    act: str
    version: int | None
    command_id: str
    more: Mapping[str, object] = field(default_factory=dict)


def on_way(
    session: Session,
    actor: Actor,
    incident_id: int,
    *,
    command_id: str,
    version: int | None = None,
    moment: dt.datetime | None = None,
) -> Done:
    """Note that the worker set out; a task that waits is accepted by that.

    Parameters
    ----------
    version
        Of the task as the worker saw it; None takes it as it is.

    Raises
    ------
    NotPermitted
        For everybody but a grid worker.
    NotFound
        When the worker has no task of this incident (any more).
    Conflict
        When the task is at another version.
    """
    said = _Said(session, actor, incident_id, "on_way", version, command_id)

    def step(task: store.OwnTask, at: dt.datetime) -> None:
        _law(said, task, "accept", at)
        store.progress(session, task.id, at, state=_look(task, "accepted"), on_way=at)

    return _say(said, moment, step)


def accept_part(
    session: Session,
    actor: Actor,
    incident_id: int,
    *,
    command_id: str,
    version: int | None = None,
    moment: dt.datetime | None = None,
) -> Done:
    """Accept to come along with who leads; of the own task of handling it is an act of the lifecycle.

    Raises as `on_way` does, and `NotPermitted` to who leads.
    """
    said = _Said(session, actor, incident_id, "accept_part", version, command_id)

    def step(task: store.OwnTask, at: dt.datetime) -> None:
        if not task.joint:
            raise NotPermitted(
                "You lead here by now; accept the task itself.",
                hint="Look at your list of tasks.",
                zh="您现为主办人，请直接接受任务。",
            )
        if task.state == "waiting":
            store.progress(session, task.id, at, state="accepted")

    return _say(said, moment, step)


def arrive(
    session: Session,
    actor: Actor,
    incident_id: int,
    *,
    command_id: str,
    version: int | None = None,
    moment: dt.datetime | None = None,
) -> Done:
    """Note that the worker is there; the work begins with that.

    Raises as `on_way` does.
    """
    said = _Said(session, actor, incident_id, "arrive", version, command_id)

    def step(task: store.OwnTask, at: dt.datetime) -> None:
        _law(said, task, "start", at)
        store.progress(session, task.id, at, state=_look(task, "started"), on_way=at, arrived=at)

    return _say(said, moment, step)


def expect_done(
    session: Session,
    actor: Actor,
    incident_id: int,
    minutes: int,
    *,
    command_id: str,
    version: int | None = None,
    moment: dt.datetime | None = None,
) -> Done:
    """Note that the worker expects to be done in so many minutes; the next plan reckons with it.

    Raises as `on_way` does, and `InvalidInput` for minutes out of range.
    """
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise InvalidInput(
            f"Done in {minutes} minutes is out of range.",
            hint=f"Say 1 to {LONGEST_MINUTES} minutes; hand it over when it takes longer.",
            zh=f"预计完成时间须在 1 至 {LONGEST_MINUTES} 分钟之间；需要更久时请移交。",
        )

    def step(task: store.OwnTask, at: dt.datetime) -> None:
        store.progress(session, task.id, at, expected=at + dt.timedelta(minutes=minutes))

    said = _Said(session, actor, incident_id, "expect_done", version, command_id, {"minutes": minutes})
    return _say(said, moment, step)


def hand_over(
    session: Session,
    actor: Actor,
    incident_id: int,
    *,
    reason: str,
    command_id: str,
    version: int | None = None,
    moment: dt.datetime | None = None,
) -> Done:
    """Give the task back so that somebody else goes on with it; unlike a refusal it keeps the worker off nothing.

    Parameters
    ----------
    version
        Of the incident as the worker saw it; None takes it as it is.

    Raises as `incidents.service.move` does.
    """
    _worker(actor)
    if reason not in HAND_OVER_REASONS:
        raise InvalidInput(
            f"Handing over does not know the reason {reason!r}.",
            hint=f"Reasons are: {', '.join(HAND_OVER_REASONS)}. To refuse a task, return it.",
            zh="请选择移交原因；如需拒绝任务，请使用“退回”。",
        )
    return move(
        session, actor, incident_id, "return", version=version, command_id=command_id, reason=reason, moment=moment
    )


def not_yours() -> NotFound:
    """Return the refusal of whoever has no part (any more) in an incident."""
    return NotFound(
        "This task is not yours any more: it was taken back, given to somebody else, or is done.",
        hint="Look at your list of tasks.",
        zh="该任务已不属于您：已被撤回、改派或已完成。请查看任务列表。",
    )


def _say(said: _Said, moment: dt.datetime | None, step: Callable[[store.OwnTask, dt.datetime], None]) -> Done:
    session, incident_id = said.session, said.incident_id
    worker_id, territory_id = _worker(said.actor)
    at = clock_now() if moment is None else aware(moment)

    def apply() -> Done:
        task = store.own_task(session, territory_id, incident_id, worker_id)
        if task is None or task.kind == "check":  # sent to check what he was at: what came before that is of his part
            late = came_along(session, said.actor, incident_id, said.act, at)
            if late is not None:
                return late
        if task is None:
            raise not_yours()
        if said.version is not None and said.version != task.version:
            raise Conflict(
                f"{task.number} was changed meanwhile.",
                hint="Look at it anew and say it again.",
                zh=f"{task.number} 已被更改，请查看后重新操作。",
            )
        try:
            step(task, at)
        except IntegrityError as error:
            if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != OTHER_HAND:
                raise
            raise NotPermitted(
                "You handled this incident, so you may not check it.",
                hint="Tell the dispatcher: somebody else has to be sent.",
                zh="该案件由您处置，您不得核查。请告知派遣员改派他人。",
            ) from error
        session.expire_all()
        after = store.own_task(session, territory_id, incident_id, worker_id) or task
        return Done(incident_id, after.number, after.status, after.incident_version, after.id)

    asked = {"act": said.act, "incident": incident_id, "version": said.version, **said.more}
    return once(session, said.actor, said.command_id, act=said.act, asked=asked, apply=apply)


def _law(said: _Said, task: store.OwnTask, act: str, at: dt.datetime) -> None:
    """Do the act of the lifecycle that is implied, where the task has not come so far."""
    before = ("waiting",) if act == "accept" else ("waiting", "accepted")
    if task.kind != "handle" or task.joint or task.state not in before or task.status != "dispatched":
        return
    implied = _implied(said.command_id, act)
    move(said.session, said.actor, said.incident_id, act, version=None, command_id=implied, moment=at)
    name_act(said.session, purpose=said.act, command_id=said.command_id)


def _implied(command_id: str, act: str) -> str:
    """Return the id of an act that a command implies; of a long command by its hash, so that no two share one."""
    implied = f"{command_id}.{act}"
    return implied if COMMAND_ID.fullmatch(implied) else f"{hashlib.sha256(command_id.encode()).hexdigest()}.{act}"


def _look(task: store.OwnTask, state: str) -> str:
    """Return the state a task gets by itself: a look, the part of who comes along, or what is in work already."""
    order = ("waiting", "accepted", "started")
    if task.kind == "handle" and not task.joint and task.status == "dispatched":
        return ""
    return state if order.index(task.state) < order.index(state) else ""


def _worker(actor: Actor) -> tuple[int, int]:
    require(actor, May.SEE_INCIDENTS)
    if actor.worker_id is None or actor.territory_id is None:
        raise NotPermitted(
            "Only a grid worker says how far his task is.",
            hint="Log in as the worker who has it.",
            zh="只有承办的网格员才能报告任务进展。",
        )
    return actor.worker_id, actor.territory_id
