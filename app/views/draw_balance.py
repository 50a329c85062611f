"""Draw & balance: drafts of unit and responsibility grids, made by one, published by another."""

from __future__ import annotations

import geopandas as gpd
import streamlit as st
from sqlalchemy.orm import Session

from app import (
    draw_desk,
    draw_file,
    draw_form,
    draw_map,
    draw_parts,
    draw_share,
    draw_words,
    draw_work,
    guard,
    i18n,
    state,
    widgets,
)
from app.draw_desk import Desk
from app.draw_form import Tint
from app.i18n import t
from app.where import territory_of
from app.widgets import Column
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo, communities
from grids import background, drafting
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
        draw_desk.news()
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
                draw_words.state_word(each.state),
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
    job = background.job_of(session, actor, change)
    with st.container():
        draw_parts.head(session, desk)
        draw_work.failure(change, job)
    if change.state == "withdrawn":
        draw_desk.news()
        widgets.empty(t("This draft was withdrawn."), t("Its cells are gone; begin a new one."))
        return
    if job is not None and not job.ended:
        draw_work.running(desk)
        return
    waiting = draw_file.waiting(desk)
    if waiting is not None:
        draw_desk.news()
        draw_file.report(desk, waiting)
        return
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        with st.container(horizontal=True):
            community = st.selectbox(
                t("Community"),
                list(titles),
                format_func=titles.__getitem__,
                key=f"gk_draw_place_{change.id}",
                width=300,
            )
            measure = draw_form.chosen(desk)
        mode = draw_parts.mode_of(desk)
        _map(session, desk, community, mode, draw_form.tint(session, desk, int(community or 0), measure))
    with right:
        with st.container():  # a place of its own, so that the tabs keep theirs and the open one stays open
            draw_desk.news()
        key = drafting.ground_key(session, actor, change.id)
        cells = _cells(session, actor, change.id, key, actor.scope_key, community)
        draw_parts.panel(session, desk, int(community or 0), cells, mode)


@st.cache_data(ttl=900, show_spinner=False, max_entries=12)
def _cells(
    _session: Session, _actor: Actor, change_id: int, key: tuple[int, int], scope: str, community: int | None
) -> gpd.GeoDataFrame:
    """Return the cells of a community as long as their ground stays; which grid they belong to may be older."""
    del key, scope
    return drafting.draft_cells(_session, _actor, change_id, community)


def _map(session: Session, desk: Desk, community: int | None, mode: str, tint: Tint | None) -> None:
    change = desk.change
    extent = drafting.extent_of(session, desk.actor, change.id, community)
    if extent is None:
        widgets.empty(t("No cell here."), t("Choose a method at the right and draw."))
        return
    areas = draw_share.areas(session, desk).tolist()
    hand = mode != "" and mode not in draw_parts.WITH_PEN
    chosen = draw_desk.picked(change)
    shown = draw_map.Shown(change.id, change.version, areas, chosen, extent, hand=hand, pen=desk.own,
                           turn=draw_desk.turn(), clicks=draw_desk.clicks(), tint=tint)  # fmt: skip
    answer = draw_map.show(desk.territory, desk.actor, shown)
    draw_form.show_legend(tint)
    if tint is None:
        widgets.note(draw_words.legend(areas))
    if hand and draw_desk.hear(change, answer.get("last_clicked")):
        st.rerun()
    line = draw_map.drawn_line(answer) if desk.own else None
    used = line is not None and line.wkt == st.session_state.get(f"{state.DRAW_MAP}-used")
    st.session_state[f"{state.DRAW_MAP}-line"] = None if used else line


show()
