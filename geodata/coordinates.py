"""Coordinates as people write them: decimal or in degrees, minutes and seconds, in either order, in any datum."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from geodata.datum import Datum, shifted_there, to_wgs84

LONGEST: Final = 80
_DATUMS: Final = {
    Datum.WGS84: r"wgs[-\s]?84|gps",
    Datum.GCJ02: r"gcj[-\s]?02|火星坐标|火星|高德|amap",
    Datum.BD09: r"bd[-\s]?09|百度|baidu",
}
_SIGNS: Final = {
    "北纬": "N", "南纬": "S", "东经": "E", "西经": "W", "度": "°", "分": "'", "秒": '"', "、": ",",
    "\u2032\u2032": '"', "\u2032": "'", "\u201d": '"', "\u2019": "'",
}  # fmt: skip
_SIZE: Final = (
    r"(?P<degrees>[-+]?\d{1,3}(?:\.\d{1,12})?)\s*°?\s*"
    r"(?:(?P<minutes>\d{1,2}(?:\.\d{1,9})?)\s*'\s*)?(?:(?P<seconds>\d{1,2}(?:\.\d{1,9})?)\s*\"\s*)?"
)
# a letter stands on one side of its number: in "N23.1 E113.2" the E belongs to what follows
_ANGLES: Final = (
    re.compile(rf"(?P<side>[NSEW])\s*{_SIZE}"),
    re.compile(rf"{_SIZE}(?P<side>[NSEW](?![A-Z]))"),
    re.compile(rf"{_SIZE}(?P<side>)"),
)
_PARTED: Final = re.compile(r"\s*[,;/\s]\s*")


@dataclass(frozen=True, slots=True)
class Place:
    """A place that coordinates may mean, in WGS 84 degrees; ``datum`` is the one they were read in."""

    lon: float
    lat: float
    datum: Datum


@dataclass(frozen=True, slots=True)
class _Angle:
    degrees: float
    side: str
    telling: bool


def read_coordinates(text: str, within: Sequence[float]) -> list[Place]:
    """Return the places a text of two coordinates may mean, the likeliest first; empty when it is none.

    Decimal degrees, or degrees, minutes and seconds; full-width signs, N/S/E/W or 北纬/东经 before or after. Where
    no letter tells the order, the one that falls into ``within`` stands first, else longitude first. A datum named
    in the text holds; without one, in China, the text is read in all three, WGS 84 first.

    Parameters
    ----------
    within
        West, south, east, north of the territory in degrees.
    """
    # NFKC makes full-width digits and commas plain, and of a double prime two single ones
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    if not plain or len(plain) > LONGEST:
        return []
    named: Datum | None = None
    for datum, pattern in _DATUMS.items():
        found = re.search(pattern, plain, re.IGNORECASE)
        if found:
            named, plain = datum, f"{plain[: found.start()]} {plain[found.end() :]}"
            break
    for written, sign in _SIGNS.items():
        plain = plain.replace(written, sign)
    angles = _two_angles(plain.strip(" :()[],"))
    if angles is None:
        return []
    pairs = _ordered(*angles, within)
    return [
        place
        for lon, lat in pairs
        for place in _read(lon, lat, (named,) if named is not None else tuple(Datum))
    ]  # fmt: skip


def _two_angles(text: str) -> tuple[_Angle, _Angle] | None:
    first = _match(text, 0)
    if first is None:
        return None
    # two bare numbers stand apart; "23°7'N113°15'E" does without
    parting = _PARTED.match(text, len(text[: first.end()].rstrip()))
    if parting is None and not first["side"]:
        return None
    second = _match(text, parting.end() if parting is not None else first.end())
    if second is None or second.end() != len(text):
        return None
    one, other = _angle(first), _angle(second)
    if one is None or other is None or not (one.telling and other.telling):
        return None
    return one, other


def _match(text: str, at: int) -> re.Match[str] | None:
    return next((found for pattern in _ANGLES if (found := pattern.match(text, at)) is not None), None)


def _angle(found: re.Match[str]) -> _Angle | None:
    minutes, seconds = float(found["minutes"] or 0), float(found["seconds"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    whole = float(found["degrees"])
    size = abs(whole) + minutes / 60 + seconds / 3600
    side = found["side"]
    if side and found["degrees"].startswith("-"):
        return None
    south_or_west = side in {"S", "W"} or found["degrees"].startswith("-")
    # two whole numbers are rather a number of a case or a house
    telling = bool(side) or "." in found["degrees"] or found["minutes"] is not None or "°" in found[0]
    return _Angle(-size if south_or_west else size, side, telling)


def _ordered(first: _Angle, second: _Angle, within: Sequence[float]) -> list[tuple[float, float]]:
    """Return the pairs (longitude, latitude) the two may be, the likeliest first."""
    if first.side in {"E", "W"} or second.side in {"N", "S"}:
        pairs = [(first, second)]
    elif first.side in {"N", "S"} or second.side in {"E", "W"}:
        pairs = [(second, first)]
    else:
        pairs = [(first, second), (second, first)]
    fit = [
        (lon.degrees, lat.degrees)
        for lon, lat in pairs
        if abs(lon.degrees) <= 180 and abs(lat.degrees) <= 90
        and lon.side not in {"N", "S"} and lat.side not in {"E", "W"}
    ]  # fmt: skip
    west, south, east, north = within
    inside = [(lon, lat) for lon, lat in fit if west <= lon <= east and south <= lat <= north]
    return inside or fit[:1]


def _read(lon: float, lat: float, datums: Sequence[Datum | None]) -> list[Place]:
    found = []
    there = bool(shifted_there(np.array([lon]), np.array([lat]))[0])
    for datum in datums:
        if datum is None or (datum != Datum.WGS84 and not there and len(datums) > 1):
            continue
        true_lon, true_lat = to_wgs84(np.array([lon]), np.array([lat]), datum)
        found.append(Place(float(true_lon[0]), float(true_lat[0]), datum))
    return found
