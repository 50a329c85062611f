"""Deciding the sites of a study: proposing them, signing or refusing them, and what a decision says."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import streamlit as st

from app import guard, i18n, study_kind_words, study_words, widgets, words
from app.i18n import t
from app.widgets import Column
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import deciding, service
from planning.acts import REASON_AT_MOST, Decision
from planning.deciding import DecisionDetail
from planning.model import Study

TONES = {"proposed": "soon", "signed": "good", "refused": "late", "withdrawn": "done"}
OPEN = ("proposed", "signed")


def state(decision: Decision) -> str:
    """Return the state of a decision in a word."""
    return {
        "proposed": t("Waiting to be signed"),
        "signed": t("Signed"),
        "refused": t("Refused"),
        "withdrawn": t("Withdrawn"),
    }[decision.state]


def address(decision: Decision) -> str:
    """Return the page of a decision."""
    return f"/decision?decision={decision.id}"


def show(actor: Actor, study: Study, decisions: list[Decision], territory: TerritoryInfo) -> None:
    """Put the decisions on a study, and a way to propose its sites."""
    for decision in decisions:
        told = t("{state}: proposed by {who}, {when}", state=state(decision), who=words.doer(decision.proposed_label),
                 when=i18n.clock(decision.proposed_at, territory.timezone))  # fmt: skip
        widgets.write(f"<p>{widgets.link(told, address(decision)).text}</p>")
    if any(decision.state in OPEN for decision in decisions):
        widgets.note(t("To decide otherwise, ask another study; a signed decision stays in the record."))
        return
    if not decisions:
        widgets.note(t("Nobody has proposed these sites yet. A planner proposes, a supervisor signs: two persons."))
    if not actor.may(May.PROPOSE_SITES):
        return
    reason = st.text_area(
        t("Why these sites, and not others"), max_chars=REASON_AT_MOST, key=f"gk_decide_reason_{study.id}"
    )
    if st.button(t("Propose these sites"), key="gk_decide_propose"):
        with guard.page():
            with transaction(actor, purpose="propose sites") as session:
                decision_id = deciding.propose(session, actor, study.id, reason=reason, program=program())
            st.switch_page("views/decision.py", query_params={"decision": str(decision_id)})


def program() -> str:
    """Return name and version of this program."""
    return f"Gridkeeper {importlib.metadata.version('gridkeeper')}"


def banner(detail: DecisionDetail, territory: TerritoryInfo) -> None:
    """Say who proposed, who signed, when, and in what words."""
    decision = detail.decision
    lines = [
        t("Proposed by {who}, {when}:", who=words.doer(decision.proposed_label),
          when=i18n.clock(decision.proposed_at, territory.timezone))
        + f" “{decision.reason}”"
    ]  # fmt: skip
    if decision.decided_at is not None:
        said = {"who": words.doer(decision.decided_label), "when": i18n.clock(decision.decided_at, territory.timezone)}
        line = {
            "signed": lambda: t("Signed by {who}, {when}.", **said),
            "refused": lambda: t("Refused by {who}, {when}.", **said),
            "withdrawn": lambda: t("Taken back by {who}, {when}.", **said),
        }[decision.state]()
        lines.append(line + (f" “{decision.note}”" if decision.note else ""))
    first = widgets.html(widgets.toned(state(decision), TONES[decision.state]))
    rest = "".join(f"<p>{widgets.html(line)}</p>" for line in lines)
    widgets.write(f'<div class="gk-answer"><p class="gk-head-answer">{first}</p>{rest}</div>')


def acts(actor: Actor, decision: Decision) -> None:
    """Put what the actor may do with a proposal."""
    if decision.state != "proposed":
        return
    mine = decision.proposed_by == actor.user_id
    if actor.may(May.SIGN_SITES) and not mine:
        note = st.text_area(t("Note (needed to refuse)"), max_chars=REASON_AT_MOST, key=f"gk_decide_note_{decision.id}")
        with st.container(horizontal=True):
            if st.button(t("Sign these sites"), type="primary", key="gk_decide_sign"):
                _do(actor, decision, "sign", note)
            if st.button(t("Refuse"), key="gk_decide_refuse"):
                _do(actor, decision, "refuse", note)
    elif mine and actor.may(May.PROPOSE_SITES):
        widgets.note(t("A supervisor signs or refuses; until then you may take the proposal back."))
        if st.button(t("Take the proposal back"), key="gk_decide_withdraw"):
            _do(actor, decision, "withdraw", "")
    else:
        widgets.note(t("A supervisor signs or refuses."))


def _do(actor: Actor, decision: Decision, act: str, note: str) -> None:
    with guard.page():
        with transaction(actor, purpose=f"{act} sites") as session:
            if act == "sign":
                deciding.sign(session, actor, decision.id, version=decision.version, note=note)
            elif act == "refuse":
                deciding.refuse(session, actor, decision.id, version=decision.version, note=note)
            else:
                deciding.withdraw(session, actor, decision.id, version=decision.version)
        st.rerun()


def aside(detail: DecisionDetail, study: Study) -> None:
    """Put the answers that were left aside when the sites were proposed."""
    widgets.heading(t("Left aside"))
    rows = detail.decision.said["aside"]
    if not rows:
        widgets.note(t("No other answer to this question was there when the sites were proposed."))
        return
    people = max(float(study.facts["people"]), 1e-9)
    widgets.table(
        [Column(t("Study")), Column(t("What it reaches"), right=True), Column(t("In time"), right=True),
         Column(t("Mean way"), right=True)],
        [
            (
                _other(each),
                "–" if each["objective"] is None
                else study_kind_words.figure_of(study.question.kind, people, each["objective"]),
                "–" if each["within"] is None else study_words.per_cent(each["within"] / people),
                study_words.minutes(each["mean_s"]),
            )
            for each in rows
        ],
    )  # fmt: skip


def _other(each: dict[str, Any]) -> widgets.Html:
    title = each["title"] or t("Study {number}", number=each["study"])
    return widgets.link(title, f"/study?study={each['study']}")


def proof(actor: Actor, detail: DecisionDetail, territory: TerritoryInfo) -> None:
    """Put hash, record and seal, and the text that was signed for who wants to check it himself."""
    decision = detail.decision
    widgets.heading(t("What was decided, word by word"))
    if detail.holds:
        widgets.write(f"<p>{widgets.html(widgets.toned(t('Text, hash and record agree.'), 'good'))}</p>")
    else:
        widgets.wrong(t("Text, hash and record do not agree."), t("Ask the auditor to verify the record."))
    sealed = [each.sealed_at for each in detail.checks if each.sealed_at is not None]
    rows = t(", ").join(
        widgets.link(str(each.seq), f"/record?row={each.seq}").text if actor.may(May.SEE_RECORD) else str(each.seq)
        for each in detail.checks
    )
    said = decision.said
    widgets.fields(
        {
            "SHA-256": widgets.Html(f"<code>{decision.content_sha256}</code>"),
            t("Rows of the record"): widgets.Html(rows),
            t("Sealed"): i18n.clock(max(sealed), territory.timezone)
            if len(sealed) == len(detail.checks)
            else t("with the next seal"),
            t("Computed by"): said["program"],
            t("Data"): " · ".join(f"{name} {value}" for name, value in said["data"].items()) or "–",
        }
    )
    st.download_button(
        t("The text (JSON)"), decision.content.encode(), f"decision-{decision.id}.json", "application/json",
        key="gk_decide_text",
    )  # fmt: skip
    widgets.note(t("Whoever has the file can reckon its SHA-256 and compare. The record cannot be changed."))


def run_again(actor: Actor, study: Study) -> None:
    """Put the button that asks the very question once more."""
    if not actor.may(May.MAKE_STUDIES):
        return
    if st.button(t("Run again and compare"), key="gk_run_again"):
        with guard.page():
            with transaction(actor, purpose="run a study again") as session:
                fresh = service.run_again(session, actor, study.id)
            st.switch_page("views/compare_studies.py", query_params={"a": str(study.id), "b": str(fresh)})
    widgets.note(t("The same question, the same seed: the same data give the same answer."))
