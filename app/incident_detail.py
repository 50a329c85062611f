"""One incident beside the list: its fields, its clock, its tasks, its place and its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import folium
import streamlit as st
from sqlalchemy.orm import Session

from app import (
    appeal_parts,
    evidence_parts,
    i18n,
    incident_acts,
    incident_clocks,
    incident_emergency,
    incident_family,
    incident_side,
    incident_word,
    maps,
    reporter_panel,
    rules_parts,
    widgets,
    words,
)
from app.i18n import t
from app.widgets import Cell, Column
from core.clock import now
from core.identity import Actor, May
from geodata.record import RecordEntry
from geodata.territory import TerritoryInfo
from incidents.model import IncidentDetail, IncidentRow, TaskInfo
from incidents.service.components import component_of_incident
from incidents.service.evidence import evidence_of
from layers.style import LIGHT
from layers.values import Question

CHANGES_SHOWN = 6
MAP_ZOOM = 16
MAP_PX = 240


def show(session: Session, detail: IncidentDetail, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> None:
    """Put the incident."""
    row = detail.row
    left, tone = words.due(row, moment)
    state = words.status(row.status)
    tail = f" · {widgets.toned(left, tone).text}" if row.is_open else ""
    # In a demo city the head of the page says it already.
    label = f'<span class="gk-label">{t("Simulated data")}</span>' if row.simulated and not territory.is_demo else ""
    name = widgets.html(row.title(i18n.locale()))
    number = widgets.html(row.number)
    widgets.write(f'<div class="gk-title"><h2>{name}</h2>{label}</div><p>{number} · {state}{tail}</p>')
    incident_side.show(detail, territory, moment)
    incident_side.nobody_looks(session, actor, detail, moment)
    incident_emergency.show(session, actor, territory, detail)
    incident_acts.show(session, actor, territory, detail)
    incident_family.show(session, actor, territory, detail)
    incident_word.show(session, actor, territory, detail)
    appeal_parts.offer(session, actor, detail)
    evidence_parts.lacking(detail)
    infos = evidence_of(session, actor, row.id)
    fields, shown, tasks, history = st.tabs([t("Incident"), evidence_parts.label(infos), t("Tasks"), t("History")])
    with fields:
        widgets.fields(_fields(session, detail, actor), beside=True)
        kept = rules_parts.filed_under(detail.filed_under, row.title(i18n.locale()))
        widgets.fields(_clock(row, territory, moment) | kept, beside=True)
        incident_clocks.show(session, detail, actor, territory, moment)
        reporter_panel.show(actor, row.id)
        _map(row, actor, territory, moment)
    with shown:
        evidence_parts.show(actor, detail, territory, infos)
    with tasks:
        _tasks(detail.tasks, territory)
    with history:
        _history(detail, territory)


def _fields(session: Session, detail: IncidentDetail, actor: Actor) -> dict[str, Cell]:
    row = detail.row
    fields: dict[str, Cell] = {
        **_component(session, actor, row),
        t("Category"): i18n.either(row.category_en, row.category_zh),
        t("Priority"): t("emergency") if row.emergency else words.priority(row.priority),
        t("Place"): row.place,
        t("Unit grid"): widgets.link(row.grid_code, f"/map?grid={row.grid_id}"),
        t("Community"): widgets.link(
            i18n.either(row.community, row.community_zh), f"/incidents?community={row.community_id}"
        ),
        t("Unit"): _unit(row, actor),
        t("Grid worker"): row.worker_code,
        t("Source"): words.source(row.source),
    }
    if detail.external_ref:
        fields[t("Number elsewhere")] = f"{detail.external_ref} ({detail.source_system})"
    fields[t("Note")] = {
        "shown": detail.note or "",
        "none": "",
        "erased": t("erased on request"),
        "not permitted": t("not for your role"),
    }.get(detail.note_state, "")
    return fields


def _component(session: Session, actor: Actor, row: IncidentRow) -> dict[str, Cell]:
    """Return the component the incident is about, with the way to it; nothing where it is about none."""
    if not row.category.startswith("component-"):
        return {}
    found = component_of_incident(session, actor, row.id)
    return {} if found is None else {t("Component"): widgets.link(found[1], f"/components?component={found[1]}")}


def _unit(row: IncidentRow, actor: Actor) -> Cell:
    """Return the unit with the way to its page, or to its incidents for those who do not see units."""
    if row.unit_id is None:
        return None
    page = "units" if actor.may(May.SEE_PEOPLE) else "incidents"
    return widgets.link(i18n.either(row.unit, row.unit_zh), f"/{page}?unit={row.unit_id}")


def _clock(row: IncidentRow, territory: TerritoryInfo, moment: dt.datetime) -> dict[str, Cell]:
    def at(when: dt.datetime | None) -> str | None:
        return i18n.clock(when, territory.timezone, now=moment) if when else None

    clock: dict[str, Cell] = {
        t("Reported at"): at(row.reported_at),
        t("Filed at"): at(row.filed_at),
        t("Dispatched at"): at(row.dispatched_at),
        t("Handled at"): at(row.handled_at),
        t("Closed at"): at(row.closed_at),
    }
    shown: dict[str, Cell] = {name: value for name, value in clock.items() if value}
    shown[t("Due")] = i18n.moment(row.due_at, territory.timezone, now=moment) if row.due_at else t("no limit")
    if row.reworks:
        shown[t("Reworks")] = i18n.number(row.reworks)
    return shown


def _map(row: IncidentRow, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> None:
    """Put a small map of the place, without the layers of the city map."""
    settings = maps.map_settings(territory, actor, {}, island=False)
    drawn = maps.city_map(replace(territory, opens=(row.lon, row.lat, MAP_ZOOM)), settings)
    folium.CircleMarker(
        [row.lat, row.lon], radius=8, color=LIGHT.surface, weight=2, fill_color=LIGHT.primary, fill_opacity=1
    ).add_to(drawn)
    today = moment.astimezone(territory.zone).date()
    nothing = Question("reported", today, today)
    hidden = dict.fromkeys(("grids", "incidents", "facilities", "traffic"), False)
    maps.show(drawn, maps.MapState(nothing, nothing, hidden), key=f"gk-point-{row.id}-{i18n.locale()}", height=MAP_PX)


def _tasks(tasks: tuple[TaskInfo, ...], territory: TerritoryInfo) -> None:
    if not tasks:
        widgets.empty(t("No task yet."), t("Tasks come when the incident is dispatched."))
        return
    widgets.table(
        [Column(t("Task")), Column(t("State")), Column(t("Owner")), Column(t("Due"), right=True)],
        [
            (
                words.task_kind("help" if task.joint and task.worker_code else task.kind),
                words.task_state(task.state),
                task.worker_code or i18n.either(task.unit, task.unit_zh),
                i18n.clock(task.due_at, territory.timezone) if task.due_at else None,
            )
            for task in tasks
        ],
    )


def _history(detail: IncidentDetail, territory: TerritoryInfo) -> None:
    if not detail.history:
        widgets.empty(t("No entry in the record."), t("Every later act on this incident will stand here."))
        return
    names = _names(detail)
    widgets.table(
        [Column(t("When"), fixed=True), Column(t("By")), Column(t("What"))],
        [
            (i18n.clock(entry.at, territory.timezone), words.doer(entry.actor_label), _entry(entry, territory, names))
            for entry in reversed(detail.history)
        ],
    )
    widgets.note(t("The record cannot be changed; personal fields stand in it as ciphertext only."))


def _names(detail: IncidentDetail) -> dict[tuple[str, int], str]:
    """Return the names of the units and workers that occur in the history, by column and id."""
    row = detail.row
    owners = [(row.unit_id, row.unit, row.unit_zh, row.worker_id, row.worker_code)]
    owners += [(task.unit_id, task.unit, task.unit_zh, task.worker_id, task.worker_code) for task in detail.tasks]
    names: dict[tuple[str, int], str] = {}
    for unit_id, unit, unit_zh, worker_id, code in owners:
        if unit_id is not None:
            names["unit_id", unit_id] = i18n.either(unit, unit_zh)
        if worker_id is not None:
            names["worker_id", worker_id] = code or ""
    return names


def _entry(entry: RecordEntry, territory: TerritoryInfo, names: Mapping[tuple[str, int], str]) -> str:
    """Return what an entry says: the act, and the fields it changed."""
    act = words.purpose(entry.purpose)
    if entry.table == "task":
        act = " · ".join((act or words.act(entry.action), t("task")))
    if entry.action != "update":
        made = words.act(entry.action)
        owner = names.get(("worker_id", entry.changes.get("worker_id", (None, None))[1] or 0), "")
        return " · ".join(part for part in (act or made, owner if entry.table == "task" else "") if part)
    named = []
    for column, (before, after) in entry.changes.items():
        field = words.column(column)
        if field:
            old, new = (_value(column, value, territory, names) for value in (before, after))
            named.append(t("{field}: {before} to {after}", field=field, before=old, after=new))
    changed = "; ".join(named[:CHANGES_SHOWN]) or words.act(entry.action)
    return f"{act}: {changed}" if act else changed


def _value(column: str, value: Any, territory: TerritoryInfo, names: Mapping[tuple[str, int], str]) -> str:
    if value is None:
        return "–"
    if column in {"unit_id", "worker_id"}:
        return names.get((column, int(value)), str(value))
    if column in {"state", "status"}:
        return (words.task_state if column == "state" else words.status)(str(value))
    if column.endswith("_at"):
        try:
            return i18n.clock(dt.datetime.fromisoformat(str(value)), territory.timezone, now=now())
        except ValueError:
            return str(value)
    return str(value)
