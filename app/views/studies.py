"""Studies: every siting question of the territory with the state of its answer."""

from __future__ import annotations

import streamlit as st

from app import guard, i18n, study_decide, study_words, widgets, words
from app.i18n import t
from app.where import territory_of
from app.widgets import Cell, Column
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.jobs import Job
from geodata.territory import TerritoryInfo
from planning import deciding, service
from planning.acts import Decision
from planning.model import Study


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_STUDIES)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        found = service.list_studies(session, actor, territory)
        decided = {each.study_id: each for each in reversed(deciding.list_decisions(session, actor, territory))}
    widgets.title(t("Studies"), simulated=territory.is_demo)
    if actor.may(May.MAKE_STUDIES) and st.button(t("New study"), type="primary", key="gk_new_study"):
        st.switch_page("views/new_study.py")
    if not found:
        _nothing(actor)
        return
    widgets.table(
        [
            Column(t("Study")),
            Column(t("State"), fixed=True),
            Column(t("In time"), right=True),
            Column(t("Mean way"), right=True),
            Column(t("Gap"), right=True),
            Column(t("Decision on sites"), fixed=True),
            Column(t("Asked by"), wide=True),
            Column(t("Asked at"), right=True),
        ],
        [_row(study, job, territory, decided.get(study.id)) for study, job in found],
    )
    widgets.note(t("Gap: how much any other choice among the places compared could gain at most."))


def _row(study: Study, job: Job | None, territory: TerritoryInfo, decision: Decision | None) -> tuple[Cell, ...]:
    facts = study.facts
    answered = study.state == "answered"
    label, tone = study_words.state(study, job)
    return (
        widgets.link(study_words.title(study), f"/study?study={study.id}"),
        widgets.toned(label, tone),
        study_words.per_cent(facts["within_then"] / max(facts["people"], 1e-9)) if answered else "",
        study_words.minutes(facts["mean_s_then"]) if answered else "",
        study_words.gap(study.gap) if answered else "",
        ""
        if decision is None
        else widgets.link(
            study_decide.state(decision), study_decide.address(decision), study_decide.TONES[decision.state]
        ),
        words.doer(study.asked_label),
        i18n.clock(study.created_at, territory.timezone),
    )


def _nothing(actor: Actor) -> None:
    if actor.may(May.MAKE_STUDIES):
        widgets.empty(
            t("No study yet."),
            t("Ask where new clinics, parks or stations should stand; the answer says how good it is."),
            link_label=t("Ask the first question"),
            href="/new-study",
        )
        return
    widgets.empty(t("No study yet."), t("Planners ask where facilities should stand; the answers stand here."))


show()
