"""A plausible register of components for a demo city: lamps and manholes along streets, bins, benches; simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.demo.ground import Ground
from app.demo.sites import place_weights
from app.demo.staff import Units
from geodata.bulk import copy_rows, reserve_ids
from geodata.crs import project
from geodata.territory import TerritoryInfo
from incidents.components import NO_DISTRICT, make_identifier
from incidents.model import ClassInfo

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST = 4_000
LINKED_M = 50.0
SHARES: Mapping[str, tuple[str, float]] = {
    "component-01-18": ("homes", 0.30),
    "component-01-03": ("roads", 0.12),
    "component-01-04": ("roads", 0.10),
    "component-01-01": ("homes", 0.08),
    "component-01-02": ("homes", 0.08),
    "component-01-05": ("homes", 0.04),
    "component-01-13": ("shops", 0.03),
    "component-02-09": ("main", 0.07),
    "component-02-14": ("main", 0.02),
    "component-02-03": ("main", 0.03),
    "component-03-05": ("shops", 0.08),
    "component-04-07": ("green", 0.05),
}
"""Class to where its components stand and its share of all of them."""
_DAMAGED, _PLANNED = 0.02, 0.01


@dataclass(frozen=True, slots=True)
class Register:
    """What was written: class key to ids and points (degrees)."""

    ids: Mapping[str, Ids]
    points: Mapping[str, NDArray[np.object_]]


def write_components(
    session: Session,
    territory: TerritoryInfo,
    ground: Ground,
    classes: Mapping[str, ClassInfo],
    units: Units,
    *,
    seed: int,
) -> Register:
    """Write the simulated register and return where its components stand; the same seed gives the same one."""
    rng = np.random.default_rng([seed, 5])
    total = min(MOST, len(ground.sites))
    ids: dict[str, Ids] = {}
    points: dict[str, NDArray[np.object_]] = {}
    for key, (where, share) in SHARES.items():
        if key not in classes:
            continue
        chosen = _sites(ground, where, max(1, round(total * share)), rng)
        points[key] = np.asarray(shapely.points(ground.sites.lon[chosen], ground.sites.lat[chosen]), dtype=object)
        ids[key] = reserve_ids(session, "component", len(chosen))
        communities = ground.community_ids[chosen].tolist()
        owner = [units.owner(key, area) for area in communities]
        draw = rng.random(len(chosen))
        copy_rows(
            session,
            "component",
            {
                "id": ids[key],
                "territory_id": np.full(len(chosen), territory.id),
                "code": [make_identifier(NO_DISTRICT, classes[key].code, at + 1).text for at in range(len(chosen))],
                "class_id": np.full(len(chosen), classes[key].id),
                "state": np.select([draw < _DAMAGED, draw < _DAMAGED + _PLANNED], ["damaged", "planned"], "in_use"),
                "unit_id": owner,
                "property_unit_id": owner,
                "upkeep_unit_id": [units.office_of[area] for area in communities],
                "place": ground.sites.street[chosen],
                "community_id": communities,
                "simulated": np.ones(len(chosen), dtype=bool),
                "geom": points[key],
            },
        )
    return Register(ids, points)


def nearest_component(
    register: Register, keys: NDArray[np.object_], lon: Floats, lat: Floats, metric_srid: int
) -> NDArray[np.object_]:
    """Return the component of its class nearest to each incident within `LINKED_M`; None where there is none."""
    found = np.full(len(keys), None, dtype=object)
    for key, ids in register.ids.items():
        mine = np.flatnonzero(keys == key)
        if not len(mine) or not len(ids):
            continue
        tree = shapely.STRtree(project(register.points[key], metric_srid))
        here = project(np.asarray(shapely.points(lon[mine], lat[mine]), dtype=object), metric_srid)
        row, nearest = tree.query_nearest(here, max_distance=LINKED_M, all_matches=False)
        found[mine[row]] = ids[nearest]
    return found


def _sites(ground: Ground, where: str, count: int, rng: np.random.Generator) -> Ids:
    """Return sites without repetition, weighted by kind of place, from west to east."""
    weights = place_weights(ground.sites, where)
    count = min(count, len(weights))
    chosen = rng.choice(len(weights), size=count, replace=False, p=weights / weights.sum())
    return np.asarray(chosen[np.argsort(ground.sites.lon[chosen], kind="stable")], dtype=np.int64)
