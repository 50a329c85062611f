"""Grids: cutting a territory, and the cell of a million points, against geopandas in the same run.

The city is made up, of the size of the Isle of Wight: 33 communities, a coast of 6,000 corners. CPU
seconds, the best of several runs. Writes docs/figures/bench_grids.md.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from figures import FIGURES, SHORT

from grids.lattice import Lattice
from grids.locate import Locator
from grids.partition import partition

REPORT = FIGURES / "bench_grids.md"
POINTS = 100_000 if SHORT else 1_000_000
SRID = 32630


def best(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Return the least CPU seconds of several rounds, and the last result."""
    least, result = float("inf"), None
    for _ in range(rounds):
        began = time.process_time()
        result = work()
        least = min(least, time.process_time() - began)
    return least, result


def city() -> gpd.GeoDataFrame:
    """Communities of an island of 380 km²."""
    rng = np.random.default_rng(1)
    angle = np.linspace(0, 2 * np.pi, 6_000, endpoint=False)
    wander = 1 + 0.2 * np.cumsum(rng.normal(size=6_000)) / np.sqrt(6_000) * np.sin(angle / 2)
    coast = np.stack([620_000 + 11_000 * wander * np.cos(angle), 5_615_000 + 11_000 * wander * np.sin(angle)], axis=1)
    island = shapely.Polygon(coast).buffer(0)
    seeds = shapely.multipoints(rng.uniform((609_000, 5_604_000), (631_000, 5_626_000), (33, 2)))
    lines = shapely.union_all([island.boundary, shapely.voronoi_polygons(seeds, only_edges=True)])
    parts = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    parts = parts[shapely.contains(island, shapely.point_on_surface(parts))]
    return gpd.GeoDataFrame({"community_id": range(1, len(parts) + 1)}, geometry=parts, crs=SRID)


def peer_partition(areas: gpd.GeoDataFrame, size_m: Mapping[int, float]) -> gpd.GeoDataFrame:
    """The usual way: boxes over each community, geopandas.clip."""
    pieces = []
    for identity, area in zip(areas["community_id"], areas.geometry, strict=True):
        lattice = Lattice("square", size_m[identity])
        west, east, south, north = lattice.index_range(area.bounds)
        column, row = (part.ravel() for part in np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1)))
        pieces.append(gpd.GeoSeries(lattice.polygons(column, row), crs=SRID).clip(area).explode())
    return gpd.GeoDataFrame(geometry=np.concatenate([piece.to_numpy() for piece in pieces]), crs=SRID)


def main() -> None:
    """Measure, print and write the report."""
    areas = city()
    mixed = {identity: 100.0 if identity % 4 == 0 else 500.0 for identity in areas["community_id"]}
    rng = np.random.default_rng(2)
    west, south, east, north = areas.total_bounds
    x, y = rng.uniform(west, east, POINTS), rng.uniform(south, north, POINTS)
    transformer = pyproj.Transformer.from_crs(4326, SRID, always_xy=True)
    lon, lat = transformer.transform(x, y, direction="INVERSE")
    in_degrees, _ = best(lambda: transformer.transform(lon, lat), 3)
    arithmetic = {
        kind: best(lambda kind=kind: Lattice(kind, 100.0).index(x, y), 5)[0] for kind in ("square", "hexagon")
    }

    lines = [
        "# Grids: speed",
        "",
        (
            f"CPU seconds on {os.cpu_count()} × {processor()}; Python {platform.python_version()},"
            f" numpy {np.__version__}, shapely {shapely.__version__} (GEOS {shapely.geos_version_string}),"
            f" geopandas {gpd.__version__}. Made by `make bench`."
        ),
        "",
        (
            f"A made-up island: {len(areas)} communities, {areas.area.sum() / 1e6:.0f} km², coast of 6,000 corners;"
            f" {POINTS:,} points over its box."
        ),
        "",
        (
            "| grid | cells | cut | clip of geopandas | table made | exact cell of a million points |"
            " sjoin of geopandas | times faster |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for title, kind, size_m in (
        ("squares, 100 m", "square", dict.fromkeys(mixed, 100.0)),
        ("squares, 100 m in towns, 500 m elsewhere", "square", mixed),
        ("hexagons, 100 m", "hexagon", dict.fromkeys(mixed, 100.0)),
        ("hexagons, 100 m and 500 m", "hexagon", mixed),
    ):
        cut, cells = best(lambda kind=kind, size_m=size_m: partition(areas, kind=kind, size_m=size_m), 2)
        peer_cut = "–"
        if kind == "square":
            seconds, peer_cells = best(lambda size_m=size_m: peer_partition(areas, size_m), 1)
            peer_cut = f"{seconds:.2f}"
            assert abs(peer_cells.area.sum() / cells["area_m2"].sum() - 1) < 1e-9
        made, locator = best(
            lambda cells=cells: Locator(cells.geometry.to_numpy(), cells["kind"].tolist(), cells["size_m"].tolist()), 2
        )
        exact, found = best(lambda locator=locator: locator.locate(x, y), 5)
        points = gpd.GeoDataFrame(geometry=shapely.points(x, y), crs=SRID)
        joined, pairs = best(lambda points=points, cells=cells: points.sjoin(cells[["geometry"]], how="inner"), 1)
        right = np.full(POINTS, -1)
        right[pairs.index] = pairs["index_right"]
        assert (right == found).all(), "sjoin finds other cells"
        lines.append(
            f"| {title} | {len(cells):,} | {cut:.2f} | {peer_cut} | {made:.2f} | {exact:.3f} | {joined:.2f} |"
            f" {joined / exact:.0f} |"
        )
    lines += [
        "",
        (
            f"The lattice alone (a million points, no community lines): squares {arithmetic['square']:.3f},"
            f" hexagons {arithmetic['hexagon']:.3f}. Points given in degrees cost the projection on top:"
            f" {in_degrees:.2f} (PROJ). Every answer was compared with sjoin, point by point."
        ),
        "",
    ]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))  # noqa: T201


def processor() -> str:
    """Return the name of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
