"""What who works there knows of a grid and wrote down."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, TerritoryId


class GridNote(Base):
    """A note on a unit grid: about the place, never about a person; it is not changed, only struck out."""

    __tablename__ = "grid_note"
    __table_args__ = (CheckConstraint("length(body) BETWEEN 1 AND 500", name="body"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    unit_grid_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), index=True)
    body: Mapped[str] = mapped_column(doc="About the place; never a person")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    author_label: Mapped[str] = mapped_column(doc="Position of the author, as it was")
    made_at: Mapped[CreatedAt]
    struck_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    struck_at: Mapped[dt.datetime | None]
