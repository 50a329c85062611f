"""Named layers of planning: demand, candidates, zones and slope that planners bring or keep, a version at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import ARRAY, CheckConstraint, Float, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, CreatedAt, IntId, TerritoryId, geometry


class NamedLayer(Base):
    """A layer of planning; what is brought anew under its name is another version, the older ones stay."""

    __tablename__ = "named_layer"
    __table_args__ = (
        UniqueConstraint("territory_id", "kind", "name", "revision"),
        CheckConstraint("kind IN ('demand', 'candidates', 'zones', 'slope', 'matrix')", name="kind"),
        CheckConstraint("name <> '' AND revision > 0", name="words"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    kind: Mapped[str] = mapped_column(doc="demand | candidates | zones | slope | matrix")
    name: Mapped[str]
    revision: Mapped[int] = mapped_column(doc="1, 2 … under one name")
    year: Mapped[int | None] = mapped_column(doc="Of the people counted; None where it has none")
    groups: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", doc="Names of groups of people")
    facts: Mapped[dict[str, Any]] = mapped_column(server_default="{}", doc="File, CRS, sums, what was left out and why")
    grid: Mapped[bytes | None] = mapped_column(
        doc="Archive of a raster (slope in per cent, origin, step, CRS) or of a matrix (seconds, places)"
    )
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    made_label: Mapped[str]
    made_at: Mapped[CreatedAt]
    retired_at: Mapped[dt.datetime | None] = mapped_column(doc="No longer offered; what rests on it stays")


class LayerPlace(Base):
    """A place of a layer: people who live there, a candidate, or ground where nothing may be built."""

    __tablename__ = "layer_place"
    __table_args__ = (CheckConstraint("weight >= 0", name="weight"),)

    id: Mapped[BigId]
    layer_id: Mapped[int] = mapped_column(ForeignKey("named_layer.id", ondelete="CASCADE"), index=True)
    territory_id: Mapped[TerritoryId]
    name: Mapped[str] = mapped_column(server_default="")
    weight: Mapped[float] = mapped_column(server_default="0", doc="People; of a candidate its score, 0…1")
    groups: Mapped[list[float]] = mapped_column(ARRAY(Float), server_default="{}", doc="People of each group")
    geom: Mapped[WKBElement] = geometry("GEOMETRY")
