"""Parts of the page Draw & balance: what a draft changes, its methods, its loads, acts by hand, the decision."""

from __future__ import annotations

import geopandas as gpd
import shapely
import streamlit as st
from sqlalchemy.orm import Session

from app import draw_desk, draw_file, draw_form, draw_share, draw_words, grid_borders, i18n, state, widgets
from app.draw_desk import Desk, act, act_on, picked
from app.draw_words import state_word
from app.i18n import t, tn
from app.widgets import Fact
from core.identity import Actor, May, Role
from geodata.crs import project
from geodata.territory import TerritoryInfo, communities
from grids import background, bordering, drafting, publishing
from grids.change_model import Comparison
from grids.quality import Quality, check_cells

WITH_PEN = ("split", "border")


def new_draft(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the form that begins a draft."""
    frame = communities(session, territory.id)
    if actor.role is Role.GRID_MANAGER:
        frame = frame[frame["id"].isin(actor.area_ids)]
    names: dict[int, str] = {
        int(each): i18n.either(name, name_zh)
        for each, name, name_zh in zip(*(frame[column].tolist() for column in ("id", "name", "name_zh")), strict=True)
    }
    with st.popover(t("New draft"), type="primary", key=f"gk_draw_new_{i18n.locale()}"):
        title = st.text_input(t("What it is for"), max_chars=80, key="gk_draw_title")
        areas = st.multiselect(
            t("Communities"), list(names), format_func=names.__getitem__, placeholder=t("All"), key="gk_draw_areas"
        )
        if st.button(t("Begin"), type="primary", key="gk_draw_begin"):
            begun: list[int] = []

            def begin(inner: Session) -> str:
                begun.append(drafting.start_draft(inner, actor, territory, title, areas).id)
                return t("The draft holds the cells of today.")

            act(actor, begin, after=lambda: st.query_params.update(change=str(begun[0])))


@st.cache_data(ttl=600, show_spinner=False, max_entries=40)
def _compared(_session: Session, _desk: Desk, change_id: int, version: int, scope: str) -> Comparison:
    del version, scope
    return publishing.compare(_session, _desk.actor, _desk.territory, change_id)


def head(session: Session, desk: Desk) -> None:
    """Put title and state of a change, and what it would change."""
    change = desk.change
    back = widgets.link(t("All drafts"), "/draw-balance").text
    widgets.write(
        f'<div class="gk-title"><h2>{widgets.html(change.title)}</h2>'
        f'<span class="gk-muted">{widgets.html(state_word(change.state))}</span> {back}</div>'
    )
    if change.remark and change.state == "draft":
        widgets.alert(t("Sent back: {why}", why=change.remark))
    if change.state not in {"draft", "submitted"}:
        return
    found = _compared(session, desk, change.id, change.version, desk.actor.scope_key)
    shared = change.facts.get("balanced")
    if shared:
        even = Fact(t("Heaviest load by the mean"), i18n.number(shared["max_over_mean"], 2))
    else:
        now, then = (
            "–" if each is None else i18n.number(each, 2) for each in (found.max_over_mean_now, found.max_over_mean)
        )
        even = Fact(t("People of the largest by the mean"), then, note=t("today {count}", count=now))
    widgets.facts(
        [
            Fact(t("Cells"), i18n.number(found.kept + found.new)),
            Fact(t("New cells"), i18n.number(found.new)),
            Fact(t("Cells that end"), i18n.number(found.ended)),
            Fact(t("People concerned"), "–" if found.people is None else i18n.number(found.people)),
            Fact(t("Open incidents that move"), i18n.number(found.open_incidents)),
            Fact(
                t("Responsibility grids"),
                i18n.number(found.areas),
                note=t("today {count}", count=i18n.number(found.areas_now)),
            ),
            even,
        ]
    )


def mode_of(desk: Desk) -> str:
    """Return what the hand does now: split, merge, border or give; nothing where the draft is not one's own."""
    if not desk.own:
        return ""
    return str(st.session_state.get(f"gk_draw_mode_{i18n.locale()}") or "merge")


def panel(session: Session, desk: Desk, community: int, cells: gpd.GeoDataFrame, mode: str) -> None:
    """Put what stands beside the map."""
    if desk.own:
        draw, share, hand, hand_in = st.tabs([t("Draw"), t("Share out"), t("By hand"), t("Submit")])
        with draw:
            _method(session, desk)
            _quality(session, desk, community, cells)
        with share:
            draw_share.share(session, desk)
        with hand:
            _hand(session, desk, community, cells, mode)
        with hand_in:
            _submit(desk)
        return
    _decide(desk)
    _quality(session, desk, community, cells)


def _method(session: Session, desk: Desk) -> None:
    kinds = {"block": t("Blocks along the streets"), "square": t("Squares"), "hexagon": t("Hexagons")}
    kinds["file"] = t("Cells of a file")
    kind = st.selectbox(t("Method"), list(kinds), format_func=kinds.__getitem__, key=f"gk_draw_kind_{i18n.locale()}")
    if kind == "file":
        draw_file.upload(session, desk)
        return
    if kind == "block":
        size = st.number_input(t("Area of a block, m²"), 2_000, 1_000_000, 10_000, 1_000, key="gk_draw_m2")
    else:
        size = st.number_input(t("Width, m"), 20, 5_000, 100, 10, key="gk_draw_m")
    widgets.note(t("All communities of the draft are cut anew; today's cells stay in force until it is published."))
    if st.button(t("Draw"), type="primary", key="gk_draw_go"):

        def go(inner: Session) -> str:
            cell_m2 = float(size) if kind == "block" else float(size) ** 2
            if background.is_large(inner, desk.actor, desk.territory, desk.change, cell_m2):
                asked = {"kind": str(kind), "size": float(size)}
                background.ask(inner, desk.actor, desk.change.id, background.DRAW, asked)
                return ""
            drafting.draw(inner, desk.actor, desk.territory, desk.change.id, kind=str(kind), size=float(size))
            return t("Drawn, numbered and coded.")

        act_on(desk, go)


@st.cache_data(ttl=900, show_spinner=False, max_entries=24)
def _card(_cells: gpd.GeoDataFrame, srid: int, key: tuple[int, int]) -> Quality:
    """Return the quality card, kept as long as the cells are the same."""
    del key
    return check_cells(project(_cells.geometry.to_numpy(), srid))


def _quality(session: Session, desk: Desk, community: int, cells: gpd.GeoDataFrame) -> None:
    if len(cells) == 0:
        return
    card = _card(cells, desk.territory.metric_srid, (len(cells), int(cells["id"].max())))
    faults = card.counts["gaps"] + card.counts["overlaps"] + len(card.invalid)
    widgets.heading(t("Quality of this community"))
    widgets.fields(
        {
            t("Cells"): i18n.number(card.cells),
            t("Median area"): t("{area} ha", area=i18n.number(card.median_m2 / 1e4, 2)),
            t("In 2,000–30,000 m²"): draw_words.share_in_range(cells),
            t("Compactness"): i18n.number(card.compactness, 2),
            t("Gaps and overlaps"): i18n.number(faults),
            t("Below 500 m²"): i18n.number(card.counts["slivers"]),
            **draw_form.card(session, desk, community),
        },
        beside=True,
    )
    why = bordering.draft_reasons(session, desk.actor, desk.change.id, community)
    if why:
        widgets.heading(t("Why its borders are where they are"), aside=t("by length"))
        widgets.write(grid_borders.legend(why))
        widgets.note(t("Zoom in and point at a border to read which street or river it is."))


def _hand(session: Session, desk: Desk, community: int, cells: gpd.GeoDataFrame, mode: str) -> None:
    modes = draw_words.modes()
    st.radio(t("What to do"), list(modes), index=list(modes).index(mode or "merge"), format_func=modes.__getitem__,
             key=f"gk_draw_mode_{i18n.locale()}")  # fmt: skip
    chosen = picked(desk.change)
    line: shapely.LineString | None = st.session_state.get(f"{state.DRAW_MAP}-line")
    widgets.note(draw_words.how(mode))
    if mode not in WITH_PEN:
        _chosen(session, desk, cells, chosen)
    area = ""
    if mode == "give":
        areas = draw_share.others(session, desk, chosen)
        area = str(st.selectbox(t("Responsibility grid"), areas, key=f"gk_draw_to_{community}") or "")
        if chosen:
            draw_share.preview(session, desk, chosen, area)
    ready = line is not None if mode in WITH_PEN else bool(chosen)
    if st.button(modes[mode], type="primary", disabled=not ready, key=f"gk_draw_do_{mode}"):
        if line is not None:  # it stays on the map, but cuts once
            st.session_state[f"{state.DRAW_MAP}-used"] = line.wkt
        act_on(desk, lambda inner: _by_hand(inner, desk, mode, chosen, line, area))
    if chosen and st.button(t("Let all go"), type="tertiary", key="gk_draw_none"):
        draw_desk.let_go()
        st.rerun()
    if st.button(t("Number this community anew"), type="tertiary", key="gk_draw_renumber"):

        def number(inner: Session) -> str:
            drafting.renumber(inner, desk.actor, desk.territory, desk.change.id, community)
            return t("Numbered anew.")

        act_on(desk, number)


def _chosen(session: Session, desk: Desk, cells: gpd.GeoDataFrame, chosen: list[int]) -> None:
    """Put the codes of the picked cells; of a single one why its borders are there."""
    names = cells.set_index("id")["code"]
    told = ", ".join(str(names.get(each, t("in another community"))) for each in chosen)
    widgets.note(t("Picked: {cells}", cells=told or t("none")))
    if len(chosen) == 1:
        found = bordering.draft_borders_of(session, desk.actor, desk.territory, desk.change.id, chosen[0])
        if found:
            grid_borders.table(found, address="")


def _by_hand(  # noqa: PLR0917  (what is done to which cells, along which line)
    session: Session,
    desk: Desk,
    mode: str,
    chosen: list[int],
    line: shapely.LineString | None,
    area: str,
) -> str:
    actor, territory, change = desk.actor, desk.territory, desk.change.id
    if mode == "merge":
        drafting.merge(session, actor, territory, change, chosen)
        return tn("{count} cell merged.", "{count} cells merged.", len(chosen))
    if mode == "give":
        drafting.move_cells(session, actor, change, chosen, area)
        return t("Given to {area}.", area=area)
    crossed = drafting.cells_on(session, actor, change, line or shapely.LineString())
    if mode == "split":
        drafting.split(session, actor, territory, change, crossed[0] if crossed else 0, line or shapely.LineString())
        return t("Split.")
    drafting.shift_border(session, actor, territory, change, crossed[:2], line or shapely.LineString())
    return t("The border was moved.")


def _submit(desk: Desk) -> None:
    widgets.note(t("A supervisor looks at the draft and publishes it; from then on it is in force."))
    if st.button(t("Submit"), type="primary", key="gk_draw_submit"):

        def hand_in(inner: Session) -> str:
            publishing.submit(inner, desk.actor, desk.territory, desk.change.id)
            return t("Submitted. A supervisor decides.")

        act_on(desk, hand_in)
    if st.button(t("Withdraw the draft"), type="tertiary", key="gk_draw_withdraw"):

        def give_up(inner: Session) -> str:
            drafting.withdraw(inner, desk.actor, desk.change.id)
            return t("Withdrawn.")

        act_on(desk, give_up)


def _decide(desk: Desk) -> None:
    change = desk.change
    if change.state == "published":
        day = i18n.day(change.effective_on) if change.effective_on else "–"
        widgets.empty(t("In force from {day}.", day=day), t("It stays as it was decided."))
        return
    if change.state == "draft":
        widgets.empty(t("This draft is somebody else's."), t("You see it; its author changes it."))
        return
    own = change.author_id == desk.actor.user_id
    if desk.actor.may(May.EDIT_GRIDS) and not own:
        if st.button(t("Publish"), type="primary", key="gk_draw_publish"):

            def publish(inner: Session) -> str:
                done = publishing.publish(inner, desk.actor, desk.territory, change.id, seen=change.version)
                return t(
                    "In force: {new} new cells, {ended} ended, {moved} open incidents moved.",
                    new=i18n.number(done.new),
                    ended=i18n.number(done.ended),
                    moved=i18n.number(done.incidents_moved),
                )

            act_on(desk, publish)
        remark = st.text_input(t("What should be mended"), max_chars=200, key="gk_draw_remark")
        if st.button(t("Send back"), key="gk_draw_back"):
            act_on(desk, lambda inner: _back(inner, desk, remark))
        return
    widgets.note(t("A supervisor who did not draft it decides."))
    if own and st.button(t("Take it back"), key="gk_draw_take_back"):
        act_on(desk, lambda inner: _back(inner, desk, ""))


def _back(session: Session, desk: Desk, remark: str) -> str:
    publishing.take_back(session, desk.actor, desk.change.id, remark=remark)
    return t("It is a draft again.")
