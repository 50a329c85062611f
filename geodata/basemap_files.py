"""Basemaps that are files beside the platform: MBTiles, PMTiles and GeoTIFF, from one folder and no other."""

from __future__ import annotations

import contextlib
import math
import re
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput, SourceUnavailable
from core.settings import settings
from geodata.basemap_grid import DEEPEST, PIXELS_MOST, Picture, media_type

SUFFIXES = {".mbtiles": "mbtiles", ".pmtiles": "pmtiles", ".tif": "geotiff", ".tiff": "geotiff"}
TILE_MOST = 4_000_000
PIECE_MOST, UNPACKED_MOST = 16_000_000, 64_000_000
"""Bytes of a directory of PMTiles, packed and unpacked; and what a block of a GeoTIFF may unpack to."""
ASK_S = 2.0
"""A question to an MBTiles file takes so long at most: what looks like a table may be a view without an end."""
_CLOSED = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
}
"""A GeoTIFF is one file: what it names beside itself, on this machine or another, is not opened."""
_NAME = re.compile(r"[^/\\\x00]{1,200}")
_lock = threading.Lock()


def folder() -> Path:
    """Return the folder that basemaps of this machine lie in."""
    return settings().basemap_dir or settings().state_dir / "basemaps"


def files() -> list[str]:
    """Return the names of the files that may be chosen."""
    here = folder()
    if not here.is_dir():
        return []
    return sorted(each.name for each in here.iterdir() if each.suffix.lower() in SUFFIXES and each.is_file())


def path_of(name: str) -> Path:
    """Return where a file of the folder lies.

    Raises
    ------
    InvalidInput
        When it is not there, is no file, or its name leads out of the folder.
    """
    here = folder()
    path = here / name
    inside = _NAME.fullmatch(name) is not None and name not in {".", ".."}
    if not inside or not path.is_file() or path.resolve().parent != here.resolve():
        raise InvalidInput(
            f"There is no basemap file {name[:80]!r}.",
            hint=f"Put it into {here} (GRIDKEEPER_BASEMAP_DIR).",
            zh=f"没有底图文件“{name[:80]}”，请放入底图文件夹（GRIDKEEPER_BASEMAP_DIR）。",
        )
    return path


def file_plan(kind: str, name: str) -> dict[str, Any]:
    """Return the plan of a file: its zooms and the box it covers.

    Raises
    ------
    InvalidInput
        When it is no such file, or holds vector tiles.
    SourceUnavailable
        When the library for it is not installed.
    """
    path = path_of(name)
    if SUFFIXES.get(path.suffix.lower()) != kind:
        raise InvalidInput(
            f"{name} is no {kind} file.", hint="Choose the kind by its ending.", zh=f"{name} 不是 {kind} 文件。"
        )
    made = {"mbtiles": _mbtiles_plan, "pmtiles": _pmtiles_plan, "geotiff": _geotiff_plan}[kind](path)
    return {"kind": kind, "system": "mercator", **made}


def stored_tile(kind: str, name: str, z: int, x: int, y: int) -> bytes | None:
    """Return a tile of a file of tiles; None where it has none."""
    path = path_of(name)
    if kind == "mbtiles":
        with _sqlite(path) as found:
            row = found.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"
                " AND typeof(tile_data) = 'blob' AND length(tile_data) <= ?",
                (z, x, 2**z - 1 - y, TILE_MOST),
            ).fetchone()
        return None if row is None else bytes(row[0])
    with path.open("rb") as file:
        reader = _pmtiles(path, file)
        with _readable(path):
            body: bytes | None = reader.get(z, x, y)
    return body


