"""What is done with studies: the trail of one that runs, fronts of what could be chosen instead, decisions on sites."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, TerritoryId


class StudyLive(Base):
    """How a study that is being answered stands; a passing state, and therefore not recorded."""

    __tablename__ = "study_live"

    study_id: Mapped[int] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), primary_key=True)
    territory_id: Mapped[TerritoryId]
    trail: Mapped[list[Any]] = mapped_column(
        JSONB, server_default=text("'[]'"), doc="[seconds, best found, bound] in order of time"
    )
    enough: Mapped[bool] = mapped_column(server_default="false", doc="Somebody asked to stop and keep the best found")
    people: Mapped[float] = mapped_column(server_default="0", doc="For whom, all together")
    heard_at: Mapped[CreatedAt]


class StudyFront(Base):
    """What one gives up for what: choices none of which is worse than another in both; computed, not recorded."""

    __tablename__ = "study_front"
    __table_args__ = (
        UniqueConstraint("study_id"),
        CheckConstraint("state IN ('asked', 'answered')", name="state"),
    )

    id: Mapped[IntId]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"))
    territory_id: Mapped[TerritoryId]
    state: Mapped[str] = mapped_column(server_default="asked", doc="asked | answered")
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job_run.id", ondelete="SET NULL"), index=True)
    fronts: Mapped[list[Any]] = mapped_column(
        JSONB, server_default=text("'[]'"), doc="Of each front what is traded, and its choices with figures and sites"
    )
    asked_at: Mapped[CreatedAt]


class StudyDecision(Base):
    """The sites of a study, proposed by one person and signed by another."""

    __tablename__ = "study_decision"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'signed', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint(
            "state <> 'signed' OR decided_by IS NULL OR decided_by IS DISTINCT FROM proposed_by", name="two_persons"
        ),
        Index(
            "uq_study_decision_open", "study_id", unique=True, postgresql_where=text("state IN ('proposed', 'signed')")
        ),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(server_default="proposed", doc="proposed | signed | refused | withdrawn")
    reason: Mapped[str] = mapped_column(doc="Why these sites, by who proposes")
    content: Mapped[str] = mapped_column(doc="Question, sites, proof, assumptions, alternatives as one JSON text")
    content_sha256: Mapped[str] = mapped_column(doc="Of the text, in hexadecimal")
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    proposed_label: Mapped[str] = mapped_column(server_default="")
    proposed_at: Mapped[CreatedAt]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    decided_label: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[dt.datetime | None]
    note: Mapped[str] = mapped_column(server_default="", doc="What who signs, refuses or withdraws adds")
    version: Mapped[int] = mapped_column(server_default="1")
