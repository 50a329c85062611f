"""The bar of the City map: what it says, kept over pages and languages, and written into the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import streamlit as st
from sqlalchemy.orm import Session

from app import as_of, i18n, map_address, map_classes, map_time, state, widgets, words
from app.i18n import t
from app.map_address import DEFAULT_PERIOD, DEFAULTS, LEVELS, PERIODS
from app.map_classes import Scheme
from app.map_compare import earlier_days
from core.clock import now
from core.identity import Actor, May
from geodata.territory import TerritoryInfo
from layers import congestion_cells
from layers.registry import layer_entries
from layers.tallies import by_day
from layers.values import METRICS, STATUSES, Question

Key = TypeVar("Key")
Days = tuple[dt.date, dt.date]


@dataclass(frozen=True)
class Filters:
    """What the bar above the map says.

    Attributes
    ----------
    days
        Length of the period, `words.OWN_DATES` for days of one's own, also where a part of a period is looked at.
    earlier
        The period that is compared with; None for none.
    """

    days: int
    first: dt.date
    last: dt.date
    categories: tuple[str, ...] | None
    status: str
    metric: str
    layers: tuple[str, ...]
    colour_by: str
    day: dt.date | None = None
    view: str = "map"
    scheme: Scheme = field(default_factory=Scheme)
    wrong: str = ""
    earlier: Days | None = None
    level: str = "responsibility"

    def question(self) -> Question:
        """Return what fills the grids; two periods are compared by all of theirs: of the older one little is open."""
        status = "all" if self.earlier is not None and self.status == "open" else self.status
        return Question(self.metric, self.first, self.last, self.categories, status, self.day)

    def counted(self) -> Question:
        """Return what the circles count."""
        return Question("reported", self.first, self.last, self.categories, self.status, self.day)


def take_address(today: dt.date) -> tuple[str, ...]:
    """Turn what a link asks for into what the bar said last, once; return what could not be used, in sentences."""
    given = {name: st.query_params[name] for name in (*map_address.NAMES, as_of.PARAMETER) if name in st.query_params}
    said = {name: value for name, value in given.items() if name != as_of.PARAMETER}
    if given == st.session_state.get(state.MAP_ADDRESS) or not given:
        return tuple(st.session_state.get(state.MAP_WRONG, ())) if given else ()
    asked = map_address.read(given, today)
    if said:
        # A link says the whole view but for the words it leaves out, which stay as they were.
        st.session_state[state.MAP_FILTERS] = dict(st.session_state.get(state.MAP_FILTERS, {})) | dict(asked.kept)
        for key in [key for key in st.session_state if str(key).startswith(f"{state.MAP_FILTERS}_")]:
            if key != _key("on"):
                del st.session_state[key]
    st.session_state[state.MAP_ADDRESS] = given
    st.session_state[state.MAP_WRONG] = asked.wrong
    return asked.wrong


def bar(actor: Actor, territory: TerritoryInfo, titles: Mapping[str, str]) -> Filters:
    """Put the bar and return what it says, the whole of the period."""
    today = now().astimezone(territory.zone).date()
    # Deadlines are of single incidents: a role that sees only counts is not asked about them.
    hidden = () if actor.may(May.SEE_INCIDENTS) else ("overdue",)
    offered = {
        key: entry.name(i18n.locale())
        for key, entry in layer_entries().items()
        if entry.chosen and actor.may(entry.capability)
    }
    if actor.may(May.SEE_MAP) and "incidents" in layer_entries():
        offered = {key: name for key, name in offered.items() if key != "incidents"}
        offered["incidents"] = layer_entries()["incidents"].name(i18n.locale())
    with widgets.filter_bar():
        period = _choice(
            "period", t("Reported in"), {days: words.period(days) for days in PERIODS}, DEFAULT_PERIOD, 150
        )
        day = as_of.control(territory, key=_key("on"))
        end = day or today
        first, last = end - dt.timedelta(days=(period or DEFAULT_PERIOD) - 1), end
        if period == words.OWN_DATES:
            first, last = widgets.dates(_dates((first, last), end), key=_key("dates"))
            first, last = min(first, end), min(last, end)
        chosen = st.multiselect(
            t("Category"), list(titles), default=[key for key in kept("categories") if key in titles],
            format_func=titles.__getitem__, placeholder=t("All categories"), key=_key("categories"), width=190,
        )  # fmt: skip
        compare = _choice("compare", t("Compare with"), comparisons(), "off", 140)
        statuses = {key: t(title) for key, title in STATUSES.items() if key not in hidden}
        if compare != "off":  # of an older period little is open still, and nothing says what was late then
            statuses = {key: name for key, name in statuses.items() if key in {"all", "closed"}}
        status = _choice("status", t("Status"), statuses, "open" if compare == "off" else "all", 110)
        metrics = {key: t(title) for key, title in METRICS.items() if key not in hidden}
        if day is not None:  # how traffic usually is says nothing of a day long past
            metrics = {key: title for key, title in metrics.items() if key not in congestion_cells.METRICS}
            metrics |= {key: title for key, title in _then_titles().items() if key in metrics}
        metric, level, compared = kept("metric"), kept("level"), None
        if compare == "off":
            metric = _choice("metric", t("Fill grids by"), metrics, "reported", 200)
        else:
            level = _choice("level", t("Judged by"), levels(), LEVELS[0], 180)
            if compare == "dates":
                before = earlier_days("before", (first, last), None)
                start = _compared(before, first)
                compared = widgets.dates(start, key=_key("compared"), label=t("Earlier period"))
        colour_by = "status"
        shown = st.session_state.get(_key("layers"), kept("layers")) or ()
        if actor.may(May.SEE_INCIDENT_POINTS) and "incidents" in shown:
            ways = {"status": t("Status"), "category": t("Category")}
            colour_by = _choice("colour_by", t("Colour points by"), ways, "status", 120)
        scheme, wrong = map_classes.control({name: kept(name) for name in DEFAULTS}, disabled=compare != "off")
        layers = st.pills(
            t("Layers"), list(offered), selection_mode="multi",
            default=[key for key in kept("layers") if key in offered],
            format_func=offered.__getitem__, key=_key("layers"),
        )  # fmt: skip
    st.session_state[state.MAP_FILTERS] = dict(st.session_state.get(state.MAP_FILTERS, {})) | {
        "period": period, "dates": (first, last), "categories": tuple(chosen), "status": status, "metric": metric,
        "layers": tuple(layers), "colour_by": colour_by, "compare": compare, "level": level, "compared": compared,
        "breaks": scheme.breaks, "classes": scheme.classes, "own": scheme.own, "ramp": scheme.ramp,
    }  # fmt: skip
    earlier = None if compare == "off" else earlier_days(compare, (first, last), compared)
    return Filters(
        period, first, last, tuple(sorted(chosen)) or None, status, metric, tuple(layers), colour_by, day,
        scheme=scheme, wrong=wrong, earlier=earlier, level=level,
    )  # fmt: skip


def narrowed(session: Session, actor: Actor, filters: Filters) -> Filters:
    """Put the histogram with its slider and the choice of the view; return the filters of the chosen days."""
    domain = (filters.first, filters.last)
    with st.container(key="gk-time", horizontal=True, vertical_alignment="center"):
        with st.container(key="gk-time-strip"):
            counts = by_day(session, actor, filters.counted())
            chosen = map_time.strip(counts, domain, kept("range"))
        view = _view()
    state_now = st.session_state[state.MAP_FILTERS]
    state_now |= {"range": None if chosen == domain else chosen, "view": view}
    _write(map_address.write(state_now, chosen, domain))
    earlier = filters.earlier
    if earlier is not None and chosen != domain:
        earlier = earlier_days(state_now["compare"], chosen, state_now["compared"])
    days = filters.days if chosen == domain else words.OWN_DATES
    return replace(filters, first=chosen[0], last=chosen[1], view=view, days=days, earlier=earlier)


def _view() -> str:
    names = {"map": t("Map"), "table": t("As a table"), "small": t("Small maps")}
    chosen = st.segmented_control(
        t("View"), list(names), format_func=names.__getitem__, default=kept("view"), required=True, key=_key("view"),
        label_visibility="collapsed",
    )  # fmt: skip
    return chosen or "map"


def comparisons() -> dict[str, str]:
    """Return with what a period may be compared."""
    return {
        "off": t("Nothing"), "before": t("The days before"), "year": t("A year before"), "dates": t("Own dates"),
    }  # fmt: skip


def levels() -> dict[str, str]:
    """Return the places that a change is judged in, the likeliest to tell something first."""
    return {"responsibility": t("Responsibility grids"), "community": t("Communities"), "cell": t("Unit grids")}


def kept(name: str) -> Any:
    """Return what the bar said last, also after another page or in another language."""
    value = st.session_state.get(state.MAP_FILTERS, {}).get(name)
    return DEFAULTS.get(name) if value is None else value


def _write(said: Mapping[str, str]) -> None:
    """Put the state into the address, where it differs; the day of ``?on=`` is written by its own control."""
    for name in map_address.NAMES:
        if name in said and st.query_params.get(name) != said[name]:
            st.query_params[name] = said[name]
        elif name not in said and name in st.query_params:
            del st.query_params[name]
    names = (*map_address.NAMES, as_of.PARAMETER)
    st.session_state[state.MAP_ADDRESS] = {name: st.query_params[name] for name in names if name in st.query_params}


def _dates(usual: Days, end: dt.date) -> Days:
    first, last = kept("dates") or usual
    return min(first, end), min(last, end)


def _compared(usual: Days, before: dt.date) -> Days:
    first, last = kept("compared") or usual
    end = before - dt.timedelta(days=1)
    return min(first, end), min(last, end)


def _then_titles() -> dict[str, str]:
    """Return how metrics of the present are called on a day of the past."""
    return {"open": t("Open then"), "overdue": t("Late then")}


def _key(name: str) -> str:
    """Return a widget's key: Streamlit remembers a choice by its words, so each language has its own."""
    return f"{state.MAP_FILTERS}_{name}_{i18n.locale()}"


def _choice(name: str, label: str, options: Mapping[Key, str], default: Key, width: int) -> Key:
    """Put one select box and return the chosen key."""
    keys = list(options)
    before = kept(name)
    index = keys.index(before if before in options else default)
    chosen = st.selectbox(label, keys, index=index, format_func=options.__getitem__, key=_key(name), width=width)
    return default if chosen is None else chosen
