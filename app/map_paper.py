"""The City map as one SVG for paper: ground, grids in their classes, names, scale and north."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app import map_classes, map_compare
from app.map_compare import Compared
from app.map_filters import Filters
from app.report_map import FONT, WIDE, Frame, base, path_of
from app.report_signs import named_places, north_arrow, scale_bar
from core.identity import Actor
from geodata.crs import project
from geodata.territory import TerritoryInfo
from grids.lattice import Geometries
from layers.legend import Legend
from layers.paper import Box, PaperCells, box_of, read_ground, read_shapes
from layers.style import LIGHT
from layers.values import TOO_FEW, cell_values, cells_of
from planning.reporting import Ground

SMALLEST_UNITS = 2.0
"""A place narrower than so many units of the picture is not seen: larger places are drawn instead."""
SMALL_SHARE = 0.2
"""Share of the cells that may be smaller than that."""
FINE_BELOW_M = 14_000.0
"""Small streets and houses are read for maps no wider than this."""
OUTLINED_FROM_UNITS = 14.0
HALF_STREET_M = 450.0
HALF_DISTRICT_M = 3_000.0


@dataclass(frozen=True, eq=False)
class Fill:
    """What the places of a map are filled by.

    Attributes
    ----------
    level
        cell | responsibility | community
    values
        By identity minus ``first_id``.
    """

    level: str
    first_id: int
    values: NDArray[np.float32]
    edges: tuple[float, ...]
    colours: tuple[str, ...]
    legend: Legend

    def classes(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the class of each place; -1 for none, -2 where too few are."""
        at = ids - self.first_id
        known = (at >= 0) & (at < len(self.values))
        value = np.full(len(ids), np.nan)
        value[known] = self.values[at[known]]
        found = np.searchsorted(np.array(self.edges), value + 1e-6 * np.abs(value), side="right") - 1
        return np.where(value == TOO_FEW, -2, np.where(np.isnan(value), -1, found)).astype(np.int64)


def fill_of(
    session: Session, actor: Actor, filters: Filters, compared: Compared | None, unit_m: float,
    *, smallest: float = SMALLEST_UNITS,
) -> Fill:  # fmt: skip
    """Return what fills a map on which a unit of the picture is so many metres: places that can be seen."""
    if compared is not None:
        verdicts = compared.change.verdict.astype(np.float32)
        told = map_compare.paint()
        edges, colours = tuple(told["edges"]), tuple(told["colours"])
        return Fill(filters.level, compared.first_id, verdicts, edges, colours, map_compare.legend())
    cells = cells_of(session, actor.territory_id or 0, filters.day)
    level = "cell"
    # Cells of the town are smaller than those of the country, and more happens in them.
    side_m = float(np.quantile(np.sqrt(cells.area_m2[cells.live]), SMALL_SHARE)) if cells.live.any() else 0.0
    if side_m < smallest * unit_m:
        level = "responsibility" if (cells.responsibility > 0).any() else "community"
    found = cell_values(session, actor, replace(filters.question(), by=level))
    drawn = map_classes.painted(found, filters.metric, filters.scheme)
    legend = map_classes.legend_of(filters.metric, drawn)
    return Fill(level, found.first_id, found.values, drawn.edges, drawn.colours, legend)


def extent(
    session: Session, actor: Actor, territory: TerritoryInfo, kind: str, grid_id: int | None
) -> tuple[Box, tuple[float, float, float, float]]:
    """Return what a map shows, in degrees and in metres: the whole, one's own communities, the district, the street."""
    srid = territory.metric_srid
    lon, lat, _ = territory.opens
    if grid_id is not None and kind in {"district", "street"}:
        found = box_of(session, (), grid_id)
        lon, lat = ((found[0] + found[2]) / 2, (found[1] + found[3]) / 2) if found else (lon, lat)
    if kind in {"district", "street"}:
        half = HALF_STREET_M if kind == "street" else HALF_DISTRICT_M
        x, y = shapely.get_coordinates(project(np.array([shapely.Point(lon, lat)], dtype=object), srid))[0]
        metric = (x - half, y - half * 0.72, x + half, y + half * 0.72)
        return _back(metric, srid), metric
    own = box_of(session, actor.area_ids, None) if kind == "mine" and actor.area_ids else None
    west, south, east, north = own or territory.bounds
    shape: Geometries = project(np.array([shapely.box(west, south, east, north)], dtype=object), srid)
    bounds = [float(each) for each in shape[0].bounds]
    return (west, south, east, north), (bounds[0], bounds[1], bounds[2], bounds[3])


