"""The parts of the page Record beside the list: the strip, the check, the export, the heads."""

from __future__ import annotations

import base64
import datetime as dt

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, record_jobs, widgets, words
from app.health_model import size
from app.i18n import t
from app.widgets import Column, Fact
from core.clock import now
from core.identity import Actor, May, require, system_actor
from geodata import jobs, sealing
from geodata.db import transaction
from geodata.jobs import Job
from geodata.record_search import RecordRow
from geodata.territory import TerritoryInfo

DAYS_SHOWN = 14
REFRESH_S = 1.5
LATE = dt.timedelta(minutes=10)
"""The record is sealed every minute; an older head says that the jobs process stands still."""


def sealed(row: RecordRow) -> str:
    """Return under which head a row is sealed, in words."""
    if row.head_size is None:
        return t("not yet")
    return t("head of {size} rows", size=i18n.number(row.head_size))


def strip(actor: Actor, territory: TerritoryInfo) -> None:
    """Put the facts on top."""
    with transaction(system_actor(label=actor.label)) as session:  # the tree is one over all territories
        last, waiting = sealing.latest(session), sealing.unsealed(session)
    done = record_jobs.latest(actor, record_jobs.VERIFY)
    fits = done is not None and done.state == "done" and bool((done.result or {}).get("ok"))
    told = (
        t("never") if done is None else t("under way") if not done.ended else t("fits") if fits else t("does not fit")
    )
    if done is not None and done.state in {"failed", "cancelled"}:
        told = words.job_state(done.state)
    late = waiting > 0 and (last is None or now() - last.sealed_at > LATE)
    covered = last.tree_size if last else 0
    when = i18n.distance(done.finished_at) if done is not None and done.finished_at is not None else ""
    widgets.facts(
        [
            Fact(t("Rows in all"), i18n.number(covered + waiting)),
            Fact(t("Sealed"), i18n.number(covered)),
            Fact(t("Not sealed yet"), i18n.number(waiting), "soon" if late else ""),
            Fact(
                t("Newest head"),
                i18n.clock(last.sealed_at, territory.timezone) if last else t("none"),
                "soon" if late else "",
                href="/record/head.txt" if last else "",
            ),
            Fact(t("Last check"), told, "late" if done is not None and done.state == "done" and not fits else "", when),
        ]
    )


def check(actor: Actor, territory: TerritoryInfo) -> None:
    """Put the check with what it found and cannot find, and the export."""
    left, right = st.columns(2, gap="medium")
    with left:
        widgets.heading(t("Check"))
        last = record_jobs.latest(actor, record_jobs.VERIFY)
        _act(actor, last, record_jobs.VERIFY, t("Check now"), primary=True)
        if last is not None and last.state == "done":
            _verdict(last, territory)
        limits()
    with right:
        widgets.heading(t("Export"))
        widgets.note(
            t(
                "One file with every row, its hash and every head. Anybody can check it with a head kept elsewhere;"
                " personal fields stand in it as ciphertext only. Export and download are recorded."
            )
        )
        last = record_jobs.latest(actor, record_jobs.EXPORT)
        _act(actor, last, record_jobs.EXPORT, t("Export the record"))
        if last is not None and last.state == "done":
            _file(last, territory)


def limits() -> None:
    """Say what no check of the record can prove."""
    widgets.heading(t("What it cannot prove"))
    widgets.write(
        "<ul>"
        + "".join(
            f"<li>{widgets.html(each)}</li>"
            for each in (
                t("That what was written is true."),
                t("That nothing was left out before it was written."),
                t("Anything after the newest head that lies elsewhere: whoever owns the machine can make it anew."),
            )
        )
        + "</ul>"
    )


