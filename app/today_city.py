"""Today of those who see no incident: the planner's city in numbers, the administrator's platform."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, today_watch, widgets, words
from app.i18n import t
from app.locator import locator
from app.widgets import Column, Fact
from core.clock import now
from core.identity import Actor, May
from geodata.db import transaction
from geodata.osm import FACILITY_KINDS
from geodata.territory import TerritoryInfo
from layers import overview
from people import accounts

SESSIONS_SHOWN = 10


def own_file(actor: Actor, *, main: bool = True) -> None:
    """Put the way to one's own city, for those who may take it; ``main`` where it is the act of the page."""
    if actor.may(May.LOAD_DATA) and st.button(
        t("Use your own .osm.pbf"), type="primary" if main else "secondary", width="stretch", key="gk_own_file"
    ):
        st.switch_page("views/bring_in.py")


def planner(session: Session, territory: TerritoryInfo) -> None:
    """Put the city in numbers, its facilities and its people."""
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
            Fact(t("Buildings"), i18n.number(whole.buildings), href="/map?layers=grids"),
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


def administrator(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put who is logged in, what was brought in and what waits."""
    widgets.facts(today_watch.of_the_platform(session, actor, territory, now()))
    _city_strip(overview.overview(session, territory.id), communities="/set-up?step=communities")
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        _sessions(session, actor, territory)
        _loads(session, territory)
    with right:
        own_file(actor)
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
                widgets.link(
                    t("{login} (this is you)", login=row.login) if row.id == mine else row.login,
                    f"/accounts?user={row.login}",
                ),
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
