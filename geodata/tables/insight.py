"""Facts that evaluation counts, and what it is told besides: the citizen's word, appeals, the rule of both."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, SmallInt, TerritoryId


class IncidentFact(Base):
    """What evaluation counts of one incident, folded from the record and never written otherwise."""

    __tablename__ = "incident_fact"
    __table_args__ = (
        Index(None, "territory_id", "reported_at"),
        Index("ix_incident_fact_excused", "territory_id", postgresql_where=text("excused > 0")),
    )

    incident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    territory_id: Mapped[int] = mapped_column(doc="No foreign key, for speed: a trigger takes facts along")
    status: Mapped[str]
    source: Mapped[str]
    class_id: Mapped[int]
    urgent: Mapped[bool] = mapped_column(doc="An emergency, or priority 1")
    grid_id: Mapped[int]
    community_id: Mapped[int]
    unit_id: Mapped[int | None]
    worker_id: Mapped[int | None]
    reported_at: Mapped[dt.datetime] = mapped_column(doc="When it was accepted")
    filed_at: Mapped[dt.datetime | None]
    handled_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None] = mapped_column(doc="The deadline that stood when it was closed")
    dispatches: Mapped[SmallInt] = mapped_column(doc="How often it was given out")
    returns: Mapped[SmallInt] = mapped_column(doc="How often it came back to the dispatcher")
    reworks: Mapped[SmallInt] = mapped_column(doc="How often it went back to work, reopening counted in")
    simulated: Mapped[bool]
    last_seq: Mapped[BigInt] = mapped_column(doc="Row of the record it was folded up to")
    postponed_until: Mapped[dt.datetime | None] = mapped_column(doc="Until then it leaves the due count")
    duplicate_of: Mapped[int | None] = mapped_column(BigInteger, doc="Follows that report and is not counted as due")
    reopens: Mapped[SmallInt] = mapped_column(doc="How often it was opened again after the close")
    word_at: Mapped[dt.datetime | None] = mapped_column(doc="When the citizen was last asked")
    word_closed_at: Mapped[dt.datetime | None] = mapped_column(doc="The close that was asked about")
    word_reached: Mapped[bool | None]
    word_solved: Mapped[bool | None]
    word_satisfied: Mapped[int | None] = mapped_column(SmallInteger, doc="1 to 5")
    excused: Mapped[SmallInt] = mapped_column(doc="Granted appeals: 1 left out, 2 in time, 4 no rework, 8 no word")
    marks: Mapped[int] = mapped_column(doc="What is true of it at any moment, a bit each: insight.facts.MARKS")


class IncidentFactPast(Base):
    """An incident's fact as it stood at the end of a day, kept of those that went on afterwards."""

    __tablename__ = "incident_fact_past"
    __table_args__ = (Index(None, "territory_id", "day", "incident_id"),)

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    status: Mapped[str]
    source: Mapped[str]
    class_id: Mapped[int]
    urgent: Mapped[bool]
    grid_id: Mapped[int]
    community_id: Mapped[int]
    unit_id: Mapped[int | None]
    worker_id: Mapped[int | None]
    reported_at: Mapped[dt.datetime]
    filed_at: Mapped[dt.datetime | None]
    handled_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None]
    dispatches: Mapped[SmallInt]
    returns: Mapped[SmallInt]
    reworks: Mapped[SmallInt]
    simulated: Mapped[bool]
    last_seq: Mapped[BigInt]
    postponed_until: Mapped[dt.datetime | None]
    duplicate_of: Mapped[int | None] = mapped_column(BigInteger)
    reopens: Mapped[SmallInt]
    word_at: Mapped[dt.datetime | None]
    word_closed_at: Mapped[dt.datetime | None]
    word_reached: Mapped[bool | None]
    word_solved: Mapped[bool | None]
    word_satisfied: Mapped[int | None] = mapped_column(SmallInteger)
    excused: Mapped[SmallInt]
    marks: Mapped[int]


