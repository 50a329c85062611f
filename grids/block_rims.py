"""Cutting the rim of open land: a band along its streets, in pieces of the size of cells; the rest is one cell."""

from __future__ import annotations

import numpy as np
import shapely

from grids.built_up import NEAR_STREET_M
from grids.lattice import Geometries

_SMOOTH_M = 12.0
_WITHIN_M = 250.0


def rims(faces: Geometries, edges: Geometries, most_m2: float) -> list[shapely.Geometry]:
    """Return lines that part from each face what lies within `NEAR_STREET_M` of a street, and cut it across.

    Parameters
    ----------
    faces
        Large faces with open land inside.
    edges
        Noded lines that count as natural borders: those around and inside the faces.
    """
    found: list[shapely.Geometry] = []
    tree = shapely.STRtree(edges)
    spacing = most_m2 / NEAR_STREET_M * 0.95
    for face in faces:
        near = edges[tree.query(face, predicate="intersects")]
        band = shapely.union_all(shapely.buffer(near, NEAR_STREET_M, quad_segs=2))
        core = shapely.simplify(shapely.difference(face, band), _SMOOTH_M)
        parts = shapely.get_parts(core)
        parts = parts[shapely.area(parts) > most_m2 / 2]
        if len(parts) == 0:
            continue
        rings = shapely.get_parts(shapely.boundary(parts))
        rings = shapely.get_parts(rings)
        rings = rings[shapely.length(rings) > _WITHIN_M]
        if len(rings) == 0:
            continue
        found.extend(rings)
        at = [shapely.line_interpolate_point(ring, np.arange(0.0, shapely.length(ring), spacing)) for ring in rings]
        places = np.concatenate(at)
        street = shapely.STRtree(near)
        place, edge = street.query_nearest(places, max_distance=_WITHIN_M, all_matches=False)
        lines = shapely.shortest_line(places[place], near[edge])
        found.extend(lines[shapely.length(lines) > 1.0])
    return found
