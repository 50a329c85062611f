"""Components: the register of fixed public assets, filters above, one component at the right."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import component_file, component_parts, component_words, guard, i18n, state, widgets
from app.component_parts import Around
from app.i18n import t
from app.where import territory_of
from core.errors import GridkeeperError
from core.identity import Actor, May, require
from geodata.db import transaction
from incidents.components import STATES, ComponentDetail, ComponentFilter, ComponentRow
from incidents.service import components as register

ROW_HEIGHT_PX = 32
ROWS_SHOWN = 20
PAGE_ROWS = 100
CHOSEN_ROW = "background-color: #DDEBEA"


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_MAP)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        around = Around(
            actor,
            territory,
            register.component_classes(session, actor),
            register.component_units(session, actor),
        )
        widgets.title(t("Components"), simulated=territory.is_demo)
        component_parts.news()
        wanted = _bar(session, around)
        total = register.count_components(session, actor, wanted)
        with st.container(horizontal=True, vertical_alignment="center"):
            if actor.may(May.MANAGE_COMPONENTS) and around.classes:
                with st.popover(t("Add a component"), type="primary", key=f"gk_component_add_{i18n.locale()}"):
                    component_parts.add_form(around)
            with st.popover(t("Files"), key=f"gk_component_files_{i18n.locale()}"):
                component_file.take_out(around, wanted)
                if actor.may(May.MANAGE_COMPONENTS):
                    component_file.bring_in(around)
            widgets.note(_count(total, wanted))
            if wanted.grid_id is not None and st.button(t("Show all"), type="tertiary", key="gk_component_widen"):
                st.query_params.pop("grid", None)
                st.rerun()
        if not total:
            _nothing(actor, wanted)
            return
        chosen = _chosen(session, actor)
        if chosen is None:
            _list(session, actor, wanted, total, None)
            return
        with st.container(key="gk-beside"):
            left, right = st.columns([1, 1.1], gap="medium")
        with left:
            picked = _list(session, actor, wanted, total, chosen.row.id)
        with right, st.container(key="gk-detail"):
            if st.button(t("Close"), key="gk_close_detail"):
                st.query_params.pop("component", None)
                _fresh()
            with guard.page():
                other = picked is not None and picked.id != chosen.row.id
                one = register.component_detail(session, actor, picked.id) if other and picked is not None else chosen
                component_parts.show(around, one)


def _bar(session: Session, around: Around) -> ComponentFilter:
    kinds = {each.id: each for each in around.classes}
    places = register.component_communities(session, around.actor)
    given = st.query_params.get("community", "")
    if given.isdecimal() and int(given) in places:
        st.session_state[f"{state.COMPONENT_COMMUNITY}_{i18n.locale()}"] = int(given)
        st.query_params.pop("community", None)
    with widgets.filter_bar():
        classes = st.multiselect(
            t("Class"),
            list(kinds),
            format_func=lambda each: kinds[each].title(i18n.locale()),
            placeholder=t("All"),
            key=f"{state.COMPONENT_CLASS}_{i18n.locale()}",
            width=240,
        )
        owner = st.selectbox(
            t("Owning unit"),
            list(around.units),
            index=None,
            format_func=around.unit_name,
            placeholder=t("All"),
            key=f"{state.COMPONENT_OWNER}_{i18n.locale()}",
            width=220,
        )
        states = st.multiselect(
            t("State"),
            STATES,
            format_func=component_words.state,
            placeholder=t("All but removed"),
            key=f"{state.COMPONENT_STATE}_{i18n.locale()}",
            width=200,
        )
        community = st.selectbox(
            t("Community"),
            list(places),
            index=None,
            format_func=lambda each: i18n.either(*places[each]),
            placeholder=t("All"),
            key=f"{state.COMPONENT_COMMUNITY}_{i18n.locale()}",
            width=200,
        )
        wanted = st.text_input(t("Identifier or place"), max_chars=60, key=state.COMPONENT_TEXT, width=190)
    grid = st.query_params.get("grid", "")
    grid_id = int(grid) if grid.isdecimal() and len(grid) < 10 else None
    return ComponentFilter(tuple(classes), owner, tuple(states), community, grid_id, wanted.strip())


def _count(total: int, wanted: ComponentFilter) -> str:
    told = i18n.tn("{count} component", "{count} components", total)
    return f"{told} · {t('Only one grid')}" if wanted.grid_id is not None else told


def _chosen(session: Session, actor: Actor) -> ComponentDetail | None:
    """Return the component of the address; an unknown one is said."""
    given = st.query_params.get("component", "").strip()
    if not given:
        return None
    try:
        return register.component_detail(session, actor, given)
    except GridkeeperError as error:
        widgets.known_error(error)
        return None


def _list(
    session: Session, actor: Actor, wanted: ComponentFilter, total: int, chosen: int | None
) -> ComponentRow | None:
    """Put a page of the register; a click on any cell opens its component. Return the one clicked."""
    cursors = _cursors(wanted)
    rows = register.list_components(session, actor, wanted, after=cursors[-1] if cursors else "", limit=PAGE_ROWS + 1)
    shown = rows[:PAGE_ROWS]
    picked = _table(shown, chosen)
    _turn_pages(shown, cursors, total, more=len(rows) > PAGE_ROWS)
    if picked is not None and picked.id != chosen:
        st.query_params["component"] = picked.code
        if chosen is None:
            st.rerun()
    return picked


def _table(rows: list[ComponentRow], chosen: int | None) -> ComponentRow | None:
    language = i18n.locale()
    columns = {
        t("Identifier"): [row.code for row in rows],
        t("Class"): [row.title(language) for row in rows],
        t("State"): [component_words.state(row.state) for row in rows],
        t("In charge"): [i18n.either(row.unit, row.unit_zh) for row in rows],
        t("Community"): [i18n.either(row.community, row.community_zh) for row in rows],
        t("Place"): [row.place for row in rows],
    }
    widths = dict(zip(columns, (160, 140, 90, 220, 130, 200), strict=True))
    frame = pd.DataFrame(columns)
    if chosen is not None:
        frame = frame[[t("Identifier"), t("Class"), t("State"), t("Place")]]
    marks = [CHOSEN_ROW if row.id == chosen else "" for row in rows]
    event = st.dataframe(
        frame.style.apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{state.COMPONENT_TABLE}_{st.session_state.get(state.COMPONENT_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(min(len(frame), ROWS_SHOWN) + 1) * ROW_HEIGHT_PX + 4,
        column_config={name: st.column_config.TextColumn(name, width=widths[name]) for name in frame.columns},
    )
    places = [row for row, _ in event["selection"]["cells"]]
    return rows[places[0]] if places and places[0] < len(rows) else None


def _cursors(wanted: ComponentFilter) -> list[str]:
    """Return the cursors of the pages turned so far; a changed filter begins at the first page."""
    if st.session_state.get(state.COMPONENT_FILTER) != wanted:
        st.session_state[state.COMPONENT_FILTER] = wanted
        st.session_state[state.COMPONENT_CURSORS] = []
    cursors: list[str] = st.session_state[state.COMPONENT_CURSORS]
    return cursors


def _turn_pages(rows: list[ComponentRow], cursors: list[str], total: int, *, more: bool) -> None:
    if not cursors and not more:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(t("Back"), disabled=not cursors, key="gk_component_back"):
            cursors.pop()
            _fresh()
        if st.button(t("Further"), disabled=not more, key="gk_component_on"):
            cursors.append(rows[-1].code)
            _fresh()
        first = len(cursors) * PAGE_ROWS + 1
        widgets.note(
            t(
                "{first} to {last} of {total}",
                first=i18n.number(first),
                last=i18n.number(first + len(rows) - 1),
                total=i18n.number(total),
            )
        )


def _fresh() -> None:
    """Draw the table anew without a selection."""
    st.session_state[state.COMPONENT_ROUND] = st.session_state.get(state.COMPONENT_ROUND, 0) + 1
    st.rerun()


def _nothing(actor: Actor, wanted: ComponentFilter) -> None:
    if wanted != ComponentFilter():
        widgets.empty(
            t("No component fits the filters."),
            t("Take a filter away."),
            link_label=t("All components"),
            href="/components",
        )
        return
    widgets.empty(
        t("No component yet."),
        t("Street lamps, manholes, bins and benches stand here once they are brought in under Files.")
        if actor.may(May.MANAGE_COMPONENTS)
        else t("A supervisor brings the register in."),
    )


show()
