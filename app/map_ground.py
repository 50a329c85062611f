"""Which map lies under the layers of the City map: our own drawing, or one of the city's own."""

from __future__ import annotations

from typing import Any

import folium
import streamlit as st
from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template
from sqlalchemy.orm import Session

from app import i18n, state
from app.api.assets import asset_url
from app.i18n import t
from app.maps import script_json
from core.identity import Actor
from geodata import basemaps
from geodata.basemaps import BasemapInfo
from geodata.datum import Datum

LABELLED = frozenset({"xyz", "wmts", "wms", "mbtiles", "pmtiles"})
"""These have names of their own; under an orthophoto ours stay."""


class Ground(JSCSSMixin, MacroElement):
    """What lies under the layers of a map; drawn by ``app/assets/gridkeeper-ground.js``."""

    _template = Template(
        "{% macro script(this, kwargs) %}GridkeeperGround.attach({{ this._parent.get_name() }});{% endmacro %}"
    )
    default_js = [("gridkeeper-city", asset_url("gk/gridkeeper-city.js"))]  # noqa: RUF012  (folium reads it)

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Ground"


class Pushed(MacroElement):
    """A "layer" that is only a statement: which map lies below, and whether something changed."""

    _template = Template("{% macro script(this, kwargs) %}GridkeeperGround.update({{ this.message }});{% endmacro %}")

    def __init__(self, message: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "PushedGround"
        self.message = script_json(message)


def pushed(maps: list[BasemapInfo], now: int, live: int) -> list[folium.FeatureGroup]:
    """Return what tells the living map which ground it has, and the number of what it shows."""
    group = folium.FeatureGroup(name="ground")
    lost = t("The basemap {name} does not answer; Gridkeeper's own is shown.", name="{name}")
    group.add_child(Pushed({"known": for_script(maps), "wanted": now, "live": live, "lost": lost}))
    return [group]


def known(session: Session, actor: Actor, territory_id: int) -> list[BasemapInfo]:
    """Return the maps that may lie under the layers."""
    return basemaps.list_basemaps(session, actor, territory_id)


def for_script(maps: list[BasemapInfo]) -> list[dict[str, Any]]:
    """Return what the script has to know of them; no address and no key."""
    return [
        {
            "id": each.id,
            "name": each.name,
            "credit": f"{each.attribution} ({each.datum})" if each.datum != Datum.WGS84 else each.attribution,
            "zooms": list(each.zooms),
            "photo": each.kind not in LABELLED,
            "made": int(each.made_at.timestamp()),
        }
        for each in maps
    ]


def chosen(maps: list[BasemapInfo]) -> int:
    """Return the id of the map that was chosen, by the control, the address or earlier; 0 is our own drawing."""
    known = {0, *(each.id for each in maps)}
    kept = st.session_state.get(_key(), None)
    given = st.query_params.get("ground", "")
    if kept is None:
        kept = int(given) if given.isdecimal() and len(given) < 10 else st.session_state.get(state.MAP_GROUND, 0)
    kept = kept if kept in known else 0
    st.session_state[state.MAP_GROUND] = kept
    if kept:
        st.query_params["ground"] = str(kept)
    else:
        st.query_params.pop("ground", None)
    return int(kept)


def control(maps: list[BasemapInfo], now: int) -> None:
    """Put the choice of a basemap where there is one."""
    if not maps:
        return
    names = {0: t("Gridkeeper's own"), **{each.id: each.name for each in maps}}
    st.selectbox(
        t("Basemap"), list(names), index=list(names).index(now), format_func=names.__getitem__, key=_key(), width=260
    )


def _key() -> str:
    return f"{state.MAP_GROUND}_{i18n.locale()}"


def notes(maps: list[BasemapInfo], now: int) -> list[str]:
    """Return what is to be known of the chosen map: that it was shifted or turned."""
    found = next((each for each in maps if each.id == now), None)
    if found is None:
        return []
    told = []
    if found.datum != Datum.WGS84:
        told.append(t("{name} is drawn in {datum} and is shifted back here", name=found.name, datum=found.datum))
    if found.plan.get("system") == "degrees":
        crs = str(found.plan.get("crs", "")).rpartition(":")[2]
        told.append(t("{name} comes in degrees (EPSG:{crs}) and is redrawn here", name=found.name, crs=crs))
    return told
