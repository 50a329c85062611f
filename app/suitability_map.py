"""The map of suitability: cells filled by their score as one picture, the best areas outlined and numbered."""

from __future__ import annotations

import json
from dataclasses import replace

import folium
import numpy as np
import shapely
from folium.raster_layers import ImageOverlay
from numpy.typing import NDArray

from app import i18n, maps, state
from app.i18n import t
from app.map_legend import legend_html
from core.clock import now
from core.identity import Actor
from geodata.crs import WGS84, project
from geodata.territory import TerritoryInfo
from layers.legend import Legend, LegendItem
from layers.style import LIGHT, ramp
from layers.values import Question as Values
from planning.fitting import Fit
from planning.posing import metric

Floats = NDArray[np.float64]
PICTURE_PX, CELL_PX = 900, 6
KNOTS = 33
"""Where the projection is computed along each side of the picture; between them it is as good as straight."""
CLASSES = 6
ALPHA, SHUT_ALPHA = 205, 96
LAYERS = ("grids", "incidents", "facilities", "traffic")
USUAL_WIDTH_PX, TILE_PX, ZOOM_AT_MOST, SPARE_ZOOM = 780, 256, 16, 0.15
_EARTH_DEG = 360.0
_BADGE = (
    f"display:block;width:22px;height:22px;box-sizing:border-box;border:2px solid {LIGHT.surface};border-radius:11px;"
    f"background:{LIGHT.text};color:{LIGHT.surface};font:600 12px/18px sans-serif;text-align:center"
)


def show(
    territory: TerritoryInfo, actor: Actor, made: Fit, *, shapes: list[shapely.Geometry],
    chosen: tuple[float, float] | None, island: bool, height: int,
) -> tuple[float, float] | None:  # fmt: skip
    """Put the map; return the place of the last click (longitude, latitude)."""
    drawn = folium.FeatureGroup(name="suitability")
    picture, extent = picture_of(made, territory.metric_srid)
    west, south, east, north = extent
    ImageOverlay(picture, bounds=[[south, west], [north, east]], opacity=1.0, zindex=2).add_to(drawn)
    for number, shape in enumerate(shapes, 1):
        folium.GeoJson(
            json.loads(shapely.to_geojson(shape)),
            style_function=lambda _: {"color": LIGHT.text, "weight": 2, "fill": False},
            interactive=False,
        ).add_to(drawn)
        inside = shapely.point_on_surface(shape)
        folium.Marker(
            (shapely.get_y(inside), shapely.get_x(inside)),
            icon=folium.DivIcon(
                html=f'<span style="{_BADGE}">{number}</span>', icon_size=(22, 22), icon_anchor=(11, 11)
            ),
            interactive=False,
        ).add_to(drawn)
    if chosen is not None:
        folium.CircleMarker(
            (chosen[1], chosen[0]), radius=9, color=LIGHT.overdue, weight=3, fill=False, interactive=False
        ).add_to(drawn)
    day = now().astimezone(territory.zone).date()
    nothing = Values("reported", day, day)
    pushed = maps.MapState(nothing, nothing, dict.fromkeys(LAYERS, False))
    settings = maps.map_settings(territory, actor, {}, island=island)
    base = maps.city_map(replace(territory, opens=_view(territory.bounds, height)), settings)
    key = f"{state.SUITABILITY_MAP}-{territory.id}-{i18n.locale()}"
    answer = maps.show(base, pushed, key=key, height=height, overlays=[drawn])
    click = answer.get("last_clicked")
    return (round(float(click["lng"]), 6), round(float(click["lat"]), 6)) if click else None


