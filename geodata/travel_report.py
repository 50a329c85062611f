"""What is wrong or noteworthy about a network and the points on it: what, how many, what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from core.errors import DataQuality
from geodata.network import RoadNetwork, Snapped

FAR_M = 1000.0
"""A point farther than this from every road is one nobody meant: a wrong place, or roads of another town."""


@dataclass(frozen=True)
class Pieces:
    """How a network falls apart into pieces in which each place is reached from each other.

    Attributes
    ----------
    count
        Pieces with a road of their own, one is usual.
    kept, dropped
        Pieces that points may meet, and that are too short for that.
    dropped_stretches, dropped_km
        Roads no point meets: those of dropped pieces, and what only leads in or only out.
    largest_dropped_km
        The longest dropped piece: an island, when it is long.
    """

    count: int
    kept: int
    dropped: int
    dropped_stretches: int
    dropped_km: float
    largest_dropped_km: float

    def as_dict(self) -> dict[str, int | float]:
        """Return the numbers by name."""
        return asdict(self)


def pieces_of(network: RoadNetwork) -> Pieces:
    """Return into which strongly connected pieces a network falls, and what of it no point can meet."""
    everything = np.arange(len(network.ends))
    outside = np.setdiff1d(everything, network.targets)
    if not len(network.ends):
        return Pieces(0, 0, 0, 0, 0.0, 0.0)
    count, label = connected_components(network.graph, directed=True, connection="strong")
    inside = label[network.ends[:, 0]] == label[network.ends[:, 1]]
    own_m = np.bincount(label[network.ends[inside, 0]], weights=network.length_m[inside], minlength=count)
    met = np.zeros(count, dtype=bool)
    met[label[network.ends[network.targets, 0]]] = True
    real = own_m > 0
    dropped = own_m[real & ~met]
    return Pieces(
        count=int(real.sum()),
        kept=int((real & met).sum()),
        dropped=len(dropped),
        dropped_stretches=len(outside),
        dropped_km=round(float(network.length_m[outside].sum()) / 1000, 3),
        largest_dropped_km=round(float(dropped.max()) / 1000, 3) if len(dropped) else 0.0,
    )


def far_points(points: Snapped, limit_m: float = FAR_M) -> NDArray[np.int64]:
    """Return which points are farther than a limit from every road."""
    return np.flatnonzero(~(points.distance_m <= limit_m))


def refuse_far(points: Snapped, names: NDArray[np.str_], what: str, limit_m: float = FAR_M) -> None:
    """Raise where a point lies too far from every road.

    Raises
    ------
    DataQuality
        Naming each of them with its distance.
    """
    far = far_points(points, limit_m)
    if len(far):
        raise DataQuality(
            f"{len(far):,} of {len(points):,} {what} lie more than {limit_m:,.0f} m from every road.",
            [f"{names[at]}: {points.distance_m[at]:,.0f} m" for at in far],
            hint="Correct them, take streets that cover them, or raise the limit.",
        )


def quality_of(od_s: NDArray[np.floating], origins: NDArray[np.str_], destinations: NDArray[np.str_]) -> list[str]:
    """Return sentences about points of a matrix without any way; empty when all have one."""
    found = []
    ways = np.isfinite(od_s)
    for what, names, there in (
        ("origins reach no destination", origins, ways.any(axis=1)),
        ("destinations are reached from no origin", destinations, ways.any(axis=0)),
    ):
        lost = np.flatnonzero(~there)
        if len(lost):
            shown = ", ".join(str(names[at]) for at in lost[:5]) + (" …" if len(lost) > 5 else "")
            found.append(f"{len(lost):,} of {len(names):,} {what} ({shown}); their times are infinite.")
    return found