def picture_of_box(name: str, box: tuple[float, float, float, float], width: int, height: int) -> Picture:
    """Return a picture of a box of a GeoTIFF, in metres of the web's Mercator; transparent outside."""
    rasterio = _rasterio()
    from rasterio.enums import ColorInterp, Resampling
    from rasterio.transform import from_bounds
    from rasterio.vrt import WarpedVRT

    try:
        with _lock, _geotiff(rasterio, path_of(name)) as source:  # a data set is not for two threads
            alpha = ColorInterp.alpha in source.colorinterp
            with WarpedVRT(
                source,
                crs="EPSG:3857",
                transform=from_bounds(*box, width, height),
                width=width,
                height=height,
                resampling=Resampling.bilinear,
                add_alpha=not alpha and source.nodata is None,
            ) as turned:
                data = turned.read(_bands(turned.count, alpha or source.nodata is None))
                mask = turned.dataset_mask()
    except (rasterio.errors.RasterioError, ValueError) as error:
        raise _broken(name) from error
    colours = np.asarray(data, dtype=np.float32)
    if data.dtype != np.uint8:
        colours *= 255.0 / max(float(np.iinfo(data.dtype).max) if data.dtype.kind in "iu" else 1.0, 1.0)
    if len(colours) == 1:
        colours = np.repeat(colours, 3, axis=0)
    out = np.zeros((height, width, 4), np.uint8)
    out[..., :3] = np.clip(np.moveaxis(colours[:3], 0, -1), 0, 255)
    out[..., 3] = mask
    return out


def _bands(count: int, has_alpha: bool) -> list[int]:
    colours = count - 1 if has_alpha and count in {2, 4} else count
    return [1, 2, 3] if colours >= 3 else [1]


def _mbtiles_plan(path: Path) -> dict[str, Any]:
    with _sqlite(path) as found:
        said = dict(found.execute("SELECT name, value FROM metadata LIMIT 200").fetchall())
        low, high = found.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
        first = found.execute(
            "SELECT tile_data FROM tiles WHERE typeof(tile_data) = 'blob' AND length(tile_data) <= ? LIMIT 1",
            (TILE_MOST,),
        ).fetchone()
    if not (isinstance(low, int) and isinstance(high, int)) or first is None:
        raise InvalidInput(f"{path.name} holds no tiles.", hint="Choose another file.", zh=f"{path.name} 中没有瓦片。")
    _check_raster(path, str(said.get("format", "")), bytes(first[0]))
    box: list[float] = []
    with contextlib.suppress(ValueError):
        box = [float(each) for each in str(said.get("bounds", "")).split(",")]
    box = box if len(box) == 4 and all(map(math.isfinite, box)) else [-180.0, -85.0, 180.0, 85.0]
    return {
        "first": int(low),
        "last": min(int(high), DEEPEST),
        "box": box,
        "credit": str(said.get("attribution", ""))[:200],
    }


