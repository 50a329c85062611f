"""What became of an emergency: on the incident until it is written down, on Today, and in the list of emergencies."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy.orm import Session

from app import emergency_words, i18n, state, widgets
from app.i18n import t
from app.widgets import Column
from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor, May, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents.emergencies import SERVICES, Handed
from incidents.model import IncidentDetail
from incidents.service import emergencies
from incidents.work import HandedOver

DESKS = (Role.DISPATCHER, Role.SUPERVISOR)
SHOWN = 6


def show(session: Session, actor: Actor, territory: TerritoryInfo, detail: IncidentDetail) -> None:
    """Put the hand-overs of an incident; what waits stands in red until somebody writes it down."""
    row = detail.row
    rows = emergencies.of_incident(session, actor, row.id)
    settled = [emergency_words.outcome(each, territory) for each in rows if each.state != "waiting"]
    if settled:
        widgets.note(" ".join(settled))
    for each in rows:
        if each.state == "waiting":
            _waiting(actor, territory, each)
    nothing_known = row.emergency and row.is_open and not row.simulated and not rows
    if nothing_known and detail.side.duplicate_of is None and actor.may(May.REPORT_INCIDENTS):
        _unknown(actor, row.id)


def on_today(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the emergencies that nobody has handed over yet, above all else; for dispatchers and supervisors."""
    if actor.role not in DESKS:
        return
    waiting = emergencies.waiting(session, actor)
    if not waiting:
        return
    count = len({each.incident_id for each in waiting})
    head = i18n.tn("{count} emergency not handed over", "{count} emergencies not handed over", count)
    widgets.write(f'<div class="gk-wrong" role="alert"><b>{widgets.html(head)}</b></div>')
    table(waiting[:SHOWN], territory)
    widgets.write(f"<p>{widgets.link(t('All emergencies'), '/emergencies').text}</p>")


def table(rows: list[Handed], territory: TerritoryInfo) -> None:
    """Put hand-overs as a table, each with the way to its incident."""
    widgets.table(
        [
            Column(t("Number"), fixed=True),
            Column(t("What")),
            Column(t("To call")),
            Column(t("Because of"), wide=True),
            Column(t("State"), wide=True),
            Column(t("Since"), right=True),
        ],
        [
            (
                widgets.link(each.number, f"/incidents?incident={each.incident_id}"),
                widgets.two_lines(i18n.either(each.class_en, each.class_zh), each.place),
                f"{emergency_words.service(each.service)} {each.phone}".strip() or t("not named yet"),
                _because(each),
                widgets.toned(t("not handed over"), "late") if each.state == "waiting" else _short(each),
                i18n.clock(each.raised_at, territory.timezone),
            )
            for each in rows
        ],
    )


def _because(each: Handed) -> str:
    signs = filter(None, each.because.split("|"))
    return emergency_words.because(signs, i18n.either(each.class_en, each.class_zh))


def _short(each: Handed) -> str:
    said = t("handed over") if each.state == "acknowledged" else t("no emergency")
    return " · ".join(part for part in (said, each.reference, each.settled_label) if part)


def _waiting(actor: Actor, territory: TerritoryInfo, each: Handed) -> None:
    widgets.alert(emergency_words.outcome(each, territory))
    if actor.role not in DESKS and not actor.may(May.REPORT_INCIDENTS):
        return
    service = emergency_words.service(each.service)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"gk-hand-over-{each.id}"):
        key = f"gk_hand_over_reference_{each.id}_{i18n.locale()}"
        st.text_input(t("Their reference, if given"), key=key, max_chars=60, width=260)
        st.button(
            t("{service} called, they took it over", service=service),
            key=f"gk_hand_over_called_{each.id}",
            on_click=_settle,
            args=(actor, each, key),
        )
        st.button(
            t("No emergency: a false alarm"),
            key=f"gk_hand_over_off_{each.id}",
            on_click=_settle,
            args=(actor, each, None),
        )


def _unknown(actor: Actor, incident_id: int) -> None:
    """Put the question for an emergency of which nobody wrote anything down."""
    widgets.alert(t("An emergency, and nobody has written down whom it was handed to."))
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-hand-over-unknown"):
        service = st.selectbox(
            t("Service"),
            list(SERVICES),
            index=None,
            format_func=emergency_words.service,
            placeholder=t("Choose"),
            key=f"gk_hand_over_service_{incident_id}_{i18n.locale()}",
            width=220,
        )
        key = f"gk_hand_over_said_{incident_id}_{i18n.locale()}"
        st.text_input(t("Their reference, if given"), key=key, max_chars=60, width=260)
        for label, taken in ((t("Called, they took it over"), True), (t("Not needed: a false alarm"), False)):
            st.button(
                label,
                key=f"gk_hand_over_unknown_{incident_id}_{taken}",
                disabled=service is None,
                on_click=_add,
                args=(actor, incident_id, service, key if taken else None),
            )


def _answer(service: str, key: str | None) -> HandedOver:
    if key is None:
        return HandedOver(service, None)
    return HandedOver(service, now(), str(st.session_state.get(key) or "").strip())


def _settle(actor: Actor, each: Handed, key: str | None) -> None:
    """Write down what became of it; runs before the page is drawn anew."""
    _do(actor, lambda session: emergencies.settle(session, actor, each.id or 0, _answer(each.service, key)))


def _add(actor: Actor, incident_id: int, service: str, key: str | None) -> None:
    """Write down what became of an emergency nobody knew of; runs before the page is drawn anew."""
    _do(actor, lambda session: emergencies.add_by_hand(session, actor, incident_id, service, _answer(service, key)))


def _do(actor: Actor, act: Callable[[Session], None]) -> None:
    try:
        with transaction(actor, purpose="hand over") as session:
            act(session)
    except GridkeeperError as error:
        st.session_state[state.ACT_WRONG] = error
