"""Who reaches what: questions of access with their answers, and the norms they are held against."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, TerritoryId


class AccessAnswer(Base):
    """A question of access and what was computed; made anew when data are loaded, and therefore not recorded."""

    __tablename__ = "access_answer"
    __table_args__ = (
        UniqueConstraint("territory_id", "key"),
        CheckConstraint("state IN ('asked', 'answered')", name="state"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    key: Mapped[str] = mapped_column(doc="Kinds, mode, minutes and study as one line")
    question: Mapped[dict[str, Any]] = mapped_column(doc="kinds, mode, limit_min, study_id")
    study_id: Mapped[int | None] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), index=True)
    data_version: Mapped[int] = mapped_column(doc="Newest load of the territory when it was asked")
    state: Mapped[str] = mapped_column(server_default="asked", doc="asked | answered")
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job_run.id", ondelete="SET NULL"), index=True)
    asked_at: Mapped[CreatedAt]
    answered_at: Mapped[dt.datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default="{}", doc="Numbers of the page, by community too")
    cells: Mapped[bytes | None] = mapped_column(doc="Archive of arrays by unit grid: ways, people in time, supply")


class Norm(Base):
    """How near a facility should be, or how much of it people should have, as a territory says; recorded."""

    __tablename__ = "norm"
    __table_args__ = (
        UniqueConstraint("territory_id", "facility_kind", "level"),
        CheckConstraint("mode IN ('walk', 'drive')", name="mode"),
        CheckConstraint("coalesce(radius_m, minutes, per_1000) IS NOT NULL", name="number"),
        CheckConstraint("radius_m > 0 AND minutes > 0 AND per_1000 > 0", name="positive"),
        CheckConstraint("source <> '' AND level <> ''", name="words"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    facility_kind: Mapped[str] = mapped_column(doc="As facility.kind")
    level: Mapped[str] = mapped_column(doc="Which size or circle, e.g. community health station")
    level_zh: Mapped[str] = mapped_column(server_default="")
    mode: Mapped[str] = mapped_column(server_default="walk", doc="walk | drive")
    radius_m: Mapped[float | None]
    minutes: Mapped[float | None]
    per_1000: Mapped[float | None] = mapped_column(doc="For 1,000 people")
    unit: Mapped[str] = mapped_column(server_default="", doc="What per_1000 counts, e.g. beds")
    source: Mapped[str] = mapped_column(doc="Standard or decision in which it stands")
    source_zh: Mapped[str] = mapped_column(server_default="")
    active: Mapped[bool] = mapped_column(server_default="true", doc="False: a shipped norm that is not used here")
    changed_at: Mapped[CreatedAt]
    version: Mapped[int] = mapped_column(server_default="1")
