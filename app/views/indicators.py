"""Indicators: how departments, communities, classes and posts do, and how sure that is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import guard, i18n, indicator_parts, state, widgets
from app import indicator_words as words
from app import words as common
from app.evaluation import keep_facts_if_stale
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.identity import Actor, May, Role, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from insight import service
from insight.indicators import INDICATORS
from insight.model import subjects_for

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-indicators.css"
PERIODS = (30, 90, 365, common.OWN_DATES)
FIRST_SHOWN = "closing_on_time"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the bar says: the days, whom to compare and by what; ``days`` is the same as an address, if any."""

    first: dt.date
    last: dt.date
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
        as_of = service.facts_as_of(session, actor)
    told = "" if as_of is None else t("as of {moment}", moment=i18n.clock(as_of, territory.timezone))
    widgets.title(t("Indicators"), simulated=territory.is_demo, aside=told)
    st.html(f"<style>{STYLE.read_text()}</style>")
    chosen = _bar(actor, territory)
    if actor.role is Role.GRID_WORKER:
        _own(actor, chosen)
    elif chosen.subject == "post":
        _posts(actor, chosen)
    else:
        _league(actor, chosen)
    _unsaid()


def _bar(actor: Actor, territory: TerritoryInfo) -> Chosen:
    today = now().astimezone(territory.zone).date()
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
        if period == common.OWN_DATES:
            first, last = widgets.dates((today - dt.timedelta(days=29), today), key=state.INDICATOR_DAYS)
            address = ""  # the list of incidents takes no such days from an address
        else:
            first, last = today - dt.timedelta(days=period - 1), today
            address = f"days={period}"
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
    return Chosen(first, last, subject, indicator, address)


def _league(actor: Actor, chosen: Chosen) -> None:
    with transaction(actor) as session:
        scores = service.evaluate(session, actor, chosen.subject, chosen.first, chosen.last)
        months = service.trend(session, actor, chosen.subject, chosen.indicator, first=chosen.first, last=chosen.last)
    of_it = [score for score in scores if score.indicator == chosen.indicator]
    if not of_it:
        _nothing()
        return
    top, bottom = sum(each.numerator for each in of_it), sum(each.denominator for each in of_it)
    whole = t(
        "{indicator}: {rate}, {top} of {bottom}.",
        indicator=words.indicator(chosen.indicator),
        rate=words.per_cent(top / bottom if bottom else None),
        top=i18n.number(top),
        bottom=i18n.number(bottom),
    )
    widgets.heading(whole, aside=_reach(actor))
    # A planner sees sums over whole subjects, not the course of each.
    course = {} if actor.role is Role.PLANNER else months
    indicator_parts.league(
        scores,
        course,
        key=chosen.indicator,
        period=chosen.days,
        linked=bool(chosen.days) and actor.may(May.SEE_INCIDENTS),
    )
    widgets.note(words.counted(chosen.indicator))
    widgets.note(
        t(
            "Rank: between which places a subject lies with 95 % certainty; who overlaps is not better or worse. "
            "Expected: the rate if each of its classes went as everywhere. Too few: fewer than 10."
        )
    )


def _posts(actor: Actor, chosen: Chosen) -> None:
    with transaction(actor) as session:
        scores = service.evaluate(session, actor, "post", chosen.first, chosen.last)
    widgets.heading(words.subject("post"), aside=_reach(actor))
    indicator_parts.posts(scores)
    for each in scores:
        widgets.note(f"{words.indicator(each.indicator)}: {words.counted(each.indicator)}")


def _own(actor: Actor, chosen: Chosen) -> None:
    scores = []
    if actor.worker_id is not None:
        with transaction(actor) as session:
            scores = service.worker_scores(session, actor, actor.worker_id, chosen.first, chosen.last)
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
        " nobody reports is not counted. What citizens say of the result is not collected yet."
    )
    widgets.write(f'<p class="gk-unsaid">{words_of_caution}</p>')


show()
