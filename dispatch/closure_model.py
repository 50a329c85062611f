"""Closed streets: what a closure is, and which stretches of road it shuts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InvalidInput

ALONG_M = 15.0
"""So far beside a street a line may be drawn and still run along it."""
MOSTLY = 0.6
"""Part of a stretch, or of the line, that has to run together."""
NEAR_M = 50.0
"""A line that neither follows nor crosses a street shuts the nearest, when it is as near as this."""
INSIDE_M = 5.0
"""A stretch with more than this within an area, or half of itself, is shut."""
LONGEST_NAME = 120
LONGEST_REASON = 300
SLOWEST_KMH, FASTEST_KMH = 3, 120
_MOST_POINTS = 2_000


@dataclass(frozen=True, eq=False)
class ClosureInfo:
    """A street or an area that nobody drives through for a time, or only slowly.

    Attributes
    ----------
    shape
        A line along or across streets, or a polygon; longitude and latitude.
    to_at
        None: until somebody opens it.
    ended_at
        When somebody opened it.
    stretches
        How many stretches of road it shuts or slows; None where that was not asked.
    speed_kmh
        Works past which one drives so fast at most; None: nobody drives there.
    """

    id: int
    name: str
    shape: shapely.LineString | shapely.Polygon
    from_at: dt.datetime
    to_at: dt.datetime | None
    reason: str
    made_by: int | None
    made_at: dt.datetime
    ended_at: dt.datetime | None = None
    version: int = 1
    stretches: int | None = None
    speed_kmh: int | None = None

    def in_force(self, moment: dt.datetime) -> bool:
        """Return whether it holds at a moment."""
        return self.ended_at is None and self.from_at <= moment and (self.to_at is None or moment < self.to_at)


@dataclass(frozen=True, eq=False)
class Stretch:
    """A stretch of road with the names of its street; longitude and latitude."""

    name: str
    name_zh: str
    line: shapely.LineString


def check_shape(shape: shapely.Geometry) -> shapely.LineString | shapely.Polygon:
    """Return the shape of a closure when it is a line or a polygon that can be used.

    Raises
    ------
    InvalidInput
        When it is not.
    """
    if not isinstance(shape, (shapely.LineString, shapely.Polygon)) or shape.is_empty:
        raise InvalidInput(
            "A closure is a line along or across a street, or an area.",
            hint="Draw a line or a polygon.",
            zh="封闭范围须为一条线或一个面，请重新绘制。",
        )
    points = shapely.get_coordinates(shape)
    if not np.isfinite(points).all() or (np.abs(points) > [180, 90]).any() or len(points) > _MOST_POINTS:
        raise InvalidInput(
            "The closure has a place that is none, or too many corners.",
            hint=f"Give longitude and latitude of at most {_MOST_POINTS} corners.",
            zh="封闭范围的坐标有误或点数过多，请重新绘制。",
        )
    wrong = shape.length == 0 or (isinstance(shape, shapely.Polygon) and (not shape.is_valid or shape.area == 0))
    if wrong:
        raise InvalidInput(
            "The closure has no length, or its outline crosses itself.",
            hint="Draw it again.",
            zh="封闭范围没有长度或边界自相交，请重新绘制。",
        )
    return shape


def shut_by(
    shape: shapely.LineString | shapely.Polygon, lines: NDArray[np.object_], tree: shapely.STRtree
) -> NDArray[np.int64]:
    """Return the stretches that a closure shuts.

    A line shuts the stretches it runs along and those it crosses away from their ends; where it does neither, the
    nearest one within `NEAR_M`. An area shuts what leads through it.

    Parameters
    ----------
    shape
        In the metric CRS of ``lines``.
    tree
        Of all ``lines``.
    """
    if not len(lines):
        return np.zeros(0, np.int64)
    if isinstance(shape, shapely.Polygon):
        found = np.asarray(tree.query(shape, predicate="intersects"), np.int64)
        inside = shapely.length(shapely.intersection(lines[found], shape))
        return np.sort(found[inside >= np.minimum(INSIDE_M, shapely.length(lines[found]) / 2)])
    band = shapely.buffer(shape, ALONG_M)
    found = np.asarray(tree.query(band, predicate="intersects"), np.int64)
    own_m = shapely.length(lines[found])
    together_m = shapely.length(shapely.intersection(lines[found], band))
    # Where the line is shorter than the stretch it lies beside, it has to lie beside it with most of itself.
    beside_m = shapely.length(shapely.intersection(shapely.buffer(lines[found], ALONG_M), shape))
    follows = (together_m >= MOSTLY * own_m) | ((beside_m >= MOSTLY * shape.length) & (shape.length > 2 * ALONG_M))
    follows &= together_m > 2 * ALONG_M if shape.length > 4 * ALONG_M else True
    shut = found[follows | _crossed(shape, lines[found], own_m)]
    if len(shut):
        return np.sort(shut)
    nearest = np.asarray(tree.query_nearest(shape, max_distance=NEAR_M, all_matches=False), np.int64)
    return nearest[:1]


def _crossed(line: shapely.LineString, lines: NDArray[np.object_], own_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which stretches a line crosses away from their ends: past a junction it only touches the next street."""
    crossed = np.zeros(len(lines), bool)
    for k in np.flatnonzero(shapely.crosses(lines, line)):
        meets = shapely.intersection(lines[k], line)
        along = shapely.line_locate_point(lines[k], shapely.points(shapely.get_coordinates(meets)))
        margin = min(ALONG_M, own_m[k] / 4)
        crossed[k] = bool(((along > margin) & (along < own_m[k] - margin)).any())
    return crossed
