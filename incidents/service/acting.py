"""Use cases of acting on an incident: every step of the lifecycle, under a lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, Role, require
from geodata.tables import Incident, Task
from geodata.territory import TerritoryInfo, list_territories
from incidents.lifecycle import Facts, Refusal, TaskEffect, allowed, check_reason, check_role, find, known_act, refusal
from incidents.model import IncidentDetail
from incidents.needs import lacks_words
from incidents.service import looks, running, side_moves
from incidents.service.catalogue import read_catalogue
from incidents.service.commands import once
from incidents.service.facts import facts
from incidents.service.responsible import check_unit
from incidents.service.side_moves import Asked, Case
from incidents.store import acts, side
from incidents.work import Done, changed_meanwhile

GIVEN_OUT = ("dispatched", "handling")
MAKES = (TaskEffect.MAKE, TaskEffect.REPLACE)
UNREASONED = ("", "proposed")
"""With these somebody without what the class needs is not sent: a choice of one's own says why."""
PARTS = (TaskEffect.PART_DONE, TaskEffect.PART_RETURNED)
COMPANY = frozenset({"join", "take_back", "finish_part", "return_part"})
"""What changes who is at it beside the lead, and nothing of what the lead saw."""
DESPITE_COMPANY = frozenset({"accept", "start", "finish", "return"})
"""What the lead does as he meant it, though others were called in or ended their part meanwhile."""
OF_THE_LEAD = (TaskEffect.ACCEPT, TaskEffect.START, TaskEffect.FINISH, TaskEffect.RETURN, TaskEffect.REOPEN)


def move(
    session: Session,
    actor: Actor,
    incident_id: int,
    act: str,
    *,
    version: int | None,
    command_id: str,
    reason: str = "",
    worker_id: int | None = None,
    unit_id: int | None = None,
    until: dt.datetime | None = None,
    moment: dt.datetime | None = None,
) -> Done:
    """Do an act of `incidents.lifecycle` on an incident and return what it left behind.

    Parameters
    ----------
    version
        Of the incident as the actor saw it; None takes it as it is.
    command_id
        Chosen by the sender; the same command again changes nothing and answers as it did first.
    reason
        A key of `REASONS` or `CHOICE_REASONS`.
    worker_id, unit_id
        For assign, reassign and dispatch; the unit is the incident's own unless one is named. The unit that is
        called in by join or taken back by take_back, the worker who is sent by ask_verify and ask_check (that of the
        grid unless named).
    until
        The deadline that ask_extension asks for, the end of what postpone postpones.

    Raises
    ------
    NotPermitted
        When the table has no such step for the actor, with the reason in words.
    Conflict
        When the incident is at another version, naming who changed what.
    NotFound, InvalidInput
        When the incident is out of reach, or the act is asked for incompletely.
    """
    asked = Asked(incident_id, known_act(act), version, reason, worker_id, unit_id, until=until)
    return _do(session, actor, asked, command_id, moment)


def assign_task(
    session: Session,
    actor: Actor,
    incident_id: int,
    worker_id: int,
    *,
    version: int | None,
    command_id: str,
    reason: str = "",
    unit_id: int | None = None,
    moment: dt.datetime | None = None,
) -> Done:
    """Give the incident to a worker: a filed one for the first time, one given out already anew.

    Raises as `move` does.
    """
    asked = Asked(incident_id, "assign", version, reason, worker_id, unit_id, anew_too=True)
    return _do(session, actor, asked, command_id, moment)


def assignment(
    incident_id: int, worker_id: int, *, version: int | None, reason: str = "", unit_id: int | None = None
) -> dict[str, object]:
    """Return what `assign_task` keeps of what it is asked, so that one command has one digest by either way."""
    return _contents(Asked(incident_id, "assign", version, reason, worker_id, unit_id, anew_too=True))


def changed_since(session: Session, actor: Actor, versions: Mapping[int, int]) -> dict[int, Conflict]:
    """Return incident id to who changed what after it had the version given; none of those that stand unchanged."""
    require(actor, May.SEE_INCIDENTS)
    found = acts.of_ids(session, actor.territory_id, versions)
    return {each.id: _conflict(session, each, versions[each.id]) for each in found if each.version != versions[each.id]}


def came_along(session: Session, actor: Actor, incident_id: int, act: str, at: dt.datetime) -> Done | None:
    """Write what the acting worker says late of a part that ended with the work of who leads; None where it is not so.

    What he did before that end counts: who was there has done his part. The part of a command that `once` keeps.
    """
    require(actor, May.SEE_INCIDENTS)
    if actor.role is not Role.GRID_WORKER:
        return None
    came = acts.came_along(session, incident_id, act, at)
    return None if came is None else Done(incident_id, came.number, came.status, came.version, came.task_id)


