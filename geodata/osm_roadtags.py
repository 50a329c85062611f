"""What the tags of a road say: class, direction, speed, and who may use it."""

from __future__ import annotations

import re
from collections.abc import Mapping

Tags = Mapping[str, str]

DEFAULT_SPEED_KMH: dict[str, float] = {
    "motorway": 110,
    "motorway_link": 60,
    "trunk": 80,
    "trunk_link": 50,
    "primary": 60,
    "primary_link": 40,
    "secondary": 50,
    "secondary_link": 40,
    "tertiary": 45,
    "tertiary_link": 35,
    "unclassified": 40,
    "residential": 30,
    "living_street": 15,
    "road": 30,
    "service": 20,
    "busway": 40,
    "track": 15,
    "pedestrian": 5,
    "footway": 5,
    "path": 5,
    "steps": 3,
    "cycleway": 15,
    "bridleway": 5,
}
"""Road classes taken in, with the speed assumed without a sign; others (proposed, corridor …) are not roads."""

_OTHER_WORDS = {"trail": "path", "byway": "track", "minor": "unclassified", "bus_guideway": "busway", "stairs": "steps"}
_OPEN_TO_CARS = frozenset(
    list(DEFAULT_SPEED_KMH)[: list(DEFAULT_SPEED_KMH).index("service") + 1],
)
_CLOSED_TO_WALKERS = frozenset({"motorway", "motorway_link", "busway"})
_CLOSED_TO_CYCLES = _CLOSED_TO_WALKERS | {"trunk", "trunk_link", "steps"}
_FORBIDS = frozenset({"no", "private", "military", "forestry", "agricultural", "emergency"})
_ALLOWS = frozenset({"yes", "designated", "permissive", "destination", "delivery", "customers", "official"})

_SPEED = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(mph|km/h|kmh|kph)?")
_ZONE = re.compile(r"(?:[A-Z]{2}(?:-[A-Z]{2,3})?:)?(?:zone:?)?(\d{1,3})")
_KMH_PER_MPH = 1.609344
_IMPLICIT_KMH = {
    "walk": 7.0,
    "living_street": 20.0,
    "pedestrian": 7.0,
    "bicycle_road": 30.0,
    "urban": 50.0,
    "rural": 90.0,
    "trunk": 100.0,
    "motorway": 120.0,
    "nsl_restricted": 48.28,
    "nsl_single": 96.56,
    "nsl_dual": 112.65,
    "national": 96.56,
    "school": 30.0,
}
_IMPLICIT_IN = {
    "RU:urban": 60.0,
    "UA:rural": 90.0,
    "DE:rural": 100.0,
    "AT:rural": 100.0,
    "CH:rural": 80.0,
    "FI:rural": 80.0,
    "FR:rural": 80.0,
    "RU:motorway": 110.0,
    "AT:motorway": 130.0,
    "FR:motorway": 130.0,
    "CZ:motorway": 130.0,
    "IT:motorway": 130.0,
    "RU:living_street": 20.0,
    "DE:living_street": 7.0,
    "AT:living_street": 7.0,
    "GB:motorway": 112.65,
}
_UNLIMITED = frozenset({"none", "unlimited", "DE:motorway"})
UNLIMITED_KMH = 120.0
"""Driven speed where a sign says "no limit"."""


def parse_speed_kmh(text: str) -> float | None:
    """Return a ``maxspeed`` text in km/h; None when it says no number (``none``, ``signals`` …) or nonsense.

    Takes "50", "30 mph", "walk", country codes such as "DE:urban" and "GB:nsl_single", zones such as "DE:30",
    and of several values ("50;30") the lowest.
    """
    speeds = [speed for part in re.split(r"[;,|]", text) if (speed := _one_speed(part.strip())) is not None]
    return min(speeds) if speeds else None


def _one_speed(text: str) -> float | None:
    match = _SPEED.fullmatch(text)
    if match:
        speed = float(match[1]) * (_KMH_PER_MPH if match[2] == "mph" else 1)
        return round(speed, 2) if 3 <= speed <= 150 else None
    if text in _UNLIMITED:
        return None
    if text in _IMPLICIT_IN:
        return _IMPLICIT_IN[text]
    zone = _ZONE.fullmatch(text)
    if zone:
        speed = float(zone[1]) * (_KMH_PER_MPH if text.startswith(("GB", "US")) else 1)
        return round(speed, 2) if 3 <= speed <= 150 else None
    return _IMPLICIT_KMH.get(text.rpartition(":")[2])


