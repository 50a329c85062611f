"""The citizen's word beside an incident: what was said, and the form for who calls back."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, widgets
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import Actor, May, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents.model import IncidentDetail
from incidents.service import words
from incidents.words import BEST, CITIZENS, WordInfo


def show(session: Session, actor: Actor, territory: TerritoryInfo, detail: IncidentDetail) -> None:
    """Put what the citizen said, and the form where the actor may ask; nothing for other incidents."""
    row = detail.row
    wrong = st.session_state.pop(state.WORD_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)
    if row.source not in CITIZENS or not actor.may(May.SEE_INCIDENTS):
        return
    said = words.words_of(session, actor, row.id)
    if said:
        widgets.note(" ".join(_sentence(each, territory) for each in said[:3]))
    if row.status != "closed" or not words.may_tell(session, actor, row.id):
        return
    key = f"gk_word_{row.id}_{len(said)}_{i18n.locale()}"
    with st.popover(t("Call back: what does the citizen say?"), key=f"{key}_form"):
        reached = st.radio(
            t("Reached?"), [True, False], format_func=_yes_no, horizontal=True, index=None, key=f"{key}_reached"
        )
        solved, satisfied = None, None
        if reached:
            solved = st.radio(
                t("Is it solved?"), [True, False], format_func=_yes_no, horizontal=True, index=None, key=f"{key}_solved"
            )
            satisfied = st.radio(
                t("Satisfied, 1 (not at all) to 5 (very)"),
                list(range(1, BEST + 1)),
                horizontal=True,
                index=None,
                key=f"{key}_satisfied",
            )
        lacking = reached is None or (reached and solved is None)
        st.button(
            t("Keep the answer"),
            key=f"{key}_go",
            disabled=lacking,
            on_click=_keep,
            args=(actor, row.id, bool(reached), solved, satisfied),
        )
        widgets.note(t("Note nothing about the person. Who handled the incident does not ask."))


def waiting(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put who waits to be called back, the longest first."""
    found = words.call_backs(session, actor)
    if not found:
        widgets.empty(
            t("Nobody waits to be called back."),
            t("A report of a citizen comes here when it is closed."),
        )
        return
    widgets.table(
        [
            widgets.Column(t("Number"), fixed=True),
            widgets.Column(t("What")),
            widgets.Column(t("Place"), wide=True),
            widgets.Column(t("Closed at"), right=True),
            widgets.Column(t("Grid worker"), wide=True),
        ],
        [
            (
                widgets.link(each.number, f"/incidents?incident={each.incident_id}"),
                i18n.either(each.name_en, each.name_zh),
                each.place,
                i18n.clock(each.closed_at, territory.timezone),
                each.worker_code,
            )
            for each in found
        ],
    )
    if actor.role is not Role.SUPERVISOR:
        widgets.note(t("A supervisor calls back, or sends a worker who did not handle it."))


def _keep(actor: Actor, incident_id: int, reached: bool, solved: bool | None, satisfied: int | None) -> None:
    try:
        with transaction(actor, purpose="call back") as session:
            words.tell_word(session, actor, incident_id, reached=reached, solved=solved, satisfied=satisfied)
    except GridkeeperError as error:
        st.session_state[state.WORD_WRONG] = error


def _yes_no(value: bool) -> str:
    return t("yes") if value else t("no")


def _sentence(word: WordInfo, territory: TerritoryInfo) -> str:
    at = i18n.clock(word.told_at, territory.timezone)
    if not word.reached:
        return t("Called back {when}: nobody answered.", when=at)
    solved = t("solved") if word.solved else t("not solved")
    if word.satisfied is None:
        return t("Called back {when}: {solved}.", when=at, solved=solved)
    return t("Called back {when}: {solved}, satisfied {mark} of 5.", when=at, solved=solved, mark=word.satisfied)
