"""Where ways come from: the streets of the map, or a matrix that the planner brings for the places of his question."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, matrix_words, state, transit_form, uploads, widgets
from app.i18n import t
from app.transit_form import Riding
from core.errors import InvalidInput
from core.identity import Actor, May
from core.settings import settings
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import matrices
from planning.layer_model import NAME_AT_MOST, LayerInfo
from planning.own_matrix import Expected

STREETS, BRING, RIDE = 0, -1, -2
ENDINGS = (".npz", ".csv", ".csv.gz", ".xlsx")


def ask(
    session: Session, actor: Actor, territory: TerritoryInfo, places: Callable[[], Expected | InvalidInput], *,
    riding: Callable[[], Riding | InvalidInput], fits: Callable[[LayerInfo], bool], first: int, key: str,
) -> LayerInfo | None:  # fmt: skip
    """Ask whose ways count; return the matrix, None for the streets.

    Parameters
    ----------
    places, riding
        What a matrix is about, called only to bring one, or to compute one by public transport.
    """
    found = {each.id: each for each in matrices.offered(session, actor, territory) if fits(each)}
    brings = actor.may(May.MAKE_STUDIES)
    if not found and not brings:
        return None
    options = [STREETS, *found, *([RIDE, BRING] if brings else [])]
    fresh = st.session_state.pop(f"{state.MATRIX_BROUGHT}_{key}", None)
    at = f"{state.MATRIX_FORM}_{key}_{i18n.locale()}"
    if fresh in options:
        st.session_state[at] = fresh
    elif st.session_state.get(at, first) not in options:
        st.session_state[at] = STREETS
    elif at not in st.session_state:
        st.session_state[at] = first
    chosen = st.selectbox(
        t("Ways"), options, key=at,
        format_func=lambda each: _WORDS[each]() if each in _WORDS else matrix_words.name(found[each]),
    )  # fmt: skip
    if chosen == RIDE:
        if not transit_form.running(actor, territory, key):
            transit_form.form(actor, territory, riding(), key)
    elif chosen == BRING:
        _bring(actor, territory, places(), key)
    elif chosen in found:
        widgets.note(matrix_words.median(found[chosen].facts))
    return found.get(chosen)


_WORDS: dict[int, Callable[[], str]] = {
    STREETS: lambda: t("on the streets of the map"),
    RIDE: lambda: t("by public transport, from timetables"),
    BRING: lambda: t("by a matrix that I bring"),
}


def by_matrix(key: str, first: int) -> bool:
    """Return whether a matrix is chosen that is there, as this run of the page will find it."""
    fresh = st.session_state.get(f"{state.MATRIX_BROUGHT}_{key}")
    return bool(fresh or int(st.session_state.get(f"{state.MATRIX_FORM}_{key}_{i18n.locale()}", first)) > STREETS)


def bringing(key: str) -> bool:
    """Return whether a matrix is to be brought that is not there yet."""
    return st.session_state.get(f"{state.MATRIX_FORM}_{key}_{i18n.locale()}") in {BRING, RIDE}


def _bring(actor: Actor, territory: TerritoryInfo, places: Expected | InvalidInput, key: str) -> None:
    """Put the lists of places and the form that takes a matrix about them."""
    if isinstance(places, InvalidInput):
        widgets.known_error(places)
        return
    rows, columns = len(places.rows), len(places.columns)
    widgets.note(
        t("Seconds, a row for each of {rows} places of people and a column for each of {columns} places to go to"
          " ({candidates} candidates, then {there} facilities that are there), in the order of these lists; with the"
          " names of the lists any order.", rows=i18n.number(rows), columns=i18n.number(columns),
          candidates=i18n.number(len(places.candidates)), there=i18n.number(len(places.there)))
    )  # fmt: skip
    with st.container(horizontal=True):
        st.download_button(t("List of rows"), rows_csv(places), "matrix-rows.csv", "text/csv", on_click="ignore",
                           key=f"gk_matrix_rows_{key}")  # fmt: skip
        st.download_button(t("List of columns"), columns_csv(places), "matrix-columns.csv", "text/csv",
                           on_click="ignore", key=f"gk_matrix_columns_{key}")  # fmt: skip
    name = st.text_input(t("Name of the matrix"), max_chars=NAME_AT_MOST, key=f"gk_matrix_name_{key}",
                         placeholder=t("e.g. by bus, weekday morning"))  # fmt: skip
    most = settings().planning_upload_max_mib
    file = st.file_uploader(
        t("Matrix: .npz with od_s, origins, destinations; or a table, origins in the first column. At most {size} MB.",
          size=i18n.number(most)),
        type=[each.removeprefix(".") for each in ENDINGS], max_upload_size=most, key=f"gk_matrix_file_{key}",
    )  # fmt: skip
    widgets.note(t("A table of pairs (origin, destination, seconds or minutes) does too. An empty cell: no way."))
    if st.button(t("Bring the matrix"), disabled=file is None, key=f"gk_matrix_bring_{key}") and file is not None:
        with guard.page():
            path = uploads.save(file, file.name, ENDINGS, most_mib=most)
            shown = uploads.base_name(file.name)
            try:
                with uploads.called(path, file.name), transaction(actor, purpose="bring a matrix") as session:
                    made = matrices.bring(session, actor, territory, places, path, name=name or shown, shown=shown)
            finally:
                with contextlib.suppress(OSError):
                    path.unlink()
            st.session_state[f"{state.MATRIX_BROUGHT}_{key}"] = made.id
            st.rerun()


def rows_csv(places: Expected) -> bytes:
    """Return the list of rows of a matrix: name, place, people."""
    return _table(
        ["id", "lon", "lat", "people"],
        [
            [name, f"{lon:.7f}", f"{lat:.7f}", f"{people:.2f}"]
            for name, (lon, lat), people in zip(
                places.row_names, places.rows.tolist(), places.people.tolist(), strict=True
            )
        ],
    )


def columns_csv(places: Expected) -> bytes:
    """Return the list of columns of a matrix: name and place."""
    at = zip(places.column_names, places.columns.tolist(), strict=True)
    return _table(["id", "lon", "lat"], [[name, f"{lon:.7f}", f"{lat:.7f}"] for name, (lon, lat) in at])


def _table(head: list[str], rows: list[list[str]]) -> bytes:
    into = io.StringIO()
    csv.writer(into).writerows([head, *rows])
    return into.getvalue().encode()
