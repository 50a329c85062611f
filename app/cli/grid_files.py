"""grid make and grid check on files, without a database: boundary and streets in, cells out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from app.cli.grid_lines import CityLines, read_city_lines
from core.errors import DataQuality, InvalidInput
from core.progress import Progress
from geodata.crs import metric_srid_of, project, shapes_in_wgs84
from geodata.quality import read_boundary
from geodata.vector_files import read_shapes
from grids.balance import balance, compose
from grids.blocks import BORDER_KINDS, OFF_LINE_SHARE, street_blocks
from grids.border_reasons import reasons
from grids.ground import ground_of
from grids.importing import check_degrees, read_cells_of, words_of
from grids.lattice import Geometries
from grids.partition import partition
from grids.quality import Quality, check_cells
from grids.seams import share_vertices
from grids.shapes import h3_cells, voronoi_cells
from grids.topology import Repaired, repair

_HULL_SHARE = 0.3
_HULL_POINTS = 50_000
_HULL_EDGE_M = 20.0
ENDINGS = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG", ".parquet": "parquet"}


def make_file(
    kind: str,
    out: Path,
    *,
    boundary: Path | None,
    streets: Path | None,
    size_m: float | None,
    target_m2: float,
    resolution: int | None = None,
    points: Path | None = None,
    off_line_share: float = OFF_LINE_SHARE,
    along_paths: bool = True,
    progress: Progress,
) -> dict[str, Any]:
    """Cut a boundary into cells, write them, and return what came of it.

    Blocks come with the reasons of their borders: layer ``borders`` of a GeoPackage, a file beside any other.

    Parameters
    ----------
    boundary
        None takes the concave hull of the streets.
    off_line_share, along_paths
        See `grids.blocks.street_blocks`.

    Raises
    ------
    InvalidInput
        Files that cannot be read, an unknown ending, streets or sizes that lack.
    """
    began = time.perf_counter()
    _check_out(out)
    if kind == "block" and streets is None:
        raise InvalidInput("Blocks are cut along streets.", hint="Give --streets FILE.")
    _check_wish(kind, size_m, resolution, points)
    lines = read_city_lines(streets) if streets is not None else None
    whole, srid = _ground(boundary, lines)
    borders = None
    parts = shapely.get_parts(whole)
    areas = gpd.GeoDataFrame({"community_id": np.arange(1, len(parts) + 1)}, geometry=parts, crs=srid)
    if kind == "block" and lines is not None:
        metric = lines.to_metres(srid)
        _check_met(metric, whole, target_m2)
        cells = street_blocks(
            areas,
            metric.cut_along,
            target_m2=target_m2,
            built_up=metric.built_up,
            off_line_share=off_line_share,
            along_paths=along_paths,
            buildings=metric.buildings,
            progress=progress,
        )
        borders = reasons(cells, metric.frame)
    elif kind == "h3":
        cells = h3_cells(areas, srid, resolution=int(resolution or 0), progress=progress)
    elif kind == "voronoi" and points is not None:
        places = read_shapes(points).geometry
        cells = voronoi_cells(areas, shapely.point_on_surface(project(places, srid)), progress=progress)
    else:
        cells = partition(areas, kind=kind, size_m=float(size_m or 0), progress=progress)
    if borders is not None:  # cells are counted from 1
        borders = borders.assign(left=borders["left"] + 1, right=borders["right"] + 1)
    _write(cells, out, srid, borders)
    return {
        "kind": kind,
        "cells": len(cells),
        "area_m2": float(cells["area_m2"].sum()),
        "boundary_area_m2": float(shapely.area(whole)),
        "median_m2": float(cells["area_m2"].median()),
        "seconds": round(time.perf_counter() - began, 3),
        "file": str(out),
    }


def _check_met(lines: CityLines, whole: shapely.Geometry, target_m2: float) -> None:
    """Return when the boundary has room for a cell, and some line runs inside it: else all of it would be one cell."""
    area_m2, least_m2 = float(shapely.area(whole)), target_m2 / 20
    if area_m2 < least_m2:
        raise InvalidInput(
            f"The boundary holds {area_m2:,.0f} m²; the smallest cell would have {least_m2:,.0f} m².",
            hint="Give the boundary of a community, not of a building.",
            zh=f"边界面积仅 {area_m2:,.0f} 平方米，小于最小网格 {least_m2:,.0f} 平方米。请提供社区界线，而非单栋建筑。",
        )
    if not shapely.intersects(whole, lines.of(*BORDER_KINDS, "path")).any():
        raise InvalidInput(
            "No street of the file runs inside the boundary.",
            hint="Do both lie in one place, and longitude before latitude?",
            zh="道路文件中没有道路穿过该边界。请确认两者位于同一处，且经度在前。",
        )


def _ground(boundary: Path | None, lines: CityLines | None) -> tuple[shapely.Geometry, int]:
    """Return what is to be cut, in metres, and the CRS: the boundary, else the hull of the streets."""
    if boundary is not None:
        area = read_boundary(boundary)
        srid = _srid(area)
        return project(np.array([area], dtype=object), srid)[0], srid
    if lines is not None:
        ways = lines.of("street", "path")
        srid = _srid(shapely.box(*shapely.total_bounds(ways)))
        return _hull(project(ways, srid)), srid
    raise InvalidInput("There is nothing to cut.", hint="Give --boundary FILE or --streets FILE.")


def _check_wish(kind: str, size_m: float | None, resolution: int | None, points: Path | None) -> None:
    if kind not in {"block", "h3", "voronoi"} and size_m is None:
        raise InvalidInput(f"Cells of kind {kind} need a width.", hint="Give --size-m.")
    if kind == "h3" and resolution is None:
        raise InvalidInput("H3 cells need a resolution.", hint="Give --resolution, e.g. 10.")
    if kind == "voronoi" and points is None:
        raise InvalidInput("Voronoi cells need points.", hint="Give --points FILE.")


def check_file(cells: Path, *, streets: Path | None, boundary: Path | None) -> Quality:
    """Return the quality card of the cells of a file."""
    shapes = _shapes_of(cells)
    srid = _srid(shapely.box(*shapely.total_bounds(shapes)))
    outline = None if boundary is None else project(np.array([read_boundary(boundary)], dtype=object), srid)[0]
    if streets is None:
        return check_cells(project(shapes, srid), boundary=outline)
    found = read_city_lines(streets).to_metres(srid)
    return check_cells(
        project(shapes, srid),
        lines=found.of(*BORDER_KINDS, "community"),
        paths=found.of("path"),
        built_up=found.built_up,
        boundary=outline,
    )


def repair_file(cells: Path, out: Path, *, boundary: Path | None, mend: bool) -> dict[str, Any]:
    """Write the cells of a file so that they fit, and return what was wrong; refuse faults unless ``mend``."""
    began = time.perf_counter()
    _check_out(out)
    found, srid = _repaired(cells, boundary)
    if not (found.sound or mend):
        raise DataQuality(
            f"The cells of {cells.name} do not fit.",
            [words_of(found)],
            hint="See each with 'gridkeeper grid check FILE'; say --repair to mend them as it says.",
        )
    area_m2 = shapely.area(found.shapes)
    frame = gpd.GeoDataFrame({"row": found.row, "area_m2": area_m2}, geometry=found.shapes, crs=srid)
    write_cells(frame.set_geometry(project(found.shapes, 4326, srid), crs=4326), out)
    return {
        "kind": "file",
        "cells": len(frame),
        "area_m2": float(area_m2.sum()),
        "median_m2": float(np.median(area_m2)),
        "faults": {kind: count for kind, count in found.counts.items() if count},
        "moved_m2": round(found.moved_m2, 3),
        "seconds": round(time.perf_counter() - began, 3),
        "file": str(out),
    }


def faults_of_file(cells: Path, *, boundary: Path | None) -> list[dict[str, Any]]:
    """Return every fault of the cells of a file with its place in degrees, area and repair."""
    found, srid = _repaired(cells, boundary)
    told = [fault.as_dict() for fault in found.faults]
    points = np.array([(each["x"], each["y"]) for each in told], dtype=np.float64).reshape(-1, 2)
    places: Geometries = project(np.asarray(shapely.points(points), dtype=object), 4326, srid) if told else points
    for each, place in zip(told, places, strict=True):
        known = np.isfinite(each.pop("x")) and np.isfinite(each.pop("y"))
        each["lon"], each["lat"] = (round(place.x, 7), round(place.y, 7)) if known else (None, None)
    return told


def _shapes_of(path: Path) -> Geometries:
    """Return the rows of a file of cells in EPSG:4326, whatever they are; raise where they lie nowhere on the earth."""
    _check_there(path)
    if path.suffix.lower() != ".parquet":
        return read_cells_of(path).geometry
    frame = _parquet(path)
    shapes = shapes_in_wgs84(frame.geometry.to_numpy(), frame.crs, path.name)
    check_degrees(shapes, path.name)
    return shapes


def _parquet(path: Path) -> gpd.GeoDataFrame:
    try:
        return gpd.read_parquet(path)
    except (ValueError, OSError, shapely.errors.ShapelyError) as error:
        raise InvalidInput(
            f"{path.name} cannot be read as GeoParquet.", hint="Write it with GeoPandas or GDAL, or give GeoPackage."
        ) from error


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", hint="Check the name of the file of cells.")


def _repaired(cells: Path, boundary: Path | None) -> tuple[Repaired, int]:
    shapes = _shapes_of(cells)
    srid = _srid(shapely.box(*shapely.total_bounds(shapes)))
    ground = None if boundary is None else project(np.array([read_boundary(boundary)], dtype=object), srid)
    return repair(project(shapes, srid), ground), srid


def balance_file(cells: Path, out: Path | None, *, k: int, column: str) -> dict[str, Any]:
    """Share the cells of a file among ``k`` contiguous areas of even load, write them, and return how even they are.

    Parameters
    ----------
    column
        Column of numbers that weighs the cells; empty or ``cells`` weighs them all the same.
    """
    began = time.perf_counter()
    if out is None or out.suffix.lower() not in ENDINGS:
        raise InvalidInput("There is no file to write to.", hint=f"Say --out FILE; endings: {', '.join(ENDINGS)}.")
    _check_out(out)
    frame = read_cells(cells)
    shapes = project(frame.geometry.to_numpy(), _srid(shapely.box(*frame.total_bounds)))
    name = column.partition("=")[0].strip()
    if name in {"", "cells"}:
        load = np.ones(len(frame))
    elif name not in frame.columns:
        known = ", ".join(str(each) for each in frame.columns if each != "geometry") or "none"
        raise InvalidInput(f"{cells.name} has no column “{name}”.", hint=f"There are: {known}.")
    else:
        numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
        load, _ = compose({name: numbers}, {name: 1.0})
    found = balance(ground_of(share_vertices(shapes)), load, k)
    frame["area"] = found.area + 1
    write_cells(frame, out)
    return {**found.as_dict(), "seconds": round(time.perf_counter() - began, 3), "file": str(out)}


def read_cells(path: Path) -> gpd.GeoDataFrame:
    """Return the polygons of a file with their columns in EPSG:4326, without height; a part of several is refused."""
    _check_there(path)
    if path.suffix.lower() == ".parquet":
        frame = _parquet(path)
        frame = frame.set_geometry(shapes_in_wgs84(frame.geometry.to_numpy(), frame.crs, path.name), crs=4326)
    else:
        found = read_shapes(path)
        frame = gpd.GeoDataFrame(found.columns, geometry=found.geometry, crs=4326)
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    single = (shapely.get_type_id(shapes) == 6) & (shapely.get_num_geometries(shapes) == 1)
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    bad = np.flatnonzero((shapely.get_type_id(shapes) != 3) | ~shapely.is_valid(shapes))
    if len(bad):
        raise InvalidInput(
            f"Row {bad[0] + 1} of {path.name} is no valid polygon ({len(bad):,} such rows).",
            hint="See 'gridkeeper grid check' for each of them.",
        )
    return frame.set_geometry(shapes, crs=4326)


def _check_out(out: Path) -> None:
    """Return when cells can be written there, else say why not; before the work, not after it."""
    if out.suffix.lower() not in ENDINGS:
        raise InvalidInput(f"Cells cannot be written to {out.name}.", hint=f"Endings: {', '.join(ENDINGS)}.")
    if not out.parent.is_dir():
        raise InvalidInput(f"There is no folder {out.parent}.", hint="Make it first, or name another for --out.")


def write_cells(frame: gpd.GeoDataFrame, out: Path, borders: gpd.GeoDataFrame | None = None) -> None:
    """Write cells in EPSG:4326 whole or not at all, and why their borders are there, where that is known."""
    _check_out(out)
    _write(frame, out, 4326, borders)


def _srid(shape: shapely.Geometry) -> int:
    middle = shapely.centroid(shapely.box(*shapely.bounds(shape)))
    return metric_srid_of(float(shapely.get_x(middle)), float(shapely.get_y(middle)))


def _hull(lines: Geometries) -> shapely.Geometry:
    points = shapely.get_coordinates(lines)
    points = points[:: max(1, len(points) // _HULL_POINTS)]
    hull = shapely.concave_hull(np.array([shapely.multipoints(points)], dtype=object), ratio=_HULL_SHARE)
    if shapely.get_dimensions(hull)[0] != 2:
        raise InvalidInput("The streets enclose no area.", hint="Give --boundary FILE.")
    wider = shapely.get_exterior_ring(shapely.buffer(hull, _HULL_EDGE_M, quad_segs=2))
    whole: shapely.Geometry = np.asarray(shapely.polygons(wider))[0]
    return whole


def _write(cells: gpd.GeoDataFrame, out: Path, srid: int, borders: gpd.GeoDataFrame | None = None) -> None:
    """Write the file beside its place and move it there, so that it is whole or not there.

    Borders are a layer of a GeoPackage, else a file ``NAME.borders.ENDING``.
    """
    form = ENDINGS[out.suffix.lower()]
    frames = {"cells": cells}
    if borders is not None:
        frames["borders"] = borders
    parts = {name: out.with_name(f"{out.stem}.part-{name}{out.suffix}") for name in frames}
    for part in parts.values():
        part.unlink(missing_ok=True)
    try:
        for name, frame in frames.items():
            if form == "parquet":
                frame.to_parquet(parts[name])
            elif form == "GPKG":
                frame.to_file(parts["cells"], driver=form, layer=name, mode="w" if name == "cells" else "a")
            else:
                # All decimals: rounded to less, a cell with a hair on it comes back in two parts.
                degrees = project(frame.geometry.to_numpy(), 4326, srid)
                frame.set_geometry(degrees, crs=4326).to_file(parts[name], driver=form, COORDINATE_PRECISION="15")
        if form != "GPKG" and "borders" in parts:
            parts["borders"].replace(out.with_name(f"{out.stem}.borders{out.suffix}"))
        parts["cells"].replace(out)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
