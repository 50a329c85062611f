"""Small maps side by side: the same places, the same classes, one map a category or a stretch of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, map_address, map_classes, map_paper, state, widgets
from app.i18n import t, tn
from app.map_filters import Filters
from app.map_legend import legend_html
from app.map_paper import Fill
from app.map_view import View
from app.maps import OSM_CREDIT
from app.report_map import WIDE, Frame, base
from core.identity import Actor
from geodata.territory import TerritoryInfo
from layers.basemap import surrounded_by_water
from layers.tallies import by_category
from layers.values import WHOLE, CellValues, cell_values
from layers.versions import versions

MAPS = 6
PIXELS = 420.0
SMALLEST_PIXELS = 3.0
WAYS = ("category", "time")


def show(session: Session, view: View) -> None:
    """Put six small maps, each with its count and a link to the large one."""
    actor, territory, filters, titles = view.actor, view.territory, view.filters, view.titles
    if filters.earlier is not None:
        widgets.empty(
            t("Small maps show one period at a time."), t("Choose “Nothing” under “Compare with” above.")
        )  # fmt: skip
        return
    names = {"category": t("By category"), "time": t("By time")}
    way = st.segmented_control(
        t("One map for each"), WAYS, format_func=names.__getitem__, default="category", required=True,
        key=f"{state.MAP_TABLE}_small", label_visibility="collapsed",
    )  # fmt: skip
    parts = _of_time(filters) if way == "time" else _of_categories(session, actor, filters, titles)
    if not parts:
        widgets.empty(t("Nothing was reported in this period."), t("A longer period has more to show."))
        return
    _, metric = map_paper.extent(session, actor, territory, "mine", None)
    frame = map_paper.frame_of(metric, tallest=0.8, flattest=0.62)
    unit_m = (frame.east - frame.west) / PIXELS
    first = map_paper.fill_of(session, actor, filters, None, unit_m, smallest=SMALLEST_PIXELS)
    found = [cell_values(session, actor, replace(part.question(), by=first.level)) for _, part, _ in parts]
    # One scale for all of them, or they could not be compared.
    shared = CellValues(first.first_id, np.concatenate([each.values for each in found]), (), 0, limited=False)
    shared = replace(shared, edges=tuple(map_classes.usual_edges(shared.values, whole=filters.metric in WHOLE)))
    drawn = map_classes.painted(shared, filters.metric, filters.scheme)
    ground = _ground(session, territory, territory.id, frame, versions.of(territory.id, ("basemap",)))
    st.html(f"<style>.gk-small-ground{{background-image:url(data:image/svg+xml,{quote(ground)})}}</style>")
    places = map_paper.shapes_of(session, territory, frame, first, filters)
    cards = []
    for (title, part, said), values in zip(parts, found, strict=True):
        fill = Fill(first.level, values.first_id, values.values, drawn.edges, drawn.colours, first.legend)
        svg = _svg(map_paper.filled(places, fill, frame, "small"), frame)
        count = tn("{count} incident", "{count} incidents", _counted(session, actor, part, values))
        href = escape(map_address.link(st.query_params, said))
        cards.append(
            f'<figure><div class="gk-small-ground"><img alt="{escape(f"{title}: {count}")}"'
            f' src="data:image/svg+xml,{quote(svg)}"></div><figcaption><a href="{href}" target="_self">'
            f'{escape(title)}</a><span class="gk-muted">{escape(count)}</span></figcaption></figure>'
        )
    widgets.write(f'<div class="gk-small-maps">{"".join(cards)}</div>')
    said = {"cell": t("by unit grid"), "responsibility": t("by responsibility grid"), "community": t("by community")}
    notes = [said[first.level], t("All maps have the same classes"), t("Map data {credit}", credit=OSM_CREDIT)]
    if territory.is_demo:
        notes.insert(2, t("Incidents are simulated"))
    widgets.write(legend_html([map_classes.legend_of(filters.metric, drawn)], notes))


def _counted(session: Session, actor: Actor, part: Filters, values: CellValues) -> int:
    """Return how many incidents a map counts; of the actor's own communities where he has some."""
    asked = part.metric if part.metric in {"open", "overdue"} else part.status
    if asked == "overdue" or not actor.area_ids:
        return values.total
    told = by_category(session, actor, part.question(), area_ids=actor.area_ids)
    still_open, closed = sum(each.open for each in told), sum(each.closed for each in told)
    return {"open": still_open, "closed": closed}.get(asked, still_open + closed)


def _of_categories(
    session: Session, actor: Actor, filters: Filters, titles: Mapping[str, str]
) -> list[tuple[str, Filters, dict[str, str]]]:
    chosen = by_category(session, actor, filters.question(), area_ids=actor.area_ids)
    return [
        (titles.get(each.category, each.category), replace(filters, categories=(each.category,)),
         _large(filters) | {"categories": each.category})
        for each in chosen[:MAPS]
    ]  # fmt: skip


def _of_time(filters: Filters) -> list[tuple[str, Filters, dict[str, str]]]:
    """Return the period in up to six parts of the same number of days; days over are left out at the beginning."""
    days = (filters.last - filters.first).days + 1
    count = min(MAPS, days)
    length = days // count
    first = filters.last - dt.timedelta(days=length * count - 1)
    parts: list[tuple[str, Filters, dict[str, str]]] = []
    for at in range(count):
        begin = first + dt.timedelta(days=at * length)
        end = begin + dt.timedelta(days=length - 1)
        part = replace(filters, first=begin, last=end)
        title = i18n.day(begin) if length == 1 else t("{first} – {last}", first=i18n.day(begin), last=i18n.day(end))
        parts.append((title, part, _large(part)))
    return parts


def _large(filters: Filters) -> dict[str, str]:
    """Return what the address of the large map says otherwise than that of the small ones."""
    return {"view": "", "days": "0", "from": filters.first.isoformat(), "to": filters.last.isoformat()}


def _svg(inside: str, frame: Frame) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE:.0f} {frame.high:.0f}">{inside}</svg>'


@st.cache_data(ttl=3600, max_entries=8, show_spinner=False)
def _ground(
    _session: Session, _territory: TerritoryInfo, territory_id: int, frame: Frame, version: Sequence[int] | None
) -> str:
    """Return the ground of the small maps, coarse: streets worth seeing and water."""
    del version
    island: Any = surrounded_by_water(_session, territory_id)
    wide = map_paper.ground_of(_session, _territory, frame)
    return _svg(base(wide, frame, island=bool(island), fine=False), frame)
