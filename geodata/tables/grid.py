"""Unit grids and the responsibility grids that bind them to a worker."""

from __future__ import annotations

import datetime as dt

from geoalchemy2 import WKBElement
from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, IntId, SmallInt, TerritoryId, geometry


class ResponsibilityGrid(Base):
    """A contiguous set of unit grids that one grid worker looks after."""

    __tablename__ = "responsibility_grid"
    __table_args__ = (UniqueConstraint("territory_id", "code"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    code: Mapped[str]
    name: Mapped[str]
    name_zh: Mapped[str | None]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    boundary: Mapped[WKBElement | None] = geometry("MULTIPOLYGON", nullable=True)
    min_workers: Mapped[SmallInt] = mapped_column(server_default="1", doc="Needed at a time; 0 where nobody is")
    version: Mapped[int] = mapped_column(server_default="1")


class UnitGrid(Base):
    """The smallest management area: a closed polygon inside exactly one community.

    A cell is never changed in place: it gets an end date and a successor, so that an incident
    filed under an old grid still resolves.
    """

    __tablename__ = "unit_grid"
    __table_args__ = (
        Index("uq_unit_grid_live_code", "territory_id", "code", unique=True, postgresql_where=text("ended_on IS NULL")),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    community_id: Mapped[int] = mapped_column(ForeignKey("area.id"), index=True)
    responsibility_grid_id: Mapped[int | None] = mapped_column(ForeignKey("responsibility_grid.id"), index=True)
    scheme: Mapped[str] = mapped_column(doc="Code scheme: local | cn14 | cn15")
    code: Mapped[str]
    sequence: Mapped[int] = mapped_column(doc="Inside the community, west to east, then north to south")
    kind: Mapped[str] = mapped_column(doc="square | hexagon | block | h3 | voronoi")
    size_m: Mapped[float | None] = mapped_column(doc="Nominal size; None for irregular cells")
    area_m2: Mapped[float]
    people: Mapped[float | None] = mapped_column(doc="Estimated residents; None when unknown")
    land_use: Mapped[str | None]
    management_level: Mapped[str | None]
    started_on: Mapped[dt.date]
    ended_on: Mapped[dt.date | None]
    version: Mapped[int] = mapped_column(server_default="1")
    geom: Mapped[WKBElement] = geometry("POLYGON")
