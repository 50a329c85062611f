"""Roster: shift patterns, who works by them from when, exceptions of a day, hours and rest rules."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, IntId, SmallInt, TerritoryId


class ShiftPattern(Base):
    """Shifts that repeat after a number of days."""

    __tablename__ = "shift_pattern"
    __table_args__ = (
        UniqueConstraint("territory_id", "code"),
        CheckConstraint("cycle_days BETWEEN 1 AND 366", name="cycle"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    code: Mapped[str] = mapped_column(doc="Short letters, as the table of the roster shows them")
    name: Mapped[str]
    name_zh: Mapped[str | None]
    cycle_days: Mapped[SmallInt]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB,
        doc="[{day, start_min, end_min, break_min}]: day of the cycle from 0, minutes after local midnight;"
        " an end above 1440 is on the next day; a day without a step is free",
    )
    version: Mapped[int] = mapped_column(server_default="1")


class WorkerPattern(Base):
    """A worker works by a pattern for a time; at most one pattern a day."""

    __tablename__ = "worker_pattern"
    __table_args__ = (
        CheckConstraint("valid_to >= valid_from", name="days"),
        ExcludeConstraint(
            (text("worker_id"), "="),
            (text("daterange(valid_from, valid_to, '[]')"), "&&"),
            using="gist",
            name="ex_worker_pattern_worker_id_days",
        ),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    worker_id: Mapped[int] = mapped_column(ForeignKey("worker.id", ondelete="CASCADE"), index=True)
    pattern_id: Mapped[int] = mapped_column(ForeignKey("shift_pattern.id"), index=True)
    anchor_on: Mapped[dt.date] = mapped_column(doc="Day 0 of the cycle; may lie before valid_from")
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None] = mapped_column(doc="Last day, included; None while it goes on")
    version: Mapped[int] = mapped_column(server_default="1")


class RosterException(Base):
    """What a worker does on one day instead of the pattern: another shift, an extra one, or none."""

    __tablename__ = "roster_exception"
    __table_args__ = (
        UniqueConstraint("worker_id", "day"),
        CheckConstraint("reason IN ('free', 'change', 'extra', 'swap', 'cover', 'plan')", name="reason"),
        CheckConstraint(
            "start_min IS NULL AND end_min IS NULL OR start_min BETWEEN 0 AND 1439"
            " AND end_min > start_min AND end_min - start_min <= 1440",
            name="times",
        ),
        CheckConstraint("break_min >= 0", name="break"),
        Index("ix_roster_exception_territory_id_day", "territory_id", "day"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    worker_id: Mapped[int] = mapped_column(ForeignKey("worker.id", ondelete="CASCADE"))
    day: Mapped[dt.date] = mapped_column(doc="Local day on which the shift begins")
    start_min: Mapped[SmallInt | None] = mapped_column(doc="Minutes after local midnight; None: free")
    end_min: Mapped[SmallInt | None] = mapped_column(doc="Above 1440: on the next day")
    break_min: Mapped[SmallInt] = mapped_column(server_default="0")
    reason: Mapped[str] = mapped_column(doc="free | change | extra | swap | cover | plan (from a file)")
    version: Mapped[int] = mapped_column(server_default="1")


class RosterRule(Base):
    """Hours and rest that a roster of the territory has to keep, and the hours in which grids need somebody."""

    __tablename__ = "roster_rule"
    __table_args__ = (
        UniqueConstraint("territory_id"),
        CheckConstraint("cover_to_min > cover_from_min", name="cover"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    max_day_h: Mapped[float] = mapped_column(server_default="10", doc="Work of one shift, without its break")
    max_week_h: Mapped[float] = mapped_column(server_default="48", doc="Monday to Sunday")
    min_rest_h: Mapped[float] = mapped_column(server_default="11", doc="From the end of a shift to the next")
    max_days_row: Mapped[SmallInt] = mapped_column(server_default="6")
    break_after_h: Mapped[float] = mapped_column(server_default="6", doc="Longer shifts need a break")
    min_break_min: Mapped[SmallInt] = mapped_column(server_default="30")
    cover_from_min: Mapped[SmallInt] = mapped_column(server_default="480", doc="Minutes after local midnight")
    cover_to_min: Mapped[SmallInt] = mapped_column(server_default="1080")
    version: Mapped[int] = mapped_column(server_default="1")
