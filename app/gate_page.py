"""Bring in: a department's file, how it was understood and why, what to say otherwise, and the one act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from app import gate_address, gate_batches, gate_columns, gate_places, gate_words, guard, i18n, state, uploads, widgets
from app.data_gate import KIND, known_sets, overrides_of, place_in
from app.i18n import t, tn
from app.where import territory_of
from app.widgets import Column
from core.errors import GridkeeperError, InvalidInput
from core.identity import Actor, May
from geodata import jobs
from geodata.db import transaction
from geodata.exchange_load import slug
from geodata.exchange_open import KNOWN
from geodata.exchange_understand import Understood, set_for, understand
from geodata.territory import TerritoryInfo

DATUMS = ("", "WGS-84", "GCJ-02", "BD-09")
TABLES = ("csv", "tsv", "txt", "xlsx", "dbf", "jsonl")
MAPS = ("geojson", "gpkg", "shp", "gdb", "kml", "kmz", "fgb", "parquet", "dxf", "gml", "gpx", "osm.pbf")
ENCODINGS = ("", "utf-8", "gb18030", "utf-16", "cp1252")


def show(actor: Actor) -> None:
    """Put the page."""
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        latest = jobs.recent_jobs(session, actor.territory_id, KIND, limit=1)
        sets = known_sets(session, territory.id)
    left, right = st.columns([1.6, 1], gap="large")
    with left:
        if latest and not latest[0].ended:
            gate_batches.running(latest[0].id)
        else:
            if latest:
                gate_batches.outcome(latest[0])
            _file(actor, territory, sets)
    with right:
        _explain()
        gate_batches.earlier(actor, territory)


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was sent or fetched, what is said of it against what would be guessed, and where it is to go."""

    file_id: str
    name: str
    path: Path
    over: Mapping[str, Any]
    into: str

    @property
    def mark(self) -> str:
        """Return what the keys of its fields begin with."""
        return f"{state.GATE_SAY}_{self.file_id}"


def _file(actor: Actor, territory: TerritoryInfo, sets: Mapping[str, str]) -> None:
    most = uploads.most_mib(actor, May.BRING_DATA)
    file = st.file_uploader(
        uploads.labelled(t("Choose a table, a workbook or a map file, or drop it here"), most),
        max_upload_size=most,
        key=f"{state.GATE_UPLOAD}_{st.session_state.get(state.GATE_ROUND, 0)}",
    )
    near = gate_address.kept()
    if file is None and near is None:
        widgets.note(
            t(
                "Read are tables ({tables}), map files ({maps}), packed ones too (.zip, .gz), and timetables (GTFS).",
                tables=", ".join(each for each in TABLES if "." + each in KNOWN),
                maps=", ".join(each for each in MAPS if "." + each in KNOWN),
            )
        )
        gate_address.show(actor)
        return
    with guard.page():
        if file is not None:
            near = file.file_id, file.name, _saved(file.file_id, file, file.name, most)
        file_id, name, path = near or ("", "", Path())
        into = st.session_state.get(f"{state.GATE_SAY}_{file_id}_into")
        sent = Sent(file_id, name, path, _said(file_id), into or "")
        found = _understood(actor, territory, sent)
        if found is not None and into is None:
            with transaction(actor) as session:
                into = set_for(session, territory.id, found.headings)
            if into:
                st.session_state[f"{sent.mark}_into"] = into
                sent = replace(sent, into=into)
                found = _understood(actor, territory, sent)
        if found is not None:
            _confirm(actor, sets, sent, found)
            gate_columns.show(file_id, found)
        _otherwise(file_id, found)


def _saved(file_id: str, file: Any, name: str, most: int) -> Path:
    """Return where the file lies; it is written once, however often the page is drawn."""
    kept = st.session_state.get(state.GATE_FILE)
    if kept is None or kept[0] != file_id:
        if kept is not None:
            Path(kept[1]).unlink(missing_ok=True)
        kept = (file_id, str(uploads.save(file, name, _longest_first(), most_mib=most)))
        st.session_state[state.GATE_FILE] = kept
    return Path(kept[1])


def _longest_first() -> tuple[str, ...]:
    return tuple(sorted((*KNOWN, ".osm.bz2", ".zip", ".kmz"), key=len, reverse=True))


def _said(file_id: str) -> dict[str, Any]:
    """Return what the person says of the file, out of the fields below."""
    at = f"{state.GATE_SAY}_{file_id}"
    said: dict[str, Any] = {
        name: str(st.session_state.get(f"{at}_{name}") or "").strip() for name in ("crs", "datum", "encoding", "layer")
    }
    if st.session_state.get(f"{at}_swap"):
        said["swapped"] = True
    out = st.session_state.get(f"{at}_out")
    said["roles"] = dict.fromkeys(out or (), "left out") | gate_places.said(file_id)
    key = st.session_state.get(f"{at}_key")
    if key:
        said["key"] = list(key)
    return {name: value for name, value in (said | gate_columns.said(file_id)).items() if value}


