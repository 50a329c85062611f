"""The law of an incident's life as the database enforces it, and requests for more time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, TerritoryId


class AllowedStep(Base):
    """A step that a role may take; equal to `incidents.lifecycle.law`, and what triggers ask."""

    __tablename__ = "transition"

    subject: Mapped[str] = mapped_column(primary_key=True, doc="incident, or the kind of a task")
    act: Mapped[str] = mapped_column(primary_key=True, doc="Empty for tasks")
    source: Mapped[str] = mapped_column(primary_key=True, doc="Empty begins")
    target: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class ExtensionRequest(Base):
    """More time asked for; the deadline moves when somebody else grants it."""

    __tablename__ = "extension_request"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'granted', 'refused')", name="state"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by <> asked_by", name="two_persons"),
        Index("uq_extension_request_waiting", "incident_id", unique=True, postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(server_default="waiting", doc="waiting | granted | refused")
    reason: Mapped[str] = mapped_column(doc="Key of the lifecycle's reasons")
    until: Mapped[dt.datetime] = mapped_column(doc="The deadline that is asked for")
    due_before: Mapped[dt.datetime | None] = mapped_column(doc="The deadline when it was asked")
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    asked_at: Mapped[dt.datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Never who asked")
    decided_at: Mapped[dt.datetime | None]
    answer: Mapped[str] = mapped_column(server_default="", doc="Key of the reason of a refusal")
