"""Territories: make one, find one, and read its communities."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import cast
from zoneinfo import ZoneInfo

import geopandas as gpd
import shapely
from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Float, func, select
from sqlalchemy.orm import Session, defer

from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, require
from core.settings import settings
from geodata.crs import metric_srid_of, timezone_of
from geodata.quality import territory_boundary
from geodata.tables import Area, Territory

CODE_SCHEMES = ("local", "cn14", "cn15")
WORLD = (-180.0, -85.0, 180.0, 85.0)
"""The bounds of a territory without a boundary."""
NAME_RULE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
FIRST_CODES = {
    "local": {"district": "01", "street": "01", "community": "001"},
    "cn14": {"district": "000000", "street": "001", "community": "001"},
    "cn15": {"district": "000000", "street": "001", "community": "001"},
}
"""Codes of the areas a new territory starts with; the Chinese district is to be replaced by its GB/T 2260 code."""


@dataclass(frozen=True)
class TerritoryInfo:
    """What the platform needs to know of a territory at every step.

    Attributes
    ----------
    bounds
        West, south, east, north in degrees.
    opens
        Longitude, latitude and zoom the map opens with.
    is_blank
        It has no boundary yet: the first administrator has just made it.
    """

    id: int
    name: str
    title_en: str
    title_zh: str
    metric_srid: int
    code_scheme: str
    timezone: str
    bounds: tuple[float, float, float, float]
    opens: tuple[float, float, int]
    is_demo: bool = False
    attribution: str = ""
    people_note: str = ""
    is_blank: bool = False
    zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Resolve the time zone once."""
        object.__setattr__(self, "zone", ZoneInfo(self.timezone))

    def title(self, locale: str) -> str:
        """Return the title in a language, "zh" or else English."""
        return self.title_zh if locale.startswith("zh") else self.title_en


def list_territories(session: Session) -> list[TerritoryInfo]:
    """Return all territories, oldest first."""
    corners = [
        corner(Territory.boundary, type_=Float) for corner in (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax)
    ]
    statement = select(Territory, *corners).options(defer(Territory.boundary, raiseload=True)).order_by(Territory.id)
    return [
        _info(territory, (west, south, east, north))
        for territory, west, south, east, north in session.execute(statement)
    ]


def find_territory(session: Session, name: str | None = None) -> TerritoryInfo:
    """Return the territory of a name; without one that of the settings, else the only one there is.

    Raises
    ------
    NotFound
        When no territory has the name, or none exists yet.
    InvalidInput
        When several live together and none is named.
    """
    wanted = name or settings().territory
    known = list_territories(session)
    names = ", ".join(territory.name for territory in known)
    if wanted is not None:
        for territory in known:
            if territory.name == wanted:
                return territory
        raise NotFound(
            f"There is no territory {wanted!r}.",
            hint=f"Known are: {names}." if known else "Make one with 'gridkeeper territory make' or 'load osm'.",
        )
    if not known:
        raise NotFound(
            "There is no territory yet.",
            hint="Load an OpenStreetMap file with 'gridkeeper load osm', or make one with 'gridkeeper territory make'.",
        )
    if len(known) > 1:
        raise InvalidInput(
            f"Several territories live here: {names}.",
            hint="Say which with --territory NAME or GRIDKEEPER_TERRITORY.",
        )
    return known[0]


