"""Where the rows of a file lie: which coordinate system, which datum, which axis first; and then into WGS 84."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry.base import BaseGeometry

from core.errors import InvalidInput
from geodata import datum
from geodata.crs import WGS84, project, shapes_in_wgs84
from geodata.datum import Datum
from geodata.exchange import Chunk, Geometries, Guess, Role, Spec
from geodata.exchange_cells import trimmed, typed
from geodata.exchange_maps import points

PROBE: Final = 2_000
ROADS_PROBE: Final = 500
ENOUGH: Final = 30
"""So few places near streets say nothing of a datum."""
_INSIDE: Final = 0.8
_CLEARLY: Final = 0.5
"""A datum is proposed when its places lie so much nearer to the streets than as they are."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """The territory that a file is brought into, as far as understanding the file needs it.

    Attributes
    ----------
    boundary
        In EPSG:4326; None where the territory lies nowhere yet.
    roads
        Lines of the streets in EPSG:4326; empty where there are none.
    """

    title: str
    boundary: BaseGeometry | None
    metric_srid: int
    zone: str
    roads: Geometries

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north, widened by half its size: a department's file goes a little beyond."""
        if self.boundary is None or self.boundary.is_empty:
            return -180.0, -90.0, 180.0, 90.0
        west, south, east, north = self.boundary.bounds
        wide, high = (east - west) / 2, (north - south) / 2
        return west - wide, south - high, east + wide, north + high

    def share_inside(self, lon: Floats, lat: Floats) -> float:
        """Return which share of places lies in the widened box."""
        west, south, east, north = self.box
        there = np.isfinite(lon) & np.isfinite(lat)
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        return float(inside[there].mean()) if there.any() else 0.0


def guess_places(spec: Spec, chunk: Chunk, said_crs: str, ground: Ground, name: str) -> tuple[Spec, list[Guess]]:
    """Return the mapping with coordinate system, axes and datum, and why.

    Parameters
    ----------
    said_crs
        What the file, or a person, says; empty when neither does.

    Raises
    ------
    InvalidInput
        When no coordinate system can be told, or nobody published how the one said lies to WGS 84.
    """
    spec = replace(spec, places=_source_of(spec, chunk))
    if not spec.places:
        return spec, []
    x, y = probe(spec, chunk)
    guesses: list[Guess] = []
    if said_crs:
        crs = _crs(said_crs, name)
        title = _title(crs)
        guesses.append(Guess("coordinates", title, "the file says so", "文件已注明"))
        spec = replace(spec, crs=_code(crs))
    else:
        spec, guess = _without_crs(spec, x, y, ground, name)
        guesses.append(guess)
    shapes_in_wgs84(np.asarray(shapely.points(x[:1], y[:1]), dtype=object), _crs(spec.crs, name), name)
    lon, lat = in_degrees(x, y, spec, name)
    swap, swap_guess = _swap(x, y, lon, lat, spec, ground, name)
    if swap_guess is not None:
        guesses.append(swap_guess)
        spec = replace(spec, swapped=swap)
        lon, lat = in_degrees(x, y, spec, name)
    found, datum_guess = guess_datum(lon, lat, ground)
    if datum_guess is not None:
        guesses.append(datum_guess)
        spec = replace(spec, datum=found.value)
    return spec, guesses


def guess_datum(lon: Floats, lat: Floats, ground: Ground) -> tuple[Datum, Guess | None]:
    """Return the datum in which the places lie nearest to the streets, and why; nothing outside China."""
    there = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = lon[there][:ROADS_PROBE], lat[there][:ROADS_PROBE]
    if len(lon) < ENOUGH or not len(ground.roads) or not datum.shifted_there(lon, lat).all():
        return Datum.WGS84, None
    tree = shapely.STRtree(project(ground.roads, ground.metric_srid))
    residuals = {}
    for each in Datum:
        true_lon, true_lat = datum.to_wgs84(lon, lat, each)
        metric = project(np.asarray(shapely.points(true_lon, true_lat), dtype=object), ground.metric_srid)
        _, far = tree.query_nearest(metric, return_distance=True, all_matches=False)
        residuals[each] = float(np.median(far)) if len(far) else np.inf
    best = min(residuals, key=lambda each: residuals[each])
    shown = ", ".join(f"{each.value} {residuals[each]:.0f} m" for each in Datum)
    if best is Datum.WGS84 or residuals[best] > _CLEARLY * residuals[Datum.WGS84]:
        reason = f"half of the places lie within this of a street: {shown}; none is clearly nearer"
        return Datum.WGS84, Guess("datum", Datum.WGS84.value, reason, f"距最近道路的中位距离：{shown}，无明显差异")
    reason = f"half of the places lie within this of a street: {shown}"
    return best, Guess("datum", best.value, reason, f"距最近道路的中位距离：{shown}")


