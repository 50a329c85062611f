"""load osm: an OpenStreetMap file, or a place by name, into a territory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import shapely
import typer
from shapely.geometry.base import BaseGeometry

from app.cli.common import AsJson, TerritoryName, emit, progress
from app.cli.territory import BoundaryFile, Box
from core.errors import InvalidInput
from core.identity import system_actor
from core.progress import Progress
from core.settings import settings
from geodata import db
from geodata.osm import OsmCounts, TerritoryFacts, load_osm, load_osm_as_territory
from geodata.osm_place import fetch_place
from geodata.quality import parse_bbox, read_boundary
from geodata.territory import find_territory, list_territories, territory_name
from grids.service import estimate_people


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    groups["load"].command("osm")(osm)


def osm(
    path: Annotated[Path | None, typer.Argument(metavar="FILE", help=".osm.pbf, .osm, .osm.gz or .osm.bz2")] = None,
    *,
    place: Annotated[str | None, typer.Option(help="A place to fetch by name instead, e.g. 'Newport, UK'.")] = None,
    territory: TerritoryName = None,
    boundary: BoundaryFile = None,
    bbox: Box = None,
    replace: Annotated[bool, typer.Option("--replace", help="Remove what came from OpenStreetMap before.")] = False,
    people: Annotated[float | None, typer.Option(help="Residents, to scale the people of all buildings to.")] = None,
    community_level: Annotated[int | None, typer.Option(help="admin_level of the communities.")] = None,
    as_json: AsJson = False,
) -> None:
    """Load an OpenStreetMap extract; makes the territory when there is none of that name.

    Without --territory the only territory is meant, or a new one named after the file when there is none. What lies
    outside the territory is dropped and counted; the file's own boundary, --boundary or --bbox tell a new territory.
    """
    if (path is None) == (place is None):
        raise InvalidInput("Give either a file or --place NAME.")
    if boundary is not None and bbox is not None:
        raise InvalidInput("Give either --boundary or --bbox, not both.")
    shape = read_boundary(boundary) if boundary is not None else None
    box = shapely.box(*parse_bbox(bbox)) if bbox is not None else None
    with progress() as shown:
        db.ensure_database(shown)
        facts: TerritoryFacts = {}
        if place is not None:
            fetched = fetch_place(place, shown)
            path, facts = fetched.path, {"title_en": fetched.title}
            shape = fetched.boundary if shape is None and box is None else shape
        counts = _load(
            _existing(path),
            territory,
            shown,
            shape=shape,
            box=box,
            replace=replace,
            people=people,
            level=community_level,
            facts=facts,
        )
    emit(counts.as_dict(), as_json)


def _existing(path: Path | None) -> Path:
    if path is None or not path.is_file():
        raise InvalidInput(f"There is no file {path}.", hint="Check the name.")
    return path


def _load(
    path: Path,
    name: str | None,
    shown: Progress,
    *,
    shape: BaseGeometry | None,
    box: BaseGeometry | None,
    replace: bool,
    people: float | None,
    level: int | None,
    facts: TerritoryFacts,
) -> OsmCounts:
    actor = system_actor(label="command line")
    with db.transaction(actor, purpose="load osm") as session:
        known = [territory.name for territory in list_territories(session)]
        wanted = name or settings().territory
        if wanted is None and len(known) == 1:
            wanted = known[0]
        if wanted is None and not known:
            wanted = territory_name(path.name.split(".")[0])
        if wanted is None or wanted in known:
            # Also says clearly that one of several must be named.
            territory = find_territory(session, wanted)
            if shape is not None or box is not None:
                raise InvalidInput(
                    f"The territory {territory.name!r} has its boundary already.",
                    hint="Leave --boundary and --bbox out, or name a new territory.",
                )
            counts = load_osm(
                session,
                actor,
                territory,
                path,
                progress=shown,
                replace=replace,
                people_total=people,
                community_level=level,
            )
            if not counts.unchanged:
                estimate_people(session, actor, territory)
            return counts
        _, counts = load_osm_as_territory(
            session,
            actor,
            wanted,
            path,
            box=box,
            boundary=shape,
            progress=shown,
            people_total=people,
            community_level=level,
            facts=facts,
        )
        return counts
