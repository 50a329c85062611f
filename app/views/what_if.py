"""What if: a past day asked again with other rules, more or fewer workers, another penalty, refusals."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import cost_parts, guard, i18n, state, what_if_parts, what_if_words, widgets
from app.i18n import t
from app.where import territory_of
from core.identity import Actor, May, require
from dispatch import what_if
from dispatch.costs import cost_table
from dispatch.simulate_model import Policy
from dispatch.what_if_model import Question, read_reply
from geodata.db import transaction
from geodata.jobs import Job
from geodata.territory import TerritoryInfo

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-what-if.css"
REFRESH_S = 1.0
MORE, FIRST_MORE = 10, 5
MOST_OWNER_S, OWNER_STEP_S = 1800, 100
MOST_REFUSED, REFUSED_STEP = 30, 5
ASKED_AT_FIRST = (Policy.NEAREST_PAIR, Policy.OWNER_OVERFLOW, Policy.ROLLING)


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.DISPATCH)
    st.html(STYLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("What if"), simulated=territory.is_demo, aside=t("a past day, asked again"))
        days = _days(session, actor, territory, territory.id)
        found = what_if.latest(session, actor, territory)
        asked = what_if.questions(session, actor, found)
        waiting = min((each for each in found if each.state == "waiting"), key=lambda each: each.id, default=None)
        ahead = 0 if waiting is None else what_if.ahead(session, actor, waiting)
        job = _chosen(session, actor, found)
        costs = cost_table(session, actor)
    if not days:
        widgets.empty(
            t("There is no past day yet."),
            t("From the day after the first incidents were filed, that day can be asked again here."),
            link_label=t("Board"),
            href="/board",
        )
        cost_parts.folded(actor, costs)
        return
    left, right = st.columns([1, 3], gap="medium")
    with left, st.container(key="gk-wi-form", border=True):
        _form(actor, days, costs.weights.owner_s)
    with right:
        _beside(job)
        what_if_parts.asked_before(found, territory, None if job is None else job.id, asked, ahead)
        cost_parts.folded(actor, costs)


@st.cache_data(ttl=300, show_spinner=False)
def _days(_session: Session, _actor: Actor, _territory: TerritoryInfo, territory_id: int) -> dict[dt.date, int]:
    del territory_id  # what is kept is of one territory
    return dict(what_if.days(_session, _actor, _territory))


def _chosen(session: Session, actor: Actor, found: list[Job]) -> Job | None:
    """Return the question that the address names, else the newest."""
    given = st.query_params.get("run", "")
    if given.isdecimal() and len(given) < 10:
        job = what_if.asked(session, actor, int(given))
        if job is not None:
            return job
    return found[0] if found else None


def _form(actor: Actor, days: dict[dt.date, int], owner_s: float) -> None:
    """Put the question and the one button."""
    kept: dict[str, Any] = st.session_state.get(state.WHAT_IF_FORM, {})
    listed = list(days)
    day = st.selectbox(
        t("Day"),
        listed,
        index=listed.index(kept["day"]) if kept.get("day") in days else 0,
        format_func=lambda each: t("{day}, {count} incidents", day=i18n.day(each), count=i18n.number(days[each])),
        key=_key("day"),
    )
    rules = st.multiselect(
        t("Rules"),
        list(Policy),
        default=kept.get("rules", list(ASKED_AT_FIRST)),
        format_func=what_if_words.rule,
        key=_key("rules"),
        placeholder=t("Choose at least one"),
    )
    workers = st.slider(
        t("Workers more or fewer"), -MORE, MORE, kept.get("workers", FIRST_MORE), format="%+d", key=_key("workers")
    )
    as_is = round(min(owner_s, MOST_OWNER_S) / OWNER_STEP_S) * OWNER_STEP_S
    owner = st.slider(
        t("Owner penalty, seconds"),
        0,
        MOST_OWNER_S,
        kept.get("owner", as_is),
        step=OWNER_STEP_S,
        key=_key("owner"),
        help=t(
            "What it costs in the plan to send somebody whose grid it is not; today {seconds} s.",
            seconds=i18n.number(owner_s),
        ),
    )
    refused = st.slider(
        t("Refused, per cent"), 0, MOST_REFUSED, kept.get("refused", 0), step=REFUSED_STEP, key=_key("refused")
    )
    st.session_state[state.WHAT_IF_FORM] = {
        "day": day, "rules": rules, "workers": workers, "owner": owner, "refused": refused,
    }  # fmt: skip
    if st.button(t("Play the day"), type="primary", key="gk_wi_ask", shortcut="Ctrl+Enter", width="stretch"):
        with guard.page():
            changed = None if owner == as_is else float(owner)
            question = Question(day, tuple(p for p in Policy if p in rules), workers, changed, refused / 100)
            with transaction(actor, purpose="play a past day") as session:
                job_id = what_if.ask(session, actor, question)
            st.query_params["run"] = str(job_id)
            st.rerun()
    widgets.note(t("Each change is played by itself beside the day as it is. You may close the page meanwhile."))


def _key(name: str) -> str:
    """Return a widget's key: Streamlit remembers a choice by its words, so each language has its own."""
    return f"{state.WHAT_IF_FORM}_{name}_{i18n.locale()}"


def _beside(job: Job | None) -> None:
    """Put the answer, the work that is on, or what would stand here."""
    if job is None:
        widgets.empty(
            t("Nothing asked yet."),
            t("Choose a day and press the button: who would have been late, and what more workers would have changed."),
        )
    elif not job.ended:
        _running(job.id)
    elif job.result is not None:
        reply = read_reply(job.result)
        widgets.heading(i18n.day(reply.question.day), aside=_aside(reply.rows[0].incidents, reply.rows[0].workers))
        what_if_parts.answer(reply)
    elif job.state == "failed":
        widgets.wrong(t("This did not work; nothing was changed."), what_if_words.failure(job.message))
    else:
        widgets.empty(t("There is no answer."), t("The work was cancelled; press the button to begin again."))


def _aside(incidents: int, workers: int) -> str:
    return t("{incidents} incidents, {workers} workers", incidents=i18n.number(incidents), workers=i18n.number(workers))


@st.fragment(run_every=REFRESH_S)
def _running(job_id: int) -> None:
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            job = what_if.asked(session, actor, job_id)
            ahead = 0 if job is None else what_if.ahead(session, actor, job)
        if job is None or job.ended:
            st.rerun()
        with st.container(key="gk-wi-work", border=True):
            share, words = what_if_words.progress(job, ahead)
            st.progress(share, text=words)
            st.button(t("Cancel"), key="gk_wi_cancel", disabled=job.cancel_requested, on_click=_cancel, args=(job_id,))


def _cancel(job_id: int) -> None:
    """Ask the work to stop; runs before the page is drawn anew."""
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor, purpose="cancel a question") as session:
            what_if.cancel(session, actor, job_id)


show()
