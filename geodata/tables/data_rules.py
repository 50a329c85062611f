"""What the rows of a data set are checked by, as it was set each time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, TerritoryId


class DataRuleVersion(Base):
    """The rules of a data set as they were set once, by whom and why; the newest ones stand in the data set itself."""

    __tablename__ = "data_rule_version"
    __table_args__ = (
        UniqueConstraint("data_set_id", "version"),
        CheckConstraint("length(reason) <= 500", name="reason"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    data_set_id: Mapped[int] = mapped_column(ForeignKey("data_set.id", ondelete="CASCADE"))
    version: Mapped[int] = mapped_column(doc="1, 2 … of one data set")
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, doc="[{id, rule, field, …}]")
    reason: Mapped[str] = mapped_column(server_default="")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    made_label: Mapped[str]
    made_at: Mapped[CreatedAt]
