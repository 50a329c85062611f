"""Accountability: findings that somebody looks into, what the persons concerned say, and the thresholds of rules.

Persons stand here by the number of their account, without a foreign key: a review outlives an account.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, CreatedAt, IntId, SmallInt, TerritoryId


class Review(Base):
    """A finding of a rule on the record: a question to persons, with the rows that led to it, and what was decided."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("territory_id", "rule", "key"),
        CheckConstraint("state IN ('open', 'explained', 'confirmed', 'dismissed')", name="state"),
        CheckConstraint("(state IN ('confirmed', 'dismissed')) = (decided_at IS NOT NULL)", name="decided"),
        CheckConstraint("(decided_at IS NULL) = (reason_cipher IS NULL)", name="reason"),
        CheckConstraint("cardinality(seqs) > 0", name="evidence"),
        CheckConstraint("decided_by IS NULL OR decided_by <> ALL (persons)", name="not_oneself"),
        Index(None, "territory_id", "state"),
        Index("ix_review_persons", "persons", postgresql_using="gin"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    rule: Mapped[str] = mapped_column(doc="Key of insight.accountability.RULES")
    key: Mapped[str] = mapped_column(doc="The same however often the record is read: a finding is opened once")
    severity: Mapped[SmallInt] = mapped_column(doc="1 gravest to 3")
    subject_table: Mapped[str]
    subject_id: Mapped[str]
    persons: Mapped[list[int]] = mapped_column(ARRAY(Integer), doc="Accounts concerned")
    seqs: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), doc="Rows of the record that led to it")
    numbers: Mapped[dict[str, Any]] = mapped_column(doc="What was counted; no personal field")
    at: Mapped[dt.datetime] = mapped_column(doc="Of the act that completed it")
    opened_at: Mapped[CreatedAt]
    simulated: Mapped[bool] = mapped_column(server_default="false", doc="From generated acts of a demo city")
    state: Mapped[str] = mapped_column(server_default="open", doc="open | explained | confirmed | dismissed")
    decided_by: Mapped[int | None] = mapped_column(doc="Never a person concerned, by whatever account")
    decided_label: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[dt.datetime | None]
    text_key: Mapped[str | None] = mapped_column(doc="Key of the reason, which may name people")
    reason_cipher: Mapped[bytes | None]
    version: Mapped[int] = mapped_column(server_default="1")


class ReviewExplanation(Base):
    """What a person concerned says to a finding, in his own words; written once, never changed."""

    __tablename__ = "review_explanation"

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(doc="Who says it; written by the database")
    label: Mapped[str] = mapped_column(server_default="")
    at: Mapped[CreatedAt]
    text_key: Mapped[str]
    text_cipher: Mapped[bytes]


class ReviewThreshold(Base):
    """What a rule looks for from a moment on: proposed by one, decided by another."""

    __tablename__ = "review_threshold"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'approved', 'rejected', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by <> proposed_by", name="two_persons"),
        CheckConstraint("count BETWEEN 1 AND 1000000", name="count"),
        CheckConstraint("minutes BETWEEN 0 AND 525600", name="minutes"),
        Index(
            "uq_review_threshold_waiting", "territory_id", "rule", unique=True, postgresql_where="state = 'proposed'"
        ),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    rule: Mapped[str]
    count: Mapped[int | None]
    minutes: Mapped[int | None]
    active: Mapped[bool] = mapped_column(server_default="true", doc="False stops the rule")
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="proposed", doc="proposed | approved | rejected | withdrawn")
    proposed_by: Mapped[int | None]
    proposed_label: Mapped[str] = mapped_column(server_default="")
    proposed_at: Mapped[CreatedAt]
    decided_by: Mapped[int | None] = mapped_column(doc="Another person than who proposed")
    decided_label: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[dt.datetime | None] = mapped_column(doc="From then on acts are judged by it")
    version: Mapped[int] = mapped_column(server_default="1")


class ReviewRun(Base):
    """How far the record of a territory was looked through by the rules of accountability."""

    __tablename__ = "review_run"

    territory_id: Mapped[int] = mapped_column(
        ForeignKey("territory.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    batch_id: Mapped[int] = mapped_column(doc="Sealed batches up to here are in; rows not sealed yet always are")
    ran_at: Mapped[dt.datetime]
    acts: Mapped[BigInt] = mapped_column(doc="Rows looked at the last time")
    findings: Mapped[int] = mapped_column(doc="Findings of the last time, known ones too")
