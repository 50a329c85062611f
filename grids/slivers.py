"""Joining pieces into groups along their longest borders."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grids.lattice import Floats, Ints


class Groups:
    """Pieces that are joined step by step; a group is known by its largest piece.

    Parameters
    ----------
    area
        Area of each piece.
    left, right, border
        Length of the border between two pieces. Every pair in which ``left`` may ever have to look
        for a partner must stand here.
    """

    def __init__(self, area: Floats, left: Ints, right: Ints, border: Floats) -> None:
        self._piece_area = area
        self._area = area.copy()
        self._owner = np.arange(len(area))
        self._borders: dict[int, dict[int, float]] = {}
        for one, other, length in zip(left.tolist(), right.tolist(), border.tolist(), strict=True):
            self._borders.setdefault(one, {})[other] = length

    def area_of(self, piece: int) -> float:
        """Return the area of the group a piece is in."""
        return float(self._area[self._root(piece)])

    def join_longest(self, piece: int) -> bool:
        """Join the piece's group to the one with the longest common border; False when there is none."""
        mine = self._root(piece)
        borders: dict[int, float] = {}
        for other, length in self._borders.get(mine, {}).items():
            root = self._root(other)
            borders[root] = borders.get(root, 0.0) + length
        borders.pop(mine, None)
        if not borders:
            return False
        other = max(borders, key=lambda group: (borders[group], -group))
        keeper, joiner = (mine, other) if self._piece_area[mine] > self._piece_area[other] else (other, mine)
        self._owner[joiner] = keeper
        self._area[keeper] += self._area[joiner]
        known = self._borders.setdefault(keeper, {})
        for group, length in self._borders.pop(joiner, {}).items():
            known[group] = known.get(group, 0.0) + length
        return True

    def owners(self) -> npt.NDArray[np.int64]:
        """Return for each piece the largest piece of its group."""
        return np.array([self._root(piece) for piece in range(len(self._owner))], dtype=np.int64)

    def _root(self, piece: int) -> int:
        while self._owner[piece] != piece:
            piece = int(self._owner[piece])
        return piece
