"""SQL of components: the register, the nearest ones, what is written.

Row-level security narrows every query. Finding by place goes through the column ``square`` first: comparing
numbers is leakproof, so its index serves under the policies, where a spatial index does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import BigInteger, ColumnElement, Float, Select, cast, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from geodata.bulk import copy_rows
from geodata.tables import Area, Component, Incident, IncidentClass, Unit, UnitGrid
from incidents.components import ComponentFilter, ComponentIncident, ComponentRow, ComponentSpec
from incidents.model import ClassInfo


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Component.id,
            Component.code,
            Component.class_id,
            func.concat(IncidentClass.kind, "-", IncidentClass.code),
            IncidentClass.name_en,
            IncidentClass.name_zh,
            IncidentClass.category,
            Component.state,
            Component.unit_id,
            Unit.name,
            Unit.name_zh.label("unit_zh"),
            Component.property_unit_id,
            Component.upkeep_unit_id,
            Component.sensitivity,
            Component.place,
            Component.community_id,
            Area.name.label("area"),
            Area.name_zh.label("area_zh"),
            Component.valid_from,
            Component.valid_to,
            Component.simulated,
            Component.version,
            func.ST_X(Component.geom, type_=Float),
            func.ST_Y(Component.geom, type_=Float),
        )
        .join(IncidentClass, IncidentClass.id == Component.class_id)
        .join(Area, Area.id == Component.community_id)
        .outerjoin(Unit, Unit.id == Component.unit_id)
    )


def page(session: Session, territory_id: int, wanted: ComponentFilter, *, after: str, limit: int) -> list[ComponentRow]:
    """Return up to ``limit`` components by identifier that come after one."""
    query = _rows().where(*_conditions(territory_id, wanted), Component.code > after)
    return [ComponentRow(*row) for row in session.execute(query.order_by(Component.code).limit(limit))]


def count(session: Session, territory_id: int, wanted: ComponentFilter) -> int:
    """Return how many components the filter finds."""
    return session.execute(select(func.count(Component.id)).where(*_conditions(territory_id, wanted))).scalar_one()


def find(session: Session, territory_id: int, which: int | str) -> ComponentRow | None:
    """Return the component of an id or an identifier; None when it is out of sight or absent."""
    one = Component.id == which if isinstance(which, int) else Component.code == which
    row = session.execute(_rows().where(Component.territory_id == territory_id, one)).one_or_none()
    return None if row is None else ComponentRow(*row)


def lock(session: Session, territory_id: int, component_id: int) -> None:
    """Keep others from changing a component until the end of the transaction."""
    session.execute(
        select(Component.id)
        .where(Component.id == component_id, Component.territory_id == territory_id)
        .with_for_update()
    )


def all_of(session: Session, territory_id: int, codes: Sequence[str]) -> dict[str, ComponentRow]:
    """Return the components of identifiers."""
    if not codes:
        return {}
    query = _rows().where(Component.territory_id == territory_id, Component.code == func.any(list(codes)))
    return {row[1]: ComponentRow(*row) for row in session.execute(query)}


def near(
    session: Session, territory_id: int, class_id: int, lon: float, lat: float, *, within_m: float, most: int
) -> list[tuple[ComponentRow, float]]:
    """Return the nearest standing components of a class with their distance in metres (geodesic), nearest first."""
    here = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)
    ground = func.geography(here)
    box = func.Box2D(func.geometry(func.ST_Buffer(ground, within_m * 1.05)))
    # The squares are worked out first and alone, so that the condition on them is one list of numbers.
    squares = session.execute(select(func.gk_squares(func.geometry(box)))).scalar_one()
    metres = func.ST_Distance(func.geography(Component.geom), ground, type_=Float)
    query = (
        _rows()
        .add_columns(metres.label("metres"))
        .where(
            Component.territory_id == territory_id,
            Component.square == func.any(cast(squares, ARRAY(BigInteger))),
            Component.class_id == class_id,
            Component.state.in_(("in_use", "damaged")),
            metres <= within_m,
        )
        .order_by("metres", Component.code)
        .limit(most)
    )
    return [(ComponentRow(*row[:-1]), row[-1]) for row in session.execute(query)]


def last_sequence(session: Session, territory_id: int, prefix: str) -> int:
    """Return the highest sequence under ten digits, 0 for none; others wait until the transaction ends."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('gridkeeper.component'), :home)"), {"home": territory_id}
    )
    found = session.scalar(
        select(func.max(Component.code)).where(
            Component.territory_id == territory_id, Component.code.between(f"{prefix}000000", f"{prefix}999999")
        )
    )
    return int(found[10:]) if found else 0


