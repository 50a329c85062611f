"""City map: the grids filled by what happened in them, incidents, facilities and roads; a grid's card."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, maps, state, widgets
from app.grid_panel import grid_panel
from app.i18n import t
from app.map_legend import category_legend, facility_legend, legend_html
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
from layers.values import METRICS, STATUSES, CellValues, Question, categories_of, cell_values

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-page.css"
HEIGHT_PX = 580
PERIODS = (7, 30, 90, 365)
DEFAULT_PERIOD = 90
OWN_DATES = 0
LAYERS = ("grids", "incidents", "facilities", "traffic")
DEFAULT_LAYERS = ("grids", "incidents")


@dataclass(frozen=True)
class Filters:
    """What the bar above the map says."""

    first: dt.date
    last: dt.date
    categories: tuple[str, ...] | None
    status: str
    metric: str
    layers: tuple[str, ...]
    colour_by: str

    def question(self) -> Question:
        """Return what fills the grids."""
        return Question(self.metric, self.first, self.last, self.categories, self.status)

    def counted(self) -> Question:
        """Return what the circles count."""
        return Question("reported", self.first, self.last, self.categories, self.status)


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    st.html(STYLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("City map"), simulated=territory.is_demo)
        titles = {key: i18n.either(*names) for key, names in categories_of(session, territory.id).items()}
        filters = _filters(actor, territory, titles)
        selected = _selected()
        left, right = st.columns([2.6, 1], gap="small")
        with left:
            found = cell_values(session, actor, filters.question())
            settings = maps.map_settings(territory, actor, titles, island=_island(session, territory.id))
            _map(actor, territory, settings, filters, selected)
            _legend(actor, territory, filters, titles, found)
        with right, st.container(key="gk-side", height=HEIGHT_PX, border=True):
            _side(session, actor, territory, selected, found)


def _filters(actor: Actor, territory: TerritoryInfo, titles: Mapping[str, str]) -> Filters:
    """Put the bar and return what it says."""
    today = now().astimezone(territory.zone).date()
    # Deadlines are of single incidents: a role that sees only counts is not asked about them.
    hidden = () if actor.may(May.SEE_INCIDENTS) else ("overdue",)
    with st.container(key="gk-filters", horizontal=True, vertical_alignment="bottom"):
        period = st.selectbox(
            t("Reported in"),
            [*PERIODS, OWN_DATES],
            index=PERIODS.index(DEFAULT_PERIOD),
            format_func=_period_name,
            key=state.MAP_PERIOD,
            width=150,
        )
        first, last = today - dt.timedelta(days=(period or DEFAULT_PERIOD) - 1), today
        if period == OWN_DATES:
            given = st.date_input(
                t("From – to"), (first, last), max_value=today, format="YYYY-MM-DD", key=state.MAP_DATES, width=230
            )
            # While the second day is not chosen yet the first stands for both.
            first, last = (given[0], given[-1]) if isinstance(given, tuple) and given else (first, last)
        chosen = st.multiselect(
            t("Category"),
            list(titles),
            format_func=titles.__getitem__,
            placeholder=t("All categories"),
            key=state.MAP_CATEGORIES,
            width=240,
        )
        status = st.selectbox(
            t("Status"),
            [key for key in STATUSES if key not in hidden],
            format_func=lambda key: t(STATUSES[key]),
            key=state.MAP_STATUS,
            width=120,
        )
        metric = st.selectbox(
            t("Fill grids by"),
            [key for key in METRICS if key not in hidden],
            format_func=lambda key: t(METRICS[key]),
            key=state.MAP_METRIC,
            width=230,
        )
        entries = layer_entries()
        layers = st.pills(
            t("Layers"),
            LAYERS,
            selection_mode="multi",
            default=DEFAULT_LAYERS,
            format_func=lambda key: t(entries[key].title),
            key=state.MAP_LAYERS,
        )
        colour_by = "status"
        if actor.may(May.SEE_INCIDENT_POINTS) and "incidents" in layers:
            colour_by = st.selectbox(
                t("Colour points by"),
                ["status", "category"],
                format_func={"status": t("Status"), "category": t("Category")}.__getitem__,
                key=state.MAP_COLOUR_BY,
                width=120,
            )
    return Filters(first, last, tuple(sorted(chosen)) or None, status, metric, tuple(layers), colour_by)


@st.cache_data(ttl=3600, show_spinner=False)
def _island(_session: Session, territory_id: int) -> bool:
    return surrounded_by_water(_session, territory_id)


def _period_name(days: int) -> str:
    return {7: t("Last 7 days"), 30: t("Last 30 days"), 90: t("Last 90 days"), 365: t("Last 12 months")}.get(
        days, t("Own dates")
    )


def _selected() -> int | None:
    given = st.query_params.get("grid", "")
    return int(given) if given.isdigit() and len(given) < 10 else None


def _map(
    actor: Actor, territory: TerritoryInfo, settings: Mapping[str, Any], filters: Filters, selected: int | None
) -> None:
    drawn = maps.city_map(territory, settings)
    pushed = maps.MapState(
        question=filters.question(),
        counted=filters.counted(),
        visible={key: key in filters.layers for key in LAYERS},
        selected=selected,
        colour_by=filters.colour_by,
    )
    key = f"{state.MAP}-{territory.id}-{i18n.locale()}"
    maps.show(drawn, pushed, key=key, height=HEIGHT_PX, on_change=lambda: _clicked(key, actor, territory.id))


def _clicked(key: str, actor: Actor, territory_id: int) -> None:
    """Open the card of the grid that was clicked; a click outside every grid closes it."""
    answer = st.session_state.get(key) or {}
    click = answer.get("last_clicked")
    place = (click["lat"], click["lng"]) if click else None
    if place is None or place == st.session_state.get(state.MAP_CLICK):
        return
    st.session_state[state.MAP_CLICK] = place
    with transaction(actor) as session:
        found = locate_one(session, territory_id, lon=place[1], lat=place[0])
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
    if "incidents" in filters.layers:
        by_status = filters.colour_by == "status"
        legends.append(incident_legend() if by_status else category_legend(titles, maps.category_colours(list(titles))))
    if "traffic" in filters.layers:
        legends.append(limit_legend())
    if "facilities" in filters.layers:
        legends.append(facility_legend())
    notes = [
        t("Reported {first} – {last}", first=i18n.day(filters.first), last=i18n.day(filters.last)),
        t("{count} incidents counted", count=i18n.number(found.total)),
    ]
    if found.limited:
        notes.append(t("Only your own area is counted"))
    if "incidents" in filters.layers and actor.may(May.SEE_INCIDENT_POINTS):
        notes.append(t("Zoom in to see single incidents"))
    if territory.is_demo:
        notes.append(t("Incidents are simulated"))
    notes.append(t("Map data {credit}", credit=maps.OSM_CREDIT))
    if filters.metric == "per_1000":
        notes.append(t("Residents are estimated from buildings"))
    widgets.write(legend_html(legends, notes))


def _side(session: Session, actor: Actor, territory: TerritoryInfo, selected: int | None, found: CellValues) -> None:
    if not len(found.values):
        widgets.empty(
            t("There are no grids yet."),
            t("Cut the territory into grids with the command: gridkeeper grid make --kind square --size-m 100"),
        )
        return
    if selected is None:
        widgets.empty(
            t("Click a grid on the map."),
            t("Its card opens here: people, worker, open and late incidents, the last 90 days, facilities."),
        )
        return
    try:
        grid_panel(session, actor, territory, selected)
    except NotFound:
        widgets.empty(
            t("This grid does not exist any more."), t("Grids may be cut anew. Click another one on the map.")
        )


with guard.page():
    show()
