"""Today: the home of each role. What is late, what is due, who is on duty, what came in."""

from __future__ import annotations

import datetime as dt

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, my_work, widgets, words
from app.i18n import t
from app.locator import Dot, locator
from app.where import territory_of
from app.widgets import Column, Fact
from core.clock import now
from core.identity import Actor, May, Role
from geodata.db import transaction
from geodata.osm import FACILITY_KINDS
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.model import IncidentRow, TodayCounts
from layers import overview
from people import accounts
from people import service as people
from people.model import OnDuty

LATE_SHOWN = 12
COMMUNITIES_SHOWN = 10
SESSIONS_SHOWN = 10


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
        if actor.may(May.SEE_INCIDENTS):
            _incident_roles(session, actor, territory, moment)
        elif actor.may(May.MANAGE_USERS):
            _administrator(session, actor, territory)
        else:
            _planner(session, territory)


def _incident_roles(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> None:
    counts = incidents.today_counts(session, actor, moment)
    late = incidents.late_incidents(session, actor, moment, limit=LATE_SHOWN)
    duty = people.on_duty(session, actor, territory.id, timezone=territory.timezone, at=moment)
    _strip(actor, counts, duty)
    left, right = st.columns([2.2, 1], gap="medium")
    with left:
        if actor.role is Role.GRID_WORKER:
            my_work.my_tasks(session, actor, moment)
        if actor.role is Role.SUPERVISOR:
            my_work.waiting_to_close(session, actor, moment)
        _late_list(actor, late, counts.late, moment)
        if actor.role is not Role.HANDLER:
            _communities(session, actor, territory, moment)
    with right:
        _load_button(actor)
        widgets.heading(t("Where they are") if late else t("My area"))
        dots = [Dot(row.lon, row.lat, f"{row.number} {row.title(i18n.locale())}", row.id) for row in late]
        locator(session, territory, dots, area_ids=actor.area_ids)
        _on_duty(duty)


def _strip(actor: Actor, counts: TodayCounts, duty: OnDuty) -> None:
    waiting = t("Waiting for dispatch") if actor.role is not Role.HANDLER else t("Not yet begun")
    items = [
        Fact(t("Late"), i18n.number(counts.late), "late" if counts.late else "", href="/incidents?overdue=1"),
        Fact(
            t("Due in 2 h"),
            i18n.number(counts.due_soon),
            "soon" if counts.due_soon else "",
            href="/incidents?due=soon",
        ),
        Fact(waiting, i18n.number(counts.waiting), href="/incidents?status=reported,filed"),
        Fact(t("Open"), i18n.number(counts.open), href="/incidents?status=open"),
        Fact(t("Since yesterday: filed, closed"), f"+{i18n.number(counts.filed)} −{i18n.number(counts.closed)}"),
    ]
    if duty.total:
        shown = t("{present} of {total}", present=i18n.number(len(duty.present)), total=i18n.number(duty.total))
        items.insert(4, Fact(t("On duty"), shown, href="#on-duty"))
    widgets.facts(items)


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
    if total > len(late):
        more = t("All {count} late incidents", count=i18n.number(total))
        widgets.write(f"<p>{widgets.link(more, '/incidents?overdue=1').text}</p>")


def _who(actor: Actor, row: IncidentRow) -> str:
    """Return unit and worker; a handler's list is of one unit, so it is not said again."""
    owner = "" if actor.role is Role.HANDLER else i18n.either(row.unit, row.unit_zh)
    return " · ".join(part for part in (owner, row.worker_code or "") if part)


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


def _on_duty(duty: OnDuty) -> None:
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
                f"{worker.code} {worker.name}" if worker.name else worker.code,
                worker.shift_end.strftime("%H:%M") if worker.shift_end else None,
                i18n.either(worker.grid_name, worker.grid_name_zh) or worker.grid_code,
            )
            for worker in duty.present[:LATE_SHOWN]
        ],
    )
    if len(duty.present) > LATE_SHOWN:
        widgets.note(t("and {count} more", count=i18n.number(len(duty.present) - LATE_SHOWN)))


def _load_button(actor: Actor) -> None:
    """Put the way to one's own city, for those who may take it."""
    if actor.may(May.LOAD_DATA) and st.button(
        t("Use your own .osm.pbf"), type="primary", width="stretch", key="gk_own_file"
    ):
        st.switch_page("views/bring_in.py")


def _planner(session: Session, territory: TerritoryInfo) -> None:
    whole = overview.overview(session, territory.id)
    _city_strip(whole, communities="#communities")
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        _facilities(whole)
    with right:
        widgets.heading(t("Overview"))
        locator(session, territory, [])
        widgets.note(t("Planners see places and numbers, no single reports."))
        _people(session, territory)