def add(session: Session, territory_id: int, spec: ComponentSpec, class_id: int, community_id: int) -> int:
    """Insert a component and return its id."""
    values = _values(spec, class_id, community_id)
    return session.execute(
        insert(Component).values(territory_id=territory_id, **values).returning(Component.id)
    ).scalar_one()


def change(session: Session, component_id: int, spec: ComponentSpec, class_id: int, community_id: int) -> int | None:
    """Write a component and return its new version; None when the policies let nobody of this role."""
    return session.execute(
        update(Component)
        .where(Component.id == component_id)
        .values(version=Component.version + 1, **_values(spec, class_id, community_id))
        .returning(Component.version)
    ).scalar_one_or_none()


def _values(spec: ComponentSpec, class_id: int, community_id: int) -> dict[str, Any]:
    values = asdict(spec)
    del values["class_key"]
    point = from_shape(shapely.Point(values.pop("lon"), values.pop("lat")), 4326)
    return {**values, "class_id": class_id, "community_id": community_id, "geom": point}


def add_many(
    session: Session,
    territory_id: int,
    specs: Sequence[ComponentSpec],
    class_ids: Mapping[str, int],
    community_ids: Sequence[int],
    *,
    simulated: bool = False,
) -> int:
    """Append components in bulk and return how many."""
    columns: dict[str, Any] = {
        name: [getattr(spec, name) for spec in specs]
        for name in ("code", "state", "unit_id", "property_unit_id", "upkeep_unit_id", "sensitivity", "place",
                     "valid_from", "valid_to")
    }  # fmt: skip
    columns |= {
        "territory_id": [territory_id] * len(specs),
        "class_id": [class_ids[spec.class_key] for spec in specs],
        "community_id": list(community_ids),
        "simulated": [simulated] * len(specs),
        "geom": shapely.points(np.array([[spec.lon, spec.lat] for spec in specs], dtype=np.float64).reshape(-1, 2)),
    }
    return copy_rows(session, "component", columns)


def change_many(session: Session, territory_id: int, changes: Sequence[tuple[ComponentSpec, int, int]]) -> int:
    """Write components (spec, class id, community id) by identifier in one statement and return how many."""
    rows = [
        {**asdict(spec), "class_id": class_id, "community_id": community_id} for spec, class_id, community_id in changes
    ]
    written = session.execute(
        text(
            """
            UPDATE component AS c SET version = c.version + 1, class_id = n.class_id, state = n.state,
                unit_id = n.unit_id, property_unit_id = n.property_unit_id, upkeep_unit_id = n.upkeep_unit_id,
                sensitivity = n.sensitivity, place = n.place, community_id = n.community_id,
                valid_from = n.valid_from, valid_to = n.valid_to, geom = ST_SetSRID(ST_MakePoint(n.lon, n.lat), 4326)
            FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (code text, class_id integer, state text,
                unit_id integer, property_unit_id integer, upkeep_unit_id integer, sensitivity text, place text,
                community_id integer, valid_from date, valid_to date, lon double precision, lat double precision)
            WHERE c.territory_id = :home AND c.code = n.code
            RETURNING c.id
            """
        ),
        {"rows": json.dumps(rows, default=str), "home": territory_id},
    )
    return len(written.all())


