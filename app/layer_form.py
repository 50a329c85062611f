"""The form that brings a layer of planning out of a file."""

from __future__ import annotations

import contextlib

import streamlit as st

from app import guard, i18n, state, uploads, widgets
from app.i18n import t
from core.errors import InvalidInput
from core.identity import Actor
from core.settings import settings
from geodata.crs import WGS84
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import layering
from planning.layer_files import ENDINGS, Columns
from planning.layer_model import BROUGHT, LayerInfo
from planning.rasters import ENDINGS as RASTERS


def kind(key: str) -> str:
    """Return what a layer holds."""
    return {
        "demand": t("People"),
        "candidates": t("Candidates"),
        "zones": t("Protected zones"),
        "slope": t("Slope"),
        "matrix": t("Travel times"),
    }[key]


def show(actor: Actor, territory: TerritoryInfo) -> None:
    """Put the form; what is brought anew under a name is its next version."""
    at = f"gk_layer_{st.session_state.get(state.LAYERS_ROUND, 0)}_{i18n.locale()}"
    chosen = st.selectbox(t("What it holds"), BROUGHT, format_func=kind, key=f"{at}_kind")
    name = st.text_input(t("Name of the layer"), max_chars=60, key=f"{at}_name", placeholder=t("e.g. census 2025"))
    year, weight, groups, srid = None, "", "", WGS84
    if chosen == "demand":
        year = st.number_input(t("Year of the count"), 1900, 2200, None, key=f"{at}_year")
        weight = st.text_input(
            t("Column with the people"), key=f"{at}_weight", placeholder=t("found by itself when it is called people")
        )
        groups = st.text_input(
            t("Columns of groups, with commas"), key=f"{at}_groups", placeholder=t("e.g. age_0_17, age_18_64, age_65")
        )
    if chosen != "slope":
        srid = st.number_input(t("EPSG code of a table's coordinates"), 1024, 32766, WGS84, key=f"{at}_srid")
    widgets.note(_words(chosen))
    most = settings().planning_upload_max_mib
    file = st.file_uploader(
        uploads.labelled(t("File"), most), max_upload_size=most,
        type=[each.removeprefix(".") for each in (RASTERS if chosen == "slope" else ENDINGS)], key=f"{at}_file",
    )  # fmt: skip
    if st.button(t("Bring it"), type="primary", disabled=file is None, key="gk_layer_bring") and file is not None:
        with guard.page():
            if not name.strip():
                raise InvalidInput(t("The layer has no name."), hint=t("Give it one, e.g. census 2025."))
            path = uploads.save(file, file.name, RASTERS if chosen == "slope" else ENDINGS, most_mib=most)
            columns = Columns(
                weight.strip() or None, tuple(each.strip() for each in groups.split(",") if each.strip()), int(srid)
            )
            try:
                with uploads.called(path, file.name), transaction(actor, purpose="bring a layer") as session:
                    made = layering.bring(
                        session, actor, territory, chosen, path, name=name, year=None if year is None else int(year),
                        columns=columns, shown=uploads.base_name(file.name),
                    )  # fmt: skip
            finally:
                with contextlib.suppress(OSError):
                    path.unlink()
            st.session_state[state.LAYERS_TOLD] = _told(made)
            st.session_state[state.LAYERS_ROUND] = st.session_state.get(state.LAYERS_ROUND, 0) + 1
            st.rerun()


def _words(chosen: str) -> str:
    if chosen == "slope":
        return t("Heights in metres: ESRI ASCII grid (.asc) or GeoTIFF of one band with its EPSG code.")
    forms = t("CSV or Excel with lon and lat, GeoJSON, GeoPackage.")
    if chosen == "zones":
        return t("{forms} Areas where nothing may be built.", forms=forms)
    if chosen == "candidates":
        return t("{forms} Points or plots where something could be built.", forms=forms)
    return t("{forms} Points or areas; the people of an area are shared out over its homes.", forms=forms)


def _told(made: LayerInfo) -> str:
    left = int(made.facts.get("left_out", 0))
    count = i18n.number(made.facts.get("cells", made.facts.get("places", 0)))
    words = t(
        "“{name}” is kept, version {number}: {count} places.", name=made.name, number=str(made.revision), count=count
    )
    return f"{words} {t('{count} rows were left out; see below.', count=i18n.number(left))}" if left else words
