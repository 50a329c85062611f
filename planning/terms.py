"""What a siting question asks for besides kind and number: places, zones, spacing, money, room, an equity floor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import shapely

from core.errors import InvalidInput
from planning.layer_model import Growth

Place = tuple[float, float]
PLACES_AT_MOST = 60
OWN_AT_MOST = 5000
POINTS_AT_MOST = 50_000
ZONES_AT_MOST = 100
HOURS = 24
_PLACES = ("forbidden", "fixed", "also", "by_hand", "stay", "closed")
SOURCES = ("free", "buildings")
_NUMBERS = {
    "spacing_m": ("metres between sites", 0.0, 100_000.0),
    "capacity": ("people a site has room for", 0.0, 1e9),
    "site_cost": ("cost of a site", 0.0, 1e15),
    "hour_cost": ("cost of an hour on the way", 0.0, 1e9),
    "budget": ("budget", 0.0, 1e18),
    "floor": ("share of each community", 0.0, 1.0),
    "seconds": ("seconds for the search", 0.0, 3600.0),
    "least_m2": ("square metres of a site", 0.0, 1e9),
    "points": ("number of points the people are gathered at", 99.0, POINTS_AT_MOST),
}


@dataclass(frozen=True)
class OwnPlace:
    """A candidate of the planner's own; cost and room are those of the question where None.

    Attributes
    ----------
    area_m2
        Of the parcel or building it stands for; None for a mere point.
    """

    lon: float
    lat: float
    cost: float | None = None
    capacity: float | None = None
    area_m2: float | None = None


@dataclass(frozen=True)
class Terms:
    """Terms of a question; all may be left out.

    Attributes
    ----------
    closable
        Facilities that are there may be closed and built elsewhere.
    forbidden, fixed, also
        Places (longitude, latitude) where nothing may be built, something is built in any case, something could be.
    by_hand
        A plan to be weighed; nothing is searched for.
    zones
        Polygons (WKT, EPSG:4326) where nothing may be built.
    places
        The only candidates; empty: those of ``source``.
    source
        ``free`` for free plots beside a road, ``buildings`` for buildings nobody lives in that could be converted.
    sifted
        Places of the planner's own are left out too where they lie on water, a road, green or farmland, or outside.
    least_m2
        A parcel or building that is smaller is left out.
    stay
        Facilities that are there and stay open, though others may be closed.
    closed
        Points on streets that nobody can use: what if.
    demand, demand_name
        A layer of planning whose people count, and what it was called; None: the people of the map.
    growth, years
        An assumption: so many per cent more people a year, for so many years.
    matrix, matrix_name, matrix_sha256
        A matrix of travel times of the planner's own that counts in place of the streets, its name and its hash.
    transit
        It was computed here by public transport.
    capacity
        People a site has room for, new or there.
    floor
        Share of each community's people to be within the limit.
    seconds
        For choice and proof.
    points
        At how many points the people of all buildings are gathered for the choice, at most; None: the usual number.
    hour
        Cars go as fast as was measured on weekdays of late at this local hour; None: as fast as the roads allow.
    """

    closable: bool = False
    forbidden: tuple[Place, ...] = ()
    fixed: tuple[Place, ...] = ()
    also: tuple[Place, ...] = ()
    by_hand: tuple[Place, ...] = ()
    zones: tuple[str, ...] = ()
    places: tuple[OwnPlace, ...] = ()
    spacing_m: float | None = None
    capacity: float | None = None
    site_cost: float | None = None
    hour_cost: float | None = None
    budget: float | None = None
    floor: float | None = None
    seconds: float | None = None
    source: str = "free"
    sifted: bool = False
    least_m2: float | None = None
    stay: tuple[Place, ...] = ()
    closed: tuple[Place, ...] = ()
    demand: int | None = None
    demand_name: str | None = None
    growth: float | None = None
    years: int | None = None
    matrix: int | None = None
    matrix_name: str | None = None
    matrix_sha256: str | None = None
    transit: bool = False
    points: int | None = None
    hour: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be kept to."""
        _ = self.more_people
        if self.source not in SOURCES:
            raise InvalidInput(f"There are no candidates {self.source!r}.", hint=f"Take one of: {', '.join(SOURCES)}.")
        if self.hour is not None and not 0 <= self.hour < HOURS:
            raise InvalidInput(f"{self.hour} is no hour of a day.", hint="Give 0 to 23.")
        for name, (what, low, high) in _NUMBERS.items():
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and low < value <= high):
                raise InvalidInput(
                    f"{value:g} is no useful {what}.", hint=f"Take more than {low:g} and at most {high:g}."
                )
        for name in _PLACES:
            places = getattr(self, name)
            if len(places) > PLACES_AT_MOST:
                raise InvalidInput(f"{len(places):,} places are too many.", hint=f"At most {PLACES_AT_MOST}.")
            _on_earth(places)
        if len(self.places) > OWN_AT_MOST:
            raise InvalidInput(f"{len(self.places):,} candidates are too many.", hint=f"At most {OWN_AT_MOST:,}.")
        _on_earth([(each.lon, each.lat) for each in self.places])
        if len(self.zones) > ZONES_AT_MOST:
            raise InvalidInput(f"{len(self.zones):,} zones are too many.", hint=f"At most {ZONES_AT_MOST}.")
        for each in self.zones:
            _zone(each)

    @property
    def more_people(self) -> Growth:
        """Return the growth that is assumed."""
        return Growth(self.growth or 0.0, self.years or 0)

    @property
    def shapes(self) -> list[shapely.Geometry]:
        """Return the zones as polygons, EPSG:4326."""
        return [_zone(each) for each in self.zones]

    def as_json(self) -> dict[str, Any]:
        """Return what is said, for the database."""
        said = {part.name: getattr(self, part.name) for part in fields(self)}
        made = {name: value for name, value in said.items() if value not in (None, (), False, "free")}
        if self.hour is not None:  # midnight is an hour too
            made["hour"] = self.hour
        if self.places:
            made["places"] = [[each.lon, each.lat, each.cost, each.capacity, each.area_m2] for each in self.places]
        return {
            name: [list(each) if isinstance(each, tuple) else each for each in value]
            if isinstance(value, tuple)
            else value
            for name, value in made.items()
        }

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> Terms:
        """Return terms as `as_json` wrote them."""
        made: dict[str, Any] = dict(said)
        for name in _PLACES:
            if name in made:
                made[name] = tuple((float(lon), float(lat)) for lon, lat in made[name])
        if "zones" in made:
            made["zones"] = tuple(made["zones"])
        if "places" in made:
            made["places"] = tuple(OwnPlace(*each) for each in made["places"])
        return cls(**made)


def _on_earth(places: Sequence[Place]) -> None:
    wrong = sum(not (-180 <= lon <= 180 and -90 <= lat <= 90) for lon, lat in places)
    if wrong:
        raise InvalidInput(
            f"{wrong:,} of {len(places):,} places are no longitude and latitude.",
            hint="Give degrees of WGS 84 (EPSG:4326), longitude first.",
        )


def _zone(text: str) -> shapely.Geometry:
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.GEOSException as error:
        raise InvalidInput("A zone is no polygon.", hint="Give polygons in degrees of WGS 84.") from error
    if shape is None or shape.geom_type not in {"Polygon", "MultiPolygon"} or not shape.is_valid or shape.is_empty:
        raise InvalidInput("A zone is no valid polygon.", hint="Draw it again; its border must not cross itself.")
    return shape
