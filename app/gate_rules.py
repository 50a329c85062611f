"""Rules of a data set beside its entry in the catalogue: read by all, added and taken away by who keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import gate_words, i18n, state, widgets, words
from app.catalogue_parts import Around, do, this_round
from app.i18n import t, tn
from app.widgets import Column
from core.errors import GridkeeperError
from geodata import data_rules
from geodata.catalogue_model import Entry
from geodata.data_rules import Rules
from geodata.data_rules_model import told
from geodata.exchange import Type
from geodata.exchange_rules import SIGNS

KINDS = ("required", "unique", "type", "range", "codes", "pattern", "order", "compare", "needs", "refers", "anywhere")
NUMBERS = (Type.INTEGER, Type.NUMBER)
MOMENTS = (Type.DATE, Type.DATETIME)


def show(session: Session, around: Around, one: Entry) -> None:
    """Put the rules of a data set, how they came to be, and the form for those who may change them."""
    found = data_rules.rules_of(session, around.actor, one.key)
    if found.rules:
        widgets.table(
            [Column(t("No."), fixed=True), Column(t("Every row of the next file"))],
            [(each.get("id", ""), words_) for each, words_ in _told(found)],
        )
    else:
        widgets.empty(
            t("No rules of its own yet."),
            t("Types, the key and the place of each row are always checked; what else has to hold is said here."),
        )
    if found.may_change:
        _add(session, around, found)
        if found.rules:
            _take_away(around, found)
    widgets.note(t("A rule holds from the next file on; what is held already stays as it is."))
    if found.history:
        _history(around, found)


def _told(found: Rules) -> list[tuple[Mapping[str, Any], str]]:
    return list(zip(found.rules, told(found.rules, i18n.locale()), strict=True))


def _add(session: Session, around: Around, found: Rules) -> None:
    mark = f"{state.DATA_RULE}_{found.key}_{this_round()}"
    with st.expander(t("Add a rule"), expanded=not found.rules):
        kind = st.selectbox(t("What has to hold"), KINDS, format_func=gate_words.rule, key=f"{mark}_kind")
        rule: dict[str, Any] = {"rule": kind}
        columns = [name for name, each in found.fields.items() if _fits(kind, each)]
        if kind != "anywhere":
            if not columns:
                widgets.note(t("The data set has no column of such a type."))
                return
            rule["field"] = st.selectbox(t("In the column"), columns, key=f"{mark}_field_{kind}")
        rule |= _parts(kind, mark, found, str(rule.get("field", "")))
        reason = st.text_input(t("Why (kept in the history)"), max_chars=200, key=f"{mark}_reason")
        first, second = st.columns(2)
        if first.button(t("Add the rule"), key=f"{mark}_do"):
            do(
                around,
                lambda fresh: data_rules.set_rules(
                    fresh, around.actor, found.key, [*found.rules, rule], reason=reason, version=found.version
                ),
                t("The rule holds from the next file on."),
                purpose="rules of a data set",
            )
        if second.button(t("Try it on the rows of today"), key=f"{mark}_try"):
            _try(session, around, found, rule)


def _fits(kind: str, column: Type) -> bool:
    if kind == "range":
        return column in NUMBERS
    if kind == "order":
        return column in MOMENTS
    return True


def _parts(kind: str, mark: str, found: Rules, field: str) -> dict[str, Any]:
    """Put the fields of one kind of rule, and return what they say."""
    others = [name for name, each in found.fields.items() if name != field and _fits(kind, each)]
    make = _FORMS.get(kind)
    return make(f"{mark}_{kind}", others) if make is not None else {}


def _type(mark: str, _others: list[str]) -> dict[str, Any]:
    return {"type": st.selectbox(t("Cells are"), list(Type), format_func=gate_words.value, key=f"{mark}_type")}


def _range(mark: str, _others: list[str]) -> dict[str, Any]:
    low, high = st.columns(2)
    return {
        "min": low.number_input(t("At least"), value=None, key=f"{mark}_min", placeholder=t("none")),
        "max": high.number_input(t("At most"), value=None, key=f"{mark}_max", placeholder=t("none")),
    }


def _codes(mark: str, _others: list[str]) -> dict[str, Any]:
    return {"codes": _lines(st.text_area(t("Allowed values, one a line"), key=f"{mark}_codes"))}


def _pattern(mark: str, _others: list[str]) -> dict[str, Any]:
    return {"pattern": st.text_input(t("Form, e.g. L[0-9]{4}"), max_chars=200, key=f"{mark}_pattern")}


def _order(mark: str, others: list[str]) -> dict[str, Any]:
    return {"after": st.selectbox(t("Not before the column"), others, key=f"{mark}_after")}


def _compare(mark: str, others: list[str]) -> dict[str, Any]:
    sign, other = st.columns(2)
    return {
        "is": sign.selectbox(t("Is"), list(SIGNS), format_func=gate_words.sign, key=f"{mark}_is"),
        "other": other.selectbox(t("the column"), others, key=f"{mark}_other"),
    }


def _needs(mark: str, others: list[str]) -> dict[str, Any]:
    return {
        "when": _lines(st.text_area(t("Where it says (one a line)"), key=f"{mark}_when")),
        "other": st.selectbox(t("This column is filled"), others, key=f"{mark}_needs"),
    }


def _refers(mark: str, _others: list[str]) -> dict[str, Any]:
    first, second = st.columns(2)
    return {
        "data_set": first.text_input(t("Data set (its name in addresses)"), max_chars=60, key=f"{mark}_set"),
        "to": second.text_input(t("Its column"), max_chars=200, key=f"{mark}_to"),
    }


_FORMS = {
    "type": _type, "range": _range, "codes": _codes, "pattern": _pattern, "order": _order, "compare": _compare,
    "needs": _needs, "refers": _refers,
}  # fmt: skip


def _lines(text: str) -> list[str]:
    return [each.strip() for each in text.splitlines() if each.strip()]


def _try(session: Session, around: Around, found: Rules, rule: Mapping[str, Any]) -> None:
    try:
        refused, tried = data_rules.would_break(session, around.actor, found.key, rule)
    except GridkeeperError as error:
        widgets.known_error(error)
        return
    widgets.told(
        t("It would refuse {refused} of {tried} rows.", refused=i18n.number(refused), tried=i18n.number(tried))
    )


def _take_away(around: Around, found: Rules) -> None:
    mark = f"{state.DATA_RULE}_{found.key}_{this_round()}_gone"
    told_ = dict(enumerate(words_ for _, words_ in _told(found)))
    with st.expander(t("Take a rule away")):
        chosen = st.selectbox(t("Rule"), list(told_), format_func=told_.__getitem__, key=f"{mark}_which")
        reason = st.text_input(t("Why (kept in the history)"), max_chars=200, key=f"{mark}_reason")
        if st.button(t("Take it away"), key=f"{mark}_do"):
            left = [each for place, each in enumerate(found.rules) if place != chosen]
            do(
                around,
                lambda fresh: data_rules.set_rules(
                    fresh, around.actor, found.key, left, reason=reason, version=found.version
                ),
                t("The rule is taken away."),
                purpose="rules of a data set",
            )


def _history(around: Around, found: Rules) -> None:
    widgets.heading(t("How the rules came to be"))
    rows = []
    for place, each in enumerate(found.history):
        before = found.history[place + 1].rules if place + 1 < len(found.history) else ()
        rows.append((
            i18n.clock(each.at, around.territory.timezone, now=around.now), words.doer(each.by),
            _difference(before, each.rules), each.reason or None,
        ))  # fmt: skip
    widgets.table([Column(t("When"), fixed=True), Column(t("By")), Column(t("What")), Column(t("Why"))], rows)


def _difference(before: tuple[Mapping[str, Any], ...], after: tuple[Mapping[str, Any], ...]) -> str:
    old, new = ({str(each.get("id")): each for each in some} for some in (before, after))
    locale = i18n.locale()
    added = told([each for number, each in new.items() if number not in old], locale)
    gone = told([each for number, each in old.items() if number not in new], locale)
    parts = [t("added: {rules}", rules=" ".join(added))] if added else []
    parts += [t("taken away: {rules}", rules=" ".join(gone))] if gone else []
    return "; ".join(parts) or tn("{count} rule", "{count} rules", len(after))
