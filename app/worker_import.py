"""Bringing workers in from a file, and taking the list out, from the page."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from app import i18n, state, uploads, widgets, worker_words
from app.i18n import t
from app.widgets import Column
from app.worker_forms import Around, do
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from people import worker_import
from people.worker_files import HEADINGS, as_csv, as_xlsx

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UPLOADS = ("xlsx", "csv")
FAULTS_SHOWN = 50


def bring_in(around: Around) -> None:
    """Put the upload with its preview: what would be new, changed, refused and why; then the one act."""
    required = [i18n.either(each.en, each.zh) for each in HEADINGS if each.required]
    others = [i18n.either(each.en, each.zh) for each in HEADINGS if not each.required]
    widgets.note(
        t(
            "Columns in any order, in English or Chinese: {required} are required; {others} if you have them.",
            required=_listed(required),
            others=_listed(others),
        )
    )
    widgets.note(t("An empty cell changes nothing; the same file twice changes nothing."))
    language = i18n.locale()
    st.download_button(
        t("Empty form"),
        partial(as_xlsx, [], language),
        "workers.xlsx" if language == "en" else "网格员.xlsx",
        XLSX_TYPE,
        on_click="ignore",
        key=f"gk_worker_template_{language}",
    )
    key = f"{state.WORKER_FILE}_{st.session_state.get(state.WORKER_ROUND, 0)}"
    most = uploads.most_mib(around.actor, May.MANAGE_WORKERS)
    label = uploads.labelled(t("The staff list as Excel or CSV"), most)
    file = st.file_uploader(label, type=list(UPLOADS), max_upload_size=most, key=key)
    if file is None:
        return
    content, name = file.getvalue(), uploads.base_name(file.name)
    try:
        with transaction(around.actor) as session:
            plan = _with_file(
                name,
                content,
                lambda path: worker_import.plan_import(
                    session, around.actor, around.territory.id, path, today=around.today
                ),
            )
    except GridkeeperError as error:
        worker_words.refused(error)
        return
    _preview(plan)
    counts = plan.counts
    writing = counts["new"] + counts["changed"]
    label = i18n.tn("Bring {count} worker in", "Bring {count} workers in", writing)
    mark = hashlib.sha256(content).hexdigest()[:12]
    if st.button(label, disabled=not writing, key=f"gk_worker_bring_{mark}"):
        do(
            lambda session: _with_file(
                name,
                content,
                lambda path: worker_import.apply_import(
                    session, around.actor, around.territory.id, path, today=around.today, digest=plan.digest
                ),
            ),
            around.actor,
            _told,
            purpose="import workers",
        )


def _told(plan: worker_import.ImportPlan) -> str:
    return t(
        "{new} added, {changed} changed, {unchanged} as they were, {refused} refused.",
        **{name: i18n.number(count) for name, count in plan.counts.items()},
    )


def _preview(plan: worker_import.ImportPlan) -> None:
    counts = {name: i18n.number(count) for name, count in plan.counts.items()}
    words = t("{new} new, {changed} changed, {unchanged} unchanged, {refused} refused.", **counts)
    widgets.write(f"<p>{words}</p>")
    if plan.ignored:
        widgets.note(t("Columns that are not read: {names}.", names=_listed(list(plan.ignored[:10]))))
    if not plan.faults:
        return
    widgets.table(
        [Column(t("Row"), right=True), Column(t("Column")), Column(t("What is wrong"))],
        [
            (i18n.number(fault.row), worker_words.fault_column(fault), fault.says(i18n.locale()))
            for fault in plan.faults[:FAULTS_SHOWN]
        ],
    )
    if len(plan.faults) > FAULTS_SHOWN:
        widgets.note(t("And {count} more.", count=i18n.number(len(plan.faults) - FAULTS_SHOWN)))
    widgets.note(t("Refused rows stay out; mend them in the file and bring it in again."))


def take_out(around: Around) -> None:
    """Put the buttons that save the list as a file; each taking is recorded."""
    language = i18n.locale()
    stem = f"workers-{around.territory.name}-{around.today.isoformat()}"
    for label, write, ending, kind in (
        (t("Save as Excel"), as_xlsx, "xlsx", XLSX_TYPE),
        (t("Save as CSV"), as_csv, "csv", "text/csv"),
    ):
        st.download_button(
            label,
            partial(_taken, around.actor, around, write, language),
            f"{stem}.{ending}",
            kind,
            on_click="ignore",
            key=f"gk_worker_{ending}_{language}",
        )
    widgets.note(t("The file holds names and phones; that it was taken stands in the record."))


def _taken(actor: Actor, around: Around, write: Callable[[list[list[str]], str], bytes], language: str) -> bytes:
    with transaction(actor, purpose="export workers") as session:
        return write(worker_import.export_staff(session, actor, around.territory.id, today=around.today), language)


def _with_file(name: str, content: bytes, use: Callable[[Path], Any]) -> Any:
    """Return what ``use`` makes of the content as a file that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (name if name.lower().endswith(UPLOADS) else f"file{Path(name).suffix}")
        path.write_bytes(content)
        return use(path)


def _listed(names: list[str]) -> str:
    return ("、" if i18n.locale() == "zh" else ", ").join(names)