def _verdict(job: Job, territory: TerritoryInfo) -> None:
    found = dict(job.result or {})
    when = i18n.clock(job.finished_at, territory.timezone) if job.finished_at else ""
    if not found.get("ok"):
        widgets.wrong(t("The record was changed."), str(found.get("reason", "")))
        if found.get("first_bad"):
            row = int(found["first_bad"])
            widgets.write(f"<p>{widgets.link(t('Row {seq}', seq=i18n.number(row)), f'/record?row={row}').text}</p>")
        widgets.note(t("Checked {when}.", when=when))
        return
    tick = '<span class="gk-good" aria-hidden="true">✓</span>'
    words_ = t(
        "All {rows} rows fit their hashes, and {sealed} of them the signed heads.",
        rows=i18n.number(found.get("records")),
        sealed=i18n.number(found.get("sealed")),
    )
    published = i18n.tn(
        "Compared with {count} published head.", "Compared with {count} published heads.", int(found["published_heads"])
    )
    widgets.write(f"<p>{tick} {widgets.html(words_)} {widgets.html(published)}</p>")
    widgets.note(t("Checked {when}, in {seconds} s.", when=when, seconds=i18n.number(found.get("seconds"), 1)))


def _file(job: Job, territory: TerritoryInfo) -> None:
    found = dict(job.result or {})
    told = t(
        "{rows} rows, {size}, written {when}.",
        rows=i18n.number(found.get("records")),
        size=size(int(found.get("bytes", 0))),
        when=i18n.clock(job.finished_at, territory.timezone) if job.finished_at else "",
    )
    link = widgets.link(t("Download the export"), f"/record/export/{job.id}")
    widgets.write(f"<p>{link.text}<br>{widgets.html(told)}</p>")
    widgets.note("gridkeeper record verify FILE --head head.txt --key keys.txt")


def _act(actor: Actor, last: Job | None, kind: str, label: str, *, primary: bool = False) -> None:
    if last is not None and not last.ended:
        _running(last.id)
        return
    if st.button(label, type="primary" if primary else "secondary", key=f"gk_{kind}"):
        with guard.page():
            record_jobs.begin(actor, kind)
            st.rerun()
    if last is not None and last.state == "failed":
        widgets.wrong(t("The last time did not work."), last.message)


@st.fragment(run_every=REFRESH_S)
def _running(job_id: int) -> None:
    with guard.page():
        actor = guard.current_actor()
        require(actor, May.SEE_RECORD)
        keeper = system_actor(actor.territory_id, label=actor.label)
        with transaction(keeper) as session:
            job = jobs.get_job(session, job_id)
        if job.ended:
            st.rerun()
        step = words.step(job.step) if job.step else words.job_state(job.state)
        if job.total:
            st.progress(
                min(job.done / job.total, 1.0), text=f"{step}: {i18n.number(job.done)} / {i18n.number(job.total)}"
            )
        else:
            widgets.write(f"<p>{widgets.html(step)}</p>")
        widgets.note(t("You may close this page; the work goes on and its result will stand here."))
        if st.button(t("Cancel"), key=f"gk_cancel_{job_id}"):
            with transaction(keeper) as session:
                jobs.request_cancel(session, job_id)


def heads(session: Session, territory: TerritoryInfo) -> None:
    """Put the newest head to copy, and the last of each day to print."""
    last = sealing.latest(session)
    if last is None:
        widgets.empty(
            t("Nothing is sealed yet."), t("The jobs process seals the record every minute: gridkeeper jobs run.")
        )
        return
    widgets.heading(t("Newest head"))
    widgets.note(t("Keep it elsewhere: on paper, in a mail, at another office. It holds no data."))
    st.code(last.head, language=None)
    widgets.write(
        "<p>"
        + " · ".join(widgets.link(name, f"/record/{name}").text for name in ("head.txt", "keys.txt", "heads.xml"))
        + "</p>"
    )
    widgets.heading(t("Last head of each day"))
    widgets.table(
        [
            Column(t("Day"), fixed=True),
            Column(t("Rows"), right=True),
            Column(t("Root"), wide=True),
            Column(t("Sealed at")),
            Column(t("Daily sheet")),
        ],
        [
            (
                i18n.day(day),
                i18n.number(batch.tree_size),
                widgets.Html(f"<code>{base64.b64encode(batch.root).decode()}</code>"),
                i18n.clock(batch.sealed_at, territory.timezone),
                widgets.Html(
                    f'<a href="/record/sheet?day={day.isoformat()}" target="_blank">{widgets.html(t("Print"))}</a>'
                ),
            )
            for day, batch in sealing.daily(session, territory.timezone, days=DAYS_SHOWN)
        ],
    )
