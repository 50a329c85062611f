"""City map: the grids filled by what happened in them, incidents, facilities and roads; time, tables, prints."""

from __future__ import annotations

import datetime as dt
import math
import re
from pathlib import Path

import streamlit as st
from sqlalchemy.orm import Session

from app import (
    guard,
    i18n,
    map_address,
    map_classes,
    map_compare,
    map_filters,
    map_ground,
    map_live,
    map_small,
    map_table,
    map_take,
    map_time,
    maps,
    state,
    widgets,
)  # fmt: skip
from app.grid_panel import grid_panel
from app.grid_then import grid_then
from app.i18n import t
from app.map_legend import legend_html
from app.map_panel import map_panel
from app.map_view import View
from app.where import territory_of
from core.clock import now
from core.errors import NotFound
from core.identity import Actor, May
from geodata.db import transaction
from grids.service import locate_one
from layers import congestion_cells
from layers.basemap import surrounded_by_water
from layers.registry import layer_entries
from layers.values import categories_of, cell_values, cells_of

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-page.css"
HEIGHT_PX = 580
NEAR_ZOOM = 16
PLACE_ZOOM = 17
MERCATOR_ENDS = 85.05


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    st.html(STYLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        map_live.begin(territory.id)
        widgets.title(t("City map"), simulated=territory.is_demo)
        for wrong in map_filters.take_address(now().astimezone(territory.zone).date()):
            widgets.alert(wrong)
        titles = {key: i18n.either(*names) for key, names in categories_of(session, territory.id).items()}
        filters = map_filters.narrowed(session, actor, map_filters.bar(actor, territory, titles))
        compared = None
        if filters.earlier is not None:
            compared = map_compare.compared(session, actor, filters.question(), filters.earlier, filters.level)
        found = compared.values if compared is not None else cell_values(session, actor, filters.question())
        drawn = map_classes.painted(found, filters.metric, filters.scheme)
        view = View(actor, territory, filters, titles, found, drawn, compared, _selected())
        {"map": _on_map, "table": _table, "small": _small}[filters.view](session, view)


def _on_map(session: Session, view: View) -> None:
    skip = widgets.link(t("To the table of grids, without the map"), _as_table())
    widgets.write(f'<p class="gk-skip">{skip.text}</p>')
    with st.container(key="gk-map"):
        left, right = st.columns([2.6, 1], gap="small")
    with left:
        _map(session, view)
        with st.container(horizontal=True, key="gk-below"):
            with st.container(key="gk-below-legend"):
                widgets.write(legend_html(view.legends(), [*view.notes(), *view.closer()]))
            map_take.show(view)
    with right, st.container(key="gk-side", height=HEIGHT_PX, border=True):
        _side(session, view)


def _table(session: Session, view: View) -> None:
    left, right = st.columns([2.6, 1], gap="medium")
    with left:
        if view.compared is not None:
            widgets.note(map_compare.sentence(view.compared))
        map_table.show(session, view)
    with right, st.container(key="gk-side-table"):
        _side(session, view)


def _small(session: Session, view: View) -> None:
    map_small.show(session, view)


def _as_table() -> str:
    return map_address.link(st.query_params, {"view": "table", "grid": st.query_params.get("grid", "")})


@st.cache_data(ttl=3600, show_spinner=False)
def _island(_session: Session, territory_id: int) -> bool:
    return surrounded_by_water(_session, territory_id)


def _selected() -> int | None:
    given = st.query_params.get("grid", "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def _place() -> tuple[float, float] | None:
    """Return latitude and longitude of the place that the address asks for (?place=lon,lat)."""
    given = re.fullmatch(r"(-?\d{1,3}\.\d{1,9}),(-?\d{1,2}\.\d{1,9})", st.query_params.get("place", ""))
    lon, lat = (float(given[1]), float(given[2])) if given is not None else (math.nan, math.nan)
    return (lat, lon) if abs(lon) <= 180 and abs(lat) <= MERCATOR_ENDS else None


def _fly(
    session: Session, territory_id: int, selected: int | None, day: dt.date | None
) -> tuple[float, float, int] | None:
    """Return where to go when a place or a grid was opened by its address and not by a click on the map."""
    place = _place()
    if place is not None:
        return (*place, PLACE_ZOOM)
    if selected is None or selected == st.session_state.get(state.MAP_CLICKED):
        return None
    centre = cells_of(session, territory_id, day).centre(selected)
    return None if centre is None else (*centre, NEAR_ZOOM)


def _map(session: Session, view: View) -> None:
    actor, territory, filters, day = view.actor, view.territory, view.filters, view.filters.day
    island = _island(session, territory.id)
    grain = maps.grain_of(session, territory, day)
    settings = maps.map_settings(territory, actor, view.titles, island=island, day=day, grain=grain, remembers=True)
    drawn = maps.city_map(territory, settings)
    drawn.add_child(map_time.Playback())
    drawn.add_child(map_ground.Ground())
    live = 0 if day else map_live.begun()
    compared, values = view.compared, None
    if compared is not None:
        values = (map_compare.address(filters.question(), compared.earlier, filters.level), map_table.title(filters))
    pushed = maps.MapState(
        question=filters.question(),
        counted=filters.counted(),
        visible={key: key in filters.layers for key in layer_entries()},
        selected=view.selected,
        colour_by=filters.colour_by,
        fly=_fly(session, territory.id, view.selected, day),
        mark=_place(),
        paint=view.drawn.push() if compared is None else map_compare.paint(),
        values=values,
    )
    # Another day has other cells, so the map is a new one; the component drops what follows an underscore.
    on = f"-{day:%Y%m%d}" if day else ""
    key = f"{state.MAP}-{territory.id}-{i18n.locale()}{on}"
    traffic = not day and ("congestion" in filters.layers or filters.metric in congestion_cells.METRICS)
    overlays = map_time.pushed(actor, filters.question(), comparing=compared is not None, traffic=traffic)
    grounds = map_ground.known(session, actor, territory.id)
    chosen = map_ground.chosen(grounds)
    maps.show(
        drawn,
        pushed,
        key=key,
        height=HEIGHT_PX,
        overlays=[*overlays, *map_ground.pushed(grounds, chosen, live)],
        on_change=lambda: _clicked(key, actor, territory.id, day),
    )
    map_ground.control(grounds, chosen)
    for told in map_ground.notes(grounds, chosen):
        widgets.note(told)
    if not day:
        map_live.follow(territory.id, live)


def _clicked(key: str, actor: Actor, territory_id: int, day: dt.date | None) -> None:
    """Open the card of the grid that was clicked; a click outside every grid closes it."""
    answer = st.session_state.get(key) or {}
    click = answer.get("last_clicked")
    place = (click["lat"], click["lng"]) if click else None
    if place is None or place == st.session_state.get(state.MAP_CLICK):
        return
    st.session_state[state.MAP_CLICK] = place
    with transaction(actor) as session:
        found = locate_one(session, territory_id, lon=place[1], lat=place[0], day=day)
    st.session_state[state.MAP_CLICKED] = found[0] if found else None
    if found is None:
        st.query_params.pop("grid", None)
    else:
        st.query_params["grid"] = str(found[0])


def _side(session: Session, view: View) -> None:
    actor, filters = view.actor, view.filters
    if not len(view.found.values):
        widgets.empty(
            t("There are no grids yet."),
            t("An administrator cuts them in the first set-up."),
            link_label=t("First set-up") if actor.may(May.SET_UP) else "",
            href="/set-up?step=grids" if actor.may(May.SET_UP) else "",
        )
        return
    if view.selected is None:
        if view.compared is not None:
            widgets.heading(t("Clear changes"))
            map_table.changes(session, view, view.compared)
            return
        map_panel(session, actor, view.territory, question=filters.question(), days=filters.days, found=view.found)
        return
    if st.button(t("Close"), key="gk_close_detail"):
        st.query_params.pop("grid", None)
        st.rerun()
    try:
        if filters.day is None:
            grid_panel(session, actor, view.territory, view.selected)
        else:
            grid_then(session, actor, view.selected, filters.question())
    except NotFound:
        widgets.empty(
            t("This grid does not exist any more."), t("Grids may be cut anew. Click another one on the map.")
        )


with guard.page():
    show()
