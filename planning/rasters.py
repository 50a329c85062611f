"""Heights of the ground out of a file (ESRI ASCII grid, GeoTIFF of one band), and how steep it is at places."""

from __future__ import annotations

import contextlib
import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from core.errors import InvalidInput
from geodata.crs import WGS84, project
from planning.layer_model import LayerData

Floats = NDArray[np.float64]
ENDINGS = (".asc", ".tif", ".tiff")
CELLS_AT_MOST = 30_000_000
DEGREE_M = 111_320.0
_HEAD_LINES = 6
_SCALE, _TIEPOINT, _KEYS, _NODATA = 33550, 33922, 34735, 42113
_GEOGRAPHIC, _PROJECTED = 2048, 3072


@dataclass(frozen=True, eq=False)
class Raster:
    """Values of square or oblong cells, the northernmost row first; NaN where unknown.

    Attributes
    ----------
    west, north
        Outer corner of the first cell, in the CRS ``srid``.
    """

    values: NDArray[np.float32]
    west: float
    north: float
    step_x: float
    step_y: float
    srid: int

    def at(self, lonlat: Floats) -> Floats:
        """Return the value at places (EPSG:4326), NaN outside."""
        points = np.asarray(shapely.points(lonlat), dtype=object).reshape(-1)
        xy = shapely.get_coordinates(points if self.srid == WGS84 else project(points, self.srid))
        column = np.floor((xy[:, 0] - self.west) / self.step_x).astype(np.int64)
        row = np.floor((self.north - xy[:, 1]) / self.step_y).astype(np.int64)
        rows, columns = self.values.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        found = np.full(len(xy), np.nan)
        found[inside] = self.values[row[inside], column[inside]]
        return found

    def packed(self) -> bytes:
        """Return it as an archive."""
        into = io.BytesIO()
        numbers = np.array([self.west, self.north, self.step_x, self.step_y, self.srid])
        np.savez_compressed(into, values=self.values, numbers=numbers)
        return into.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes) -> Raster:
        """Return a raster as `packed` made it."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as file:
            west, north, step_x, step_y, srid = file["numbers"].tolist()
            return cls(file["values"], west, north, step_x, step_y, int(srid))


def read_slope(path: Path, srid: int, boundary: shapely.Geometry) -> LayerData:
    """Return how steep the ground is, in per cent, from a file of heights in metres.

    Parameters
    ----------
    srid
        Metric CRS of the territory, taken for a grid that does not say its own and is not in degrees.

    Raises
    ------
    InvalidInput
        When it is no such file, has no CRS we know, or lies elsewhere.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    heights, note = _ascii(path, srid) if path.suffix.lower() == ".asc" else _geotiff(path)
    steep = slope_of(heights)
    rows, columns = steep.values.shape
    corners = (steep.west, steep.north - rows * steep.step_y, steep.west + columns * steep.step_x, steep.north)
    try:
        extent = project(np.array([shapely.box(*corners)], dtype=object), WGS84, steep.srid)[0]
    except CRSError as error:
        raise InvalidInput(
            f"{path.name} names EPSG:{steep.srid}, which is no coordinate system.", hint="Write it with a known one."
        ) from error
    covered = float(shapely.area(shapely.intersection(extent, boundary)) / shapely.area(boundary))
    if covered <= 0:
        west, south, east, north = extent.bounds
        raise InvalidInput(
            f"{path.name} lies elsewhere: {west:.3f}, {south:.3f} to {east:.3f}, {north:.3f}.",
            hint="Check its coordinate system.",
        )
    findings = [note] if note else []
    if covered < 0.995:
        findings.append(f"{1 - covered:.1%} of the territory lies outside the raster; slope is unknown there")
    known = steep.values[np.isfinite(steep.values)]
    return LayerData(
        np.empty(0, dtype=object), (), np.empty(0), np.empty((0, 0)), findings=tuple(findings),
        facts={
            "cells": int(steep.values.size), "srid": steep.srid, "step": [steep.step_x, steep.step_y],
            "median_per_cent": round(float(np.median(known)), 2) if len(known) else None,
        },
        grid=steep.packed(),
    )  # fmt: skip


def slope_of(heights: Raster) -> Raster:
    """Return the slope in per cent by central differences; NaN at the rim and beside unknown heights."""
    rows, _ = heights.values.shape
    step_x: Any = heights.step_x
    step_y = heights.step_y
    if heights.srid == WGS84:
        middle = heights.north - (np.arange(rows) + 0.5) * heights.step_y
        step_x = (heights.step_x * DEGREE_M * np.cos(np.radians(middle)))[1:-1, None]
        step_y = heights.step_y * DEGREE_M
    z = heights.values.astype(np.float64)
    made = np.full(z.shape, np.nan, dtype=np.float32)
    if min(z.shape) > 2:
        across = (z[1:-1, 2:] - z[1:-1, :-2]) / (2 * step_x)
        along = (z[2:, 1:-1] - z[:-2, 1:-1]) / (2 * step_y)
        made[1:-1, 1:-1] = 100 * np.hypot(across, along)
    return Raster(made, heights.west, heights.north, heights.step_x, heights.step_y, heights.srid)