def make_territory(
    session: Session,
    actor: Actor,
    name: str,
    *,
    boundary: BaseGeometry,
    title_en: str | None = None,
    title_zh: str | None = None,
    code_scheme: str = "local",
    timezone: str | None = None,
    opens: tuple[float, float, int] | None = None,
    is_demo: bool = False,
    attribution: str = "",
    people_note: str = "",
) -> TerritoryInfo:
    """Return a new territory, with one district, one street and one community that cover all of it.

    Parameters
    ----------
    boundary
        Polygon or multipolygon in EPSG:4326.
    timezone
        IANA name; None finds it from the boundary.

    Raises
    ------
    InvalidInput
        For a name, boundary, scheme or time zone that cannot be used.
    Conflict
        When the name is taken.
    """
    require(actor, May.LOAD_DATA)
    if not NAME_RULE.fullmatch(name):
        raise InvalidInput(
            f"A territory cannot be called {name!r}.",
            hint=f"Use small letters, digits and '-', e.g. {territory_name(name)!r}.",
        )
    if code_scheme not in CODE_SCHEMES:
        raise InvalidInput(f"There is no code scheme {code_scheme!r}.", hint=f"Known are: {', '.join(CODE_SCHEMES)}.")
    if session.scalar(select(Territory.id).where(Territory.name == name)) is not None:
        raise Conflict(f"The territory {name!r} exists already.", hint="Choose another name.")
    area = territory_boundary(boundary, f"The boundary of {name}")
    centre = area.representative_point()
    zone = timezone or timezone_of(centre.x, centre.y)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(f"There is no time zone {zone!r}.", hint="Give an IANA name, e.g. Europe/London.") from error
    title = title_en or name.replace("-", " ").title()
    view = opens or _view_of(area.bounds)
    territory = Territory(
        name=name,
        title_en=title,
        title_zh=title_zh or title,
        boundary=from_shape(area, srid=4326),
        metric_srid=metric_srid_of(centre.x, centre.y, code_scheme),
        code_scheme=code_scheme,
        timezone=zone,
        opens_lon=view[0],
        opens_lat=view[1],
        opens_zoom=view[2],
        is_demo=is_demo,
        attribution=attribution,
        people_note=people_note,
    )
    session.add(territory)
    session.flush()
    parent = None
    for level in ("district", "street", "community"):
        row = Area(
            territory_id=territory.id,
            level=level,
            parent_id=parent,
            code=FIRST_CODES[code_scheme][level],
            name=title,
            name_zh=title_zh,
            source="territory",
            boundary=from_shape(area, srid=4326),
        )
        session.add(row)
        session.flush()
        parent = row.id
    return find_territory(session, name)


def territory_name(text: str) -> str:
    """Return a text as a name a territory may have, e.g. "Isle of Wight.osm" as "isle-of-wight-osm"."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "city"


def boundary_of(session: Session, territory_id: int) -> MultiPolygon:
    """Return the boundary of a territory in EPSG:4326."""
    wkb = session.scalar(select(func.ST_AsBinary(Territory.boundary)).where(Territory.id == territory_id))
    if wkb is None:
        raise NotFound(f"There is no territory with the id {territory_id}.")
    return cast(MultiPolygon, shapely.from_wkb(bytes(wkb)))


def communities(session: Session, territory_id: int) -> gpd.GeoDataFrame:
    """Return the communities of a territory by code: id, code, name, name_zh, settlement, geometry (EPSG:4326)."""
    rows = session.execute(
        select(
            Area.id,
            Area.code,
            Area.name,
            Area.name_zh,
            Area.settlement,
            func.ST_AsBinary(Area.boundary),
        )
        .where(Area.territory_id == territory_id, Area.level == "community")
        .order_by(Area.code),
    ).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    return gpd.GeoDataFrame(
        dict(zip(("id", "code", "name", "name_zh", "settlement"), map(list, columns[:5]), strict=True)),
        geometry=list(shapely.from_wkb([bytes(wkb) for wkb in columns[5]])),
        crs=4326,
    )


def _info(territory: Territory, bounds: tuple[float | None, ...]) -> TerritoryInfo:
    known = [part for part in bounds if part is not None]
    west, south, east, north = known if len(known) == 4 else WORLD
    opens = _view_of((west, south, east, north))
    if territory.opens_lon is not None and territory.opens_lat is not None and territory.opens_zoom is not None:
        opens = (territory.opens_lon, territory.opens_lat, territory.opens_zoom)
    return TerritoryInfo(
        id=territory.id,
        name=territory.name,
        title_en=territory.title_en,
        title_zh=territory.title_zh,
        metric_srid=territory.metric_srid,
        code_scheme=territory.code_scheme,
        timezone=territory.timezone,
        bounds=(west, south, east, north),
        opens=opens,
        is_demo=territory.is_demo,
        attribution=territory.attribution,
        people_note=territory.people_note,
        is_blank=len(known) != 4,
    )


def _view_of(bounds: tuple[float, float, float, float]) -> tuple[float, float, int]:
    """Return the centre of a box and the web map zoom that shows all of it on a screen of 1,000 px."""
    west, south, east, north = bounds
    span = max(east - west, (north - south) / math.cos(math.radians((south + north) / 2)), 1e-6)
    zoom = math.floor(math.log2(360 / span * 1000 / 256))
    return (west + east) / 2, (south + north) / 2, min(max(zoom, 1), 17)
