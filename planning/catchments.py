"""Catchments as shapes: the ground around each demand point, joined by who serves it."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REACH_M = 500.0
"""Ground farther than this from every demand point belongs to nobody."""
SMOOTH_M = 20.0
GRID_M = 0.01
CLOSE_M = 120.0
"""Gaps narrower than twice this between grounds of one group are closed, but never over another's ground."""


def catchments(xy_m: Floats, groups: Ints, boundary: shapely.Geometry) -> dict[int, shapely.MultiPolygon]:
    """Return the ground of each group of demand points, inside the boundary.

    Each point holds the ground nearer to it than to any other point (its Voronoi cell) up to
    `REACH_M`; the shapes of different groups do not overlap but for the smoothing of their outlines.
    """
    if not len(xy_m):
        return {}
    discs = shapely.buffer(shapely.points(xy_m), REACH_M, quad_segs=4)
    shapely.prepare(boundary)
    cells = _cells(xy_m, boundary)
    grounds = shapely.intersection(cells, discs)
    edge = ~shapely.contains_properly(boundary, grounds)
    grounds[edge] = shapely.intersection(grounds[edge], boundary)
    made: dict[int, shapely.MultiPolygon] = {}
    for group in np.unique(groups):
        mine = groups == group
        joined = shapely.union_all(grounds[mine], grid_size=GRID_M)  # in floats GEOS may lose a part
        closed = shapely.buffer(shapely.buffer(joined, CLOSE_M, quad_segs=3), -CLOSE_M, quad_segs=3)
        inside = shapely.intersection(shapely.intersection(closed, shapely.union_all(cells[mine])), boundary)
        valid = shapely.make_valid(shapely.simplify(inside, SMOOTH_M))
        parts = shapely.get_parts(shapely.get_parts(valid))
        polygons = [part for part in parts if part.geom_type == "Polygon"]
        if polygons:
            made[int(group)] = shapely.MultiPolygon(polygons)
    return made


def _cells(xy_m: Floats, boundary: shapely.Geometry) -> NDArray[np.object_]:
    """Return the Voronoi cell of each point, in the order of the points; twins share one."""
    if len(np.unique(xy_m, axis=0)) < 2:
        return np.array([shapely.envelope(shapely.buffer(boundary, REACH_M))] * len(xy_m), dtype=object)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(xy_m), extend_to=shapely.envelope(boundary)),
    )
    points = shapely.points(xy_m)
    point_at, cell_at = shapely.STRtree(cells).query(points, predicate="intersects")
    which = np.zeros(len(xy_m), dtype=np.int64)
    which[point_at] = cell_at
    return np.asarray(cells[which], dtype=object)
