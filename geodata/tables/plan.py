"""The standing plan of dispatch, streets that are closed, and what things cost."""

from __future__ import annotations

import datetime as dt
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, IntId, SmallInt, TerritoryId, geometry


class Plan(Base):
    """A proposal of who goes where and when; it proposes only, and only the newest ones of a territory are kept."""

    __tablename__ = "plan"

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    made_at: Mapped[dt.datetime] = mapped_column(doc="Moment the plan is for, second 0 of its times")
    cost_s: Mapped[float] = mapped_column(doc="All terms of the cost table together")
    rounds: Mapped[int] = mapped_column(doc="Of the search")
    cpu_s: Mapped[float] = mapped_column(doc="Of the search")
    facts: Mapped[dict[str, Any]] = mapped_column(doc="Summary, unserved work with reasons, move-ups, who is left out")
    snapshot: Mapped[bytes | None] = mapped_column(
        deferred=True, doc="The problem as it was planned, for questions about it; None of older plans"
    )


class PlanRow(Base):
    """One stop of the plan: who does what, when, and from which versions that was reckoned."""

    __tablename__ = "plan_row"
    __table_args__ = (
        CheckConstraint("change IN ('new', 'moved', 'retimed', 'kept', 'fixed')", name="change"),
        CheckConstraint("end_at >= start_at", name="span"),
        CheckConstraint("safe = (needs IS NULL)", name="safe"),
        Index("ix_plan_row_plan_id_incident_id", "plan_id", "incident_id"),
    )

    id: Mapped[BigId]
    plan_id: Mapped[BigInt] = mapped_column(ForeignKey("plan.id", ondelete="CASCADE"))
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(doc="Kind of task: handle | verify | check | visit | patrol")
    task_id: Mapped[int | None] = mapped_column(BigInteger, doc="None: nobody was sent yet")
    worker_id: Mapped[int] = mapped_column(doc="No foreign key: a plan is short-lived")
    place_in_route: Mapped[SmallInt] = mapped_column(doc="1 is next")
    start_at: Mapped[dt.datetime] = mapped_column(doc="When the worker begins on site")
    end_at: Mapped[dt.datetime]
    travel_s: Mapped[float] = mapped_column(doc="From the place before")
    late_s: Mapped[float] = mapped_column(doc="Begun so long after the deadline; 0 in time")
    slack_s: Mapped[float | None] = mapped_column(doc="Time left between the begin and the deadline; None without one")
    incident_version: Mapped[int]
    task_version: Mapped[int | None]
    was_worker_id: Mapped[int | None] = mapped_column(doc="Who has it now")
    change: Mapped[str] = mapped_column(doc="new | moved | retimed | kept | fixed, against what runs")
    safe: Mapped[bool] = mapped_column(doc="May be published without a look")
    needs: Mapped[dict[str, Any] | None] = mapped_column(doc="Why a person has to look: kind, en, zh, figures")


class Closure(Base):
    """A street or an area that nobody drives through for a time, or only slowly."""

    __tablename__ = "closure"
    __table_args__ = (
        CheckConstraint("to_at > from_at", name="span"),
        CheckConstraint("GeometryType(geom) IN ('LINESTRING', 'POLYGON')", name="shape"),
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("speed_kmh BETWEEN 3 AND 120", name="speed"),
        Index(None, "territory_id", "ended_at"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(doc="Street or place, never a person")
    geom: Mapped[WKBElement] = geometry("GEOMETRY")
    from_at: Mapped[dt.datetime]
    to_at: Mapped[dt.datetime | None] = mapped_column(doc="None: until it is opened")
    reason: Mapped[str] = mapped_column(server_default="")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    made_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None] = mapped_column(doc="When somebody opened it before its time")
    speed_kmh: Mapped[SmallInt | None] = mapped_column(doc="Works that slow it to this; None: closed")
    version: Mapped[int] = mapped_column(server_default="1")


class CostTable(Base):
    """What things cost in a territory's plan, in seconds; what is not named stands as shipped."""

    __tablename__ = "cost_table"

    territory_id: Mapped[int] = mapped_column(
        ForeignKey("territory.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    weights: Mapped[dict[str, Any]] = mapped_column(doc="Names of dispatch.plan_model.Weights, and owner_by_class")
    version: Mapped[int] = mapped_column(server_default="1")
