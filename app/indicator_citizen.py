"""The citizens' word on the page Indicators: the three rates side by side, and the rule they are counted by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, indicator_behind, state, widgets
from app import indicator_words as words
from app.i18n import t
from app.indicator_behind import Period
from app.widgets import Cell, Column, Html
from core.errors import GridkeeperError
from core.identity import Actor, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from insight import service
from insight.indicators import OF_THE_CITIZEN, Weights, weighted
from insight.model import Rule, RuleProposal, Score


def table(scores: Sequence[Score], rule: Rule, period: Period, *, linked: bool) -> None:
    """Put response, solution and satisfaction of every subject, and their weighted mean; nothing without a word."""
    of: dict[int | None, dict[str, Score]] = {}
    for score in scores:
        if score.indicator in OF_THE_CITIZEN and score.denominator:
            of.setdefault(score.subject_id, {})[score.indicator] = score
    if not of:
        return
    widgets.heading(t("What citizens say"), aside=base_words(rule))
    columns = [Column(words.subject(scores[0].subject))]
    columns += [Column(words.indicator(key), right=True) for key in OF_THE_CITIZEN]
    columns += [Column(t("Weighted"), right=True)]
    widgets.table(
        columns,
        [_row(who, rates, rule, period, linked=linked) for who, rates in sorted(of.items(), key=_by_mean(rule))],
    )


def _by_mean(rule: Rule):  # type: ignore[no-untyped-def]  # noqa: ANN202
    def key(item: tuple[int | None, Mapping[str, Score]]) -> tuple[bool, float]:
        mean = _mean(item[1], rule)
        return mean is None, -(mean or 0.0)

    return key


def _mean(rates: Mapping[str, Score], rule: Rule) -> float | None:
    return weighted([rates[key].rate if key in rates else None for key in OF_THE_CITIZEN], rule.weights)


def _row(who: int | None, rates: Mapping[str, Score], rule: Rule, period: Period, *, linked: bool) -> list[Cell]:
    one = next(iter(rates.values()))
    row: list[Cell] = [i18n.either(one.name, one.name_zh) if who is not None else t("No unit named")]
    for key in OF_THE_CITIZEN:
        score = rates.get(key)
        if score is None:
            row.append("–")
            continue
        numbers = (score.numerator, score.denominator)
        told = indicator_behind.counted(key, score.subject, who, period, numbers) if linked else _plain(numbers)
        few = f" {t('too few')}" if score.too_few else ""
        row.append(Html(f'{words.per_cent(score.rate)} <span class="gk-muted gk-small">{told}{few}</span>'))
    return [*row, words.per_cent(_mean(rates, rule))]


def _plain(numbers: tuple[int, int]) -> str:
    return f"{i18n.number(numbers[0])} / {i18n.number(numbers[1])}"


def base_words(rule: Rule) -> str:
    """Return how the three rates are counted."""
    base = t("of all called back") if rule.base == "asked" else t("of those who answered")
    return t(
        "response within {hours} h of the close; solution and satisfaction {base}; satisfied from {mark} of 5; "
        "weights {response} : {solution} : {satisfaction}",
        hours=i18n.number(rule.contact_hours),
        base=base,
        mark=rule.satisfied_from,
        response=i18n.number(rule.weights.response, 2),
        solution=i18n.number(rule.weights.solution, 2),
        satisfaction=i18n.number(rule.weights.satisfaction, 2),
    )


def rule_page(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the rule in force, what was proposed, and the form to propose another."""
    wrong = st.session_state.pop(state.APPEAL_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)
    rule = service.rule_in_force(session, actor)
    widgets.write(f"<p>{widgets.html(base_words(rule))}</p>")
    widgets.note(t("Appeals are open for {days} days after the close or the last call.", days=rule.appeal_days))
    found = service.rules(session, actor)
    if found:
        widgets.table(
            [
                Column(t("Version"), right=True),
                Column(t("Rule")),
                Column(t("Reason"), wide=True),
                Column(t("Proposed by")),
                Column(t("State")),
            ],
            [
                (i18n.number(each.id), base_words(each.rule), each.reason, _proposed(each, territory), _state(each))
                for each in found
            ],
        )
    if actor.role is not Role.SUPERVISOR:
        return
    for each in found:
        if each.state == "proposed" and each.proposed_by != actor.user_id:
            with st.container(horizontal=True):
                for approve, label in ((True, t("Approve version {id}", id=each.id)), (False, t("Reject it"))):
                    st.button(
                        label,
                        key=f"gk_rule_{each.id}_{approve}",
                        on_click=_decide,
                        args=(actor, each.id),
                        kwargs={"approve": approve},
                    )
    _form(actor, rule)


def _form(actor: Actor, rule: Rule) -> None:
    key = f"gk_rule_new_{rule.version}_{i18n.locale()}"
    with st.popover(t("Propose another rule"), key=f"{key}_form"):
        weights = [
            st.number_input(
                t("Weight: {rate}", rate=words.indicator(name)), 0.0, 100.0, value, 0.5, key=f"{key}_{name}"
            )
            for name, value in zip(
                OF_THE_CITIZEN,
                (rule.weights.response, rule.weights.solution, rule.weights.satisfaction),
                strict=True,
            )
        ]
        base = st.selectbox(
            t("Solution and satisfaction are counted"),
            ("asked", "reached"),
            index=("asked", "reached").index(rule.base),
            format_func=lambda name: t("of all called back") if name == "asked" else t("of those who answered"),
            key=f"{key}_base",
        )
        hours = st.number_input(
            t("In time: hours after the close"), 1.0, 744.0, rule.contact_hours, 1.0, key=f"{key}_h"
        )
        mark = st.number_input(t("Satisfied from (1 to 5)"), 1, 5, rule.satisfied_from, key=f"{key}_mark")
        days = st.number_input(t("Days to appeal in"), 1, 180, rule.appeal_days, key=f"{key}_days")
        reason = st.text_area(t("Reason"), max_chars=500, key=f"{key}_reason")
        wanted = Rule(Weights(*weights), base, hours, int(mark), rule.excluded_classes, int(days))
        st.button(
            t("Propose"),
            key=f"{key}_go",
            disabled=not (reason or "").strip() or sum(weights) <= 0,
            on_click=_propose,
            args=(actor, wanted, reason),
        )
        widgets.note(t("It holds when another supervisor approves it."))


def _propose(actor: Actor, rule: Rule, reason: str) -> None:
    try:
        with transaction(actor, purpose="propose evaluation rule") as session:
            service.propose_rule(session, actor, rule, reason)
    except GridkeeperError as error:
        st.session_state[state.APPEAL_WRONG] = error


def _decide(actor: Actor, proposal_id: int, *, approve: bool) -> None:
    try:
        with transaction(actor, purpose="decide evaluation rule") as session:
            service.decide_rule(session, actor, proposal_id, approve=approve)
    except GridkeeperError as error:
        st.session_state[state.APPEAL_WRONG] = error


def _proposed(each: RuleProposal, territory: TerritoryInfo) -> str:
    return f"{each.proposed_label} · {i18n.clock(each.proposed_at, territory.timezone)}"


def _state(each: RuleProposal) -> str:
    return {
        "proposed": t("waits for another supervisor"),
        "approved": t("approved by {name}", name=each.decided_label),
        "rejected": t("rejected by {name}", name=each.decided_label),
    }.get(each.state, each.state)
