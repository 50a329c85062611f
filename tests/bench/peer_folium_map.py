"""The peer of bench_map.py: the same cells and values as plain folium GeoJSON in Streamlit, from our own assets."""

from __future__ import annotations

import datetime as dt
import os

import folium
import geopandas as gpd
import numpy as np
import streamlit as st
from branca.element import MacroElement
from folium.template import Template
from sqlalchemy import text
from streamlit_folium import st_folium

from app.offline import go_offline
from core.identity import Actor, Role
from geodata import db
from layers.style import class_edges, ramp

METRICS = {"reported": "sum(open + closed)", "open": "sum(open)"}


class Ready(MacroElement):
    """Marks the moment when the browser has drawn what was added before."""

    _template = Template(
        "{% macro script(this, kwargs) %}requestAnimationFrame(() => requestAnimationFrame(() =>"
        " { window.parent.document.body.dataset.ready = {{ this.metric | tojson }}; }));{% endmacro %}"
    )

    def __init__(self, metric: str) -> None:
        super().__init__()
        self._name, self.metric = "Ready", metric


@st.cache_resource
def cells() -> gpd.GeoDataFrame:
    with db.engine().connect() as connection:
        db.as_actor(connection, Actor(None, "bench", Role.DISPATCHER, int(os.environ["BENCH_TERRITORY"])))
        query = text("SELECT id, code, geom FROM unit_grid WHERE ended_on IS NULL ORDER BY id")
        return gpd.read_postgis(query, connection, geom_col="geom")


def values(metric: str) -> dict[int, int]:
    with db.engine().connect() as connection:
        db.as_actor(connection, Actor(None, "bench", Role.DISPATCHER, int(os.environ["BENCH_TERRITORY"])))
        query = text(f"SELECT grid_id, {METRICS[metric]} FROM incident_day WHERE day > :day GROUP BY 1")
        day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=90)
        return {row[0]: int(row[1]) for row in connection.execute(query, {"day": day})}


go_offline()
st.set_page_config(layout="wide")
metric = st.selectbox("Fill grids by", list(METRICS))
frame = cells().copy()
found = values(metric)
frame["value"] = [found.get(cell, 0) for cell in frame["id"]]
edges = class_edges(frame["value"].to_numpy(dtype=np.float32), whole=True)
colours = ramp(len(edges))


def style(feature: dict) -> dict:
    at = int(np.searchsorted(edges, feature["properties"]["value"], side="right")) - 1
    fill = colours[at] if at >= 0 else "#F3F1EC"
    return {"fillColor": fill, "fillOpacity": 0.7 if at >= 0 else 0, "weight": 0.5, "color": "#5F6B73"}


west, south, east, north = frame.total_bounds
drawn = folium.Map([(south + north) / 2, (west + east) / 2], zoom_start=11, tiles=None, prefer_canvas=True)
folium.GeoJson(frame, style_function=style, tooltip=folium.GeoJsonTooltip(["code", "value"])).add_to(drawn)
drawn.add_child(Ready(metric))
st_folium(drawn, key=f"peer-{metric}", height=580, use_container_width=True, returned_objects=["last_clicked"])
