"""Proposed changes of classes, limits and calendars: one proposes, another approves."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId


class RuleChange(Base):
    """A change of the rules, which belong to the whole platform and to no territory; who decides is another person."""

    __tablename__ = "rule_change"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'approved', 'rejected', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by <> proposed_by", name="two_persons"),
        Index(None, "state", "proposed_at"),
    )

    id: Mapped[IntId]
    title: Mapped[str] = mapped_column(doc="As the proposer calls it; empty: what it changes")
    reason: Mapped[str] = mapped_column(server_default="")
    edits: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, doc="Each: table, key, id and version of the row as it was, before, after"
    )
    state: Mapped[str] = mapped_column(server_default="proposed", doc="proposed | approved | rejected | withdrawn")
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    proposed_label: Mapped[str] = mapped_column(server_default="")
    proposed_at: Mapped[CreatedAt]
    decided_by: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id", ondelete="SET NULL"), doc="Never who proposed; empty when withdrawn"
    )
    decided_label: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[dt.datetime | None] = mapped_column(doc="Begin of the transaction that decided, and applied, it")
    note: Mapped[str] = mapped_column(server_default="", doc="Why it was decided so")
    version: Mapped[int] = mapped_column(server_default="1")
