"""Emergencies: what was handed to whom in the last 30 days, what still waits; and the words and numbers in force."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import emergency_words, guard, i18n, incident_emergency, state, widgets
from app.i18n import t
from app.where import territory_of
from app.widgets import Column
from core.errors import GridkeeperError
from core.identity import Actor, May, Role, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents.emergencies import SERVICES, Rules
from incidents.service import emergencies


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_INCIDENTS)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Emergencies"), aside=t("last 30 days, and all that wait"))
        wrong = st.session_state.pop(state.EMERGENCY_WRONG, None)
        if wrong is not None:
            widgets.known_error(wrong)
        listed, rules = st.tabs([t("Hand-overs"), t("Words and numbers")])
        with listed:
            _list(session, actor, territory)
        with rules:
            _rules(actor, emergencies.rules_of(session, territory))


def _list(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    waiting = emergencies.waiting(session, actor)
    settled = [each for each in emergencies.listed(session, actor) if each.state != "waiting"]
    if not waiting and not settled:
        widgets.empty(
            t("No emergency in the last 30 days."),
            t("A report with words or a class of danger would stand here until it is handed over, and then with whom."),
        )
        return
    if waiting:
        widgets.heading(t("Not handed over yet"))
        incident_emergency.table(waiting, territory)
    if settled:
        widgets.heading(t("Settled"))
        incident_emergency.table(settled, territory)


def _rules(actor: Actor, rules: Rules) -> None:
    widgets.heading(t("Numbers to call"))
    widgets.table(
        [Column(t("Service")), Column(t("Number"), right=True)],
        [(emergency_words.service(service), number) for service, number in rules.numbers],
    )
    if actor.role is Role.SUPERVISOR:
        _change(actor)
    widgets.heading(t("Words that raise the alarm"), aside=t("capital letters and full-width signs do not matter"))
    for service in SERVICES:
        phrases = t(", ").join(phrase for phrase, whom in rules.words if whom == service)
        widgets.fields({emergency_words.service(service): phrases})
    widgets.heading(t("Look-alikes that raise none"))
    widgets.fields({t("Raise nothing"): t(", ").join(rules.lookalikes)})


def _change(actor: Actor) -> None:
    with st.popover(t("Change words and numbers"), key="gk_emergency_change"):
        kinds = {"number": t("Number to call"), "word": t("Word"), "lookalike": t("Look-alike")}
        kind = st.selectbox(
            t("What"), list(kinds), format_func=kinds.__getitem__, key=f"gk_emergency_kind_{i18n.locale()}"
        )
        service = ""
        if kind != "lookalike":
            service = st.selectbox(
                t("Service"),
                list(SERVICES),
                format_func=emergency_words.service,
                key=f"gk_emergency_service_{i18n.locale()}",
            )
        phrase = st.text_input(kinds[kind], max_chars=60, key=f"gk_emergency_phrase_{i18n.locale()}", live=True)
        for label, active in ((t("Set it"), True), (t("Switch it off"), False)):
            if active or kind != "number":
                st.button(
                    label,
                    key=f"gk_emergency_set_{active}",
                    disabled=not phrase.strip(),
                    on_click=_set,
                    args=(actor, kind, phrase, service, active),
                )


def _set(actor: Actor, kind: str, phrase: str, service: str, active: bool) -> None:
    """Set a rule; runs before the page is drawn anew."""
    try:
        with transaction(actor, purpose="emergency rule") as session:
            emergencies.set_rule(session, actor, kind, phrase, service, active=active)
    except GridkeeperError as error:
        st.session_state[state.EMERGENCY_WRONG] = error


show()
