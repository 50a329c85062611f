"""The tab of the rules: what each looks for, where it comes from, and changing a threshold by two persons."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import accountability_words as told
from app import i18n, state, widgets, words
from app.accountability_detail import act
from app.i18n import t
from app.widgets import Cell, Column
from core.clock import now
from core.identity import Actor, May
from geodata.territory import TerritoryInfo
from insight import reviews
from insight.accountability import BY_KEY, RULES, Rule, Threshold
from insight.reviews import Proposal

HISTORY_SHOWN = 20
REASON_MOST = 300


def show(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the tab."""
    held = reviews.thresholds(session, actor, now())
    every = reviews.proposals(session, actor)
    waiting = [each for each in every if each.state == "proposed"]
    if waiting:
        widgets.heading(t("Waiting for a decision"))
        for each in waiting:
            _waiting(actor, territory, each)
    widgets.table(
        [
            Column(t("Rule")),
            Column(t("Looks for"), wide=True),
            Column(t("Threshold")),
            Column(t("Weight"), fixed=True, wide=True),
            Column(t("Source"), wide=True),
        ],
        [
            (
                widgets.two_lines(told.rule(rule.key), "" if threshold.on else t("switched off")),
                told.question(rule.key),
                widgets.Html("<br>".join(widgets.html(each) for each in _said(rule, threshold)) or "–"),
                told.weight(rule.severity),
                i18n.either(*rule.source),
            )
            for rule, threshold in held
        ],
    )
    if actor.may(May.SEE_REVIEWS):
        _propose(actor, {rule.key: each for rule, each in held})
    decided = [each for each in every if each.state != "proposed"]
    if decided:
        widgets.heading(t("History"))
        _history(decided[:HISTORY_SHOWN], territory)


def _said(rule: Rule, threshold: Threshold | Proposal) -> list[str]:
    """Return what a threshold looks for, a line each."""
    on = threshold.on if isinstance(threshold, Threshold) else threshold.active
    said = [] if on else [t("switched off")]
    if threshold.count is not None:
        said.append(f"{i18n.either(*rule.count_words)}: {i18n.number(threshold.count)}")
    if threshold.minutes is not None:
        said.append(f"{i18n.either(*rule.minutes_words)}: {i18n.number(threshold.minutes)}")
    return said


def _waiting(actor: Actor, territory: TerritoryInfo, each: Proposal) -> None:
    rule = BY_KEY[each.rule]
    fields: dict[str, Cell] = {
        t("Rule"): told.rule(each.rule),
        t("Threshold"): "; ".join(_said(rule, each)) or t("switched on"),
        t("Why"): each.reason,
        t("Proposed by"): f"{words.doer(each.proposed_label)}, {i18n.clock(each.proposed_at, territory.timezone)}",
    }
    widgets.fields(fields, beside=True)
    mine = each.proposed_by == actor.user_id
    with st.container(horizontal=True):
        if mine:
            if st.button(t("Withdraw"), key=f"gk_threshold_withdraw_{each.id}"):
                _decide(actor, each, "withdrawn", t("Withdrawn; everything stays as it is."))
            widgets.note(t("Another person decides it."))
        else:
            if st.button(t("Approve"), type="primary", key=f"gk_threshold_approve_{each.id}"):
                _decide(actor, each, "approved", t("Approved; acts from now on are judged by it."))
            if st.button(t("Reject"), key=f"gk_threshold_reject_{each.id}"):
                _decide(actor, each, "rejected", t("Rejected; everything stays as it is."))


def _decide(actor: Actor, each: Proposal, to: str, said: str) -> None:
    act(actor, said, lambda session: reviews.decide_threshold(session, actor, each.id, to, version=each.version))


def _propose(actor: Actor, held: dict[str, Threshold]) -> None:
    with st.expander(t("Propose another threshold")):
        widgets.note(t("It holds for acts after the approval by another person; what was found before stays."))
        key = st.selectbox(
            t("Rule"), [rule.key for rule in RULES], format_func=told.rule, key=state.REVIEW_PROPOSED, width=320
        )
        rule, present = BY_KEY[str(key)], held[str(key)]
        count = minutes = None
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if present.count is not None:
                label = i18n.either(*rule.count_words)
                count = st.number_input(label, 1, 1_000_000, present.count, key=f"gk_threshold_count_{key}", width=220)
            if present.minutes is not None:
                label = i18n.either(*rule.minutes_words)
                minutes = st.number_input(label, 0, 525_600, present.minutes, key=f"gk_threshold_min_{key}", width=280)
            active = st.toggle(t("The rule is on"), value=present.on, key=f"gk_threshold_on_{key}")
        reason = st.text_input(t("Why"), key=f"gk_threshold_reason_{key}", max_chars=REASON_MOST)
        if st.button(t("Propose"), key="gk_threshold_propose"):
            act(
                actor,
                t("Proposed. Another person decides it; until then everything stays as it is."),
                lambda session: reviews.propose(
                    session, actor, str(key), count=count, minutes=minutes, active=active, reason=reason
                ),
            )


def _history(decided: list[Proposal], territory: TerritoryInfo) -> None:
    names = {
        "approved": (t("approved"), "good"),
        "rejected": (t("rejected"), "late"),
        "withdrawn": (t("withdrawn"), "done"),
    }
    widgets.table(
        [
            Column(t("Rule")),
            Column(t("Threshold")),
            Column(t("State"), fixed=True),
            Column(t("Proposed by"), wide=True),
            Column(t("Decided by"), wide=True),
            Column(t("Decided at"), fixed=True),
        ],
        [
            (
                told.rule(each.rule),
                "; ".join(_said(BY_KEY[each.rule], each)) or t("switched on"),
                widgets.toned(*names[each.state]),
                words.doer(each.proposed_label),
                words.doer(each.decided_label),
                i18n.clock(each.decided_at, territory.timezone) if each.decided_at else "",
            )
            for each in decided
        ],
    )
