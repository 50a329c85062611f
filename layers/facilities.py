"""Places that serve the public, by kind."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from layers.registry import LayerEntry, t
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together


@dataclass(frozen=True, slots=True)
class FacilityGroup:
    """Kinds that share a colour and a sign on the map."""

    key: str
    title: str
    colour: str
    kinds: tuple[str, ...]
    from_zoom: int


GROUPS = (
    FacilityGroup("health", t("Health"), "#B3261E", ("hospital", "clinic", "doctors", "pharmacy", "dentist"), 12),
    FacilityGroup(
        "education", t("Education"), "#8A5A00", ("school", "kindergarten", "college", "university", "childcare"), 12
    ),
    FacilityGroup(
        "safety", t("Safety"), "#2F4B8F", ("fire_station", "police", "ambulance_station", "lifeboat_station"), 12
    ),
    FacilityGroup(
        "civic", t("Civic and culture"), "#6A4C93", ("townhall", "town_hall", "library", "community_centre"), 13
    ),
    FacilityGroup("leisure", t("Parks and sports"), "#2E6E4E", ("park", "sports", "playground", "sports_centre"), 14),
    FacilityGroup("shops", t("Shops"), "#5F6B73", ("shop", "supermarket", "marketplace"), 15),
    FacilityGroup("transport", t("Stops and toilets"), "#0B6B70", ("bus_stop", "station", "ferry", "toilets"), 15),
)
"""In drawing order of importance; a kind that stands nowhere goes with civic."""

GROUP_OF_KIND = {kind: group.key for group in GROUPS for kind in group.kinds}


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile at zoom ``z``; the minor kinds come when near."""
    frequent: LiteralString = "'shop', 'supermarket', 'marketplace', 'bus_stop', 'toilets'"
    only: LiteralString = f" AND kind NOT IN ({frequent})" if z < 14 else ""
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
    depends_on=("facilities",),
    zooms=(10, 15),
    statement=statement,
)
