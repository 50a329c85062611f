"""OpenStreetMap extracts into a territory: one transaction, the same file twice adds nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from shapely.geometry.base import BaseGeometry
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor, May, require
from core.progress import Progress, Silent
from geodata.bulk import begin_load, file_sha256, find_load, finish_load
from geodata.osm_areas import store_communities, town_view
from geodata.osm_coast import land_of
from geodata.osm_facilities import FACILITY_KINDS, FacilityKind
from geodata.osm_landuse import FLOOR_AREA_PER_PERSON_M2
from geodata.osm_people import inhabited, with_people
from geodata.osm_read import OsmContent, read_osm
from geodata.osm_rows import SOURCE, store_rows
from geodata.osm_territory import clip, communities_of, find_boundary
from geodata.tables import Building, Facility, LandCover, Load, PlaceName, Railway, Road, Territory
from geodata.territory import TerritoryInfo, boundary_of, find_territory, make_territory

__all__ = [
    "ATTRIBUTION",
    "FACILITY_KINDS",
    "FacilityKind",
    "OsmContent",
    "OsmCounts",
    "load_osm",
    "load_osm_as_territory",
    "read_osm",
]

ATTRIBUTION = "© OpenStreetMap contributors, ODbL"
KIND = "osm"


@dataclass(frozen=True)
class OsmCounts:
    """What came of loading an extract.

    Attributes
    ----------
    boundaries
        Administrative boundaries of any level inside the territory.
    communities
        Communities the territory now has.
    dropped
        What was left out, by reason and kind, e.g. ``outside_roads``.
    unchanged
        The same file had been loaded before, so nothing was written.
    hints
        Sentences for the user: what is missing and what to do about it.
    """

    territory: str
    roads: int
    facilities: int
    buildings: int
    boundaries: int
    land_cover: int
    places: int
    communities: int
    people: float
    dropped: dict[str, int]
    repaired: int
    road_km: float
    boundary: str
    seconds: float
    unchanged: bool = False
    replaced: bool = False
    railways: int = 0
    hints: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return asdict(self) | {"hints": list(self.hints)}


class TerritoryFacts(TypedDict, total=False):
    """What may be said of a territory that is made from an extract; see `make_territory`."""

    title_en: str
    title_zh: str
    code_scheme: str
    timezone: str
    opens: tuple[float, float, int]
    is_demo: bool


def load_osm_as_territory(
    session: Session,
    actor: Actor,
    name: str,
    path: Path,
    *,
    box: BaseGeometry | None = None,
    boundary: BaseGeometry | None = None,
    progress: Progress | None = None,
    people_total: float | None = None,
    community_level: int | None = None,
    facts: TerritoryFacts | None = None,
) -> tuple[TerritoryInfo, OsmCounts]:
    """Return a new territory made from an extract, and what was loaded into it.

    Parameters
    ----------
    box
        Only what lies inside counts when the boundary is looked for; it cuts the boundary.
    boundary
        The boundary itself, in EPSG:4326; then none is looked for.
    """
    require(actor, May.LOAD_DATA)
    began = time.perf_counter()
    progress = progress or Silent()
    content = read_osm(path, progress)
    progress.step("Find the territory")
    how = "the boundary given"
    if boundary is None:
        found = find_boundary(content, box)
        boundary, sea = land_of(found.geometry, content.coast)
        how = found.how + (f", without the sea ({sea:.0%} of it)" if sea else "")
        title = found.name
    else:
        title = None
    chosen: TerritoryFacts = {**({"title_en": title} if title else {}), **(facts or {})}
    territory = make_territory(session, actor, name, boundary=boundary, **chosen)
    counts = load_osm(
        session,
        actor,
        territory,
        path,
        progress=progress,
        people_total=people_total,
        community_level=community_level,
        content=content,
        how=how,
        began=began,
        move_view="opens" not in chosen,
    )
    return find_territory(session, name), counts


def load_osm(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    path: Path,
    *,
    progress: Progress | None = None,
    replace: bool = False,
    people_total: float | None = None,
    community_level: int | None = None,
    content: OsmContent | None = None,
    how: str = "the boundary of the territory",
    began: float | None = None,
    move_view: bool = False,
) -> OsmCounts:
    """Return the counts of an extract loaded into a territory.

    A file with the same content as one loaded before writes nothing. Another file adds to what is there, and what
    both hold (by OSM identity) is taken from the new one; with ``replace`` everything that came from OSM before is
    removed first. Communities change only while the territory has no unit grid.

    Parameters
    ----------
    people_total
        Residents of the territory, to which the people of all buildings are scaled.
    community_level
        OSM ``admin_level`` of the communities; None chooses.
    content
        What ``path`` holds, when it was read already.
    """
    require(actor, May.LOAD_DATA)
    began = time.perf_counter() if began is None else began
    progress = progress or Silent()
    if people_total is not None and not people_total > 0:
        raise InvalidInput("The number of people must be positive.")
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", hint="Check the name.")
    # Two loads into one territory wait for each other here.
    session.execute(select(Territory.id).where(Territory.id == territory.id).with_for_update())
    sha256 = file_sha256(path)
    before = find_load(session, territory.id, KIND, sha256)
    if before is not None and not replace and not _replaced_since(session, before):
        told = {"territory": territory.name, "unchanged": True, "seconds": time.perf_counter() - began}
        hint = f"{path.name} was loaded before; nothing was added. Use --replace to load it anew."
        return OsmCounts(**{**_counts_of(before.counts), **told, "hints": (hint,)})

    boundary = boundary_of(session, territory.id)
    content = clip(content or read_osm(path, progress), boundary)
    if not (len(content.roads) or len(content.facilities) or len(content.buildings)):
        raise InvalidInput(
            f"Nothing in {path.name} lies inside the territory {territory.name!r}.",
            hint="Name another territory with --territory; a name that is not taken makes a new one.",
        )
    progress.step("Estimate people")
    buildings = with_people(content.buildings, content.sites, territory.metric_srid, people_total)
    load_id = begin_load(
        session, territory_id=territory.id, kind=KIND, source_name=path.name, content_sha256=sha256, actor=actor
    )
    if replace:
        for table in (Road, Railway, Building, LandCover, PlaceName, Facility):
            session.execute(delete(table).where(table.territory_id == territory.id, table.source == SOURCE))
    fresh = replace or not _loaded(session, territory)
    written = store_rows(session, territory.id, content, buildings, progress, fresh=fresh)
    if people_total is not None and not fresh:
        _scale_people(session, territory, people_total)
    progress.step("Communities")
    cut = communities_of(content.areas, content.places, boundary, territory.metric_srid, community_level)
    communities, kept_hint = store_communities(session, territory, cut, content, buildings, fresh=fresh)
    hints = [hint for hint in (kept_hint, _people_hint(content, people_total)) if hint]
    if not len(content.areas):
        hints.append("The file holds no boundary inside the territory, so it is one community.")
    view = town_view(content, buildings) if move_view else None
    _tell_territory(session, territory, people_total, content, view)
    counts = OsmCounts(
        territory=territory.name,
        roads=written["roads"],
        facilities=written["facilities"],
        buildings=written["buildings"],
        land_cover=written["land_cover"],
        railways=written["railways"],
        places=written["places"],
        boundaries=len(content.areas),
        communities=communities,
        people=round(float(buildings["people"].sum()), 1),
        dropped=dict(content.dropped),
        repaired=content.repaired,
        road_km=round(float(content.roads["length_m"].sum()) / 1000, 1),
        boundary=how,
        seconds=round(time.perf_counter() - began, 3),
        replaced=replace,
        hints=tuple(hints),
    )
    finish_load(session, load_id, counts.as_dict())
    return counts


def _replaced_since(session: Session, load: Load) -> bool:
    """Return whether a later load removed what ``load`` brought."""
    later = select(Load.id).where(
        Load.territory_id == load.territory_id,
        Load.kind == KIND,
        Load.id > load.id,
        Load.counts["replaced"].as_boolean(),
    )
    return session.scalar(later.limit(1)) is not None


def _loaded(session: Session, territory: TerritoryInfo) -> bool:
    """Return whether any row from OSM may be there already; the load just begun does not count."""
    loads = select(func.count(Load.id)).where(Load.territory_id == territory.id, Load.kind == KIND)
    return (session.scalar(loads) or 0) > 1


def _scale_people(session: Session, territory: TerritoryInfo, people_total: float) -> None:
    """Scale the people of all buildings, of this file and of others, to the total."""
    there = session.scalar(select(func.sum(Building.people)).where(Building.territory_id == territory.id))
    if there:
        session.execute(
            update(Building)
            .where(Building.territory_id == territory.id)
            .values(people=Building.people * (people_total / there))
        )


def _counts_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    names = OsmCounts.__dataclass_fields__
    return {name: value for name, value in stored.items() if name in names}


def _people_hint(content: OsmContent, people_total: float | None) -> str:
    if not len(content.buildings):
        return "The file holds no building, so nobody knows where people live: load a table of residents as demand."
    if not inhabited(content):
        return (
            f"The file holds only {len(content.buildings):,} buildings for {len(content.roads):,} stretches of road:"
            " too few to tell where people live; load a table of residents as demand."
        )
    if people_total is None:
        return "People were estimated from floor area alone; give the number of residents with --people to scale to it."
    return ""


def _tell_territory(
    session: Session,
    territory: TerritoryInfo,
    people_total: float | None,
    content: OsmContent,
    view: tuple[float, float, int] | None,
) -> None:
    """Write attribution, where the map opens, and how people were estimated."""
    if not inhabited(content):
        note = "Too few buildings are known to estimate residents."
    elif people_total is not None:
        note = f"People per building: lived-in floor area, scaled to {people_total:,.0f} residents."
    else:
        note = f"People per building: one resident for each {FLOOR_AREA_PER_PERSON_M2:g} m² of lived-in floor area."
    values: dict[str, Any] = {"people_note": note}
    if ATTRIBUTION not in territory.attribution:
        values["attribution"] = "; ".join(filter(None, [territory.attribution, ATTRIBUTION]))
    if view is not None:
        values |= {"opens_lon": view[0], "opens_lat": view[1], "opens_zoom": view[2]}
    session.execute(update(Territory).where(Territory.id == territory.id).values(**values))
