"""Bring in, where rows say their place in words or by a code: how to say it otherwise, and what lies on no grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import i18n, state, widgets
from app.i18n import t
from app.widgets import Column
from geodata.exchange import Role
from geodata.exchange_understand import Understood

LISTED = 50


def ask(file_id: str, found: Understood | None) -> None:
    """Put which column says in words or by a code where a row lies."""
    if found is None:
        return
    at = f"{state.GATE_SAY}_{file_id}"
    one, two = st.columns(2)
    ways = {"": t("found"), **{role.value: name for role, name in _ways().items()}}
    one.selectbox(
        t("Placed by"), list(ways), format_func=ways.__getitem__, key=f"{at}_by",
        help=t("For files without coordinates. Coordinates win where a row has both."),
    )  # fmt: skip
    two.multiselect(t("Columns that say it"), list(found.headings), key=f"{at}_by_columns", placeholder=t("found"))


def said(file_id: str) -> dict[str, str]:
    """Return the columns with the role that a person gave them; ``field`` for an ordinary column."""
    at = f"{state.GATE_SAY}_{file_id}"
    columns = st.session_state.get(f"{at}_by_columns") or ()
    return dict.fromkeys(columns, str(st.session_state.get(f"{at}_by") or Role.ADDRESS.value))


def after(found: Mapping[str, Any]) -> None:
    """Put how rows without coordinates were placed, what disagreed, and the rows that lie on no grid."""
    for guess in found.get("guesses", ()):
        if guess["what"] in {"placed by", "disagree"}:
            why = i18n.either(str(guess["reason"]), str(guess.get("reason_zh", "")))
            words = t("Placed without coordinates: {count}", count=guess["value"])
            words = (
                words
                if guess["what"] == "placed by"
                else t("Address and place disagree: {count}", count=guess["value"])
            )
            widgets.note(f"{words} ({why})" if i18n.locale() == "en" else f"{words}（{why}）")
    rows = found.get("not_placed") or ()
    if rows:
        with st.expander(t("Rows on no grid ({count})", count=_count(found, rows))):
            widgets.table(
                [Column(t("Row"), right=True), Column(t("Named")), Column(t("Why"))],
                [
                    (
                        i18n.number(int(each["row"])),
                        str(each.get("key") or "")[:40],
                        i18n.either(str(each.get("why", "")), str(each.get("why_zh", ""))),
                    )
                    for each in rows[:LISTED]
                ],
            )
            if len(rows) > LISTED:
                widgets.note(t("The first {count} are shown.", count=i18n.number(LISTED)))


def _count(found: Mapping[str, Any], rows: Any) -> str:
    taken = sum(int(found.get(name, 0)) for name in ("loaded", "changed", "rejected"))
    return i18n.number(max(taken - int(found.get("placed", 0)), len(rows)))


def _ways() -> dict[Role, str]:
    return {
        Role.ADDRESS: t("an address or a road"),
        Role.GRID: t("the code of a unit grid"),
        Role.COMPONENT: t("the identifier of a component"),
        Role.FIELD: t("not by this column"),
    }
