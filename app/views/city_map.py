"""City map: the grids filled by what happened in them, incidents, facilities and roads; a grid's card."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from sqlalchemy.orm import Session

from app import as_of, guard, i18n, maps, state, widgets, words
from app.grid_panel import grid_panel
from app.grid_then import grid_then
from app.i18n import t, tn
from app.map_legend import category_legend, component_legend, facility_legend, legend_html
from app.map_panel import map_panel
from app.where import territory_of
from core.clock import now
from core.errors import NotFound
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from grids.service import locate_one
from layers.basemap import surrounded_by_water
from layers.legend import Legend, incident_legend, limit_legend, metric_legend
from layers.registry import layer_entries
from layers.values import METRICS, STATUSES, CellValues, Question, categories_of, cell_values, cells_of

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-page.css"
HEIGHT_PX = 580
NEAR_ZOOM = 16
PLACE_ZOOM = 17
MERCATOR_ENDS = 85.05
PERIODS = (7, 30, 90, 365, words.OWN_DATES)
DEFAULT_PERIOD = 90
Key = TypeVar("Key")
LAYERS = ("grids", "incidents", "components", "facilities", "traffic")
DEFAULT_LAYERS = ("grids", "incidents")


@dataclass(frozen=True)
class Filters:
    """What the bar above the map says."""

    days: int
    first: dt.date
    last: dt.date
    categories: tuple[str, ...] | None
    status: str
    metric: str
    layers: tuple[str, ...]
    colour_by: str
    day: dt.date | None = None

    def question(self) -> Question:
        """Return what fills the grids."""
        return Question(self.metric, self.first, self.last, self.categories, self.status, self.day)

    def counted(self) -> Question:
        """Return what the circles count."""
        return Question("reported", self.first, self.last, self.categories, self.status, self.day)


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    st.html(STYLE)
    _take_address()
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("City map"), simulated=territory.is_demo)
        titles = {key: i18n.either(*names) for key, names in categories_of(session, territory.id).items()}
        filters = _filters(actor, territory, titles)
        selected = _selected()
        with st.container(key="gk-map"):
            left, right = st.columns([2.6, 1], gap="small")
        with left:
            found = cell_values(session, actor, filters.question())
            island = _island(session, territory.id)
            settings = maps.map_settings(territory, actor, titles, island=island, day=filters.day)
            _map(actor, territory, settings, filters, selected, fly=_fly(session, territory.id, selected, filters.day))
            _legend(actor, territory, filters, titles, found)
        with right, st.container(key="gk-side", height=HEIGHT_PX, border=True):
            _side(session, actor, territory, selected, filters=filters, found=found)


def _filters(actor: Actor, territory: TerritoryInfo, titles: Mapping[str, str]) -> Filters:
    """Put the bar and return what it says."""
    today = now().astimezone(territory.zone).date()
    # Deadlines are of single incidents: a role that sees only counts is not asked about them.
    hidden = () if actor.may(May.SEE_INCIDENTS) else ("overdue",)
    entries = layer_entries()
    with widgets.filter_bar():
        period = _choice(
            "period", t("Reported in"), {days: words.period(days) for days in PERIODS}, DEFAULT_PERIOD, 150
        )
        day = as_of.control(territory, key=_key("on"))
        end = day or today
        first, last = end - dt.timedelta(days=(period or DEFAULT_PERIOD) - 1), end
        if period == words.OWN_DATES:
            first, last = widgets.dates(_kept("dates", (first, last)), key=_key("dates"))
            first, last = min(first, end), min(last, end)
        chosen = st.multiselect(
            t("Category"),
            list(titles),
            default=[key for key in _kept("categories", ()) if key in titles],
            format_func=titles.__getitem__,
            placeholder=t("All categories"),
            key=_key("categories"),
            width=240,
        )
        statuses = {key: t(title) for key, title in STATUSES.items() if key not in hidden}
        status = _choice("status", t("Status"), statuses, "all", 120)
        metrics = {key: t(title) for key, title in METRICS.items() if key not in hidden}
        if day is not None:
            metrics |= {key: title for key, title in _then_titles().items() if key in metrics}
        metric = _choice("metric", t("Fill grids by"), metrics, "reported", 230)
        layers = st.pills(
            t("Layers"),
            LAYERS,
            selection_mode="multi",
            default=_kept("layers", DEFAULT_LAYERS),
            format_func=lambda key: t(entries[key].title),
            key=_key("layers"),
        )
        colour_by = "status"
        if actor.may(May.SEE_INCIDENT_POINTS) and "incidents" in layers:
            ways = {"status": t("Status"), "category": t("Category")}
            colour_by = _choice("colour_by", t("Colour points by"), ways, "status", 120)
    st.session_state[state.MAP_FILTERS] = {
        "period": period,
        "dates": (first, last),
        "categories": tuple(chosen),
        "status": status,
        "metric": metric,
        "layers": tuple(layers),
        "colour_by": colour_by,
    }
    return Filters(period, first, last, tuple(sorted(chosen)) or None, status, metric, tuple(layers), colour_by, day)


def _then_titles() -> dict[str, str]:
    """Return how metrics of the present are called on a day of the past."""
    return {"open": t("Open then"), "overdue": t("Late then")}


def _take_address() -> None:
    """Turn what a link asks for (?layers=facilities, ?metric=per_1000) into what the bar said last, once."""
    given = st.query_params
    kept = dict(st.session_state.get(state.MAP_FILTERS, {}))
    layers = tuple(key for key in given.get("layers", "").split(",") if key in LAYERS)
    if layers:
        kept["layers"] = layers
    if given.get("metric") in METRICS:
        kept["metric"] = given["metric"]
    if not {"layers", "metric"}.isdisjoint(given):
        st.session_state[state.MAP_FILTERS] = kept
        given.pop("layers", None)
        given.pop("metric", None)


def _key(name: str) -> str:
    """Return a widget's key: Streamlit remembers a choice by its words, so each language has its own."""
    return f"{state.MAP_FILTERS}_{name}_{i18n.locale()}"


