"""All SQL of codes that stand in files: cells in force with a point inside, and components."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ARRAY, Text, any_, func, literal, select, union
from sqlalchemy.orm import Session

from geodata.tables import CodeLink, Component, UnitGrid
from grids.store import live

CellPoint = tuple[int, str, float, float]
Standing = tuple[str, float, float, str, dt.date | None]


def live_points(session: Session, territory_id: int) -> list[CellPoint]:
    """Return number, code, longitude and latitude of a point inside each cell in force."""
    inner = select(UnitGrid.id, UnitGrid.code, func.ST_PointOnSurface(UnitGrid.geom).label("at"))
    cells = inner.where(*live(territory_id)).subquery()
    rows = session.execute(select(cells.c.id, cells.c.code, func.ST_X(cells.c.at), func.ST_Y(cells.c.at)))
    return [(int(row[0]), str(row[1]), float(row[2]), float(row[3])) for row in rows]


def ever_borne(session: Session, territory_id: int, codes: Sequence[str]) -> frozenset[str]:
    """Return those of many codes that a cell bears or bore, or that an older list gives to one."""
    wanted = any_(literal(list(codes), ARRAY(Text)))
    cells = select(UnitGrid.code).where(UnitGrid.territory_id == territory_id, UnitGrid.code == wanted)
    links = select(CodeLink.old_code).where(CodeLink.territory_id == territory_id, CodeLink.old_code == wanted)
    return frozenset(session.scalars(union(cells, links)))


def components(session: Session, territory_id: int, codes: Sequence[str]) -> list[Standing]:
    """Return code, longitude, latitude, sensitivity and last day of components."""
    rows = session.execute(
        select(
            Component.code,
            func.ST_X(Component.geom),
            func.ST_Y(Component.geom),
            Component.sensitivity,
            Component.valid_to,
        ).where(Component.territory_id == territory_id, Component.code == any_(literal(list(codes), ARRAY(Text))))
    )
    return [tuple(row) for row in rows]
