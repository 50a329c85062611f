"""Facts that evaluation counts: one per incident, folded from the record."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, SmallInt


class IncidentFact(Base):
    """What evaluation counts of one incident, folded from the record and never written otherwise."""

    __tablename__ = "incident_fact"
    __table_args__ = (Index(None, "territory_id", "reported_at"),)

    incident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    status: Mapped[str]
    source: Mapped[str]
    class_id: Mapped[int]
    category: Mapped[str]
    priority: Mapped[SmallInt]
    urgent: Mapped[bool] = mapped_column(doc="An emergency, or priority 1")
    grid_id: Mapped[int]
    community_id: Mapped[int]
    unit_id: Mapped[int | None]
    worker_id: Mapped[int | None]
    dispatched_by: Mapped[int | None]
    closed_by: Mapped[int | None]
    reported_at: Mapped[dt.datetime] = mapped_column(doc="When it was accepted")
    filed_at: Mapped[dt.datetime | None]
    dispatched_at: Mapped[dt.datetime | None]
    handled_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None] = mapped_column(doc="The deadline that stood when it was closed")
    dispatches: Mapped[SmallInt] = mapped_column(doc="How often it was given out")
    returns: Mapped[SmallInt] = mapped_column(doc="How often it came back to the dispatcher")
    reworks: Mapped[SmallInt]
    postponed: Mapped[bool] = mapped_column(doc="Leaves the due count")
    simulated: Mapped[bool]
    last_seq: Mapped[BigInt] = mapped_column(doc="Row of the record it was folded up to")


class FactFold(Base):
    """How far the record of a territory was folded into facts."""

    __tablename__ = "fact_fold"

    territory_id: Mapped[int] = mapped_column(
        ForeignKey("territory.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    batch_id: Mapped[int] = mapped_column(doc="Sealed batches up to here are in; rows not sealed yet always are")
    folded_at: Mapped[dt.datetime]
