"""Today: the home of each role. What is late, what is due, who is on duty, what came in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import streamlit as st
from sqlalchemy.orm import Session

from app import (
    board_desk,
    guard,
    i18n,
    incident_emergency,
    incident_side,
    my_work,
    today_city,
    today_watch,
    widgets,
    words,
)
from app.i18n import t
from app.locator import Dot, locator
from app.where import territory_of
from app.widgets import Cell, Column, Fact, Html
from core.clock import now
from core.identity import Actor, May, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.model import IncidentRow, TodayCounts
from layers import overview
from people import service as people
from people.model import OnDuty, WorkerInfo

LATE_SHOWN = 12
COMMUNITIES_SHOWN = 10


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    moment = now()
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(
            t("Today"),
            simulated=territory.is_demo and actor.may(May.SEE_INCIDENTS),
            aside=i18n.long_day(moment, territory.timezone),
        )
        today_watch.about_me(session, actor)
        if actor.may(May.SEE_INCIDENTS):
            _incident_roles(session, actor, territory, moment)
        elif actor.may(May.MANAGE_USERS):
            today_city.administrator(session, actor, territory)
        else:
            today_city.planner(session, territory)


def _incident_roles(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> None:
    incident_emergency.on_today(session, actor, territory)
    counts = incidents.today_counts(session, actor, moment)
    late = incidents.late_incidents(session, actor, moment, limit=LATE_SHOWN)
    duty = people.on_duty(session, actor, territory.id, timezone=territory.timezone, at=moment)
    strip = _strip(actor, counts, duty, today_watch.uncovered(session, actor, territory, moment))
    # What waits for a decision is said among the numbers of the day, and only while something waits.
    waits = (*board_desk.facts(session, actor), *today_watch.to_decide(session, actor))
    widgets.facts([*strip, *(each for each in waits if each.tone)])
    left, right = st.columns([2.2, 1], gap="medium")
    with left:
        if actor.role is Role.GRID_WORKER:
            my_work.my_tasks(session, actor, moment)
        if actor.role is Role.SUPERVISOR:
            incident_side.waiting_extensions(session, actor, moment)
            my_work.waiting_to_close(session, actor, moment)
        _late_list(actor, late, counts.late, moment)
        if actor.role is Role.HANDLER:
            my_work.not_begun(session, actor, moment)
        if actor.role is not Role.HANDLER:
            _communities(session, actor, territory, moment)
    with right:
        widgets.heading(t("Where they are") if late else t("My area"))
        dots = [Dot(row.lon, row.lat, f"{row.number} {row.title(i18n.locale())}", row.id) for row in late]
        locator(session, territory, dots, area_ids=actor.area_ids)
        _on_duty(actor, duty)
        today_city.own_file(actor, main=False)


def _strip(actor: Actor, counts: TodayCounts, duty: OnDuty, uncovered: int | None) -> list[Fact]:
    items = [
        Fact(t("Late"), i18n.number(counts.late), "late" if counts.late else "", href="/incidents?overdue=1"),
        Fact(
            t("Due in 2 h"),
            i18n.number(counts.due_soon),
            "soon" if counts.due_soon else "",
            href="/incidents?due=soon",
        ),
        Fact(
            t("80 % used"),
            i18n.number(counts.warned),
            "soon" if counts.warned else "",
            note=t("of the time, not late yet"),
            href="/incidents?due=80",
        ),
        *_waiting(actor, counts.by_status),
        Fact(t("Open"), i18n.number(counts.open), note=_postponed(counts.postponed), href="/incidents?status=open"),
    ]
    if duty.total:
        shown = t("{present} of {total}", present=i18n.number(len(duty.present)), total=i18n.number(duty.total))
        bare = i18n.tn("{count} grid uncovered", "{count} grids uncovered", uncovered) if uncovered else ""
        items.append(Fact(t("On duty"), shown, note=bare, href="/roster" if uncovered is not None else "#on-duty"))
    return [
        *items,
        Fact(t("Filed since yesterday"), f"+{i18n.number(counts.filed)}", href="/incidents?moved=filed"),
        Fact(t("Closed since yesterday"), f"−{i18n.number(counts.closed)}", href="/incidents?moved=closed"),
    ]


def _postponed(count: int) -> str:
    return i18n.tn("{count} postponed", "{count} postponed", count) if count else ""


def _waiting(actor: Actor, by_status: Mapping[str, int]) -> list[Fact]:
    """Return what waits for this role: each number leads to where it is done."""
    to_send = (t("Waiting for dispatch"), "filed", "/board" if actor.may(May.DISPATCH) else "/incidents?status=filed")
    waits = {
        Role.HANDLER: [(t("Not yet begun"), "dispatched", "/incidents?status=dispatched")],
        Role.SUPERVISOR: [
            (t("To be filed"), "reported", "/incidents?status=reported"),
            (t("To be closed"), "checking", "/incidents?status=checking"),
        ],
        Role.GRID_WORKER: [(t("Not yet begun"), "dispatched", "/incidents?status=dispatched")],
    }.get(actor.role, [to_send])
    return [Fact(label, i18n.number(by_status.get(status, 0)), href=href) for label, status, href in waits]


def _late_list(actor: Actor, late: list[IncidentRow], total: int, moment: dt.datetime) -> None:
    widgets.heading(t("Late now"), aside=t("most urgent first") if late else "")
    if not late:
        widgets.empty(
            t("Nothing is late."),
            t("Incidents whose deadline has passed would stand here, the most urgent first."),
            link_label=t("All incidents"),
            href="/incidents",
        )
        return
    widgets.table(
        [
            Column(t("Number"), fixed=True),
            Column(t("What")),
            Column(t("Where"), wide=True),
            Column(t("Priority"), fixed=True, wide=True),
            Column(t("Late by"), right=True),
            Column(t("Who"), wide=True),
        ],
        [
            (
                widgets.link(row.number, f"/incidents?overdue=1&incident={row.id}"),
                widgets.two_lines(my_work.what(row), my_work.place(row)),
                my_work.place(row),
                words.priority(row.priority),
                widgets.toned(i18n.span(moment - row.due_at) if row.due_at else "", "late"),
                _who(actor, row),
            )
            for row in late
        ],
    )
    ways = [widgets.link(t("All late ones on the map"), "/map?status=overdue&days=365").text]
    if total > len(late):
        more = t("All {count} late incidents", count=i18n.number(total))
        ways.insert(0, widgets.link(more, "/incidents?overdue=1").text)
    widgets.write(f"<p>{' · '.join(ways)}</p>")


def _who(actor: Actor, row: IncidentRow) -> Cell:
    """Return unit and worker; a handler's list is of one unit, so it is not said again."""
    owner = "" if actor.role is Role.HANDLER else i18n.either(row.unit, row.unit_zh)
    parts = [(owner, f"/units?unit={row.unit_id}"), (row.worker_code or "", f"/workers?worker={row.worker_code}")]
    links = actor.may(May.SEE_PEOPLE) and actor.role is not Role.HANDLER  # whose workers are those of the own unit
    return Html(
        " · ".join(widgets.link(label, href).text if links else widgets.html(label) for label, href in parts if label)
    )


