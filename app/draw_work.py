"""Drawing and sharing out large drafts: the background work, and on the page how far it is and a way to stop it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import guard, i18n, state, widgets
from app.draw_desk import Desk
from app.i18n import t
from app.where import territory_of
from core.identity import Actor
from core.progress import Progress
from geodata import db, jobs
from geodata.jobs import Job
from grids import background, drafting
from grids.change_model import Change

REFRESH_S = 1.0


@jobs.kind(background.KIND)
def _work(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    with db.transaction(actor, purpose="draw grids") as session:
        return background.work(session, actor, territory_of(session, actor), arguments, progress)


@st.fragment(run_every=REFRESH_S)
def running(desk: Desk) -> None:
    """Put how far the work on a draft is; the page runs anew when it has ended."""
    with guard.page():
        actor = guard.current_actor()
        with db.transaction(actor) as session:
            change = drafting.get_change(session, actor, desk.change.id)
            job = background.job_of(session, actor, change)
        if job is None or job.ended:
            _say(job)
            st.rerun()
        with st.container(key="gk-draw-work", border=True):
            words = step_word(job.step) if job.step else t("Waiting to begin")
            if job.total:
                words = t(
                    "{step}: {done} of {total}", step=words, done=i18n.number(job.done), total=i18n.number(job.total)
                )
            st.progress(min(job.done / job.total, 1.0) if job.total else 0.0, text=words)
            widgets.note(t("You may close this page; the work goes on, and the draft will hold what came of it."))
            if change.author_id == actor.user_id:
                st.button(
                    t("Cancel"), key="gk_draw_cancel", disabled=job.cancel_requested, on_click=_cancel, args=(desk,)
                )
            if job.cancel_requested:
                widgets.note(t("It stops after the step it is at; the draft stays as it was."))


def _cancel(desk: Desk) -> None:
    """Ask the work to stop; runs before the page is drawn anew."""
    with guard.page(), db.transaction(desk.actor, purpose="cancel drawing") as session:
        background.cancel(session, desk.actor, drafting.get_change(session, desk.actor, desk.change.id))


def _say(job: Job | None) -> None:
    """Keep what came of the work for the next look at the page."""
    said: dict[str, Any] = st.session_state.setdefault(state.DRAW_NEWS, {})
    if job is not None and job.state == "done":
        said["told"] = result_words(job.result or {})
    elif job is not None and job.state == "cancelled":
        said["told"] = t("Cancelled; the draft is as it was.")


def failure(change: Change, job: Job | None) -> None:
    """Say why the last work on a draft failed, to whoever opens it, until something is done to the draft."""
    if job is not None and background.failed(change, job):
        widgets.wrong(t("This did not work; nothing was changed."), i18n.either(job.message, job.zh))


def result_words(result: Mapping[str, Any]) -> str:
    """Return what came of the work in words."""
    if result.get("work") == background.SHARE:
        return t(
            "{count} responsibility grids; the heaviest has {ratio} times the mean load.",
            count=i18n.number(result["areas"]),
            ratio=i18n.number(result["max_over_mean"], 3),
        )
    return t("Drawn, numbered and coded.")


def step_word(name: str) -> str:
    """Return a step of the work in words."""
    return {
        "Cutting communities along their streets": t("Cutting communities along their streets"),
        "Cutting communities into cells": t("Cutting communities into cells"),
        "Choosing which cuts stay": t("Choosing which cuts stay"),
        "Numbering and coding": t("Numbering and coding"),
        "Counting people": t("Counting people"),
        "Keeping the cells": t("Keeping the cells and why their borders are there"),
        "Measuring the cells": t("Measuring incidents, people and streets of the cells"),
        "Sharing out": t("Sharing the cells out"),
    }.get(name, name)
