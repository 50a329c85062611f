"""The ground in square cells: what covers each, how far it is to what counts, how many people are near, how steep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.spatial import cKDTree

from core.errors import InvalidInput
from planning.candidates import road_half_width_m

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Shapes = NDArray[np.object_]

CELLS_AT_MOST = 40_000
STEPS_M = (25.0, 50.0, 100.0, 200.0, 400.0, 800.0)
SAMPLES = 3
"""Points a side at which the cover of a cell is looked up."""
MAIN = frozenset({"motorway", "trunk", "primary", "secondary"})
WATERWAY_HALF_M = 2.0
PEOPLE_NEAR_M, SHOPS_NEAR_M, HOMES_NEAR_M = 800.0, 500.0, 300.0
COVERS = ("water", "green", "wood", "farmland", "sand")


@dataclass(frozen=True, eq=False)
class Land:
    """What lies where, in a metric CRS.

    Attributes
    ----------
    covers
        Kind of land cover, of `COVERS`, to its polygons.
    waterways, roads
        Lines; of each road its class and whether cars may use it.
    buildings, footprints_m2
        A point inside each building, shape (n, 2), and the ground it takes.
    homes, people
        Where people live, shape (m, 2), and how many.
    facilities
        Kind to places, shape (k, 2).
    zones
        Protected polygons; empty without a layer of zones.
    """

    boundary: shapely.Geometry
    covers: Mapping[str, Shapes]
    waterways: Shapes
    roads: Shapes
    road_classes: Sequence[str]
    drivable: Bools
    buildings: Floats
    footprints_m2: Floats
    homes: Floats
    people: Floats
    facilities: Mapping[str, Floats]
    zones: Shapes


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a lattice inside the territory.

    Attributes
    ----------
    row, column
        Of each cell in the lattice of ``shape``; row 0 lies south.
    west, south
        Corner of the lattice in metres.
    share
        What covers how much of each cell, 0…1: `COVERS`, ``road``, ``built``, ``protected``.
    value
        Criterion to its value at the middle of each cell; NaN where unknown.
    """

    step_m: float
    west: float
    south: float
    shape: tuple[int, int]
    row: Ints
    column: Ints
    share: Mapping[str, Floats]
    value: Mapping[str, Floats]

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.row)

    @property
    def xy_m(self) -> Floats:
        """Return the middles of the cells, shape (n, 2)."""
        return np.column_stack(
            [self.west + (self.column + 0.5) * self.step_m, self.south + (self.row + 0.5) * self.step_m]
        )

    def index(self) -> Ints:
        """Return the number of the cell at each place of the lattice; -1 where there is none."""
        made = np.full(self.shape, -1, dtype=np.int64)
        made[self.row, self.column] = np.arange(len(self))
        return made

    def at(self, xy_m: Floats) -> Ints:
        """Return the cells that places lie in; -1 outside."""
        column = np.floor((xy_m[:, 0] - self.west) / self.step_m).astype(np.int64)
        row = np.floor((xy_m[:, 1] - self.south) / self.step_m).astype(np.int64)
        inside = (row >= 0) & (row < self.shape[0]) & (column >= 0) & (column < self.shape[1])
        found = np.full(len(xy_m), -1, dtype=np.int64)
        found[inside] = self.index()[row[inside], column[inside]]
        return found

    def outline(self, members: Ints) -> shapely.Geometry:
        """Return the ground of cells as one shape in metres."""
        x, y = self.west + self.column[members] * self.step_m, self.south + self.row[members] * self.step_m
        return shapely.union_all(shapely.box(x, y, x + self.step_m, y + self.step_m))


def step_for(area_m2: float, wanted_m: float = STEPS_M[0]) -> float:
    """Return the smallest usual side of a cell, not below ``wanted_m``, at which there are not too many."""
    fitting = (step for step in STEPS_M if step >= wanted_m and area_m2 / step**2 <= CELLS_AT_MOST)
    return next(fitting, STEPS_M[-1])


def cells_of(land: Land, step_m: float, *, same: str | None = None) -> Cells:
    """Return the cells of a territory with all that criteria and constraints ask of them.

    Parameters
    ----------
    same
        Kind of facility to whose like the distance counts; None for none.

    Raises
    ------
    InvalidInput
        When the territory is smaller than a cell.
    """
    west, south, east, north = (float(side) for side in shapely.bounds(land.boundary))
    west, south = np.floor(west / step_m) * step_m, np.floor(south / step_m) * step_m
    shape = (int(np.ceil((north - south) / step_m)), int(np.ceil((east - west) / step_m)))
    rows, columns = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    shapely.prepare(land.boundary)
    inside = shapely.contains_xy(land.boundary, west + (columns + 0.5) * step_m, south + (rows + 0.5) * step_m)
    if not inside.any():
        raise InvalidInput("The territory is smaller than a cell.", hint="Take smaller cells.")
    bare = Cells(step_m, float(west), float(south), shape, rows[inside], columns[inside], {}, {})
    return Cells(
        step_m, bare.west, bare.south, shape, bare.row, bare.column, _shares(land, bare), _values(land, bare, same)
    )


