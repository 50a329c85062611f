"""Ways by public transport: timetables sent on a page, the ways computed in the background, kept as a matrix."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from app import guard, i18n, state, study_words, uploads, widgets
from app.i18n import t
from core.clock import now
from core.errors import InvalidInput
from core.identity import Actor
from core.settings import settings
from geodata import jobs
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from geodata.transit_feed import days_of
from planning import timetables
from planning.layer_model import NAME_AT_MOST
from planning.timetables import FEEDS_AT_MOST, WINDOW_AT_MOST, TransitAsked

ENDINGS = (".zip",)
REFRESH_S = 1.0
FIRST_DEPARTURE = dt.time(8, 0)
WORKING_DAYS = 5


@dataclass(frozen=True)
class Riding:
    """The places of a question: whose people, the kind that is there, the candidates, or how many plots."""

    demand_id: int | None
    kind: str | None
    candidates: tuple[tuple[float, float], ...] = ()
    plots: int = 0


def running(actor: Actor, territory: TerritoryInfo, key: str) -> bool:
    """Put how far ways are that are being computed; return whether any are."""
    with transaction(actor) as session:
        job = timetables.unfinished(session, actor, territory)
    if job is None:
        _ended(actor, key)
        return False
    st.session_state[f"{state.TRANSIT_JOB}_{key}"] = job.id
    _progress(job.id)
    return True


def form(actor: Actor, territory: TerritoryInfo, riding: Riding | InvalidInput, key: str) -> None:
    """Ask for timetables, a day and when people set out."""
    if isinstance(riding, InvalidInput):
        widgets.known_error(riding)
        return
    widgets.note(
        t("On foot to a stop, by timetable with changes, on foot from the last stop; whoever is quicker on foot walks."
          " The ways are computed in the background and kept as a matrix.")
    )  # fmt: skip
    most = settings().planning_upload_max_mib
    files = st.file_uploader(
        uploads.labelled(t("Timetables: GTFS feeds (.zip)"), most), type=["zip"], max_upload_size=most,
        accept_multiple_files=True, key=f"gk_transit_files_{key}",
    )  # fmt: skip
    span = None
    with guard.page():
        span = _span(tuple((file.name, file.getvalue()) for file in files)) if files else None
    day, begins, window = st.columns(3)
    first = _first_day(span, now().astimezone(territory.zone).date())
    on = day.date_input(t("Day"), first, key=f"gk_transit_day_{key}_{first}", format="YYYY-MM-DD")
    at = begins.time_input(t("First departure"), FIRST_DEPARTURE, key=f"gk_transit_at_{key}", step=600)
    more = window.number_input(t("Minutes of departures"), 0, WINDOW_AT_MOST, 60, 10, key=f"gk_transit_window_{key}")
    if span is not None:
        widgets.note(t("The timetables are for {first} to {last}.", first=f"{span[0]}", last=f"{span[1]}"))
    widgets.note(t("Someone sets out every ten minutes; the median counts, waiting for the first ride included."))
    name = st.text_input(t("Name of the matrix"), max_chars=NAME_AT_MOST, key=f"gk_transit_name_{key}",
                         placeholder=t("e.g. by bus, weekday morning"))  # fmt: skip
    if st.button(t("Compute the ways"), disabled=not files, key=f"gk_transit_go_{key}") and files:
        with guard.page():
            said = name.strip() or t("By public transport, {day} {time}", day=f"{on}", time=f"{at:%H:%M}")
            _ask(actor, territory, riding, files, name=said, day=on, begins=at, window_min=int(more), key=key)
            st.rerun()


def _ask(
    actor: Actor, territory: TerritoryInfo, riding: Riding, files: Sequence[Any], *, name: str, day: dt.date,
    begins: dt.time, window_min: int, key: str,
) -> None:  # fmt: skip
    """Keep the timetables and queue the work; what is refused leaves no file."""
    if len(files) > FEEDS_AT_MOST:
        raise InvalidInput(
            f"{len(files)} timetables are given.", hint=f"At most {FEEDS_AT_MOST}.",
            zh=f"给出了 {len(files)} 份时刻表，最多 {FEEDS_AT_MOST} 份。",
        )  # fmt: skip
    most, kept = settings().planning_upload_max_mib, list[Path]()
    try:
        for file in files:
            kept.append(uploads.save(file, file.name, ENDINGS, most_mib=most))
        wanted = TransitAsked(
            name, tuple(str(path) for path in kept), tuple(uploads.base_name(file.name) for file in files),
            day.isoformat(), begins.hour * 60 + begins.minute, window_min, riding.demand_id, riding.kind,
            riding.candidates, riding.plots,
        )  # fmt: skip
        with transaction(actor, purpose="make a matrix") as session:
            job_id = timetables.ask(session, actor, territory, wanted)
    except BaseException:
        for path in kept:
            path.unlink(missing_ok=True)
        raise
    st.session_state[f"{state.TRANSIT_JOB}_{key}"] = job_id


@st.cache_data(ttl=3600, max_entries=8, show_spinner=False)
def _span(files: tuple[tuple[str, bytes], ...]) -> tuple[dt.date, dt.date] | None:
    found = list[dt.date]()
    for name, content in files:
        with uploads.taken(content, name, ENDINGS, most_mib=settings().planning_upload_max_mib) as path:
            found += days_of([path]) or ()
    return (min(found), max(found)) if found else None


def _first_day(span: tuple[dt.date, dt.date] | None, today: dt.date) -> dt.date:
    """Return today or the next working day, kept inside the days of the timetables."""
    day = today if span is None else min(max(today, span[0]), span[1])
    for ahead in range(7):
        other = day + dt.timedelta(days=ahead)
        if other.weekday() < WORKING_DAYS and (span is None or other <= span[1]):
            return other
    return day


@st.fragment(run_every=REFRESH_S)
def _progress(job_id: int) -> None:
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            job = jobs.get_job(session, job_id)
        if job.ended:
            st.rerun()
        words = study_words.step(job.step) if job.step else t("Waiting to begin")
        if job.total:
            words = t("{step}: {done} of {total}", step=words, done=i18n.number(job.done), total=i18n.number(job.total))
        st.progress(min(job.done / job.total, 1.0) if job.total else 0.0, text=words)
        widgets.note(t("You may close this page; the matrix will stand under Ways."))
        st.button(t("Cancel"), key=f"gk_transit_cancel_{job_id}", disabled=job.cancel_requested, on_click=_cancel,
                  args=(job_id,))  # fmt: skip


def _cancel(job_id: int) -> None:
    """Ask the work to stop; runs before the page is drawn anew."""
    actor = guard.current_actor()
    with guard.page(), transaction(actor, purpose="cancel a matrix") as session:
        jobs.request_cancel(session, job_id)


def _ended(actor: Actor, key: str) -> None:
    """Say what came of the work that this session asked for, once; a matrix that was made is chosen."""
    job_id = st.session_state.pop(f"{state.TRANSIT_JOB}_{key}", None)
    if job_id is None:
        return
    with transaction(actor) as session:
        job = jobs.find_job(session, job_id)
    if job is None:
        return
    if job.state == "failed":
        widgets.wrong(t("This did not work; nothing was changed."), i18n.either(job.message, job.zh))
    elif job.state == "done" and job.result:
        st.session_state[f"{state.MATRIX_BROUGHT}_{key}"] = int(job.result["layer"])
        st.rerun()