def picture_of(made: Fit, srid: int) -> tuple[NDArray[np.uint8], tuple[float, float, float, float]]:
    """Return the cells as a picture in the projection of the map, and its extent in degrees."""
    cells = made.cells
    rows, columns = cells.shape
    frame = shapely.box(cells.west, cells.south, cells.west + columns * cells.step_m, cells.south + rows * cells.step_m)
    west, south, east, north = (
        float(side) for side in shapely.bounds(project(np.array([frame], dtype=object), WGS84, srid)[0])
    )
    high_y, low_y = _mercator(north), _mercator(south)
    wide = (east - west) / _EARTH_DEG * 2 * np.pi
    scale = min(PICTURE_PX, CELL_PX * max(cells.shape)) / max(wide, high_y - low_y)
    width, height = max(2, round(wide * scale)), max(2, round((high_y - low_y) * scale))
    lons = west + (np.arange(width) + 0.5) / width * (east - west)
    lats = np.degrees(2 * np.arctan(np.exp(high_y - (np.arange(height) + 0.5) / height * (high_y - low_y))) - np.pi / 2)
    at = cells.at(_metric_between(lons, lats, srid))
    return colours(made)[at].reshape(height, width, 4), (west, south, east, north)


def _metric_between(lons: Floats, lats: Floats, srid: int) -> Floats:
    """Return the metres of every pair of longitude and latitude, row by row, straight between `KNOTS`."""
    knots = [np.linspace(side[0], side[-1], KNOTS) for side in (lons, lats)]
    lon, lat = np.meshgrid(*knots)
    known = metric(np.column_stack([lon.ravel(), lat.ravel()]), srid).reshape(KNOTS, KNOTS, 2)
    weights = []
    for values, ends in ((lons, knots[0]), (lats, knots[1])):
        along = (values - ends[0]) / (ends[-1] - ends[0]) * (KNOTS - 1)
        low = np.minimum(along.astype(np.int64), KNOTS - 2)
        table = np.zeros((len(values), KNOTS))
        rows = np.arange(len(values))
        table[rows, low], table[rows, low + 1] = 1 - (along - low), along - low
        weights.append(table)
    x, y = (weights[1] @ known[..., axis] @ weights[0].T for axis in (0, 1))
    return np.column_stack([x.ravel(), y.ravel()])


def colours(made: Fit) -> NDArray[np.uint8]:
    """Return red, green, blue and opacity of each cell, and of nothing as the last."""
    table = np.zeros((len(made.cells) + 1, 4), dtype=np.uint8)
    score = made.found.score
    known = ~np.isnan(score)
    if known.any():
        edges = edges_of(score)
        ramped = np.array([_rgb(colour) for colour in ramp(len(edges) - 1)], dtype=np.uint8)
        table[:-1][known, :3] = ramped[np.searchsorted(edges[1:-1], score[known], side="right")]
    table[:-1][known, 3] = ALPHA
    table[:-1][~known, :3] = _rgb(LIGHT.closed)
    table[:-1][~known, 3] = SHUT_ALPHA
    return table


def edges_of(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of the classes, as many cells in each as can be; fewer classes where scores are alike."""
    known = score[~np.isnan(score)]
    if not len(known):
        return np.array([0.0, 1.0])
    edges = np.unique(np.round(np.quantile(known, np.linspace(0, 1, CLASSES + 1)), 2))
    if len(edges) > 3:
        return edges
    low = min(float(edges[0]), 0.96)
    return np.array([low, low + 0.02, 1.0])


def legend(made: Fit) -> str:
    """Return the signs of the map in words, as HTML."""
    edges = np.round(100 * edges_of(made.found.score)).astype(int).tolist()
    fills = [LegendItem(colour, f"{edges[at]}–{edges[at + 1]}") for at, colour in enumerate(ramp(len(edges) - 1))]
    fills.append(LegendItem(LIGHT.closed, t("something forbids it, or a value is unknown")))
    signs = (LegendItem(LIGHT.text, t("one of the best areas, by number"), "ring"),)
    return legend_html([Legend(t("Score, of 100"), tuple(fills)), Legend(t("Signs"), signs)], [])


def _mercator(lat: float) -> float:
    return float(np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _view(extent: tuple[float, float, float, float], height: int) -> tuple[float, float, int]:
    west, south, east, north = extent
    flat = float(np.cos(np.radians((south + north) / 2)))
    wide = USUAL_WIDTH_PX / max(east - west, 1e-6)
    high = height * flat / max(north - south, 1e-6)
    zoom = int(np.floor(np.log2(min(wide, high) * _EARTH_DEG / TILE_PX) + SPARE_ZOOM))
    return (west + east) / 2, (south + north) / 2, min(max(zoom, maps.MIN_ZOOM), ZOOM_AT_MOST)