def _kept(name: str, default: Any) -> Any:
    """Return what the bar said last, also after another page or in another language."""
    return st.session_state.get(state.MAP_FILTERS, {}).get(name, default)


def _choice(name: str, label: str, options: Mapping[Key, str], default: Key, width: int) -> Key:
    """Put one select box and return the chosen key."""
    keys = list(options)
    kept = _kept(name, default)
    index = keys.index(kept if kept in options else default)
    chosen = st.selectbox(label, keys, index=index, format_func=options.__getitem__, key=_key(name), width=width)
    return default if chosen is None else chosen


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


def _map(
    actor: Actor,
    territory: TerritoryInfo,
    settings: Mapping[str, Any],
    filters: Filters,
    selected: int | None,
    *,
    fly: tuple[float, float, int] | None,
) -> None:
    drawn = maps.city_map(territory, settings)
    pushed = maps.MapState(
        question=filters.question(),
        counted=filters.counted(),
        visible={key: key in filters.layers for key in LAYERS},
        selected=selected,
        colour_by=filters.colour_by,
        fly=fly,
        mark=_place(),
    )
    # Another day has other cells, so the map is a new one; the component drops what follows an underscore.
    on = f"-{filters.day:%Y%m%d}" if filters.day else ""
    key = f"{state.MAP}-{territory.id}-{i18n.locale()}{on}"
    day = filters.day
    maps.show(drawn, pushed, key=key, height=HEIGHT_PX, on_change=lambda: _clicked(key, actor, territory.id, day))


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


def _legend(
    actor: Actor, territory: TerritoryInfo, filters: Filters, titles: Mapping[str, str], found: CellValues
) -> None:
    legends: list[Legend] = []
    if "grids" in filters.layers:
        legends.append(metric_legend(filters.metric, found.edges))
    points = "incidents" in filters.layers and actor.may(May.SEE_INCIDENT_POINTS)
    if points:
        by_status = filters.colour_by == "status"
        legends.append(incident_legend() if by_status else category_legend(titles, maps.category_colours(list(titles))))
    if "traffic" in filters.layers:
        legends.append(limit_legend())
    if "facilities" in filters.layers:
        legends.append(facility_legend())
    legends += _components(filters, titles)
    notes = [
        t("Reported {first} – {last}", first=i18n.day(filters.first), last=i18n.day(filters.last)),
        tn("{count} incident counted", "{count} incidents counted", found.total),
    ]
    notes += as_of.told(filters.day)
    if found.limited:
        notes.append(t("Only your own area is counted"))
    notes += _closer(filters, points=points)
    if territory.is_demo:
        notes.append(t("Incidents are simulated"))
    notes.append(t("Map data {credit}", credit=maps.OSM_CREDIT))
    if filters.metric == "per_1000":
        notes.append(t("Residents are estimated from buildings"))
    widgets.write(legend_html(legends, notes))


def _components(filters: Filters, titles: Mapping[str, str]) -> list[Legend]:
    if "components" not in filters.layers:
        return []
    return [component_legend(titles, maps.category_colours(list(titles)))]


def _closer(filters: Filters, *, points: bool) -> list[str]:
    """Return what is seen only when near."""
    notes = [t("Zoom in to see single incidents")] if points else []
    return [*notes, t("Zoom in to see single components")] if "components" in filters.layers else notes


def _side(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    selected: int | None,
    *,
    filters: Filters,
    found: CellValues,
) -> None:
    if not len(found.values):
        widgets.empty(
            t("There are no grids yet."),
            t("An administrator cuts them in the first set-up."),
            link_label=t("First set-up") if actor.may(May.SET_UP) else "",
            href="/set-up?step=grids" if actor.may(May.SET_UP) else "",
        )
        return
    if selected is None:
        map_panel(session, actor, territory, question=filters.question(), days=filters.days, found=found)
        return
    if st.button(t("Close"), key="gk_close_detail"):
        st.query_params.pop("grid", None)
        st.rerun()
    try:
        if filters.day is None:
            grid_panel(session, actor, territory, selected)
        else:
            grid_then(session, actor, selected, filters.question())
    except NotFound:
        widgets.empty(
            t("This grid does not exist any more."), t("Grids may be cut anew. Click another one on the map.")
        )


with guard.page():
    show()
