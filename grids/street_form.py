"""Form of the streets in and around each cell: how dense, how straight, how ordered, as OSMnx defines it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from grids.lattice import Geometries

BEARINGS = 36
"""Classes of direction that the entropy counts; the first is centred on north."""


def street_form(cells: Geometries, streets: Geometries, *, within_m: float = 0.0) -> pd.DataFrame:
    """Return the form of the streets by cell.

    Parameters
    ----------
    cells
        Polygons in a CRS in metres.
    streets
        Lines between two junctions each, in the same CRS.
    within_m
        How far around a cell its streets count; blocks have their streets on their border, so that 0 counts them
        for both neighbours.

    Returns
    -------
    DataFrame
        A row a cell: ``street_m`` (length of the parts of streets within reach), ``density_km_km2`` (per area of the
        cell), ``junctions`` (points within reach where at least three streets meet), ``circuity`` (length over the
        straight distance between ends of the streets that come within reach; 1 is straight; NaN without any) and
        ``entropy`` (of their directions, each counted both ways, in nats: ln 36 when all are as frequent, ln 4 for a
        chessboard).

    Notes
    -----
    Boeing, *Urban spatial order: street network orientation, configuration, and entropy* (2019).
    """
    count = len(cells)
    reach = shapely.buffer(cells, max(within_m, 1e-6))
    cell, street = shapely.STRtree(streets).query(reach, predicate="intersects")
    inside = shapely.length(shapely.intersection(reach[cell], streets[street]))
    real = inside > 1e-3
    cell, street, inside = cell[real], street[real], inside[real]
    street_m = np.bincount(cell, inside, minlength=count).astype(np.float64)
    begin, end = (shapely.get_coordinates(shapely.get_point(streets, at)) @ np.array([1, 1j]) for at in (0, -1))
    length, straight = shapely.length(streets), np.abs(end - begin)
    bent = np.bincount(cell, length[street], minlength=count)
    direct = np.bincount(cell, straight[street], minlength=count)
    place, meets = np.unique(np.round(np.concatenate([begin, end]), 2), return_counts=True)
    at = np.asarray(shapely.points(place.real, place.imag), dtype=object).reshape(-1)[meets >= 3]
    junctions = np.bincount(shapely.STRtree(at).query(reach, predicate="intersects")[0], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return pd.DataFrame(
            {
                "street_m": street_m,
                "density_km_km2": 1e3 * street_m / shapely.area(cells),
                "junctions": junctions,
                "circuity": np.where(direct > 0, bent / direct, np.nan),
                "entropy": _entropy(cell, (end - begin)[street], count),
            }
        )


def _entropy(cell: np.ndarray, step: np.ndarray, count: int) -> np.ndarray:
    """Return the entropy of the directions of steps by cell; NaN where there is none."""
    moved = np.abs(step) > 0
    cell, step = cell[moved], step[moved]
    bearing = np.degrees(np.arctan2(step.real, step.imag))
    both = np.concatenate([bearing, bearing + 180.0]) % 360.0
    which = np.floor((both + 180.0 / BEARINGS) / (360.0 / BEARINGS)).astype(np.int64) % BEARINGS
    seen = np.bincount(np.concatenate([cell, cell]) * BEARINGS + which, minlength=count * BEARINGS)
    seen = seen.reshape(count, BEARINGS)
    whole = seen.sum(axis=1, keepdims=True)
    share = seen / np.maximum(whole, 1)
    found = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1)
    return np.asarray(np.where(whole[:, 0] > 0, found, np.nan))
