"""From three files to a matrix of travel times and what is to be said of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.progress import Progress
from geodata.crs import metric_srid_of
from geodata.network import RoadNetwork, Snapped, build_network
from geodata.travel import compile_all, costs_of, matrix_s
from geodata.travel_files import Points, read_points, read_streets
from geodata.travel_matrix import Matrix, write_matrix
from geodata.travel_modes import Mode
from geodata.travel_report import far_points, pieces_of, quality_of


def street_matrix(
    streets: Path, origins: Path, destinations: Path, mode: Mode, *, far_m: float, out: Path, progress: Progress
) -> dict[str, Any]:
    """Write the matrix and return counts, seconds of each part, what was dropped and what is wrong.

    Raises
    ------
    InvalidInput
        When a file cannot be used, nobody may travel so on these streets, or no place lies near one.
    """
    roads = read_streets(streets)
    starts, goals = read_points(origins), read_points(destinations)
    progress.step("Preparing the streets")
    compiling = time.perf_counter()
    compile_all()
    began = time.perf_counter()
    west, south, east, north = shapely.total_bounds(roads.roads["geom"].to_numpy(dtype=object))
    network = build_network(roads.roads, mode, metric_srid_of((west + east) / 2, (south + north) / 2))
    if not len(network.targets):
        raise InvalidInput(f"{streets.name} has no street to {mode} on.", hint="Choose another mode or file.")
    costs_of(network)
    prepared = time.perf_counter()
    said = [*roads.notes, *starts.notes, *goals.notes]
    leaving = _met(network, starts, ("origins", origins.name), far_m, said)
    arriving = _met(network, goals, ("destinations", destinations.name), far_m, said)
    progress.step("Travel times")
    snapped = time.perf_counter()
    seconds = matrix_s(network, leaving, arriving, threads=0)
    swept = time.perf_counter()
    for points, rows in ((leaving, seconds), (arriving, seconds.T)):
        rows[far_points(points, far_m)] = np.inf
    write_matrix(out, Matrix(starts.ids, goals.ids, seconds))
    pieces = pieces_of(network)
    if pieces.kept > 1:
        said.append(
            f"The network has {pieces.kept} parts without a way between them (islands); times across are infinite."
        )
    return {
        "out": str(out),
        "mode": mode,
        "nodes": network.junctions,
        "arcs": int(np.isfinite(network.forward_s).sum() + np.isfinite(network.backward_s).sum()),
        "origins": len(starts),
        "destinations": len(goals),
        "unreachable": int((~np.isfinite(seconds)).sum()),
        "far_origins": len(far_points(leaving, far_m)),
        "far_destinations": len(far_points(arriving, far_m)),
        "compile_s": round(began - compiling, 3),
        "prepare_s": round(prepared - began, 3),
        "snap_s": round(snapped - prepared, 3),
        "matrix_s": round(swept - snapped, 3),
        "dropped": pieces.as_dict(),
        "quality": [*said, *quality_of(seconds, starts.ids, goals.ids)],
    }


def _met(network: RoadNetwork, points: Points, named: tuple[str, str], far_m: float, said: list[str]) -> Snapped:
    """Return where points meet the network; say how many lie too far, refuse when all do."""
    what, name = named
    met = network.snap(points.lonlat)
    far = far_points(met, far_m)
    if len(far) == len(points):
        turned = network.snap(_turned(points.lonlat)) if (np.abs(points.lonlat[:, 0]) <= 90).all() else met
        swapped = len(far_points(turned, far_m)) < len(points)
        raise InvalidInput(
            f"{name}: all {len(points):,} {what} lie more than {far_m:,.0f} m from every street"
            f" (the nearest {met.distance_m.min() / 1000:,.0f} km).",
            hint="Longitude and latitude are swapped."
            if swapped
            else "Are streets and places of one town, and does the file say its coordinate system?",
        )
    if len(far):
        shown = ", ".join(f"{points.ids[at]} {met.distance_m[at]:,.0f} m" for at in far[:5])
        more = " …" if len(far) > 5 else ""
        said.append(
            f"{len(far):,} of {len(points):,} {what} lie more than {far_m:,.0f} m from every street and have no time"
            f" ({shown}{more}). Correct them, take streets that cover them, or raise --far-m."
        )
    return met


def _turned(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ascontiguousarray(lonlat[:, ::-1])
