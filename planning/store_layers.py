"""All SQL of layers of planning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.clock import now
from core.identity import Actor
from geodata.bulk import copy_rows
from geodata.tables import Building, LandCover, LayerPlace, Load, NamedLayer, Road
from planning.layer_model import LayerData, LayerInfo

Floats = NDArray[np.float64]
_PLAIN = ("id", "territory_id", "kind", "name", "revision", "year", "made_label", "made_at", "retired_at", "facts")


def list_layers(session: Session, territory_id: int, kind: str | None = None) -> list[LayerInfo]:
    """Return every version of the layers of a territory by kind and name, the newest version first."""
    query = (
        select(*(getattr(NamedLayer, name) for name in _PLAIN), NamedLayer.groups)
        .where(NamedLayer.territory_id == territory_id)
        .order_by(NamedLayer.kind, NamedLayer.name, NamedLayer.revision.desc())
    )
    if kind is not None:
        query = query.where(NamedLayer.kind == kind)
    return [_info(row) for row in session.execute(query)]


def get_layer(session: Session, layer_id: int) -> LayerInfo | None:
    """Return a version of a layer; None when there is none."""
    columns = [*(getattr(NamedLayer, name) for name in _PLAIN), NamedLayer.groups]
    row = session.execute(select(*columns).where(NamedLayer.id == layer_id)).one_or_none()
    return None if row is None else _info(row)


def add_layer(
    session: Session, actor: Actor, territory_id: int, data: LayerData, *, kind: str, name: str, year: int | None
) -> int:
    """Write a layer as the newest version under its name and return its id."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{territory_id}|{kind}|{name}"}
    )
    newest = session.scalar(
        select(func.coalesce(func.max(NamedLayer.revision), 0)).where(
            NamedLayer.territory_id == territory_id, NamedLayer.kind == kind, NamedLayer.name == name
        )
    )
    row = NamedLayer(
        territory_id=territory_id,
        kind=kind,
        name=name,
        revision=(newest or 0) + 1,
        year=year,
        groups=list(data.group_names),
        facts=dict(data.facts),
        grid=data.grid,
        made_by=actor.user_id,
        made_label=actor.label,
    )
    session.add(row)
    session.flush()
    count = len(data.shapes)
    copy_rows(
        session,
        "layer_place",
        {
            "layer_id": [row.id] * count,
            "territory_id": [territory_id] * count,
            "name": list(data.names),
            "weight": data.weight,
            "groups": data.groups.tolist(),
            "geom": list(data.shapes),
        },
    )
    return row.id


def retire(session: Session, layer_id: int) -> None:
    """Offer a layer no longer."""
    session.execute(update(NamedLayer).where(NamedLayer.id == layer_id).values(retired_at=now()))


def read_places(session: Session, layer_id: int) -> LayerData:
    """Return the places of a layer in the order in which they were brought, or its raster."""
    info = session.execute(
        select(NamedLayer.groups, NamedLayer.grid, NamedLayer.facts).where(NamedLayer.id == layer_id)
    ).one()
    rows = session.execute(
        select(func.ST_AsBinary(LayerPlace.geom), LayerPlace.name, LayerPlace.weight, LayerPlace.groups)
        .where(LayerPlace.layer_id == layer_id)
        .order_by(LayerPlace.id)
    ).all()
    return LayerData(
        shapes=shapes_of([row[0] for row in rows]),
        names=tuple(row[1] for row in rows),
        weight=np.array([row[2] for row in rows], dtype=np.float64),
        groups=np.array([row[3] for row in rows], dtype=np.float64).reshape(len(rows), len(info.groups)),
        group_names=tuple(info.groups),
        facts=info.facts,
        grid=None if info.grid is None else bytes(info.grid),
    )


def read_cover(session: Session, territory_id: int) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return kind and shape (EPSG:4326) of all land cover of a territory."""
    rows = session.execute(
        select(LandCover.kind, func.ST_AsBinary(LandCover.geom)).where(LandCover.territory_id == territory_id)
    ).all()
    return np.array([row[0] for row in rows], dtype=object), shapes_of([row[1] for row in rows])


def read_roads(session: Session, territory_id: int) -> tuple[list[str], NDArray[np.bool_], NDArray[np.object_]]:
    """Return class, whether cars may drive, and line (EPSG:4326) of all roads of a territory, tunnels left out."""
    rows = session.execute(
        select(Road.road_class, Road.drivable, func.ST_AsBinary(Road.geom)).where(
            Road.territory_id == territory_id, Road.tunnel.is_(False)
        )
    ).all()
    return [row[0] for row in rows], np.array([row[1] for row in rows], dtype=bool), shapes_of([row[2] for row in rows])


def read_buildings(session: Session, territory_id: int) -> tuple[Floats, Floats, Floats]:
    """Return a point inside (longitude, latitude), the footprint in square metres and the people of every building."""
    inside = func.ST_PointOnSurface(Building.geom)
    rows = session.execute(
        select(func.ST_X(inside), func.ST_Y(inside), Building.footprint_m2, Building.people)
        .where(Building.territory_id == territory_id)
        .order_by(Building.id)
    ).all()
    numbers = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 4)
    return np.ascontiguousarray(numbers[:, :2]), numbers[:, 2], numbers[:, 3]


def data_version(session: Session, territory_id: int) -> int:
    """Return the newest load of a territory; every change of its map is one."""
    return session.scalars(select(func.coalesce(func.max(Load.id), 0)).where(Load.territory_id == territory_id)).one()


def shapes_of(wkb: Sequence[Any]) -> NDArray[np.object_]:
    """Return shapes of their binary forms."""
    made: NDArray[np.object_] = shapely.from_wkb(np.array([bytes(each) for each in wkb], dtype=object))
    return made


def _info(row: Any) -> LayerInfo:
    return LayerInfo(**{name: getattr(row, name) for name in _PLAIN}, groups=tuple(row.groups))
