"""From three files to a matrix of travel times and what is to be said of it."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from app.matrix_speeds import SpeedFile, with_speeds
from core.errors import InvalidInput
from core.progress import Progress
from geodata.crs import metric_srid_of
from geodata.network import RoadNetwork, Snapped, build_network
from geodata.transit import transit_s
from geodata.transit_feed import Timetable, read_timetable
from geodata.travel import compile_all, costs_of, matrix_s
from geodata.travel_files import Points, read_points, read_streets
from geodata.travel_matrix import Matrix, write_matrix
from geodata.travel_modes import Mode
from geodata.travel_report import far_points, pieces_of, quality_of


@dataclass(frozen=True)
class Transit:
    """By which timetables people ride, on which day, and when they set out (seconds since midnight)."""

    feeds: tuple[Path, ...]
    day: dt.date
    departures_s: tuple[float, ...]


def street_matrix(
    streets: Path, origins: Path, destinations: Path, mode: Mode, *, far_m: float, out: Path, progress: Progress,
    transit: Transit | None = None, speeds: SpeedFile | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write the matrix and return counts, seconds of each part, what was dropped and what is wrong.

    Parameters
    ----------
    transit
        People walk (``mode`` is walk) and ride; None: they go by ``mode`` all the way.
    speeds
        Cars go as fast as was measured; None: as fast as the roads allow.

    Raises
    ------
    InvalidInput
        When a file cannot be used, nobody may travel so on these streets, or no place lies near one.
    """
    timetable = None if transit is None else read_timetable(transit.feeds, transit.day)
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
    measured = None
    if speeds is not None:
        network, measured = with_speeds(network, roads.roads, speeds)
    costs_of(network)
    prepared = time.perf_counter()
    said = [*roads.notes, *starts.notes, *goals.notes, *(measured.pop("notes") if measured else ())]
    leaving = _met(network, starts, ("origins", origins.name), far_m, said)
    arriving = _met(network, goals, ("destinations", destinations.name), far_m, said)
    progress.step("Travel times")
    snapped = time.perf_counter()
    if timetable is None or transit is None:
        seconds = matrix_s(network, leaving, arriving, threads=0)
    else:
        seconds = transit_s(network, timetable, leaving, arriving, transit.departures_s, progress=progress)
        said += timetable.notes
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
        "mode": mode if transit is None else "transit",
        **({} if timetable is None or transit is None else _ridden(timetable, transit)),
        **({} if measured is None else {"speeds": measured}),
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


def _ridden(timetable: Timetable, transit: Transit) -> dict[str, Any]:
    return {
        "day": transit.day.isoformat(),
        "departures": [f"{int(at) // 3600:02}:{int(at) // 60 % 60:02}" for at in transit.departures_s],
        "stops": len(timetable.stops),
        "trips": timetable.trips,
        "rides": len(timetable.trip),
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