def _shares(land: Land, cells: Cells) -> dict[str, Floats]:
    samples = _Samples(cells)
    share = {kind: samples.covered(land.covers.get(kind, _NOTHING)) for kind in COVERS}
    share["protected"] = samples.covered(land.zones)
    size = cells.step_m**2
    running = _along(cells, land.waterways, np.full(len(land.waterways), 2 * WATERWAY_HALF_M)) / size
    share["water"] = np.minimum(1.0, share["water"] + running)
    widths = np.array([2 * road_half_width_m(name) for name in land.road_classes])
    share["road"] = np.minimum(1.0, _along(cells, land.roads, widths) / size)
    share["built"] = np.minimum(1.0, _sums(cells, land.buildings, land.footprints_m2) / size)
    return share


def _values(land: Land, cells: Cells, same: str | None) -> dict[str, Floats]:
    main = np.array([name.removesuffix("_link") in MAIN for name in land.road_classes], dtype=bool)
    step = cells.step_m / 2
    shops = [land.facilities[kind] for kind in ("shop", "bank", "marketplace") if kind in land.facilities]
    stops = [land.facilities[kind] for kind in ("railway_station", "bus_stop") if kind in land.facilities]
    made = {
        "road": _distance(cells, _points(land.roads[land.drivable], step)),
        "main_road": _distance(cells, _points(land.roads[main], step)),
        "transit": _distance(cells, np.concatenate(stops) if stops else _NOWHERE),
        "station": _distance(cells, land.facilities.get("railway_station", _NOWHERE)),
        "people": _near(cells, land.homes, land.people, PEOPLE_NEAR_M),
        "few_homes": _near(cells, land.homes, land.people, HOMES_NEAR_M),
        "open": 1.0 - np.minimum(1.0, _sums(cells, land.buildings, land.footprints_m2) / cells.step_m**2),
    }
    places = np.concatenate(shops) if shops else _NOWHERE
    made["shops"] = _near(cells, places, np.ones(len(places)), SHOPS_NEAR_M)
    if same is not None:
        made["same"] = _distance(cells, land.facilities.get(same, _NOWHERE))
    return made


_NOTHING: Shapes = np.empty(0, dtype=object)
_NOWHERE: Floats = np.empty((0, 2))


class _Samples:
    """Points in each cell at which cover is looked up, sorted into a tree once."""

    def __init__(self, cells: Cells) -> None:
        inside = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
        across, along = np.meshgrid(inside, inside)
        steps = np.column_stack([across.ravel(), along.ravel()]) * cells.step_m
        self._shape = (len(cells), SAMPLES**2)
        self._tree = shapely.STRtree(np.asarray(shapely.points((cells.xy_m[:, None, :] + steps).reshape(-1, 2))))

    def covered(self, shapes: Shapes) -> Floats:
        """Return the share of each cell that polygons cover."""
        hit = np.zeros(self._shape[0] * self._shape[1], dtype=bool)
        if len(shapes):
            hit[self._tree.query(shapes, predicate="contains")[1]] = True
        return np.asarray(hit.reshape(self._shape).mean(axis=1))


def _along(cells: Cells, lines: Shapes, widths: Floats) -> Floats:
    """Return the ground that lines of some width take in each cell, in square metres."""
    if not len(lines):
        return np.zeros(len(cells))
    xy, line = shapely.get_coordinates(shapely.segmentize(lines, cells.step_m / SAMPLES), return_index=True)
    joined = line[1:] == line[:-1]
    middle, length = (xy[1:] + xy[:-1])[joined] / 2, np.hypot(*(xy[1:] - xy[:-1]).T)[joined]
    return _sums(cells, middle, length * widths[line[1:][joined]])


def _sums(cells: Cells, places: Floats, weights: Floats) -> Floats:
    at = cells.at(places) if len(places) else np.empty(0, dtype=np.int64)
    return np.bincount(at[at >= 0], weights=weights[at >= 0], minlength=len(cells)).astype(np.float64)


def _points(lines: Shapes, step_m: float) -> Floats:
    if not len(lines):
        return _NOWHERE
    return shapely.get_coordinates(shapely.segmentize(lines, step_m))


def _distance(cells: Cells, places: Floats) -> Floats:
    """Return the straight distance from the middle of each cell to the nearest place; NaN where there is none."""
    if not len(places):
        return np.full(len(cells), np.nan)
    return np.asarray(cKDTree(places).query(cells.xy_m)[0], dtype=np.float64)


def _near(cells: Cells, places: Floats, weights: Floats, reach_m: float) -> Floats:
    """Return the weight of the places within a reach of each cell, counted by cells."""
    plane = np.zeros(cells.shape)
    if len(places):
        column = np.floor((places[:, 0] - cells.west) / cells.step_m).astype(np.int64)
        row = np.floor((places[:, 1] - cells.south) / cells.step_m).astype(np.int64)
        inside = (row >= 0) & (row < cells.shape[0]) & (column >= 0) & (column < cells.shape[1])
        np.add.at(plane, (row[inside], column[inside]), weights[inside])
    reach = max(0, int(reach_m // cells.step_m))
    around = np.arange(-reach, reach + 1)
    disc = (np.hypot(*np.meshgrid(around, around)) * cells.step_m <= max(reach_m, 1.0)).astype(np.float64)
    summed = np.maximum(fftconvolve(plane, disc, mode="same"), 0.0)
    summed[summed < 1e-6] = 0.0
    return np.asarray(summed[cells.row, cells.column])
