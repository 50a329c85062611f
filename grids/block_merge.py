"""Joining faces into street blocks: slivers and scraps first, then cuts that are not worth their length."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import shapely

from grids.block_borders import Borders
from grids.lattice import Floats, Geometries, Ints


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
    off_line_share
        At most this share of the inner border lies on no line.
    along_paths
        Whether a border along a path lies on a line.
    built_share
        A block with less built-up ground is left whole.
    """

    target_m2: float
    least_m2: float
    small_m2: float
    most_m2: float
    off_line_share: float
    along_paths: bool
    built_share: float = 0.02

    @classmethod
    def of(cls, target_m2: float, *, off_line_share: float, along_paths: bool) -> Self:
        """Return the rules for a target: 500, 2,000 and 30,000 m² for the customary 10,000."""
        return cls(target_m2, target_m2 / 20, target_m2 / 5, target_m2 * 3, off_line_share, along_paths)


class Joining:
    """Groups of faces with their sizes and borders, joined step by step."""

    def __init__(self, area: Floats, built: Floats, borders: Borders) -> None:
        self.area, self.built = area.copy(), built.copy()
        self.owner = np.arange(len(area))
        self.borders: list[dict[int, tuple[float, float]]] = [{} for _ in range(len(area))]
        columns = (borders.left, borders.right, borders.length_m, borders.off_line_m)
        for left, right, length, off in zip(*(part.tolist() for part in columns), strict=True):
            self.borders[left][right] = self.borders[right][left] = (length, off)

    def copy(self) -> Joining:
        """Return another joining that begins where this one stands."""
        none = np.empty(0, dtype=np.int64)
        other = Joining(self.area, self.built, Borders(none, none, np.empty(0), np.empty(0)))
        other.owner = self.owner.copy()
        other.borders = [dict(each) for each in self.borders]
        return other

    def root(self, face: int) -> int:
        """Return the group a face is in."""
        while self.owner[face] != face:
            face = int(self.owner[face])
        return face

    def owners(self) -> npt.NDArray[np.int64]:
        """Return the group of each face."""
        return np.array([self.root(face) for face in range(len(self.owner))], dtype=np.int64)

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

    def lawful(self, group: int, rules: Rules) -> bool:
        """Return whether the group has the size of a cell."""
        return bool(rules.small_m2 <= self.area[group] <= rules.most_m2)

    def lost(self, one: int, other: int, rules: Rules) -> float:
        """Return the built-up area that would leave cells of lawful size if the two were joined."""
        before = sum(float(self.built[each]) for each in (one, other) if self.lawful(each, rules))
        if rules.small_m2 <= self.area[one] + self.area[other] <= rules.most_m2:
            return before - float(self.built[one] + self.built[other])
        return before


def take_in_scraps(joining: Joining, thin: npt.NDArray[np.bool_], rules: Rules) -> None:
    """Join thin faces and too small ones to the neighbour with the longest border.

    A border on no line counts double when a partner is chosen, so that cuts vanish before streets do.
    """
    thin = thin.copy()
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
        narrow = thin[face] and thin[partner]
        kept = joining.join(face, partner)
        thin[kept] = narrow
        if joining.area[kept] < rules.small_m2 or narrow:
            heapq.heappush(queue, (float(joining.area[kept]), kept))


def give_up_needless(joining: Joining, rules: Rules) -> None:
    """Join across cuts, the longest first, wherever a cell of lawful size comes of it."""
    queue = [
        (-off, one, other)
        for one, borders in enumerate(joining.borders)
        for other, (length, off) in borders.items()
        if one < other and off > length / 2
    ]
    for _, one, other in sorted(queue):
        left, right = joining.root(one), joining.root(other)
        if left != right and joining.area[left] + joining.area[right] <= rules.most_m2:
            joining.join(left, right)


def dissolved(faces: Geometries, owner: Ints) -> Geometries:
    """Return one polygon a group of faces, ordered by the group."""
    groups = np.unique(owner)
    count = np.bincount(owner, minlength=len(faces))
    cells = faces.copy()
    order = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[order], groups)
    for group, begin in zip(groups.tolist(), first.tolist(), strict=True):
        if count[group] > 1:
            cells[group] = shapely.union_all(faces[order[begin : begin + count[group]]])
    return np.asarray(cells[groups])
