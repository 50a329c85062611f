"""A peer of bench_blocks.py: enclosures of momepy along the same lines, or along lines that
neatnet simplified before; answers as one JSON line.

python peer_enclosures.py momepy|neatnet LINES.parquet BOUNDARY.parquet OUT.parquet
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version

import geopandas as gpd


def main() -> None:
    """Cut and tell CPU seconds."""
    import momepy

    by, lines, boundary = sys.argv[1], gpd.read_parquet(sys.argv[2]), gpd.read_parquet(sys.argv[3])
    began = time.process_time()
    if by == "neatnet":
        import neatnet

        lines = neatnet.neatify(lines)
    found = momepy.enclosures(lines, limit=boundary)
    seconds = time.process_time() - began
    gpd.GeoDataFrame(geometry=found.geometry, crs=lines.crs).to_parquet(sys.argv[4])
    print(json.dumps({"seconds": seconds, "version": version(by), "cells": len(found)}))  # noqa: T201


if __name__ == "__main__":
    main()
