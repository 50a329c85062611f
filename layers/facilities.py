"""Places that serve the public, by kind."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from layers.registry import OPEN_STREETS, LayerEntry, t
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together


@dataclass(frozen=True, slots=True)
class FacilityGroup:
    """Kinds that share a colour and a sign on the map.

    Attributes
    ----------
    glyph
        SVG path on a field of 16 by 16, drawn white on the colour (even-odd).
    from_zoom
        Display zoom from which the group is shown.
    """

    key: str
    title: str
    colour: str
    kinds: tuple[str, ...]
    from_zoom: int
    glyph: str


GROUPS = (
    FacilityGroup(
        "health",
        t("Health and care"),
        "#A62B4B",
        ("hospital", "clinic", "pharmacy", "social_care"),
        12,
        "M6.5 3h3v3.5H13v3H9.5V13h-3V9.5H3v-3h3.5z",
    ),
    FacilityGroup(
        "education",
        t("Education"),
        "#8A5A00",
        ("school", "kindergarten", "college"),
        12,
        "M8 3.5 1.8 6.5 8 9.5l6.2-3zM4.2 8.8v2.4c1 1 2.3 1.5 3.8 1.5s2.8-.5 3.8-1.5V8.8L8 10.6z",
    ),
    FacilityGroup(
        "safety",
        t("Safety"),
        "#2F4B8F",
        ("fire_station", "ambulance_station", "police"),
        12,
        "M8 2.5 3.5 4v3.8c0 2.7 1.8 4.7 4.5 5.7 2.7-1 4.5-3 4.5-5.7V4z",
    ),
    FacilityGroup(
        "civic",
        t("Civic and culture"),
        "#6A4C93",
        ("townhall", "library", "community_centre", "post_office", "place_of_worship", "entertainment"),
        13,
        "M8 2.5 2.5 5.5v1h11v-1zM3.8 7.3h1.6v4H3.8zM7.2 7.3h1.6v4H7.2zM10.6 7.3h1.6v4h-1.6zM2.8 12h10.4v1.4H2.8z",
    ),
    FacilityGroup(
        "leisure",
        t("Parks and sports"),
        "#2E6E4E",
        ("park", "sports", "playground"),
        14,
        "M8 2 4.5 7h1.8L3.5 10.8h3.7V14h1.6v-3.2h3.7L9.7 7h1.8z",
    ),
    FacilityGroup(
        "shops",
        t("Shops and banks"),
        "#5F6B73",
        ("marketplace", "shop", "bank"),
        16,
        "M3.5 6h9l.8 7.5H2.7zM5.5 6V5a2.5 2.5 0 0 1 5 0v1H9.3V5a1.3 1.3 0 0 0-2.6 0v1z",
    ),
    FacilityGroup(
        "transport",
        t("Transport and services"),
        "#0B6B70",
        ("railway_station", "bus_stop", "parking", "fuel", "charging_station", "toilets", "recycling"),
        16,
        "M4 3h8a1 1 0 0 1 1 1v7.5h-1V13h-1.8v-1.5H5.8V13H4v-1.5H3V4a1 1 0 0 1 1-1zm.3 1.5v3.3h7.4V4.5z",
    ),
)
"""In drawing order of importance; a test holds them together with `geodata.osm_facilities.FACILITY_KINDS`."""


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile at zoom ``z``; the minor kinds come when near."""
    frequent: LiteralString = (
        "'shop', 'bank', 'bus_stop', 'parking', 'fuel', 'charging_station', 'toilets', 'recycling'"
    )
    only: LiteralString = f" AND kind NOT IN ({frequent})" if z < 15 else ""
    return together(
        as_layer(
            "facility",
            f"SELECT id, kind, name, name_zh, {in_tile('geom')} AS geom FROM facility"
            f" WHERE territory_id = %(territory)s AND geom && {WITH_MARGIN}{only}",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="facilities",
    title=t("Facilities"),
    title_zh="设施",
    order=45,
    sensitivity="public",
    licence=OPEN_STREETS,
    depends_on=("facilities",),
    zooms=(10, 15),
    statement=statement,
)
