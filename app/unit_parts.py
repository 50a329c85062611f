"""One unit beside the tree: its fields, what hangs on it, its history; and the forms that add, change and end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import i18n, state, unit_words, widgets
from app.i18n import t
from app.widgets import Cell, Column
from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import units
from people.duty_model import DutyEntry, DutyList
from people.unit_model import KINDS, UnitRecord, UnitSpec
from people.units import UnitDetail

FIRST_DAY, LAST_DAY = dt.date(1949, 10, 1), dt.date(2199, 12, 31)
DUTIES_SHOWN = 12
Calendars = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Around:
    """What the parts of a unit's page need: who reads, where, and all units, calendars and duties."""

    actor: Actor
    territory: TerritoryInfo
    units: Sequence[UnitRecord]
    calendars: Calendars
    duties: DutyList

    @property
    def today(self) -> dt.date:
        """Return the local day."""
        return now().astimezone(self.territory.zone).date()


def address(unit: UnitRecord) -> str:
    """Return the address of a unit's page."""
    return f"/units?unit={unit.code}"


def show(around: Around, detail: UnitDetail) -> None:
    """Put the unit."""
    unit = detail.unit
    label, tone = unit_words.state(unit, around.today)
    tail = f" · {widgets.toned(label, tone).text}" if label else ""
    widgets.write(
        f'<div class="gk-title"><h2>{widgets.html(unit_words.name(unit))}</h2></div>'
        f"<p>{widgets.html(unit_words.kind(unit.spec.kind))} · {widgets.html(unit.code)}{tail}</p>"
    )
    if around.actor.may(May.MANAGE_UNITS):
        _acts(around, unit)
    about, owns, history = st.tabs([t("About"), t("Duties"), t("History")])
    with about:
        widgets.fields(_fields(unit), beside=True)
        widgets.fields(_hangs_on(around.actor, detail), beside=True)
    with owns:
        _duties(unit, around.duties, around.today)
    with history:
        names = {each.id: unit_words.name(each) for each in around.units}
        unit_words.history(
            detail.history,
            around.territory,
            {"parent_id": lambda value: names.get(int(value), str(value)), "calendar_id": _calendar_of(around.units)},
        )


def _calendar_of(everybody: Sequence[UnitRecord]) -> Callable[[Any], str]:
    known = {each.calendar_id: i18n.either(each.calendar_en, each.calendar_zh) for each in everybody}
    return lambda value: known.get(int(value), str(value))


def _fields(unit: UnitRecord) -> dict[str, Cell]:
    spec = unit.spec
    other = spec.name if i18n.locale() == "zh" and spec.name_zh else spec.name_zh
    fields: dict[str, Cell] = {
        t("Other name"): other if other != unit_words.name(unit) else None,
        t("Contact"): i18n.either(spec.contact, spec.contact_zh),
        t("Phone"): spec.phone,
        t("E-mail"): widgets.link(spec.email, f"mailto:{spec.email}") if spec.email else None,
        t("Address"): spec.address,
        t("Working calendar"): i18n.either(unit.calendar_en, unit.calendar_zh) or t("that of the class or territory"),
        t("Days"): unit_words.days(spec.valid_from, spec.valid_to),
    }
    return {label: value for label, value in fields.items() if value or label != t("Other name")}


def _hangs_on(actor: Actor, detail: UnitDetail) -> dict[str, Cell]:
    unit, left = detail.unit, detail.holding

    def counted(count: int, href: str) -> Cell:
        return widgets.link(i18n.number(count), href) if count else i18n.number(0)

    below = ", ".join(widgets.link(unit_words.name(each), address(each)).text for each in detail.children)
    above = detail.parent
    fields: dict[str, Cell] = {
        t("Unit above"): widgets.link(unit_words.name(above), address(above)) if above else t("none, it stands on top"),
        t("Units below"): widgets.Html(below) if below else None,
        t("Workers"): counted(left.workers, f"/workers?unit={unit.id}"),
        t("Entries of the duty list"): counted(left.duties, f"/duty-list?unit={unit.code}"),
        t("Open tasks"): i18n.number(left.tasks),
        t("Open incidents"): counted(left.incidents, f"/incidents?unit={unit.id}&status=open")
        if actor.may(May.SEE_INCIDENTS)
        else i18n.number(left.incidents),
    }
    return fields


