"""What the side moves do to an incident and its tasks: more time, postponement, urging, reopening, joint handling."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import aware
from core.errors import InvalidInput, NotFound
from core.identity import Actor
from geodata.tables import Incident, Task
from incidents.lifecycle import TaskEffect, Transition
from incidents.lifecycle_guards import is_own
from incidents.looks import WHY_NOBODY
from incidents.service import looks, running
from incidents.service.responsible import check_unit
from incidents.store import acts, side

LONGEST = dt.timedelta(days=366)
LOOKS = {
    TaskEffect.MAKE_VERIFY: "verify",
    TaskEffect.VERIFY_DONE: "verify",
    TaskEffect.MAKE_CHECK: "check",
    TaskEffect.CHECK_DONE: "check",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An act as it was asked for."""

    incident_id: int
    act: str
    version: int | None
    reason: str = ""
    worker_id: int | None = None
    unit_id: int | None = None
    anew_too: bool = False
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """An act on a locked incident: all that its doing needs."""

    session: Session
    actor: Actor
    incident: Incident
    tasks: list[Task]
    asked: Asked
    step: Transition
    at: dt.datetime


def change_tasks(case: Case) -> Task | None:
    """Do what a side move does to the tasks, and return the task it was done to."""
    effect = case.step.effect
    if effect is TaskEffect.JOIN:
        return _join(case)
    if effect in {TaskEffect.PART_DONE, TaskEffect.PART_RETURNED}:
        part = next(
            task
            for task in case.tasks
            if task.joint and task.state in acts.LIVE and is_own(case.actor, task.unit_id, task.worker_id)
        )
        end(part, "done" if effect is TaskEffect.PART_DONE else "returned", case.at)
        return part
    if effect is TaskEffect.PART_TAKEN:
        return _take_back(case)
    if effect in {TaskEffect.MAKE_VERIFY, TaskEffect.MAKE_CHECK}:
        return _send(case, LOOKS[effect])
    live = _live_look(case, LOOKS[effect])
    if live is None:
        raise InvalidInput(f"Nobody was sent to look at {case.incident.number}.", zh="没有现场任务。")
    live.outcome = case.asked.reason
    end(live, "done", case.at)
    return live


def end_parts(case: Case, *, done: bool, only: int | None = None) -> None:
    """End the live parts of workers who came along: what was begun is done with the lead's work, the rest cancelled.

    None ends before what is known of it: a lead who says later when he finished may not have known of it.

    Parameters
    ----------
    only
        Of this worker alone.
    """
    for part in case.tasks:
        if part.joint and part.worker_id is not None and part.state in acts.LIVE and only in {None, part.worker_id}:
            end(part, "done" if done and part.state == "started" else "cancelled", _known_until(part, case.at))


def end(task: Task, state: str, at: dt.datetime) -> None:
    """End a task; whoever ends it had accepted it."""
    task.state, task.finished_at, task.version = state, at, acts.NEXT_VERSION
    if state == "done":
        task.accepted_at = task.accepted_at or at


def ask_extension(case: Case) -> None:
    """Keep the request; the deadline stays until it is granted."""
    until = _until(case)
    due = case.incident.due_at
    if due is None:
        raise InvalidInput(
            f"{case.incident.number} has no deadline to move.", zh=f"{case.incident.number} 没有时限，无需延期。"
        )
    if until <= due:
        raise InvalidInput(
            "The new deadline is not later than the present one.",
            hint=f"It is due at {due:%d %b %Y %H:%M} UTC.",
            zh="申请的时限不晚于现有时限。",
        )
    side.add_request(case.session, case.actor.user_id, case.incident, reason=case.asked.reason, until=until, at=case.at)


def grant_extension(case: Case) -> None:
    """Move the deadline to the moment asked for; one that is later by now stays."""
    until, due = _decide(case, "granted", ""), case.incident.due_at
    case.session.flush()
    if due is None or until > due:
        _set_due(case, until)


def refuse_extension(case: Case) -> None:
    """Leave the deadline as it is."""
    _decide(case, "refused", case.asked.reason)


def postpone(case: Case) -> None:
    """Stop the clock until a moment: the deadline moves by what its own clock would have counted."""
    running.postpone(case.session, case.incident, case.at, _until(case))
    _pass_on(case)


def resume(case: Case) -> None:
    """Let the clock run again before the time: what was left of the pause is taken back."""
    running.resume(case.session, case.incident, case.at)
    _pass_on(case)


def urge(case: Case) -> None:
    """Leave the mark that everybody on the incident sees."""
    incident = case.incident
    incident.urges, incident.urged_at, incident.urge_reason = incident.urges + 1, case.at, case.asked.reason


def sample(case: Case) -> None:
    """Keep who looked at what was settled on the spot."""
    case.incident.sampled_by = case.actor.user_id


def self_handle(case: Case) -> None:
    """Settle an own finding on the spot."""
    incident = case.incident
    incident.handled_at = incident.closed_at = case.at
    incident.closed_by, incident.self_handled = case.actor.user_id, True


def reopen(case: Case, due_at: dt.datetime | None) -> None:
    """Open a closed incident again: it waits to be sent out, under a new deadline, and counts as rework."""
    incident = case.incident
    incident.closed_at = incident.closed_by = incident.handled_at = incident.sampled_by = None
    incident.postponed_at = incident.postponed_until = incident.due_unpaused = None
    incident.self_handled = False
    incident.reworks += 1
    incident.due_at = due_at


PLAIN: dict[str, Callable[[Case], None]] = {
    "ask_extension": ask_extension,
    "grant_extension": grant_extension,
    "refuse_extension": refuse_extension,
    "postpone": postpone,
    "resume": resume,
    "urge": urge,
    "sample": sample,
    "self_handle": self_handle,
}
"""Side moves that change the incident only."""


