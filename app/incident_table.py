"""The rows of the incident list: the table, the keys that go through it, the pages."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, widgets, words
from app.i18n import t
from core.identity import Actor
from geodata.territory import TerritoryInfo
from incidents.model import Cursor, IncidentPage, IncidentRow
from layers.style import LIGHT

PAGE_ROWS = 50
COUNTED = 50_000
"""More than so many are not counted; nobody pages that far."""
ROW_HEIGHT_PX = 32
TABLE_ROWS_SHOWN = 18
TONES = {"late": LIGHT.overdue, "soon": LIGHT.due_soon, "done": LIGHT.muted}
CHOSEN_ROW = "background-color: #DDEBEA"
AT_ROW = "background-color: #EEF3F2"


@dataclass(frozen=True, slots=True)
class Here:
    """What every part of the page needs."""

    session: Session
    actor: Actor
    territory: TerritoryInfo
    moment: dt.datetime


def table(page: IncidentPage, here: Here, chosen: int | None, *, several: bool) -> list[IncidentRow]:
    """Put the rows and return those picked: the one clicked, or all that are ticked."""
    left = [words.due(row, here.moment) for row in page.rows]
    frame = _frame(page.rows, [said for said, _ in left], here)
    widths = dict(zip(frame.columns, (150, 140, 130, 150, 105, 130, 160, 190), strict=True))
    if chosen is not None:
        frame = frame[[t("What"), t("Status"), t("Time left"), t("Reported at"), t("Place")]]
    tones = [f"color: {TONES[tone]}" if tone in TONES else "" for _, tone in left]
    at = position(page)
    marks = [CHOSEN_ROW if row.id == chosen else AT_ROW if place == at else "" for place, row in enumerate(page.rows)]
    shown = min(len(frame), TABLE_ROWS_SHOWN)
    kind = "several" if several else "one"
    event = st.dataframe(
        frame.style.apply(lambda _column: tones, subset=[t("Time left")]).apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row" if several else "single-cell",
        key=f"{state.LIST_TABLE}_{kind}_{st.session_state.get(state.LIST_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(shown + 1) * ROW_HEIGHT_PX + 4,
        column_config={name: st.column_config.TextColumn(name, width=widths[name]) for name in frame.columns},
        alt=t("Incidents"),
    )
    selection = event["selection"]
    places = list(selection["rows"]) if several else [row for row, _ in selection["cells"]][:1]
    return [page.rows[place] for place in places if place < len(page.rows)]


def _frame(rows: tuple[IncidentRow, ...], left: list[str], here: Here) -> pd.DataFrame:
    language = i18n.locale()
    return pd.DataFrame(
        {
            t("Number"): [row.number for row in rows],
            t("What"): [row.title(language) for row in rows],
            t("Status"): [words.marks(row) for row in rows],
            t("Time left"): [said if row.is_open else "" for row, said in zip(rows, left, strict=True)],
            t("Reported at"): [i18n.clock(row.reported_at, here.territory.timezone, now=here.moment) for row in rows],
            t("Community"): [i18n.either(row.community, row.community_zh) for row in rows],
            t("Place"): [row.place for row in rows],
            t("Unit"): [i18n.either(row.unit, row.unit_zh) for row in rows],
        }
    )


def position(page: IncidentPage) -> int | None:
    """Return the row that the keys stand on; None before the first key."""
    at = st.session_state.get(state.LIST_AT)
    return None if at is None or not page.rows else min(int(at), len(page.rows) - 1)


def keys(page: IncidentPage, chosen: int | None) -> None:
    """Put the buttons that the keys press: a row on, a row back, open it."""
    at = position(page)
    opened = next((place for place, row in enumerate(page.rows) if row.id == chosen), None)
    stands = opened if opened is not None else at
    with st.container(horizontal=True, vertical_alignment="center", key="gk-keys"):
        st.button(
            t("Next row"),
            key="gk_key_next",
            shortcut="J",
            type="tertiary",
            disabled=stands is not None and stands + 1 >= len(page.rows),
            on_click=_go,
            args=(page, 1),
        )
        st.button(
            t("Row before"),
            key="gk_key_before",
            shortcut="K",
            type="tertiary",
            disabled=not stands,
            on_click=_go,
            args=(page, -1),
        )
        if chosen is None:
            st.button(
                t("Open the row"),
                key="gk_key_open",
                shortcut="Enter",
                type="tertiary",
                disabled=at is None,
                on_click=_open,
                args=(page,),
            )


def _go(page: IncidentPage, step: int) -> None:
    """Go on from where the keys stand when it is pressed, which may be further than what is drawn."""
    opened = st.query_params.get("incident", "")
    at = next((place for place, row in enumerate(page.rows) if str(row.id) == opened), None)
    at = position(page) if at is None else at
    st.session_state[state.LIST_AT] = 0 if at is None else max(0, min(at + step, len(page.rows) - 1))
    if opened:
        _open(page)


def _open(page: IncidentPage) -> None:
    at = position(page)
    if at is not None:
        st.query_params["incident"] = str(page.rows[at].id)
        # A cell that was clicked before would open its own incident again.
        st.session_state[state.LIST_ROUND] = st.session_state.get(state.LIST_ROUND, 0) + 1


def turn_pages(page: IncidentPage, cursors: list[Cursor], total: int, *, by_deadline: bool = False) -> None:
    """Put the way to newer and older pages, of a list by deadline back and on, and which rows these are."""
    if not cursors and page.after is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(t("Back") if by_deadline else t("Newer"), disabled=not cursors, key="gk_page_back"):
            cursors.pop()
            fresh()
        onward = t("Further") if by_deadline else t("Older")
        if st.button(onward, disabled=page.after is None, key="gk_page_on") and page.after is not None:
            cursors.append(page.after)
            fresh()
        first = len(cursors) * PAGE_ROWS + 1
        widgets.note(
            t(
                "{first} to {last} of {total}",
                first=i18n.number(first),
                last=i18n.number(first + len(page.rows) - 1),
                total=many(total),
            ),
        )


def many(total: int) -> str:
    """Return a count in words; above `COUNTED` only that it is more."""
    return i18n.number(total) if total <= COUNTED else t("more than {count}", count=i18n.number(COUNTED))


def fresh() -> None:
    """Draw the table anew without a selection."""
    st.session_state[state.LIST_ROUND] = st.session_state.get(state.LIST_ROUND, 0) + 1
    st.session_state.pop(state.LIST_AT, None)
    st.rerun()