def _duties(unit: UnitRecord, duties: DutyList, today: dt.date) -> None:
    mine = [each for each in duties.entries if each.unit_id == unit.id and each.meets(today, None)]
    if not mine:
        widgets.empty(
            t("No class belongs to this unit."),
            t("The duty list says which class in which area belongs to whom."),
            link_label=t("Duty list"),
            href="/duty-list",
        )
        return
    grouped: dict[tuple[int, dt.date, dt.date | None], list[DutyEntry]] = {}
    for each in mine:
        grouped.setdefault((each.class_id, each.valid_from, each.valid_to), []).append(each)
    rows: list[tuple[Cell, ...]] = []
    for (class_id, first, last), same in list(grouped.items())[:DUTIES_SHOWN]:
        where = unit_words.area(duties.areas.get(same[0].area_id or 0))
        if len(same) > 1:
            where = i18n.tn("{count} area", "{count} areas", len(same))
        name = widgets.link(unit_words.class_name(duties.classes[class_id]), f"/duty-list?duty={same[0].id}")
        rows.append((name, where, unit_words.days(first, last)))
    widgets.table([Column(t("Class")), Column(t("Area")), Column(t("Days"), fixed=True)], rows)
    all_of_it = t("All {count} in the duty list", count=i18n.number(len(mine)))
    widgets.write(f"<p>{widgets.link(all_of_it, f'/duty-list?unit={unit.code}').text}</p>")


def _acts(around: Around, unit: UnitRecord) -> None:
    actor, territory = around.actor, around.territory
    mark = f"{unit.id}_{unit.version}_{i18n.locale()}"
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-acts"):
        with st.popover(t("Change"), key=f"gk_unit_change_{mark}"), st.form(f"gk_unit_form_{mark}", border=False):
            given = fields_of(
                units.may_be_parent(around.units, unit.id), around.calendars, unit.spec, key=f"gk_unit_{mark}"
            )
            if st.form_submit_button(t("Save")):
                do(
                    lambda session: units.change(session, actor, territory.id, unit.id, version=unit.version, **given),
                    actor,
                    t("{name}: changed.", name=i18n.either(given["name"], given["name_zh"])),
                )
        with st.popover(t("End"), key=f"gk_unit_end_{mark}"), st.form(f"gk_unit_end_form_{mark}", border=False):
            widgets.note(t("Until its last day a unit hands over its work; its duties count no longer after it."))
            last = day_input(t("Last day"), unit.spec.valid_to or around.today, key=f"gk_unit_last_{mark}")
            if st.form_submit_button(t("Set the last day")):
                _end(actor, territory, unit, last)
        if unit.spec.valid_to is not None and st.button(t("Let it go on"), key=f"gk_unit_on_{mark}"):
            _end(actor, territory, unit, None)


def _end(actor: Actor, territory: TerritoryInfo, unit: UnitRecord, last: dt.date | None) -> None:
    told = t("{name}: goes on.", name=unit_words.name(unit))
    if last is not None:
        told = t("{name}: last day {day}.", name=unit_words.name(unit), day=i18n.day(last))
    do(
        lambda session: units.end(session, actor, territory.id, unit.id, version=unit.version, last_day=last),
        actor,
        told,
    )


def add_form(
    actor: Actor, territory: TerritoryInfo, everybody: Sequence[UnitRecord], calendars: Calendars, *, above: str | None
) -> None:
    """Put the form of a new unit; ``above`` is the code of the unit it is offered to stand under."""
    today = now().astimezone(territory.zone).date()
    key = f"gk_unit_new_{st.session_state.get(state.UNIT_ROUND, 0)}_{i18n.locale()}"
    with st.form(key, border=False, clear_on_submit=False):
        code = st.text_input(t("Code"), max_chars=20, key=f"{key}_code", help=t("Short and lasting, e.g. ST07"))
        given = fields_of(
            list(everybody), calendars, UnitSpec("", "department", "", today, parent=above), key=f"{key}_f"
        )
        if st.form_submit_button(t("Add the unit"), type="primary"):
            spec = UnitSpec(code=code, **given)
            do(
                lambda session: units.add(session, actor, territory.id, spec),
                actor,
                t("{name}: added.", name=i18n.either(spec.name, spec.name_zh)),
                address={"unit": code.strip()},
            )