def _people(session: Session, territory: TerritoryInfo) -> None:
    """Put the communities by their people, which is all that a planner is told of them here."""
    rows = sorted(overview.load_by_community(session, territory.id, now()), key=lambda row: -(row.people or 0))
    if not rows:
        return
    widgets.heading(t("Communities"), anchor="communities")
    if territory.people_note:
        widgets.note(territory.people_note if i18n.locale() == "en" else t("People are an estimate from buildings."))
    widgets.table(
        [Column(t("Community")), Column(t("People, estimated"), right=True)],
        [(i18n.either(row.name, row.name_zh), i18n.number(row.people)) for row in rows],
    )


def _city_strip(whole: overview.Overview, *, communities: str = "") -> None:
    widgets.facts(
        [
            Fact(t("People, estimated"), i18n.number(whole.people), href="/map?metric=per_1000&layers=grids"),
            Fact(t("Communities"), i18n.number(whole.communities), href=communities),
            Fact(t("Unit grids"), i18n.number(whole.unit_grids), href="/map?layers=grids"),
            Fact(t("Buildings"), i18n.number(whole.buildings)),
            Fact(t("Roads, km"), i18n.number(whole.road_km), href="/map?layers=traffic"),
            Fact(t("Facilities"), i18n.number(sum(whole.facilities.values())), href="/map?layers=facilities"),
        ],
    )


def _facilities(whole: overview.Overview) -> None:
    widgets.heading(t("Facilities"))
    if not whole.facilities:
        widgets.empty(
            t("No facilities yet."),
            t("They come with a map file: schools, clinics, libraries, parks and more."),
        )
        return
    widgets.table(
        [Column(t("Kind")), Column(t("How many"), right=True), Column(t("People for each"), right=True)],
        [
            (
                _facility(kind),
                i18n.number(count),
                i18n.number(round(whole.people / count, -1)) if whole.people else None,
            )
            for kind, count in whole.facilities.items()
        ],
    )


def _facility(kind: str) -> str:
    known = FACILITY_KINDS.get(kind)
    return i18n.either(known.label_en, known.label_zh) if known else kind


def _administrator(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    whole = overview.overview(session, territory.id)
    _city_strip(whole)
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        _sessions(session, actor, territory)
        _loads(session, territory)
    with right:
        _load_button(actor)
        quarantine(session, territory)
        widgets.note(t("Administrators see data and accounts, no incidents."))


def _sessions(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    widgets.heading(t("Who is logged in"))
    rows = accounts.list_sessions(session, actor, territory.id)
    live = guard.stored_session()
    mine = live.id if live else ""
    widgets.table(
        [
            Column(t("Account"), fixed=True),
            Column(t("Since"), right=True),
            Column(t("Last seen"), right=True, wide=True),
            Column(t("Ends"), right=True, wide=True),
        ],
        [
            (
                t("{login} (this is you)", login=row.login) if row.id == mine else row.login,
                i18n.clock(row.created_at, territory.timezone),
                i18n.distance(row.last_seen_at),
                i18n.distance(row.expires_at),
            )
            for row in rows[:SESSIONS_SHOWN]
        ],
    )
    if len(rows) > SESSIONS_SHOWN:
        widgets.note(t("The newest {shown} of {all}.", shown=SESSIONS_SHOWN, all=i18n.number(len(rows))))
    if rows:
        since = {row.id: i18n.clock(row.created_at, territory.timezone) for row in rows}
        _end_session(actor, [(row.id, f"{row.login}, {since[row.id]}") for row in rows if row.id != mine])


def _end_session(actor: Actor, choices: list[tuple[str, str]]) -> None:
    labels = dict(choices)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("End a session"), list(labels), format_func=labels.__getitem__, index=None, placeholder=t("Choose")
        )
        if st.button(t("End it"), disabled=chosen is None) and chosen is not None:
            with transaction(actor) as session:
                accounts.revoke(session, actor, chosen)
            guard.forget_sessions()
            st.rerun()


def _loads(session: Session, territory: TerritoryInfo) -> None:
    loads = overview.latest_loads(session, territory.id)
    if not loads:
        return
    widgets.heading(t("Brought in last"))
    widgets.table(
        [Column(t("What")), Column(t("From")), Column(t("By"), wide=True), Column(t("When"), right=True)],
        [
            (
                words.load_kind(load.kind),
                words.load_source(load.kind, load.source_name),
                words.doer(load.actor_label),
                i18n.clock(load.at, territory.timezone),
            )
            for load in loads
        ],
    )


def quarantine(session: Session, territory: TerritoryInfo) -> None:
    """Put what waits in quarantine, by reason."""
    widgets.heading(t("Quarantine"))
    waiting = overview.quarantine_by_reason(session, territory.id)
    if not waiting:
        widgets.empty(
            t("Nothing waits."),
            t("Rows that cannot be taken in would wait here, with the reason."),
        )
        return
    widgets.table(
        [Column(t("Reason")), Column(t("Rows"), right=True)],
        [(words.reason(each.reason), i18n.number(each.rows)) for each in waiting],
    )


show()
