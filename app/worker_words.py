"""Workers in words: where somebody is, kinds of absence, fields, what an entry of the record says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from app import i18n, widgets, words
from app.i18n import t
from app.widgets import Cell
from core.errors import GridkeeperError
from geodata.record import RecordEntry
from people.abilities import ABILITY_WORDS
from people.worker_files import HEADINGS, Fault
from people.worker_model import GridRef, StaffRow

LANGUAGES = {"en": "English", "zh": "中文"}


def address(code: str) -> str:
    """Return the address of a worker's page."""
    return f"/workers?worker={code}"


def link(code: str | None, label: str | None = None) -> Cell:
    """Return a link to a worker; a dash for none."""
    return widgets.link(label or code, address(code)) if code else None


def skill(key: str) -> str:
    """Return a skill or a piece of equipment as people read it."""
    return i18n.either(*ABILITY_WORDS[key]) if key in ABILITY_WORDS else key


def skills(keys: tuple[str, ...]) -> str:
    """Return several skills or pieces of equipment, by comma."""
    return ("、" if i18n.locale() == "zh" else ", ").join(map(skill, keys))


def absence_kind(key: str) -> str:
    """Return why somebody is away."""
    return {"leave": t("Leave"), "sick": t("Sick"), "training": t("Training"), "other": t("Other reason")}.get(key, key)


def erasure_purpose(key: str) -> str:
    """Return why a person is erased."""
    return {
        "request": t("Own request"),
        "left": t("Left the service"),
        "order": t("Order of an authority"),
        "retention": t("Time has passed"),
        "mistake": t("Entered by mistake"),
    }.get(key, key)


def person(row: StaffRow) -> str:
    """Return the name, or why there is none to be seen."""
    if row.person == "named" and row.name:
        return row.name
    return {"erased": t("erased"), "hidden": t("not for your role")}.get(row.person, t("none given"))


def days(first: dt.date, last: dt.date) -> str:
    """Return days from a first to a last one."""
    return i18n.day(first) if first == last else f"{i18n.day(first)} – {i18n.day(last)}"


def state(row: StaffRow, today: dt.date) -> tuple[str, str]:
    """Return where a worker is today, and the tone."""
    if not row.active:
        return (t("left {day}", day=i18n.day(row.employed_to)) if row.employed_to else t("left")), "done"
    if row.away is not None and row.away.to_on == today:
        return t("away today"), "soon"
    if row.away is not None:
        return t("away until {day}", day=i18n.day(row.away.to_on)), "soon"
    if row.employed_to is not None:
        return t("leaves {day}", day=i18n.day(row.employed_to)), "soon"
    if row.employed_from is not None and row.employed_from > today:
        return t("begins {day}", day=i18n.day(row.employed_from)), "soon"
    return t("not away"), ""


def state_filter(key: str) -> str:
    """Return the name of a choice of the filter."""
    return {
        "": t("All who work here"),
        "here": t("Not away today"),
        "away": t("Away today"),
        "no_grid": t("Looks after no grid"),
        "left": t("Has left"),
    }.get(key, key)


def grid(found: GridRef | None) -> str:
    """Return code and name of a responsibility grid; empty for none."""
    if found is None:
        return ""
    name = i18n.either(found.name, found.name_zh)
    return found.code if name == found.code else f"{found.code} {name}".strip()


def unit(row: StaffRow) -> str:
    """Return the name of the unit."""
    return i18n.either(row.unit_name, row.unit_name_zh)


def fault_column(fault: Fault) -> str:
    """Return the column a fault stands in, as the file calls it."""
    known = {each.key: i18n.either(each.en, each.zh) for each in HEADINGS}
    return known.get(fault.column, fault.column)


def column(key: str) -> str:
    """Return the name of a field in the history of a worker; empty for what is not shown."""
    return {
        "code": t("Staff number"),
        "unit_id": t("Works for"),
        "responsibility_grid_id": t("Responsibility grid"),
        "language": t("Language"),
        "skills": t("Skills"),
        "equipment": t("Equipment"),
        "employed_from": t("Employed from"),
        "employed_to": t("Employed until"),
        "from_on": t("First day away"),
        "to_on": t("Last day away"),
        "deputy_id": t("Deputy"),
    }.get(key, "")


def entry(found: RecordEntry, named: Mapping[tuple[str, int], str]) -> str:
    """Return what an entry of the record says of a worker; personal fields do not stand there in the open."""
    if found.table == "absence":
        return _absence_entry(found, named)
    if found.action != "update":
        acts = {"insert": t("Added"), "erase": t("Name and phone erased"), "delete": t("Deleted")}
        return acts.get(found.action, words.act(found.action))
    if "active" in found.changes:
        left = found.changes["active"][1] is False
        last = found.changes.get("employed_to", (None, None))[1]
        if left and last:
            return t("Employment ended {day}", day=i18n.day(dt.date.fromisoformat(str(last))))
        return t("Employment ended") if left else t("Employed again")
    told = [
        t("{field}: {before} to {after}", field=label, before=_value(key, old, named), after=_value(key, new, named))
        for key, (old, new) in found.changes.items()
        if (label := column(key))
    ]
    return "; ".join(told) or t("Name or phone changed")


def _absence_entry(found: RecordEntry, named: Mapping[tuple[str, int], str]) -> str:
    def after(key: str) -> Any:
        before, now = found.changes.get(key, (None, None))
        return before if found.action == "delete" else now

    if found.action != "update":
        span = days(dt.date.fromisoformat(str(after("from_on"))), dt.date.fromisoformat(str(after("to_on"))))
        told = t("Absence taken back: {days}", days=span) if found.action == "delete" else t("Away {days}", days=span)
        deputy = named.get(("deputy_id", int(after("deputy_id") or 0)))
        return t("{what}, {deputy} stands in", what=told, deputy=deputy) if deputy else told
    told_all = [
        t("{field}: {before} to {after}", field=label, before=_value(key, old, named), after=_value(key, new, named))
        for key, (old, new) in found.changes.items()
        if (label := column(key))
    ]
    return t("Absence: {what}", what="; ".join(told_all) or t("Changed"))


def _value(key: str, value: Any, named: Mapping[tuple[str, int], str]) -> str:
    if value is None or value == []:
        return "–"
    if key.endswith("_id"):
        return named.get((key, int(value)), str(value))
    if key == "language":
        return LANGUAGES.get(str(value), str(value))
    if isinstance(value, list):
        return skills(tuple(map(str, value)))
    if key in {"employed_from", "employed_to", "from_on", "to_on"}:
        return i18n.day(dt.date.fromisoformat(str(value)))
    return str(value)


def refused(error: GridkeeperError) -> None:
    """Say what was refused and the way out, in the language in use."""
    if error.zh and i18n.locale() == "zh":
        first, _, rest = error.zh.partition("。")
        widgets.wrong(f"{first}。", rest)
    else:
        widgets.wrong(t(error.message), t(error.hint) if error.hint else "")
