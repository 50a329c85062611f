"""Indicators: how departments, communities, classes and posts do, and how sure that is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from sqlalchemy.orm import Session

from app import (
    appeal_parts,
    as_of,
    guard,
    i18n,
    incident_word,
    indicator_behind,
    indicator_citizen,
    indicator_parts,
    indicator_print,
    state,
    widgets,
)
from app import indicator_words as words
from app import words as common
from app.evaluation import keep_facts_if_stale, keep_facts_of_day
from app.i18n import t
from app.indicator_behind import Period
from app.where import territory_of
from core.clock import now
from core.identity import Actor, May, Role, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from insight import service
from insight.indicators import INDICATORS
from insight.model import Month, Score, subjects_for

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-indicators.css"
PERIODS = (30, 90, 365, common.OWN_DATES)
FIRST_SHOWN = "closing_on_time"
APPEALS = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.HANDLER, Role.DISPATCHER})


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the bar says: the period, whom to compare and by what; ``days`` is the same as an address, if any."""

    period: Period
    subject: str
    indicator: str
    days: str


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_SCORES)
    keep_facts_if_stale(actor.territory_id or 0)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        folded_at = service.facts_as_of(session, actor)
        told = "" if folded_at is None else t("as of {moment}", moment=i18n.clock(folded_at, territory.timezone))
        widgets.title(t("Indicators"), simulated=territory.is_demo, aside=told)
        st.html(f"<style>{STYLE.read_text()}</style>")
        wanted = indicator_behind.from_address()
        if wanted is not None and actor.may(May.SEE_INCIDENTS):
            indicator_behind.show(session, actor, territory, wanted)
            return
        chosen = _bar(actor, territory)
        if "print" in st.query_params and chosen.subject and chosen.subject != "post":
            scores = service.evaluate(
                session,
                actor,
                chosen.subject,
                chosen.period.first,
                chosen.period.last,
                moment=chosen.period.moment,
                as_of=chosen.period.day,
            )
            indicator_print.sheet(scores, chosen.period, territory, by=actor.label)
            return
        _parts(session, actor, territory, chosen)


def _parts(session: Session, actor: Actor, territory: TerritoryInfo, chosen: Chosen) -> None:
    """Put the league and, for who has to do with them, appeals, calls back and the rule of both."""
    if actor.role not in APPEALS:
        _scores(session, actor, chosen)
        return
    waiting = sum(each.state == "waiting" for each in service.list_appeals(session, actor))
    appeals = t("Appeals ({count} wait)", count=waiting) if waiting else t("Appeals")
    first, second, third, fourth = st.tabs([t("Scores"), appeals, t("Calls back"), t("How citizens' words count")])
    with first:
        _scores(session, actor, chosen)
    with second:
        appeal_parts.page(session, actor, territory)
    with third:
        incident_word.waiting(session, actor, territory)
    with fourth:
        indicator_citizen.rule_page(session, actor, territory)


def _scores(session: Session, actor: Actor, chosen: Chosen) -> None:
    if actor.role is Role.GRID_WORKER:
        _own(session, actor, chosen)
    elif chosen.subject == "post":
        _posts(session, actor, chosen)
    else:
        _league(session, actor, chosen)
    _unsaid()


def _bar(actor: Actor, territory: TerritoryInfo) -> Chosen:
    moment = now().replace(microsecond=0)
    today = moment.astimezone(territory.zone).date()
    subjects = subjects_for(actor.role)
    subject, indicator = "", FIRST_SHOWN
    with widgets.filter_bar():
        period = st.selectbox(
            t("Reported in"),
            PERIODS,
            index=PERIODS.index(365),
            format_func=common.period,
            key=state.INDICATOR_PERIOD,
            width=160,
        )
        day = as_of.control(territory, key=state.INDICATOR_AS_OF)
        if day is not None:
            keep_facts_of_day(territory.id, day)
            today, moment = day, dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), territory.zone)
        if period == common.OWN_DATES:
            first, last = widgets.dates((today - dt.timedelta(days=29), today), key=state.INDICATOR_DAYS)
            address = ""  # the list of incidents takes no such days from an address
        else:
            first, last = today - dt.timedelta(days=period - 1), today
            address = f"days={period}" if day is None else ""
        if subjects:
            subject = st.selectbox(
                t("Compare"), subjects, format_func=words.subject, key=state.INDICATOR_SUBJECT, width=200
            )
        if subject and subject != "post":
            keys = [each.key for each in INDICATORS]
            indicator = st.selectbox(
                t("Indicator"),
                keys,
                index=keys.index(FIRST_SHOWN),
                format_func=words.indicator,
                key=state.INDICATOR_KEY,
                width=280,
            )
    return Chosen(Period(first, last, moment, day), subject, indicator, address)


