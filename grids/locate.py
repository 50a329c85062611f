"""Cell of a point: arithmetic on the lattice, exact polygons only where a line cuts through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import InvalidInput
from grids.lattice import KINDS, Floats, Geometries, Ints, Lattice

_TOUCH_M = 1e-6
_WHOLE_SHARE = 1 - 1e-9
_TABLE_MOST = 2**27
_NOWHERE = -1
_FAR_M = 1e9
Indices = npt.NDArray[np.int32]


class Locator:
    """Finds the cell of points among fixed cells.

    A table answers most points by arithmetic: which cell owns the whole lattice square (or hexagon)
    the point lies in. Only where a community line crosses a square do the polygons decide. A point on
    a border has exactly one cell: between whole cells the one `Lattice.index` names, else the first
    one given among those that touch it.

    Parameters
    ----------
    shapes
        Polygons in one metric CRS; they may not overlap.
    kinds, sizes_m
        Lattice of each cell as in `Lattice`; cells of any other kind (no lattice, size None or NaN)
        are found by their polygons alone.
    """

    def __init__(self, shapes: Geometries, kinds: Sequence[str], sizes_m: Sequence[float | None]) -> None:
        self._shapes = np.array(shapes, dtype=object)
        shapely.prepare(self._shapes)
        kind = np.array(kinds, dtype=object)
        size = np.array([np.nan if value is None else value for value in sizes_m], dtype=np.float64)
        if not len(self._shapes) == len(kind) == len(size):
            raise InvalidInput("Shapes, kinds and sizes must be equally many.")
        regular = np.isin(kind, KINDS) & (size > 0)
        self._tables = []
        for name in KINDS:
            for width in np.unique(size[regular & (kind == name)]):
                members = np.flatnonzero(regular & (kind == name) & (size == width))
                self._tables.append(_Table(Lattice(name, float(width)), self._shapes, members))
        irregular = np.flatnonzero(~regular)
        self._irregular = irregular
        self._tree = shapely.STRtree(self._shapes[irregular]) if len(irregular) else None

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self._shapes)

    def locate(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Indices:
        """Return the index of the cell of each point (metric CRS), -1 where there is none."""
        x, y = (np.ascontiguousarray(part, dtype=np.float64).ravel() for part in (x, y))
        if len(x) != len(y):
            raise InvalidInput("Eastings and northings must be equally many.")
        x, y = (np.where(np.abs(part) < _FAR_M, part, -_FAR_M) for part in (x, y))  # NaN and nonsense lie nowhere
        found = np.full(len(x), _NOWHERE, dtype=np.int32)
        unsure: list[tuple[_Table, Ints, Indices]] = []
        for table in self._tables:
            answer = table.look_up(x, y)
            if len(self._tables) == 1:
                found = np.maximum(answer, _NOWHERE)
            else:
                np.copyto(found, answer, where=answer >= 0)
            doubtful = np.flatnonzero(answer < _NOWHERE)
            unsure.append((table, doubtful, answer[doubtful]))
        for touching in (False, True):  # those that merely touch a square matter for points on its sides only
            points, cells = self._candidates(x, y, found, unsure, touching=touching)
            hit = shapely.intersects_xy(self._shapes[cells], x[points], y[points])
            points, cells = points[hit], cells[hit]
            found[points] = len(self)
            np.minimum.at(found, points, cells)
        return found

    def _candidates(
        self,
        x: Floats,
        y: Floats,
        found: Indices,
        unsure: list[tuple[_Table, Ints, Indices]],
        *,
        touching: bool,
    ) -> tuple[Ints, Indices]:
        """Return pairs of point and cell that only the polygon can decide, for points not found yet."""
        points: list[Ints] = [np.empty(0, dtype=np.int64)]
        cells: list[Indices] = [np.empty(0, dtype=np.int32)]
        for table, doubtful, answer in unsure:
            left = found[doubtful] < 0
            which, cell = table.candidates(answer[left], touching=touching)
            points.append(doubtful[left][which])
            cells.append(cell)
        if self._tree is not None and not touching:
            rest = np.flatnonzero(found < 0)
            which, cell = self._tree.query(shapely.points(x[rest], y[rest]))
            points.append(rest[which])
            cells.append(self._irregular[cell].astype(np.int32))
        return np.concatenate(points), np.concatenate(cells)


class _Table:
    """For one lattice: the owner of each square, or the list of cells that share or touch it."""

    def __init__(self, lattice: Lattice, shapes: Geometries, members: Ints) -> None:
        self._lattice = lattice
        own = shapes[members]
        bounds = shapely.bounds(own)
        column, row = lattice.index(*_middles(bounds))
        ideal = shapely.bounds(lattice.polygons(column, row))
        whole = (np.abs(bounds - ideal).max(axis=1) < _TOUCH_M) & (
            np.abs(shapely.area(own) / lattice.nominal_m2 - 1) < 1 - _WHOLE_SHARE
        )
        cut = np.flatnonzero(~whole)
        cell, at_column, at_row = _around(lattice, bounds[cut])
        cell = cut[cell]
        boxes = lattice.polygons(at_column, at_row)
        near = shapely.dwithin(own[cell], boxes, _TOUCH_M)
        cell, at_column, at_row, boxes = cell[near], at_column[near], at_row[near], boxes[near]
        common = shapely.area(shapely.intersection(own[cell], boxes))
        owns = common >= lattice.nominal_m2 * _WHOLE_SHARE
        owner = np.concatenate([members[whole], members[cell[owns]]])
        owner_column = np.concatenate([column[whole], at_column[owns]])
        owner_row = np.concatenate([row[whole], at_row[owns]])
        # Whole cells are candidates for points on their outer sides too, where the next square is not owned.
        step_column, step_row = (part.ravel() for part in np.meshgrid([-1, 0, 1], [-1, 0, 1]))
        shared = np.concatenate([members[cell], np.repeat(members[whole], 9)])
        touches = np.concatenate([common == 0, np.ones(9 * len(members[whole]), dtype=bool)])
        shared_column = np.concatenate([at_column, (column[whole][:, None] + step_column).ravel()])
        shared_row = np.concatenate([at_row, (row[whole][:, None] + step_row).ravel()])
        self._west, self._south = int(shared_column.min()), int(shared_row.min())
        self._wide = int(shared_column.max()) - self._west + 1
        self._high = int(shared_row.max()) - self._south + 1
        owner_key, shared_key = self._key(owner_column, owner_row), self._key(shared_column, shared_row)
        doubtful = ~np.isin(shared_key, owner_key)
        keys, group = np.unique(shared_key[doubtful], return_inverse=True)
        self._lists = [
            _Lists(group[part], shared[doubtful][part], len(keys)) for part in (~touches[doubtful], touches[doubtful])
        ]
        self._fill(np.concatenate([owner_key, keys]), np.concatenate([owner, -2 - np.arange(len(keys))]))

    def _fill(self, keys: Ints, values: Ints) -> None:
        """Keep the answers in a dense table, or, where cells lie very far apart, in a sorted one."""
        self._sorted: Ints | None = None
        if self._wide * self._high <= _TABLE_MOST:
            self._answer = np.full(self._wide * self._high + 1, _NOWHERE, dtype=np.int32)
            self._answer[keys] = values
        else:
            order = np.argsort(keys)
            self._sorted = keys[order]
            self._answer = values[order].astype(np.int32)

    def _key(self, column: Ints, row: Ints) -> Ints:
        return (column - self._west) * self._high + (row - self._south)

    def look_up(self, x: Floats, y: Floats) -> Indices:
        """Return the owner of each point's square, -1 for none, below -1 for a list of candidates."""
        column, row = self._lattice.index(x, y)
        column -= self._west
        row -= self._south
        inside = (column >= 0) & (column < self._wide) & (row >= 0) & (row < self._high)
        column *= self._high
        column += row
        if self._sorted is None:
            column[~inside] = len(self._answer) - 1
            return self._answer[column]
        place = np.minimum(np.searchsorted(self._sorted, column), len(self._sorted) - 1)
        return np.where(inside & (self._sorted[place] == column), self._answer[place], _NOWHERE).astype(np.int32)

    def candidates(self, answer: Indices, *, touching: bool) -> tuple[Ints, Indices]:
        """Return pairs: position in ``answer`` and cell that shares (or merely touches) its square."""
        return self._lists[touching].of(-2 - answer)


