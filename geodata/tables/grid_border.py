"""Borders between unit grids and why each is there, and which responsibility grid a cell belonged to from which day."""

from __future__ import annotations

import datetime as dt

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, TerritoryId

_KINDS = "kind IN ('street', 'railway', 'river', 'path', 'community', 'city', 'hand', 'method', 'cut')"
_WHY = "street | railway | river | path | community | city | hand | method | cut"


class GridBorder(Base):
    """A stretch of border between two unit grids and why it is there; in force as long as both are."""

    __tablename__ = "grid_border"
    __table_args__ = (CheckConstraint(_KINDS, name="kind"),)

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    left_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), index=True)
    right_id: Mapped[int | None] = mapped_column(
        ForeignKey("unit_grid.id", ondelete="CASCADE"), index=True, doc="None where no cell is beyond"
    )
    kind: Mapped[str] = mapped_column(doc=_WHY)
    name: Mapped[str | None] = mapped_column(doc="Of the street, railway or river it runs along")
    length_m: Mapped[float]
    geom: Mapped[WKBElement] = mapped_column(Geometry("MULTILINESTRING", srid=4326, spatial_index=False))


class GridChangeBorder(Base):
    """The same between two cells of a draft; gone with them."""

    __tablename__ = "grid_change_border"
    __table_args__ = (CheckConstraint(_KINDS, name="kind"),)

    id: Mapped[BigId]
    change_id: Mapped[int] = mapped_column(ForeignKey("grid_change.id", ondelete="CASCADE"), index=True)
    territory_id: Mapped[TerritoryId]
    left_id: Mapped[int] = mapped_column(ForeignKey("grid_change_cell.id", ondelete="CASCADE"), index=True)
    right_id: Mapped[int | None] = mapped_column(
        ForeignKey("grid_change_cell.id", ondelete="CASCADE"),
        index=True,
        doc="None where the draft has no cell beyond",
    )
    kind: Mapped[str] = mapped_column(doc=_WHY)
    name: Mapped[str | None] = mapped_column(doc="Of the street, railway or river it runs along")
    length_m: Mapped[float]
    geom: Mapped[WKBElement] = mapped_column(Geometry("MULTILINESTRING", srid=4326, spatial_index=True))


class GridBinding(Base):
    """Which responsibility grid a cell belonged to from a day on, until the next row of the same cell.

    Written by the database whenever a cell gets another one.
    """

    __tablename__ = "grid_binding"

    unit_grid_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), primary_key=True)
    started_on: Mapped[dt.date] = mapped_column(primary_key=True)
    territory_id: Mapped[TerritoryId]
    responsibility_grid_id: Mapped[int | None] = mapped_column(
        ForeignKey("responsibility_grid.id"), index=True, doc="None: to none from then on"
    )
