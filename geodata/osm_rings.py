"""Closed lines of OpenStreetMap as areas."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray


def rings_to_polygons(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return closed lines as polygons (None when they have fewer than four points), and areas as they are."""
    shapes = geometry.copy()
    lines = np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING)
    short = shapely.get_num_coordinates(shapes[lines]) < 4
    shapes[lines[short]] = None
    lines = lines[~short]
    points, owner = shapely.get_coordinates(shapes[lines], return_index=True)
    if len(lines):
        shapes[lines] = shapely.polygons(shapely.linearrings(points, indices=owner))
    return shapes
