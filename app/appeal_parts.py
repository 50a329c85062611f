"""Appeals: the form beside an incident, the list, and the decision."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import appeal_words as words
from app import i18n, state, widgets
from app.evaluation import keep_facts
from app.i18n import t
from app.widgets import Column
from core.errors import GridkeeperError
from core.identity import Actor
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents.model import IncidentDetail
from insight import service
from insight.appeals import ANSWER_MOST, EFFECTS, EVIDENCE_MOST, GROUNDS, WAITING
from insight.model import AppealInfo

COUNTED = ("handling", "dispatched", "checking", "closed")


def offer(session: Session, actor: Actor, detail: IncidentDetail) -> None:
    """Put the appeals about an incident, and the form for its own department."""
    row = detail.row
    _news()
    found = service.list_appeals(session, actor, incident_id=row.id)
    for each in found:
        widgets.note(
            t("Appeal: {effect}: {state}.", effect=words.effect(each.effect), state=words.standing(each.state))
        )
    open_effects = [key for key in EFFECTS if key not in {each.effect for each in found}]
    own = service.may_appeal(actor) and row.unit_id in actor.unit_ids and row.status in COUNTED
    if not own or not open_effects:
        return
    key = f"gk_appeal_{row.id}_{len(found)}_{i18n.locale()}"
    with st.popover(t("Appeal how it is counted"), key=f"{key}_form"):
        wanted = st.selectbox(
            t("What should change"),
            open_effects,
            index=None,
            format_func=words.effect,
            placeholder=t("Choose"),
            key=f"{key}_effect",
        )
        ground = st.selectbox(
            t("Ground of the appeal"),
            GROUNDS,
            index=None,
            format_func=words.ground,
            placeholder=t("Choose"),
            key=f"{key}_ground",
        )
        evidence = st.text_area(
            t("Evidence: what happened, and where it can be seen"), max_chars=EVIDENCE_MOST, key=f"{key}_evidence"
        )
        st.button(
            t("Send the appeal"),
            key=f"{key}_go",
            disabled=not (wanted and ground and (evidence or "").strip()),
            on_click=_file,
            args=(actor, row.id, wanted, ground, evidence),
        )
        widgets.note(
            t("Name no person. A supervisor with no hand in the incident decides; until then nothing changes.")
        )


def page(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the list of appeals, the waiting ones first, each with its decision or the form for it."""
    _news()
    found = service.list_appeals(session, actor)
    if not found:
        widgets.empty(
            t("No appeal yet."),
            t("A department appeals from the incident that was counted against it: open it in the list."),
            link_label=t("All incidents"),
            href="/incidents",
        )
        return
    widgets.table(
        [
            Column(t("Number"), fixed=True),
            Column(t("Unit"), wide=True),
            Column(t("What should change")),
            Column(t("Ground of the appeal"), wide=True),
            Column(t("Evidence"), wide=True),
            Column(t("State")),
            Column(t("Decision"), wide=True),
        ],
        [
            (
                widgets.link(each.number, f"/incidents?incident={each.incident_id}"),
                i18n.either(each.unit, each.unit_zh),
                words.effect(each.effect),
                words.ground(each.ground),
                each.evidence,
                words.standing(each.state),
                _decision(each, territory),
            )
            for each in found
        ],
    )
    for each in found:
        if each.state == WAITING and service.may_decide(session, actor, each):
            _form(actor, each)
    widgets.note(
        t(
            "Only a granted appeal changes a score, and the page then shows both numbers. The decision bears the"
            " platform's signature and stands in the record."
        )
    )


def _decision(each: AppealInfo, territory: TerritoryInfo) -> str:
    if each.decided_at is None:
        return ""
    mark = t("signature holds") if service.signed(each) else t("signature does not hold")
    return f"{i18n.clock(each.decided_at, territory.timezone)} · {each.answer} · {mark}"


def _form(actor: Actor, each: AppealInfo) -> None:
    key = f"gk_decide_{each.id}_{i18n.locale()}"
    with st.popover(t("Decide {number}: {effect}", number=each.number, effect=words.effect(each.effect)), key=key):
        widgets.note(f"{words.ground(each.ground)}: {each.evidence}")
        answer = st.text_area(t("Reason of the decision"), max_chars=ANSWER_MOST, key=f"{key}_answer")
        lacking = not (answer or "").strip()
        with st.container(horizontal=True):
            for grant, label in ((True, t("Grant")), (False, t("Refuse"))):
                st.button(
                    label,
                    key=f"{key}_{grant}",
                    disabled=lacking,
                    on_click=_decide,
                    args=(actor, each.id, answer),
                    kwargs={"grant": grant},
                )


def _file(actor: Actor, incident_id: int, effect: str, ground: str, evidence: str) -> None:
    try:
        with transaction(actor, purpose="appeal") as session:
            made = service.file_appeal(session, actor, incident_id, effect=effect, ground=ground, evidence=evidence)
    except GridkeeperError as error:
        st.session_state[state.APPEAL_WRONG] = error
    else:
        st.session_state[state.APPEAL_TOLD] = t("The appeal about {number} was sent.", number=made.number)


def _decide(actor: Actor, appeal_id: int, answer: str, *, grant: bool) -> None:
    try:
        with transaction(actor, purpose="decide appeal") as session:
            made = service.decide(session, actor, appeal_id, grant=grant, answer=answer)
        keep_facts(actor.territory_id or 0)
    except GridkeeperError as error:
        st.session_state[state.APPEAL_WRONG] = error
    else:
        told = t("The appeal about {number} was {state}.", number=made.number, state=words.standing(made.state))
        st.session_state[state.APPEAL_TOLD] = told


def _news() -> None:
    told = st.session_state.pop(state.APPEAL_TOLD, None)
    if told is not None:
        widgets.told(told)
    wrong = st.session_state.pop(state.APPEAL_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)
