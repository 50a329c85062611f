"""Grid file: all about one unit grid, in force or ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import folium
import shapely
import streamlit as st
from sqlalchemy.orm import Session

from app import (
    as_of,
    draw_form,
    draw_map,
    grid_borders,
    grid_notes,
    grid_past,
    grid_sheet,
    guard,
    i18n,
    maps,
    state,
    widgets,
    words,
)
from app.grid_panel import facility_words
from app.i18n import t, tn
from app.map_legend import bars_html, spark_html
from app.where import territory_of
from app.widgets import Cell, Column, Fact
from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor, May, Role, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from grids import forming, publishing
from grids.border_model import Stretch
from grids.change_model import CellVersion, GridFile
from incidents.components import ComponentFilter
from incidents.service import components as register
from incidents.service import grid_incidents_summary
from layers.style import LIGHT
from layers.values import Question
from people.service import list_workers

MAP_PX, MAP_WIDTH_PX = 380, 690
NEIGHBOURS_SHOWN = 12


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_MAP)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Grid file"), simulated=territory.is_demo)
        day = _find(session, actor, territory)
        given = st.query_params.get("grid", "")
        if not (given.isdecimal() and len(given) < 10):
            widgets.empty(
                t("No grid is chosen."),
                t("Give its code above, or choose one on the map."),
                link_label=t("City map"),
                href="/map",
            )
            return
        with guard.page():
            _file(session, actor, territory, publishing.grid_file(session, actor, int(given)), day)


def _find(session: Session, actor: Actor, territory: TerritoryInfo) -> dt.date | None:
    """Put the bar; return the day of the past that is asked about."""
    with widgets.filter_bar():
        code = st.text_input(t("Grid code"), max_chars=40, key="gk_grid_code", width=260)
        day = as_of.control(territory, key=f"{state.GRID_FILE_MAP}-on-{i18n.locale()}")
    if code and code != st.session_state.get("gk_grid_code_done"):
        st.session_state["gk_grid_code_done"] = code
        try:
            st.query_params["grid"] = str(publishing.find_cell(session, actor, code))
        except GridkeeperError as error:
            widgets.known_error(error)
    return day


def _file(session: Session, actor: Actor, territory: TerritoryInfo, file: GridFile, day: dt.date | None) -> None:
    place = i18n.either(file.community, file.community_zh)
    standing = t("in force since {day}", day=i18n.day(file.started_on))
    if file.ended_on is not None:
        standing = t("ended on {day}", day=i18n.day(file.ended_on))
    widgets.write(
        f'<div class="gk-title"><h2>{widgets.html(t("Grid {code}", code=file.code))}</h2>'
        f'<span class="gk-muted">{widgets.html(place)} · {widgets.html(standing)}</span></div>'
    )
    if day is not None:
        _then(session, actor, territory, file, day)
        return
    listed = actor.may(May.SEE_INCIDENTS) and actor.role is not Role.HANDLER
    found = grid_incidents_summary(session, actor, file.id)
    daily, young = found.daily, any(each.is_parent for each in file.versions)
    if young and actor.may(May.SEE_INCIDENTS):
        placed = publishing.daily_by_place(session, actor, file.id, len(found.days))
        daily = tuple(placed.get(day, 0) for day in found.days)
    components = register.count_components(session, actor, ComponentFilter((), None, (), None, file.id, ""))
    rows = f"/incidents?grid={file.id}" if listed else ""
    widgets.facts(
        [
            Fact(
                t("Open incidents"),
                i18n.number(found.open),
                href=f"{rows}&status=open" if rows and found.open else "",
            ),
            Fact(t("Late"), "–" if found.late is None else i18n.number(found.late), "late" if found.late else ""),
            Fact(t("People"), "–" if file.people is None else i18n.number(file.people)),
            Fact(t("Components"), i18n.number(components), href=f"/components?grid={file.id}" if components else ""),
            Fact(t("Facilities"), i18n.number(sum(file.facilities.values()))),
            Fact(t("Surface"), t("{area} ha", area=i18n.number(file.area_m2 / 1e4, 2))),
        ]
    )
    if st.query_params.get("sheet"):
        grid_sheet.show(session, actor, territory, file, _fields(session, actor, territory, file, linked=False))
        return
    sheet = widgets.link(t("Sheet to print"), f"/grid-file?grid={file.id}&sheet=1").text
    widgets.write(f'<p class="gk-no-print">{sheet}</p>')
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        along = grid_past.borders(session, actor, territory, file, None)
        _map(territory, actor, file, along)
        grid_past.put_borders(file, along, None)
        _trend(daily, {} if young else found.by_category)
        if young:
            before = i18n.day(file.started_on)
            widgets.note(
                t("Counted by place: the reports before {day} were filed under the grids it came from.", day=before)
            )
    with right:
        widgets.fields(_fields(session, actor, territory, file), beside=True)
        _versions(file)
        grid_past.whose(session, actor, file)
        grid_notes.show(session, actor, territory, file)


def _then(session: Session, actor: Actor, territory: TerritoryInfo, file: GridFile, day: dt.date) -> None:
    """Put the grid as it stood at the end of a day of the past."""
    if not grid_past.stood(file, day):
        grid_past.instead(session, actor, territory, file, day)
        return
    grid_past.facts(session, actor, file, day)
    found = grid_past.borders(session, actor, territory, file, day)
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        _map(territory, actor, file, found, day)
        grid_past.put_borders(file, found, day)
    with right:
        widgets.fields(grid_past.fields(session, actor, file, day), beside=True)
        _versions(file)


def _fields(
    session: Session, actor: Actor, territory: TerritoryInfo, file: GridFile, *, linked: bool = True
) -> dict[str, Cell]:
    kinds = {"block": t("Block along the streets"), "square": t("Square"), "hexagon": t("Hexagon")}
    kinds["file"] = t("Out of a file")
    beside = file.neighbours[:NEIGHBOURS_SHOWN]
    links = ", ".join(widgets.link(code, f"/grid-file?grid={each}").text for each, code in beside)
    worker, deputy = _workers(session, actor, territory, file.responsibility_code)
    told: dict[str, Cell] = {
        t("Code"): f"{file.code} ({file.scheme})",
        t("Community"): i18n.either(file.community, file.community_zh),
        t("Settlement"): t("town") if file.settlement == "town" else t("countryside"),
        t("Shape"): kinds.get(file.kind, file.kind),
        t("Border"): t("{metres} m", metres=i18n.number(file.border_m)),
        t("Compactness"): i18n.number(file.compactness, 2),
        t("Responsibility grid"): i18n.either(file.responsibility_name or "", file.responsibility_name_zh) or "–",
        t("Grid worker"): worker,
        t("Stands in today"): deputy,
        t("Facilities"): facility_words(file.facilities),
        **draw_form.of_cell(forming.form_of_cell(session, actor, territory, file.id)),
    }
    if linked:
        told[t("Neighbours")] = widgets.Html(links) if links else "–"
        told[t("On the map")] = widgets.link(t("City map"), f"/map?grid={file.id}") if file.ended_on is None else "–"
    return told


def _workers(session: Session, actor: Actor, territory: TerritoryInfo, code: str | None) -> tuple[str, str]:
    if code is None or not actor.may(May.SEE_INCIDENTS):
        return "–", "–"
    every = list_workers(session, actor, territory.id)
    own = [each.name or each.code for each in every if each.grid_code == code]
    instead = [each.name or each.code for each in every if code in each.stands_in]
    return ", ".join(own) or t("nobody"), ", ".join(instead) or "–"


def _trend(daily: tuple[int, ...], by_category: Mapping[str, int]) -> None:
    total = sum(daily)
    label = tn("{count} report in 90 days", "{count} reports in 90 days", total)
    widgets.heading(t("90 days"), aside=label)
    if total:
        widgets.write(spark_html(daily, label))
        shown = list(by_category.items())[:6]
        widgets.write(bars_html({words.category(key): count for key, count in shown}, {}))


def _versions(file: GridFile) -> None:
    widgets.heading(t("Versions"))
    if not file.versions:
        widgets.note(t("This grid was neither split nor merged since it began."))
        return
    parents = [each for each in file.versions if each.is_parent]
    children = [each for each in file.versions if not each.is_parent]
    widgets.table(
        [Column(t("Grid")), Column(t("Relation")), Column(t("In force")), Column(t("Common ground, m²"), right=True)],
        [_version(each, t("came from")) for each in parents] + [_version(each, t("became")) for each in children],
    )


def _version(each: CellVersion, relation: str) -> tuple[Cell, ...]:
    until = i18n.day(each.ended_on) if each.ended_on else t("today")
    return (
        widgets.link(each.code, f"/grid-file?grid={each.id}"),
        relation,
        f"{i18n.day(each.started_on)} – {until}",
        i18n.number(each.shared_m2),
    )


def _map(
    territory: TerritoryInfo, actor: Actor, file: GridFile, borders: list[Stretch], day: dt.date | None = None
) -> None:
    west, south, east, north = file.shape.bounds
    today: dt.date = now().astimezone(territory.zone).date()
    nothing = Question("reported", today, today)
    settings = maps.map_settings(territory, actor, {}, island=False, day=day)
    wide, high = (east - west) * 0.1, (north - south) * 0.1
    around = (west - wide, south - high, east + wide, north + high)
    opens = ((west + east) / 2, (south + north) / 2, draw_map.zoom_of(around, MAP_WIDTH_PX, MAP_PX))
    made = maps.city_map(replace(territory, opens=opens), settings)
    drawn = folium.FeatureGroup(name="grid")
    folium.GeoJson(shapely.geometry.mapping(file.shape), style_function=_style).add_to(drawn)
    for line in grid_borders.drawn(borders, method=file.kind):
        line.add_to(drawn)
    layers = {"grids": False, "incidents": False, "facilities": True, "traffic": False}
    pushed = maps.MapState(nothing, nothing, layers)
    key = f"{state.GRID_FILE_MAP}-{file.id}-{day or 'now'}-{i18n.locale()}"
    maps.show(made, pushed, key=key, height=MAP_PX, overlays=[drawn])
    widgets.write(grid_borders.legend(dict.fromkeys((each.kind for each in borders), 1.0), shares=False))


def _style(feature: dict[str, Any]) -> dict[str, Any]:
    del feature
    return {"color": LIGHT.primary, "weight": 1, "fillColor": LIGHT.primary, "fillOpacity": 0.12}


show()
