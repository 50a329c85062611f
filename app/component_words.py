"""The words of components: states, owners, fields, and what their history says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from app import i18n, words
from app.i18n import t
from geodata.record import RecordEntry

OWNERS = ("unit_id", "property_unit_id", "upkeep_unit_id")


def state(key: str) -> str:
    """Return the state of a component."""
    return {
        "in_use": t("In use"),
        "damaged": t("Damaged"),
        "removed": t("Removed"),
        "planned": t("Planned"),
    }.get(key, key)


def sensitivity(key: str) -> str:
    """Return how sensitive a place is."""
    return {"open": t("Open to all officers"), "restricted": t("Only for roles with incidents")}.get(key, key)


def column(key: str) -> str:
    """Return the name of a field; empty for what nobody reads."""
    return {
        "code": t("Identifier"),
        "state": t("State"),
        "unit_id": t("In charge"),
        "property_unit_id": t("Property of"),
        "upkeep_unit_id": t("Maintained by"),
        "sensitivity": t("Sensitivity"),
        "place": t("Place"),
        "valid_from": t("First day"),
        "valid_to": t("Last day"),
        "geom": t("Position"),
    }.get(key, "")


def entry(of: RecordEntry, names: Mapping[int, tuple[str, str, str | None]]) -> str:
    """Return what an entry of the record says."""
    if of.action != "update":
        return words.act(of.action)
    told = []
    for key, (before, after) in of.changes.items():
        label = column(key)
        if key == "geom":
            told.append(t("moved"))
        elif label:
            old, new = (_value(key, each, names) for each in (before, after))
            told.append(t("{field}: {before} to {after}", field=label, before=old, after=new))
    return "; ".join(told) or words.act(of.action)


def _value(key: str, value: Any, names: Mapping[int, tuple[str, str, str | None]]) -> str:
    if value is None or value == "":
        return "–"
    if key in OWNERS:
        known = names.get(int(value))
        return i18n.either(known[1], known[2]) if known else str(value)
    if key in {"valid_from", "valid_to"}:
        return i18n.day(dt.date.fromisoformat(str(value)))
    return {"state": state, "sensitivity": sensitivity}.get(key, str)(str(value))