def incidents_of(session: Session, component_id: int, limit: int) -> list[ComponentIncident]:
    """Return the incidents about a component within reach, newest first."""
    rows = session.execute(
        select(
            Incident.id, Incident.number, IncidentClass.name_en, IncidentClass.name_zh, Incident.status,
            Incident.reported_at,
        )
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .where(Incident.component_id == component_id)
        .order_by(Incident.reported_at.desc())
        .limit(limit)
    )  # fmt: skip
    return [ComponentIncident(*row) for row in rows]


def component_of(session: Session, incident_id: int) -> tuple[int, str] | None:
    """Return id and identifier of the component that an incident is about; None for none."""
    row = session.execute(
        select(Component.id, Component.code)
        .join(Incident, Incident.component_id == Component.id)
        .where(Incident.id == incident_id)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def classes(session: Session, scheme: str, version: str) -> list[ClassInfo]:
    """Return the active component classes of a scheme by code."""
    from incidents.store.catalogue import classes as of_scheme

    return [each for each in of_scheme(session, scheme, version) if each.kind == "component"]


def units(session: Session, territory_id: int) -> dict[int, tuple[str, str, str | None]]:
    """Return id to code and names of the units of a territory."""
    rows = session.execute(
        select(Unit.id, Unit.code, Unit.name, Unit.name_zh).where(Unit.territory_id == territory_id).order_by(Unit.code)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def communities(session: Session, territory_id: int) -> dict[int, tuple[str, str | None]]:
    """Return id to the names of the communities of a territory."""
    rows = session.execute(
        select(Area.id, Area.name, Area.name_zh)
        .where(Area.territory_id == territory_id, Area.level == "community")
        .order_by(Area.name)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def district_of(session: Session, community_id: int) -> str | None:
    """Return the code of the district above a community; None without one."""
    return session.execute(
        text(
            "WITH RECURSIVE up AS (SELECT id, parent_id, level, code FROM area WHERE id = :id"
            " UNION ALL SELECT a.id, a.parent_id, a.level, a.code FROM area AS a JOIN up ON a.id = up.parent_id)"
            " SELECT code FROM up WHERE level = 'district' LIMIT 1"
        ),
        {"id": community_id},
    ).scalar_one_or_none()


def grid_code(session: Session, grid_id: int) -> str:
    """Return the code of a unit grid."""
    return session.execute(select(UnitGrid.code).where(UnitGrid.id == grid_id)).scalar_one()


def _conditions(territory_id: int, wanted: ComponentFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Component.territory_id == territory_id]
    if wanted.class_ids:
        conditions.append(Component.class_id.in_(wanted.class_ids))
    if wanted.unit_id is not None:
        owners = (Component.unit_id, Component.property_unit_id, Component.upkeep_unit_id)
        conditions.append(or_(*(owner == wanted.unit_id for owner in owners)))
    conditions.append(Component.state.in_(wanted.states) if wanted.states else Component.state != "removed")
    if wanted.community_id is not None:
        conditions.append(Component.community_id == wanted.community_id)
    if wanted.grid_id is not None:
        cell = select(UnitGrid.geom).where(UnitGrid.id == wanted.grid_id, UnitGrid.territory_id == territory_id)
        squares = select(func.gk_squares(UnitGrid.geom)).where(UnitGrid.id == wanted.grid_id).scalar_subquery()
        conditions.append(Component.square == func.any(cast(squares, ARRAY(BigInteger))))
        conditions.append(func.ST_Intersects(cell.scalar_subquery(), Component.geom))
    if wanted.text.strip():
        part = wanted.text.strip()
        conditions.append(
            or_(Component.code.contains(part, autoescape=True), Component.place.icontains(part, autoescape=True))
        )
    return conditions
