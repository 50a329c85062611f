"""The step of the units: a usual set from a table that is edited first, and the duty list that follows from it."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, set_up_parts, unit_words, widgets
from app.i18n import t, tn
from app.set_up_acts import acting
from app.set_up_model import State, Step
from app.set_up_template import USUAL, Office, in_order, offices_of
from app.widgets import Column
from core.errors import DataQuality
from core.identity import Actor
from geodata.db import transaction
from geodata.holdings import Holdings
from geodata.territory import TerritoryInfo
from incidents.classes import MAJORS
from incidents.service import seed_catalogue
from people import duties, units
from people.unit_model import KINDS, UnitRecord, UnitSpec, arranged


def show(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings) -> None:
    """Put the units there are, and the table of a usual set."""
    with transaction(actor) as session:
        known = units.tree(session, actor, home.id, on=duties.today())
    if known:
        _known(known)
    widgets.write(f"<p>{widgets.link(t('All about units'), '/units').text} · {_duty_link().text}</p>")
    if step.state is State.DONE:
        return
    if known and held.owned_classes >= held.classes > 0:
        return
    widgets.heading(t("Start with a usual set"))
    widgets.note(
        t(
            "Change, add or delete rows; a unit whose code is there already is left as it is. Each category of incident"
            " belongs to the unit that has it in the last column."
        )
    )
    edited = _table()
    if set_up_parts.act(t("Make these units and the duty list"), name="units"):
        with guard.page():
            rows = [{str(name): value for name, value in row.items()} for row in edited.to_dict("records")]
            try:
                offices = offices_of(rows)
            except DataQuality as error:
                set_up_parts.faults(error)
                return
            with transaction(acting(actor), purpose="set up: units") as session:
                made, owned = make(session, acting(actor), home, offices)
            set_up_parts.go_on(
                tn("{count} unit was made.", "{count} units were made.", made)
                + " "
                + tn("{count} class got its owner.", "{count} classes got their owner.", owned)
            )


def make(session: Session, doer: Actor, home: TerritoryInfo, offices: tuple[Office, ...]) -> tuple[int, int]:
    """Make the units that are missing and give every class without an owner to its unit; return how many of each."""
    today = duties.today()
    there = {unit.code for unit in units.tree(session, doer, home.id)}
    new = [office for office in in_order(offices) if office.code not in there]
    for office in new:
        spec = UnitSpec(
            code=office.code,
            kind=office.kind,
            name=office.name,
            name_zh=office.name_zh or None,
            parent=office.parent or None,
            valid_from=today,
        )
        units.add(session, doer, home.id, spec)
    return len(new), share_classes(session, doer, home, offices)


def share_classes(session: Session, doer: Actor, home: TerritoryInfo, offices: tuple[Office, ...]) -> int:
    """Give every class that belongs to nobody anywhere to the unit that has its category; return how many."""
    seed_catalogue(session, doer, home)
    listed = duties.read(session, doer, home.id)
    taken = {entry.class_id for entry in listed.entries}
    by_code = {unit.code: unit.id for unit in listed.units.values()}
    count = 0
    for office in offices:
        mine = [each.id for each in listed.classes.values() if each.category in office.owns and each.id not in taken]
        if mine and office.code in by_code:
            duties.assign(session, doer, home.id, class_ids=mine, area_ids=[None], unit_id=by_code[office.code])
            count += len(mine)
    return count


def _table() -> pd.DataFrame:
    """Put the table of the usual set and return it as edited."""
    names = {category: i18n.either(english, chinese) for category, (english, chinese) in MAJORS.items()}
    frame = pd.DataFrame(
        [
            {
                "code": office.code,
                "kind": office.kind,
                "name": office.name,
                "name_zh": office.name_zh,
                "parent": office.parent,
                "owns": list(office.owns),
            }
            for office in USUAL
        ]
    )
    columns = {
        "code": st.column_config.TextColumn(t("Code"), max_chars=20, width="small"),
        "kind": st.column_config.SelectboxColumn(t("Kind"), options=list(KINDS), format_func=_kind, width="small"),
        "name": st.column_config.TextColumn(t("Name"), max_chars=80),
        "name_zh": st.column_config.TextColumn(t("Name in Chinese"), max_chars=80),
        "parent": st.column_config.TextColumn(t("Under"), max_chars=20, width="small"),
        "owns": st.column_config.MultiselectColumn(
            t("Categories it handles"), options=list(MAJORS), format_func=names.__getitem__, width="large"
        ),
    }
    key = set_up_parts.key("units_table")
    edited: pd.DataFrame = st.data_editor(frame, num_rows="dynamic", hide_index=True, key=key, column_config=columns)
    return edited


def _known(known: list[UnitRecord]) -> None:
    widgets.table(
        [Column(t("Code"), fixed=True), Column(t("Name")), Column(t("Kind"), wide=True)],
        [
            (
                widgets.link(unit.code, f"/units?unit={unit.code}"),
                "\u2003" * depth + i18n.either(unit.spec.name, unit.spec.name_zh),
                _kind(unit.spec.kind),
            )
            for depth, unit in arranged(known)
        ],
    )


def _kind(key: object) -> str:
    return unit_words.kind(str(key))


def _duty_link() -> widgets.Html:
    return widgets.link(t("the duty list"), "/duty-list")
