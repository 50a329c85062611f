"""Draw & balance: cells of a file, what is wrong with them, and the repaired ones before they are taken."""

from __future__ import annotations

import contextlib
import hashlib
from html import escape
from typing import Any

import folium
import numpy as np
import shapely
import streamlit as st
from sqlalchemy.orm import Session

from app import draw_map, i18n, maps, state, uploads, widgets
from app.draw_desk import Desk, act_on
from app.i18n import t, tn
from app.widgets import Column, Fact
from core.clock import now
from core.errors import GridkeeperError
from core.identity import May
from geodata.crs import project
from grids import importing
from grids.importing import FromFile
from grids.topology import TopologyFault
from layers.style import LIGHT
from layers.values import Question

FAULTS_SHOWN = 12
DRAWN = 1_500
MAP_PX = 420
HAIR_M2 = 0.05
AROUND_M = 250.0


def upload(session: Session, desk: Desk) -> None:
    """Put the field for the file; what was found is kept until it is taken or thrown away."""
    most = uploads.most_mib(desk.actor, May.PROPOSE_GRIDS)
    given = st.file_uploader(
        uploads.labelled(t("GeoJSON, GeoPackage, or a zip with a Shapefile: a polygon for each cell"), most),
        type=[each.lstrip(".") for each in uploads.AREA_ENDINGS],
        max_upload_size=most,
        key=f"gk_draw_file_{desk.change.id}",
    )
    if given is None:
        return
    key = desk.change.id, hashlib.sha256(given.getvalue()).hexdigest()
    known = st.session_state.get(state.DRAW_FILE)
    if known is not None and known[0] == key:
        if isinstance(known[1], GridkeeperError):  # said as long as the file lies there
            widgets.known_error(known[1])
        return
    with st.spinner(t("Looking for gaps and overlaps …")), contextlib.ExitStack() as after:
        try:
            path = uploads.save(given, given.name, uploads.AREA_ENDINGS)
            after.callback(path.unlink, missing_ok=True)
            name = uploads.base_name(given.name)
            found = importing.look(session, desk.actor, desk.territory, desk.change.id, path, name=name)
        except GridkeeperError as error:
            st.session_state[state.DRAW_FILE] = (key, error)
            widgets.known_error(error)
            return
    st.session_state[state.DRAW_FILE] = (key, found)
    st.rerun()


def waiting(desk: Desk) -> FromFile | None:
    """Return the cells of a file that wait to be taken; None when none do."""
    known = st.session_state.get(state.DRAW_FILE)
    if known is None or known[0][0] != desk.change.id or not desk.own:
        return None
    return known[1] if isinstance(known[1], FromFile) else None


def report(desk: Desk, found: FromFile) -> None:
    """Put what is wrong, how it would be mended, the map of both, and the two ways on."""
    repaired = found.repaired
    counts = repaired.counts
    widgets.facts(
        [
            Fact(t("Rows of the file"), i18n.number(found.read)),
            Fact(t("Cells as taken"), i18n.number(len(found.cells))),
            Fact(t("Gaps"), i18n.number(counts["gap"])),
            Fact(t("Overlaps"), i18n.number(counts["overlap"])),
            Fact(t("Below 500 m²"), i18n.number(counts["sliver"])),
            Fact(t("Self-intersections"), i18n.number(counts["self_intersection"])),
            Fact(t("Ground that changes hands"), t("{area} ha", area=i18n.number(repaired.moved_m2 / 1e4, 2))),
        ]
    )
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _map(desk, found)
    with right:
        _ways(desk, found)
        _faults(desk, found)


