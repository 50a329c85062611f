"""basemap add, list, check, remove: maps of the city's own under our layers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from core.errors import NotFound
from core.identity import Actor, system_actor
from geodata import basemaps
from geodata.basemap_grid import media_type
from geodata.basemaps import BasemapInfo, NewBasemap
from geodata.db import transaction
from geodata.territory import find_territory

LABEL = "command line"
Number = Annotated[int, typer.Argument(help="Its number in the list.")]
CHECK_ZOOM = 14


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["basemap"]
    group.command("add")(add)
    group.command("list")(list_)
    group.command("check")(check)
    group.command("remove")(remove)


def add(
    name: Annotated[str, typer.Argument(help="How the map is called.")],
    kind: Annotated[str, typer.Argument(help="xyz, wmts, wms, mbtiles, pmtiles or geotiff.")],
    address: Annotated[str, typer.Argument(help="Its address, or a file's name in the folder of basemaps.")],
    *,
    credit: Annotated[str, typer.Option("--credit", help="Whose map it is; stands on the map.")],
    key: Annotated[
        str, typer.Option("--key", envvar="BASEMAP_KEY", help="A piece of the query, e.g. tk=abc; no list tells it.")
    ] = "",
    datum: Annotated[str, typer.Option("--datum", help="WGS-84 (CGCS2000 too), GCJ-02 or BD-09.")] = "WGS-84",
    layer: Annotated[str, typer.Option("--layer", help="Of a service that has several; else the first.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Add a map: a service is asked what it has, a file is opened; what cannot be drawn is refused with the reason."""
    new = NewBasemap(name, kind, address, credit, key, datum, layer)
    plan = basemaps.plan_of(new)
    with transaction(system_actor(label=LABEL)) as session:
        place = find_territory(session, territory)
        made = basemaps.add_basemap(session, system_actor(place.id, label=LABEL), place.id, new, plan)
    emit({"basemap": made, "name": new.name, "system": plan.get("system", "")}, as_json)


def list_(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the maps with kind, datum and address; never their keys."""
    with transaction(system_actor(label=LABEL)) as session:
        place = find_territory(session, territory)
        found = basemaps.list_basemaps(session, system_actor(place.id, label=LABEL), place.id)
    if as_json:
        emit({"basemaps": [_told(each) for each in found]}, as_json)
        return
    emit({f"{each.id} {each.name}": f"{each.kind}, {each.datum}, {each.address}" for each in found}, as_json)


def check(
    number: Number,
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Ask a map for the tile in the middle of the city; fail with the reason when it gives none."""
    with transaction(system_actor(label=LABEL)) as session:
        place = find_territory(session, territory)
        found = basemaps.find_basemap(session, system_actor(place.id, label=LABEL), number)
    first, last = found.zooms
    zoom = min(max(CHECK_ZOOM, first), last)
    began = time.perf_counter()
    body = basemaps.tile_of(found, *basemaps.tile_at(*place.opens[:2], zoom), lambda _, get: get())
    if body is None:
        raise NotFound(
            f"{found.name} has nothing in the middle of {place.name} at zoom {zoom}.",
            hint="Is it a map of this city, and is its datum right?",
        )
    milliseconds = round(1000 * (time.perf_counter() - began), 1)
    emit({"answers": True, "kind": media_type(body), "bytes": len(body), "zoom": zoom, "ms": milliseconds}, as_json)


def remove(number: Number, *, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Remove a map; who looks at it sees Gridkeeper's own drawing with the next page."""
    with transaction(system_actor(label=LABEL)) as session:
        place = find_territory(session, territory)
        actor: Actor = system_actor(place.id, label=LABEL)
        found = basemaps.find_basemap(session, actor, number)
        basemaps.remove_basemap(session, actor, number)
    emit({"removed": number, "name": found.name}, as_json)


def _told(each: BasemapInfo) -> dict[str, Any]:
    return {
        "basemap": each.id,
        "name": each.name,
        "kind": each.kind,
        "datum": each.datum,
        "address": each.address,
        "credit": each.attribution,
        "zooms": list(each.zooms),
    }
