"""What the side moves left on an incident, in words: urged, postponed, more time asked for, settled on the spot."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app import i18n, my_work, widgets, words
from app.i18n import t
from app.widgets import Column
from core.identity import Actor, Role
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.model import IncidentDetail


def show(detail: IncidentDetail, territory: TerritoryInfo, moment: dt.datetime) -> None:
    """Put the marks, one sentence each; nothing where there is none."""
    said = _marks(detail, territory, moment)
    if said:
        widgets.note(" ".join(said))


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
    for task in detail.tasks:
        if task.outcome and task.kind in {"verify", "check"}:
            outcome = words.reason_of(task.kind, task.outcome)
            said.append(t("{task}: {outcome}.", task=words.task_kind(task.kind), outcome=outcome))
    return said


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
