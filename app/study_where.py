"""Where a new study may build: free plots, buildings to convert, a file, a layer, points on the map; and where not."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, study_files, study_form, uploads, widgets
from app.i18n import t, tn
from core.errors import GridkeeperError, InvalidInput
from core.identity import Actor
from core.settings import settings
from geodata.territory import TerritoryInfo
from planning import layering, service
from planning.terms import OWN_AT_MOST, OwnPlace, Place

FREE, BUILDINGS, FILE, LAYER, MAP = "free", "buildings", "file", "layer", "map"
ENDINGS = (".geojson", ".json", ".gpkg", ".zip", ".csv")
AREA_ENDINGS = (".geojson", ".json", ".gpkg", ".zip")
LEAST_M2 = 300
MOST_M2 = 1_000_000
NOTHING = 0


def form(session: Session, actor: Actor, territory: TerritoryInfo) -> dict[str, Any]:
    """Ask where it could stand; return what `study_form.terms` takes."""
    layers = {each.id: each.name for each in layering.layers(session, actor, territory, "candidates")}
    zones = {each.id: each.name for each in layering.layers(session, actor, territory, "zones")}
    options = [FREE, BUILDINGS, FILE, *([LAYER] if layers else []), MAP]
    last = study_form.kept().get("where", FREE)
    where = st.selectbox(
        t("Where it could stand"), options, index=options.index(last if last in options else FREE),
        format_func=_words, key=study_form.key("where"),
    )  # fmt: skip
    said: dict[str, Any] = {"where": where, "places": (), "wrong": None}
    if where in {BUILDINGS, FILE}:
        said["least_m2"] = float(
            st.number_input(
                t("Square metres, at least (of buildings and parcels)"), 0, MOST_M2,
                int(study_form.kept().get("least_m2") or LEAST_M2), 50, key=study_form.key("least_m2"),
            )
        )  # fmt: skip
    try:
        if where == FILE:
            said["places"] = _file()
        elif where == LAYER:
            said["places"] = _layer(session, actor, layers)
        elif where == MAP:
            said["places"] = tuple(OwnPlace(lon, lat) for lon, lat in _marks())
        said["zones"] = _zones(session, actor, zones)
    except GridkeeperError as error:
        said["wrong"] = error
    if where in {FILE, LAYER, MAP} and not said["places"] and said["wrong"] is None:
        hint = t("Click on the map.") if where == MAP else t("Choose one, or let free plots be found.")
        said["wrong"] = InvalidInput(t("No place is given yet where it could stand."), hint=hint)
    return said


def _words(where: str) -> str:
    return {
        FREE: t("on free plots beside a road"),
        BUILDINGS: t("in buildings nobody lives in"),
        FILE: t("at places of a file: points, parcels, vacant buildings"),
        LAYER: t("at the places of a layer of planning"),
        MAP: t("at points that I mark on the map"),
    }[where]


def _file() -> tuple[OwnPlace, ...]:
    """Ask for a file and return its places."""
    most = settings().planning_upload_max_mib
    given = st.file_uploader(
        uploads.labelled(t("Points or areas: GeoJSON, GeoPackage, zipped Shapefile, or CSV with lon and lat"), most),
        max_upload_size=most,
        type=[ending.removeprefix(".") for ending in ENDINGS], key=f"{state.STUDY_FORM}_file",
    )  # fmt: skip
    if given is None:
        return ()
    places = _read_places(given.getvalue(), given.name)
    if len(places) > OWN_AT_MOST:
        raise InvalidInput(f"{len(places):,} candidates are too many.", hint=f"At most {OWN_AT_MOST:,}.")
    areas = sum(each.area_m2 is not None for each in places)
    widgets.note(
        t("{count} places read, {areas} of them areas.", count=i18n.number(len(places)), areas=i18n.number(areas))
    )
    return places


@st.cache_data(ttl=3600, max_entries=20, show_spinner=False)
def _read_places(content: bytes, name: str) -> tuple[OwnPlace, ...]:
    with _saved(content, name, ENDINGS) as path:
        return study_files.own_places(path)


@st.cache_data(ttl=3600, max_entries=20, show_spinner=False)
def _read_zones(content: bytes, name: str) -> tuple[str, ...]:
    with _saved(content, name, AREA_ENDINGS) as path:
        return study_files.polygons(path)


@contextlib.contextmanager
def _saved(content: bytes, name: str, endings: tuple[str, ...]) -> Iterator[Path]:
    """Give the path of an uploaded file that goes away again."""
    path: Path = uploads.save(io.BytesIO(content), name, endings, most_mib=settings().planning_upload_max_mib)
    try:
        with uploads.called(path, name):
            yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _layer(session: Session, actor: Actor, layers: dict[int, str]) -> tuple[OwnPlace, ...]:
    chosen = st.selectbox(t("Layer"), list(layers), format_func=layers.__getitem__, key=study_form.key("layer"))
    lonlat, _ = layering.candidates_of(session, actor, int(chosen))
    widgets.note(tn("One place.", "{count} places.", len(lonlat)))
    return tuple(OwnPlace(float(lon), float(lat)) for lon, lat in lonlat[:OWN_AT_MOST])


def _zones(session: Session, actor: Actor, zones: dict[int, str]) -> tuple[str, ...]:
    """Ask for ground where nothing may be built: protected, planned otherwise."""
    found: tuple[str, ...] = ()
    if zones:
        options = [NOTHING, *zones]
        chosen = st.selectbox(
            t("Layer of ground where nothing may be built"), options, key=study_form.key("zones"),
            format_func=lambda key: zones.get(key, t("none")),
        )  # fmt: skip
        if chosen:
            shapes = layering.read(session, actor, int(chosen)).shapes
            found = tuple(shape.wkt for shape in shapes if shape.geom_type in {"Polygon", "MultiPolygon"})
    most = settings().planning_upload_max_mib
    given = st.file_uploader(
        uploads.labelled(t("Protected ground, as a file of areas (may be left out)"), most), max_upload_size=most,
        type=[ending.removeprefix(".") for ending in AREA_ENDINGS], key=f"{state.STUDY_FORM}_zones_file",
    )  # fmt: skip
    return found if given is None else (*found, *_read_zones(given.getvalue(), given.name))


def _marks() -> list[Place]:
    """Return the points marked on the map, with a way to take the last one off."""
    marks: list[Place] = st.session_state.setdefault(state.STUDY_MARKS, [])
    widgets.note(tn("One point is marked; click on the map for more.",
                    "{count} points are marked; click on the map for more.", len(marks)))  # fmt: skip
    if marks and st.button(t("Take the last one off"), key="gk_study_unmark"):
        marks.pop()
        st.rerun()
    return marks


def take_click(where: str, place: Place | None) -> None:
    """Mark a place that was clicked on the map, once."""
    if where != MAP or place is None or st.session_state.get(state.STUDY_MARK_CLICK) == place:
        return
    st.session_state[state.STUDY_MARK_CLICK] = place
    st.session_state.setdefault(state.STUDY_MARKS, []).append(place)
    st.rerun()


def shown(said: dict[str, Any]) -> np.ndarray:
    """Return the places of the form to be drawn, longitude and latitude, shape (n, 2)."""
    return np.array([(each.lon, each.lat) for each in said["places"]], dtype=np.float64).reshape(-1, 2)


def staying(session: Session, actor: Actor, territory: TerritoryInfo, kind: str) -> tuple[Place, ...]:
    """Ask which of the facilities stay open though others may be closed."""
    known = service.named_facilities(session, actor, territory, kind)
    names = {
        at: name or t("without a name, {lat}, {lon}", lat=f"{lat:.4f}", lon=f"{lon:.4f}")
        for at, (name, lon, lat) in enumerate(known)
    }
    chosen = st.multiselect(
        t("These stay in any case"), list(names), format_func=names.__getitem__, key=study_form.key(f"stay_{kind}")
    )
    return tuple((known[at][1], known[at][2]) for at in chosen)
