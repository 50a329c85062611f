"""The outline of a territory: made before anybody knows where it lies, given later, and from which file."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput
from core.identity import Actor, May, require
from core.progress import Progress, Silent
from geodata.bulk import begin_load, file_sha256, finish_load
from geodata.crs import metric_srid_of, timezone_of
from geodata.osm import OsmCounts, load_osm
from geodata.osm_coast import land_of
from geodata.osm_read import read_osm
from geodata.osm_territory import find_boundary
from geodata.quality import read_boundary, territory_boundary
from geodata.tables import Area, Territory, UnitGrid
from geodata.territory import CODE_SCHEMES, FIRST_CODES, NAME_RULE, TerritoryInfo, find_territory, territory_name

KIND = "territory"
NOWHERE = 3857
"""Metric CRS of a territory that lies nowhere yet; nothing can be measured in it before it has a boundary."""


def make_blank_territory(
    session: Session,
    actor: Actor,
    name: str,
    *,
    title_en: str,
    title_zh: str | None = None,
    code_scheme: str = "local",
    timezone: str = "UTC",
) -> TerritoryInfo:
    """Return a new territory without a boundary, for the first administrator to fill.

    Raises
    ------
    InvalidInput
        For a name or scheme that cannot be used.
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
    ZoneInfo(timezone)
    session.add(
        Territory(
            name=name,
            title_en=title_en,
            title_zh=title_zh or title_en,
            boundary=from_shape(MultiPolygon(), srid=4326),
            metric_srid=NOWHERE,
            code_scheme=code_scheme,
            timezone=timezone,
        )
    )
    session.flush()
    return find_territory(session, name)


def give_boundary(
    session: Session, actor: Actor, territory: TerritoryInfo, boundary: BaseGeometry, *, where: str
) -> TerritoryInfo:
    """Return the territory with a boundary, its metric CRS, its time zone and one community that covers it.

    Parameters
    ----------
    where
        What the boundary is called in a message, e.g. the file it came from.

    Raises
    ------
    InvalidInput
        When the boundary has no area or is not in longitude and latitude.
    Conflict
        When the territory has unit grids: they would no longer fit.
    """
    require(actor, May.LOAD_DATA)
    if session.scalar(select(exists().where(UnitGrid.territory_id == territory.id))):
        raise Conflict(
            f"{territory.title_en} is cut into unit grids already, so its boundary stays.",
            hint="Make another territory for another boundary.",
        )
    area = territory_boundary(boundary, where)
    centre = area.representative_point()
    shape = from_shape(area, srid=4326)
    session.execute(
        update(Territory)
        .where(Territory.id == territory.id)
        .values(
            boundary=shape,
            metric_srid=metric_srid_of(centre.x, centre.y, territory.code_scheme),
            timezone=timezone_of(centre.x, centre.y),
            opens_lon=None,
            opens_lat=None,
            opens_zoom=None,
            version=Territory.version + 1,
        )
    )
    for level in ("community", "street", "district"):
        session.execute(delete(Area).where(Area.territory_id == territory.id, Area.level == level))
    parent = None
    for level in ("district", "street", "community"):
        row = Area(
            territory_id=territory.id,
            level=level,
            parent_id=parent,
            code=FIRST_CODES[territory.code_scheme][level],
            name=territory.title_en,
            name_zh=territory.title_zh,
            source="territory",
            boundary=shape,
        )
        session.add(row)
        session.flush()
        parent = row.id
    session.expire_all()
    return find_territory(session, territory.name)


def boundary_from_file(session: Session, actor: Actor, territory: TerritoryInfo, path: Path) -> TerritoryInfo:
    """Return the territory with the boundary of a vector file (GeoJSON, GeoPackage, Shapefile)."""
    given = give_boundary(session, actor, territory, read_boundary(path), where=f"The boundary file {path.name}")
    load_id = begin_load(
        session,
        territory_id=territory.id,
        kind=KIND,
        source_name=path.name,
        content_sha256=file_sha256(path),
        actor=actor,
    )
    finish_load(session, load_id, {"bounds": list(given.bounds)})
    return given


def map_from_file(
    session: Session, actor: Actor, territory: TerritoryInfo, path: Path, *, progress: Progress | None = None
) -> OsmCounts:
    """Load an OpenStreetMap extract into a territory, which takes the boundary of the file while it has none."""
    require(actor, May.LOAD_DATA)
    progress = progress or Silent()
    if not territory.is_blank:
        return load_osm(session, actor, territory, path, progress=progress)
    content = read_osm(path, progress)
    progress.step("Find the territory")
    found = find_boundary(content)
    land, sea = land_of(found.geometry, content.coast)
    territory = give_boundary(session, actor, territory, land, where=path.name)
    how = found.how + (f", without the sea ({sea:.0%} of it)" if sea else "")
    return load_osm(session, actor, territory, path, progress=progress, content=content, how=how, move_view=True)