def _ways(desk: Desk, found: FromFile) -> None:
    sound = found.repaired.sound
    widgets.note(
        t("Nothing is wrong with these cells.") if sound else t("The map shows the cells as they would be taken.")
    )
    if found.elsewhere:
        widgets.note(
            tn("{count} row lies in other communities and is left out.",
               "{count} rows lie in other communities and are left out.", found.elsewhere)
        )  # fmt: skip
    widgets.note(
        t("{kept} cells keep the code of the file; {new} get a new number.",
          kept=i18n.number(found.codes_kept), new=i18n.number(found.codes_new))
    )  # fmt: skip
    if st.button(t("Take these cells") if sound else t("Repair and take"), type="primary", key="gk_draw_take"):

        def take(inner: Session) -> str:
            importing.take(inner, desk.actor, desk.territory, desk.change.id, found)
            return tn("{count} cell taken.", "{count} cells taken.", len(found.cells))

        act_on(desk, take, after=lambda: st.session_state.pop(state.DRAW_FILE, None))
    if st.button(t("Throw away"), type="tertiary", key="gk_draw_drop"):
        st.session_state[state.DRAW_FILE] = (st.session_state[state.DRAW_FILE][0], None)
        st.rerun()


def _faults(desk: Desk, found: FromFile) -> None:
    faults = found.repaired.faults
    if not faults:
        return
    widgets.heading(t("What is wrong"), aside=t("the largest of each kind first"))
    shown = _worst(faults)
    places = _degrees(desk, np.array([shapely.Point(each.x, each.y) for each in shown], dtype=object))
    widgets.table(
        [Column(t("Kind of fault")), Column(t("Row")), Column(t("m²"), right=True), Column(t("Place"), wide=True),
         Column(t("Mended by"))],
        [
            (
                kind_word(each.kind),
                ", ".join(str(row) for row in each.rows) or "–",
                i18n.number(each.area_m2, 1),
                "–" if np.isnan(each.x) else f"{place.y:.5f}, {place.x:.5f}",
                mend_word(each),
            )
            for each, place in zip(shown, places, strict=True)
        ],
    )  # fmt: skip
    rest = sum(not is_hair(each) for each in faults) - len(shown)
    if rest > 0:
        widgets.note(t("{count} more are not listed", count=i18n.number(rest)))
    hairs = sum(is_hair(each) for each in faults)
    if hairs:
        widgets.note(
            tn(
                "{count} hair below 0.05 m², as rounding leaves it, is mended without being listed.",
                "{count} hairs below 0.05 m², as rounding leaves them, are mended without being listed.",
                hairs,
            )
        )


def is_hair(fault: TopologyFault) -> bool:
    """Return whether a fault of ground is so small that it would be told as 0 m²."""
    return fault.kind in {"gap", "overlap", "outside", "across"} and fault.area_m2 < HAIR_M2


