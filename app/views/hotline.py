"""Hotline 12345: its file in, our answers out, and what differs between both sides."""

from __future__ import annotations

import datetime as dt
from functools import partial

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, uploads, widgets, words
from app.exports import recorded
from app.i18n import t
from app.upstream_jobs import KIND
from app.where import territory_of
from app.widgets import Cell, Column, Fact
from core.clock import now
from core.identity import Actor, May, require
from core.settings import settings
from geodata import jobs
from geodata.db import transaction
from geodata.jobs import Job
from geodata.territory import TerritoryInfo
from incidents.service import upstream
from incidents.upstream import Difference, answer_table
from people.table_out import XLSX_TYPE, as_csv, as_xlsx

ENDINGS = (".csv", ".csv.gz", ".xlsx")
REFRESH_S = 1.5
SHOWN = 50


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.LOAD_DATA)
    require(actor, May.REPORT_INCIDENTS)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Hotline 12345"), simulated=territory.is_demo)
        latest = next(iter(jobs.recent_jobs(session, territory.id, KIND, limit=1)), None)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        widgets.heading(t("Its file in"))
        if latest is not None and not latest.ended:
            _running(latest.id)
        else:
            if latest is not None:
                _outcome(latest)
            _upload(actor)
    with right, transaction(actor) as session:
        _out(session, actor, territory)
    with transaction(actor) as session:
        _compare(session, actor, territory)


def _upload(actor: Actor) -> None:
    widgets.note(
        t(
            "As the hotline exports it, in any order: number, time and text or class are needed; citizen, phone,"
            " address, state, answer due and position if it has them. The same file again adds nothing."
        )
    )
    most = settings().upload_max_mib
    file = st.file_uploader(
        t("CSV or Excel, at most {most} MB", most=i18n.number(most)),
        ["csv", "gz", "xlsx"],
        max_upload_size=most,
        key=f"gk_hotline_upload_{st.session_state.get(state.HOTLINE_ROUND, 0)}",
    )
    if file is None or not st.button(t("Bring it in"), type="primary", key="gk_hotline_go"):
        return
    with guard.page():
        path = uploads.save(file, file.name, ENDINGS)
        try:
            with transaction(actor, purpose="import 12345") as session:
                jobs.enqueue(session, actor, KIND, {"path": str(path), "name": uploads.base_name(file.name)[:100]})
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        st.session_state[state.HOTLINE_ROUND] = st.session_state.get(state.HOTLINE_ROUND, 0) + 1
        st.rerun()


@st.fragment(run_every=REFRESH_S)
def _running(job_id: int) -> None:
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            job = jobs.get_job(session, job_id)
        if job.ended:
            st.rerun()
        told = f"{i18n.number(job.done)} / {i18n.number(job.total)}" if job.total else words.job_state(job.state)
        st.progress(min(job.done / job.total, 1.0) if job.total else 0.0, text=told)
        widgets.note(t("You may close this page; the work goes on and its result will stand here."))


def _outcome(job: Job) -> None:
    if job.state != "done" or job.result is None:
        widgets.wrong(t("This did not work; nothing was changed."), i18n.either(job.message, job.zh))
        return
    found = dict(job.result)
    widgets.note(str(found.get("name", "")))
    widgets.facts(
        [
            Fact(t("Rows read"), _count(found, "read")),
            Fact(t("New incidents"), _count(found, "loaded")),
            Fact(t("Known before"), _count(found, "known")),
            Fact(t("Not taken in"), _count(found, "rejected"), "soon" if found.get("rejected") else ""),
            Fact(
                t("Emergencies"),
                _count(found, "emergencies"),
                "late" if found.get("emergencies") else "",
                href="/emergencies",
            ),
        ]
    )
    reasons = found.get("reasons") or {}
    if isinstance(reasons, dict) and reasons:
        said = (f"{_reason(str(key))}: {i18n.number(float(count))}" for key, count in reasons.items())
        widgets.note(t("Not taken in: {reasons}.", reasons=t(", ").join(said)))


