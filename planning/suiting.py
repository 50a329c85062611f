"""Use cases of suitability: read the ground of a territory in cells, keep areas that fit for studies."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.crs import WGS84, project
from geodata.territory import TerritoryInfo, boundary_of
from planning import layering, store_access, store_layers
from planning.cells import COVERS, Cells, Land, cells_of, step_for
from planning.fitting import SLOPE, USES, Fit, told
from planning.layer_model import LayerInfo
from planning.posing import degrees, metric
from planning.rasters import Raster

Floats = NDArray[np.float64]
_KINDS = ("shop", "bank", "marketplace", "railway_station", "bus_stop")


def version_of(session: Session, actor: Actor, territory: TerritoryInfo) -> int:
    """Return the number of the newest load; the ground stays the same while it does."""
    require(actor, May.SEE_STUDIES)
    return store_layers.data_version(session, territory.id)


def ground(
    session: Session, actor: Actor, territory: TerritoryInfo, use: str, *, cell_m: float | None = None,
    zones: int | None = None, slope: int | None = None, demand: int | None = None,
) -> Cells:  # fmt: skip
    """Return the ground of a territory in cells, with all that a use may ask of it.

    Parameters
    ----------
    zones, slope, demand
        Layers: where nothing may be built, how steep it is, people in place of those of the map.

    Raises
    ------
    InvalidInput
        When a layer is of another kind, or the map holds no roads.
    """
    require(actor, May.SEE_STUDIES)
    if actor.role is not Role.SYSTEM and actor.territory_id != territory.id:
        raise NotPermitted("You have no role in this territory.", hint="Ask an administrator.")
    land = _land(session, actor, territory, use, zones=zones, demand=demand)
    if not len(land.roads):
        raise InvalidInput(
            f"{territory.title_en} has no roads, so nothing can be reached.",
            hint="Load its map with 'gridkeeper load osm'.",
        )
    step = step_for(float(shapely.area(land.boundary)), cell_m or 0.0)
    cells = cells_of(land, step, same=USES[use].facility_kind)
    if slope is not None:
        packed = _layer(session, actor, slope, "slope").grid
        steep = Raster.unpacked(packed or b"").at(degrees(cells.xy_m, territory.metric_srid))
        cells = Cells(
            cells.step_m, cells.west, cells.south, cells.shape, cells.row, cells.column, cells.share,
            {**cells.value, SLOPE: steep},
        )  # fmt: skip
    return cells


def middles(made: Fit, srid: int) -> Floats:
    """Return a point inside each area as longitude and latitude, shape (n, 2)."""
    if not made.areas:
        return np.empty((0, 2))
    inside = [shapely.point_on_surface(made.cells.outline(area.cells)) for area in made.areas]
    return degrees(shapely.get_coordinates(inside), srid)


def outlines(made: Fit, srid: int) -> list[shapely.Geometry]:
    """Return the areas in EPSG:4326."""
    shapes = np.array([made.cells.outline(area.cells) for area in made.areas], dtype=object)
    return list(project(shapes, WGS84, srid)) if len(shapes) else []


def keep(session: Session, actor: Actor, territory: TerritoryInfo, made: Fit, *, name: str, **also: Any) -> LayerInfo:
    """Keep the areas of an answer as candidates for studies, with the question and the data they rest on."""
    srid = territory.metric_srid
    facts = {
        "suitability": told(made, lonlat=middles(made, srid)) | also,
        "data_version": store_layers.data_version(session, territory.id),
        "source": "suitability",
    }
    return layering.keep_areas(
        session, actor, territory, name, outlines(made, srid), facts=facts,
        names=[f"{made.question.use} {at}" for at in range(1, len(made.areas) + 1)],
        scores=[area.score for area in made.areas],
    )  # fmt: skip


def _land(
    session: Session, actor: Actor, territory: TerritoryInfo, use: str, *, zones: int | None, demand: int | None
) -> Land:
    if use not in USES:
        raise InvalidInput(f"There is no use {use!r}.", hint=f"Take one of: {', '.join(USES)}.")
    srid = territory.metric_srid
    kinds, cover = store_layers.read_cover(session, territory.id)
    covers = {kind: project(cover[kinds == kind], srid) for kind in COVERS if (kinds == kind).any()}
    covers = {kind: shapes[shapely.get_dimensions(shapes) == 2] for kind, shapes in covers.items()}
    classes, drivable, roads = store_layers.read_roads(session, territory.id)
    buildings, footprints, people = store_layers.read_buildings(session, territory.id)
    places_m = metric(buildings, srid) if len(buildings) else buildings
    homes_m, living = places_m[people > 0], people[people > 0]
    if demand is not None:
        counted = layering.people_of(session, actor, demand)
        homes_m, living = metric(counted.lonlat, srid), counted.people
    same = USES[use].facility_kind
    facilities = {}
    for kind in {*_KINDS, *((same,) if same else ())}:
        found = store_access.read_facilities(session, territory.id, kind)[:, :2]
        if len(found):
            facilities[kind] = metric(found, srid)
    return Land(
        boundary=project(np.array([boundary_of(session, territory.id)], dtype=object), srid)[0],
        covers=covers,
        waterways=project(cover[kinds == "waterway"], srid),
        roads=project(roads, srid),
        road_classes=classes,
        drivable=drivable,
        buildings=places_m,
        footprints_m2=footprints,
        homes=homes_m,
        people=living,
        facilities=facilities,
        zones=np.empty(0, dtype=object) if zones is None else _zones(session, actor, zones, srid),
    )


def _zones(session: Session, actor: Actor, layer_id: int, srid: int) -> NDArray[np.object_]:
    return project(_layer(session, actor, layer_id, "zones").shapes, srid)


def _layer(session: Session, actor: Actor, layer_id: int, kind: str) -> Any:
    info = layering.get(session, actor, layer_id)
    if info.kind != kind:
        raise InvalidInput(f"{info.name} holds no {kind} but {info.kind}.", hint=f"Choose a layer of {kind}.")
    return layering.read(session, actor, layer_id)