def _worst(faults: tuple[TopologyFault, ...]) -> list[TopologyFault]:
    """Return a few of each kind, so that a thousand hairs do not hide the one hole."""
    faults = tuple(each for each in faults if not is_hair(each))
    kinds = list(dict.fromkeys(each.kind for each in faults))
    each_kind = max(FAULTS_SHOWN // max(len(kinds), 1), 2)
    return [each for kind in kinds for each in [one for one in faults if one.kind == kind][:each_kind]]


def _degrees(desk: Desk, shapes: np.ndarray) -> np.ndarray:
    return np.asarray(project(shapes, 4326, desk.territory.metric_srid))


def _map(desk: Desk, found: FromFile) -> None:
    faults = [each for each in _worst(found.repaired.faults) if each.shape is not None]
    extra = [each for each in found.repaired.faults if each.shape is not None and each not in faults]
    faults += extra[: DRAWN - len(faults)]
    near = _near(found, faults)
    cells = _degrees(desk, found.cells.geometry.to_numpy()[near])
    west, south, east, north = shapely.total_bounds(cells)
    rows = found.cells["row"].to_numpy()[near].tolist()
    drawn = folium.FeatureGroup(name="file")
    _layer(cells, [str(row) if row else t("new cell") for row in rows], _cell).add_to(drawn)
    if faults:
        shapes = _degrees(desk, np.array([each.shape for each in faults], dtype=object))
        words = [f"{kind_word(each.kind)} · {i18n.number(each.area_m2, 1)} m²" for each in faults]
        _layer(shapes, words, _fault).add_to(drawn)
    for each in faults[: FAULTS_SHOWN * 2]:
        place = _degrees(desk, np.array([shapely.Point(each.x, each.y)], dtype=object))[0]
        folium.CircleMarker([place.y, place.x], radius=6, color=LIGHT.overdue, weight=2, fill=False).add_to(drawn)
    day = now().astimezone(desk.territory.zone).date()
    nothing = Question("reported", day, day)
    hidden = dict.fromkeys(("grids", "incidents", "facilities", "traffic"), False)
    told = maps.MapState(nothing, nothing, hidden)
    options = maps.map_settings(desk.territory, desk.actor, {}, island=False) | {"cells": False}
    extent = float(west), float(south), float(east), float(north)
    made = maps.city_map(draw_map.opening_at(desk.territory, extent, MAP_PX), options)
    key = f"{state.DRAW_MAP}-file-{desk.change.id}-{i18n.locale()}"
    maps.show(made, told, key=key, height=MAP_PX, overlays=[drawn])
    note = t("Green: cells as they would be taken. Red: what is wrong in the file.")
    if len(near) < len(found.cells):
        note += " " + t("{count} cells are drawn, those near a fault.", count=i18n.number(len(near)))
    widgets.note(note)


def _near(found: FromFile, faults: list[TopologyFault]) -> np.ndarray:
    """Return the cells that are drawn: all of a few, else those around what is wrong."""
    if len(found.cells) <= DRAWN or not faults:
        return np.arange(min(len(found.cells), DRAWN))
    shapes = found.cells.geometry.to_numpy()
    wrong = np.array([each.shape for each in faults], dtype=object)
    _, cell = shapely.STRtree(shapes).query(wrong, predicate="dwithin", distance=AROUND_M)
    return np.unique(cell)[:DRAWN]


def _layer(shapes: np.ndarray, words: list[str], style: Any) -> folium.GeoJson:
    features = [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(shapely.set_precision(shape, 1e-7, mode="pointwise")),
            "properties": {"words": escape(said)},
        }
        for shape, said in zip(shapes, words, strict=True)
    ]
    tooltip = folium.GeoJsonTooltip(fields=["words"], labels=False, sticky=False)
    return folium.GeoJson({"type": "FeatureCollection", "features": features}, style_function=style, tooltip=tooltip)


def _cell(feature: dict[str, Any]) -> dict[str, Any]:
    del feature
    return {"color": LIGHT.primary, "weight": 1.2, "fillColor": LIGHT.primary, "fillOpacity": 0.08}


def _fault(feature: dict[str, Any]) -> dict[str, Any]:
    del feature
    return {"color": LIGHT.overdue, "weight": 1.5, "fillColor": LIGHT.overdue, "fillOpacity": 0.45}


def kind_word(kind: str) -> str:
    """Return what is wrong, in words."""
    return {
        "gap": t("Empty ground"),
        "overlap": t("Overlap"),
        "sliver": t("Sliver"),
        "self_intersection": t("Self-intersection"),
        "parts": t("Several parts"),
        "outside": t("Outside the communities"),
        "across": t("Across a community line"),
        "no_surface": t("No surface"),
    }[kind]


def mend_word(fault: TopologyFault) -> str:
    """Return what the repair does about it, in words."""
    row = i18n.number(fault.heir)
    return {
        "joined": t("joins row {row}", row=row),
        "own_cell": t("becomes a cell"),
        "given": t("goes to row {row}", row=row),
        "merged": t("merges with row {row}", row=row),
        "untangled": t("is untangled"),
        "parted": t("becomes cells of their own, or joins"),
        "cut_off": t("is cut off"),
        "cut_at_line": t("is cut at the line"),
        "left_out": t("is left out"),
        "stays": t("stays as it is"),
    }[fault.mend]
