"""Parts that the steps of the first set-up share: what was done, files, work in the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app import guard, i18n, set_up_words, state, widgets, words
from app.i18n import t
from app.set_up_acts import acting
from app.set_up_model import Missing, Step
from app.uploads import save
from core.errors import DataQuality
from core.identity import Actor
from core.settings import settings
from geodata import jobs
from geodata.db import transaction
from geodata.jobs import Job

REFRESH_S = 1.0
FAULTS_SHOWN = 200


def go_on(told: str) -> None:
    """Say what came of an act and go to the next step; ends the run of the page."""
    st.session_state[state.SET_UP_TOLD] = told
    st.session_state[state.SET_UP_ROUND] = st.session_state.get(state.SET_UP_ROUND, 0) + 1
    st.query_params.pop("step", None)
    st.rerun()


def key(name: str) -> str:
    """Return a widget's key that is fresh after every act, so that no file is taken twice."""
    return f"gk_set_up_{name}_{st.session_state.get(state.SET_UP_ROUND, 0)}"


def act(label: str, *, name: str, disabled: bool = False, primary: bool = True) -> bool:
    """Put the button of an act and return whether it was pressed."""
    return st.button(label, type="primary" if primary else "secondary", key=f"gk_set_up_{name}", disabled=disabled)


def lacks(step: Step) -> None:
    """Put what is missing, each with a link where it is mended elsewhere, and what is worth knowing."""
    told: set[tuple[str, str]] = set()

    def sentence(missing: Missing) -> str:
        where = set_up_words.where(missing.what)
        tail = "" if where is None or where in told else f" {widgets.link(*where).text}"
        told.update([where] if where else [])
        return widgets.html(set_up_words.lack(missing)) + tail

    if step.missing:
        widgets.write("<ul>" + "".join(f"<li>{sentence(each)}</li>" for each in step.missing) + "</ul>")
    for each in step.advice:
        widgets.write(f'<p class="gk-muted gk-small">{sentence(each)}</p>')


def pick(label: str, *, name: str) -> Any:
    """Put an uploader and return the file, or None."""
    return st.file_uploader(label, max_upload_size=settings().upload_max_mib, key=key(name))


def take(file: Any, endings: tuple[str, ...], use: Callable[[Path], Any]) -> Any:
    """Write a file, use it, and take it away again; what breaks rules is told row by row.

    Returns None when it could not be used; the sentence is on the page then.
    """
    with guard.page():
        path = save(file, file.name, endings)
        try:
            return use(path)
        except DataQuality as error:
            faults(error)
        finally:
            path.unlink(missing_ok=True)
    return None


def faults(error: DataQuality) -> None:
    """Put every violation in a list."""
    widgets.wrong(error.message, error.hint)
    shown = [getattr(each, "zh", "") if i18n.locale() == "zh" else "" for each in error.violations]
    items = [
        f"<li>{widgets.html(chinese or str(each))}</li>" for chinese, each in zip(shown, error.violations, strict=True)
    ]
    more = len(items) - FAULTS_SHOWN
    if more > 0:
        items[FAULTS_SHOWN:] = [f"<li>{widgets.html(t('and {count} more', count=i18n.number(more)))}</li>"]
    widgets.write(f'<div class="gk-panel gk-scroll"><ul>{"".join(items)}</ul></div>')


def begin(actor: Actor, kind: str, arguments: Mapping[str, Any], *, file: Any = None, endings: Any = None) -> None:
    """Queue a job of the actor's territory, with a file where there is one, and show it."""
    with guard.page():
        path = None if file is None else save(file, file.name, endings)
        given = dict(arguments) | ({} if path is None else {"path": str(path)})
        try:
            with transaction(actor, purpose="set up") as session:
                jobs.enqueue(session, actor, kind, given)
        except BaseException:
            if path is not None:
                path.unlink(missing_ok=True)
            raise
        st.session_state[state.SET_UP_ROUND] = st.session_state.get(state.SET_UP_ROUND, 0) + 1
        st.rerun()


def newest(actor: Actor, kind: str) -> Job | None:
    """Return the newest job of a kind in the actor's territory; None when there was none."""
    with transaction(acting(actor)) as session:
        return next(iter(jobs.recent_jobs(session, actor.territory_id, kind, limit=1)), None)


def at_work(job: Job | None, *, name: str = "work") -> bool:
    """Show a job that is not ended, or why it failed; return whether it goes on."""
    if job is None:
        return False
    if not job.ended:
        running(job.id, name)
        return True
    if job.state == "failed":
        widgets.wrong(t("This did not work; nothing was changed."), i18n.either(job.message, job.zh))
    elif job.state == "cancelled":
        widgets.note(t("Cancelled; nothing was changed."))
    return False


@st.fragment(run_every=REFRESH_S)
def running(job_id: int, name: str) -> None:
    """Show how far a job is, with a button to stop it; draws the page anew when it has ended."""
    with guard.page():
        doer = acting(guard.current_actor())
        with transaction(doer) as session:
            job = jobs.get_job(session, job_id)
        if job.ended:
            st.rerun()
        widgets.write(f"<p>{widgets.html(words.job_state(job.state))}</p>")
        step = words.step(job.step)
        if job.total:
            told = f"{step}: {i18n.number(job.done)} / {i18n.number(job.total)}"
            st.progress(min(job.done / job.total, 1.0), text=told)
        elif job.step:
            widgets.write(f"<p>{widgets.html(step)}</p>")
        widgets.note(t("You may close this page; the work goes on and its result will stand here."))
        if st.button(t("Cancel"), key=f"gk_set_up_cancel_{name}"):
            with transaction(doer) as session:
                jobs.request_cancel(session, job_id)