def _understood(actor: Actor, territory: TerritoryInfo, sent: Sent) -> Understood | None:
    asked = (sent.file_id, sent.into, repr(sorted(sent.over.items())))
    kept = st.session_state.get(state.GATE_FOUND)
    if kept is not None and kept[0] == asked:
        found: Understood = kept[1]
        return found
    try:
        with uploads.called(sent.path, sent.name), transaction(actor) as session:
            found = understand(
                session, actor, territory, sent.path, name=uploads.base_name(sent.name), key=sent.into,
                over=overrides_of(sent.over), place=place_in(session, territory),
            )  # fmt: skip
    except GridkeeperError as error:
        widgets.known_error(error)
        return None
    st.session_state[state.GATE_FOUND] = (asked, found)
    return found


def _confirm(actor: Actor, sets: Mapping[str, str], sent: Sent, found: Understood) -> None:
    widgets.heading(t("So it was understood"), aside=uploads.base_name(sent.name))
    widgets.table(
        [Column(t("What")), Column(t("Taken for")), Column(t("Why"))],
        [(gate_words.what(each.what), gate_words.value(each.value), gate_words.why(each)) for each in found.guesses],
    )
    _act(actor, sets, sent, found)
    widgets.heading(t("The first rows"))
    headings = list(found.headings)[:12]
    widgets.table(
        [Column(each) for each in headings], [[row.get(each, "")[:60] for each in headings] for row in found.sample[:5]]
    )
    if len(found.headings) > len(headings):
        widgets.note(t("and {count} more columns", count=i18n.number(len(found.headings) - len(headings))))


def _act(actor: Actor, sets: Mapping[str, str], sent: Sent, found: Understood) -> None:
    """Put where the file goes, and the one act."""
    one, two = st.columns(2)
    into = one.selectbox(
        t("Into"), ["", *sets], format_func=lambda key: sets.get(key) or t("a new data set"), key=f"{sent.mark}_into"
    )
    title = ""
    if not into:
        title = two.text_input(
            t("Name of the data set"), value=uploads.title_of(sent.name).split(".")[0], max_chars=60,
            key=f"{sent.mark}_title",
        )  # fmt: skip
    elif found.spec.rules:
        count = len(found.spec.rules)
        told = tn("Its rows are checked by {count} rule.", "Its rows are checked by {count} rules.", count)
        link = widgets.link(t("See them"), f"/catalogue?entry=set-{into}")
        with two:
            widgets.write(f'<p class="gk-muted gk-small">{widgets.html(told)} {link.text}</p>')
    if st.button(t("Bring it in"), type="primary", key="gk_gate_bring"):
        _enqueue(actor, sent, into, title)


def _enqueue(actor: Actor, sent: Sent, into: str, title: str) -> None:
    key = into or slug(title)
    if not key:
        raise InvalidInput(t("The data set has no name."), hint=t("Give it one, e.g. street lamps."))
    name = uploads.base_name(sent.name)
    arguments = {"path": str(sent.path), "name": name, "key": key, "title": title, "over": dict(sent.over)}
    with transaction(actor, purpose="bring in a file") as session:
        jobs.enqueue(session, actor, KIND, arguments)
    for kept in (state.GATE_FILE, state.GATE_FOUND, state.GATE_NEAR, state.GATE_COLUMNS):
        st.session_state.pop(kept, None)
    st.session_state[state.GATE_ROUND] = st.session_state.get(state.GATE_ROUND, 0) + 1
    st.rerun()


def _otherwise(file_id: str, found: Understood | None) -> None:
    at = f"{state.GATE_SAY}_{file_id}"
    with st.expander(t("Say otherwise"), expanded=found is None):
        one, two = st.columns(2)
        with one:
            st.text_input(t("Coordinate system"), key=f"{at}_crs", placeholder=t("e.g. EPSG:4547; found when empty"))
            st.selectbox(t("Datum"), DATUMS, format_func=lambda each: each or t("found"), key=f"{at}_datum")
            st.checkbox(t("Latitude stands first"), key=f"{at}_swap")
        with two:
            st.selectbox(t("Letters"), ENCODINGS, format_func=lambda each: each or t("found"), key=f"{at}_encoding")
            if found is not None and len(found.layers) > 1:
                st.selectbox(
                    t("Layer or sheet"), ["", *found.layers],
                    format_func=lambda each: each or t("the first"), key=f"{at}_layer",
                )  # fmt: skip
            if found is not None:
                st.multiselect(
                    t("A row is named by"),
                    [each.name for each in found.spec.kept],
                    key=f"{at}_key",
                    placeholder=t("found"),
                )
                st.multiselect(
                    t("Leave these columns out"), list(found.headings), key=f"{at}_out", placeholder=t("none")
                )
        gate_places.ask(file_id, found)


def _explain() -> None:
    widgets.heading(t("What happens"))
    steps = (
        t("You see how the file was understood, each point with its reason, and may say otherwise."),
        t("Rows that keep the rules are taken in and placed on the grid; the same file again adds nothing."),
        t("Rows that break one wait in quarantine with the reason; mend them there, or in a spreadsheet."),
        t("Columns about persons are left out. A file can be taken out again."),
    )
    items = "".join(f"<li>{widgets.html(each)}</li>" for each in steps)
    widgets.write(f'<div class="gk-panel"><ol>{items}</ol></div>')
