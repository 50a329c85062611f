"""What a hand does to cells: split one with a drawn line, merge several, move the border between two.

Every act covers exactly the ground it began with. It works in the coordinates that cells are kept in: a new
corner on the straight side of a neighbour then lies on it in every other CRS too, and leaves no gap. So cells
may be in degrees; who gives such says how their area is measured.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry
from shapely.ops import split as cut_by

from core.errors import InvalidInput
from grids.codes import reading_order
from grids.lattice import Floats, Geometries, Ints

LEAST_M2 = 500.0
"""No cell may be smaller."""
_SEAM = 1e-11
"""Finest lattice for nodes: a micrometre in degrees."""
Measure = Callable[[Geometries], Floats]


def split_cell(
    cell: shapely.Polygon, line: shapely.LineString, *, least_m2: float = LEAST_M2, measure: Measure = shapely.area
) -> Geometries:
    """Return the parts of a cell along a drawn line, the westernmost first.

    A line that ends a little inside is made longer, up to a tenth of its own length at each end.

    Raises
    ------
    InvalidInput
        The line does not cross the cell from border to border, or a part would be too small.
    """
    if shapely.is_empty(line) or shapely.length(line) == 0:
        raise InvalidInput(
            "No line is drawn.",
            hint="Draw a line from border to border of the cell.",
            zh="尚未画线，请画一条贯穿网格两侧边界的线。",
        )
    parts = shapely.get_parts(cut_by(cell, line))
    if len(parts) < 2:
        parts = shapely.get_parts(cut_by(cell, _longer(line)))
    parts = parts[shapely.area(parts) > 0]
    if len(parts) < 2:
        raise InvalidInput(
            "The line does not cut the cell in two.",
            hint="Let it begin and end outside the cell, or on its border.",
            zh="所画的线没有把网格分成两块，请让起点和终点都在网格之外或边界上。",
        )
    area = measure(parts)
    if area.min() < least_m2:
        raise InvalidInput(
            f"A part would have {area.min():,.0f} m²; a cell has at least {least_m2:,.0f} m².",
            hint="Draw the line further from the border.",
            zh=f"其中一块仅 {area.min():,.0f} 平方米，单元网格不得小于 {least_m2:,.0f} 平方米，请离边界远一些画线。",
        )
    centre = shapely.centroid(parts)
    return parts[np.lexsort((-shapely.get_y(centre), shapely.get_x(centre)))]


def merge_cells(cells: Geometries, community: Ints) -> shapely.Polygon:
    """Return several cells as one.

    Raises
    ------
    InvalidInput
        Fewer than two, cells of several communities, or cells that do not hang together along sides.
    """
    if len(cells) < 2:
        raise InvalidInput(
            "One cell cannot be merged.",
            hint="Pick at least two cells that share a side.",
            zh="只选了一个网格，无法合并，请至少选择两个有公共边的网格。",
        )
    if len(np.unique(community)) > 1:
        raise InvalidInput(
            "These cells lie in several communities; a unit grid lies in one.",
            hint="Pick cells of one community.",
            zh="所选网格分属不同社区，而单元网格只属于一个社区，请选同一社区的网格。",
        )
    union = shapely.union_all(cells)
    if shapely.get_type_id(union) != 3:
        # Borders drawn by hand may run nanometres apart: nodes on the finest lattice close them.
        union = shapely.union_all(cells, grid_size=_SEAM)
    if not isinstance(union, shapely.Polygon):
        raise InvalidInput(
            "These cells do not hang together.",
            hint="Pick cells that share a side, not a corner.",
            zh="所选网格互不相连，请选择有公共边（而非只有公共角）的网格。",
        )
    return union


def move_border(
    one: BaseGeometry,
    other: BaseGeometry,
    line: shapely.LineString,
    *,
    least_m2: float = LEAST_M2,
    measure: Measure = shapely.area,
) -> tuple[BaseGeometry, BaseGeometry]:
    """Return two neighbours with the drawn line as their new border, in their order.

    Raises
    ------
    InvalidInput
        They share no side, or the line does not cut both together into exactly two.
    """
    both = merge_cells(np.array([one, other]), np.zeros(2, dtype=np.int64))
    parts = split_cell(both, line, least_m2=least_m2, measure=measure)
    if len(parts) != 2:
        raise InvalidInput(
            f"The line cuts the two cells into {len(parts)} parts.",
            hint="Draw a line that crosses them once.",
            zh=f"所画的线把两个网格分成了 {len(parts)} 块，请只穿过一次。",
        )
    mine = shapely.area(shapely.intersection(parts, one))
    first = int(np.argmax(mine))
    return parts[first], parts[1 - first]


def take_corners(shapes: Geometries, others: Geometries) -> tuple[Ints, Geometries]:
    """Return the polygons on whose straight sides others have corners, with these corners in them: rows and shapes.

    The ground stays what it is. In the coordinates given a corner lies on the side already, but in any other CRS the
    side bends away from it; a corner in both leaves no gap. A shape that would become invalid stays as it was.
    """
    if len(shapes) == 0 or len(others) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    corners = np.unique(shapely.get_coordinates(others), axis=0)
    points = np.asarray(shapely.points(corners))
    row, point = shapely.STRtree(points).query(shapely.boundary(shapes), predicate="dwithin", distance=_SEAM)
    rows, made = [], []
    for each in np.unique(row).tolist():
        fresh = corners[point[row == each]]
        known = {tuple(pair) for pair in shapely.get_coordinates(shapes[each]).tolist()}
        fresh = np.array([pair for pair in fresh.tolist() if tuple(pair) not in known]).reshape(-1, 2)
        if len(fresh) == 0:
            continue
        rings = [
            _with_corners(np.asarray(ring.coords), fresh) for ring in (shapes[each].exterior, *shapes[each].interiors)
        ]
        seamed = shapely.Polygon(rings[0], rings[1:])
        if seamed.is_valid:
            rows.append(each)
            made.append(seamed)
    return np.array(rows, dtype=np.int64), np.array(made, dtype=object)


def _with_corners(ring: Floats, fresh: Floats) -> Floats:
    begin, along = ring[:-1], np.diff(ring, axis=0)
    squared = np.maximum((along**2).sum(axis=1), 1e-30)
    inserts = []
    for corner in fresh:
        share = ((corner - begin) * along).sum(axis=1) / squared
        away = np.hypot(*(begin + share[:, None] * along - corner).T)
        away[(share <= 0) | (share >= 1)] = np.inf
        side = int(np.argmin(away))
        if away[side] <= 10 * _SEAM:
            inserts.append((side, float(share[side]), corner))
    inserts.sort(key=lambda each: (each[0], each[1]))
    if not inserts:
        return ring
    return np.insert(ring, [side + 1 for side, _, _ in inserts], [corner for _, _, corner in inserts], axis=0)


def renumbered(community: Ints, shapes: Geometries) -> Ints:
    """Return new sequences by community from 1: rows from north to south, in a row from west to east.

    The height of a row is the side of a square of the median area in the community.
    """
    centre = shapely.centroid(shapes)
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    row = np.zeros(len(shapes), dtype=np.int64)
    area = shapely.area(shapes)
    for each in np.unique(community):
        members = community == each
        height = max(float(np.sqrt(np.median(area[members]))), 1.0)
        row[members] = np.floor((y[members] - y[members].min()) / height).astype(np.int64)
    return reading_order(community, row, x, y)


def lineage(old: Geometries, new: Geometries, *, least_m2: float = 1.0) -> tuple[Ints, Ints, Floats]:
    """Return which old cells each new one comes of: rows of new and old, and the ground they share in m²."""
    if len(old) == 0 or len(new) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
    child, parent = shapely.STRtree(old).query(new, predicate="intersects")
    shared = shapely.area(shapely.intersection(new[child], old[parent]))
    kept = shared >= least_m2
    return child[kept].astype(np.int64), parent[kept].astype(np.int64), shared[kept]


def rehomed(shapes: Geometries, points: Geometries) -> npt.NDArray[np.int64]:
    """Return the cell of each point, the nearest where none holds it; the first in order on a border; -1 of nothing."""
    home = np.full(len(points), -1, dtype=np.int64)
    if len(shapes) == 0 or len(points) == 0:
        return home
    tree = shapely.STRtree(shapes)
    point, cell = tree.query(points, predicate="intersects")
    order = np.lexsort((-cell, point))
    home[point[order]] = cell[order]
    lost = np.flatnonzero(home < 0)
    if len(lost):
        home[lost] = tree.nearest(points[lost])
    return home


def _longer(line: shapely.LineString) -> shapely.LineString:
    ends = shapely.get_coordinates(line)
    reach = 0.1 * float(shapely.length(line))
    for end, before in ((0, 1), (-1, -2)):
        along = ends[end] - ends[before]
        ends[end] = ends[end] + along / max(float(np.hypot(*along)), 1e-9) * reach
    return shapely.LineString(ends)
