"""Saved queues: filters of the incident list that a user keeps under a name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, TerritoryId


class SavedQueue(Base):
    """A filter of the list that its owner finds again after any login; nobody else sees it, and it is not recorded."""

    __tablename__ = "saved_queue"
    __table_args__ = (
        UniqueConstraint("user_id", "territory_id", "name"),
        CheckConstraint("length(name) BETWEEN 1 AND 40", name="name"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    name: Mapped[str]
    ask: Mapped[dict[str, Any]] = mapped_column(JSONB, doc="Names of the list's address to their values")
    created_at: Mapped[CreatedAt]
    version: Mapped[int] = mapped_column(server_default="1")
