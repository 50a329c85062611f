"""Incidents: the list with its filters, and one incident beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, incident_detail, incident_filters, state, widgets, words
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.identity import Actor
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.model import Cursor, IncidentFilter, IncidentPage, IncidentRow
from layers.style import LIGHT

PAGE_ROWS = 50
ROW_HEIGHT_PX = 32
TABLE_ROWS_SHOWN = 18
TONES = {"late": LIGHT.overdue, "soon": LIGHT.due_soon, "done": LIGHT.muted}
CHOSEN_ROW = "background-color: #DDEBEA"


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
    with transaction(actor) as session:
        incident_filters.take_address(session, actor)
        territory = territory_of(session, actor)
        widgets.title(t("Incidents"), simulated=territory.is_demo)
        wanted = incident_filters.bar(territory)
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


def _chosen() -> int | None:
    given = st.query_params.get("incident", "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


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
    _count(total, page.rows[0] if page.rows else None)
    if not page.rows:
        _nothing(wanted)
        return None
    picked = _table(page, here, chosen)
    _turn_pages(page, cursors, total)
    if picked is not None and picked != chosen:
        st.query_params["incident"] = str(picked)
        if chosen is None:
            st.rerun()
    return picked


def _count(total: int, row: IncidentRow | None) -> None:
    """Say how many the filters find, and what the address narrows them to, with the way out of it."""
    place = incident_filters.narrowed()
    with st.container(horizontal=True, vertical_alignment="center", key="gk-count"):
        counted = i18n.tn("{count} incident", "{count} incidents", total)
        widgets.note(f"{counted} · {place.words(row)}" if place.anything else counted)
        if place.anything and st.button(t("Show all"), type="tertiary", key="gk_widen"):
            incident_filters.widen()
            _fresh_table()


def _nothing(wanted: IncidentFilter) -> None:
    if wanted == IncidentFilter():
        widgets.empty(
            t("No incidents yet."),
            t("They come from reports, or from a file: gridkeeper load file FILE --as incidents."),
        )
        return
    widgets.empty(
        t("No incident fits the filters."),
        t("Widen the dates, or take a filter away."),
        link_label=t("All incidents"),
        href="/incidents",
    )


def _cursors(wanted: IncidentFilter) -> list[Cursor]:
    """Return the cursors of the pages turned so far; a changed filter begins at the first page."""
    if st.session_state.get(state.LIST_FILTER) != wanted:
        st.session_state[state.LIST_FILTER] = wanted
        st.session_state[state.LIST_CURSORS] = []
    cursors: list[Cursor] = st.session_state[state.LIST_CURSORS]
    return cursors


def _table(page: IncidentPage, here: Here, chosen: int | None) -> int | None:
    """Put the rows; a click on any cell opens its incident. Return the one clicked."""
    language = i18n.locale()
    left = [words.due(row, here.moment) for row in page.rows]
    columns = {
        t("Number"): [row.number for row in page.rows],
        t("What"): [row.title(language) for row in page.rows],
        t("Status"): [words.status(row.status) for row in page.rows],
        t("Time left"): [text if row.is_open else "" for row, (text, _) in zip(page.rows, left, strict=True)],
        t("Reported at"): [i18n.clock(row.reported_at, here.territory.timezone, now=here.moment) for row in page.rows],
        t("Community"): [i18n.either(row.community, row.community_zh) for row in page.rows],
        t("Place"): [row.place for row in page.rows],
        t("Unit"): [i18n.either(row.unit, row.unit_zh) for row in page.rows],
    }
    widths = dict(zip(columns, (150, 140, 105, 110, 105, 130, 160, 190), strict=True))
    frame = pd.DataFrame(columns)
    if chosen is not None:
        frame = frame[[t("What"), t("Status"), t("Time left"), t("Reported at"), t("Place")]]
    tones = [f"color: {TONES[tone]}" if tone in TONES else "" for _, tone in left]
    marks = [CHOSEN_ROW if row.id == chosen else "" for row in page.rows]
    shown = min(len(frame), TABLE_ROWS_SHOWN)
    event = st.dataframe(
        frame.style.apply(lambda _column: tones, subset=[t("Time left")]).apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{state.LIST_TABLE}_{st.session_state.get(state.LIST_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(shown + 1) * ROW_HEIGHT_PX + 4,
        column_config={name: st.column_config.TextColumn(name, width=widths[name]) for name in frame.columns},
    )
    places = [row for row, _ in event["selection"]["cells"]]
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
    with st.container(key="gk-detail"):
        if st.button(t("Close"), key="gk_close_detail"):
            st.query_params.pop("incident", None)
            _fresh_table()
        with guard.page():
            detail = incidents.incident_detail(here.session, here.actor, incident_id)
            incident_detail.show(here.session, detail, here.actor, here.territory, here.moment)


show()
