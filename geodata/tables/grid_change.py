"""Changes of the grids: drafts and who decided them, whose ground a cell took over, where incidents were before."""

from __future__ import annotations

import datetime as dt
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, CreatedAt, IntId, TerritoryId, geometry


class GridChange(Base):
    """A change of unit and responsibility grids: drafted by one, published by another."""

    __tablename__ = "grid_change"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'submitted', 'published', 'withdrawn')", name="state"),
        CheckConstraint("decided_by <> author_id", name="separate_powers"),
        CheckConstraint("(state = 'published') = (effective_on IS NOT NULL)", name="effective"),
        CheckConstraint("title <> ''", name="title"),
        Index("ix_grid_change_waiting", "territory_id", postgresql_where=text("state IN ('draft', 'submitted')")),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    title: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="draft", doc="draft | submitted | published | withdrawn")
    area_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), doc="Communities whose cells it holds")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    made_at: Mapped[CreatedAt]
    submitted_at: Mapped[dt.datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Never the author")
    decided_at: Mapped[dt.datetime | None]
    remark: Mapped[str] = mapped_column(server_default="", doc="Why it was sent back; never a person")
    effective_on: Mapped[dt.date | None] = mapped_column(doc="First day of its cells")
    facts: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default="{}", doc="How it was cut and balanced, and what changes against the day it was submitted"
    )
    version: Mapped[int] = mapped_column(server_default="1")


class GridChangeCell(Base):
    """A cell of a draft: one in force that stays, or a new one. Gone when the change is decided."""

    __tablename__ = "grid_change_cell"
    __table_args__ = (Index(None, "change_id", "community_id"),)

    id: Mapped[IntId]
    change_id: Mapped[int] = mapped_column(ForeignKey("grid_change.id", ondelete="CASCADE"))
    territory_id: Mapped[TerritoryId]
    community_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    unit_grid_id: Mapped[int | None] = mapped_column(
        ForeignKey("unit_grid.id", ondelete="CASCADE"), index=True, doc="The cell in force that stays as it is"
    )
    area: Mapped[str] = mapped_column(server_default="", doc="Code of its responsibility grid; empty for none")
    code: Mapped[str]
    sequence: Mapped[int]
    kind: Mapped[str]
    size_m: Mapped[float | None]
    area_m2: Mapped[float]
    people: Mapped[float | None]
    geom: Mapped[WKBElement] = geometry("POLYGON")


class GridParent(Base):
    """Which ended cell the ground of a cell belonged to; written once when a change is published."""

    __tablename__ = "grid_parent"

    child_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), primary_key=True, index=True)
    territory_id: Mapped[TerritoryId]
    change_id: Mapped[int] = mapped_column(ForeignKey("grid_change.id"), index=True)
    shared_m2: Mapped[float]


class IncidentHome(Base):
    """The cell an open incident was in until a change gave it another; written once when a change is published."""

    __tablename__ = "incident_home"

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    grid_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), index=True)
    until: Mapped[dt.date] = mapped_column(doc="First day in the next cell")
    change_id: Mapped[int | None] = mapped_column(
        ForeignKey("grid_change.id"),
        index=True,
        doc="None where all cells were cut anew, or it was opened again after its cell had ended",
    )