def facts_of(detail: IncidentDetail, moment: dt.datetime | None = None) -> Facts:
    """Return what the guards of the lifecycle look at, from what a page shows anyway."""
    return facts(detail.row, detail.tasks, detail.side, now() if moment is None else aware(moment))


def allowed_acts(actor: Actor, detail: IncidentDetail) -> tuple[str, ...]:
    """Return the acts open to the actor on this incident, the usual next step first."""
    return allowed(actor, facts_of(detail))


def refused_act(actor: Actor, detail: IncidentDetail, act: str) -> Refusal | None:
    """Return why the actor may not do ``act`` on this incident now; None when he may."""
    return refusal(actor, facts_of(detail), known_act(act))


def _do(session: Session, actor: Actor, asked: Asked, command_id: str, moment: dt.datetime | None) -> Done:
    require(actor, May.SEE_INCIDENTS)
    check_role(actor.role, asked.act)
    check_reason(asked.act, asked.reason)
    at = now() if moment is None else aware(moment)
    return once(
        session,
        actor,
        command_id,
        act=asked.act,
        asked=_contents(asked),
        apply=lambda: _apply(session, actor, asked, at),
        purpose=f"{asked.act}: {asked.reason}" if asked.reason else asked.act,
    )


def _contents(asked: Asked) -> dict[str, object]:
    return {name: getattr(asked, name) for name in asked.__slots__}


def _apply(session: Session, actor: Actor, asked: Asked, at: dt.datetime) -> Done:
    late = came_along(session, actor, asked.incident_id, asked.act, at) if asked.act == "finish_part" else None
    if late is not None:
        return late
    incident = acts.lock(session, actor.territory_id, asked.incident_id)
    if incident is None:
        raise NotFound(
            "There is no such incident, or it lies outside your reach.",
            hint="Look for it in the list.",
            zh="没有该案件，或不在您的范围内。请在列表中查找。",
        )
    if not _as_seen(session, incident, asked):
        raise _conflict(session, incident, asked.version or 0)
    tasks = acts.tasks_of(session, incident.id)
    act = "reassign" if asked.anew_too and incident.status in GIVEN_OUT else asked.act
    step = find(actor, facts(incident, tasks, side.side_of(session, incident.id), at), act)
    case = Case(session, actor, incident, tasks, asked, step, at)
    task = _change_task(case)
    session.flush()  # the database looks at the tasks when the status changes
    with session.no_autoflush:  # the row changes at once: status and deadline belong together
        _change_incident(case)
    if step.effect in MAKES and task is not None:
        incident.unit_id, incident.worker_id = task.unit_id, task.worker_id
        incident.dispatched_by = actor.user_id
        task.due_at = incident.due_at
    session.flush()
    if step.act == "finish":
        looks.after_handling(session, actor, incident, tasks, at)
    return Done(incident.id, incident.number, incident.status, incident.version, None if task is None else task.id)


def _as_seen(session: Session, incident: Incident, asked: Asked) -> bool:
    """Return whether the incident is as it was seen; for the lead, but for who comes along."""
    if asked.version is None or asked.version == incident.version:
        return True
    if asked.act not in DESPITE_COMPANY:
        return False
    changes = acts.changes_since(session, incident.id, asked.version, ZoneInfo("UTC"))
    return len(changes) == incident.version - asked.version and all(
        each.act in COMPANY and {**each.before, "version": 0} == {**each.after, "version": 0} for each in changes
    )


def _change_incident(case: Case) -> None:
    incident, due_at = case.incident, case.incident.due_at
    _change(case)
    begins = case.step.act in {"file", "reopen"}
    if begins or incident.due_at != due_at or case.step.act in {"postpone", "resume"}:
        start = case.at if begins else incident.due_from or incident.filed_at or incident.reported_at
        running.set_warnings(case.session, incident, start)


def _change(case: Case) -> None:
    incident, step, at = case.incident, case.step, case.at
    if step.act in side_moves.PLAIN:
        side_moves.PLAIN[step.act](case)
    if step.effect in PARTS and case.actor.role is Role.GRID_WORKER:
        return  # who comes along changes his own part alone: what the lead saw stays as he saw it
    incident.status = step.target
    incident.version += 1
    if step.act in {"file", "reopen"}:
        catalogue = read_catalogue(case.session, _territory(case.session, case.actor))
        incident.limit_id = catalogue.limit_id(incident.class_id)
        due_at = catalogue.due_at(incident.class_id, at)
        if step.act == "reopen":
            side_moves.reopen(case, due_at)
        else:
            incident.filed_at, incident.due_at = at, due_at
    elif step.effect in MAKES:
        incident.dispatched_at = at
    elif step.act == "finish":
        incident.handled_at = at
    elif step.act == "rework":
        incident.handled_at, incident.reworks = None, incident.reworks + 1
    elif step.effect is TaskEffect.CANCEL:
        incident.closed_at = at if step.target == "closed" else incident.closed_at
        incident.closed_by = case.actor.user_id if step.target == "closed" else None
        acts.cancel_live(case.session, incident.id, at)


