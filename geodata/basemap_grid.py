"""Tiles of our map from pictures of another: levels, reprojection and shifted datums (pure).

Our tiles are 256 pixels of the web's Mercator in WGS 84. CGCS2000 (EPSG:4490) and WGS 84 differ by less than a metre
and are taken as one; a basemap in GCJ-02 or BD-09 is shifted back pixel by pixel, so that our layers lie where the map
shows them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidInput, SourceUnavailable
from geodata.datum import Datum, from_wgs84

System = Literal["mercator", "degrees"]
Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]
"""Rows, columns, red green blue alpha."""
TILE_PX = 256
HALF_M = math.pi * 6_378_137.0
WORLD_PX_M = 2 * HALF_M / TILE_PX
DEGREE_M = HALF_M / 180.0
DEEPEST = 22
TILES_MOST = 25
"""A tile of ours is made from so many of theirs at most."""
PIXELS_MOST = 4_200_000
KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a tiled map: the size of a pixel in its system, the upper left corner, how many tiles there are."""

    key: str
    pixel: float
    left: float
    top: float
    columns: int
    rows: int
    size: int = TILE_PX

    def stored(self) -> dict[str, Any]:
        """Return the level as it is kept."""
        return asdict(self)


def web_levels(first: int, last: int) -> list[Level]:
    """Return the levels that maps of the web have."""
    return [
        Level(str(z), WORLD_PX_M / 2**z, -HALF_M, HALF_M, 2**z, 2**z)
        for z in range(max(first, 0), min(last, DEEPEST) + 1)
    ]


def levels_of(stored: Sequence[Mapping[str, Any]]) -> list[Level]:
    """Return levels as they were kept."""
    return [Level(**each) for each in stored]


def tile_places(z: int, x: int, y: int) -> tuple[Floats, Floats]:
    """Return longitude and latitude of the middle of each pixel of a tile of ours."""
    pixel = WORLD_PX_M / 2**z
    at = np.arange(TILE_PX) + 0.5
    east = -HALF_M + (x * TILE_PX + at) * pixel
    north = HALF_M - (y * TILE_PX + at) * pixel
    lon = np.degrees(east / 6_378_137.0)
    lat = np.degrees(2 * np.arctan(np.exp(north / 6_378_137.0)) - np.pi / 2)
    across, down = np.meshgrid(lon, lat)
    return across, down


def in_system(lon: Floats, lat: Floats, system: System) -> tuple[Floats, Floats]:
    """Return places in the units of a system: metres of the web's Mercator, or degrees."""
    if system == "degrees":
        return lon, lat
    lat = np.clip(lat, -89.0, 89.0)
    return lon * DEGREE_M, np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)) * 6_378_137.0


def pixel_of(z: int, system: System) -> float:
    """Return the size of a pixel of ours at a zoom, in the units of a system, at the equator."""
    return float(WORLD_PX_M / 2**z / (1.0 if system == "mercator" else DEGREE_M))


def same_grid(level: Level, z: int) -> bool:
    """Return whether a level in the web's Mercator has the very tiles that we have at a zoom."""
    ours = WORLD_PX_M / 2**z
    return (
        level.size == TILE_PX
        and abs(level.pixel / ours - 1) < 1e-4
        and abs(level.left + HALF_M) < ours
        and abs(level.top - HALF_M) < ours
    )


def best_level(levels: Sequence[Level], z: int, system: System) -> Level:
    """Return the level whose pixels come next to ours, rather finer than coarser."""
    wanted = pixel_of(z, system)
    return min(levels, key=lambda each: abs(math.log2(each.pixel / wanted) + 0.25))


def from_tiles(
    levels: Sequence[Level],
    system: System,
    datum: Datum,
    tile: tuple[int, int, int],
    get: Callable[[Level, int, int], bytes | None],
) -> Picture:
    """Return a tile of ours made from tiles of another map; transparent where that has none.

    Raises
    ------
    SourceUnavailable
        When the map is so much finer than ours that too many of its tiles were needed.
    """
    x, y = in_system(*from_wgs84(*tile_places(*tile), datum), system)
    level = best_level(levels, tile[0], system)
    across, down = (x - level.left) / level.pixel, (level.top - y) / level.pixel
    first_c, first_r = (math.floor((each.min() - 0.5) / level.size) for each in (across, down))
    last_c, last_r = (math.floor((each.max() + 0.5) / level.size) for each in (across, down))
    first_c, first_r = max(first_c, 0), max(first_r, 0)
    last_c, last_r = min(last_c, level.columns - 1), min(last_r, level.rows - 1)
    out = np.zeros((TILE_PX, TILE_PX, 4), np.uint8)
    if last_c < first_c or last_r < first_r:
        return out
    many = (last_c - first_c + 1) * (last_r - first_r + 1)
    if many > TILES_MOST or many * level.size**2 > 4 * PIXELS_MOST:
        raise SourceUnavailable(
            "This map has no level near this zoom.", hint="Zoom in.", zh="该底图在此缩放级别没有合适的图层，请放大。"
        )
    size = level.size
    whole = np.zeros(((last_r - first_r + 1) * size, (last_c - first_c + 1) * size, 4), np.uint8)
    for row in range(first_r, last_r + 1):
        for column in range(first_c, last_c + 1):
            body = get(level, column, row)
            if body is not None:
                top, left = (row - first_r) * size, (column - first_c) * size
                whole[top : top + size, left : left + size] = decoded(body, size)
    return sampled(whole, across - first_c * size, down - first_r * size)


