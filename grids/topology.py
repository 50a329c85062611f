"""Cells of a file: every gap, overlap, sliver and self-intersection with place and area, and the repair of each.

The ground is cut at every line into faces. A face of one cell stays its; one of several goes to the cell that it
borders longest; ground of nobody joins the longest neighbour, or becomes a cell where it is large enough for one.
What is shown before a repair and what the repair does are thus the same thing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import shapely

from core.errors import InvalidInput
from grids.crowding import check_crowding
from grids.edits import LEAST_M2
from grids.faces import NOBODY, Faces, faces_of, whole_polygons
from grids.lattice import Floats, Geometries, Ints
from grids.responsibility import components
from grids.slivers import Groups

KINDS = ("gap", "overlap", "sliver", "self_intersection", "parts", "outside", "across", "no_surface")
SEEN_M2 = 1e-3
MOST_CELLS = 100_000
_PLACE = re.compile(r"\[(\S+) (\S+)\]")


@dataclass(frozen=True, eq=False)
class TopologyFault:
    """Something wrong at a place, and what mends it.

    Attributes
    ----------
    kind
        One of `KINDS`.
    area_m2, x, y
        Its surface, and a point of it in the CRS given; NaN where it has no place.
    rows
        Cells concerned, by their row from 1.
    mend
        joined | own_cell | given | merged | untangled | parted | cut_off | cut_at_line | left_out | stays
    heir
        Row that gets the ground; 0 for none.
    shape
        The ground itself; None for a point.
    """

    kind: str
    area_m2: float
    x: float
    y: float
    rows: tuple[int, ...]
    mend: str
    heir: int = 0
    shape: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Return all but the shape by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "shape"}


@dataclass(frozen=True, eq=False)
class Repaired:
    """Cells that fit, and what was wrong with those given.

    Attributes
    ----------
    shapes
        Polygons that cover their ground once.
    row
        Row (from 1) that most of each cell was; 0 of ground that was nobody's.
    area
        Which of the areas given each cell lies in; 0 where none was given.
    faults
        The largest first of each kind.
    moved_m2
        Ground that belongs to another row than in the file, or to one where it was nobody's or several cells'.
    """

    shapes: Geometries
    row: Ints
    area: Ints
    faults: tuple[TopologyFault, ...]
    moved_m2: float

    @property
    def counts(self) -> dict[str, int]:
        """Return how many faults there are of each kind."""
        found = Counter(fault.kind for fault in self.faults)
        return {kind: found[kind] for kind in KINDS}

    @property
    def sound(self) -> bool:
        """Return whether nothing is to be repaired."""
        return not self.faults


def repair(
    cells: Geometries, areas: Geometries | None = None, *, rows: Ints | None = None, least_m2: float = LEAST_M2
) -> Repaired:
    """Return the cells without gaps, overlaps, slivers and self-intersections, and a list of each of them.

    Parameters
    ----------
    cells
        As read, in a CRS in metres.
    areas
        Communities (or one boundary) that the cells should fill; cells are cut at their lines.
    rows
        How the cells are called in what is told; None takes their row from 1.
    least_m2
        Smaller cells join a neighbour; smaller gaps too, larger ones become cells.

    Raises
    ------
    InvalidInput
        No cell, too many, many times over each other, or none with a surface inside the areas.
    """
    if not 0 < len(cells) <= MOST_CELLS:
        raise InvalidInput(
            f"The file holds {len(cells):,} cells; 1 to {MOST_CELLS:,} are taken.",
            hint="Give one polygon for each cell; bring a large city in by districts.",
            zh=f"文件中有 {len(cells):,} 个网格，可导入 1 至 {MOST_CELLS:,} 个。每个网格一个多边形，大城市请分区导入。",
        )
    check_crowding(cells)
    whole = whole_polygons(cells)
    faults = [*_without_surface(whole), *_tangled(cells, whole), *_in_parts(cells, whole)]
    good = np.flatnonzero([each is not None for each in whole])
    ground = np.empty(0, dtype=object) if areas is None else areas
    if len(good) == 0:
        raise InvalidInput(
            "No row of the file has a surface.", hint="Give polygons.", zh="文件中没有任何面状要素，请提供多边形。"
        )
    faces = faces_of(whole[good], ground)
    if areas is not None and not (faces.area_of[faces.held] != NOBODY).any():
        raise InvalidInput(
            "The cells lie outside the communities.",
            hint="Check the coordinate reference system of the file.",
            zh="网格不在所选社区范围内，请检查文件的坐标参考系。",
        )
    label = _labels(faces, good)
    inside = np.flatnonzero(faces.area_of != NOBODY)
    owner, root = _joined(faces, label, inside, least_m2)
    row = label[root]
    faults += _outside_and_across(faces, good)
    faults += _gaps(faces, owner, root, label, least_m2)
    faults += _overlaps(faces, good, row)
    faults += _slivers(faces, whole, good, row, least_m2)
    kept, member = np.unique(owner[inside], return_inverse=True)
    shapes = _unions(faces.shape[inside], member)
    largest = inside[_first(member, len(kept))]
    order = np.argsort(np.where(row[largest] == 0, 2**40, row[largest]), kind="stable")
    alone = faces.holders == 1
    sole = np.zeros(len(label), dtype=np.int64)
    sole[faces.held] = good[faces.holder] + 1
    moved = float(faces.m2[inside][~alone[inside] | (row[inside] != sole[inside])].sum())
    called = np.arange(len(cells) + 1) if rows is None else np.r_[0, rows]
    told = [
        replace(fault, rows=tuple(int(called[one]) for one in fault.rows), heir=int(called[fault.heir]))
        for fault in faults
    ]
    return Repaired(
        shapes[order],
        called[row[largest][order]],
        faces.area_of[largest][order],
        tuple(sorted(told, key=lambda fault: (KINDS.index(fault.kind), -fault.area_m2))),
        moved,
    )


def _without_surface(whole: Geometries) -> list[TopologyFault]:
    rows = [at + 1 for at, shape in enumerate(whole) if shape is None]
    return [TopologyFault("no_surface", 0.0, np.nan, np.nan, (row,), "left_out") for row in rows]


def _tangled(cells: Geometries, whole: Geometries) -> list[TopologyFault]:
    found = []
    polygonal = np.isin(shapely.get_type_id(cells), [3, 6])
    for row in np.flatnonzero(polygonal & ~shapely.is_valid(cells)):
        if whole[row] is None:
            continue
        place = _PLACE.search(shapely.is_valid_reason(cells[row]))
        x, y = (float(place[1]), float(place[2])) if place else (whole[row].centroid.x, whole[row].centroid.y)
        parts = shapely.area(shapely.get_parts(whole[row]))
        loop = float(parts.sum() - parts.max()) if len(parts) > 1 else 0.0
        found.append(TopologyFault("self_intersection", round(loop, 3), x, y, (int(row) + 1,), "untangled"))
    return found


def _in_parts(cells: Geometries, whole: Geometries) -> list[TopologyFault]:
    found = []
    sound = shapely.is_valid(cells)
    for row, shape in enumerate(whole):
        if shape is None or not sound[row] or shapely.get_num_geometries(shape) < 2:
            continue
        parts = shapely.get_parts(shape)
        rest = np.delete(parts, int(np.argmax(shapely.area(parts))))
        found.append(_fault("parts", shapely.multipolygons(rest), (row + 1,), "parted"))
    return found


def _labels(faces: Faces, good: Ints) -> Ints:
    """Return the row (from 1) that each face is to belong to; 0 for nobody's."""
    label = np.zeros(len(faces.shape), dtype=np.int64)
    sole = faces.holders[faces.held] == 1
    label[faces.held[sole]] = good[faces.holder[sole]] + 1
    contested = np.flatnonzero(faces.holders > 1)
    claims: dict[int, list[int]] = {face: [] for face in contested.tolist()}
    for face, cell in zip(faces.held[~sole].tolist(), faces.holder[~sole].tolist(), strict=True):
        claims[face].append(int(good[cell]) + 1)
    beside: dict[int, list[tuple[int, float]]] = {face: [] for face in claims}
    alike = faces.area_of[faces.pairs[:, 0]] == faces.area_of[faces.pairs[:, 1]]
    for (one, other), metres in zip(faces.pairs[alike].tolist(), faces.border_m[alike].tolist(), strict=True):
        for here, there in ((one, other), (other, one)):
            if here in claims:
                beside[here].append((there, metres))
    waiting = sorted(claims, key=lambda face: -faces.m2[face])
    while waiting:
        settled = {face: row for face in waiting if (row := _winner(claims[face], beside[face], label))}
        if not settled:  # cells that lie on each other whole: the first row has it
            settled = {waiting[0]: min(claims[waiting[0]])}
        for face, row in settled.items():
            label[face] = row
        waiting = [face for face in waiting if face not in settled]
    return label


