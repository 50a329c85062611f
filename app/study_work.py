"""The work of a study while it is being answered: how far it is, and a way to stop it."""

from __future__ import annotations

import streamlit as st

from app import guard, i18n, study_trail, study_words, widgets
from app.i18n import t
from core.clock import now
from core.identity import Actor, May
from geodata.db import transaction
from geodata.jobs import Job
from planning import living, service
from planning.acts import Live
from planning.kinds import Kind

REFRESH_S = 1.0


@st.fragment(run_every=REFRESH_S)
def running(study_id: int, kind: Kind) -> None:
    """Put how far the work of a study is; the page runs anew when it has ended."""
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            job = service.job_of(session, actor, study_id)
            standing = living.live(session, actor, study_id)
        if job is None or job.ended:
            st.rerun()
        with st.container(key="gk-study-work", border=True):
            _progress(job)
            if standing is not None and standing.trail:
                study_trail.show(kind, standing.people, standing.trail, seconds=_seconds(standing))
            if actor.may(May.MAKE_STUDIES):
                _buttons(actor, job, study_id, standing)
            if job.cancel_requested or (standing is not None and standing.enough):
                widgets.note(t("It will stop after the step it is at; the last proof can take up to a minute."))


def _seconds(standing: Live) -> float:
    """Return how long the search has gone on: until now, or at least until its last news."""
    return max(1.0, standing.trail[-1][0] + max(0.0, (now() - standing.heard_at).total_seconds()))


def _buttons(actor: Actor, job: Job, study_id: int, standing: Live | None) -> None:
    """Put the two ways to stop: with the best found, or with nothing."""
    with st.container(horizontal=True):
        st.button(
            t("Stop and keep the best found"),
            key="gk_study_enough",
            disabled=job.cancel_requested or standing is None or not standing.trail or standing.enough,
            on_click=_enough,
            args=(actor, study_id),
        )
        st.button(
            t("Cancel"),
            key="gk_study_cancel",
            disabled=job.cancel_requested,
            on_click=_cancel,
            args=(actor, study_id),
        )


def _enough(actor: Actor, study_id: int) -> None:
    """Ask the search to end with the best found; runs before the page is drawn anew."""
    with guard.page(), transaction(actor, purpose="stop a study") as session:
        living.stop_and_keep(session, actor, study_id)


def _cancel(actor: Actor, study_id: int) -> None:
    """Ask the work to stop; runs before the page is drawn anew."""
    with guard.page(), transaction(actor, purpose="cancel a study") as session:
        service.cancel(session, actor, study_id)


def _progress(job: Job) -> None:
    words = study_words.step(job.step) if job.step else t("Waiting to begin")
    if job.total:
        told = t("{step}: {done} of {total}", step=words, done=i18n.number(job.done), total=i18n.number(job.total))
        st.progress(min(job.done / job.total, 1.0), text=told)
    else:
        st.progress(0.0, text=words)
    widgets.note(t("You may close this page; the work goes on and its answer will stand here."))
