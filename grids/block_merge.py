"""Joining faces into street blocks: slivers and scraps first, then cuts that are not worth their length."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely

from grids.block_borders import Borders
from grids.built_up import BuiltUp
from grids.lattice import Floats, Geometries, Ints

_THIN_M = 9.0
"""Faces narrower than this lie between the carriageways of one street, not between streets."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Sizes in m², derived from the target.

    Attributes
    ----------
    least_m2
        No cell is smaller where a neighbour can take it in.
    small_m2
        Smaller cells join a neighbour when the two together are no larger than ``most_m2``.
    most_m2
        Larger blocks are parted where they are built up.
    built_share
        A block with less built-up ground is left whole.
    off_line_share
        At most this share of the inner border lies on no street, railway, river or community line.
    """

    target_m2: float
    least_m2: float
    small_m2: float
    most_m2: float
    built_share: float = 0.02
    off_line_share: float = 0.095

    @classmethod
    def of(cls, target_m2: float) -> Self:
        """Return the rules for a target: 500, 2,000 and 30,000 m² for the customary 10,000."""
        return cls(target_m2, target_m2 / 20, target_m2 / 5, target_m2 * 3)


class _Joining:
    """Groups of faces with their sizes and borders, joined step by step."""

    def __init__(self, area: Floats, built: Floats, borders: Borders) -> None:
        self.area, self.built = area.copy(), built.copy()
        self.owner = np.arange(len(area))
        self.borders: list[dict[int, tuple[float, float]]] = [{} for _ in range(len(area))]
        columns = (borders.left, borders.right, borders.length_m, borders.off_line_m)
        for left, right, length, off in zip(*(part.tolist() for part in columns), strict=True):
            self.borders[left][right] = self.borders[right][left] = (length, off)

    def root(self, face: int) -> int:
        while self.owner[face] != face:
            face = int(self.owner[face])
        return face

    def join(self, one: int, other: int) -> int:
        """Join two groups and return the one that stays."""
        keeper, joiner = (one, other) if len(self.borders[one]) >= len(self.borders[other]) else (other, one)
        self.owner[joiner] = keeper
        self.area[keeper] += self.area[joiner]
        self.built[keeper] += self.built[joiner]
        mine = self.borders[keeper]
        for group, (length, off) in self.borders[joiner].items():
            del self.borders[group][joiner]
            if group != keeper:
                before = mine.get(group, (0.0, 0.0))
                mine[group] = self.borders[group][keeper] = (before[0] + length, before[1] + off)
        self.borders[joiner] = {}
        return keeper

    def partner(self, face: int, most_m2: float) -> int | None:
        """Return the neighbour of the longest border, those first that stay within ``most_m2``; None alone."""
        options = [
            (self.area[face] + self.area[group] <= most_m2, length + off, -group)
            for group, (length, off) in self.borders[face].items()
        ]
        return -max(options)[2] if options else None


def merged(faces: Geometries, borders: Borders, rules: Rules, built_up: BuiltUp) -> Geometries:
    """Return the blocks that the faces make together.

    A border on no line counts double when a partner is chosen, so that cuts vanish before streets do.
    """
    area = shapely.area(faces)
    joining = _Joining(area, built_up.area_in(faces), borders)
    _take_in_scraps(joining, faces, rules)
    _give_up_cuts(joining, rules)
    owner = np.array([joining.root(face) for face in range(len(faces))], dtype=np.int64)
    return _dissolved(faces, owner)


def _take_in_scraps(joining: _Joining, faces: Geometries, rules: Rules) -> None:
    thin = 2 * shapely.area(faces) / shapely.length(faces) < _THIN_M
    queue = [(area, face) for face, area in enumerate(joining.area.tolist()) if area < rules.small_m2 or thin[face]]
    heapq.heapify(queue)
    while queue:
        area, face = heapq.heappop(queue)
        if joining.owner[face] != face or area != joining.area[face]:
            continue
        partner = joining.partner(face, rules.most_m2)
        if partner is None:
            continue
        fits = area + joining.area[partner] <= rules.most_m2
        if not fits and area >= rules.least_m2 and not thin[face]:
            continue
        thin[face] = thin[partner] = False
        kept = joining.join(face, partner)
        if joining.area[kept] < rules.small_m2:
            heapq.heappush(queue, (float(joining.area[kept]), kept))


def _give_up_cuts(joining: _Joining, rules: Rules) -> None:
    """Join blocks across cuts: where a block of lawful size comes of it, then the least useful until few are left."""
    queue = []
    for one, borders in enumerate(joining.borders):
        for other, (length, off) in borders.items():
            if one < other and off > length / 2 and joining.area[one] + joining.area[other] <= rules.most_m2:
                queue.append((-off, one, other))
    for _, one, other in sorted(queue):
        left, right = joining.root(one), joining.root(other)
        if left != right and joining.area[left] + joining.area[right] <= rules.most_m2:
            joining.join(left, right)
    whole = sum(length for borders in joining.borders for length, _ in borders.values()) / 2
    off_line = sum(off for borders in joining.borders for _, off in borders.values()) / 2
    useful = [
        (_worth(joining, one, other, rules) / off, one, other, off)
        for one, borders in enumerate(joining.borders)
        for other, (_, off) in borders.items()
        if one < other and off > 0
    ]
    heapq.heapify(useful)
    while useful and off_line > rules.off_line_share * whole:
        _, one, other, _ = heapq.heappop(useful)
        left, right = joining.root(one), joining.root(other)
        if left == right:
            continue
        length, off = joining.borders[left].get(right, (0.0, 0.0))
        if off <= length / 2:
            continue
        whole, off_line = whole - length, off_line - off
        joining.join(left, right)


def _worth(joining: _Joining, one: int, other: int, rules: Rules) -> float:
    """Return the built-up area that would leave cells of lawful size if the two were joined."""
    if joining.area[one] + joining.area[other] <= rules.most_m2:
        return 0.0
    return float(sum(joining.built[each] for each in (one, other) if joining.area[each] <= rules.most_m2))


def _dissolved(faces: Geometries, owner: Ints) -> Geometries:
    groups = np.unique(owner)
    count = np.bincount(owner, minlength=len(faces))
    cells = faces.copy()
    order = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[order], groups)
    for group, begin in zip(groups.tolist(), first.tolist(), strict=True):
        if count[group] > 1:
            cells[group] = shapely.union_all(faces[order[begin : begin + count[group]]])
    return np.asarray(cells[groups])
