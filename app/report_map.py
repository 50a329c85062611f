"""The map of a report as one SVG: ground from our own data, people shaded by minutes, sites, whom they serve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import shapely
from numpy.typing import NDArray

from app.report_signs import around, named_places, north_arrow, scale_bar
from app.study_map import colour
from geodata.crs import project
from layers.style import LIGHT, YLGNBU
from planning.model import Ground as Served
from planning.model import SiteAnswer
from planning.reporting import Ground

Floats = NDArray[np.float64]
WIDE = 1000.0
"""Width of every map in its own units; the page says how wide it is printed."""
SQUARES, SQUARE_M = 110, 50.0
"""Squares across the map that people are gathered in, at most, and how small they may be."""
COVER = {
    "water": LIGHT.water, "waterway": LIGHT.water, "green": LIGHT.green, "wood": LIGHT.wood, "sand": LIGHT.sand,
    "farmland": LIGHT.farmland, "park": LIGHT.green, "grass": LIGHT.green, "beach": LIGHT.sand,
}  # fmt: skip
STREETS = {
    "motorway": 3.2, "trunk": 3.0, "primary": 2.6, "secondary": 2.0, "tertiary": 1.5,
}  # fmt: skip
MINOR_BELOW_M = 14_000.0
"""Streets that lead nowhere else are drawn on maps no wider than this."""
CLOSE_M = 1_600.0
SITE_R, THERE_R = 17.0, 6.5
"""Of the signs of new sites and of what is there already."""
SHADES = YLGNBU[5]
SMALLEST = 0.3
"""Side of the square of very few people, as a share of a full one."""
HATCH = (
    '<pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="scale({sign:g})">'
    '<path d="M0 6L6 0" stroke="{ink}" stroke-width="1.4"/></pattern>'
)
FONT = "Report Sans, Source Sans 3, Noto Sans CJK SC, WenQuanYi Micro Hei, sans-serif"


@dataclass(frozen=True)
class Frame:
    """A piece of ground and how high its picture is; metres to units of the picture.

    Attributes
    ----------
    west, south, east, north
        In the metric CRS.
    most
        Squares across it that people are gathered in, at most; fewer for a picture that is printed small.
    """

    west: float
    south: float
    east: float
    north: float
    most: int = SQUARES

    @property
    def scale(self) -> float:
        """Return units of the picture for a metre."""
        return WIDE / (self.east - self.west)

    @property
    def wide(self) -> float:
        """Return the width of the picture in its units."""
        return WIDE

    @property
    def high(self) -> float:
        """Return the height of the picture in its units."""
        return (self.north - self.south) * self.scale

    @property
    def close(self) -> bool:
        """Return whether it shows a neighbourhood: houses, and streets with their names."""
        return self.east - self.west <= CLOSE_M

    @property
    def squares(self) -> int:
        """Return how many squares lie across it."""
        return int(np.clip((self.east - self.west) / SQUARE_M, 20, self.most))

    @property
    def box(self) -> shapely.Polygon:
        """Return the ground."""
        return shapely.box(self.west, self.south, self.east, self.north)

    def xy(self, metres: Floats) -> Floats:
        """Return places on the picture."""
        return np.column_stack([
            (metres[:, 0] - self.west) * self.scale, (self.north - metres[:, 1]) * self.scale
        ])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shade:
    """People of a square and how long their way is."""

    xy_m: Floats
    people: Floats
    minutes: Floats


def frame_around(shapes: Sequence[shapely.Geometry], *, tallest: float, flattest: float, spare: float = 0.04) -> Frame:
    """Return the frame that holds shapes (metric), its height between two shares of its width."""
    west, south, east, north = (float(each) for each in shapely.total_bounds(list(shapes)))
    wide, high = max(east - west, 400.0) * (1 + 2 * spare), max(north - south, 300.0) * (1 + 2 * spare)
    wide = max(wide, high / tallest)
    high = max(high, wide * flattest)
    x, y = (west + east) / 2, (south + north) / 2
    return Frame(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def minute_classes(limit_min: float) -> list[float]:
    """Return the upper ends of the classes of minutes: two below the limit, the limit, one beyond; the last is open."""
    whole = [limit_min / 3, 2 * limit_min / 3, limit_min, 2 * limit_min]
    return [round(each, 1 if limit_min < 12 else 0) for each in whole]


def gathered(xy_m: Floats, people: Floats, times_s: Floats, frame: Frame) -> Shade:
    """Return the people of the frame in squares with their mean way; infinite where most have none."""
    across = frame.squares
    size = (frame.east - frame.west) / across
    cell = np.floor((xy_m - [frame.west, frame.south]) / size).astype(np.int64)
    rows = int(np.ceil((frame.north - frame.south) / size))
    inside = (cell >= 0).all(axis=1) & (cell[:, 0] < across) & (cell[:, 1] < rows) & (people > 0)
    key = cell[inside, 1] * across + cell[inside, 0]
    cells, at = np.unique(key, return_inverse=True)
    who, way = people[inside], times_s[inside]
    has = np.isfinite(way)
    total = np.bincount(at, weights=who).astype(np.float64)
    reached = np.bincount(at, weights=who * has)
    summed = np.bincount(at, weights=who * np.where(has, way, 0.0))
    minutes = np.where(reached * 2 > total, summed / np.maximum(reached, 1e-9) / 60, np.inf)
    corner = np.column_stack([cells % across, cells // across]) * size + [frame.west, frame.south]
    return Shade(corner, total, minutes)


def base(ground: Ground, frame: Frame, *, island: bool, fine: bool = True) -> str:
    """Return the ground of a map: land, water, green, streets, and on close ones houses.

    Parameters
    ----------
    island
        What lies outside the boundary is drawn as water.
    fine
        False for a small picture: large streets alone, and fewer corners.
    """
    return _cover(ground, frame, island, fine) + _streets(ground, frame, fine) + _houses(ground, frame)


def picture(  # noqa: PLR0917  (a map, layer by layer)
    drawn: str, ground: Ground, frame: Frame, shade: Shade | None, sites: Sequence[SiteAnswer], existing_m: Floats,
    served: Sequence[Served], *, limit_min: float, key: str, alt: str, names: int = 14,
    sign: float = 1.0,
) -> str:  # fmt: skip
    """Return the map as SVG.

    Parameters
    ----------
    drawn
        The ground, as `base` gives it.
    served
        Grounds of the study, in degrees; catchments are outlined in the colour of their site.
    key
        Distinguishes the patterns of several maps in one page.
    sign
        How much larger words and signs are drawn, for a picture that is printed small.
    """
    marks = _places_of(sites, ground.srid, frame)
    taken = around(marks, SITE_R * sign)
    there = around(frame.xy(existing_m), THERE_R) if len(existing_m) else []
    parts = [
        drawn,
        "" if shade is None else _shade(shade, frame, minute_classes(limit_min), limit_min, key),
        _catchments(served, ground.srid, frame),
        named_places(ground, frame, names, sign, taken=taken, avoided=there),
        _existing(existing_m, frame),
        _sites(sites, marks, sign),
        scale_bar(frame, sign),
        north_arrow(frame, sign),
    ]
    hatch = HATCH.format(id=f"hatch-{key}", ink=LIGHT.surface, sign=sign)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE:.0f} {frame.high:.0f}" role="img"'
        f' aria-label="{escape(alt)}" font-family="{FONT}"><defs>{hatch}<clipPath id="frame-{key}">'
        f'<rect width="{WIDE:.0f}" height="{frame.high:.0f}"/></clipPath></defs>'
        f'<g clip-path="url(#frame-{key})">{"".join(parts)}</g>'
        f'<rect width="{WIDE:.0f}" height="{frame.high:.0f}" fill="none" stroke="{LIGHT.line}" stroke-width="2"/></svg>'
    )


def path_of(shape: shapely.Geometry, frame: Frame, *, closed: bool, tolerance: float = 0.8) -> str:
    """Return the d of a path in whole tenths, simplified to what can be seen."""
    simple = shapely.simplify(shape, tolerance / frame.scale)
    made = []
    for part in shapely.get_parts(simple):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = frame.xy(shapely.get_coordinates(ring))
            if len(points) < 2 or (closed and np.ptp(points, axis=0).max() < 1.2):
                continue
            text = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            made.append(f"M{text}{'Z' if closed else ''}")
    return "".join(made)


def _cover(ground: Ground, frame: Frame, island: bool, fine: bool) -> str:
    box, corner = frame.box, 0.8 if fine else 2.0
    land = shapely.intersection(shapely.make_valid(ground.boundary), box)
    outside = LIGHT.water if island else LIGHT.ground
    made = [
        f'<rect width="{WIDE:.0f}" height="{frame.high:.0f}" fill="{outside}"/>',
        f'<path d="{path_of(land, frame, closed=True, tolerance=corner)}" fill="{LIGHT.land}"/>',
    ]
    for wanted in ("farmland", "sand", "beach", "green", "grass", "park", "wood", "water"):
        shapes = [shape for kind, shape in ground.cover if kind == wanted and shapely.intersects(shape, box)]
        if shapes:
            text = "".join(path_of(shape, frame, closed=True, tolerance=corner) for shape in _clipped(shapes, box))
            made.append(f'<path d="{text}" fill="{COVER[wanted]}" fill-rule="evenodd"/>')
    brooks = [shape for kind, shape in ground.cover if kind == "waterway" and shapely.intersects(shape, box)]
    if brooks and fine:
        text = "".join(path_of(shape, frame, closed=False) for shape in _clipped(brooks, box))
        made.append(f'<path d="{text}" fill="none" stroke="{LIGHT.water}" stroke-width="1.6"/>')
    return "".join(made)


def _clipped(shapes: Iterable[shapely.Geometry], box: shapely.Polygon) -> list[shapely.Geometry]:
    found = shapely.intersection(shapely.make_valid(np.array(list(shapes), dtype=object)), box)
    return [shape for shape in found if not shape.is_empty]


def _streets(ground: Ground, frame: Frame, fine: bool) -> str:
    wide = frame.east - frame.west
    close = frame.close
    minor = fine and wide <= MINOR_BELOW_M
    grouped: dict[float, list[shapely.Geometry]] = {}
    lines = np.array([line for *_, line in ground.streets], dtype=object)
    for at in np.flatnonzero(shapely.intersects(lines, frame.box)).tolist():
        width = STREETS.get(ground.streets[at][0], (1.6 if close else 0.9) if minor else 0.0)
        if width:
            grouped.setdefault(width * (4.2 if close else 1.0), []).append(lines[at])
    made = []
    for width in sorted(grouped):
        merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(grouped[width])))
        text = "".join(path_of(line, frame, closed=False, tolerance=0.8 if fine else 2.0) for line in merged)
        if close:
            made.append(_line(text, LIGHT.casing, width + 2.0))
            made.append(_line(text, LIGHT.road, width))
        else:
            made.append(_line(text, LIGHT.casing if width < 1.4 else LIGHT.path, width))
    return "".join(made)


def _line(text: str, ink: str, width: float) -> str:
    return (
        f'<path d="{text}" fill="none" stroke="{ink}" stroke-width="{width:g}" stroke-linecap="round"'
        ' stroke-linejoin="round"/>'
    )


def _houses(ground: Ground, frame: Frame) -> str:
    if not frame.close:
        return ""
    box = frame.box
    inside = ground.buildings[shapely.intersects(ground.buildings, box)]
    text = "".join(path_of(shape, frame, closed=True, tolerance=0.4) for shape in inside)
    return f'<path d="{text}" fill="{LIGHT.building}" stroke="{LIGHT.building_line}" stroke-width="0.8"/>'


def _shade(shade: Shade, frame: Frame, ends: Sequence[float], limit_min: float, key: str) -> str:
    size = WIDE / frame.squares
    corner = frame.xy(shade.xy_m)
    usual = max(float(np.quantile(shade.people, 0.9)), 1e-9) if len(shade.people) else 1.0
    inner = size * np.clip(np.sqrt(shade.people / usual), SMALLEST, 0.94)
    there = np.isfinite(shade.minutes)
    place = np.searchsorted(np.array(ends), shade.minutes, side="left")
    made = []
    for at, ink in enumerate(SHADES):
        text = _squares(corner, inner, size, (place == at) & there)
        made.append(f'<path d="{text}" fill="{ink}" stroke="{LIGHT.muted}" stroke-width="0.2"/>')
    made.append(f'<path d="{_squares(corner, inner, size, ~there)}" fill="{LIGHT.overdue}"/>')
    text = _squares(corner, inner, size, (shade.minutes > limit_min) & there)
    made.append(f'<path d="{text}" fill="url(#hatch-{key})" opacity="0.6"/>')
    return "".join(made)


def _squares(corner: Floats, inner: Floats, size: float, mine: NDArray[np.bool_]) -> str:
    return "".join(
        f"M{x + (size - side) / 2:.1f} {y - (size - side) / 2:.1f}h{side:.1f}v-{side:.1f}h-{side:.1f}z"
        for (x, y), side in zip(corner[mine], inner[mine], strict=True)
    )


def _catchments(served: Sequence[Served], srid: int, frame: Frame) -> str:
    made = []
    for each in served:
        if each.kind != "catchment" or not each.site_number:
            continue
        shape = project(np.array([each.shape], dtype=object), srid)[0]
        text = path_of(shapely.intersection(shapely.make_valid(shape), frame.box), frame, closed=True, tolerance=1.5)
        ink = colour(each.site_number)
        made.append(
            f'<path d="{text}" fill="{ink}" fill-opacity="0.07" stroke="{ink}" stroke-width="2.6"'
            ' stroke-opacity="0.9" fill-rule="evenodd"/>'
        )
    return "".join(made)


def _existing(places_m: Floats, frame: Frame) -> str:
    if not len(places_m):
        return ""
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{THERE_R:g}" fill="{LIGHT.surface}" stroke="{LIGHT.text}"'
        ' stroke-width="2.4"/>'
        for x, y in frame.xy(places_m)
    )


def _places_of(sites: Sequence[SiteAnswer], srid: int, frame: Frame) -> Floats:
    """Return where sites lie on the picture."""
    points = project(np.array([shapely.Point(site.lon, site.lat) for site in sites], dtype=object), srid)
    return frame.xy(shapely.get_coordinates(points)) if len(sites) else np.empty((0, 2))


def _sites(sites: Sequence[SiteAnswer], places: Floats, sign: float) -> str:
    made = []
    for site, (x, y) in reversed(list(zip(sites, places, strict=True))):
        made.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{SITE_R * sign:g}" fill="{colour(site.number)}"'
            f' stroke="{LIGHT.surface}"'
            f' stroke-width="3.5"/><text x="{x:.1f}" y="{y + 7 * sign:.1f}" text-anchor="middle"'
            f' font-size="{20 * sign:g}" font-weight="700" fill="{LIGHT.surface}">{site.number}</text>'
        )
    return "".join(made)
