"""The desk's own tables: emergencies handed over, their words and numbers, and what another system knows of us."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, CreatedAt, IntId, TerritoryId


class HandOver(Base):
    """An emergency and the service it was handed to: it waits until somebody writes down that it was."""

    __tablename__ = "hand_over"
    __table_args__ = (
        UniqueConstraint("incident_id", "service"),
        CheckConstraint("state IN ('waiting', 'acknowledged', 'dismissed')", name="state"),
        CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled"),
        CheckConstraint("state <> 'acknowledged' OR called_at IS NOT NULL", name="called"),
        Index("ix_hand_over_waiting", "territory_id", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"))
    service: Mapped[str] = mapped_column(doc="police | fire | ambulance | a service of the territory's own")
    phone: Mapped[str] = mapped_column(doc="The number to call, as it stood then")
    because: Mapped[str] = mapped_column(server_default="", doc="Words of the list, or class:<key>; never the text")
    state: Mapped[str] = mapped_column(server_default="waiting", doc="waiting | acknowledged | dismissed")
    raised_at: Mapped[CreatedAt]
    raised_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Written by the database")
    raised_label: Mapped[str] = mapped_column(server_default="", doc="The account or process; written by the database")
    called_at: Mapped[dt.datetime | None]
    channel: Mapped[str] = mapped_column(server_default="phone", doc="phone | radio | in_person | system")
    reference: Mapped[str] = mapped_column(server_default="", doc="Number the service gave back; never a person")
    settled_at: Mapped[dt.datetime | None] = mapped_column(doc="When it was acknowledged, or dismissed")
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Written by the database")
    settled_label: Mapped[str] = mapped_column(server_default="", doc="The account or process; written by the database")


class EmergencyRule(Base):
    """A word, a look-alike, a class or a number of the territory's own; what is shipped holds besides."""

    __tablename__ = "emergency_rule"
    __table_args__ = (
        UniqueConstraint("territory_id", "kind", "phrase"),
        CheckConstraint("kind IN ('word', 'lookalike', 'class', 'number')", name="kind"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    kind: Mapped[str] = mapped_column(doc="word | lookalike | class | number")
    phrase: Mapped[str] = mapped_column(doc="The word; the key of the class; the number to call")
    service: Mapped[str] = mapped_column(server_default="", doc="Whom to call; empty for a look-alike")
    active: Mapped[bool] = mapped_column(server_default="true", doc="False switches off what is shipped")


class UpstreamItem(Base):
    """A report as another system (the hotline 12345) last told of it, whether it came in here or not."""

    __tablename__ = "upstream_item"
    __table_args__ = (UniqueConstraint("territory_id", "system", "ref"),)

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    system: Mapped[str]
    ref: Mapped[str] = mapped_column(doc="Its number there")
    incident_id: Mapped[BigInt | None] = mapped_column(
        ForeignKey("incident.id", ondelete="SET NULL"), index=True, doc="What it is here; None while it is not"
    )
    state: Mapped[str] = mapped_column(server_default="", doc="Its state there in our stages; empty when not told")
    reported_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None] = mapped_column(doc="When the other system wants the answer")
    reason: Mapped[str] = mapped_column(server_default="", doc="Why it is not here")
    file_name: Mapped[str] = mapped_column(server_default="", doc="The file that told of it last")
    seen_at: Mapped[dt.datetime]


class UpstreamAnswer(Base):
    """What the other system was told, batch by batch; a batch can be written out again."""

    __tablename__ = "upstream_answer"
    __table_args__ = (
        UniqueConstraint("territory_id", "system", "batch", "incident_id"),
        Index(None, "incident_id", "batch"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    system: Mapped[str]
    batch: Mapped[int]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"))
    ref: Mapped[str]
    digest: Mapped[str] = mapped_column(doc="Of the content: what did not change is not told again")
    content: Mapped[dict[str, Any]] = mapped_column(doc="The row as it was told; no personal field")
    written_at: Mapped[CreatedAt]
    written_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
