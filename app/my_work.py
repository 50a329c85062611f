"""What waits for one person on Today: the worker's tasks, and what a supervisor may close."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app import i18n, widgets, words
from app.i18n import t
from app.widgets import Column
from core.identity import Actor
from incidents import service as incidents
from incidents.model import IncidentRow

SHOWN = 12


def my_tasks(session: Session, actor: Actor, moment: dt.datetime) -> None:
    """Put the worker's own tasks, the most urgent first."""
    widgets.heading(t("My tasks"))
    widgets.write(f"<p>{widgets.link(t('On the phone: my next task, also without a network'), '/field').text}</p>")
    mine = incidents.my_tasks(session, actor)
    if not mine:
        widgets.empty(t("No task waits for you."), t("What a dispatcher assigns to you stands here at once."))
        return
    widgets.table(
        [
            Column(t("Number"), fixed=True),
            Column(t("What")),
            Column(t("Where"), wide=True),
            Column(t("Task")),
            Column(t("Time left"), right=True),
        ],
        [
            (
                widgets.link(each.incident.number, f"/incidents?incident={each.incident.id}"),
                what(each.incident),
                place(each.incident),
                _task(each.task.kind, each.task.state),
                widgets.toned(*words.due(each.incident, moment)),
            )
            for each in mine
        ],
    )


def waiting_to_close(session: Session, actor: Actor, moment: dt.datetime) -> None:
    """Put what is handled and waits for the supervisor."""
    widgets.heading(t("Waiting to be closed"))
    rows = incidents.waiting_to_close(session, actor, limit=SHOWN)
    if not rows:
        widgets.empty(
            t("Nothing waits to be closed."), t("What was handled stands here until you close it or send it back.")
        )
        return
    widgets.table(
        [
            Column(t("Number"), fixed=True),
            Column(t("What")),
            Column(t("Where"), wide=True),
            Column(t("Handled"), right=True),
            Column(t("Time left"), right=True),
        ],
        [
            (
                widgets.link(row.number, f"/incidents?incident={row.id}"),
                what(row),
                place(row),
                i18n.distance(row.handled_at, now=moment) if row.handled_at else None,
                widgets.toned(*words.due(row, moment)),
            )
            for row in rows
        ],
    )
    widgets.write(f"<p>{widgets.link(t('All that wait to be closed'), '/incidents?status=checking').text}</p>")


def not_begun(session: Session, actor: Actor, moment: dt.datetime) -> None:
    """Put what was sent to the handler's unit and nobody has begun, the most urgent first."""
    rows = incidents.not_begun(session, actor, limit=SHOWN)
    if not rows:
        return
    widgets.heading(t("Not yet begun"))
    widgets.table(
        [
            Column(t("Number"), fixed=True),
            Column(t("What")),
            Column(t("Where"), wide=True),
            Column(t("Sent"), right=True, wide=True),
            Column(t("Time left"), right=True),
        ],
        [
            (
                widgets.link(row.number, f"/incidents?status=dispatched&incident={row.id}"),
                widgets.two_lines(what(row), place(row)),
                place(row),
                i18n.distance(row.dispatched_at, now=moment) if row.dispatched_at else None,
                widgets.toned(*words.due(row, moment)),
            )
            for row in rows
        ],
    )


def _task(kind: str, state: str) -> str:
    """Return the state of a task, with its kind when it is a look on site and not the handling."""
    named = words.task_state(state)
    return named if kind == "handle" else f"{words.task_kind(kind)} · {named}"


def what(row: IncidentRow) -> str:
    """Return the class of an incident, with the word when it is an emergency."""
    name = row.title(i18n.locale())
    return t("{name} (emergency)", name=name) if row.emergency else name


def place(row: IncidentRow) -> str:
    """Return street and community of an incident, or the community alone."""
    community = i18n.either(row.community, row.community_zh)
    return t("{place}, {community}", place=row.place, community=community) if row.place else community