def limit_kmh(tags: Tags) -> float | None:
    """Return the signed limit; where directions or lanes differ the lowest; None when not given."""
    for key in ("maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed"):
        if key in tags and (speed := parse_speed_kmh(tags[key])) is not None:
            return speed
    both = [parse_speed_kmh(tags[key]) for key in ("maxspeed:forward", "maxspeed:backward") if key in tags]
    return min((speed for speed in both if speed is not None), default=None)


def speed_kmh(road_class: str, limit: float | None, tags: Tags) -> float:
    """Return the limit, else the default of the class; lower on loose surfaces and where nobody drives."""
    if road_class in {"pedestrian", "footway", "path", "steps", "bridleway"}:
        return DEFAULT_SPEED_KMH[road_class]
    if limit is not None:
        return limit
    if tags.get("maxspeed") in _UNLIMITED:
        return UNLIMITED_KMH
    return DEFAULT_SPEED_KMH[road_class]


def oneway(road_class: str, tags: Tags) -> int:
    """Return 1 for one-way along the line, -1 against it, 0 for both ways.

    Roundabouts and motorways are one-way unless they say otherwise; reversible lanes count as both ways.
    """
    value = tags.get("oneway", "")
    if value in {"yes", "true", "1"}:
        return 1
    if value in {"-1", "reverse"}:
        return -1
    if value in {"no", "false", "0", "reversible", "alternating"}:
        return 0
    return int(tags.get("junction") in {"roundabout", "circular"} or road_class == "motorway")


def drivable(road_class: str, tags: Tags) -> bool:
    """Return whether an ordinary motor vehicle may drive here; the most specific access tag decides."""
    for key in ("motorcar", "motor_vehicle", "vehicle", "access"):
        value = tags.get(key)
        if value in _FORBIDS:
            return False
        if value in _ALLOWS and key in {"motorcar", "motor_vehicle"}:
            return road_class not in {"footway", "steps", "path", "cycleway", "bridleway", "busway"}
    if road_class == "track":
        return tags.get("tracktype") == "grade1"
    return road_class in _OPEN_TO_CARS


def walkable(road_class: str, tags: Tags) -> bool:
    """Return whether a person may walk here; the most specific access tag decides."""
    foot = tags.get("foot")
    if foot in _FORBIDS or foot == "use_sidepath":
        return False
    if foot is not None:
        return True
    if road_class in _CLOSED_TO_WALKERS or tags.get("motorroad") == "yes":
        return False
    return tags.get("access") not in _FORBIDS


def cyclable(road_class: str, tags: Tags) -> bool:
    """Return whether a cycle may be ridden or pushed here; the most specific access tag decides."""
    bicycle = tags.get("bicycle")
    if bicycle in _FORBIDS or bicycle == "use_sidepath":
        return False
    if bicycle is not None:
        return True
    if road_class in _CLOSED_TO_CYCLES or tags.get("motorroad") == "yes":
        return False
    return tags.get("vehicle", tags.get("access")) not in _FORBIDS


def cycle_signed(tags: Tags) -> bool:
    """Return whether a sign lets cycles be ridden where by its class they would be pushed."""
    return tags.get("bicycle") in _ALLOWS


def cycle_oneway(road_class: str, tags: Tags) -> int:
    """Return the one-way that holds for cycles; signs and lanes may let them ride against it."""
    value = tags.get("oneway:bicycle")
    if value in {"no", "false", "0"} or any(
        tags.get(key, "").startswith("opposite") for key in ("cycleway", "cycleway:left", "cycleway:right")
    ):
        return 0
    return oneway(road_class, tags if value is None else {"oneway": value})


def users(road_class: str, tags: Tags) -> dict[str, bool | int]:
    """Return who may use a road, column by column."""
    return {
        "drivable": drivable(road_class, tags),
        "walkable": walkable(road_class, tags),
        "cyclable": cyclable(road_class, tags),
        "cycle_oneway": cycle_oneway(road_class, tags),
        "cycle_signed": cycle_signed(tags),
    }


def road_class_of(tags: Tags) -> str | None:
    """Return the class of a road; None for what is not a road to move along (areas, proposed roads, platforms)."""
    value = tags.get("highway", "")
    value = _OTHER_WORDS.get(value, value)
    if value not in DEFAULT_SPEED_KMH or tags.get("area") == "yes":
        return None
    return value
