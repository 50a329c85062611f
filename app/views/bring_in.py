"""Bring in: a department's file, or one's own city from an OpenStreetMap extract, as background work."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from sqlalchemy.orm import Session

from app import gate_page, guard, i18n, state, widgets, words
from app.i18n import t
from app.uploads import save, title_of
from app.where import territory_of
from app.widgets import Column, Fact
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from core.settings import settings
from geodata import jobs
from geodata.db import transaction
from geodata.jobs import Job
from geodata.territory import TerritoryInfo, find_territory, list_territories, territory_name
from layers import overview
from people import accounts

KIND = "load_osm"
JOBS_SHOWN = 5
REFRESH_S = 1.5
SOURCES = {"Geofabrik": "https://download.geofabrik.de/", "BBBike": "https://extract.bbbike.org/"}
"""Where extracts come from; links, so nothing is fetched until somebody follows one."""


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.BRING_DATA)
    widgets.title(t("Bring in"))
    if actor.may(May.LOAD_DATA):
        _switch()
    if st.query_params.get("what") == "city":
        require(actor, May.LOAD_DATA)
        _city(actor)
    else:
        gate_page.show(actor)


def _switch() -> None:
    """Put the two things that are brought in, the one that is not open as a link."""
    city = st.query_params.get("what") == "city"
    files, new = t("A department's file"), t("A new city")
    shown = (widgets.link(files, "/bring-in"), new) if city else (files, widgets.link(new, "/bring-in?what=city"))
    widgets.write(f"<p>{widgets.html(shown[0])} · {widgets.html(shown[1])}</p>")


def _city(actor: Actor) -> None:
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        latest = jobs.recent_jobs(session, actor.territory_id, KIND, limit=JOBS_SHOWN)
        titles = {each.name: each.title(i18n.locale()) for each in list_territories(session)}
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        if latest and not latest[0].ended:
            _running(latest[0].id)
        else:
            if latest:
                _outcome(actor, latest[0], titles)
            _upload(actor)
        _earlier(latest[1:], territory, titles)
    with right, transaction(actor) as session:
        _explain()
        _cities(territory, titles)
        _quarantine(session, territory)


def _upload(actor: Actor) -> None:
    widgets.heading(t("Use your own .osm.pbf"))
    most = settings().upload_max_mib
    label = t(
        "Choose an OpenStreetMap extract or drop it here (.osm.pbf, .osm, .osm.gz, .osm.bz2), at most {most} MB",
        most=i18n.number(most),
    )
    file = st.file_uploader(
        label,
        max_upload_size=most,
        key=state.UPLOAD,
    )
    title = st.text_input(
        t("Name of the city"),
        value=title_of(file.name) if file is not None else "",
        max_chars=60,
        key=f"{state.UPLOAD_TITLE}_{file.file_id if file is not None else ''}",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = st.button(t("Build the city"), type="primary", disabled=file is None, key="gk_build")
        if file is None:
            widgets.note(t("Choose a file first; the name comes from it and can be changed."))
    if file is None or not asked:
        return
    with guard.page():
        name = _new_name(actor, title or title_of(file.name))
        path = save(file, file.name)
        try:
            with transaction(actor, purpose="bring in an extract") as session:
                jobs.enqueue(session, actor, KIND, {"path": str(path), "name": name, "title": title.strip() or name})
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        st.rerun()


def _new_name(actor: Actor, title: str) -> str:
    wanted = territory_name(title)
    with transaction(actor) as session:
        if any(territory.name == wanted for territory in list_territories(session)):
            raise InvalidInput(
                t("There is already a territory called {name}.", name=wanted), hint=t("Give another name.")
            )
    return wanted


@st.fragment(run_every=REFRESH_S)
def _running(job_id: int) -> None:
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            job = jobs.get_job(session, job_id)
        if job.ended:
            st.rerun()
        widgets.heading(t("Building your city"))
        widgets.write(f"<p>{widgets.html(words.job_state(job.state))}</p>")
        if job.total:
            st.progress(min(job.done / job.total, 1.0), text=_step(job))
        elif job.step:
            widgets.write(f"<p>{widgets.html(_step(job))}</p>")
        widgets.note(t("You may close this page; the work goes on and its result will stand here."))
        if st.button(t("Cancel"), key="gk_cancel"):
            with transaction(actor) as session:
                jobs.request_cancel(session, job_id)


def _step(job: Job) -> str:
    if job.total:
        return f"{words.step(job.step)}: {i18n.number(job.done)} / {i18n.number(job.total)}"
    return f"{words.step(job.step)}: {i18n.number(job.done)}" if job.done else words.step(job.step)


def _outcome(actor: Actor, job: Job, titles: Mapping[str, str]) -> None:
    if job.state == "done" and job.result is not None:
        found = dict(job.result)
        name = str(found.get("territory", ""))
        widgets.heading(t("Built: {name}", name=titles.get(name, name)))
        widgets.facts(
            [
                Fact(t("Unit grids"), i18n.number(_count(found, "cells"))),
                Fact(t("Roads"), i18n.number(_count(found, "roads"))),
                Fact(t("Buildings"), i18n.number(_count(found, "buildings"))),
                Fact(t("Facilities"), i18n.number(_count(found, "facilities"))),
                Fact(t("Boundaries"), i18n.number(_count(found, "boundaries"))),
                Fact(t("Left out"), i18n.number(_count(found, "dropped"))),
            ],
        )
        widgets.note(_remarks(found))
        if name in titles and st.button(t("Open {name}", name=titles[name]), key="gk_open_city"):
            _open(actor, name)
    elif job.state == "cancelled":
        widgets.empty(t("Cancelled; nothing was changed."), t("Choose the file again to start anew."))
    else:
        widgets.wrong(t("This did not work; nothing was changed."), i18n.either(job.message, job.zh))


def _remarks(found: dict[str, object]) -> str:
    """Return what two of the numbers mean."""
    told = [t("Left out is what lies outside the territory or has no usable shape.")]
    if not _count(found, "boundaries"):
        told.insert(0, t("The file has no boundary, so the territory is the hull of its roads."))
    return " ".join(told)


def _open(actor: Actor, name: str) -> None:
    """Go to the map of the new city, in the role the user has there."""
    live = guard.current_session()
    with transaction(actor) as session:
        wanted = find_territory(session, name).id
        roles = [each for each in accounts.accounts_of(session, actor.user_id or 0) if each.territory_id == wanted]
        if not roles:
            raise NotFound("You have no role in this city.", hint="Ask an administrator.")
        accounts.switch_role(session, live, roles[0].role_id)
    guard.forget_sessions()
    st.switch_page("views/city_map.py")


def _count(found: dict[str, object], name: str) -> float:
    value = found.get(name, 0)
    if isinstance(value, dict):
        return float(sum(each for each in value.values() if isinstance(each, (int, float))))
    return float(value) if isinstance(value, (int, float)) else 0.0


def _earlier(earlier: list[Job], territory: TerritoryInfo, titles: Mapping[str, str]) -> None:
    if not earlier:
        return
    widgets.heading(t("Earlier"))
    widgets.table(
        [Column(t("What")), Column(t("State")), Column(t("When"), right=True)],
        [
            (
                titles.get(str((job.result or {}).get("territory", "")), t("OpenStreetMap file")),
                words.job_state(job.state),
                i18n.clock(job.created_at, territory.timezone),
            )
            for job in earlier
        ],
    )


def _explain() -> None:
    widgets.heading(t("What happens"))
    steps = (
        t("Roads, buildings, facilities, water and green are read from the file."),
        t("The territory is its administrative boundary, or the hull of the roads where there is none."),
        t("Unit grids are cut inside each community; people are estimated from the buildings."),
        t("You and, in demo mode, the demo accounts may work in the new city at once."),
    )
    items = "".join(f"<li>{widgets.html(step)}</li>" for step in steps)
    widgets.write(f'<div class="gk-panel"><ol>{items}</ol></div>')
    sources = " · ".join(
        f'<a href="{address}" target="_blank" rel="noopener">{name}</a>' for name, address in SOURCES.items()
    )
    told = widgets.html(t("Free extracts:"))
    more = widgets.html(t("A city of a million takes a minute or two."))
    widgets.write(f'<p class="gk-muted gk-small">{told} {sources} · {more}</p>')


def _cities(territory: TerritoryInfo, titles: Mapping[str, str]) -> None:
    """Put the cities that are there already, so that nobody brings one in twice."""
    widgets.heading(t("Cities here"))
    here = t("you are here")
    rows = [(title, here if name == territory.name else "") for name, title in titles.items()]
    widgets.table([Column(t("City")), Column("", right=True)], [(title, widgets.Html(note)) for title, note in rows])
    if len(rows) > 1:
        widgets.note(t("Change between them at the top of the page."))


def _quarantine(session: Session, territory: TerritoryInfo) -> None:
    widgets.heading(t("Quarantine"))
    waiting = overview.quarantine_by_reason(session, territory.id)
    if not waiting:
        widgets.empty(t("Nothing waits."), t("Rows that cannot be taken in would wait here, with the reason."))
        return
    widgets.table(
        [Column(t("Reason")), Column(t("Rows"), right=True)],
        [(words.reason(each.reason), i18n.number(each.rows)) for each in waiting],
    )


show()
