"""A peer of bench_balance.py: cells into areas by spopt, named first; answers as one JSON line.

python peer_areas.py METHOD CELLS.npz K
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version

import geopandas as gpd
import numpy as np
import shapely
from libpysal.weights import W


def main() -> None:
    """Solve and tell loads, labels and CPU seconds."""
    method, path, k = sys.argv[1], sys.argv[2], int(sys.argv[3])
    cells = np.load(path)
    place, pairs, load = cells["place"], cells["pairs"], cells["load"]
    beside: dict[int, list[int]] = {node: [] for node in range(len(load))}
    for one, other in pairs.tolist():
        beside[one].append(other)
        beside[other].append(one)
    weights = W(beside, silence_warnings=True)
    frame = gpd.GeoDataFrame(
        {"load": load, "x": place[:, 0], "y": place[:, 1]}, geometry=shapely.points(place), crs=32630
    )
    began = time.process_time()
    if method == "skater":
        from spopt.region import Skater

        model = Skater(frame, weights, attrs_name=["x", "y"], n_clusters=k, floor=int(0.5 * len(load) / k))
    else:
        from spopt.region import MaxPHeuristic

        floor = 0.9 * float(load.sum()) / k
        model = MaxPHeuristic(frame, weights, ["x", "y"], "load", floor, top_n=2, max_iterations_construction=9)
    model.solve()
    sys.stdout.write(
        json.dumps(
            {
                "seconds": time.process_time() - began,
                "version": version("spopt"),
                "labels": np.asarray(model.labels_).astype(int).tolist(),
            }
        )
    )


if __name__ == "__main__":
    main()
