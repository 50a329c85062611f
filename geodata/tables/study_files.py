"""Files that were made of a study: its report in each language, and its data."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, TerritoryId


class StudyFile(Base):
    """A report or data file of a study; made anew from the study at any time, and therefore not recorded."""

    __tablename__ = "study_file"
    __table_args__ = (
        UniqueConstraint("study_id", "form", "language"),
        CheckConstraint("form IN ('html', 'pdf', 'gpkg', 'geojson', 'csv', 'note')", name="form"),
        CheckConstraint("language IN ('', 'en', 'zh')", name="language"),
    )

    id: Mapped[IntId]
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"))
    territory_id: Mapped[TerritoryId]
    form: Mapped[str] = mapped_column(doc="html | pdf | gpkg | geojson | csv (zipped); note: why a form is missing")
    language: Mapped[str] = mapped_column(server_default="", doc="en | zh; empty for data")
    content: Mapped[bytes]
    made_label: Mapped[str] = mapped_column(server_default="")
    made_at: Mapped[CreatedAt]