class FactFold(Base):
    """How far the record of a territory was folded into facts."""

    __tablename__ = "fact_fold"

    territory_id: Mapped[int] = mapped_column(
        ForeignKey("territory.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    batch_id: Mapped[int] = mapped_column(doc="Sealed batches up to here are in; rows not sealed yet always are")
    folded_at: Mapped[dt.datetime]


class CitizenWord(Base):
    """What the citizen said when called back after the close; never changed, and an answer ends the asking."""

    __tablename__ = "citizen_word"
    __table_args__ = (
        CheckConstraint("satisfied BETWEEN 1 AND 5", name="satisfied"),
        CheckConstraint("reached = (solved IS NOT NULL) AND (reached OR satisfied IS NULL)", name="reached"),
        Index("uq_citizen_word_reached", "incident_id", "closed_at", unique=True, postgresql_where=text("reached")),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    reached: Mapped[bool]
    solved: Mapped[bool | None] = mapped_column(doc="None when nobody answered")
    satisfied: Mapped[int | None] = mapped_column(SmallInteger, doc="1 to 5; None when not said")
    told_by: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), doc="Who asked; never who handled or closed it"
    )
    told_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None] = mapped_column(doc="The close that was asked about")


class Appeal(Base):
    """A department's objection to an incident that was counted against it, and the signed decision on it."""

    __tablename__ = "appeal"
    __table_args__ = (
        UniqueConstraint("incident_id", "effect"),
        CheckConstraint("effect IN (1, 2, 4, 8)", name="effect"),
        CheckConstraint("state IN ('waiting', 'granted', 'refused')", name="state"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("state = 'waiting' OR answer <> ''", name="answered"),
        CheckConstraint("decided_by <> asked_by", name="two_persons"),
        CheckConstraint("length(evidence) BETWEEN 1 AND 2000", name="evidence"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    effect: Mapped[SmallInt] = mapped_column(doc="1 left out, 2 in time, 4 no rework, 8 no word")
    ground: Mapped[str] = mapped_column(doc="Key of insight.appeals.GROUNDS")
    evidence: Mapped[str] = mapped_column(doc="In words; never of a person")
    state: Mapped[str] = mapped_column(server_default="waiting", doc="waiting | granted | refused")
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    asked_label: Mapped[str] = mapped_column(server_default="")
    asked_at: Mapped[dt.datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Never a party")
    decided_label: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[dt.datetime | None]
    answer: Mapped[str] = mapped_column(server_default="", doc="The reason of the decision")
    signature: Mapped[str] = mapped_column(server_default="", doc="The platform's key over the decision")


class EvaluationRule(Base):
    """A version of the rule by which the citizens' word is counted; the last approved one holds."""

    __tablename__ = "evaluation_rule"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'approved', 'rejected')", name="state"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by <> proposed_by", name="two_persons"),
        CheckConstraint("base IN ('asked', 'reached')", name="base"),
        CheckConstraint("satisfied_from BETWEEN 1 AND 5", name="satisfied"),
        CheckConstraint("appeal_days BETWEEN 1 AND 180", name="appeal"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    state: Mapped[str] = mapped_column(server_default="proposed", doc="proposed | approved | rejected")
    weight_response: Mapped[float] = mapped_column(Double)
    weight_solution: Mapped[float] = mapped_column(Double)
    weight_satisfaction: Mapped[float] = mapped_column(Double)
    base: Mapped[str] = mapped_column(doc="Of solution and satisfaction: asked, or reached")
    contact_hours: Mapped[float] = mapped_column(Double, doc="Reached so soon after the close is in time")
    satisfied_from: Mapped[SmallInt] = mapped_column(doc="The lowest of 1 to 5 that counts as satisfied")
    excluded_classes: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    appeal_days: Mapped[SmallInt] = mapped_column(doc="Days after the close, or the last call, to appeal in")
    reason: Mapped[str]
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    proposed_label: Mapped[str] = mapped_column(server_default="")
    proposed_at: Mapped[dt.datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Never who proposed")
    decided_label: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[dt.datetime | None]
