"""Classes of incident, time limits, working calendars and the duty list: all editable data."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, IntId


class Calendar(Base):
    """A working calendar: opening hours by weekday."""

    __tablename__ = "calendar"
    __table_args__ = (UniqueConstraint("code"),)

    id: Mapped[IntId]
    code: Mapped[str] = mapped_column(doc="E.g. office-gb, office-cn, always")
    name_en: Mapped[str]
    name_zh: Mapped[str]
    timezone: Mapped[str]
    hours: Mapped[dict[str, Any]] = mapped_column(doc='ISO weekday to spans: {"1": [["09:00", "12:00"], …]}')
    holidays_source: Mapped[str] = mapped_column(
        server_default="", doc="Where the days came from, e.g. holidays:GB:ENG"
    )
    version: Mapped[int] = mapped_column(server_default="1")


class CalendarDay(Base):
    """An exception: a public holiday, or a make-up workday."""

    __tablename__ = "calendar_day"
    __table_args__ = (UniqueConstraint("calendar_id", "day"),)

    id: Mapped[IntId]
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendar.id", ondelete="CASCADE"))
    day: Mapped[dt.date]
    kind: Mapped[str] = mapped_column(doc="holiday | workday")
    name: Mapped[str]


class IncidentClass(Base):
    """A class of component or event; scheme and version are part of its key."""

    __tablename__ = "incident_class"
    __table_args__ = (
        UniqueConstraint("scheme", "scheme_version", "kind", "code"),
        CheckConstraint("kind IN ('component', 'event')", name="kind"),
        CheckConstraint("workers BETWEEN 1 AND 6", name="workers"),
        CheckConstraint("service_min BETWEEN 0 AND 480", name="service_min"),
        CheckConstraint("evidence ~ '^(before)? ?(after)? ?(place)?$'", name="evidence"),
    )

    id: Mapped[IntId]
    scheme: Mapped[str] = mapped_column(doc="E.g. gk (the shipped one), toronto-mci")
    scheme_version: Mapped[str]
    kind: Mapped[str]
    code: Mapped[str] = mapped_column(doc="Major and minor, e.g. 01-02")
    category: Mapped[str] = mapped_column(doc="Key of the major class, e.g. event-01; what maps are coloured by")
    category_en: Mapped[str]
    category_zh: Mapped[str]
    name_en: Mapped[str]
    name_zh: Mapped[str]
    priority: Mapped[int] = mapped_column(server_default="3", doc="1 most urgent … 4")
    emergency: Mapped[bool] = mapped_column(server_default="false")
    evidence: Mapped[str] = mapped_column(
        server_default="", doc="What has to be there before it is finished: before, after, place, by space"
    )
    active: Mapped[bool] = mapped_column(server_default="true")
    check_on_site: Mapped[bool] = mapped_column(
        server_default="false", doc="A worker looks at the place when it is handled; else the supervisor decides"
    )
    skills: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", doc="Whoever handles it has them all")
    equipment: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", doc="Whoever handles it has it all")
    workers: Mapped[int] = mapped_column(server_default="1", doc="How many have to come")
    service_min: Mapped[float] = mapped_column(
        server_default="0", doc="Minutes on site where the history holds too little; 0: as usual for the kind of task"
    )
    version: Mapped[int] = mapped_column(server_default="1")


class TimeLimit(Base):
    """How long a stage may take for a class under a condition."""

    __tablename__ = "time_limit"
    __table_args__ = (
        CheckConstraint(
            "unit IN ('urgent_hours', 'working_hours', 'working_days', 'calendar_days')",
            name="unit",
        ),
        Index(
            "uq_time_limit_going_on",
            "scheme",
            "scheme_version",
            text("coalesce(class_id, 0)"),
            "stage",
            "condition",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
    )

    id: Mapped[IntId]
    scheme: Mapped[str]
    scheme_version: Mapped[str]
    class_id: Mapped[int | None] = mapped_column(ForeignKey("incident_class.id"), index=True, doc="None: any class")
    condition: Mapped[str] = mapped_column(server_default="", doc="Empty: always")
    stage: Mapped[str] = mapped_column(doc="verify | file | dispatch | handle | check | close")
    value: Mapped[float]
    unit: Mapped[str]
    closing_condition_en: Mapped[str] = mapped_column(server_default="")
    closing_condition_zh: Mapped[str] = mapped_column(server_default="")
    responsible_kind: Mapped[str] = mapped_column(server_default="department")
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id"), doc="None: the unit's calendar")
    verified: Mapped[bool] = mapped_column(server_default="false", doc="Stands in a public text")
    source: Mapped[str] = mapped_column(server_default="")
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None]
    version: Mapped[int] = mapped_column(server_default="1")


class ClassOwner(Base):
    """The duty list: which class in which area belongs to which unit, by what law."""

    __tablename__ = "class_owner"
    __table_args__ = (
        CheckConstraint("valid_to >= valid_from", name="days"),
        ExcludeConstraint(
            (text("territory_id"), "="),
            (text("class_id"), "="),
            (text("coalesce(area_id, 0)"), "="),
            (text("daterange(valid_from, valid_to, '[]')"), "&&"),
            using="gist",
            name="ex_class_owner_one_owner",
        ),
    )

    id: Mapped[IntId]
    class_id: Mapped[int] = mapped_column(ForeignKey("incident_class.id"), index=True)
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), doc="None: the whole territory")
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    legal_basis: Mapped[str] = mapped_column(server_default="")
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None] = mapped_column(doc="Last day, included; None while it goes on")
    version: Mapped[int] = mapped_column(server_default="1")
