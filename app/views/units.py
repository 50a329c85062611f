"""Units: the tree of offices and companies, and one of them beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, unit_files, unit_parts, unit_words, widgets
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.errors import NotFound
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import duties, importing, units
from people.unit_model import KINDS, UnitRecord, arranged

ROW_HEIGHT_PX = 32
ROWS_SHOWN = 20
CHOSEN_ROW = "background-color: #DDEBEA"
INDENT = "\u2003"


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_PEOPLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        today = now().astimezone(territory.zone).date()
        everybody = units.tree(session, actor, territory.id)
        widgets.title(t("Units"), simulated=territory.is_demo)
        unit_parts.news()
        calendars = units.calendars(session, actor)
        day, kinds, wanted = _bar(today)
        chosen = _chosen(everybody)
        shown = [unit for unit in everybody if unit.exists(day) and _fits(unit, kinds, wanted)]
        with st.container(horizontal=True, vertical_alignment="center"):
            if actor.may(May.MANAGE_UNITS):
                with st.popover(t("Add a unit"), type="primary", key=f"gk_unit_add_{i18n.locale()}"):
                    above = chosen.code if chosen is not None and chosen.exists(today) else None
                    unit_parts.add_form(actor, territory, everybody, calendars, above=above)
            if everybody or actor.may(May.MANAGE_UNITS):
                with st.popover(t("Files"), key=f"gk_unit_files_{i18n.locale()}"):
                    _files(session, actor, territory, today)
            widgets.note(i18n.tn("{count} unit", "{count} units", len(shown)))
        if not everybody:
            _nothing(actor)
            return
        counts = units.worker_counts(session, actor, territory.id)
        if chosen is None:
            _tree(shown, counts, None, today)
            return
        with st.container(key="gk-beside"):
            left, right = st.columns([1, 1.1], gap="medium")
        with left:
            picked = _tree(shown, counts, chosen, today)
        with right, st.container(key="gk-detail"):
            if st.button(t("Close"), key="gk_close_detail"):
                st.query_params.pop("unit", None)
                _fresh()
            with guard.page():
                one = picked or chosen
                detail = units.detail(session, actor, territory.id, one.id)
                listed = duties.read(session, actor, territory.id)
                unit_parts.show(unit_parts.Around(actor, territory, everybody, calendars, listed), detail)


def _files(session: Session, actor: Actor, territory: TerritoryInfo, today: dt.date) -> None:
    table = importing.export_units(session, actor, territory.id)
    unit_files.out(actor, table, f"units-{territory.name}-{today.isoformat()}", sheet="units")
    if actor.may(May.MANAGE_UNITS):
        unit_files.back_in(actor, territory, importing.import_units, t("Units as CSV or Excel"), kind="units")


def _chosen(everybody: Sequence[UnitRecord]) -> UnitRecord | None:
    """Return the unit of the address, by its code or else its id; an unknown one is said."""
    given = st.query_params.get("unit", "").strip()
    if not given:
        return None
    try:
        return units.find(everybody, given)
    except NotFound:
        by_id = {str(unit.id): unit for unit in everybody}
        if given not in by_id:
            widgets.alert(t("There is no unit {code} here. Choose one from the list.", code=given[:20]))
        return by_id.get(given)


def _bar(today: dt.date) -> tuple[dt.date, list[str], str]:
    with widgets.filter_bar():
        day = st.date_input(
            t("As of"),
            today,
            min_value=unit_parts.FIRST_DAY,
            max_value=unit_parts.LAST_DAY,
            format=widgets.DATE_FORMATS[i18n.locale()],
            key=state.UNIT_DAY,
            width=150,
        )
        kinds = st.multiselect(
            t("Kind"), list(KINDS), format_func=unit_words.kind, placeholder=t("All"), key=state.UNIT_KINDS, width=260
        )
        wanted = st.text_input(t("Name or code"), max_chars=60, key=state.UNIT_TEXT, width=200)
    return day or today, kinds, wanted.strip().casefold()


def _fits(unit: UnitRecord, kinds: list[str], wanted: str) -> bool:
    told = f"{unit.code} {unit.spec.name} {unit.spec.name_zh or ''}".casefold()
    return (not kinds or unit.spec.kind in kinds) and wanted in told


def _tree(
    shown: Sequence[UnitRecord], counts: dict[int, int], chosen: UnitRecord | None, today: dt.date
) -> UnitRecord | None:
    """Put the tree; a click on any cell opens its unit. Return the one clicked."""
    if not shown:
        widgets.empty(
            t("No unit fits the filters."),
            t("Choose another day, or take a filter away."),
            link_label=t("All units"),
            href="/units",
        )
        return None
    rows = arranged(shown)
    columns = {
        t("Unit name"): [INDENT * depth + unit_words.name(unit) for depth, unit in rows],
        t("Code"): [unit.code for _, unit in rows],
        t("Kind"): [unit_words.kind(unit.spec.kind) for _, unit in rows],
        t("Workers"): [i18n.number(counts[unit.id]) if unit.id in counts else "" for _, unit in rows],
        t("Phone"): [unit.spec.phone or "" for _, unit in rows],
        t("State"): [unit_words.state(unit, today)[0] for _, unit in rows],
    }
    frame = pd.DataFrame(columns)
    if not frame[t("State")].any():
        frame = frame.drop(columns=t("State"))
    if chosen is not None:
        frame = frame[[t("Unit name"), t("Code"), t("Workers")]]
    marks = [CHOSEN_ROW if chosen is not None and unit.id == chosen.id else "" for _, unit in rows]
    widths = {t("Unit name"): 300, t("Code"): 80, t("Kind"): 120, t("Workers"): 80, t("Phone"): 150, t("State"): 140}
    config = {name: st.column_config.TextColumn(name, width=widths[name]) for name in frame.columns}
    config[t("Workers")] = st.column_config.TextColumn(t("Workers"), width=widths[t("Workers")], alignment="right")
    event = st.dataframe(
        frame.style.apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{state.UNIT_TABLE}_{st.session_state.get(state.UNIT_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(min(len(frame), ROWS_SHOWN) + 1) * ROW_HEIGHT_PX + 4,
        column_config=config,
    )
    places = [row for row, _ in event["selection"]["cells"]]
    picked = rows[places[0]][1] if places and places[0] < len(rows) else None
    if picked is not None and (chosen is None or picked.id != chosen.id):
        st.query_params["unit"] = picked.code
        if chosen is None:
            st.rerun()
    return picked


def _fresh() -> None:
    """Draw the tree anew without a selection."""
    st.session_state[state.UNIT_ROUND] = st.session_state.get(state.UNIT_ROUND, 0) + 1
    st.rerun()


def _nothing(actor: Actor) -> None:
    if actor.may(May.MANAGE_UNITS):
        widgets.empty(
            t("No unit yet."),
            t(
                "Units own tasks: centres, departments, street offices, companies, partners."
                " Add the first one above, or bring a list in under Files."
            ),
        )
        return
    widgets.empty(t("No unit yet."), t("An administrator adds the departments, street offices and companies."))


show()
