"""Cutting ways into stretches between junctions: the edges of the road graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.crs import stretch_lengths_m


def split_roads(
    ways: pd.DataFrame,
    sizes: NDArray[np.int64],
    refs: NDArray[np.int64],
    points: NDArray[np.float64],
) -> pd.DataFrame:
    """Return a row per stretch: the columns of its way, and piece, from_node, to_node, length_m, geom.

    A way is cut at its ends and wherever a node belongs to it twice or to another way too.

    Parameters
    ----------
    ways
        A row per way (or per part of a way whose other nodes are missing), in the order of ``sizes``.
    sizes
        Number of points of each way.
    refs, points
        Node identities, shape (n,), and longitude and latitude, shape (n, 2), of all ways one after the other.
    """
    way_of = np.repeat(np.arange(len(sizes)), sizes)
    # The same node twice in a row is a slip of the mapper, not a stretch of no length.
    fresh = np.ones(len(refs), dtype=bool)
    fresh[1:] = (refs[1:] != refs[:-1]) | (way_of[1:] != way_of[:-1])
    way_of, refs, points = way_of[fresh], refs[fresh], points[fresh]

    _, node, uses = np.unique(refs, return_inverse=True, return_counts=True)
    cut = uses[node] > 1
    if len(refs):
        starts = np.flatnonzero(np.r_[True, way_of[1:] != way_of[:-1]])
        cut[starts] = True
        cut[np.r_[starts[1:] - 1, len(refs) - 1]] = True
    cuts = np.flatnonzero(cut)
    same_way = way_of[cuts[:-1]] == way_of[cuts[1:]]
    first, last = cuts[:-1][same_way], cuts[1:][same_way]

    lengths = last - first + 1
    offsets = np.r_[0, np.cumsum(lengths)[:-1]].astype(np.int64) if len(lengths) else np.empty(0, dtype=np.int64)
    stretch = np.repeat(np.arange(len(first)), lengths)
    index = first[stretch] + np.arange(len(stretch)) - offsets[stretch]
    line = points[index]

    rows = ways.iloc[way_of[first]].reset_index(drop=True)
    rows["piece"] = rows.groupby("source_ref", sort=False).cumcount() if len(rows) else np.empty(0, dtype=np.int64)
    rows["from_node"] = refs[first]
    rows["to_node"] = refs[last]
    rows["length_m"] = stretch_lengths_m(line[:, 0], line[:, 1], offsets)
    rows["geom"] = shapely.linestrings(line, indices=stretch) if len(rows) else np.empty(0, dtype=object)
    # A stretch whose points all lie on one spot has no direction and no length.
    kept: pd.DataFrame = rows[rows["length_m"] > 0].reset_index(drop=True)
    return kept
