"""The report of a study on its page: made by background work, then taken as PDF, HTML or data."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app import guard, i18n, state, widgets, words
from app.exports import recorded
from app.i18n import t
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import deciding, reporting
from planning.acts import Decision
from planning.model import Study
from planning.reporting import FileInfo

REFRESH_S = 1.0
TYPES = {
    "pdf": ("pdf", "application/pdf"),
    "html": ("html", "text/html"),
    "gpkg": ("gpkg", "application/geopackage+sqlite3"),
    "geojson": ("geojson", "application/geo+json"),
    "csv": ("zip", "application/zip"),
}
"""Form of a file to its ending and its type."""


def show(actor: Actor, territory: TerritoryInfo, study: Study) -> None:
    """Put the report of an answered study: what was made of it, and the act to make it."""
    with transaction(actor) as session:
        files = reporting.files_of(session, actor, study.id)
        job = reporting.job_of(session, actor, study.id)
        decisions = deciding.of_study(session, actor, study.id)
    widgets.heading(t("Report to the council"))
    if job is not None and not job.ended:
        _running(study.id)
        return
    if job is not None and job.state == "failed":
        widgets.wrong(t("The report could not be made; nothing was changed."), i18n.either(job.message, job.zh))
    if files:
        _downloads(actor, territory, study, files)
        if _older(files, decisions):
            widgets.note(t("The sites were proposed or decided after it was made; made anew, it says so."))
    elif not actor.may(May.MAKE_STUDIES):
        widgets.empty(t("No report was made yet."), t("A planner makes it on this page."))
    if actor.may(May.MAKE_STUDIES):
        label = t("Make it anew") if files else t("Make the report")
        st.button(label, key=state.STUDY_REPORT, on_click=_ask, args=(actor, study.id))
        if not files:
            widgets.note(
                t("For the council, in English and Chinese, with maps, tables, proof and assumptions; and the data as"
                  " GeoPackage, GeoJSON and CSV. It takes about a minute.")
            )  # fmt: skip


def _downloads(actor: Actor, territory: TerritoryInfo, study: Study, files: list[FileInfo]) -> None:
    made = files[0]
    widgets.note(
        t("Made {when} by {who}.", when=i18n.clock(made.made_at, territory.timezone), who=words.doer(made.made_label))
    )
    by_key = {(each.form, each.language): each for each in files}
    languages = sorted(i18n.LOCALES, key=lambda each: each != i18n.locale())
    if ("pdf", i18n.locale()) not in by_key and ("note", i18n.locale()) in by_key:
        told = _take(actor, study.id, by_key["note", i18n.locale()]).decode()
        widgets.write(f'<p class="gk-muted">{widgets.html(told)}</p>')
    stem = f"{territory.name}-study-{study.id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        for form in ("pdf", "html"):
            for language in languages:
                if (form, language) in by_key:
                    _button(actor, study.id, by_key[form, language], f"{stem}-{language}")
    with st.container(horizontal=True, vertical_alignment="center"):
        for form in ("gpkg", "geojson", "csv"):
            if (form, "") in by_key:
                _button(actor, study.id, by_key[form, ""], stem)


def _older(files: list[FileInfo], decisions: list[Decision]) -> bool:
    """Return whether a decision on the sites is newer than the report, which then does not name it."""
    return any((each.decided_at or each.proposed_at) > files[0].made_at for each in decisions)


def _button(actor: Actor, study_id: int, file: FileInfo, stem: str) -> None:
    ending, kind = TYPES[file.form]
    take = partial(_take, actor, study_id, file)
    st.download_button(
        _label(file), partial(recorded, actor, "study_file", 1, take), f"{stem}.{ending}", kind,
        on_click="ignore", key=f"gk_study_file_{file.form}_{file.language}",
    )  # fmt: skip


def _label(file: FileInfo) -> str:
    size = i18n.number(max(file.size / 1e6, 0.1), 1)
    if file.language:
        name = {"en": "English", "zh": "中文"}[file.language]
        return t("{form}, {language} ({size} MB)", form=file.form.upper(), language=name, size=size)
    name = {"gpkg": "GeoPackage", "geojson": "GeoJSON", "csv": "CSV"}[file.form]
    return t("{form} ({size} MB)", form=name, size=size)


def _take(actor: Actor, study_id: int, file: FileInfo) -> bytes:
    with transaction(actor) as session:
        return reporting.read_file(session, actor, study_id, file.form, file.language)


def _ask(actor: Actor, study_id: int) -> None:
    """Queue the work; runs before the page is drawn anew."""
    with guard.page(), transaction(actor, purpose="report of a study") as session:
        reporting.ask(session, actor, study_id)


@st.fragment(run_every=REFRESH_S)
def _running(study_id: int) -> None:
    """Put how far the work is; the page runs anew when it has ended."""
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            job = reporting.job_of(session, actor, study_id)
        if job is None or job.ended:
            st.rerun()
        told = {
            "Trying other speeds and people": t("Trying other speeds of travel and other people"),
            "Writing the report": t("Writing the report"),
        }.get(job.step, t("Counting every building"))
        st.progress(min(job.done / job.total, 1.0) if job.total else 0.0, text=told)
        widgets.note(t("You may close this page; the report will stand here."))
