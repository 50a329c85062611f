"""Studies: a siting question, its answer, the chosen sites and the grounds they serve."""

from __future__ import annotations

import datetime as dt
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, SmallInt, TerritoryId, geometry


class Study(Base):
    """A siting question and what came of it."""

    __tablename__ = "study"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('p-median', 'mclp', 'p-center', 'lscp', 'cpmp', 'cmclp', 'backup', 'p-dispersion',"
            " 'fixed-charge', 'huff')",
            name="kind",
        ),
        CheckConstraint("mode IN ('walk', 'drive')", name="mode"),
        CheckConstraint("state IN ('asked', 'answered', 'infeasible')", name="state"),
        CheckConstraint("p <= candidates AND (p > 0 OR p = 0 AND kind IN ('lscp', 'fixed-charge'))", name="sites"),
        Index(None, "territory_id", "created_at"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    title: Mapped[str] = mapped_column(server_default="", doc="As the asker calls it; empty: the question in words")
    kind: Mapped[str] = mapped_column(doc="p-median | mclp | p-center … see planning/kinds.py")
    facility_kind: Mapped[str | None] = mapped_column(doc="As facility.kind; None for something new")
    p: Mapped[int] = mapped_column(doc="Number of new sites; 0 as many as it takes")
    mode: Mapped[str] = mapped_column(doc="walk | drive")
    limit_min: Mapped[float] = mapped_column(doc="Minutes that count as near")
    keep_existing: Mapped[bool] = mapped_column(doc="Facilities of the kind go on serving")
    candidates: Mapped[int] = mapped_column(doc="Buildable places compared at most")
    seed: Mapped[int] = mapped_column(server_default="0")
    terms: Mapped[dict[str, Any]] = mapped_column(server_default="{}", doc="What it keeps to, see planning/terms.py")
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("study.id", ondelete="SET NULL"), index=True, doc="The study it is another answer to"
    )
    state: Mapped[str] = mapped_column(server_default="asked", doc="asked | answered | infeasible")
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    asked_label: Mapped[str]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job_run.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    answered_at: Mapped[dt.datetime | None]
    status: Mapped[str | None] = mapped_column(doc="optimal | feasible | infeasible")
    objective: Mapped[float | None] = mapped_column(doc="In the unit of its kind, see planning/kinds.py")
    bound: Mapped[float | None] = mapped_column(doc="What no choice of these candidates can beat")
    gap: Mapped[float | None] = mapped_column(doc="Share that any choice could still gain at most")
    unserved: Mapped[float | None] = mapped_column(doc="People without a way; where a limit counts, beyond it")
    facts: Mapped[dict[str, Any]] = mapped_column(server_default="{}", doc="Assumptions, curve, communities, steps")
    version: Mapped[int] = mapped_column(server_default="1")


class StudySite(Base):
    """A site that a study chose."""

    __tablename__ = "study_site"
    __table_args__ = (UniqueConstraint("study_id", "number"),)

    id: Mapped[IntId]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"))
    territory_id: Mapped[TerritoryId]
    number: Mapped[SmallInt] = mapped_column(doc="1 serves most people")
    people: Mapped[float] = mapped_column(doc="To whom it is the nearest")
    within: Mapped[float] = mapped_column(doc="Of these, within the limit")
    mean_s: Mapped[float | None]
    farthest_s: Mapped[float | None]
    street: Mapped[str] = mapped_column(server_default="", doc="Name of the nearest named road")
    street_zh: Mapped[str] = mapped_column(server_default="")
    community_id: Mapped[int | None] = mapped_column(ForeignKey("area.id", ondelete="SET NULL"))
    grid_id: Mapped[int | None] = mapped_column(ForeignKey("unit_grid.id", ondelete="SET NULL"))
    geom: Mapped[WKBElement] = geometry("POINT")


class StudyGround(Base):
    """Ground of the people that a site serves, or that nobody serves in time."""

    __tablename__ = "study_ground"
    __table_args__ = (CheckConstraint("kind IN ('catchment', 'existing', 'left_out', 'unreachable')", name="kind"),)

    id: Mapped[IntId]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), index=True)
    territory_id: Mapped[TerritoryId]
    kind: Mapped[str] = mapped_column(doc="catchment | existing | left_out | unreachable")
    site_number: Mapped[SmallInt | None]
    people: Mapped[float]
    geom: Mapped[WKBElement] = geometry("MULTIPOLYGON")
