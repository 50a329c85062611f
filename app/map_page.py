"""The City map as one HTML file for a meeting laptop: plain folium, everything inside, no address outside."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import Any

import folium
import numpy as np
import shapely
from branca.element import Element
from sqlalchemy.orm import Session

from app import i18n, map_paper, map_table
from app.api.assets import asset
from app.i18n import t
from app.map_legend import legend_html
from app.map_paper import Fill
from app.map_sheet import Wanted
from app.map_view import View
from app.offline import go_offline
from app.report_map import WIDE, Frame, base
from app.report_signs import named_places
from core.errors import GridkeeperError
from geodata.crs import project
from geodata.territory import TerritoryInfo
from layers import overview
from layers.basemap import surrounded_by_water
from layers.paper import PaperCells, place_names
from layers.style import LIGHT
from planning.reporting import Ground

go_offline()

MERCATOR = 3857
PLACES_MOST = 12_000
"""More places than a laptop draws smoothly from one file; the highest values are kept."""
DIGITS = 5
_SCRIPT = re.compile(r'<script\s+src="([^"]+)"\s*>\s*</script>')
_STYLE = re.compile(r'<link\s+[^>]*rel="stylesheet"[^>]*?href="([^"]+)"[^>]*/?>')
STYLE = """
body{margin:0;font:14px/1.45 "Source Sans 3","Noto Sans","Segoe UI","Noto Sans CJK SC","Microsoft YaHei",sans-serif;
color:%(text)s}
.leaflet-container{background:%(outside)s!important}.leaflet-control-attribution{display:none}
.leaflet-control-scale-line:not(:first-child){display:none}
.gk-card{position:absolute;z-index:900;left:56px;top:12px;max-width:min(440px,calc(100%% - 80px));padding:10px 14px;
background:%(surface)s;border:1px solid %(line)s;border-radius:4px}
.gk-card h1{margin:0;font-size:18px}.gk-card p{margin:2px 0 6px}.gk-card small,.gk-notes{color:%(muted)s;font-size:12px}
.gk-legend b{display:block;font-weight:600}.gk-legend ul{margin:0;padding:0;list-style:none}
.gk-legend li{display:flex;align-items:center;gap:6px;font-size:12px}.gk-notes{display:block;margin:6px 0 0}
.gk-notes span{display:block}.leaflet-tooltip{border:1px solid %(line)s;box-shadow:none;color:%(text)s}
"""


def page(session: Session, view: View, wanted: Wanted) -> str:
    """Return the map as one page that opens from a disk without a network."""
    actor, territory, filters, compared = view.actor, view.territory, view.filters, view.compared
    box, metric = map_paper.extent(session, actor, territory, wanted.kind, wanted.grid_id)
    frame = map_paper.frame_of(metric, tallest=1.4, flattest=0.4)
    fill = map_paper.fill_of(session, actor, filters, compared, 1 / frame.scale)
    west, south, east, north = box
    lat, lon = (south + north) / 2, (west + east) / 2
    drawn = folium.Map([lat, lon], tiles=None, prefer_canvas=True, control_scale=True, zoom_start=11, max_zoom=19)
    drawn.fit_bounds([[south, west], [north, east]])
    _ground(session, territory, frame, drawn)
    left_out = 0
    if "grids" in filters.layers:
        left_out = _places(session, view, frame, fill, drawn)
    notes = [*wanted.notes]
    if left_out:
        notes.append(escape(t("{count} places with the lowest values are left out", count=i18n.number(left_out))))
    root: Any = drawn.get_root()
    root.title = None
    island = surrounded_by_water(session, territory.id)
    colours = LIGHT.tokens() | {"outside": LIGHT.water if island else LIGHT.ground}
    root.header.add_child(Element(f"<title>{escape(wanted.title)} · {escape(territory.title(i18n.locale()))}</title>"))
    root.header.add_child(Element(f"<style>{STYLE % colours}</style>"))
    label = f"<small>{escape(t('Simulated data'))}</small>" if territory.is_demo else ""
    card = (
        f'<section class="gk-card"><h1>{escape(wanted.title)}</h1>'
        f"<small>{escape(territory.title(i18n.locale()))}</small>"
        f"<p>{escape(wanted.told)}</p>{legend_html([fill.legend], notes)}{label}</section>"
    )
    root.html.add_child(Element(card))
    return inlined(root.render())


def _ground(session: Session, territory: TerritoryInfo, frame: Frame, drawn: folium.Map) -> None:
    """Put the ground below as one picture; it is drawn in the projection of the map, so that it lies true."""
    ring = map_paper.box_around(frame, territory.metric_srid)
    shape = project(np.array([shapely.box(*ring)], dtype=object), MERCATOR)[0]
    west, south, east, north = (float(each) for each in shape.bounds)
    flat = Frame(west, south, east, north)
    ground = map_paper.ground_of(session, territory, frame)
    srid = territory.metric_srid
    boundary: shapely.Geometry = project(np.array([ground.boundary], dtype=object), MERCATOR, srid)[0]
    houses = project(ground.buildings, MERCATOR, srid)
    cover, streets, places = (_moved(part, srid) for part in (ground.cover, ground.streets, ground.places))
    moved = Ground(MERCATOR, boundary, cover, streets, places, houses)
    island = surrounded_by_water(session, territory.id)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE:.0f} {flat.high:.0f}" width="{WIDE * 4:.0f}"'
        f' height="{flat.high * 4:.0f}" font-family="sans-serif">{base(moved, flat, island=island)}'
        f"{named_places(moved, flat, 24, 0.7)}</svg>"
    )
    picture = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    folium.raster_layers.ImageOverlay(
        picture, [[ring[1], ring[0]], [ring[3], ring[2]]], mercator_project=False, zindex=1
    ).add_to(drawn)


def _moved(rows: Sequence[Any], srid: int) -> list[Any]:
    shapes = np.array([row[-1] for row in rows], dtype=object)
    return [(*row[:-1], shape) for row, shape in zip(rows, project(shapes, MERCATOR, srid), strict=True)]


def _places(session: Session, view: View, frame: Frame, fill: Fill, drawn: folium.Map) -> int:
    """Put the places with their values, and return how many were left out."""
    territory, filters = view.territory, view.filters
    places = map_paper.shapes_of(session, territory, frame, fill, filters)
    classes = fill.classes(places.grid_id)
    at = places.grid_id - fill.first_id
    known = (at >= 0) & (at < len(fill.values))
    values = (
        np.where(known, fill.values[np.clip(at, 0, max(len(fill.values) - 1, 0))], np.nan)
        if len(fill.values)
        else at * np.nan
    )
    there = np.flatnonzero(classes != -1)
    kept = there[np.argsort(-values[there], kind="stable")[:PLACES_MOST]]
    shown = PaperCells(places.grid_id[kept], project(places.shapes[kept], 4326, territory.metric_srid))
    ids = shown.grid_id.tolist()
    names = place_names(session, fill.level, ids)
    communities = overview.grid_names(session, ids) if fill.level == "cell" else {}
    features = []
    for shape, place, value, group in zip(
        shown.shapes, ids, values[kept].tolist(), classes[kept].tolist(), strict=True
    ):
        name = i18n.either(*names.get(place, (str(place), None)))
        where = communities.get(place)
        second = f" · {i18n.either(where.community, where.community_zh)}" if where else ""
        colour = LIGHT.too_few if group == -2 else fill.colours[group]
        features.append({
            "type": "Feature",
            "geometry": json.loads(shapely.to_geojson(shapely.set_precision(shape, 10.0**-DIGITS))),
            # folium writes these into the page as they are
            "properties": {
                "colour": colour, "name": escape(f"{name}{second}"), "value": escape(map_table.said(filters, value)),
            },
        })  # fmt: skip
    if features:
        folium.GeoJson(
            {"type": "FeatureCollection", "features": features},
            style_function=lambda each: {
                "fillColor": each["properties"]["colour"], "color": LIGHT.muted, "weight": 0.2, "fillOpacity": 0.72,
            },
            highlight_function=lambda _: {"weight": 2, "color": LIGHT.text},
            tooltip=folium.GeoJsonTooltip(["name", "value"], aliases=["", f"{map_table.title(filters)}:"]),
        ).add_to(drawn)  # fmt: skip
    return len(there) - len(kept)


def inlined(page: str) -> str:
    """Return a page of folium with our copies of its scripts and styles written into it.

    Raises
    ------
    GridkeeperError
        When it names anything that is not ours.
    """

    def content(address: str) -> str:
        name = address.split("?", maxsplit=1)[0].removeprefix("/assets/")
        if not address.startswith("/assets/"):
            raise GridkeeperError(f"A map for taking along may not name {address}.")
        return asset(name).plain().decode()

    page = _SCRIPT.sub(lambda found: f"<script>{_harmless(content(found[1]))}</script>", page)
    page = _STYLE.sub(lambda found: f"<style>{_bare(content(found[1]))}</style>", page)
    bare = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    for left in re.findall(r'(?:src|href)="(?!data:|#|https://www\.openstreetmap\.org)([^"]+)"', bare):
        raise GridkeeperError(f"A map for taking along may not name {left}.")
    return page


def _harmless(script: str) -> str:
    """Return a script that cannot end its own element, without the address of its map of sources."""
    return re.sub(r"//# sourceMappingURL=\S+", "", script).replace("</script", "<\\/script")


def _bare(style: str) -> str:
    """Return a style without pictures of files."""
    return re.sub(r"url\((?!['\"]?data:)[^)]*\)", "none", style)
