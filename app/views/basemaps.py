"""Basemaps: maps of the city's own under our layers, by address or from a folder of this machine."""

from __future__ import annotations

import base64

import streamlit as st

from app import guard, i18n, state, widgets
from app.api import ground
from app.i18n import t
from app.where import territory_of
from app.widgets import Column
from core.errors import GridkeeperError
from core.identity import Actor, May, require
from geodata import basemap_files, basemaps
from geodata.basemap_grid import media_type
from geodata.basemaps import BasemapInfo, NewBasemap
from geodata.db import transaction
from geodata.territory import TerritoryInfo

_TOLD = f"{state.BASEMAP}_told"
KINDS = {
    "xyz": "XYZ",
    "wmts": "WMTS",
    "wms": "WMS",
    "mbtiles": "MBTiles",
    "pmtiles": "PMTiles",
    "geotiff": "GeoTIFF",
}
TRY_ZOOM = 14


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SET_UP)
    widgets.title(t("Basemaps"))
    widgets.note(
        t(
            "A map of the city's own under the layers: a service on its network, or a file of this machine. Browsers"
            " ask this platform, and this platform asks the addresses below and nobody else."
        )
    )
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        known = basemaps.list_basemaps(session, actor, territory.id)
    _told()
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        _list(actor, territory, known)
    with right:
        _form(actor, territory)


def _list(actor: Actor, territory: TerritoryInfo, known: list[BasemapInfo]) -> None:
    widgets.heading(t("In use"))
    if not known:
        widgets.empty(
            t("There is no basemap of your own."), t("The map shows Gridkeeper's own drawing of OpenStreetMap.")
        )
        return
    widgets.table(
        [Column(t("Name"), fixed=True), Column(t("Kind")), Column(t("Datum"), wide=True), Column(t("How it stands"))],
        [
            (
                widgets.link(each.name, f"/map?ground={each.id}"),
                KINDS[each.kind],
                _system(each),
                _stands(each),
            )
            for each in known
        ],
    )
    names = {each.id: each.name for each in known}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"{state.BASEMAP}_chosen_{i18n.locale()}"
        chosen = st.selectbox(t("One of them"), list(names), format_func=names.__getitem__, width=260, key=key)
        tried = st.button(t("Try it"), key=f"{state.BASEMAP}_try")
        st.button(t("Remove"), key=f"{state.BASEMAP}_remove", on_click=_remove, args=(chosen,))
    if tried and chosen is not None:
        _try(actor, territory, chosen)


def _system(each: BasemapInfo) -> str:
    crs = str(each.plan.get("crs", "")).rpartition(":")[2]
    turned = f" · EPSG:{crs}" if crs.isdigit() else ""
    return f"{each.datum}{turned}"


def _stands(each: BasemapInfo) -> str:
    trouble = ground.trouble(each.id)
    return t("answers") if trouble is None else i18n.either(trouble.message, trouble.zh or trouble.message)


def _try(actor: Actor, territory: TerritoryInfo, basemap_id: int) -> None:
    """Show the tile in the middle of the city, or say why there is none."""
    lon, lat, _ = territory.opens
    try:
        with transaction(actor) as session:
            found = basemaps.find_basemap(session, actor, basemap_id)
        body = basemaps.tile_of(found, *basemaps.tile_at(lon, lat, TRY_ZOOM), lambda _, get: get())
    except GridkeeperError as error:
        widgets.known_error(error)
        return
    if body is None:
        widgets.note(t("It has nothing in the middle of the city."))
        return
    picture = base64.b64encode(body).decode()
    widgets.write(
        f'<img alt="{t("The middle of the city on this basemap")}" width="256" height="256"'
        f' src="data:{media_type(body)};base64,{picture}">'
    )


def _form(actor: Actor, territory: TerritoryInfo) -> None:
    widgets.heading(t("Add a basemap"))
    kind = st.selectbox(t("Kind"), list(KINDS), format_func=KINDS.__getitem__, key=f"{state.BASEMAP}_kind")
    with st.form(f"{state.BASEMAP}_form", border=False):
        name = st.text_input(t("Name"), max_chars=80)
        layer = ""
        if kind in basemaps.FILES:
            files = [each for each in basemap_files.files() if basemap_files.SUFFIXES[_suffix(each)] == kind]
            address = st.selectbox(t("File in {folder}", folder=str(basemap_files.folder())), files) or ""
            key = ""
        else:
            hints = {"xyz": "http://maps.city.gov/tiles/{z}/{x}/{y}.png"}
            address = st.text_input(t("Address"), max_chars=500, placeholder=hints.get(kind, "http://maps.city.gov/…"))
            if kind != "xyz":
                layer = st.text_input(t("Layer (empty: the first)"), max_chars=120)
            key = st.text_input(t("Key, as a piece of the query"), max_chars=200, placeholder="tk=…", type="password")
        datum = st.selectbox(t("Datum"), basemaps.DATUMS)
        widgets.note(t("CGCS2000 is WGS-84 here: they differ by less than a metre. GCJ-02 and BD-09 are shifted back."))
        credit = st.text_input(t("Whose map it is (stands on the map)"), max_chars=200)
        if st.form_submit_button(t("Add"), type="primary"):
            new = NewBasemap(name, kind, address.strip(), credit, key.strip(), datum, layer.strip())
            _add(actor, territory, new)


def _suffix(name: str) -> str:
    return name[name.rindex(".") :].lower()


def _add(actor: Actor, territory: TerritoryInfo, new: NewBasemap) -> None:
    try:
        plan = basemaps.plan_of(new)
        with transaction(actor) as session:
            basemaps.add_basemap(session, actor, territory.id, new, plan)
    except GridkeeperError as error:
        widgets.known_error(error)
        return
    st.session_state[_TOLD] = t("{name} was added. Choose it on the City map.", name=new.name)
    st.rerun()


def _remove(basemap_id: int | None) -> None:
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            basemaps.remove_basemap(session, actor, basemap_id or 0)
    except GridkeeperError as error:
        st.session_state[_TOLD] = error


def _told() -> None:
    told = st.session_state.pop(_TOLD, None)
    if isinstance(told, GridkeeperError):
        widgets.known_error(told)
    elif told:
        widgets.note(told)


with guard.page():
    show()