def _winner(claims: list[int], beside: list[tuple[int, float]], label: Ints) -> int:
    """Return which of the rows that claim a face has the longest border with it; 0 when none has any yet."""
    metres = dict.fromkeys(claims, 0.0)
    for there, length in beside:
        row = int(label[there])
        if row in metres:
            metres[row] += length
    best = max(metres, key=lambda row: (metres[row], -row))
    return best if metres[best] > 0 else 0


def _joined(faces: Faces, label: Ints, inside: Ints, least_m2: float) -> tuple[Ints, Ints]:
    """Return for each face the group it ends in, and the face that gives the group its row."""
    key = label * (int(faces.area_of.max()) + 2) + faces.area_of
    alike = key[faces.pairs[:, 0]] == key[faces.pairs[:, 1]]
    piece = components(len(label), faces.pairs[alike])
    count = int(piece.max(initial=-1)) + 1
    area = np.bincount(piece, weights=faces.m2, minlength=count).astype(np.float64)
    first = _first(piece, count, faces.m2)
    same_area = faces.area_of[faces.pairs[:, 0]] == faces.area_of[faces.pairs[:, 1]]
    near = ~alike & same_area & (faces.area_of[faces.pairs[:, 0]] != NOBODY)
    one, other = piece[faces.pairs[near, 0]], piece[faces.pairs[near, 1]]
    metres = faces.border_m[near]
    real = metres > 0
    both = np.concatenate([one[real], other[real]]), np.concatenate([other[real], one[real]])
    # Nobody's ground must not give its neighbour its name: it counts as small beside any cell.
    weight = np.where((label[first] > 0) | (area >= least_m2), area, 0.0).astype(np.float64)
    pair, member = np.unique(np.stack(both), axis=1, return_inverse=True)
    length = np.bincount(member.ravel(), weights=np.tile(metres[real], 2), minlength=pair.shape[1]).astype(np.float64)
    groups = Groups(weight, pair[0], pair[1], length)
    used = np.unique(piece[inside])
    for each in used[np.argsort(weight[used], kind="stable")].tolist():
        while groups.area_of(each) < least_m2:
            if not groups.join_longest(each):
                break
    owner = groups.owners()
    return owner[piece], first[owner[piece]]