def _pmtiles_plan(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        reader = _pmtiles(path, file)
        head = reader.header()
        with _readable(path):
            said = reader.metadata()
    kind = str(head["tile_type"]).rpartition(".")[2].lower()
    _check_raster(path, "pbf" if kind in {"mvt", "unknown"} else kind, None)
    box = [head[each] / 1e7 for each in ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7")]
    credit = str(said.get("attribution", ""))[:200] if isinstance(said, dict) else ""
    return {"first": int(head["min_zoom"]), "last": min(int(head["max_zoom"]), DEEPEST), "box": box, "credit": credit}


def _geotiff_plan(path: Path) -> dict[str, Any]:
    rasterio = _rasterio()
    from rasterio.warp import transform_bounds

    try:
        with _geotiff(rasterio, path) as source:
            if source.crs is None:
                raise InvalidInput(
                    f"{path.name} does not say in which coordinate system it is.",
                    hint="Give it one, e.g. gdal_edit.py -a_srs EPSG:4490.",
                    zh=f"{path.name} 没有坐标系信息，请先写入坐标系（如 EPSG:4490）。",
                )
            box = transform_bounds(source.crs, "EPSG:4326", *source.bounds)
            overviews = bool(source.overviews(1))
            if source.width * source.height > PIXELS_MOST * 16 and not overviews:
                raise InvalidInput(
                    f"{path.name} is large and has no overviews: each tile would read all of it.",
                    hint="Run: gdaladdo -r average FILE 2 4 8 16 32",
                    zh=f"{path.name} 较大且没有金字塔，请先运行 gdaladdo -r average 文件 2 4 8 16 32。",
                )
            return {"first": 0, "last": DEEPEST, "box": list(box), "crs": str(source.crs), "credit": ""}
    except rasterio.errors.RasterioError as error:
        raise InvalidInput(
            f"{path.name} is no GeoTIFF that can be read.", hint="Choose another file.", zh=f"无法读取 {path.name}。"
        ) from error


def _check_raster(path: Path, form: str, first: bytes | None) -> None:
    if form in {"pbf", "mvt"} or (first is not None and first[:2] == b"\x1f\x8b"):
        raise InvalidInput(
            f"{path.name} holds vector tiles, which have no look of their own.",
            hint="Make raster tiles of it (PNG, JPEG or WebP), e.g. in QGIS.",
            zh=f"{path.name} 是矢量瓦片，没有样式；请用 QGIS 等生成栅格瓦片（PNG、JPEG 或 WebP）。",
        )
    if first is not None:
        media_type(first)


@contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        found = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, timeout=2.0)
        end = time.monotonic() + ASK_S
        found.set_progress_handler(lambda: time.monotonic() > end, 20_000)
        found.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * TILE_MOST)
        try:
            yield found
        finally:
            found.close()
    except sqlite3.Error as error:
        raise _broken(path.name) from error


def _pmtiles(path: Path, file: Any) -> Any:
    from pmtiles.reader import Reader
    from pmtiles.tile import MagicNumberNotFound, SpecVersionUnsupported

    def read(offset: int, length: int) -> bytes:
        if length > PIECE_MOST:
            raise _broken(path.name)
        file.seek(offset)
        piece = bytes(file.read(length))
        if piece[:2] == b"\x1f\x8b":  # a directory: whoever reads it unpacks all of it
            unpacking = zlib.decompressobj(wbits=31)
            unpacking.decompress(piece, UNPACKED_MOST)
            if not unpacking.eof or unpacking.unused_data:
                raise _broken(path.name)
        return piece

    try:
        reader: Any = Reader(read)  # type: ignore[no-untyped-call]
        reader.header()
    except (MagicNumberNotFound, SpecVersionUnsupported, KeyError, ValueError, IndexError, OSError) as error:
        raise _broken(path.name) from error
    return reader


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Tell what a library says of a file of nonsense as what it is."""
    try:
        yield
    except (KeyError, ValueError, IndexError, TypeError, EOFError, OSError, RecursionError, zlib.error) as error:
        raise _broken(path.name) from error


@contextmanager
def _geotiff(rasterio: Any, path: Path) -> Iterator[Any]:
    """Open a file as a GeoTIFF and as nothing else: by its bytes it might be a list of other files (VRT)."""
    with rasterio.Env(**_CLOSED), rasterio.open(path, driver="GTiff") as source:
        blocks = zip(source.block_shapes, source.dtypes, strict=True)
        whole = sum(high * wide * np.dtype(kind).itemsize for (high, wide), kind in blocks)
        if whole > 4 * UNPACKED_MOST or source.tags(ns="OVERVIEWS"):  # these name another file, or are a VRT
            raise _broken(path.name)
        yield source


def _rasterio() -> Any:
    try:
        import rasterio
        import rasterio.errors
    except ImportError as error:
        raise SourceUnavailable(
            "GeoTIFF needs the package rasterio.", hint="Run `make run` again.", zh="GeoTIFF 需要 rasterio 软件包。"
        ) from error
    return rasterio


def _broken(name: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"The basemap {name[:80]} cannot be read.", hint="Check the file.", zh=f"无法读取底图 {name[:80]}。"
    )
