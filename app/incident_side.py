"""What the side moves left on an incident, in words: urged, postponed, more time asked for, settled on the spot."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app import i18n, incident_acts, my_work, widgets, words
from app.i18n import t
from app.widgets import Column
from core.identity import Actor, Role
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.looks import WHY_NOBODY
from incidents.model import IncidentDetail, TaskInfo


def show(detail: IncidentDetail, territory: TerritoryInfo, moment: dt.datetime) -> None:
    """Put the marks, one sentence each; nothing where there is none."""
    said = _marks(detail, territory, moment)
    if any(said):
        widgets.note(" ".join(each for each in said if each))


def _marks(detail: IncidentDetail, territory: TerritoryInfo, moment: dt.datetime) -> list[str]:
    def at(when: dt.datetime) -> str:
        return i18n.clock(when, territory.timezone, now=moment)

    side, said = detail.side, []
    if side.urged_at is not None and detail.row.is_open:
        reason = words.reason_of("urge", side.urge_reason)
        said.append(t("Urged {when}: {reason}.", when=at(side.urged_at), reason=reason))
    if side.postponed_until is not None and side.postponed_until > moment:
        said.append(t("Postponed until {when}; the clock stands still.", when=at(side.postponed_until)))
    for request in side.requests[-1:]:
        reason = words.reason_of("ask_extension", request.reason)
        until = at(request.until)
        if request.state == "waiting":
            said.append(t("More time is asked for, until {when}: {reason}.", when=until, reason=reason))
        elif request.state == "granted":
            said.append(t("More time was granted, until {when}.", when=until))
        else:
            answer = words.reason_of("refuse_extension", request.answer)
            said.append(t("More time was refused: {reason}.", reason=answer))
    if side.self_handled:
        said.append(
            t("Settled on the spot by its finder; a supervisor has looked at it.")
            if side.sampled_by is not None
            else t("Settled on the spot by its finder; not sampled yet.")
        )
    return said + [_look(task, at(task.created_at)) for task in detail.tasks if task.kind in {"verify", "check"}]


def _look(task: TaskInfo, since: str) -> str:
    """Return who was sent to look at the place, or what was found there; empty where neither is known."""
    kind = words.task_kind(task.kind)
    if task.outcome:
        return t("{task}: {outcome}.", task=kind, outcome=words.reason_of(task.kind, task.outcome))
    if task.state in incident_acts.LIVE:
        return t("{task}: {worker} is sent, {when}.", task=kind, worker=task.worker_code, when=since)
    return ""


def nobody_looks(session: Session, actor: Actor, detail: IncidentDetail, moment: dt.datetime) -> None:
    """Say why no worker looks at an incident that asks for it, to those who can send one."""
    if actor.role not in {Role.SUPERVISOR, Role.DISPATCHER}:
        return
    why = incidents.why_nobody_looks(session, actor, detail, moment)
    if why:
        said = i18n.either(*WHY_NOBODY[why])
        widgets.alert(t("Nobody was sent to look at the place. {why} Send somebody yourself.", why=said))


def waiting_extensions(session: Session, actor: Actor, moment: dt.datetime) -> None:
    """Put the requests for more time that wait for the supervisor; nothing where none waits."""
    if actor.role is not Role.SUPERVISOR:
        return
    rows = incidents.waiting_extensions(session, actor)
    if not rows:
        return
    widgets.heading(t("More time is asked for"))
    widgets.table(
        [
            Column(t("Number"), fixed=True),
            Column(t("What")),
            Column(t("Where"), wide=True),
            Column(t("Time left"), right=True),
        ],
        [
            (
                widgets.link(row.number, f"/incidents?incident={row.id}"),
                my_work.what(row),
                my_work.place(row),
                widgets.toned(*words.due(row, moment)),
            )
            for row in rows
        ],
    )
