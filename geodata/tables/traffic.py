"""How fast cars go: readings as they were brought in."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ARRAY, CheckConstraint, Float, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId


class TrafficLoad(Base):
    """One file of speeds; only what could be used of it."""

    __tablename__ = "traffic_load"
    __table_args__ = (
        CheckConstraint("readings > 0 AND refused >= 0", name="counts"),
        CheckConstraint("source <> ''", name="source"),
        Index(None, "territory_id", "newest_at"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(doc="Name of the file")
    loaded_at: Mapped[dt.datetime]
    loaded_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    newest_at: Mapped[dt.datetime] = mapped_column(doc="When the newest of its readings was taken")
    readings: Mapped[int] = mapped_column(doc="How many are kept")
    refused: Mapped[int] = mapped_column(doc="How many lines could not be used")
    lons: Mapped[list[float]] = mapped_column(ARRAY(Float), doc="Places on streets, one a reading")
    lats: Mapped[list[float]] = mapped_column(ARRAY(Float))
    kmhs: Mapped[list[float]] = mapped_column(ARRAY(Float))
    ages_s: Mapped[list[float]] = mapped_column(ARRAY(Float), doc="Seconds before newest_at, one a reading")
    headings: Mapped[list[float | None] | None] = mapped_column(
        ARRAY(Float), doc="Degrees clockwise from north, one a reading; None where no direction is known"
    )