def from_boxes(
    system: System,
    datum: Datum,
    tile: tuple[int, int, int],
    get: Callable[[tuple[float, float, float, float], int, int], Picture],
) -> Picture:
    """Return a tile of ours from a picture of a box (west, south, east, north) that another map draws of any size."""
    x, y = in_system(*from_wgs84(*tile_places(*tile), datum), system)
    unit_x, unit_y = (x.max() - x.min()) / (TILE_PX - 1), (y.max() - y.min()) / (TILE_PX - 1)
    if system == "mercator" and datum == Datum.WGS84:
        box = tuple(float(each) for each in (x.min() - unit_x / 2, y.min() - unit_y / 2))
        box += tuple(float(each) for each in (x.max() + unit_x / 2, y.max() + unit_y / 2))
        return get((box[0], box[1], box[2], box[3]), TILE_PX, TILE_PX)
    west, east = float(x.min() - 2 * unit_x), float(x.max() + 2 * unit_x)
    south, north = float(y.min() - 2 * unit_y), float(y.max() + 2 * unit_y)
    width = height = TILE_PX + 4
    picture = get((west, south, east, north), width, height)
    return sampled(picture, (x - west) / (east - west) * width, (north - y) / (north - south) * height)


def sampled(whole: Picture, across: Floats, down: Floats) -> Picture:
    """Return the colours of a picture at places given in its pixels, mixed from the four nearest."""
    height, width = whole.shape[:2]
    inside = (across >= 0) & (across <= width) & (down >= 0) & (down <= height)
    u, v = np.clip(across - 0.5, 0, width - 1), np.clip(down - 0.5, 0, height - 1)
    left, top = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    right, low = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    du, dv = (u - left)[..., None], (v - top)[..., None]
    solid = whole.astype(np.float32)
    solid[..., :3] *= solid[..., 3:] / 255.0  # what is transparent has no colour to mix in
    upper = solid[top, left] * (1 - du) + solid[top, right] * du
    lower = solid[low, left] * (1 - du) + solid[low, right] * du
    mixed = upper * (1 - dv) + lower * dv
    alpha = mixed[..., 3:]
    mixed[..., :3] = np.divide(mixed[..., :3] * 255.0, alpha, out=np.zeros_like(mixed[..., :3]), where=alpha > 0)
    mixed[~inside] = 0
    return np.asarray(np.clip(np.round(mixed), 0, 255), dtype=np.uint8)


def media_type(body: bytes) -> str:
    """Return the kind of a picture by its first bytes: PNG, JPEG or WebP.

    Raises
    ------
    SourceUnavailable
        When it is none of these.
    """
    for begin, kind in KINDS.items():
        if body.startswith(begin):
            return kind
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    raise SourceUnavailable(
        "What the map server sends is no picture (PNG, JPEG or WebP).",
        hint="Check address, layer and key.",
        zh="地图服务返回的不是图片（PNG、JPEG 或 WebP），请检查地址、图层与密钥。",
    )


def decoded(body: bytes, size: int | None = None) -> Picture:
    """Return the pixels of a picture, brought to a square of ``size`` when given.

    Raises
    ------
    SourceUnavailable
        When it is no picture, broken, or unpacks to too much.
    """
    media_type(body)
    try:
        with Image.open(io.BytesIO(body), formats=["PNG", "JPEG", "WEBP"]) as opened:
            if opened.width * opened.height > PIXELS_MOST:
                raise _broken()
            picture = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _broken() from error
    if size is not None and picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture, dtype=np.uint8)


def encoded(picture: Picture) -> bytes:
    """Return a picture as PNG, small enough for the wire."""
    out = io.BytesIO()
    image = Image.fromarray(picture, "RGBA")
    if bool((picture[..., 3] == 255).all()):
        image.convert("RGB").save(out, "JPEG", quality=88, subsampling=0)
    else:
        image.save(out, "PNG", compress_level=4)
    return out.getvalue()


def check_tile(z: int, x: int, y: int) -> None:
    """Raise `InvalidInput` for a tile that no map has."""
    if not (0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z):
        raise InvalidInput(f"There is no tile {z}/{x}/{y}.", hint="Zoom 0 to 22; x and y below 2 to the zoom.")


def _broken() -> SourceUnavailable:
    return SourceUnavailable(
        "A picture of the map server is broken or far too large.", zh="地图服务返回的图片损坏或过大。"
    )
