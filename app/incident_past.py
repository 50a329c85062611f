"""The list of incidents as it stood at the end of a day of the past."""

from __future__ import annotations

import datetime as dt

import streamlit as st
from sqlalchemy.orm import Session

from app import as_of, i18n, incident_filters, state, widgets, words
from app.as_of import PARAMETER
from app.i18n import t, tn
from app.widgets import Column
from core.identity import Actor
from geodata.territory import TerritoryInfo
from incidents.model import IncidentFilter
from incidents.service import past


def stood_word(stood: str) -> str:
    """Return how an incident stood."""
    return t("open then") if stood == "open" else words.status(stood)


def show(session: Session, actor: Actor, territory: TerritoryInfo, wanted: IncidentFilter, day: dt.date) -> None:
    """Put the list as of a day: what was reported until then, as it stood, in the grids of that day."""
    asked = (day, wanted)
    known = st.session_state.get(state.LIST_PAST)
    first = int(known[1]) if known and known[0] == asked else 0
    page = past.list_past(session, actor, territory, wanted, day, first)
    total = sum(page.counts.values())
    parts = [f"{stood_word(each)} {i18n.number(number)}" for each, number in sorted(page.counts.items())]
    counted = tn("{count} incident", "{count} incidents", total)
    widgets.note(" · ".join([*as_of.told(day)[:1], counted, *parts]))
    if incident_filters.narrowed().anything and st.button(t("Show all"), type="tertiary", key="gk_widen_past"):
        incident_filters.widen()
        st.rerun()
    if wanted.overdue or wanted.due_soon or wanted.used:
        widgets.note(t("Deadlines are known of today only and do not narrow a list of the past."))
    if wanted.moved:
        widgets.note(t("“Since yesterday” counts from now and does not narrow a list of the past."))
    if not page.rows:
        widgets.empty(t("No incident fits the filters."), t("Widen the dates, or take a filter away."))
        return
    widgets.table(
        [Column(t("Number"), fixed=True), Column(t("What")), Column(t("Then")), Column(t("Now"), wide=True),
         Column(t("Reported at"), wide=True), Column(t("Grid")), Column(t("Community"), wide=True),
         Column(t("Place"), wide=True)],
        [
            (
                widgets.link(row.number, f"/incidents?incident={row.id}"),
                i18n.either(row.class_en, row.class_zh),
                stood_word(row.stood),
                words.status(row.status_now),
                i18n.clock(row.reported_at, territory.timezone),
                widgets.link(row.grid_code, f"/grid-file?grid={row.grid_id}&{PARAMETER}={day}"),
                i18n.either(row.community, row.community_zh),
                row.place,
            )
            for row in page.rows
        ],
    )  # fmt: skip
    widgets.note(t("Class, unit and worker are those of today; what they were is in each incident's history."))
    _turn(asked, first, len(page.rows), total)


def _turn(asked: tuple[dt.date, IncidentFilter], first: int, shown: int, total: int) -> None:
    """Put the way to newer and older pages."""
    if total <= past.PAGE_ROWS:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        to = None
        if st.button(t("Newer"), disabled=first == 0, key="gk_past_back"):
            to = max(0, first - past.PAGE_ROWS)
        if st.button(t("Older"), disabled=first + shown >= total, key="gk_past_on"):
            to = first + past.PAGE_ROWS
        if to is not None:
            st.session_state[state.LIST_PAST] = (asked, to)
            st.rerun()
        widgets.note(
            t(
                "{first} to {last} of {total}",
                first=i18n.number(first + 1),
                last=i18n.number(first + shown),
                total=i18n.number(total),
            )
        )