def _out(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    widgets.heading(t("Our answers out"))
    waiting = upstream.waiting_to_tell(session, actor, territory)
    known = upstream.batches(session, actor, territory)
    if not waiting and not known:
        widgets.empty(
            t("Nothing to answer yet."), t("Once reports of the hotline are here, what becomes of them is told back.")
        )
        return
    said = i18n.tn(
        "{count} change was not told back yet.", "{count} changes were not told back yet.", waiting
    )  # fmt: skip
    widgets.write(f"<p>{widgets.html(said if waiting else t('All changes were told back.'))}</p>")
    st.button(t("Make the next file"), disabled=not waiting, key="gk_hotline_next", on_click=_next, args=(actor,))
    for number, at, rows in known[:3]:
        when = i18n.clock(at, territory.timezone)
        with st.container(horizontal=True, vertical_alignment="center", key=f"gk-hotline-batch-{number}"):
            told = i18n.tn("{count} row", "{count} rows", rows)
            st.html(
                f"<span>{widgets.html(t('File {number}, {when}, {rows}', number=number, when=when, rows=told))}</span>"
            )
            for ending in ("csv", "xlsx"):
                st.download_button(
                    {"csv": t("Save as CSV"), "xlsx": t("Save as Excel")}[ending],
                    i18n.here(partial(_file, actor, number, ending)),
                    f"12345-{territory.name}-{number:04d}.{ending}",
                    "text/csv" if ending == "csv" else XLSX_TYPE,
                    on_click="ignore",
                    key=f"gk_hotline_file_{number}_{ending}",
                )


def _next(actor: Actor) -> None:
    """Write the next batch down; runs before the page is drawn anew."""
    with transaction(actor, purpose="write back 12345") as session:
        upstream.write_back(session, actor, territory_of(session, actor))


def _file(actor: Actor, number: int, ending: str) -> bytes:
    with transaction(actor, purpose="write back 12345") as session:
        done = upstream.write_back(session, actor, territory_of(session, actor), batch=number)
    table = answer_table(done.rows, i18n.locale())
    make = partial(as_csv, table) if ending == "csv" else partial(as_xlsx, table, sheet="12345")
    return recorded(actor, "upstream_answer", len(done.rows), make)


def _compare(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    widgets.heading(t("Both sides compared"), aside=t("by the files brought in so far"))
    found = upstream.compare(session, actor, territory)
    lists = {
        t("There, not here"): found.missing,
        t("Here, not there"): found.unknown,
        t("Over on one side only"): found.differing,
        t("Answer overdue"): found.overdue,
    }
    for label, tab in zip(
        lists, st.tabs([f"{name} {i18n.number(len(each))}" for name, each in lists.items()]), strict=True
    ):
        with tab:
            _lines(lists[label], territory, now())


def _lines(lines: tuple[Difference, ...], territory: TerritoryInfo, moment: dt.datetime) -> None:
    if not lines:
        widgets.empty(t("Nothing differs here."), t("Each line would name a report and what either side says."))
        return
    widgets.table(
        [
            Column(t("Number there"), fixed=True),
            Column(t("Number here"), fixed=True),
            Column(t("State there"), wide=True),
            Column(t("State here")),
            Column(t("Answer due"), right=True),
            Column(t("Why not here"), wide=True),
        ],
        [_line(each, territory, moment) for each in lines[:SHOWN]],
    )
    if len(lines) > SHOWN:
        widgets.note(t("The first {shown} of {all}.", shown=SHOWN, all=i18n.number(len(lines))))


def _line(each: Difference, territory: TerritoryInfo, moment: dt.datetime) -> tuple[Cell, ...]:
    here: Cell = None
    if each.incident_id is not None:
        here = widgets.link(each.number, f"/incidents?incident={each.incident_id}")
    due = "" if each.due_at is None else i18n.clock(each.due_at, territory.timezone, now=moment)
    return (
        each.ref,
        here,
        words.status(each.theirs) if each.theirs else None,
        words.status(each.ours) if each.ours else None,
        due,
        _reason(each.reason) if each.reason else None,
    )


def _reason(key: str) -> str:
    """Return why a row was not taken in."""
    return {"no_number": t("Without a number"), "no_position": t("Address not found")}.get(key) or words.reason(key)


def _count(found: dict[str, object], name: str) -> str:
    value = found.get(name, 0)
    return i18n.number(value if isinstance(value, (int, float)) else 0)


show()
