"""Cutting ears off large faces: where the line around open land turns in and out, a short cut closes a cell."""

from __future__ import annotations

import numpy as np
import shapely

_STEP_M = 25.0
_MOST_STEPS = 4_000
_WINDOW_M = 1_500.0
_LONGEST_M = 400.0
_WORTH_M = 60.0
_ROUNDS = 3


def ears(face: shapely.Geometry, most_m2: float) -> list[shapely.Geometry]:
    """Return straight cuts that part pieces of up to ``most_m2`` from a face, the most ground for a metre first.

    Cuts cross neither each other nor the line around the face.
    """
    cuts: list[shapely.Geometry] = []
    rest = face
    for _ in range(_ROUNDS):
        found, taken = _ears_of(rest, most_m2)
        if not found:
            break
        cuts.extend(found)
        left = shapely.get_parts(shapely.difference(rest, shapely.union_all(np.array(taken, dtype=object))))
        left = left[shapely.get_dimensions(left) == 2]
        if len(left) == 0:
            break
        rest = left[int(np.argmax(shapely.area(left)))]
    return cuts


def _ears_of(face: shapely.Geometry, most_m2: float) -> tuple[list[shapely.Geometry], list[shapely.Geometry]]:
    """Return cuts along one turn around the face, and the pieces they cut off."""
    ring = shapely.get_exterior_ring(face)
    around = shapely.length(ring)
    step = max(_STEP_M, around / _MOST_STEPS)
    count = int(around / step)
    window = min(int(_WINDOW_M / step), count // 2)
    if window < 3:
        return [], []
    at = np.arange(count) * (around / count)
    points = shapely.get_coordinates(shapely.line_interpolate_point(ring, at))
    twice = np.concatenate([points, points])
    x, y = twice.T
    turn = 1.0 if shapely.is_ccw(ring) else -1.0
    swept = np.r_[0.0, np.cumsum(x[:-1] * y[1:] - x[1:] * y[:-1])]
    i = np.repeat(np.arange(count), window - 2)
    j = i + np.tile(np.arange(3, window + 1), count)
    length = np.hypot(x[i] - x[j], y[i] - y[j])
    area = turn * (swept[j] - swept[i] + x[j] * y[i] - x[i] * y[j]) / 2
    good = (length < _LONGEST_M) & (area > most_m2 / 6) & (area < 0.97 * most_m2) & (area > _WORTH_M * length)
    i, j, length, area = i[good], j[good], length[good], area[good]
    order = np.argsort(-area / np.maximum(length, 20.0), kind="stable")
    return _apart(face, twice, i[order], j[order], count)


def _apart(
    face: shapely.Geometry, points: np.ndarray, i: np.ndarray, j: np.ndarray, count: int
) -> tuple[list[shapely.Geometry], list[shapely.Geometry]]:
    """Return cuts and pieces taken one after the other while their stretches of the ring are apart."""
    shapely.prepare(face)
    free = np.ones(count, dtype=bool)
    cuts: list[shapely.Geometry] = []
    pieces: list[shapely.Geometry] = []
    for begin, end in zip(i.tolist(), j.tolist(), strict=True):
        stretch = np.arange(begin, end) % count
        if not free[stretch].all():
            continue
        cut = shapely.linestrings([points[begin], points[end]])
        inner = shapely.line_interpolate_point(cut, 0.5, normalized=True)
        if not shapely.contains(face, inner) or not shapely.covers(shapely.buffer(face, 1e-6), cut):
            continue
        piece = np.asarray(shapely.polygons([points[begin : end + 1]]))[0]
        if not shapely.is_valid(piece):
            continue
        free[stretch] = False
        cuts.append(cut)
        pieces.append(piece)
    return cuts, pieces
