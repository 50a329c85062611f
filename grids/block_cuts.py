"""Parting blocks that are far too large: dead ends lengthened to the next line, then shortest cuts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from grids.block_ears import ears
from grids.block_merge import Rules
from grids.block_rims import rims
from grids.built_up import BuiltUp
from grids.lattice import Floats, Geometries, Ints

EXTENSION_MOST_M = 150.0
"""A dead end is lengthened at most this far."""
CLOSED_M = 0.05
"""A dead end so near to another line was drawn to meet it."""
EVEN_TARGETS = 100.0
"""A face of more targets than this is open land with a town at its rim: only its rim is cut."""
_TOWN_SHARE = 1 / 3
_CORNERS = 64
_NODES = 48
_TRIED = 60
_BEYOND_M = 1e-3
_AT_NODE = 0.9
_FULL = 0.9


def closing(edges: Geometries) -> Geometries:
    """Return short lines at dead ends that all but touch another line: what was drawn as a crossing is one.

    Parameters
    ----------
    edges
        Noded lines in metres.
    """
    tips = _tips(edges)
    place = tips.places
    near = shapely.STRtree(edges).query(place, predicate="dwithin", distance=CLOSED_M)
    close = np.unique(near[0][near[1] != tips.edge[near[0]]])
    at = shapely.get_coordinates(place[close])
    step = 2 * CLOSED_M * tips.heading[close]
    step = np.stack([step.real, step.imag], axis=1)
    return np.asarray(shapely.linestrings(np.stack([at - step, at + step], axis=1)), dtype=object).reshape(-1)


def extensions(edges: Geometries, blocks: Geometries) -> Geometries:
    """Return lines from the dead ends inside the blocks to the nearest other line: ahead, to the left, to the right.

    Parameters
    ----------
    edges
        Noded lines: they meet only at their ends.
    blocks
        Polygons in which dead ends are lengthened.
    """
    tips = _tips(edges)
    inside = np.unique(shapely.STRtree(tips.places).query(blocks, predicate="contains")[1])
    if len(inside) == 0:
        return np.empty(0, dtype=object)
    place, edge = tips.places[inside], tips.edge[inside]
    tip, near = shapely.STRtree(edges).query(place, predicate="dwithin", distance=EXTENSION_MOST_M)
    apart = (near != edge[tip]) & (tips.node[near] != tips.far[inside][tip][:, None]).all(axis=1)
    tip, near = tip[apart], near[apart]
    lines = shapely.shortest_line(place[tip], edges[near])
    length = shapely.length(lines)
    begin, reach = (shapely.get_coordinates(shapely.get_point(lines, at)) @ np.array([1, 1j]) for at in (0, 1))
    turn = (reach - begin) / np.maximum(length, 1e-9) * tips.heading[inside][tip].conj()
    side = np.where(turn.real > np.sqrt(0.5), 0, np.where(turn.imag > 0, 1, 2))
    cost = np.where((turn.real > -0.2) & (length > 0), length, np.inf)
    order = np.lexsort((cost, side, tip))
    key = (tip * 3 + side)[order]
    first = order[np.flatnonzero(np.r_[True, key[1:] != key[:-1]])] if len(order) else order
    return beyond(lines[first[np.isfinite(cost[first])]])


def chords(
    faces: Geometries,
    edges: Geometries,
    rules: Rules,
    built_up: BuiltUp,
    *,
    nodes: shapely.STRtree,
    houses: shapely.STRtree,
) -> Geometries:
    """Return cuts that part built-up faces into pieces of at most ``rules.most_m2``, as short and even as can be.

    Of faces above `EVEN_TARGETS`, and those with little town in them, only ears are cut off.

    Parameters
    ----------
    nodes
        Points where streets meet: a cut begins and ends at one of them where it costs no more than a little.
    houses
        Outlines of buildings, where they are known: a cut keeps out of them where it can.
    """
    area = shapely.area(faces)
    large = area > rules.most_m2
    even = large & (area <= EVEN_TARGETS * rules.target_m2)
    even[even] = built_up.share(faces[even]) > _TOWN_SHARE
    cuts = [cut for face in faces[even] for cut in _parted(face, rules, nodes, houses)]
    cuts.extend(cut for face in faces[large & ~even] for cut in ears(face, rules.most_m2))
    straight = beyond(np.array(cuts, dtype=object)) if cuts else np.empty(0, dtype=object)
    return np.concatenate([straight, np.array(rims(faces[large & ~even], edges, rules.most_m2), dtype=object)])


def _parted(
    face: shapely.Geometry, rules: Rules, nodes: shapely.STRtree, houses: shapely.STRtree
) -> Iterator[shapely.Geometry]:
    waiting = [face]
    while waiting:
        piece = waiting.pop()
        if shapely.area(piece) <= rules.most_m2:
            continue
        cut = _shortest_cut(piece, rules.most_m2, nodes, houses)
        if cut is None:
            continue
        lines = shapely.union_all([shapely.boundary(piece), *beyond(np.array([cut]))])
        parts = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
        parts = parts[shapely.contains(piece, shapely.point_on_surface(parts))]
        if len(parts) > 1:
            yield cut
            waiting.extend(parts)


def _shortest_cut(
    piece: shapely.Geometry, most_m2: float, nodes: shapely.STRtree, houses: shapely.STRtree
) -> shapely.Geometry | None:
    """Return the straight line that parts the piece for the least length of cuts in all; None when none lies inside."""
    ring: shapely.LinearRing = np.asarray(shapely.get_exterior_ring([piece]))[0]
    points, known = _corners(ring, nodes)
    x, y = points.T
    swept = np.r_[0.0, np.cumsum(x * np.roll(y, -1) - np.roll(x, -1) * y)]
    i, j = np.triu_indices(len(points), 2)
    part = np.abs((swept[j] - swept[i] + x[j] * y[i] - x[i] * y[j]) / 2)
    whole = np.abs(swept[-1]) / 2
    lesser = np.minimum(part, whole - part)
    good = lesser > min(whole / 4, most_m2 / 2)
    i, j, lesser = i[good], j[good], lesser[good]
    if len(i) == 0:
        return None
    length = np.hypot(x[i] - x[j], y[i] - y[j])
    full = _FULL * most_m2
    to_come = np.ceil(lesser / full) + np.ceil((whole - lesser) / full)
    cost = length * np.where(known[i] & known[j], _AT_NODE**2, np.where(known[i] | known[j], _AT_NODE, 1.0))
    cost = cost + to_come * np.sqrt(most_m2) + 0.1 * length * whole / np.maximum(lesser, 1.0)
    best = np.argsort(cost)[:_TRIED]
    lines = np.asarray(shapely.linestrings(np.stack([points[i[best]], points[j[best]]], axis=1)))
    shapely.prepare(piece)
    inside = shapely.length(shapely.intersection(piece, lines)) > (1 - 1e-6) * length[best]
    inside &= shapely.contains(piece, shapely.line_interpolate_point(lines, 0.5, normalized=True))
    if not inside.any():
        return None
    lines, cost = lines[inside], cost[best][inside]
    if len(houses.geometries):
        line, house = houses.query(lines, predicate="intersects")
        through = shapely.length(shapely.intersection(lines[line], houses.geometries[house]))
        cost = cost + 3.0 * np.bincount(line, through, minlength=len(lines))
    cut: shapely.Geometry = lines[int(np.argmin(cost))]
    return cut


def _corners(ring: shapely.LinearRing, nodes: shapely.STRtree) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return places along a ring, evenly spaced and where streets meet, and which are the latter."""
    at = np.arange(_CORNERS) / _CORNERS * shapely.length(ring)
    places = nodes.geometries[nodes.query(ring, predicate="dwithin", distance=1e-6)]
    marks = np.asarray(shapely.line_locate_point(ring, places[:: max(1, len(places) // _NODES)]))
    both, known = np.concatenate([at, marks]), np.r_[np.zeros(_CORNERS, dtype=bool), np.ones(len(marks), dtype=bool)]
    order = np.argsort(both, kind="stable")
    return shapely.get_coordinates(shapely.line_interpolate_point(ring, both[order])), known[order]


class _Tips(NamedTuple):
    """Dead ends: places, edges, the node at the other end of the edge, directions; and the nodes of all edges."""

    places: Geometries
    edge: Ints
    far: Ints
    heading: npt.NDArray[np.complex128]
    node: Ints


def _tips(edges: Geometries) -> _Tips:
    ends = np.stack([shapely.get_coordinates(shapely.get_point(edges, at)) for at in (0, -1)], axis=1)
    flat = ends[..., 0] + 1j * ends[..., 1]
    _, which, degree = np.unique(flat, return_inverse=True, return_counts=True)
    which = which.reshape(flat.shape)
    edge, end = np.nonzero(degree[which] == 1)
    at = flat[edge, end]
    places = np.asarray(shapely.points(at.real, at.imag), dtype=object).reshape(-1)
    return _Tips(places, edge, which[edge, 1 - end], _heading(edges[edge], end), which)


def _heading(edges: Geometries, end: Ints) -> np.ndarray:
    """Return the direction in which each edge leaves its end, as a complex number of length 1."""
    at = np.where(end == 0, 0, -1)
    before = np.where(end == 0, 1, -2)
    tip, inner = (shapely.get_coordinates(shapely.get_point(edges, each)) @ np.array([1, 1j]) for each in (at, before))
    step = tip - inner
    return np.asarray(step / np.maximum(np.abs(step), 1e-9))


def beyond(lines: Geometries) -> Geometries:
    """Return straight lines a millimetre longer at each end, so that they surely cross what they reach."""
    if len(lines) == 0:
        return lines
    ends = shapely.get_coordinates(lines).reshape(len(lines), 2, 2)
    step = ends[:, 1] - ends[:, 0]
    step *= _BEYOND_M / np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    return np.asarray(shapely.linestrings(np.stack([ends[:, 0] - step, ends[:, 1] + step], axis=1)))
