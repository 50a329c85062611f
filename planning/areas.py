"""Areas of a wanted size on ground in cells: contiguous, of cells that nothing forbids, with a high mean score."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEEDS = 240
COMPACT = 0.35
"""How much a cell at twice the radius of a round area of the size loses against one in the middle."""
_BESIDE = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True, eq=False)
class Area:
    """A contiguous area.

    Attributes
    ----------
    cells
        Numbers of its cells.
    score
        Their mean.
    """

    cells: Ints
    score: float


def too_small(allowed: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Return the allowed places of a lattice whose contiguous ground has fewer cells than wanted."""
    label, count = ndimage.label(allowed)
    many = np.bincount(label.ravel(), minlength=count + 1)
    return np.asarray(allowed & (many[label] < size))


def mean_bound(scores: Floats, size: int) -> float:
    """Return what the mean score of no area of so many cells can exceed: the mean of the best cells anywhere."""
    known = np.sort(scores[~np.isnan(scores)])[::-1]
    return float(known[:size].mean()) if len(known) >= size else float("nan")


def best_areas(score: Floats, size: int, count: int, *, apart: float = 0.0) -> list[Area]:
    """Return at most ``count`` areas of ``size`` cells, the best first, none touching another.

    Areas grow from many good cells, each time by the neighbour that adds most and lies near the middle; the best of
    those that keep apart are returned. A good answer, not a proved one: `mean_bound` says how much better any could be.

    Parameters
    ----------
    score
        Of a lattice, NaN where nothing may be built; cells are numbered row by row.
    apart
        Cells between the middles of two areas, at least.
    """
    rows, columns = score.shape
    flat = score.ravel()
    grown = [_grow(flat, rows, columns, seed, size) for seed in _seeds(score, size)]
    found = sorted((area for area in grown if area is not None), key=lambda area: (-area.score, int(area.cells.min())))
    kept: list[Area] = []
    taken = np.zeros(rows * columns, dtype=bool)
    middles: list[tuple[float, float]] = []
    for area in found:
        row, column = np.divmod(area.cells, columns)
        middle = float(row.mean()), float(column.mean())
        near = any(np.hypot(middle[0] - other[0], middle[1] - other[1]) < apart for other in middles)
        if near or taken[area.cells].any():
            continue
        kept.append(area)
        middles.append(middle)
        for down, right in ((0, 0), *_BESIDE):
            beside = np.clip(row + down, 0, rows - 1) * columns + np.clip(column + right, 0, columns - 1)
            taken[beside] = True
        if len(kept) == count:
            break
    return kept


def _seeds(score: Floats, size: int) -> Ints:
    """Return cells to grow from: the best ones of squares about as large as an area, and the best ones at all."""
    known = np.flatnonzero(~np.isnan(score.ravel()))
    if not len(known):
        return known
    order = known[np.argsort(-score.ravel()[known], kind="stable")]
    side = max(1, int(np.sqrt(size)))
    row, column = np.divmod(order, score.shape[1])
    square = (row // side) * (score.shape[1] // side + 1) + column // side
    first = np.sort(np.unique(square, return_index=True)[1])
    return order[first[:SEEDS]]


def _grow(flat: Floats, rows: int, columns: int, seed: int, size: int) -> Area | None:
    radius = max(1.0, np.sqrt(size / np.pi))
    seed_row, seed_column = divmod(int(seed), columns)
    members: list[int] = []
    seen = {int(seed)}
    queue = [(-float(flat[seed]), int(seed))]
    while queue and len(members) < size:
        _, cell = heapq.heappop(queue)
        members.append(cell)
        row, column = divmod(cell, columns)
        for down, right in _BESIDE:
            up, over = row + down, column + right
            if not (0 <= up < rows and 0 <= over < columns):
                continue
            beside = up * columns + over
            if beside in seen or flat[beside] != flat[beside]:
                continue
            seen.add(beside)
            away = np.hypot(up - seed_row, over - seed_column) / radius
            heapq.heappush(queue, (-(float(flat[beside]) - COMPACT * float(away) / 2), beside))
    if len(members) < size:
        return None
    cells = np.array(sorted(members), dtype=np.int64)
    return Area(cells, float(flat[cells].mean()))
