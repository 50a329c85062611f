"""Execution of plans: who is held to an incident or kept from it, messages to be sent, and messages that arrived."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, CreatedAt, TerritoryId

_LIVE = "ended_at IS NULL"


class Pin(Base):
    """A worker who has to do an incident (pin: somebody chose him by hand), or must not (bar: he refused)."""

    __tablename__ = "pin"
    __table_args__ = (
        CheckConstraint("kind IN ('pin', 'bar')", name="kind"),
        CheckConstraint("ended_at >= made_at", name="span"),
        Index("uq_pin_live", "incident_id", unique=True, postgresql_where=text(f"kind = 'pin' AND {_LIVE}")),
        Index(
            "uq_pin_live_bar",
            "incident_id",
            "worker_id",
            unique=True,
            postgresql_where=text(f"kind = 'bar' AND {_LIVE}"),
        ),
        Index("ix_pin_live_territory_id", "territory_id", postgresql_where=text(_LIVE)),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    worker_id: Mapped[int] = mapped_column(ForeignKey("worker.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(doc="pin: this worker does it | bar: this worker does not get it")
    reason: Mapped[str] = mapped_column(doc="Key of the lifecycle's reasons, or no_answer")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Written by the database")
    made_at: Mapped[CreatedAt]
    ended_at: Mapped[dt.datetime | None] = mapped_column(doc="Released, replaced, or the incident ended")


class Outbox(Base):
    """A message that has to be delivered, written by the database in the transaction of what it tells."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(
            "topic IN ('assigned', 'withdrawn', 'rework', 'returned', 'escalated', 'counted')", name="topic"
        ),
        Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
        Index("ix_outbox_sent_at", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
    )

    id: Mapped[BigId]
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    made_at: Mapped[CreatedAt]
    topic: Mapped[str] = mapped_column(
        doc="assigned | withdrawn | rework | counted to the worker; returned | escalated to desks"
    )
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[BigInt] = mapped_column(doc="The task it is about")
    worker_id: Mapped[int | None] = mapped_column(doc="Whom it goes to; None: the desks of the territory")
    payload: Mapped[dict[str, Any]] = mapped_column(server_default="{}", doc="Kind, planned times, reason; no person")
    attempts: Mapped[int] = mapped_column(server_default="0", doc="How often delivery was begun")
    sent_at: Mapped[dt.datetime | None] = mapped_column(doc="When it was known to have arrived")


class Notice(Base):
    """A message that arrived: what a worker's page shows him, or the desks when it names no worker."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("outbox_id"),
        Index("ix_notice_worker_id", "worker_id", "id", postgresql_where=text("worker_id IS NOT NULL")),
        Index("ix_notice_desk", "territory_id", "id", postgresql_where=text("worker_id IS NULL")),
    )

    id: Mapped[BigId]
    outbox_id: Mapped[BigInt] = mapped_column(doc="The message; it arrives once, however often it is sent")
    territory_id: Mapped[TerritoryId]
    worker_id: Mapped[int | None]
    made_at: Mapped[dt.datetime] = mapped_column(doc="When what it tells happened")
    topic: Mapped[str]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[BigInt]
    payload: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    read_at: Mapped[dt.datetime | None]
