"""Bring in: names and types of a file's columns as a person says them; the mapping keeps them for the next file."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import gate_words, state, widgets
from app.i18n import t
from app.widgets import Column
from geodata.exchange import FieldSpec, Type
from geodata.exchange_understand import NAME_AT_MOST, Understood


def said(file_id: str) -> dict[str, dict[str, str]]:
    """Return what was said of the columns of a file: other names, other types, by heading."""
    kept = st.session_state.get(state.GATE_COLUMNS)
    if kept is None or kept[0] != file_id:
        return {}
    return {part: dict(each) for part, each in kept[1].items() if each}


def show(file_id: str, found: Understood) -> None:
    """Put the columns as they are taken, and the form for one of them."""
    fields = {each.heading: each for each in found.spec.kept}
    if not fields:
        return
    other = said(file_id)
    with st.expander(t("Names and types of the columns"), expanded=bool(other)):
        rows = [
            (each.heading, each.name if each.name != each.heading else None, gate_words.value(each.type.value))
            for each in fields.values()
        ]
        widgets.table([Column(t("In the file")), Column(t("Kept as")), Column(t("Cells are"))], rows[:40], bare=True)
        heading = st.selectbox(t("Column to change"), list(fields), key=f"{state.GATE_SAY}_{file_id}_column")
        if heading is None:
            return
        _one(file_id, fields[heading])


def _one(file_id: str, field: FieldSpec) -> None:
    mark = f"{state.GATE_SAY}_{file_id}_column_{field.heading}"
    first, second = st.columns(2)
    first.text_input(
        t("Kept as"), value=field.name, max_chars=NAME_AT_MOST, key=f"{mark}_name", on_change=_keep,
        args=(file_id, field.heading, "names", f"{mark}_name"),
    )  # fmt: skip
    second.selectbox(
        t("Cells are"), list(Type), list(Type).index(field.type), format_func=gate_words.value, key=f"{mark}_type",
        on_change=_keep, args=(file_id, field.heading, "types", f"{mark}_type"),
    )  # fmt: skip
    widgets.note(t("The mapping keeps this: next month's file is read the same way by itself."))


def _keep(file_id: str, heading: str, part: str, key: str) -> None:
    kept: Any = st.session_state.get(state.GATE_COLUMNS)
    if kept is None or kept[0] != file_id:
        kept = (file_id, {"names": {}, "types": {}})
    value = st.session_state.get(key)
    if value:
        kept[1][part][heading] = value.value if isinstance(value, Type) else str(value).strip()
    st.session_state[state.GATE_COLUMNS] = kept
