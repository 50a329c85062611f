"""Where something could be built at all: free plots beside a road, spread as people live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from planning.demand import gather
from planning.sifting import OF_COVER, Sieve, within

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

PLOT_HALF_M = 12.0
"""Half the side of the plot that must be free around a candidate."""
ROADSIDE_M = 120.0
"""How far from a road a plot may lie."""
NEAR_PEOPLE_M = 400.0
"""How far from a building with people a plot may lie."""
STEP_M = 30.0
PLOTS_AT_MOST = 400_000
_HALF_WIDTH_M = {"motorway": 14.0, "trunk": 12.0, "primary": 9.0, "secondary": 8.0, "tertiary": 7.0}
_USUAL_HALF_WIDTH_M = 5.0
_CHOICES = 12


@dataclass(frozen=True, eq=False)
class Land:
    """What lies where, in a metric CRS; plots keep clear of all of it.

    Attributes
    ----------
    taken
        Buildings, water, green, wood, sand and farmland.
    waterways
        Lines of running water.
    roads, road_classes, drivable
        Lines of roads, the OSM class of each and whether cars may use it; a plot lies beside one of these.
    boundary
        Of the territory.
    taken_kinds
        What each of ``taken`` is (building, water, green, wood, sand, farmland); None where that is not known.
    """

    taken: Shapes
    waterways: Shapes
    roads: Shapes
    road_classes: Sequence[str]
    drivable: NDArray[np.bool_]
    boundary: shapely.Geometry
    taken_kinds: Shapes | None = None

    def of(self, *reasons: str) -> Shapes:
        """Return what is taken for these reasons, as in `planning.sifting.OF_COVER`."""
        if self.taken_kinds is None:
            return self.taken if "building" in reasons else self.taken[:0]
        wanted = [kind for kind, reason in OF_COVER.items() if reason in reasons]
        return self.taken[np.isin(self.taken_kinds.astype(str), wanted)]


def road_half_width_m(road_class: str) -> float:
    """Return half the width of the ground that a road of an OSM class takes, pavements included."""
    return _HALF_WIDTH_M.get(road_class.removesuffix("_link"), _USUAL_HALF_WIDTH_M)


def free_plots(land: Land, homes_xy_m: Floats, sieve: Sieve | None = None) -> Floats:
    """Return the middles of free plots on a lattice, shape (n, 2); the sieve counts what is left out and why.

    A plot is free when `PLOT_HALF_M` around its middle there is no building, road, water, green, wood,
    sand or farmland; it lies inside the territory, beside a road for cars, and near people.
    """
    if not len(homes_xy_m) or not len(land.roads):
        return np.empty((0, 2))
    sieve = sieve or Sieve()
    plots = _lattice(homes_xy_m)
    tree = cKDTree(homes_xy_m)
    near, _ = tree.query(plots, distance_upper_bound=NEAR_PEOPLE_M)
    plots = plots[np.isfinite(near)]  # what lies farther is no plot that anybody thought of, and is not counted
    shapely.prepare(land.boundary)
    plots = sieve.keep(plots, shapely.contains_xy(land.boundary, plots[:, 0], plots[:, 1]), "outside")
    plots = sieve.keep(plots, within(land.roads[land.drivable], plots, ROADSIDE_M), "far_from_road")
    return off_the_taken(land, plots, PLOT_HALF_M, sieve)


def off_the_taken(land: Land, plots: Floats, half_m: float, sieve: Sieve, *, buildings: bool = True) -> Floats:
    """Return the places with nothing but free ground within ``half_m``: no water, green, farmland, road or building.

    Parameters
    ----------
    buildings
        Whether ground under a building is taken; not where buildings are to be converted.
    """
    for reason in ("building", "water", "green", "farmland"):
        if reason != "building" or buildings:
            plots = sieve.keep(plots, ~within(land.of(reason), plots, half_m), reason)
    plots = sieve.keep(plots, ~within(land.waterways, plots, half_m + _USUAL_HALF_WIDTH_M), "water")
    widths = np.array([road_half_width_m(name) for name in land.road_classes])
    for width in np.unique(widths) if len(widths) else ():
        plots = sieve.keep(plots, ~within(land.roads[widths == width], plots, half_m + float(width)), "road")
    return plots


def spread_candidates(plots_xy_m: Floats, homes_xy_m: Floats, people: Floats, count: int) -> Ints:
    """Return the indices of at most ``count`` plots, spread as people live.

    People are gathered at ``count`` middles; each middle takes the nearest plot that is not taken yet,
    those with more people first.
    """
    if len(plots_xy_m) <= count:
        return np.arange(len(plots_xy_m))
    middles = gather(homes_xy_m, people, count)
    tree = cKDTree(plots_xy_m)
    nearest = np.asarray(tree.query(homes_xy_m[middles.at], k=range(1, _CHOICES + 1))[1])
    taken: dict[int, None] = {}
    for choices in nearest[np.argsort(-middles.people, kind="stable")]:
        free = next((int(plot) for plot in choices if plot < len(plots_xy_m) and int(plot) not in taken), None)
        if free is not None:
            taken[free] = None
    return np.sort(np.fromiter(taken, dtype=np.int64))


def _lattice(homes_xy_m: Floats) -> Floats:
    """Return points `STEP_M` apart in the squares where people live, a wider step where there are too many."""
    reach = 2 * NEAR_PEOPLE_M
    squares = np.unique(np.floor(homes_xy_m / reach).astype(np.int64), axis=0)
    around = np.array([(right, up) for right in (-1, 0, 1) for up in (-1, 0, 1)])
    squares = np.unique((squares[:, None, :] + around).reshape(-1, 2), axis=0)
    step = max(STEP_M, reach * np.sqrt(len(squares) / PLOTS_AT_MOST))
    inside = (np.arange(int(reach // step)) + 0.5) * step
    right, up = np.meshgrid(inside, inside)
    steps = np.column_stack([right.ravel(), up.ravel()])
    points: Floats = (squares[:, None, :] * reach + steps).reshape(-1, 2)
    return points