def _change_task(case: Case) -> Task | None:
    """Do what the step does to the tasks, and return the task it was done to or that it made."""
    leading = [task for task in case.tasks if task.kind == "handle" and not task.joint]
    task = next((each for each in leading if each.state in acts.LIVE), None)
    effect, incident, at = case.step.effect, case.incident, case.at
    if effect in {TaskEffect.NONE, TaskEffect.CANCEL}:
        return None
    if effect in MAKES:
        unit_id, worker_id = _who(case)
        if task is not None:
            side_moves.end(task, "cancelled", at)
        if worker_id is not None:  # who came along answers for it from now on
            side_moves.end_parts(case, done=False, only=worker_id)
        case.session.flush()
        return acts.add_task(case.session, incident, unit_id, worker_id, at)
    if effect not in OF_THE_LEAD:
        return side_moves.change_tasks(case)
    if effect is TaskEffect.REOPEN:
        task = next((each for each in reversed(leading) if each.state == "done"), None)
    if task is None:
        raise InvalidInput(
            f"{incident.number} has no task for this act.",
            hint="Assign it first." if effect is not TaskEffect.REOPEN else "It came from a file; close it.",
            zh=f"{incident.number} 没有可办理的任务。",
        )
    if effect in {TaskEffect.FINISH, TaskEffect.RETURN}:
        side_moves.end_parts(case, done=effect is TaskEffect.FINISH)
    _set_task(task, effect, at)
    return task


def _set_task(task: Task, effect: TaskEffect, at: dt.datetime) -> None:
    if effect in {TaskEffect.RETURN, TaskEffect.FINISH}:
        side_moves.end(task, "done" if effect is TaskEffect.FINISH else "returned", at)
        return
    task.version = acts.NEXT_VERSION
    if effect is TaskEffect.REOPEN:
        task.state, task.accepted_at, task.finished_at = "accepted", at, None  # what follows is not older than this
        return
    task.state = effect.value
    task.accepted_at = task.accepted_at or at


def _who(case: Case) -> tuple[int, int | None]:
    """Return unit and worker of a new task, both checked."""
    session, actor, incident, asked = case.session, case.actor, case.incident, case.asked
    unit_id = asked.unit_id or incident.unit_id
    if unit_id is None:
        raise InvalidInput(
            f"No unit is responsible for {incident.number}: the duty list names none for its class.",
            hint="Choose a unit yourself, or have the duty list completed.",
            zh=f"权责清单没有为 {incident.number} 的小类指定责任单位。请自行选择单位，或补全权责清单。",
        )
    check_unit(session, actor.territory_id, unit_id)
    if case.step.act == "dispatch":
        return unit_id, None
    if asked.worker_id is None:
        raise InvalidInput("Name the worker who is to do it.", zh="请选择承办的网格员。")
    code = side_moves.check_worker(case, asked.worker_id)
    if asked.reason in UNREASONED:
        _refuse_unable(session, incident, asked.worker_id, code)
    return unit_id, asked.worker_id


def _refuse_unable(session: Session, incident: Incident, worker_id: int, code: str) -> None:
    """Ask for a reason where the worker lacks what the class needs."""
    english, chinese = lacks_words(*acts.missing(session, incident.class_id, worker_id))
    if english:
        raise InvalidInput(
            f"{code} {english}, which {incident.number} takes.",
            hint="Choose somebody else, or say why it is this one all the same.",
            zh=f"{code} {chinese}，不符合 {incident.number} 的要求。请改派他人，或填写指定原因。",
        )


def _conflict(session: Session, incident: Incident, version: int) -> Conflict:
    territory = next(each for each in list_territories(session) if each.id == incident.territory_id)
    changes = acts.changes_since(session, incident.id, version, territory.zone)
    seen = {int(row["worker_id"]) for each in changes for row in (each.before, each.after) if row.get("worker_id")}
    return changed_meanwhile(incident.number, changes, acts.staff_numbers(session, seen))


def _territory(session: Session, actor: Actor) -> TerritoryInfo:
    return next(each for each in list_territories(session) if each.id == actor.territory_id)
