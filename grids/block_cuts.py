"""Parting blocks that are far too large: dead ends lengthened to the next line, then shortest cuts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from grids.block_merge import Rules
from grids.built_up import BuiltUp
from grids.lattice import Geometries, Ints

EXTENSION_MOST_M = 150.0
"""A dead end is lengthened at most this far."""
_CORNERS = 64
_TRIED = 60
_BEYOND_M = 1e-3
_AT_MOST_TARGETS = 40.0
_EVEN = 0.25


def extensions(edges: Geometries, blocks: Geometries) -> Geometries:
    """Return lines from the dead ends inside the blocks to the nearest other line, ahead rather than beside.

    Parameters
    ----------
    edges
        Noded lines: they meet only at their ends.
    blocks
        Polygons in which dead ends are lengthened.
    """
    ends = np.stack([shapely.get_coordinates(shapely.get_point(edges, at)) for at in (0, -1)], axis=1)
    flat = ends[..., 0] + 1j * ends[..., 1]
    _, which, degree = np.unique(flat, return_inverse=True, return_counts=True)
    which = which.reshape(flat.shape)
    edge, end = np.nonzero(degree[which] == 1)
    tips = np.asarray(shapely.points(flat[edge, end].real, flat[edge, end].imag), dtype=object).reshape(-1)
    inside = np.unique(shapely.STRtree(tips).query(blocks, predicate="contains")[1])
    if len(inside) == 0:
        return np.empty(0, dtype=object)
    edge, end, tips = edge[inside], end[inside], tips[inside]
    tip, near = shapely.STRtree(edges).query(tips, predicate="dwithin", distance=EXTENSION_MOST_M)
    far = which[edge, 1 - end]
    apart = (near != edge[tip]) & (which[near] != far[tip][:, None]).all(axis=1)
    tip, near = tip[apart], near[apart]
    lines = shapely.shortest_line(tips[tip], edges[near])
    length = shapely.length(lines)
    reach = shapely.get_coordinates(shapely.get_point(lines, 1)) @ np.array([1, 1j])
    step = reach - flat[edge[tip], end[tip]]
    way = _heading(edges[edge], end)[tip]
    ahead = (step * way.conj()).real / np.maximum(length, 1e-9)
    cost = np.where((ahead > -0.2) & (length > 0), length * (2.0 - ahead), np.inf)
    order = np.lexsort((cost, tip))
    first = order[np.flatnonzero(np.r_[True, tip[order][1:] != tip[order][:-1]])] if len(order) else order
    return _beyond(lines[first[np.isfinite(cost[first])]])


def chords(faces: Geometries, rules: Rules, built_up: BuiltUp) -> Geometries:
    """Return cuts that part built-up faces into pieces of at most ``rules.most_m2``, as short and even as can be.

    Faces above forty times the target, and those with little town in them, are left whole.
    """
    area = shapely.area(faces)
    large = (area > rules.most_m2) & (area <= _AT_MOST_TARGETS * rules.target_m2)
    large[large] = built_up.share(faces[large]) > 1 / 3
    cuts = [cut for face in faces[large] for cut in _parted(face, rules)]
    return _beyond(np.array(cuts, dtype=object)) if cuts else np.empty(0, dtype=object)


def _parted(face: shapely.Geometry, rules: Rules) -> Iterator[shapely.Geometry]:
    waiting = [face]
    while waiting:
        piece = waiting.pop()
        if shapely.area(piece) <= rules.most_m2:
            continue
        cut = _shortest_cut(piece)
        if cut is None:
            continue
        lines = shapely.union_all([shapely.boundary(piece), *_beyond(np.array([cut]))])
        parts = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
        parts = parts[shapely.contains(piece, shapely.point_on_surface(parts))]
        if len(parts) > 1:
            yield cut
            waiting.extend(parts)


def _shortest_cut(piece: shapely.Geometry) -> shapely.Geometry | None:
    """Return the shortest straight line that parts the piece into pieces of like size; None when none lies inside."""
    ring = shapely.get_exterior_ring(piece)
    at = shapely.line_interpolate_point(ring, np.arange(_CORNERS) / _CORNERS, normalized=True)
    points = shapely.get_coordinates(at)
    x, y = points.T
    swept = np.r_[0.0, np.cumsum(x * np.roll(y, -1) - np.roll(x, -1) * y)]
    i, j = np.triu_indices(_CORNERS, 2)
    share = np.abs((swept[j] - swept[i] + x[j] * y[i] - x[i] * y[j]) / swept[-1])
    even = np.minimum(share, 1 - share)
    good = even > _EVEN
    i, j, even = i[good], j[good], even[good]
    length = np.hypot(x[i] - x[j], y[i] - y[j])
    best = np.argsort(length / np.sqrt(even))[:_TRIED]
    if len(best) == 0:
        return None
    lines = np.asarray(shapely.linestrings(np.stack([points[i[best]], points[j[best]]], axis=1)))
    shapely.prepare(piece)
    inside = shapely.length(shapely.intersection(piece, lines)) > (1 - 1e-6) * length[best]
    inside &= shapely.contains(piece, shapely.line_interpolate_point(lines, 0.5, normalized=True))
    return lines[np.argmax(inside)] if inside.any() else None


def _heading(edges: Geometries, end: Ints) -> np.ndarray:
    """Return the direction in which each edge leaves its end, as a complex number of length 1."""
    at = np.where(end == 0, 0, -1)
    before = np.where(end == 0, 1, -2)
    tip, inner = (shapely.get_coordinates(shapely.get_point(edges, each)) @ np.array([1, 1j]) for each in (at, before))
    step = tip - inner
    return np.asarray(step / np.maximum(np.abs(step), 1e-9))


def _beyond(lines: Geometries) -> Geometries:
    """Return straight lines a millimetre longer at each end, so that they surely cross what they reach."""
    if len(lines) == 0:
        return lines
    ends = shapely.get_coordinates(lines).reshape(len(lines), 2, 2)
    step = ends[:, 1] - ends[:, 0]
    step *= _BEYOND_M / np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    return np.asarray(shapely.linestrings(np.stack([ends[:, 0] - step, ends[:, 1] + step], axis=1)))
