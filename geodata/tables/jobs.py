"""What a page shows of a background job; the queue itself is procrastinate's."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId


class JobRun(Base):
    """One piece of background work: who asked, how far it is, what came of it."""

    __tablename__ = "job_run"
    __table_args__ = (CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"),)

    id: Mapped[IntId]
    territory_id: Mapped[int | None] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    kind: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    state: Mapped[str] = mapped_column(server_default="waiting")
    step: Mapped[str] = mapped_column(server_default="")
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int | None]
    message: Mapped[str] = mapped_column(server_default="")
    result: Mapped[dict[str, Any] | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]
    begun: Mapped[int] = mapped_column(server_default="0", doc="How many times the work was begun")
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
