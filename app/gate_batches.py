"""Bring in: the file that is being loaded, what came of the last one, and the earlier ones with a way back."""

from __future__ import annotations

import time

import streamlit as st

from app import gate_places, gate_words, guard, i18n, state, widgets, words
from app.data_gate import recent_batches
from app.i18n import t
from app.widgets import Column, Fact
from core.identity import Actor
from geodata import jobs
from geodata.db import transaction
from geodata.exchange_load import undo_batch
from geodata.jobs import Job
from geodata.territory import TerritoryInfo

REFRESH_S = 1.5
SHOWN = 8
SCORES = ("completeness", "validity", "uniqueness", "placement", "timeliness")


@st.fragment(run_every=REFRESH_S)
def running(job_id: int) -> None:
    """Put how far a file is, with its rate, and the way to stop it."""
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            job = jobs.get_job(session, job_id)
        if job.ended:
            st.rerun()
        widgets.heading(t("Bringing the file in"))
        widgets.write(f"<p>{widgets.html(words.job_state(job.state))}</p>")
        step = {"Reading the file": t("Reading the file"), "Loading rows": t("Loading rows")}.get(job.step, job.step)
        rate = _rate(job)
        if job.total:
            text = f"{step}: {i18n.number(job.done)} / {i18n.number(job.total)}"
            st.progress(min(job.done / job.total, 1.0), text=f"{text}{_pace(job, rate)}")
        elif step:
            text = f"{step}: {i18n.number(job.done)}" if job.done else step
            widgets.write(f"<p>{widgets.html(text + _pace(job, rate))}</p>")
        widgets.note(t("You may close this page; the work goes on and its result will stand here."))
        if st.button(t("Cancel"), key="gk_gate_cancel"):
            with transaction(actor) as session:
                jobs.request_cancel(session, job_id)


def _rate(job: Job) -> float:
    """Return how many rows a second a job makes, since the page first saw it at this step."""
    moment = time.monotonic()
    kept = st.session_state.get(state.GATE_RATE)
    if kept is None or kept[:2] != (job.id, job.step) or kept[2] > job.done:
        st.session_state[state.GATE_RATE] = kept = (job.id, job.step, job.done, moment)
    return float((job.done - kept[2]) / (moment - kept[3])) if moment > kept[3] else 0.0


def _pace(job: Job, rate: float) -> str:
    if rate < 1:
        return ""
    told = t(", {rate} rows a second", rate=i18n.number(round(rate)))
    if not job.total:
        return told
    return told + t(", about {seconds} s left", seconds=i18n.number(round((job.total - job.done) / rate)))


def outcome(job: Job) -> None:
    """Put what came of the last file."""
    if job.state == "cancelled":
        widgets.told(t("Cancelled; nothing was changed."))
        return
    if job.state != "done" or job.result is None:
        widgets.wrong(t("This did not work; nothing was changed."), i18n.either(job.message, job.zh))
        return
    found = job.result
    name = str(found.get("title") or found.get("data_set", ""))
    widgets.heading(t("Brought in: {name}", name=name))
    rejected = int(found.get("rejected", 0))
    href = f"/quarantine?batch={found.get('batch_id')}"
    widgets.facts(
        [
            Fact(t("Rows read"), i18n.number(int(found.get("read", 0)))),
            Fact(t("New"), i18n.number(int(found.get("loaded", 0)))),
            Fact(t("Changed"), i18n.number(int(found.get("changed", 0)))),
            Fact(t("There already"), i18n.number(int(found.get("duplicates", 0)))),
            Fact(t("Rows on a grid"), i18n.number(int(found.get("placed", 0)))),
            Fact(
                t("In quarantine"),
                i18n.number(rejected),
                href=href if rejected else "",
                tone="soon" if rejected else "",
            ),
        ],
    )
    first = found.get("first_wrong")
    if rejected and isinstance(first, dict):
        sentence = i18n.either(str(first.get("sentence", "")), str(first.get("sentence_zh", "")))
        widgets.note(t("First of them, row {row}: {sentence}", row=i18n.number(int(first["row"])), sentence=sentence))
    if found.get("known"):
        widgets.note(t("This very file was brought in before; nothing was added."))
    gate_places.after(found)


def earlier(actor: Actor, territory: TerritoryInfo) -> None:
    """Put the files that came in before, with their scores, and the way to take the newest of a set out again."""
    told = st.session_state.pop(state.GATE_TOLD, None)
    if told:
        widgets.told(told)
    with transaction(actor) as session:
        batches = recent_batches(session, actor, territory.id, SHOWN)
    widgets.heading(t("Files brought in"))
    if not batches:
        widgets.empty(t("There is none yet."), t("What is brought in stands here, and can be taken out again."))
        return
    widgets.table(
        [
            Column(t("File")),
            Column(t("Data set")),
            Column(t("Rows"), right=True),
            Column(t("Valid"), right=True),
            Column(t("When"), right=True),
        ],
        [
            (
                each.file_name if each.status == "loaded" else f"{each.file_name} ({gate_status(each.status)})",
                widgets.link(each.data_set, f"/catalogue?entry=set-{each.key}"),
                i18n.number(each.loaded + each.changed),
                f"{each.scores['validity']:.1%}" if "validity" in each.scores else "",
                i18n.clock(each.started_at, territory.timezone),
            )
            for each in batches
        ],
    )
    open_ones = {each.id: each for each in batches if each.can_undo}
    if open_ones:
        with st.expander(t("Take a file out again")):
            chosen = st.selectbox(
                t("File"), list(open_ones), key="gk_gate_undo",
                format_func=lambda at: f"{open_ones[at].file_name} → {open_ones[at].data_set}",
            )  # fmt: skip
            for name in SCORES:
                if name in open_ones[chosen].scores:
                    widgets.note(f"{gate_words.score(name)} {open_ones[chosen].scores[name]:.1%}")
            widgets.note(
                t("Its rows go, what they replaced holds again, and what waits of it in quarantine is dropped.")
            )
            if st.button(t("Take it out"), key="gk_gate_undo_now"):
                with guard.page():
                    with transaction(actor, purpose="undo a file") as session:
                        gone = undo_batch(session, actor, chosen)
                    st.session_state[state.GATE_TOLD] = t("{file} was taken out again.", file=gone.file_name)
                    st.rerun()


def gate_status(key: str) -> str:
    """Return what became of a file."""
    return {"undone": t("taken out"), "failed": t("failed"), "loading": t("loading")}.get(key, "")
