"""Draw & balance: drafts of unit and responsibility grids, made by one, published by another."""

from __future__ import annotations

import geopandas as gpd
import streamlit as st
from sqlalchemy.orm import Session

from app import draw_map, draw_parts, guard, i18n, state, widgets
from app.draw_parts import Desk
from app.i18n import t
from app.where import territory_of
from app.widgets import Column
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo, communities
from grids import drafting
from grids.change_model import Change


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.PROPOSE_GRIDS)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Draw & balance"), simulated=territory.is_demo)
        given = st.query_params.get("change", "")
        if given.isdecimal() and len(given) < 10:
            with guard.page():
                _change(session, actor, territory, drafting.get_change(session, actor, int(given)))
            return
        draw_parts.news()
        draw_parts.new_draft(session, actor, territory)
        _list(drafting.list_changes(session, actor, territory.id), territory)


def _list(changes: list[Change], territory: TerritoryInfo) -> None:
    if not changes:
        widgets.empty(
            t("Nobody has drafted a change of the grids."),
            t("A draft holds the cells of today; nothing is in force before a supervisor publishes it."),
        )
        return
    widgets.table(
        [Column(t("Draft")), Column(t("State")), Column(t("Made"), wide=True), Column(t("In force from"), wide=True)],
        [
            (
                widgets.link(each.title, f"/draw-balance?change={each.id}"),
                draw_parts.state_word(each.state),
                i18n.clock(each.made_at, territory.timezone),
                i18n.day(each.effective_on) if each.effective_on else None,
            )
            for each in changes
        ],
    )


def _change(session: Session, actor: Actor, territory: TerritoryInfo, change: Change) -> None:
    frame = communities(session, territory.id)
    rows = zip(*(frame[column].tolist() for column in ("id", "name", "name_zh")), strict=True)
    titles = {int(each): i18n.either(name, name_zh) for each, name, name_zh in rows if each in change.area_ids}
    desk = Desk(actor, territory, change, titles)
    with st.container():
        draw_parts.head(session, desk)
    if change.state == "withdrawn":
        draw_parts.news()
        widgets.empty(t("This draft was withdrawn."), t("Its cells are gone; begin a new one."))
        return
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        community = st.selectbox(
            t("Community"), list(titles), format_func=titles.__getitem__, key=f"gk_draw_place_{change.id}", width=300
        )
        cells = drafting.draft_cells(session, actor, change.id, community)
        mode = draw_parts.mode_of(desk)
        _map(desk, cells, int(community or 0), pen=mode in draw_parts.WITH_PEN)
    with right:
        with st.container():  # always there, so that the open tab below stays open
            draw_parts.news()
        draw_parts.panel(session, desk, int(community or 0), cells, mode)


def _map(desk: Desk, cells: gpd.GeoDataFrame, community: int, *, pen: bool) -> None:
    if len(cells) == 0:
        widgets.empty(t("No cell here."), t("Choose a method at the right and draw."))
        return
    picked = draw_parts.picked(desk.change)
    key = draw_map.map_key(desk.change.id, community, pen=pen)
    answer = draw_map.show(desk.territory, desk.actor, cells, picked, key=key, pen=pen)
    widgets.note(draw_map.legend(cells))
    found = draw_map.clicked_cell(cells, answer)
    if found is not None and found[0] != st.session_state.get(state.DRAW_CLICK):
        st.session_state[state.DRAW_CLICK] = found[0]
        if found[1] is not None and not pen:
            draw_parts.toggle(desk.change, found[1])
            st.rerun()
    line = draw_map.drawn_line(answer) if pen else None
    used = line is not None and line.wkt == st.session_state.get(f"{state.DRAW_MAP}-used")
    st.session_state[f"{state.DRAW_MAP}-line"] = None if used else line


show()
