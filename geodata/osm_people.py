"""The people a building stands for: its use, its floors, its footprint."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from geodata import osm_landuse as landuse
from geodata.crs import project
from geodata.osm_read import OsmContent

INHABITED_SHARE = 0.1
"""With fewer buildings than this for each stretch of road, they are too few to tell where people live."""
_DWELLING_SITES = frozenset({"residential"})


def with_people(
    buildings: pd.DataFrame,
    sites: pd.DataFrame,
    metric_srid: int,
    people_total: float | None = None,
) -> pd.DataFrame:
    """Return the buildings with use, levels, footprint_m2 and people filled in.

    A building whose own tags do not say its use takes that of the marked land it stands on, else it is taken for a
    home by its size. Without ``people_total`` a resident takes a fixed gross floor area.
    """
    filled = buildings.copy()
    shapes = filled["geom"].to_numpy(dtype=object)
    footprint = shapely.area(project(shapes, metric_srid)) if len(shapes) else np.empty(0)
    use = filled["use"].to_numpy(dtype=object, copy=True)
    plain = np.flatnonzero(pd.isna(use))
    if len(plain):
        on_site = _site_uses(shapes[plain], sites)
        size = footprint[plain]
        house = (size >= landuse.HOUSE_MIN_M2) & (size <= landuse.HOUSE_MAX_M2)
        assumed = np.where(house, "residential", np.where(size < landuse.HOUSE_MIN_M2, "other", "commercial"))
        known = on_site.astype(bool)
        # A shed on residential land is still a shed.
        shed = known & np.isin(on_site, list(_DWELLING_SITES)) & (size < landuse.HOUSE_MIN_M2)
        use[plain] = np.where(shed, "other", np.where(known, on_site, assumed))
    levels = filled["levels"].to_numpy(dtype=float)
    levels = np.where(np.isnan(levels), [landuse.DEFAULT_LEVELS[name] for name in use.tolist()], levels)
    filled["use"] = use
    filled["levels"] = levels
    filled["footprint_m2"] = footprint
    filled["people"] = landuse.people_of(use, levels, footprint, people_total)
    return filled


def inhabited(content: OsmContent) -> bool:
    """Return whether there are enough buildings to tell where people live."""
    return len(content.buildings) > INHABITED_SHARE * len(content.roads)


def _site_uses(shapes: np.ndarray[tuple[int], np.dtype[np.object_]], sites: pd.DataFrame) -> np.ndarray:
    """Return the use of the smallest marked site each building stands on; "" where there is none."""
    found = np.full(len(shapes), "", dtype=object)
    if not len(sites):
        return found
    ground = sites["geom"].to_numpy(dtype=object)
    largest_first = np.argsort(-shapely.area(ground))
    shapely.prepare(ground)
    building, site = shapely.STRtree(ground[largest_first]).query(shapely.point_on_surface(shapes), predicate="within")
    order = np.argsort(site, kind="stable")
    found[building[order]] = sites["use"].to_numpy(dtype=object)[largest_first][site[order]]
    return found
