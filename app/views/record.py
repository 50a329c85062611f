"""Record: who did what, when, before and after; whether nobody changed it since; the heads that prove it."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, record_detail, record_filters, record_parts, record_words, state, widgets, words
from app.i18n import t
from app.where import territory_of
from core.errors import NotFound
from core.identity import Actor, May, require
from geodata import record_search
from geodata.db import transaction
from geodata.record_search import RecordFilter, RecordPage
from geodata.territory import TerritoryInfo

PAGE_ROWS = 50
ROW_HEIGHT_PX = 32
ROWS_SHOWN = 18
CHOSEN_ROW = "background-color: #DDEBEA"


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_RECORD)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Record"), simulated=territory.is_demo)
        record_parts.strip(actor, territory)
        found, checked, heads = st.tabs([t("Search"), t("Check and export"), t("Heads")])
        with found:
            _search(session, actor, territory)
        with checked:
            record_parts.check(actor, territory)
        with heads:
            record_parts.heads(session, territory)


def _search(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    record_filters.take_address()
    try:
        wanted = record_filters.bar(session, actor, territory)
    except NotFound as error:
        widgets.known_error(error)
        return
    if wanted.seqs:
        with st.container(horizontal=True, vertical_alignment="center"):
            widgets.note(record_filters.words_of_rows(len(wanted.seqs)))
            if st.button(t("Show all"), type="tertiary", key="gk_record_widen"):
                st.query_params.pop("rows", None)
                _fresh()
    chosen = _chosen()
    if chosen is None:
        _list(session, actor, territory, wanted, None)
        return
    with st.container(key="gk-beside"):
        left, right = st.columns([1.1, 1], gap="medium")
    with left:
        picked = _list(session, actor, territory, wanted, chosen)
    with right, st.container(key="gk-detail"):
        if st.button(t("Close"), key="gk_close_detail"):
            st.query_params.pop("row", None)
            _fresh()
        with guard.page():
            record_detail.show(record_search.act(session, actor, picked or chosen), actor, territory)


def _chosen() -> int | None:
    given = st.query_params.get("row", "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _list(
    session: Session, actor: Actor, territory: TerritoryInfo, wanted: RecordFilter, chosen: int | None
) -> int | None:
    """Put a page of the list; return the row picked in it, None when none is."""
    cursors = _cursors(wanted)
    page = record_search.search(session, actor, wanted, before=cursors[-1] if cursors else None, limit=PAGE_ROWS)
    if not page.rows and not page.unfinished and not cursors:
        widgets.empty(t("No act fits the filters."), t("Widen the period, or take a filter away."))
        return None
    picked = _table(page, territory, chosen) if page.rows else None
    if page.unfinished:
        widgets.note(t("This search takes long. What was found so far stands here; go on with Older, or narrow it."))
    _turn_pages(page, cursors)
    if picked is not None and picked != chosen:
        st.query_params["row"] = str(picked)
        if chosen is None:
            st.rerun()
    return picked


def _cursors(wanted: RecordFilter) -> list[int]:
    """Return where the pages turned so far begin; a changed filter begins at the first page."""
    if st.session_state.get(state.RECORD_FILTER) != wanted:
        st.session_state[state.RECORD_FILTER] = wanted
        st.session_state[state.RECORD_CURSORS] = []
    cursors: list[int] = st.session_state[state.RECORD_CURSORS]
    return cursors


def _table(page: RecordPage, territory: TerritoryInfo, chosen: int | None) -> int | None:
    columns = {
        t("Row"): [row.seq for row in page.rows],
        t("When"): [i18n.clock(row.at, territory.timezone) for row in page.rows],
        t("Person"): [words.doer(row.actor_label) for row in page.rows],
        t("Role"): [record_words.role(row.actor_role) for row in page.rows],
        t("Act"): [record_words.act(row.action) for row in page.rows],
        t("Object"): [record_words.subject(row) for row in page.rows],
        t("Purpose"): [record_words.purpose(row.purpose) for row in page.rows],
        t("Sealed"): [record_parts.sealed(row) for row in page.rows],
    }
    widths = dict(zip(columns, (80, 120, 150, 120, 110, 190, 200, 170), strict=True))
    frame = pd.DataFrame(columns)
    if chosen is not None:
        frame = frame[[t("When"), t("Person"), t("Act"), t("Object")]]
    marks = [CHOSEN_ROW if row.seq == chosen else "" for row in page.rows]
    event = st.dataframe(
        frame.style.apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{state.RECORD_LIST}_{st.session_state.get(state.RECORD_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(min(len(frame), ROWS_SHOWN) + 1) * ROW_HEIGHT_PX + 4,
        column_config={name: st.column_config.Column(name, width=widths[name]) for name in frame.columns},
    )
    places = [row for row, _ in event["selection"]["cells"]]
    return page.rows[places[0]].seq if places and places[0] < len(page.rows) else None


def _turn_pages(page: RecordPage, cursors: list[int]) -> None:
    if not cursors and page.after is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(t("Newer"), disabled=not cursors, key="gk_record_newer"):
            cursors.pop()
            _fresh()
        if st.button(t("Older"), disabled=page.after is None, key="gk_record_older") and page.after is not None:
            cursors.append(page.after)
            _fresh()


def _fresh() -> None:
    """Draw the table anew without a selection."""
    st.session_state[state.RECORD_ROUND] = st.session_state.get(state.RECORD_ROUND, 0) + 1
    st.rerun()


show()
