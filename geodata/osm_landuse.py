"""What the tags of an area say: land cover, the use of a building, its levels and its people."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Tags = Mapping[str, str]

_COVER: dict[str, dict[str, frozenset[str]]] = {
    "water": {
        "natural": frozenset({"water", "bay"}),
        "waterway": frozenset({"riverbank", "dock"}),
        "landuse": frozenset({"reservoir", "basin"}),
    },
    "wood": {"natural": frozenset({"wood"}), "landuse": frozenset({"forest"})},
    "sand": {"natural": frozenset({"beach", "sand", "shingle"})},
    "farmland": {"landuse": frozenset({"farmland", "farm", "orchard", "vineyard", "farmyard"})},
    "green": {
        "leisure": frozenset({"park", "garden", "golf_course", "recreation_ground", "pitch", "playground", "common"}),
        "landuse": frozenset(
            {"grass", "recreation_ground", "village_green", "cemetery", "meadow", "allotments", "greenfield"},
        ),
        "natural": frozenset({"grassland", "heath", "scrub", "wetland", "fell"}),
    },
}
COVER_OF = {(key, value): kind for kind, keys in _COVER.items() for key, values in keys.items() for value in values}
COVER_KEYS = ("natural", "waterway", "landuse", "leisure")
WATERWAYS = frozenset({"river", "stream", "canal", "drain"})
RAILWAYS = frozenset({"rail", "light_rail", "narrow_gauge", "monorail"})

_USE_WORDS = {
    "residential": "residential house detached semidetached_house semi apartments apartment flats terrace bungalow"
    " dormitory houseboat villa farm farmhouse",
    "commercial": "commercial retail office supermarket kiosk hotel shop pub restaurant bank",
    "industrial": "industrial warehouse manufacture factory works storage_tank silo",
    "public": "public civic school kindergarten college university hospital church chapel cathedral mosque temple"
    " synagogue religious government townhall library museum train_station transportation fire_station police stadium"
    " sports_hall sports_centre pavilion clinic community_centre toilets",
    "farm": "farm_auxiliary barn stable cowshed sty greenhouse agricultural farm_shed poultry_house",
    "other": "garage garages carport shed roof hut ruins construction service parking boathouse bunker tent outbuilding"
    " conservatory container canopy collapsed static_caravan cabin",
}
_USES = {word: use for use, words in _USE_WORDS.items() for word in words.split()}
SITE_USES = {
    "residential": "residential",
    "commercial": "commercial",
    "retail": "commercial",
    "industrial": "industrial",
    "railway": "industrial",
    "military": "public",
    "education": "public",
    "farmyard": "farm",
    "allotments": "other",
}
"""Land use around a building to the use assumed for a plain ``building=yes`` on it."""

DEFAULT_LEVELS = {"residential": 2.0, "commercial": 2.0, "industrial": 1.0, "public": 2.0, "farm": 1.0, "other": 1.0}
_LEVELS_OF = {"apartments": 4.0, "bungalow": 1.0, "dormitory": 3.0, "hotel": 3.0, "office": 3.0}
HOUSE_MIN_M2, HOUSE_MAX_M2 = 35.0, 600.0
"""A plain ``building=yes`` on no marked land of this footprint is taken for a home."""
FLOOR_AREA_PER_PERSON_M2 = 60.0
"""Gross floor area a resident takes, where no number of people is given to scale to."""
PEOPLE_WEIGHT = {"residential": 1.0, "commercial": 0.05, "public": 0.0, "industrial": 0.0, "farm": 0.0, "other": 0.0}
"""Share of the floor area that is lived in; commercial houses have some flats above the shops."""
_NUMBER = re.compile(r"-?\d{1,3}(\.\d+)?")


def land_cover_kind(tags: Tags) -> str | None:
    """Return water, wood, sand, farmland or green for an area; None when it is none of these."""
    for key in COVER_KEYS:
        value = tags.get(key)
        if value is not None and (kind := COVER_OF.get((key, value))) is not None:
            return kind
    return None


def railway_class(tags: Tags) -> str | None:
    """Return the kind of a railway above ground; None when it is none."""
    value = tags.get("railway")
    return value if value in RAILWAYS and tags.get("tunnel", "no") == "no" else None


def is_building(tags: Tags) -> bool:
    """Return whether tags describe a building that stands."""
    return tags.get("building", "no") not in {"no", "none", "demolished", "razed", "proposed", "entrance"}


def building_use(tags: Tags) -> str | None:
    """Return the use of a building by its own tags; None when they do not say (a plain ``building=yes``)."""
    use = _USES.get(tags["building"])
    if use is not None and use != "residential":
        return use
    if "shop" in tags or "office" in tags or tags.get("tourism") in {"hotel", "guest_house", "hostel", "motel"}:
        return use or "commercial"
    amenity = tags.get("amenity")
    if amenity is not None:
        drinks = {"pub", "restaurant", "cafe", "bar", "fast_food", "bank", "fuel", "nightclub", "cinema"}
        return use or ("commercial" if amenity in drinks else "other" if amenity == "parking" else "public")
    if "healthcare" in tags or "leisure" in tags or tags.get("tourism") in {"museum", "attraction"}:
        return use or "public"
    if "man_made" in tags or "power" in tags:
        return use or "industrial"
    return use


def building_levels(tags: Tags) -> float | None:
    """Return the floors above ground as tagged, or by the kind of house; None when nothing is known."""
    text = tags.get("building:levels", "").partition(";")[0].strip()
    if _NUMBER.fullmatch(text) and 0 < float(text) <= 200:
        return float(text)
    height = tags.get("height", tags.get("building:height", "")).removesuffix("m").strip()
    if _NUMBER.fullmatch(height) and 2 <= float(height) <= 700:
        return max(1.0, round(float(height) / 3.2))
    return _LEVELS_OF.get(tags["building"])


def people_of(
    use: NDArray[np.object_],
    levels: NDArray[np.float64],
    footprint_m2: NDArray[np.float64],
    people_total: float | None,
) -> NDArray[np.float64]:
    """Return the residents each building stands for: lived-in floor area, scaled to the total where one is given."""
    weight = np.array([PEOPLE_WEIGHT[name] for name in use.tolist()], dtype=float)
    people: NDArray[np.float64] = weight * levels * footprint_m2 / FLOOR_AREA_PER_PERSON_M2
    if people_total is not None and people.sum() > 0:
        people *= people_total / people.sum()
    return people
