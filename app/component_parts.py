"""One component beside the register: owners, small map, incidents, history; and the forms that add and change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import folium
import streamlit as st

from app import component_words, i18n, maps, state, unit_words, widgets, words
from app.i18n import t
from app.widgets import Cell, Column
from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents.components import OPEN, RESTRICTED, STATES, ComponentDetail, ComponentRow, ComponentSpec
from incidents.model import ClassInfo
from incidents.service import components as register
from layers.style import LIGHT
from layers.values import Question

MAP_ZOOM = 17
MAP_PX = 240
FIRST_DAY, LAST_DAY = dt.date(1949, 10, 1), dt.date(2199, 12, 31)
Units = Mapping[int, tuple[str, str, str | None]]


@dataclass(frozen=True, slots=True)
class Around:
    """What the parts of the page need: who reads, where, the classes and the units there are."""

    actor: Actor
    territory: TerritoryInfo
    classes: list[ClassInfo]
    units: Units

    def unit_name(self, unit_id: int) -> str:
        """Return the name of a unit."""
        _, name, name_zh = self.units[unit_id]
        return i18n.either(name, name_zh)


def show(around: Around, detail: ComponentDetail) -> None:
    """Put the component."""
    row = detail.row
    # In a demo city the head of the page says it already.
    simulated = row.simulated and not around.territory.is_demo
    label = f'<span class="gk-label">{t("Simulated data")}</span>' if simulated else ""
    widgets.write(
        f'<div class="gk-title"><h2>{widgets.html(row.title(i18n.locale()))}</h2>{label}</div>'
        f"<p>{row.code} · {widgets.html(component_words.state(row.state))}</p>"
    )
    _acts(around, row)
    about, incidents, history = st.tabs([t("Component"), t("Incidents"), t("History")])
    with about:
        widgets.fields(_fields(around, detail), beside=True)
        _map(around, row)
    with incidents:
        _incidents(around, detail)
    with history:
        _history(around, detail)


def _fields(around: Around, detail: ComponentDetail) -> dict[str, Cell]:
    row = detail.row
    fields: dict[str, Cell] = {}
    for label, unit_id in zip((t("In charge"), t("Property of"), t("Maintained by")), row.spec.owners, strict=True):
        fields[label] = _unit(around, unit_id)
    fields |= {
        t("Place"): row.place,
        t("Community"): widgets.link(
            i18n.either(row.community, row.community_zh), f"/components?community={row.community_id}"
        ),
        t("Unit grid"): None if detail.grid is None else widgets.link(detail.grid[1], f"/map?grid={detail.grid[0]}"),
        t("First day"): i18n.day(row.valid_from) if row.valid_from else t("not known"),
        t("Sensitivity"): component_words.sensitivity(row.sensitivity),
    }
    if row.valid_to:
        fields[t("Last day")] = i18n.day(row.valid_to)
    return fields


def _unit(around: Around, unit_id: int | None) -> Cell:
    if unit_id is None or unit_id not in around.units:
        return None
    name = around.unit_name(unit_id)
    return widgets.link(name, f"/units?unit={unit_id}") if around.actor.may(May.SEE_PEOPLE) else name


def _map(around: Around, row: ComponentRow) -> None:
    today = now().astimezone(around.territory.zone).date()
    nothing = Question("reported", today, today)
    titles = {each.category: i18n.either(each.category_en, each.category_zh) for each in around.classes}
    settings = maps.map_settings(around.territory, around.actor, titles, island=False)
    drawn = maps.city_map(replace(around.territory, opens=(row.lon, row.lat, MAP_ZOOM)), settings)
    folium.CircleMarker(
        [row.lat, row.lon], radius=8, color=LIGHT.surface, weight=2, fill_color=LIGHT.primary, fill_opacity=1
    ).add_to(drawn)
    hidden = dict.fromkeys(("grids", "incidents", "facilities", "traffic"), False)
    shown = maps.MapState(nothing, nothing, hidden | {"components": True})
    maps.show(drawn, shown, key=f"gk-component-{row.id}-{i18n.locale()}", height=MAP_PX)


def _incidents(around: Around, detail: ComponentDetail) -> None:
    if not around.actor.may(May.SEE_INCIDENTS):
        widgets.empty(t("Incidents are not for your role."), t("Their counts stand on the map."))
        return
    if not detail.incidents:
        widgets.empty(t("No incident about this component."), t("One that is filed with its identifier stands here."))
        return
    widgets.table(
        [Column(t("Number")), Column(t("Status")), Column(t("Reported at"), right=True)],
        [
            (
                widgets.link(each.number, f"/incidents?incident={each.id}"),
                words.status(each.status),
                i18n.clock(each.reported_at, around.territory.timezone),
            )
            for each in detail.incidents
        ],
    )


def _history(around: Around, detail: ComponentDetail) -> None:
    if not detail.history:
        widgets.empty(t("No entry in the record."), t("Every later act will stand here."))
        return
    widgets.table(
        [Column(t("When"), fixed=True), Column(t("By")), Column(t("What"))],
        [
            (
                i18n.clock(entry.at, around.territory.timezone),
                words.doer(entry.actor_label),
                component_words.entry(entry, around.units),
            )
            for entry in reversed(detail.history)
        ],
    )
    widgets.note(t("The record cannot be changed."))


def _acts(around: Around, row: ComponentRow) -> None:
    if not register.may_write(around.actor, row.spec, row.community_id):
        return
    mark = f"{row.id}_{row.version}_{i18n.locale()}"
    with st.popover(t("Change"), key=f"gk_component_change_{mark}"), st.form(f"gk_component_form_{mark}", border=False):
        given = _inputs(around, row.spec, key=f"gk_component_{mark}", fixed=row.restricted_by_class)
        if st.form_submit_button(t("Save")):
            do(
                lambda session: register.change_component(
                    session, around.actor, around.territory, row.id, version=row.version, **given
                ),
                around.actor,
                t("{name}: changed.", name=row.code),
            )


def add_form(around: Around) -> None:
    """Put the form of a new component; without an identifier it takes the next free one."""
    key = f"gk_component_new_{st.session_state.get(state.COMPONENT_ROUND, 0)}_{i18n.locale()}"
    lon, lat, _ = around.territory.opens
    with st.form(key, border=False, clear_on_submit=False):
        kinds = {each.key: each for each in around.classes}
        chosen = st.selectbox(
            t("Class"),
            list(kinds),
            format_func=lambda each: f"{kinds[each].title(i18n.locale())} · {kinds[each].code}",
            key=f"{key}_class",
        )
        code = st.text_input(
            t("Identifier"), max_chars=16, key=f"{key}_code", help=t("16 digits; empty takes the next free one.")
        )
        given = _inputs(around, ComponentSpec("", chosen or "", lon, lat), key=key, fixed=False)
        if st.form_submit_button(t("Add the component"), type="primary"):
            spec = ComponentSpec(code=code.strip(), class_key=chosen or "", **given)
            do(
                lambda session: register.add_component(session, around.actor, around.territory, spec),
                around.actor,
                t("The component was added."),
            )


def _inputs(around: Around, spec: ComponentSpec, *, key: str, fixed: bool) -> dict[str, Any]:
    """Put the fields of a component and return what they say; ``fixed`` ones stay restricted."""
    given: dict[str, Any] = {}
    given["state"] = st.selectbox(
        t("State"), STATES, index=STATES.index(spec.state), format_func=component_words.state, key=f"{key}_state"
    )
    ids = list(around.units)
    for name, unit_id in zip(component_words.OWNERS, spec.owners, strict=True):
        given[name] = st.selectbox(
            component_words.column(name),
            ids,
            index=ids.index(unit_id) if unit_id is not None and unit_id in around.units else None,
            format_func=around.unit_name,
            placeholder=t("none"),
            key=f"{key}_{name}",
        )
    given["place"] = st.text_input(t("Place"), spec.place, max_chars=200, key=f"{key}_place")
    left, right = st.columns(2)
    given["lon"] = left.number_input(t("Longitude"), -180.0, 180.0, spec.lon, format="%.6f", key=f"{key}_lon")
    given["lat"] = right.number_input(t("Latitude"), -90.0, 90.0, spec.lat, format="%.6f", key=f"{key}_lat")
    for part, name, value in ((left, "valid_from", spec.valid_from), (right, "valid_to", spec.valid_to)):
        given[name] = part.date_input(
            component_words.column(name),
            value,
            min_value=FIRST_DAY,
            max_value=LAST_DAY,
            format=widgets.DATE_FORMATS[i18n.locale()],
            key=f"{key}_{name}",
        )
    if fixed:
        widgets.note(t("Gas, power, telecom and water: only for roles with incidents, and never in an export."))
        given["sensitivity"] = RESTRICTED
    else:
        narrow = st.checkbox(
            t("Only for roles with incidents"), spec.sensitivity == RESTRICTED, key=f"{key}_sensitivity"
        )
        given["sensitivity"] = RESTRICTED if narrow else OPEN
    return given


def do(act: Callable[..., Any], actor: Actor, told: str, *, purpose: str = "") -> None:
    """Do an act in a transaction of its own, keep what came of it for the top of the page, and draw it anew."""
    try:
        with transaction(actor, purpose=purpose) as session:
            act(session)
    except GridkeeperError as error:
        st.session_state[state.COMPONENT_WRONG] = error
    else:
        st.session_state[state.COMPONENT_TOLD] = told
        st.session_state[state.COMPONENT_ROUND] = st.session_state.get(state.COMPONENT_ROUND, 0) + 1
    st.rerun()


def news() -> None:
    """Put what came of the last act."""
    told = st.session_state.pop(state.COMPONENT_TOLD, None)
    if told is not None:
        widgets.told(told)
    wrong = st.session_state.pop(state.COMPONENT_WRONG, None)
    if wrong is not None:
        unit_words.refused(wrong)