def _communities(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> None:
    rows = overview.load_by_community(session, territory.id, moment, area_ids=actor.area_ids)
    if not rows:
        return
    widgets.heading(t("My communities") if actor.role is Role.GRID_MANAGER else t("Communities"))
    widgets.table(
        [
            Column(t("Community")),
            Column(t("Late"), right=True),
            Column(t("Open"), right=True),
            Column(t("People, estimated"), right=True, wide=True),
        ],
        [
            (
                i18n.either(row.name, row.name_zh),
                _counted(row.late, f"/incidents?community={row.community_id}&overdue=1", "late"),
                _counted(row.open, f"/incidents?community={row.community_id}&status=open"),
                i18n.number(row.people),
            )
            for row in rows[:COMMUNITIES_SHOWN]
        ],
    )
    if len(rows) > COMMUNITIES_SHOWN:
        widgets.note(t("The {shown} with most late incidents of {all}.", shown=COMMUNITIES_SHOWN, all=len(rows)))


def _counted(count: int, href: str, tone: str = "") -> widgets.Html:
    """Return a number as a link to its rows; nothing needs no link."""
    return widgets.link(i18n.number(count), href, tone) if count else widgets.Html(i18n.number(0))


def _on_duty(actor: Actor, duty: OnDuty) -> None:
    if not duty.total:
        return
    widgets.heading(t("On duty"), anchor="on-duty")
    if not duty.present:
        widgets.empty(
            t("Nobody is on shift at this hour."),
            t("The shifts of all {count} workers are over or not yet begun.", count=i18n.number(duty.total)),
        )
        return
    widgets.table(
        [Column(t("Worker"), fixed=True), Column(t("Until"), right=True), Column(t("Grid"), wide=True)],
        [
            (
                _worker(actor, worker),
                worker.shift_end.strftime("%H:%M") if worker.shift_end else None,
                i18n.either(worker.grid_name, worker.grid_name_zh) or worker.grid_code,
            )
            for worker in duty.present[:LATE_SHOWN]
        ],
    )
    if len(duty.present) > LATE_SHOWN:
        more = t("and {count} more", count=i18n.number(len(duty.present) - LATE_SHOWN))
        widgets.write(f"<p>{widgets.link(more, '/roster').text if actor.may(May.SEE_PEOPLE) else more}</p>")


def _worker(actor: Actor, worker: WorkerInfo) -> Cell:
    """Return staff number and name, a link for who may see the staff."""
    named = f"{worker.code} {worker.name}" if worker.name else worker.code
    return widgets.link(named, f"/workers?worker={worker.code}") if actor.may(May.SEE_PEOPLE) else named


show()
