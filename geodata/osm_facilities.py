"""Which OpenStreetMap tags make a facility, and of which kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Tags = Mapping[str, str]
ANY = "*"
"""Any value but "no", "vacant" and the like."""
_NOTHING = frozenset({"no", "none", "vacant", "closed", "disused", "abandoned", "demolished"})


@dataclass(frozen=True)
class FacilityKind:
    """A kind of facility.

    Attributes
    ----------
    tags
        Key and value pairs of which one must be there; the first kind in the table that fits wins.
    grounds
        Often mapped twice, as an area and as a building or point inside it; the inner one is a duplicate
        unless it has a name of its own.
    one_site
        What lies on the grounds is a part of it (a ward of a hospital), whatever its name.
    public
        Serves the public only when access is not private.
    """

    label_en: str
    label_zh: str
    tags: tuple[tuple[str, str], ...]
    grounds: bool = False
    one_site: bool = False
    public: bool = False


def _amenity(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple(("amenity", value) for value in values)


def _leisure(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple(("leisure", value) for value in values)


FACILITY_KINDS: dict[str, FacilityKind] = {
    "hospital": FacilityKind(
        "Hospital", "医院", (*_amenity("hospital"), ("healthcare", "hospital")), grounds=True, one_site=True
    ),
    "pharmacy": FacilityKind("Pharmacy", "药店", (*_amenity("pharmacy"), ("healthcare", "pharmacy"))),
    "clinic": FacilityKind(
        "Clinic", "诊所", (*_amenity("clinic", "doctors", "dentist"), ("healthcare", ANY)), grounds=True
    ),
    "kindergarten": FacilityKind("Kindergarten", "幼儿园", _amenity("kindergarten", "childcare"), grounds=True),
    "school": FacilityKind("School", "学校", _amenity("school"), grounds=True),
    "college": FacilityKind("College or university", "高等院校", _amenity("college", "university"), grounds=True),
    "library": FacilityKind("Library", "图书馆", _amenity("library"), grounds=True),
    "fire_station": FacilityKind("Fire station", "消防站", _amenity("fire_station"), grounds=True),
    "ambulance_station": FacilityKind(
        "Ambulance station", "急救站", (("emergency", "ambulance_station"),), grounds=True
    ),
    "police": FacilityKind("Police station", "派出所", _amenity("police"), grounds=True),
    "townhall": FacilityKind("Town hall", "政务大厅", _amenity("townhall"), grounds=True),
    "community_centre": FacilityKind(
        "Community centre", "社区中心", _amenity("community_centre", "social_centre"), grounds=True
    ),
    "social_care": FacilityKind(
        "Social care", "社会福利机构", _amenity("social_facility", "nursing_home"), grounds=True
    ),
    "post_office": FacilityKind("Post office", "邮局", _amenity("post_office")),
    "place_of_worship": FacilityKind("Place of worship", "宗教场所", _amenity("place_of_worship"), grounds=True),
    "entertainment": FacilityKind(
        "Entertainment venue",
        "文化娱乐场所",
        (
            *_amenity("cinema", "theatre", "arts_centre", "nightclub", "casino"),
            ("tourism", "museum"),
            ("tourism", "gallery"),
        ),
        grounds=True,
    ),
    "playground": FacilityKind("Playground", "儿童游乐场", _leisure("playground"), public=True),
    "sports": FacilityKind(
        "Sports ground",
        "体育场地",
        _leisure(
            "sports_centre", "stadium", "pitch", "track", "ice_rink", "fitness_centre", "sports_hall", "water_park"
        ),
        grounds=True,
    ),
    "park": FacilityKind("Park", "公园", _leisure("park", "garden", "recreation_ground"), grounds=True),
    "marketplace": FacilityKind("Market", "集贸市场", _amenity("marketplace")),
    "toilets": FacilityKind("Public toilets", "公共厕所", _amenity("toilets"), public=True),
    "bus_stop": FacilityKind("Bus stop", "公交站", (("highway", "bus_stop"), *_amenity("bus_station"))),
    "railway_station": FacilityKind(
        "Railway station or tram stop",
        "火车站或电车站",
        (("railway", "station"), ("railway", "halt"), ("railway", "tram_stop")),
        grounds=True,
    ),
    "parking": FacilityKind("Car park", "停车场", _amenity("parking"), public=True),
    "fuel": FacilityKind("Fuel station", "加油站", _amenity("fuel")),
    "charging_station": FacilityKind("Charging station", "充电站", _amenity("charging_station"), public=True),
    "recycling": FacilityKind("Recycling point", "垃圾分类点", _amenity("recycling", "waste_transfer_station")),
    "bank": FacilityKind("Bank", "银行", _amenity("bank")),
    "shop": FacilityKind("Shop", "商店", (("shop", ANY),)),
}
"""Kind to labels and tags, in the order of precedence."""

FACILITY_KEYS = tuple(sorted({key for kind in FACILITY_KINDS.values() for key, _ in kind.tags}))
_EXACT = {pair: name for name, kind in reversed(FACILITY_KINDS.items()) for pair in kind.tags if pair[1] != ANY}
_WILD = {key: name for name, kind in FACILITY_KINDS.items() for key, value in kind.tags if value == ANY}
_RANK = {name: rank for rank, name in enumerate(FACILITY_KINDS)}
_KEPT = (
    "operator",
    "opening_hours",
    "wheelchair",
    "access",
    "emergency",
    "denomination",
    "religion",
    "isced:level",
    "website",
    "addr:street",
    "addr:housenumber",
    "addr:city",
    "addr:postcode",
    "start_date",
    "fee",
)
_NUMBER = re.compile(r"\d{1,6}(\.\d+)?")


def facility_kind(tags: Tags) -> str | None:
    """Return the kind of facility that tags describe; None when they describe none.

    A private or unnamed garden, a private car park and what is disused are none.
    """
    found = []
    for key in FACILITY_KEYS:
        value = tags.get(key)
        if value is None or value in _NOTHING:
            continue
        # "supermarket;bakery" counts by its first value.
        name = _EXACT.get((key, value.partition(";")[0].strip())) or _WILD.get(key)
        if name is not None:
            found.append(name)
    if not found:
        return None
    kind = min(found, key=_RANK.__getitem__)
    private = tags.get("access") in {"private", "no"}
    if private and (FACILITY_KINDS[kind].public or kind == "park"):
        return None
    if kind == "park" and tags.get("leisure") == "garden" and "name" not in tags:
        return None
    return kind


def facility_attributes(kind: str, tags: Tags) -> dict[str, str]:
    """Return what is worth keeping of a facility's tags: the exact type and some plain facts, no persons."""
    kept = {key: tags[key] for key in _KEPT if key in tags}
    for key, _ in FACILITY_KINDS[kind].tags:
        if key in tags:
            kept["type"] = tags[key]
            break
    return kept


def whole_number(text: str) -> int | None:
    """Return a whole number that a column holds; None for anything else."""
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def facility_capacity(tags: Tags) -> float | None:
    """Return beds, places or persons as tagged; None when not given as a number."""
    for key in ("capacity", "capacity:persons", "beds", "capacity:beds"):
        value = tags.get(key, "").strip()
        if _NUMBER.fullmatch(value):
            return float(value)
    return None
