"""Which places may be built on: what is left out, why, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
DRAWN = 120
"""Places of each reason that are drawn, evenly taken."""
REASONS = (
    *("nowhere", "outside", "far_from_people", "far_from_road", "building", "water", "green", "farmland", "road"),
    *("too_small", "zone", "struck_out", "too_close"),
)
OF_COVER = {"building": "building", "water": "water", "green": "green", "wood": "green", "sand": "green",
            "farmland": "farmland"}  # fmt: skip


@dataclass
class Sieve:
    """Counts places that are left out, each by the first reason that holds.

    Attributes
    ----------
    counts
        Reason to number.
    drawn
        Reason to some of the places, in metres, shape (n, 2).
    """

    counts: dict[str, int] = field(default_factory=dict)
    drawn: dict[str, Floats] = field(default_factory=dict)

    def keep(self, xy_m: Floats, mask: Mask, reason: str) -> Floats:
        """Return the places that the mask keeps; count and remember the others."""
        self.note(xy_m, ~mask, reason)
        return xy_m[mask]

    def note(self, xy_m: Floats, out: Mask, reason: str) -> None:
        """Count and remember places that are left out."""
        gone = xy_m[out]
        if not len(gone):
            return
        self.counts[reason] = self.counts.get(reason, 0) + len(gone)
        some = gone[np.linspace(0, len(gone) - 1, min(DRAWN, len(gone))).astype(int)]
        self.drawn[reason] = np.vstack([self.drawn.get(reason, np.empty((0, 2))), some])[:DRAWN]


def within(shapes: NDArray[np.object_], xy_m: Floats, distance_m: float) -> Mask:
    """Return which places have one of the shapes within a distance."""
    found = np.zeros(len(xy_m), dtype=bool)
    if len(xy_m) and len(shapes):
        hits = shapely.STRtree(shapes).query(shapely.points(xy_m), predicate="dwithin", distance=distance_m)
        found[hits[0]] = True
    return found
