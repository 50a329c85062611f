"""Whether shapes lie on each other so often that cutting them at every line would never end."""

from __future__ import annotations

import numpy as np
import shapely

from core.errors import InvalidInput
from grids.lattice import Geometries

EACH, FREE = 40, 20_000
"""What n shapes may meet of each other, by their boxes: ``FREE + EACH * n``; cells of a city meet 9 to 20 each."""
SAMPLED, AT_ONCE = 2_000, 8


def check_crowding(cells: Geometries) -> None:
    """Return when cells lie beside each other as cells do, and no border crosses itself without end.

    Raises
    ------
    InvalidInput
        Cells lie on each other, or sides cross, many times over; a small file can hold more crossings than any
        machine can keep.
    """
    if crowded(cells) or crowded(_sides(cells)):
        raise InvalidInput(
            "The cells lie on each other, or their borders cross, many times over.",
            hint="Take out copies and levels above, so that each piece of ground is one cell's.",
            zh="网格大量相互重叠，或边界反复交叉。请去除重复要素及上级区域，使每块地面只属于一个网格。",
        )


def crowded(shapes: Geometries) -> bool:
    """Return whether the boxes of shapes meet more often than is allowed, judged by a sample of them."""
    known = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    allowed = FREE + EACH * len(known)
    asked = np.random.default_rng(0).permutation(len(known))[:SAMPLED]
    tree = shapely.STRtree(known)
    met = 0
    for start in range(0, len(asked), AT_ONCE):
        met += tree.query(known[asked[start : start + AT_ONCE]]).shape[1]
        if met > allowed:
            return True
    return met * len(known) > allowed * max(len(asked), 1)


def _sides(cells: Geometries) -> Geometries:
    """Return each side of the rings of cells as a line of two points."""
    polygons = shapely.get_parts(shapely.get_parts(cells))
    rings = shapely.get_rings(polygons[shapely.get_type_id(polygons) == 3])
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    begins = np.flatnonzero(ring[1:] == ring[:-1])
    return np.asarray(shapely.linestrings(np.stack([corners[begins], corners[begins + 1]], axis=1)))