def _league(session: Session, actor: Actor, chosen: Chosen) -> None:
    period = chosen.period
    scores = service.evaluate(
        session, actor, chosen.subject, period.first, period.last, moment=period.moment, as_of=period.day
    )
    of_it = [score for score in scores if score.indicator == chosen.indicator]
    if not any(score.denominator for score in of_it):
        _nothing()
        return
    _summary(actor, chosen, of_it)
    if period.day is not None:
        widgets.note(
            t(
                "Counted as it stood at the end of {day}; what was filed, handled, closed or opened again later is"
                " not in it.",
                day=i18n.day(period.day),
            )
        )
    course: dict[int | None, list[Month]] = {}
    if actor.role is not Role.PLANNER:  # who sees sums over whole subjects, not the course of each
        course = service.trend(
            session,
            actor,
            chosen.subject,
            chosen.indicator,
            first=period.first,
            last=period.last,
            moment=period.moment,
            as_of=period.day,
        )
    linked = actor.may(May.SEE_INCIDENTS)
    lines = indicator_parts.lines_by_month(of_it, course, period)
    indicator_parts.league(scores, lines, period, key=chosen.indicator, days=chosen.days, linked=linked)
    _how_to_read(chosen, of_it, by_month=bool(lines))
    indicator_citizen.table(scores, service.rule_in_force(session, actor), period, linked=linked)


def _summary(actor: Actor, chosen: Chosen, of_it: list[Score]) -> None:
    """Say the whole in one sentence, with the way to the sheet to print."""
    top, bottom = sum(each.numerator for each in of_it), sum(each.denominator for each in of_it)
    whole = t(
        "{indicator}: {rate}. {sentence}",
        indicator=words.indicator(chosen.indicator),
        rate=words.per_cent(top / bottom if bottom else None),
        sentence=words.in_words(chosen.indicator, top, bottom),
    )
    widgets.heading(whole, aside=_reach(actor))


def _how_to_read(chosen: Chosen, of_it: list[Score], *, by_month: bool) -> None:
    widgets.note(words.counted(chosen.indicator))
    widgets.note(
        t(
            "How to read it: the dot is what was counted, the line where the true rate lies with 95 % certainty. Few "
            "incidents make a long line. Where two lines overlap much, neither is shown to be better: so the rank is a "
            "range of places, not one. Too few: fewer than 10."
        )
    )
    if any(score.expected is not None for score in of_it):
        widgets.note(
            t(
                "Expected is the rate if each class of incident went as everywhere, so that who has the harder work is "
                "not blamed for it; it is left out where nobody else does that work."
            )
        )
    if by_month:
        widgets.note(t("The lines by month have the scale of the intervals; the month that still runs is left out."))
    widgets.write(f"<p>{widgets.link(t('Sheet to print'), '/indicators?print=1').text}</p>")


def _posts(session: Session, actor: Actor, chosen: Chosen) -> None:
    period = chosen.period
    scores = service.evaluate(session, actor, "post", period.first, period.last, moment=period.moment, as_of=period.day)
    widgets.heading(words.subject("post"), aside=_reach(actor))
    indicator_parts.posts(scores, period if actor.may(May.SEE_INCIDENTS) else None)
    for each in scores:
        widgets.note(f"{words.indicator(each.indicator)}: {words.counted(each.indicator)}")


def _own(session: Session, actor: Actor, chosen: Chosen) -> None:
    scores = []
    if actor.worker_id is not None:
        period = chosen.period
        scores = service.worker_scores(session, actor, actor.worker_id, period.first, period.last, as_of=period.day)
    if not any(score.denominator for score in scores):
        _nothing()
        return
    widgets.heading(t("Your own work"), aside=t("Only you and the manager of your grid see this; nobody is ranked."))
    indicator_parts.own(scores)


def _reach(actor: Actor) -> str:
    if actor.role is Role.GRID_MANAGER:
        return t("counted in your communities only")
    return t("counted in your units only") if actor.role is Role.HANDLER else ""


def _nothing() -> None:
    widgets.empty(t("Nothing to evaluate in this period."), t("Choose a longer one, or wait for incidents."))


def _unsaid() -> None:
    words_of_caution = t(
        "What this does not say: reports are not reality. Who is complained about more need not do worse, and what"
        " nobody reports is not counted. Citizens' words are those of who was called back, not of all."
    )
    widgets.write(f'<p class="gk-unsaid">{words_of_caution}</p>')


show()
