"""Units and the duty list in words: kinds, days, areas, what an entry of the record says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app import i18n, widgets, words
from app.i18n import t
from app.widgets import Column
from core.errors import DataQuality, GridkeeperError
from geodata.record import RecordEntry
from geodata.territory import TerritoryInfo
from people.duty_model import AreaName, ClassName
from people.unit_model import UnitRecord, Violation

VIOLATIONS_SHOWN = 20
Named = Mapping[str, Callable[[Any], str]]


def kind(key: str) -> str:
    """Return the kind of a unit."""
    return {
        "centre": t("Centre"),
        "department": t("Department"),
        "company": t("Company"),
        "street_office": t("Street office"),
        "team": t("Team"),
        "partner": t("Partner"),
    }.get(key, key)


def name(unit: UnitRecord | None) -> str:
    """Return the name of a unit; empty for none."""
    return "" if unit is None else i18n.either(unit.spec.name, unit.spec.name_zh)


def area(found: AreaName | None) -> str:
    """Return the name of an area; None is the whole territory."""
    if found is None:
        return t("Whole territory")
    label = i18n.either(found.name, found.name_zh)
    return label if found.level == "community" else f"{label} ({area_level(found.level)})"


def area_level(key: str) -> str:
    """Return the level of an area."""
    return {"district": t("district"), "street": t("street area"), "community": t("community")}.get(key, key)


def class_name(found: ClassName) -> str:
    """Return the name of a class."""
    return i18n.either(found.name_en, found.name_zh)


def days(first: dt.date, last: dt.date | None) -> str:
    """Return days from a first to a last: "1 Jan 2026 – 3 Mar 2026", or "from 1 Jan 2026"."""
    if last is None:
        return t("from {day}", day=i18n.day(first))
    return i18n.day(first) if first == last else f"{i18n.day(first)} – {i18n.day(last)}"


def state(unit: UnitRecord, today: dt.date) -> tuple[str, str]:
    """Return whether a unit exists in words, and the tone; empty for one that simply goes on."""
    if unit.spec.valid_from > today:
        return t("begins {day}", day=i18n.day(unit.spec.valid_from)), "soon"
    if unit.spec.valid_to is None:
        return "", ""
    if unit.spec.valid_to < today:
        return t("ended {day}", day=i18n.day(unit.spec.valid_to)), "done"
    return t("ends {day}", day=i18n.day(unit.spec.valid_to)), "soon"


def column(key: str) -> str:
    """Return the name of a field in the history of a unit or of an entry; empty for what is not shown."""
    return {
        "code": t("Code"),
        "kind": t("Kind"),
        "name": t("Unit name"),
        "name_zh": t("Name in Chinese"),
        "parent_id": t("Unit above"),
        "contact": t("Contact"),
        "contact_zh": t("Contact in Chinese"),
        "phone": t("Phone"),
        "email": t("E-mail"),
        "address": t("Address"),
        "calendar_id": t("Working calendar"),
        "valid_from": t("First day"),
        "valid_to": t("Last day"),
        "unit_id": t("Unit"),
        "legal_basis": t("Legal basis"),
    }.get(key, "")


def history(entries: Sequence[RecordEntry], territory: TerritoryInfo, named: Named) -> None:
    """Put what happened to a unit or an entry, newest first; ``named`` turns ids of a column into names."""
    if not entries:
        widgets.empty(t("No entry in the record."), t("Every later act will stand here."))
        return
    widgets.table(
        [Column(t("When"), fixed=True), Column(t("By")), Column(t("What"))],
        [
            (i18n.clock(entry.at, territory.timezone), words.doer(entry.actor_label), _entry(entry, named))
            for entry in reversed(entries)
        ],
    )
    widgets.note(t("The record cannot be changed."))


def _entry(entry: RecordEntry, named: Named) -> str:
    if entry.action != "update":
        shown = ("name_zh", "name") if i18n.locale() == "zh" else ("name",)
        name_then = next((value for key in shown for value in entry.changes.get(key, ()) if value), "")
        return " · ".join(part for part in (words.act(entry.action), str(name_then)) if part)
    told = [
        t("{field}: {before} to {after}", field=label, before=_value(key, old, named), after=_value(key, new, named))
        for key, (old, new) in entry.changes.items()
        if (label := column(key))
    ]
    return "; ".join(told) or words.act(entry.action)


def _value(key: str, value: Any, named: Named) -> str:
    if value is None or value == "":
        return t("no end") if key == "valid_to" else "–"
    if key in named:
        return named[key](value)
    if key in {"valid_from", "valid_to"}:
        return i18n.day(dt.date.fromisoformat(str(value)))
    return kind(str(value)) if key == "kind" else str(value)


def refused(error: GridkeeperError) -> None:
    """Say what was refused; of broken data every rule, a line each."""
    if not isinstance(error, DataQuality):
        widgets.known_error(error)
        return
    chinese = i18n.locale() == "zh"
    lines = [each.zh if chinese and isinstance(each, Violation) else str(each) for each in error.violations]
    more = len(lines) - VIOLATIONS_SHOWN
    shown = "".join(f"<li>{widgets.html(line)}</li>" for line in lines[:VIOLATIONS_SHOWN])
    tail = f"<p>{widgets.html(i18n.tn('and {count} more', 'and {count} more', more))}</p>" if more > 0 else ""
    first = widgets.html(t("Nothing was written; this has to be put right first."))
    widgets.write(f'<div class="gk-wrong" role="alert"><b>{first}</b><ul>{shown}</ul>{tail}</div>')
