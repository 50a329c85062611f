"""What was forgotten when, and how the database grows."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, IntId


class RetentionRun(Base):
    """One clean-up of one class of data: what was older than it may be is gone."""

    __tablename__ = "retention_run"
    __table_args__ = (Index(None, "data_class", "id"),)

    id: Mapped[IntId]
    at: Mapped[dt.datetime]
    data_class: Mapped[str] = mapped_column(doc="sessions | commands | drafts | jobs | …; see app/retention.py")
    kept_days: Mapped[int] = mapped_column(doc="How long such data are kept by the settings of that day")
    deleted: Mapped[int]
    actor_label: Mapped[str]


class SizeDay(Base):
    """The size of the database on a day; its growth tells when the disk will be full."""

    __tablename__ = "size_day"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    database_bytes: Mapped[BigInt]