class _Lists:
    """Lists of cells, one after the other."""

    def __init__(self, group: Ints, cell: Ints, groups: int) -> None:
        order = np.lexsort((cell, group))
        self._cells = cell[order].astype(np.int32)
        self._begin = np.searchsorted(group[order], np.arange(groups + 1))

    def of(self, group: Indices) -> tuple[Ints, Indices]:
        """Return pairs: position in ``group`` and cell of that group's list."""
        count = self._begin[group + 1] - self._begin[group]
        which = np.repeat(np.arange(len(group)), count)
        within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        return which, self._cells[self._begin[group][which] + within]


def _middles(bounds: Floats) -> tuple[Floats, Floats]:
    return (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2


def _around(lattice: Lattice, bounds: Floats) -> tuple[Ints, Ints, Ints]:
    """Return triples (shape, column, row) of all lattice cells that may touch each shape's bounds."""
    if len(bounds) == 0:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty
    first_column, first_row = lattice.index(bounds[:, 0] - _TOUCH_M, bounds[:, 1] - _TOUCH_M)
    last_column, last_row = lattice.index(bounds[:, 2] + _TOUCH_M, bounds[:, 3] + _TOUCH_M)
    if lattice.kind == "hexagon":  # the box of a hexagon reaches into the cells beside its corners
        first_column, first_row, last_column, last_row = first_column - 1, first_row - 1, last_column + 1, last_row + 1
    wide, high = last_column - first_column + 1, last_row - first_row + 1
    shape = np.repeat(np.arange(len(bounds)), wide * high)
    step = np.arange(len(shape)) - np.repeat(np.cumsum(wide * high) - wide * high, wide * high)
    return shape, first_column[shape] + step // high[shape], first_row[shape] + step % high[shape]
