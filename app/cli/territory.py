"""territory make, territory list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import shapely
import typer
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from app.cli.common import AsJson, emit, progress
from core.errors import InvalidInput
from core.identity import system_actor
from core.progress import Progress
from geodata import db
from geodata.osm import read_osm
from geodata.osm_territory import hull_of as hull_of_roads
from geodata.quality import parse_bbox, read_boundary
from geodata.territory import TerritoryInfo, list_territories, make_territory

BoundaryFile = Annotated[Path | None, typer.Option(help="Vector file whose polygons are the territory.")]
Box = Annotated[str | None, typer.Option(metavar="W,S,E,N", help="Box in degrees: west,south,east,north.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    groups["territory"].command("make")(make)
    groups["territory"].command("list")(show)


def make(
    name: Annotated[str, typer.Argument(help="Its key on the command line, e.g. isle-of-wight.")],
    *,
    boundary: BoundaryFile = None,
    bbox: Box = None,
    hull_of: Annotated[Path | None, typer.Option(help="OpenStreetMap file; the hull of its roads.")] = None,
    title: Annotated[str | None, typer.Option(help="Title in English.")] = None,
    title_zh: Annotated[str | None, typer.Option(help="Title in Chinese.")] = None,
    code_scheme: Annotated[str, typer.Option(help="local, or cn14, cn15: Chinese codes of so many digits.")] = "local",
    timezone: Annotated[str | None, typer.Option(help="IANA name; found from the place when not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a territory from a boundary, a box, or the hull of the roads of a file."""
    if sum(given is not None for given in (boundary, bbox, hull_of)) != 1:
        raise InvalidInput("A territory needs one of --boundary FILE, --bbox W,S,E,N and --hull-of FILE.")
    with progress() as shown:
        shape: BaseGeometry
        if boundary is not None:
            shape = read_boundary(boundary)
        elif bbox is not None:
            shape = shapely.box(*parse_bbox(bbox))
        elif hull_of is not None:
            shape = _hull(hull_of, shown)
        db.ensure_database(shown)
        with db.transaction(system_actor(label="command line"), purpose="make a territory") as session:
            made = make_territory(
                session,
                system_actor(label="command line"),
                name,
                boundary=shape,
                title_en=title,
                title_zh=title_zh,
                code_scheme=code_scheme,
                timezone=timezone,
            )
    emit(_told(made), as_json)


def show(*, as_json: AsJson = False) -> None:
    """List the territories."""
    with progress() as shown:
        db.ensure_database(shown)
    with db.transaction(system_actor(label="command line")) as session:
        known = list_territories(session)
    if as_json:
        emit({"territories": [_told(territory) for territory in known]}, as_json)
        return
    for territory in known:
        emit(_told(territory), as_json)
    if not known:
        typer.echo("There is no territory yet. Load one with 'gridkeeper load osm FILE'.")


def _hull(path: Path, shown: Progress) -> MultiPolygon:
    roads = read_osm(path, shown).roads
    if not len(roads):
        raise InvalidInput(f"{path.name} holds no road to make a hull of.", hint="Give --boundary or --bbox.")
    return hull_of_roads(roads["geom"].to_numpy(dtype=object))


def _told(territory: TerritoryInfo) -> dict[str, object]:
    return {
        "territory": territory.name,
        "title": territory.title_en,
        "title_zh": territory.title_zh,
        "bounds": [round(value, 6) for value in territory.bounds],
        "metric_srid": territory.metric_srid,
        "code_scheme": territory.code_scheme,
        "timezone": territory.timezone,
        "demo": territory.is_demo,
    }