def _first(member: Ints, count: int, weight: Floats | None = None) -> Ints:
    """Return the member of each group that weighs most; the first where nothing weighs."""
    order = np.arange(len(member)) if weight is None else np.argsort(-weight, kind="stable")
    first = np.full(count, -1, dtype=np.int64)
    first[member[order[::-1]]] = order[::-1]
    return first


def _unions(shapes: Geometries, member: Ints) -> Geometries:
    order = np.argsort(member, kind="stable")
    ends = np.cumsum(np.bincount(member))[:-1]
    groups = np.split(shapes[order], ends)
    return np.array([each[0] if len(each) == 1 else shapely.coverage_union_all(each) for each in groups], dtype=object)


def _outside_and_across(faces: Faces, good: Ints) -> list[TopologyFault]:
    found = []
    order = np.argsort(faces.holder, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(faces.holder[order])) + 1):
        face = faces.held[part]
        where = faces.area_of[face]
        if len(part) == 1 and where[0] != NOBODY:
            continue
        row = (int(good[faces.holder[part[0]]]) + 1,)
        for kind, mend, lost in (
            ("outside", "cut_off", where == NOBODY),
            ("across", "cut_at_line", (where != NOBODY) & (where != _main(where, faces.m2[face]))),
        ):
            if float(faces.m2[face[lost]].sum()) > SEEN_M2:
                found.append(_fault(kind, shapely.union_all(faces.shape[face[lost]]), row, mend))
    return found