def _join(case: Case) -> Task:
    """Call in a worker, who comes along in his own name, or another unit."""
    unit_id, worker_id = case.asked.unit_id, case.asked.worker_id
    if worker_id is not None:
        check_worker(case, worker_id)
        if any(task.worker_id == worker_id for task in case.tasks if task.kind == "handle" and task.state in acts.LIVE):
            raise InvalidInput("This worker is at work on it already.", zh="该网格员已在处置本案。")
        acts.end_bar(case.session, case.incident.id, worker_id, case.at)  # the choice by hand wins
        return acts.add_task(case.session, case.incident, None, worker_id, case.at, joint=True, by_hand=True)
    if unit_id is None:
        raise InvalidInput("Name the unit or the worker that is called in.", zh="请选择协办单位或网格员。")
    check_unit(case.session, case.actor.territory_id, unit_id)
    at_work = {task.unit_id for task in case.tasks if task.kind == "handle" and task.state in acts.LIVE}
    if unit_id in at_work:
        raise InvalidInput("This unit is at work on it already.", zh="该单位已在处置本案。")
    return acts.add_task(case.session, case.incident, unit_id, None, case.at, joint=True)


def _take_back(case: Case) -> Task:
    """End the part of a worker or a unit that was called in; no plan calls that worker in once more."""
    unit_id, worker_id = case.asked.unit_id, case.asked.worker_id
    if unit_id is None and worker_id is None:
        raise InvalidInput("Name the unit or the worker that is taken back.", zh="请选择要撤回的协办单位或网格员。")
    part = next(
        (
            task
            for task in case.tasks
            if task.joint
            and task.state in acts.LIVE
            and (task.worker_id == worker_id if worker_id is not None else task.unit_id == unit_id)
        ),
        None,
    )
    if part is None:
        raise NotFound(
            "This part is not open any more: it is done, was given back, or ended with who leads.",
            hint="Look at the incident anew.",
            zh="该协办任务已不在办理中：已完成、已退回，或已随主办人结束。请重新查看案件。",
        )
    end(part, "cancelled", _known_until(part, case.at))
    if worker_id is not None:
        acts.add_bar(case.session, case.incident, worker_id, reason=case.asked.reason, at=case.at)
    return part


def _known_until(part: Task, at: dt.datetime) -> dt.datetime:
    """Return the moment itself, or the last thing known of a part where that is later."""
    known = (part.created_at, part.accepted_at, part.on_way_at, part.arrived_at)
    return max(at, *(each for each in known if each is not None))


def _send(case: Case, kind: str) -> Task:
    """Send a worker to look at the place: the one named, or one who has the grid, never one who handled it."""
    handled = set()
    if kind == "check":
        handled = looks.handled_by(case.session, case.actor, case.incident.id, case.tasks)
    worker_id = case.asked.worker_id
    if worker_id is None:
        incident = case.incident
        who = looks.find_looker(
            case.session, case.actor, incident.territory_id, incident.grid_id, case.at, handled=handled
        )
        if who.worker_id is None:
            why_en, why_zh = WHY_NOBODY[who.why]
            raise InvalidInput(why_en, hint="Name another worker.", zh=f"{why_zh}请另选网格员。")
        worker_id = who.worker_id
    if worker_id in handled:
        raise InvalidInput(
            "Who handled an incident does not check it.",
            hint="Name another worker.",
            zh="处置人不得核查，请另选网格员。",
        )
    check_worker(case, worker_id)
    live = _live_look(case, kind)
    if live is not None:
        end(live, "cancelled", case.at)
        case.session.flush()
    return side.add_look(case.session, case.incident, kind, worker_id, case.at)


def check_worker(case: Case, worker_id: int) -> str:
    """Return the staff number of a worker who can be sent; refuse one who is not here."""
    found = acts.worker(case.session, case.actor.territory_id, worker_id)
    if found is None:
        raise NotFound("There is no such worker in this territory.", zh="本辖区没有该网格员。")
    if not found.active:
        raise InvalidInput(f"{found.code} does not work here any more.", zh=f"{found.code} 已不在岗。")
    return found.code


def _live_look(case: Case, kind: str) -> Task | None:
    return next((task for task in case.tasks if task.kind == kind and task.state in acts.LIVE), None)


def _decide(case: Case, state: str, answer: str) -> dt.datetime:
    request = side.waiting_request(case.session, case.incident.id)
    if request is None:
        raise InvalidInput("Nobody asks for more time.", zh="没有待批的延期申请。")
    request.state, request.decided_at, request.decided_by = state, case.at, case.actor.user_id
    request.answer = answer
    return request.until


def _set_due(case: Case, due_at: dt.datetime) -> None:
    case.incident.due_at = due_at
    _pass_on(case)


def _pass_on(case: Case) -> None:
    """Give the deadline of the incident to the live tasks of handling."""
    due_at = case.incident.due_at
    for task in case.tasks:
        if task.kind == "handle" and task.state in acts.LIVE:
            task.due_at = due_at


def _until(case: Case) -> dt.datetime:
    if case.asked.until is None:
        raise InvalidInput("Until when?", hint="Give day and hour.", zh="请填写截止时间。")
    until = aware(case.asked.until)
    if until <= case.at:
        raise InvalidInput("That moment has passed.", hint="Give one that comes.", zh="该时间已过，请填写将来的时间。")
    if until > case.at + LONGEST:
        raise InvalidInput(
            "That is more than a year from now.", hint="Give an earlier day.", zh="超过一年，请填写较早的日期。"
        )
    return until
