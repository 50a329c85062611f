"""Incidents: the list with its filters, and one incident beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, incident_detail, state, widgets, words
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.identity import Actor
from geodata.db import transaction
from geodata.tables import OPEN_STATUSES, STATUSES
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.classes import MAJORS
from incidents.model import Cursor, IncidentFilter, IncidentPage

PAGE_ROWS = 50
ROW_HEIGHT_PX = 32
TABLE_ROWS_SHOWN = 18


@dataclass(frozen=True, slots=True)
class Here:
    """What every part of the page needs."""

    session: Session
    actor: Actor
    territory: TerritoryInfo
    moment: dt.datetime


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    moment = now()
    _take_address()
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Incidents"), simulated=territory.is_demo)
        wanted = _filter_bar()
        chosen = _chosen()
        here = Here(session, actor, territory, moment)
        if chosen is None:
            _list(here, wanted, chosen)
            return
        with st.container(key="gk-beside"):
            left, right = st.columns([1.25, 1], gap="medium")
        with left:
            picked = _list(here, wanted, chosen)
        with right:
            _detail(here, picked or chosen)


def _take_address() -> None:
    """Turn the filters of a link (?overdue=1, ?status=open) into the state of the filter bar, once."""
    given = st.query_params
    if "overdue" in given or "status" in given:
        st.session_state[state.FILTER_OVERDUE] = given.get("overdue") == "1"
        asked = given.get("status", "").split(",")
        st.session_state[state.FILTER_STATUS] = [
            key for key in STATUSES if key in asked or ("open" in asked and key in OPEN_STATUSES)
        ]
        for name in ("overdue", "status"):
            if name in given:
                del given[name]


def _chosen() -> int | None:
    given = st.query_params.get("incident", "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _filter_bar() -> IncidentFilter:
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-filters"):
        days = st.date_input(t("Reported between"), value=[], format="YYYY-MM-DD", key=state.FILTER_DAYS, width=230)
        categories = st.multiselect(
            t("Category"),
            list(MAJORS),
            format_func=words.category,
            placeholder=t("All"),
            key=state.FILTER_CATEGORY,
            width=230,
        )
        statuses = st.multiselect(
            t("Status"),
            list(STATUSES),
            format_func=words.status,
            placeholder=t("All"),
            key=state.FILTER_STATUS,
            width=230,
        )
        text = st.text_input(t("Number or place"), key=state.FILTER_TEXT, max_chars=60, width=200)
        overdue = st.toggle(t("Late only"), key=state.FILTER_OVERDUE)
    first, last = _days(days)
    return IncidentFilter(
        first_day=first,
        last_day=last,
        categories=tuple(categories),
        statuses=tuple(statuses),
        overdue=overdue,
        text=text.strip(),
    )


def _days(value: object) -> tuple[dt.date | None, dt.date | None]:
    chosen = [day for day in value if isinstance(day, dt.date)] if isinstance(value, (tuple, list)) else []
    return (chosen[0] if chosen else None, chosen[1] if len(chosen) > 1 else None)


def _list(here: Here, wanted: IncidentFilter, chosen: int | None) -> int | None:
    """Put a page of the list; return the incident picked in it, None when none is."""
    cursors = _cursors(wanted)
    page = incidents.list_incidents(
        here.session,
        here.actor,
        wanted,
        after=cursors[-1] if cursors else None,
        limit=PAGE_ROWS,
        moment=here.moment,
    )
    total = incidents.count_incidents(here.session, here.actor, wanted, moment=here.moment)
    if not page.rows:
        _nothing(wanted)
        return None
    widgets.note(i18n.tn("{count} incident", "{count} incidents", total))
    picked = _table(page, here, compact=chosen is not None)
    _turn_pages(page, cursors, total)
    if picked is not None and picked != chosen:
        st.query_params["incident"] = str(picked)
        if chosen is None:
            st.rerun()
    return picked


def _nothing(wanted: IncidentFilter) -> None:
    if wanted == IncidentFilter():
        widgets.empty(
            t("No incidents yet."),
            t("They come from reports, or from a file: gridkeeper load file FILE --as incidents."),
        )
        return
    widgets.empty(t("No incident fits the filters."), t("Widen the dates, or take a filter away."))


def _cursors(wanted: IncidentFilter) -> list[Cursor]:
    """Return the cursors of the pages turned so far; a changed filter begins at the first page."""
    if st.session_state.get(state.LIST_FILTER) != wanted:
        st.session_state[state.LIST_FILTER] = wanted
        st.session_state[state.LIST_CURSORS] = []
    cursors: list[Cursor] = st.session_state[state.LIST_CURSORS]
    return cursors


def _table(page: IncidentPage, here: Here, *, compact: bool) -> int | None:
    language = i18n.locale()
    columns = {
        t("Number"): [row.number for row in page.rows],
        t("What"): [row.title(language) for row in page.rows],
        t("Status"): [words.status(row.status) for row in page.rows],
        t("Time left"): [words.due(row, here.moment)[0] if row.is_open else "" for row in page.rows],
        t("Reported at"): [i18n.clock(row.reported_at, here.territory.timezone, now=here.moment) for row in page.rows],
        t("Community"): [i18n.either(row.community, row.community_zh) for row in page.rows],
        t("Place"): [row.place for row in page.rows],
        t("Unit"): [i18n.either(row.unit, row.unit_zh) for row in page.rows],
    }
    frame = pd.DataFrame(columns)
    if compact:
        frame = frame[[t("Number"), t("What"), t("Status"), t("Time left"), t("Reported at")]]
    shown = min(len(frame), TABLE_ROWS_SHOWN)
    event = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"{state.LIST_TABLE}_{st.session_state.get(state.LIST_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(shown + 1) * ROW_HEIGHT_PX + 4,
        column_config={name: st.column_config.TextColumn(name) for name in frame.columns},
    )
    places = event["selection"]["rows"]
    return page.rows[places[0]].id if places and places[0] < len(page.rows) else None


def _turn_pages(page: IncidentPage, cursors: list[Cursor], total: int) -> None:
    if not cursors and page.after is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(t("Newer"), disabled=not cursors):
            cursors.pop()
            _fresh_table()
        if st.button(t("Older"), disabled=page.after is None) and page.after is not None:
            cursors.append(page.after)
            _fresh_table()
        first = len(cursors) * PAGE_ROWS + 1
        widgets.note(
            t(
                "{first} to {last} of {total}",
                first=i18n.number(first),
                last=i18n.number(first + len(page.rows) - 1),
                total=i18n.number(total),
            ),
        )


def _fresh_table() -> None:
    """Draw the table anew without a selection."""
    st.session_state[state.LIST_ROUND] = st.session_state.get(state.LIST_ROUND, 0) + 1
    st.rerun()


def _detail(here: Here, incident_id: int) -> None:
    if st.button(t("Close"), key="gk_close_detail"):
        st.query_params.pop("incident", None)
        _fresh_table()
    with guard.page():
        detail = incidents.incident_detail(here.session, here.actor, incident_id)
        incident_detail.show(here.session, detail, here.actor, here.territory, here.moment)


show()