def _main(where: Ints, m2: Floats) -> int:
    known = np.unique(where[where != NOBODY])
    if len(known) == 0:
        return NOBODY
    return int(known[int(np.argmax([m2[where == each].sum() for each in known]))])


def _gaps(faces: Faces, owner: Ints, root: Ints, label: Ints, least_m2: float) -> list[TopologyFault]:
    empty = np.flatnonzero((faces.holders == 0) & (faces.area_of != NOBODY))
    found = []
    hollow = np.zeros(len(faces.shape), dtype=bool)
    hollow[empty] = True
    joins = hollow[faces.pairs].all(axis=1)
    joins &= faces.area_of[faces.pairs[:, 0]] == faces.area_of[faces.pairs[:, 1]]
    group = components(len(faces.shape), faces.pairs[joins])
    empty = empty[np.argsort(group[empty], kind="stable")]
    for members in np.split(empty, np.flatnonzero(np.diff(group[empty])) + 1) if len(empty) else []:
        if float(faces.m2[members].sum()) <= SEEN_M2:
            continue
        heir = int(label[root[members[0]]])
        small = float(faces.m2[members].sum()) < least_m2
        mend = "joined" if heir else "stays" if small and owner[members[0]] == owner[root[members[0]]] else "own_cell"
        found.append(_fault("gap", shapely.union_all(faces.shape[members]), (), mend, heir))
    return found


def _overlaps(faces: Faces, good: Ints, row: Ints) -> list[TopologyFault]:
    many = np.flatnonzero(faces.holders > 1)
    shared: dict[tuple[int, int], list[int]] = {}
    begin, end = np.searchsorted(faces.held, many), np.searchsorted(faces.held, many, side="right")
    for face, first, last in zip(many.tolist(), begin.tolist(), end.tolist(), strict=True):
        cells = [int(good[cell]) + 1 for cell in faces.holder[first:last]]
        for left, one in enumerate(cells):
            for other in cells[left + 1 :]:
                shared.setdefault((one, other), []).append(face)
    found = []
    for rows, members in shared.items():
        if float(faces.m2[members].sum()) > SEEN_M2:
            largest = max(members, key=lambda face: faces.m2[face])
            heir = int(row[largest])
            mend = "given" if faces.area_of[largest] != NOBODY else "cut_off"
            found.append(_fault("overlap", shapely.union_all(faces.shape[members]), rows, mend, heir))
    return found


def _slivers(faces: Faces, whole: Geometries, good: Ints, row: Ints, least_m2: float) -> list[TopologyFault]:
    found = []
    area = shapely.area(whole[good])
    for at in np.flatnonzero(area < least_m2):
        mine = faces.held[faces.holder == at]
        mine = mine[faces.area_of[mine] != NOBODY]
        heir = int(row[mine[int(np.argmax(faces.m2[mine]))]]) if len(mine) else 0
        stays = heir == int(good[at]) + 1
        mend = "stays" if stays else "merged" if heir else "left_out"
        found.append(_fault("sliver", whole[good[at]], (int(good[at]) + 1,), mend, 0 if stays else heir))
    return found


def _fault(kind: str, shape: Any, rows: tuple[int, ...], mend: str, heir: int = 0) -> TopologyFault:
    at = shapely.point_on_surface(shape)
    area = round(float(shapely.area(shape)), 3)
    return TopologyFault(kind, area, float(shapely.get_x(at)), float(shapely.get_y(at)), rows, mend, heir, shape)
