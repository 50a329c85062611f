"""Land and sea: a boundary that reaches far out to sea is cut at the coastline."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon

from geodata.quality import as_areas

SEA_SHARE = 0.1
"""Up to this share the water belongs to the territory: foreshore, harbour, piers."""
_ASIDE_DEG = 1e-7


def land_of(boundary: MultiPolygon, coast: NDArray[np.object_]) -> tuple[MultiPolygon, float]:
    """Return the boundary without its sea, and the share that was sea (0 when nothing was cut).

    Parameters
    ----------
    coast
        Coastlines in EPSG:4326 with land on their left, as OpenStreetMap draws them. Lines that end inside the
        boundary part nothing.
    """
    shapely.prepare(boundary)
    coast = coast[shapely.intersects(boundary, coast)]
    if not len(coast):
        return boundary, 0.0
    lines = shapely.node(shapely.geometrycollections([shapely.boundary(boundary), *coast]))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    faces = faces[shapely.contains(boundary, shapely.point_on_surface(faces))]
    if len(faces) < 2:
        return boundary, 0.0
    left, right = _aside(coast)
    tree = shapely.STRtree(faces)
    land = np.bincount(tree.query(left, predicate="within")[1], minlength=len(faces))
    water = np.bincount(tree.query(right, predicate="within")[1], minlength=len(faces))
    sea = water > land
    share = float(shapely.area(faces[sea]).sum() / shapely.area(faces).sum())
    if not SEA_SHARE < share < 1:
        return boundary, 0.0
    kept = as_areas(np.array([shapely.union_all(faces[~sea])], dtype=object))[0][0]
    return MultiPolygon(kept), share


def _aside(coast: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return a point just left and one just right of the middle of every piece of the coastline."""
    points, line = shapely.get_coordinates(coast, return_index=True)
    start, end = points[:-1], points[1:]
    same = line[1:] == line[:-1]
    start, end = start[same], end[same]
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    start, end, along, length = start[length > 0], end[length > 0], along[length > 0], length[length > 0]
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / length[:, None] * _ASIDE_DEG
    middle = (start + end) / 2
    left, right = shapely.points(middle + normal), shapely.points(middle - normal)
    return np.atleast_1d(np.asarray(left, dtype=object)), np.atleast_1d(np.asarray(right, dtype=object))
