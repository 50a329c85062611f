"""Acts of people as the platform takes them: commands applied once, and drafts not yet sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, CreatedAt, IntId, TerritoryId


class Command(Base):
    """An act that was applied, by the id its sender gave it: sent again, it answers as it did first."""

    __tablename__ = "command"

    id: Mapped[str] = mapped_column(primary_key=True, doc="Chosen by the sender, e.g. a UUID")
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    act: Mapped[str]
    digest: Mapped[str] = mapped_column(doc="Keyed hash of what was asked: one id cannot mean two acts")
    incident_id: Mapped[BigInt | None] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    result: Mapped[dict[str, Any] | None] = mapped_column(doc="The first answer; no personal field")
    created_at: Mapped[CreatedAt]


class Draft(Base):
    """What a user has typed and not sent: one draft a kind, sealed, seen by nobody else."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("user_id", "territory_id", "kind"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(doc="incident | …")
    subject_id: Mapped[str] = mapped_column(doc="Key of the content; destroyed when the draft goes")
    content_cipher: Mapped[bytes]
    updated_at: Mapped[dt.datetime]
