"""The same place in the files of two units: pairs of rows that may be one, what was decided, and what follows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, CreatedAt, TerritoryId


class PlacePair(Base):
    """Two rows of two data sets that may be one place; once decided it stays so, however often the files come again."""

    __tablename__ = "place_pair"
    __table_args__ = (
        UniqueConstraint("one_set_id", "one_key", "other_set_id", "other_key", name="uq_place_pair_rows"),
        CheckConstraint("one_set_id < other_set_id", name="sets"),
        CheckConstraint("state IN ('open', 'same', 'different', 'unsure')", name="state"),
        CheckConstraint("state = 'open' OR decided_at IS NOT NULL AND decided_label <> ''", name="decided"),
        CheckConstraint("state IN ('open', 'same') OR reason <> ''", name="reason"),
        Index(None, "territory_id", "state", "score"),
        Index(None, "other_set_id"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    one_set_id: Mapped[int] = mapped_column(ForeignKey("data_set.id", ondelete="CASCADE"))
    one_key: Mapped[str] = mapped_column(doc="Of the row in its data set, whatever its version")
    other_set_id: Mapped[int] = mapped_column(ForeignKey("data_set.id", ondelete="CASCADE"))
    other_key: Mapped[str]
    score: Mapped[float] = mapped_column(doc="How likely they are one, 0 … 1, when they were compared last")
    terms: Mapped[dict[str, Any]] = mapped_column(doc="What the score is made of: name, distance, address, phone")
    state: Mapped[str] = mapped_column(server_default="open", doc="open | same | different | unsure")
    reason: Mapped[str] = mapped_column(server_default="", doc="Why it was decided so")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    decided_label: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[dt.datetime | None]
    found_at: Mapped[CreatedAt]
    version: Mapped[int] = mapped_column(server_default="1")


class SamePlace(Base):
    """Which place a row counts as: rows of one number are one place. Made anew from the pairs decided as the same."""

    __tablename__ = "same_place"
    __table_args__ = (Index(None, "territory_id", "place"),)

    data_set_id: Mapped[int] = mapped_column(
        ForeignKey("data_set.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    row_key: Mapped[str] = mapped_column(primary_key=True)
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    place: Mapped[BigInt] = mapped_column(doc="The lowest number of the pairs that join its rows")
