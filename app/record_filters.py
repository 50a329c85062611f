"""The filters of the page Record: the bar above the list, and the addresses that set it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, record_subject, record_words, state, widgets, words
from app.i18n import t
from core.clock import now
from core.identity import Actor, Role
from geodata import record_search
from geodata.record_search import RecordFilter
from geodata.territory import TerritoryInfo

ANY_TIME = -1
PERIODS = (ANY_TIME, 7, 30, 90, 365, words.OWN_DATES)
ADDRESS = {
    "person": state.RECORD_ACTOR,
    "role": state.RECORD_ROLE,
    "action": state.RECORD_ACTION,
    "table": state.RECORD_TABLE,
    "find": state.RECORD_SUBJECT,
    "grid": state.RECORD_GRID,
}
LONGEST = 60
LARGEST = 2**63 - 1


def take_address() -> None:
    """Turn the filters of a link (?person=, ?role=, ?action=, ?table=, ?find=, ?grid=) into the bar's state, once."""
    given = st.query_params
    if not any(name in given for name in ADDRESS):
        return
    for name, key in ADDRESS.items():
        st.session_state[key] = given.get(name, "").strip()[:LONGEST]
        given.pop(name, None)


def bar(session: Session, actor: Actor, territory: TerritoryInfo) -> RecordFilter:
    """Put the bar and return what it and the address say.

    Raises
    ------
    NotFound
        When no object or grid is called so.
    """
    today = now().astimezone(territory.zone).date()
    with widgets.filter_bar():
        period = st.selectbox(t("Period"), PERIODS, format_func=words.period, key=state.RECORD_PERIOD, width=150)
        first, last = None, None
        if period == words.OWN_DATES:
            first, last = widgets.dates((today - dt.timedelta(days=6), today), key=state.RECORD_DAYS)
        elif period not in {None, ANY_TIME}:
            first, last = today - dt.timedelta(days=int(period) - 1), today
        person = _choice(t("Person"), _known(session, actor, "actor_label"), state.RECORD_ACTOR, words.doer)
        role = _choice(t("Role"), [str(each) for each in Role], state.RECORD_ROLE, record_words.role)
        action = _choice(t("Act"), _known(session, actor, "action"), state.RECORD_ACTION, record_words.act)
        table = _choice(t("Object"), _known(session, actor, "subject_table"), state.RECORD_TABLE, record_words.table)
        find = st.text_input(t("Number or code"), key=state.RECORD_SUBJECT, max_chars=LONGEST, width=160).strip()
        grid = st.text_input(t("Unit grid"), key=state.RECORD_GRID, max_chars=LONGEST, width=150).strip()
    subject_id = ""
    if find:
        table, subject_id = record_subject.subject_of(session, actor, territory, table, find)
    return RecordFilter(
        actor=person,
        role=role,
        action=action,
        table=table,
        subject_id=subject_id,
        grid_id=record_search.grid_named(session, actor, grid) if grid else None,
        since=record_subject.midnight(first, territory) if first else None,
        until=record_subject.midnight(last + dt.timedelta(days=1), territory) if last else None,
        seqs=_seqs(),
    )


def _known(session: Session, actor: Actor, column: str) -> list[str]:
    return record_search.choices(session, actor, column)


def _choice(label: str, known: list[str], key: str, named: Callable[[str], str]) -> str:
    held = st.session_state.get(key, "")
    options = ["", *known, *([held] if held and held not in known else [])]
    chosen = st.selectbox(
        label, options, format_func=lambda each: named(each) if each else t("All"), key=key, width=160
    )
    return str(chosen or "")


def _seqs() -> tuple[int, ...]:
    """Return the rows that the address names one by one (?rows=12,15), as a finding leads to them."""
    given = st.query_params.get("rows", "")[:600].split(",")
    return tuple(sorted({int(each) for each in given if each.isdecimal() and len(each) < 19}))


def words_of_rows(count: int) -> str:
    """Return that the list is narrowed to rows that a link named."""
    return i18n.tn("Only {count} row of a finding", "Only {count} rows of a finding", count)