def probe(spec: Spec, chunk: Chunk) -> tuple[Floats, Floats]:
    """Return the first coordinates of the first places, as they stand in the file."""
    if spec.places == "pair":
        x, y = pair(spec, chunk)
    else:
        shapes = shapes_of(spec, chunk)
        some = shapes[shapely.is_geometry(shapes) & ~shapely.is_empty(shapes)][:PROBE]
        first = shapely.get_coordinates(shapely.centroid(shapely.force_2d(some)))
        x, y = first[:, 0], first[:, 1]
    there = np.isfinite(x) & np.isfinite(y)
    return x[there][:PROBE], y[there][:PROBE]


def pair(spec: Spec, chunk: Chunk) -> tuple[Floats, Floats]:
    """Return the two columns of coordinates as numbers, NaN where there is none."""
    found = []
    for role in (Role.LON, Role.LAT):
        field = spec.by_role(role)
        if field is None or field.heading not in chunk.columns:
            found.append(np.full(len(chunk), np.nan))
            continue
        cells, _ = typed(chunk.columns[field.heading], field.type, field.style)
        found.append(pc.fill_null(pc.cast(cells, pa.float64()), np.nan).to_numpy(zero_copy_only=False))
    return found[0], found[1]


def shapes_of(spec: Spec, chunk: Chunk) -> Geometries:
    """Return the shapes of a chunk in the file's own coordinates; None where there is none or it cannot be read."""
    if spec.places == "own":
        return chunk.shapes if chunk.shapes is not None else np.full(len(chunk), None, dtype=object)
    if spec.places == "wkt":
        field = spec.by_role(Role.SHAPE)
        if field is None or field.heading not in chunk.columns:
            return np.full(len(chunk), None, dtype=object)
        texts = pc.replace_substring_regex(trimmed(chunk.columns[field.heading]), r"(?i)^SRID=\d+;", "")
        made: Geometries = shapely.from_wkt(texts.to_numpy(zero_copy_only=False), on_invalid="ignore")
        return made
    x, y = pair(spec, chunk)
    return points(x, y)