def fields_of(parents: list[UnitRecord], calendars: Calendars, spec: UnitSpec, *, key: str) -> dict[str, Any]:
    """Put the fields of a unit and return what they say; empty texts are None."""
    names = {each.code: f"{unit_words.name(each)} · {each.code}" for each in parents}
    given: dict[str, Any] = {}
    given["name"] = st.text_input(t("Unit name"), spec.name, max_chars=80, key=f"{key}_name")
    given["name_zh"] = st.text_input(t("Name in Chinese"), spec.name_zh or "", max_chars=80, key=f"{key}_zh") or None
    left, right = st.columns(2)
    kinds = list(KINDS)
    given["kind"] = left.selectbox(
        t("Kind"), kinds, index=kinds.index(spec.kind), format_func=unit_words.kind, key=f"{key}_kind"
    )
    codes = list(names)
    given["parent"] = right.selectbox(
        t("Unit above"),
        codes,
        index=codes.index(spec.parent) if spec.parent is not None and spec.parent in names else None,
        format_func=names.__getitem__,
        placeholder=t("none, it stands on top"),
        key=f"{key}_parent",
    )
    widgets.note(t("Contact of the office: a function, not a person."))
    left, right = st.columns(2)
    given["contact"] = left.text_input(t("Contact"), spec.contact or "", max_chars=80, key=f"{key}_contact") or None
    given["contact_zh"] = (
        right.text_input(t("Contact in Chinese"), spec.contact_zh or "", max_chars=80, key=f"{key}_contact_zh") or None
    )
    given["phone"] = left.text_input(t("Phone"), spec.phone or "", max_chars=40, key=f"{key}_phone") or None
    given["email"] = right.text_input(t("E-mail"), spec.email or "", max_chars=120, key=f"{key}_email") or None
    given["address"] = st.text_input(t("Address"), spec.address or "", max_chars=200, key=f"{key}_address") or None
    left, right = st.columns(2)
    known = list(calendars)
    given["calendar"] = left.selectbox(
        t("Working calendar"),
        known,
        index=known.index(spec.calendar) if spec.calendar is not None and spec.calendar in calendars else None,
        format_func=lambda code: i18n.either(*calendars[code]),
        placeholder=t("that of the class or territory"),
        key=f"{key}_calendar",
    )
    with right:
        given["valid_from"] = day_input(t("First day"), spec.valid_from, key=f"{key}_from")
    return given


def day_input(label: str, value: dt.date, *, key: str) -> dt.date:
    """Ask for one day."""
    return st.date_input(
        label, value, min_value=FIRST_DAY, max_value=LAST_DAY, format=widgets.DATE_FORMATS[i18n.locale()], key=key
    )


def do(
    act: Callable[..., Any],
    actor: Actor,
    told: str,
    *,
    address: Mapping[str, str] | None = None,
    forget: Sequence[str] = (),
) -> None:
    """Do an act in a transaction of its own, keep what came of it for the top of the page, and draw it anew."""
    try:
        with transaction(actor) as session:
            act(session)
    except GridkeeperError as error:
        st.session_state[state.UNIT_WRONG] = error
    else:
        st.session_state[state.UNIT_TOLD] = told
        st.session_state[state.UNIT_ROUND] = st.session_state.get(state.UNIT_ROUND, 0) + 1
        st.query_params.update(address or {})
        for name in forget:
            st.query_params.pop(name, None)
    st.rerun()


def news() -> None:
    """Put what came of the last act."""
    told = st.session_state.pop(state.UNIT_TOLD, None)
    if told is not None:
        widgets.told(told)
    wrong = st.session_state.pop(state.UNIT_WRONG, None)
    if wrong is not None:
        unit_words.refused(wrong)