def _back(metric: tuple[float, float, float, float], srid: int) -> Box:
    shape: Geometries = project(np.array([shapely.box(*metric)], dtype=object), 4326, srid)
    bounds = [float(each) for each in shape[0].bounds]
    return bounds[0], bounds[1], bounds[2], bounds[3]


def frame_of(metric: tuple[float, float, float, float], *, tallest: float, flattest: float) -> Frame:
    """Return the frame around a box of metres, its height between two shares of its width."""
    west, south, east, north = metric
    wide, high = east - west, north - south
    wide = max(wide, high / tallest)
    high = max(high, wide * flattest)
    x, y = (west + east) / 2, (south + north) / 2
    return Frame(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def box_around(frame: Frame, srid: int) -> Box:
    """Return a frame in degrees."""
    return _back((frame.west, frame.south, frame.east, frame.north), srid)


def ground_of(session: Session, territory: TerritoryInfo, frame: Frame, *, srid: int | None = None) -> Ground:
    """Return the ground of a frame, in the metric CRS of the territory or another."""
    wanted = srid or territory.metric_srid
    fine = frame.east - frame.west <= FINE_BELOW_M
    found = read_ground(session, territory.id, wanted, box_around(frame, wanted), fine=fine)
    return Ground(found.srid, found.boundary, found.cover, found.streets, found.places, found.buildings)


def shapes_of(session: Session, territory: TerritoryInfo, frame: Frame, fill: Fill, filters: Filters) -> PaperCells:
    """Return the places of a frame that a fill speaks of."""
    srid = territory.metric_srid
    return read_shapes(
        session, territory.id, srid, box_around(frame, srid), level=fill.level, day=filters.day
    )  # fmt: skip


def filled(places: PaperCells, fill: Fill, frame: Frame, key: str) -> str:
    """Return the places in the colours of their classes as SVG."""
    if not len(places.grid_id):
        return ""
    classes = fill.classes(places.grid_id)
    made = []
    for at in np.unique(classes).tolist():
        if at == -1 and fill.edges:
            continue
        colour = LIGHT.too_few if at == -2 else fill.colours[at] if at >= 0 else None
        if colour is None:
            continue
        whole = _together(places.shapes[classes == at])
        text = path_of(whole, frame, closed=True, tolerance=0.4)
        opacity = 0.45 if at == -2 else 0.78
        made.append(f'<path d="{text}" fill="{colour}" fill-opacity="{opacity}" fill-rule="evenodd"/>')
    middle = float(np.median(np.sqrt(shapely.area(places.shapes)))) * frame.scale
    if middle >= OUTLINED_FROM_UNITS:
        text = "".join(path_of(shape, frame, closed=True, tolerance=0.4) for shape in places.shapes)
        made.append(f'<path d="{text}" fill="none" stroke="{LIGHT.muted}" stroke-opacity="0.5" stroke-width="0.8"/>')
    return f'<g id="places-{key}">{"".join(made)}</g>'


def _together(shapes: NDArray[np.object_]) -> shapely.Geometry:
    """Return shapes as one without the lines between neighbours."""
    try:
        whole = shapely.coverage_union_all(shapes)
    except shapely.GEOSException:  # shapes of a file may overlap
        whole = shapely.union_all(shapely.make_valid(shapes))
    return whole


def picture(ground: Ground, frame: Frame, places: str, *, island: bool, alt: str, key: str, names: int = 16) -> str:
    """Return the map as SVG: ground below, places over it, names, scale and north on top."""
    parts = [base(ground, frame, island=island), places, named_places(ground, frame, names, 0.9),
             scale_bar(frame, 0.9), north_arrow(frame, 0.9)]  # fmt: skip
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE:.0f} {frame.high:.0f}" role="img"'
        f' aria-label="{escape(alt)}" font-family="{FONT}"><defs><clipPath id="frame-{key}">'
        f'<rect width="{WIDE:.0f}" height="{frame.high:.0f}"/></clipPath></defs>'
        f'<g clip-path="url(#frame-{key})">{"".join(parts)}</g>'
        f'<rect width="{WIDE:.0f}" height="{frame.high:.0f}" fill="none" stroke="{LIGHT.line}" stroke-width="2"/></svg>'
    )
