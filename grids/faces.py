"""The ground under cells that do not fit: cut at every line into faces, each held by no cell, one, or several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from grids.lattice import Floats, Geometries, Ints
from grids.seams import neighbours

NODE_M = 1e-6
"""Lattice of the nodes: far finer than any survey, so that lines meet in one point and areas stay what they are."""
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces that no line crosses.

    Attributes
    ----------
    held, holder
        Which face is held by which cell: two arrays of the same length, by face.
    area_of
        Which of the areas given each face lies in; `NOBODY` outside all.
    pairs, border_m
        Faces that share a side, shape (n, 2), and how much of it.
    """

    shape: Geometries
    m2: Floats
    held: Ints
    holder: Ints
    area_of: Ints
    pairs: npt.NDArray[np.int64]
    border_m: Floats

    @property
    def holders(self) -> Ints:
        """Return how many cells hold each face."""
        return np.bincount(self.held, minlength=len(self.shape)).astype(np.int64)


def faces_of(cells: Geometries, areas: Geometries) -> Faces:
    """Return the faces that the borders of cells and areas cut the ground into.

    Parameters
    ----------
    cells
        Valid polygons and multipolygons in metres.
    areas
        Communities or a boundary that the cells should fill, in metres; none takes ground that lines enclose.
    """
    lines = shapely.boundary(np.concatenate([cells, areas]))
    noded = shapely.union_all(lines, grid_size=NODE_M)
    shape = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inner = shapely.point_on_surface(shape)
    held, holder = shapely.STRtree(cells).query(inner, predicate="intersects")
    area_of = np.full(len(shape), NOBODY if len(areas) else 0, dtype=np.int64)
    if len(areas):
        face, area = shapely.STRtree(areas).query(inner, predicate="intersects")
        area_of[face[::-1]] = area[::-1]
    order = np.lexsort((holder, held))
    pairs = neighbours(shape)
    edges = shapely.boundary(shape)
    common = shapely.length(shapely.intersection(edges[pairs[:, 0]], edges[pairs[:, 1]]))
    return Faces(
        shape,
        shapely.area(shape),
        held[order].astype(np.int64),
        holder[order].astype(np.int64),
        area_of,
        pairs,
        common,
    )


def whole_polygons(shapes: Geometries) -> Geometries:
    """Return shapes made valid, with nothing left but their surface; None where there is none."""
    made = shapely.force_2d(shapes)
    bad = ~shapely.is_valid(made)
    made[bad] = shapely.make_valid(made[bad])
    for row in np.flatnonzero(~np.isin(shapely.get_type_id(made), [3, 6])):
        parts: Geometries = shapely.get_parts(shapely.get_parts(made[row : row + 1]))
        surface = [part for part in parts if part.geom_type == "Polygon" and part.area > 0]
        made[row] = shapely.multipolygons(surface) if surface else None
    made[shapely.is_empty(made) | shapely.is_missing(made)] = None
    return np.asarray(made)
