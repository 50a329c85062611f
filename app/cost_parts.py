"""What things cost in the plan: the cost table in plain words, read by all who dispatch and changed with a reason."""

from __future__ import annotations

import dataclasses
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import guard, i18n, state, widgets
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import Actor
from dispatch.costs import LONGEST_REASON, MOST, Costs, set_cost_table
from dispatch.plan_model import PRIORITIES, Weights
from geodata.db import transaction

MINUTE_S = 60.0
KEY = state.COSTS
TOLD = f"{KEY}_told"
IN_SECONDS = frozenset({"late_step_s", "owner_s", "change_s", "sent_s", "margin_s", "unserved_s"})
"""What the table keeps in seconds; the page states minutes. The others are what a minute weighs."""


def _words() -> dict[str, str]:
    """Return each term in plain words."""
    return {
        "travel": t("A minute on the way"),
        "overtime": t("A minute after the end of the shift"),
        "fairness": t("A minute of load of somebody who is busy all day"),
        "owner_s": t("Sending somebody whose grid it is not"),
        "change_s": t("Giving accepted work to another"),
        "sent_s": t("Giving work to another that was sent and not answered"),
        "late_step_s": t("Being late at all: counts as so much later"),
        "response": t("A minute of waiting until it is begun"),
        "lateness": t("A minute after the deadline"),
        "margin_s": t("Minutes before the deadline that are aimed at"),
        "unserved_s": t("Leaving work out"),
    }


def folded(actor: Actor, table: Costs) -> None:
    """Put the cost table, folded."""
    with st.expander(t("What things cost"), expanded=TOLD in st.session_state):
        widgets.note(
            t(
                "The plan looks for the least sum of these. All figures are minutes on the way: 5 means as bad as "
                "driving 5 minutes more. The next plan reckons with what is set here."
            )
        )
        _told()
        with st.form(f"{KEY}_form_{table.version}_{i18n.locale()}", border=False):
            _fields(table)
            st.text_input(
                t("Reason, one line"), max_chars=LONGEST_REASON, key=_key("reason", table.version), width="stretch"
            )
            st.form_submit_button(t("Change the costs"), on_click=_save, args=(actor, table))


def _told() -> None:
    """Put what came of the change that was asked for; it is said once."""
    if TOLD not in st.session_state:
        return
    failed: GridkeeperError | None = st.session_state.pop(TOLD)
    if failed is None:
        widgets.told(t("The costs are changed; the next plan reckons with them."))
    else:
        widgets.known_error(failed)


def _fields(table: Costs) -> None:
    """Put a field a figure: one for all work, or one for each priority."""
    words = _words()
    single = [name for name in words if not isinstance(getattr(table.weights, name), tuple)]
    for start in range(0, len(single), PRIORITIES):
        for column, name in zip(_columns(), single[start : start + PRIORITIES], strict=False):
            with column:
                _field(words[name], name, getattr(table.weights, name), table.version)
    for name in words:
        if name in single:
            continue
        for k, (column, value) in enumerate(zip(_columns(), getattr(table.weights, name), strict=True)):
            with column:
                _field(t("{what}, {work}", what=words[name], work=_work(k)), name, value, table.version, k)


def _columns() -> list[DeltaGenerator]:
    """Return places for the fields of a row, which stand on one line however long their labels are."""
    return st.columns(PRIORITIES, vertical_alignment="bottom")


def _work(priority: int) -> str:
    return (t("emergencies and priority 1"), t("priority 2"), t("other priorities"))[priority]


def _field(label: str, name: str, value: float, version: int, part: int = 0) -> None:
    st.number_input(
        label,
        0.0,
        MOST / _unit(name),
        value / _unit(name),
        step=1.0 if name in IN_SECONDS else 0.05 if name == "response" else 0.5,
        format="%.1f" if name in IN_SECONDS else "%.2f",
        key=_key(name, version, part),
    )


def _key(name: str, version: int, part: int = 0) -> str:
    return f"{KEY}_{name}_{part}_{version}_{i18n.locale()}"


def _unit(name: str) -> float:
    return MINUTE_S if name in IN_SECONDS else 1.0


def _changed(table: Costs) -> dict[str, Any]:
    """Return what the fields say otherwise than the table they were drawn from."""
    given: dict[str, Any] = {}
    for each in dataclasses.fields(Weights):
        was = getattr(table.weights, each.name)
        parts = was if isinstance(was, tuple) else (was,)
        said = tuple(
            round(float(st.session_state[_key(each.name, table.version, k)]) * _unit(each.name), 6)
            for k in range(len(parts))
        )
        if any(abs(new - old) > _step(each.name) for new, old in zip(said, parts, strict=True)):
            given[each.name] = said if isinstance(was, tuple) else said[0]
    return given


def _step(name: str) -> float:
    """Return what the figure of a field may differ by because it is rounded there."""
    return 3.0 if name in IN_SECONDS else 0.005


def _save(actor: Actor, table: Costs) -> None:
    """Change the costs as they were seen; runs before the page is drawn anew, which says what came of it."""
    with guard.page():
        reason = str(st.session_state[_key("reason", table.version)])
        st.session_state[TOLD] = None
        try:
            with transaction(actor) as session:
                set_cost_table(session, actor, _changed(table), version=table.version, reason=reason)
        except GridkeeperError as error:
            st.session_state[TOLD] = error
