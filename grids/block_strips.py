"""Ground inside a street: between carriageways, in roundabouts and beside slip roads; it is no block of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from grids.lattice import Floats, Geometries

THIN_M = 9.0
"""Faces narrower than this lie between the carriageways of one street, whatever the street."""
NEEDLE_M = 15.0
"""Pieces of a large block narrower than this are no cells: the ways beside them part the block elsewhere."""
BETWEEN_M = 30.0
"""Faces narrower than this do so when one-way streets or railways run around them."""
ROUND_M2 = 8_000.0
"""A round face of one-way streets below this area is the middle of a roundabout."""
RIM_M = 25.0
"""Faces narrower than this between the outermost street and the community line belong to the blocks beside them."""
_ONE_WAY_SHARE = 0.7
_RIM_SHARE = 0.3
_ROUND = 0.85
_LONG = 6.0
_STEP_M = 5.0


def inside_streets(faces: Geometries, tracks: Geometries) -> npt.NDArray[np.bool_]:
    """Return which faces lie inside a street or railway.

    Parameters
    ----------
    faces
        Polygons in metres.
    tracks
        Lines that run side by side with others of their kind: railways, streets of one direction where these are known.
    """
    area, around = shapely.area(faces), shapely.length(faces)
    width = 2 * area / around
    thin = width < THIN_M
    round_one = (4 * np.pi * area / around**2 > _ROUND) & (area < ROUND_M2)
    asked = np.flatnonzero(~thin & ((width < BETWEEN_M) | round_one))
    if len(asked) and len(tracks):
        thin[asked] = _share_on(faces[asked], tracks) > _ONE_WAY_SHARE
    return np.asarray(thin)


def at_rim(faces: Geometries, line: shapely.Geometry) -> npt.NDArray[np.bool_]:
    """Return which faces lie between the community line (in metres) and the street that runs along it."""
    rim = 2 * shapely.area(faces) / shapely.length(faces) < RIM_M
    asked = np.flatnonzero(rim)
    rim[asked] = _share_on(faces[asked], shapely.get_parts([line])) > _RIM_SHARE
    return np.asarray(rim)


def to_rim(faces: Geometries, nodes: shapely.STRtree, line: shapely.Geometry) -> Geometries:
    """Return short lines from where streets meet to the community line, for faces between the two."""
    face, node = nodes.query(faces, predicate="dwithin", distance=1e-6)
    wide = (2 * shapely.area(faces) / shapely.length(faces))[face]
    found = shapely.shortest_line(nodes.geometries[node], line)
    length = shapely.length(found)
    return np.asarray(found[(length > 1e-3) & (length < 3 * wide)])


def across(faces: Geometries, nodes: shapely.STRtree) -> Geometries:
    """Return short lines that part long strips where streets meet them: each part then joins the block beside it."""
    width = 2 * shapely.area(faces) / shapely.length(faces)
    found: list[npt.NDArray[np.float64]] = []
    for face, wide in zip(faces, width.tolist(), strict=True):
        ring = shapely.get_exterior_ring(face)
        around = shapely.length(ring)
        if around < _LONG * wide:
            continue
        marks = nodes.geometries[nodes.query(ring, predicate="dwithin", distance=1e-6)]
        at = np.sort(shapely.line_locate_point(ring, marks))
        along = np.arange(0.0, around, _STEP_M)
        places = shapely.get_coordinates(shapely.line_interpolate_point(ring, along))
        for mark in at.tolist():
            begin = shapely.get_coordinates(shapely.line_interpolate_point(ring, mark))[0]
            apart = np.abs(along - mark)
            apart = np.minimum(apart, around - apart)
            gap = np.where(apart > 2.5 * wide, np.hypot(*(places - begin).T), np.inf)
            if gap.min() < 3 * wide:
                found.append(np.stack([begin, places[int(np.argmin(gap))]]))
    return np.asarray(shapely.linestrings(np.array(found))) if found else np.empty(0, dtype=object)


def _share_on(faces: Geometries, lines: Geometries) -> Floats:
    """Return the share of the outline of each face that runs along one of the lines."""
    ring = shapely.get_coordinates(shapely.get_exterior_ring(faces), return_index=True)
    points, face = ring
    same = face[1:] == face[:-1]
    middle, step = (points[1:] + points[:-1])[same] / 2, np.hypot(*(points[1:] - points[:-1])[same].T)
    face = face[1:][same]
    spots = shapely.points(middle)
    on = np.zeros(len(spots), dtype=bool)
    on[shapely.STRtree(lines).query(spots, predicate="dwithin", distance=0.5)[0]] = True
    count = len(faces)
    return np.asarray(np.bincount(face, step * on, minlength=count) / np.bincount(face, step, minlength=count))
