"""What an answer was computed from, as short hashes: equal hashes mean equal data."""

from __future__ import annotations

import hashlib

import numpy as np
import shapely

from geodata.travel_own import MatrixWays
from planning.posing import City

DIGITS = 16
LANDS = ("taken", "waterways", "roads")


def fingerprint(city: City) -> dict[str, str]:
    """Return hashes of people, facilities, roads and land of a city."""
    network = city.network
    return {
        "people": _hash(city.homes, city.people, city.community_id),
        "facilities": _hash(city.existing),
        "roads": _hash(network.od_s)
        if isinstance(network, MatrixWays)
        else _hash(network.ends, network.forward_s, network.backward_s, network.length_m),
        "land": _hash(*(np.asarray(shapely.to_wkb(getattr(city.land, name))) for name in LANDS)),
    }


def _hash(*parts: np.ndarray) -> str:
    made = hashlib.sha256()
    for part in parts:
        made.update(b"".join(part.tolist()) if part.dtype == object else np.ascontiguousarray(part).tobytes())
        made.update(b"|")
    return made.hexdigest()[:DIGITS]
