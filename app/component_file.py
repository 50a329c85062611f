"""The register as files: bringing one in with its preview, and taking the open part out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from app import i18n, state, unit_words, uploads, widgets
from app.component_parts import Around, do
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import May
from geodata.db import transaction
from geodata.record import note_event
from incidents.component_files import component_table
from incidents.components import ComponentFilter
from incidents.service import components as register
from incidents.service.component_import import ImportedComponents, import_components
from people.table_out import as_csv

ENDINGS = (".csv", ".csv.gz", ".xlsx", ".geojson", ".gpkg", ".zip")
TYPES = ("csv", "gz", "xlsx", "geojson", "gpkg", "zip")


def bring_in(around: Around) -> None:
    """Put the upload, what it would change, and the one act that does it."""
    widgets.note(
        t(
            "Columns in any order, in English or Chinese: identifier, longitude and latitude are required (a map file"
            " has its points); state, in charge, property, maintenance, place, first day, last day if you have them."
            " The same file twice changes nothing."
        )
    )
    key = f"gk_component_upload_{st.session_state.get(state.COMPONENT_ROUND, 0)}"
    most = uploads.most_mib(around.actor, May.MANAGE_COMPONENTS)
    label = uploads.labelled(t("Components as CSV, Excel, GeoJSON, GeoPackage or a zipped Shapefile"), most)
    file = st.file_uploader(label, TYPES, max_upload_size=most, key=key)
    if file is None:
        return
    content, name = file.getvalue(), uploads.base_name(file.name)
    read = partial(_with_file, content, name)
    try:
        with transaction(around.actor) as session:
            counts: ImportedComponents = read(
                lambda path: import_components(session, around.actor, around.territory, path, name=name, preview=True)
            )
    except GridkeeperError as error:
        unit_words.refused(error)
        return
    told = {part: i18n.number(count) for part, count in counts.as_dict().items()}
    widgets.write(f"<p>{t('{added} new, {changed} changed, {unchanged} as they are.', **told)}</p>")
    writing = counts.added + counts.changed
    label = i18n.tn("Bring {count} component in", "Bring {count} components in", writing)
    if st.button(label, disabled=not writing, key=f"{key}_go"):
        do(
            lambda session: read(
                lambda path: import_components(session, around.actor, around.territory, path, name=name)
            ),
            around.actor,
            t("{file}: {added} added, {changed} changed, {unchanged} as they were.", file=name, **told),
            purpose=f"import {name}",
        )


def take_out(around: Around, wanted: ComponentFilter) -> None:
    """Put the button that saves what the filters find; restricted components never leave with it."""
    st.download_button(
        t("Save as CSV"),
        partial(_taken, around, wanted),
        f"components-{around.territory.name}.csv",
        "text/csv",
        on_click="ignore",
        key=f"gk_component_csv_{i18n.locale()}",
    )
    widgets.note(t("Without the restricted ones: positions of gas, power, telecom and water stay here."))


def _taken(around: Around, wanted: ComponentFilter) -> bytes:
    with transaction(around.actor, purpose="export components") as session:
        rows, after = [], ""
        while True:
            page = register.list_components(session, around.actor, wanted, after=after, limit=register.PAGE_MOST)
            rows += page
            if len(page) < register.PAGE_MOST:
                break
            after = page[-1].code
        note_event(session, "export", "component", around.territory.id, {"rows": len(rows)})
    return as_csv(component_table(rows, {unit_id: each[0] for unit_id, each in around.units.items()}))


def _with_file(content: bytes, name: str, use: Callable[[Path], Any]) -> Any:
    """Return what ``use`` makes of the content as a file that is gone afterwards."""
    with uploads.taken(content, name, ENDINGS) as path:
        return use(path)
