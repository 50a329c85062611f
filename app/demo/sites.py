"""Where simulated incidents happen: points along the streets, weighted by what is near (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

SPACING_M = 25.0
NEAR_M = 120.0
COUNTY_TOWN = 1.6
"""People come to the main town from all around, so more happens there than its homes tell."""
OUTLINE_M = 20.0
ROAD_CLASS_WEIGHT = {
    "primary": 1.0, "secondary": 1.0, "tertiary": 0.9, "residential": 1.0, "living_street": 1.0,
    "unclassified": 0.6, "pedestrian": 1.6, "service": 0.25, "footway": 0.2, "cycleway": 0.15,
    "steps": 0.1, "path": 0.05, "track": 0.08, "bridleway": 0.03, "trunk": 0.9, "motorway": 0.3,
}  # fmt: skip
MAIN_CLASSES = ("trunk", "primary", "secondary", "tertiary")


@dataclass(frozen=True, slots=True)
class Sites:
    """Points along streets, all arrays of one length.

    Attributes
    ----------
    street
        Name of the street, empty where it has none.
    people_km2
        Residents per square kilometre around.
    shops, water_m, green_m
        Facilities within `NEAR_M`; distance to water and to green.
    in_focus
        Whether the point lies in the community the map opens on.
    """

    lon: Floats
    lat: Floats
    street: Texts
    road_class: Texts
    people_km2: Floats
    shops: Floats
    water_m: Floats
    green_m: Floats
    in_focus: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.lon)


def points_along(lines: NDArray[np.object_], length_m: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return line index, x and y of points about every `SPACING_M` along each line, at least one a line."""
    count = np.maximum(1, np.round(length_m / SPACING_M)).astype(np.int64)
    line = np.repeat(np.arange(len(lines)), count)
    rank = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    fraction = (rank + 0.5) / count[line]
    points = shapely.line_interpolate_point(lines[line], fraction, normalized=True)
    return line, shapely.get_x(points), shapely.get_y(points)


def distance_m(points: NDArray[Any], shapes: NDArray[Any], farthest_m: float) -> Floats:
    """Return the distance of each point to the nearest outline, ``farthest_m`` where none is nearer; metric CRS.

    Outlines count as points every `OUTLINE_M`, which is near enough here and ten times as fast.
    """
    found = np.full(len(points), farthest_m)
    if len(shapes) == 0 or len(points) == 0:
        return found
    outline = shapely.get_coordinates(shapely.segmentize(shapes, OUTLINE_M))
    spots = shapely.points(np.unique(np.round(outline / OUTLINE_M), axis=0) * OUTLINE_M)
    tree = shapely.STRtree(np.asarray(spots, dtype=object))
    (index, _), metres = tree.query_nearest(points, max_distance=farthest_m, return_distance=True, all_matches=False)
    found[index] = metres
    return found


def count_near(points: NDArray[Any], others: NDArray[Any]) -> Floats:
    """Return how many of ``others`` lie within `NEAR_M` of each point; metric CRS."""
    if len(others) == 0 or len(points) == 0:
        return np.zeros(len(points))
    index, _ = shapely.STRtree(others).query(points, predicate="dwithin", distance=NEAR_M)
    return np.bincount(index, minlength=len(points)).astype(np.float64)


def place_weights(sites: Sites, where: str) -> Floats:
    """Return the relative chance of each site for one kind of place; never all zero."""
    road = np.array([ROAD_CLASS_WEIGHT.get(kind, 0.2) for kind in sites.road_class])
    main = np.isin(sites.road_class, MAIN_CLASSES)
    homes: Floats = sites.people_km2 / 1000.0
    named = np.where(sites.street == "", 0.3, 1.0)
    weights = {
        "roads": road * (0.15 + homes**0.6),
        "homes": road * (0.02 + homes),
        "centre": road * (0.05 + homes * 0.6 + np.sqrt(sites.shops)),
        "shops": road * (0.01 + sites.shops**0.8),
        "main": np.where(main, 1.0, 0.03) * (0.25 + homes**0.6),
        "lanes": road * (0.3 + np.exp(-homes)) * np.where(main, 0.5, 1.0),
        "water": road * np.exp(-sites.water_m / 60.0) * (0.1 + homes**0.7) + 1e-4 * road * homes,
        "green": road * np.exp(-sites.green_m / 50.0) * (0.1 + homes**0.7) + 1e-4 * road * homes,
    }[where]
    chance: Floats = weights * named * np.where(sites.in_focus, COUNTY_TOWN, 1.0) + 1e-9
    return chance


def rough_ground(sites: Sites, rng: np.random.Generator, block_deg: float = 0.0025) -> Floats:
    """Return a lasting factor per site, equal within blocks: some corners are simply worse than others."""
    block = np.stack([np.floor(sites.lon / block_deg), np.floor(sites.lat / block_deg)], axis=1)
    _, index = np.unique(block, axis=0, return_inverse=True)
    index = index.reshape(-1)
    blocks = rng.normal(0.0, 0.6, int(index.max(initial=0)) + 1)
    worse: Floats = np.exp(blocks[index] + rng.normal(0.0, 0.3, len(sites)))
    return worse


def chronic_site(sites: Sites) -> int:
    """Return the site of the chronic corner: busy, with shops and homes, named, in the focus community."""
    score = (1 + sites.shops) * (1 + sites.people_km2) * np.where(sites.street == "", 0.0, 1.0)
    score = score * np.isin(
        sites.road_class, ("residential", "pedestrian", "unclassified", "tertiary", "living_street")
    )
    inside = np.where(sites.in_focus, score, 0.0)
    return int(np.argmax(inside if inside.any() else score))