def in_degrees(x: Floats, y: Floats, spec: Spec, name: str) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes in WGS 84 of coordinates as they stand in the file."""
    if spec.swapped:
        x, y = y, x
    lon, lat = x, y
    if spec.crs and not _is_degrees(spec.crs):
        lon, lat = _transformer(spec.crs, name).transform(x, y)
    return datum.to_wgs84(lon, lat, Datum(spec.datum)) if spec.datum != Datum.WGS84 else (lon, lat)


def in_wgs84(shapes: Geometries, spec: Spec, name: str) -> Geometries:
    """Return shapes of the file in WGS 84, flat, longitude first; NaN and infinity stay what they are."""
    if not spec.swapped and spec.datum == Datum.WGS84 and _is_degrees(spec.crs):
        flat: Geometries = shapely.force_2d(shapes)
        return flat

    def move(given: Floats) -> Floats:
        return np.column_stack(in_degrees(given[:, 0], given[:, 1], spec, name))

    moved: Geometries = shapely.transform(shapely.force_2d(shapes), move)
    return moved


def _source_of(spec: Spec, chunk: Chunk) -> str:
    if chunk.shapes is not None:
        return "own"
    if spec.by_role(Role.SHAPE) is not None:
        return "wkt"
    return "pair" if spec.by_role(Role.LON) is not None and spec.by_role(Role.LAT) is not None else ""


def _without_crs(spec: Spec, x: Floats, y: Floats, ground: Ground, name: str) -> tuple[Spec, Guess]:
    """Return a coordinate system for a file that says none, by where its places would lie."""
    degrees = bool(len(x)) and bool((np.abs(x) <= 180).mean() > _INSIDE and (np.abs(y) <= 180).mean() > _INSIDE)
    if degrees or not len(x):
        reason = "it says none; its numbers are those of longitude and latitude"
        return replace(spec, crs="EPSG:4326"), Guess("coordinates", "EPSG:4326", reason, "未注明；数值为经纬度")
    tried = []
    for code in _candidates(ground):
        for swapped in (False, True):
            lon, lat = in_degrees(x, y, replace(spec, crs=code, swapped=swapped, datum=Datum.WGS84), name)
            share = ground.share_inside(np.asarray(lon), np.asarray(lat))
            tried.append((share, not swapped, code))
    share, straight, code = max(tried, key=lambda each: (each[0], each[1]))
    if share < _INSIDE:
        raise InvalidInput(
            f"{name} does not say its coordinate system, and in none of {len(tried) // 2} usual here its places lie in"
            f" {ground.title}.",
            hint="Ask where it comes from and say it, e.g. --crs EPSG:4547.",
            zh=f"{name} 未注明坐标系，按常用坐标系均不落在{ground.title}内。请向来源单位确认后指定，例如 EPSG:4547。",
        )
    title = _title(CRS.from_user_input(code))
    reason = f"it says none; read so, {share:.0%} of its places lie in or near {ground.title}"
    spec = replace(spec, crs=code, swapped=not straight)
    return spec, Guess("coordinates", title, reason, f"未注明；按此坐标系 {share:.0%} 的位置落在{ground.title}附近")


def _candidates(ground: Ground) -> Sequence[str]:
    """Return the codes that maps of a place are usually made in, the likeliest first."""
    west, _, east, _ = ground.box
    middle = (west + east) / 2
    codes = [ground.metric_srid, 3857]
    zone = int((middle + 180) // 6) % 60 + 1
    codes += [32600 + zone, 32700 + zone]
    if 72 <= middle <= 138:
        for width, first, prefixed in ((3, 4534, 4513), (6, 4502, 4491)):
            meridian = round(middle / 3) * 3 if width == 3 else int(middle // 6) * 6 + 3
            place = (meridian - 75) // width
            codes += [first + place, prefixed + place]
    if -9 <= middle <= 2.5:
        codes.append(27700)
    return [f"EPSG:{code}" for code in dict.fromkeys(codes)]


def _swap(  # noqa: PLR0917  (the places as they stand, and as they come out)
    x: Floats, y: Floats, lon: Floats, lat: Floats, spec: Spec, ground: Ground, name: str
) -> tuple[bool, Guess | None]:
    straight = ground.share_inside(lon, lat)
    if straight >= _CLEARLY or not len(x):
        return spec.swapped, None
    turned = replace(spec, swapped=not spec.swapped)
    share = ground.share_inside(*map(np.asarray, in_degrees(x, y, turned, name)))
    if share < _INSIDE:
        return spec.swapped, None
    reason = (
        f"{share:.0%} of the places lie in or near {ground.title} when the axes are swapped, {straight:.0%} as they are"
    )
    zh = f"对调坐标轴后 {share:.0%} 的位置落在{ground.title}附近，原样仅 {straight:.0%}"
    return turned.swapped, Guess("axes", "swapped", reason, zh)


def _crs(said: str, name: str) -> CRS:
    try:
        return CRS.from_user_input(said)
    except CRSError as error:
        raise InvalidInput(
            f"The coordinate system of {name} cannot be understood ({said[:60]}).",
            hint="Say it as a code, e.g. EPSG:4326 or EPSG:4547.",
            zh=f"无法识别 {name} 的坐标系，请以代码指定，例如 EPSG:4326。",
        ) from error


def _code(crs: CRS) -> str:
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else crs.to_wkt()


def _title(crs: CRS) -> str:
    authority = crs.to_authority(min_confidence=100)
    return f"{':'.join(authority)} {crs.name}" if authority else crs.name


def _is_degrees(crs: str) -> bool:
    return not crs or crs in {"EPSG:4326", "OGC:CRS84", "EPSG:4490"}


def _transformer(crs: str, name: str) -> Transformer:
    try:
        return Transformer.from_crs(_crs(crs, name), WGS84, always_xy=True)
    except ProjError as error:
        raise InvalidInput(f"{name}: places in {crs[:60]} cannot be brought to WGS 84 ({error}).") from error