def _ascii(path: Path, srid: int) -> tuple[Raster, str]:
    """Return the heights of an ESRI ASCII grid, and what was assumed of its CRS."""
    head: dict[str, float] = {}
    with path.open(encoding="ascii", errors="replace") as file:
        try:
            for _ in range(_HEAD_LINES):
                at = file.tell()
                words = file.readline().split()
                if len(words) != 2 or not words[0][0].isalpha():
                    file.seek(at)
                    break
                head[words[0].lower()] = float(words[1])
            rows, columns, step = int(head["nrows"]), int(head["ncols"]), head["cellsize"]
            if not (min(rows, columns) > 0 and rows * columns <= CELLS_AT_MOST and 0 < step < math.inf):
                raise InvalidInput(f"{path.name} has {rows:,} by {columns:,} cells.", hint="Cut it smaller.")
            values = np.loadtxt(file, dtype=np.float32).reshape(-1)
        except (KeyError, ValueError, OverflowError) as error:
            raise InvalidInput(
                f"{path.name} is no ESRI ASCII grid ({error}).", hint="It begins with ncols, nrows, xllcorner …"
            ) from error
    if values.size != rows * columns:
        raise InvalidInput(f"{path.name} holds {values.size:,} heights, not {rows:,} by {columns:,}.")
    grid = values.reshape(rows, columns)
    grid[grid == np.float32(head.get("nodata_value", -9999.0))] = np.nan
    half = step / 2
    west = head["xllcorner"] if "xllcorner" in head else head.get("xllcenter", 0.0) - half
    south = head["yllcorner"] if "yllcorner" in head else head.get("yllcenter", 0.0) - half
    if not (math.isfinite(west) and math.isfinite(south)):
        raise InvalidInput(f"{path.name} has a corner that is no number.", hint="See xllcorner and yllcorner.")
    degrees = -180 <= west <= 180 and -90 <= south <= 90 and step < 1
    note = f"the grid does not say its CRS; read as EPSG:{WGS84 if degrees else srid}"
    return Raster(grid, west, south + rows * step, step, step, WGS84 if degrees else srid), note


def _geotiff(path: Path) -> tuple[Raster, str]:
    """Return the heights of a GeoTIFF of one band whose keys name an EPSG code."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("TIFF",)) as image:
            tags: Any = image.tag_v2  # type: ignore[attr-defined]
            scale, tie, keys = tags.get(_SCALE), tags.get(_TIEPOINT), tags.get(_KEYS)
            nodata = str(tags.get(_NODATA, "")).strip("\x00 ")
            if image.width * image.height > CELLS_AT_MOST:
                raise InvalidInput(
                    f"{path.name} has {image.width:,} by {image.height:,} cells.", hint="Cut it smaller."
                )
            bands = len(image.getbands())
            values = np.asarray(image, dtype=np.float32).copy() if bands == 1 else np.empty(0, np.float32)
    except (
        UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, TypeError, KeyError, IndexError,
        SyntaxError, MemoryError, struct.error,
    ) as error:  # fmt: skip
        raise InvalidInput(
            f"{path.name} is no GeoTIFF that is read here ({error}).", hint="Give one band, or an ESRI ASCII grid."
        ) from error
    if bands != 1 or values.ndim != 2 or not _placed(scale, tie, keys):
        raise InvalidInput(
            f"{path.name} has {'several bands' if bands != 1 else 'no place on earth in its tags'}.",
            hint="Give a GeoTIFF of one band with heights in metres.",
        )
    found = {keys[at]: keys[at + 3] for at in range(4, len(keys) - 3, 4) if keys[at + 1] == 0}
    srid = int(found.get(_PROJECTED) or found.get(_GEOGRAPHIC) or 0)
    if not 1024 <= srid < 32767:
        raise InvalidInput(f"{path.name} names no EPSG code.", hint="Write it with one, e.g. EPSG:4326.")
    with contextlib.suppress(ValueError):
        values[values == np.float32(nodata)] = np.nan
    west, north = tie[3] - tie[0] * scale[0], tie[4] + tie[1] * scale[1]
    return Raster(values, float(west), float(north), float(scale[0]), float(scale[1]), srid), ""


def _placed(scale: Any, tie: Any, keys: Any) -> bool:
    """Return whether the tags of a GeoTIFF say where it lies: size of a cell, one point of reference, keys."""
    if not all(isinstance(each, tuple) for each in (scale, tie, keys)) or len(scale) < 2 or len(tie) < 6:
        return False
    return all(math.isfinite(each) for each in (*scale[:2], *tie[:6])) and min(scale[:2]) > 0
