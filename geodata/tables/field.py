"""What the phones of grid workers tell: where somebody on shift was last, and nothing before that."""

from __future__ import annotations

import datetime as dt

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, TerritoryId, geometry


class WorkerPosition(Base):
    """The newest place of a worker on shift; each overwrites the one before, and none is recorded: no trace is kept."""

    __tablename__ = "worker_position"
    __table_args__ = (CheckConstraint("accuracy_m >= 0", name="accuracy"),)

    worker_id: Mapped[int] = mapped_column(
        ForeignKey("worker.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    territory_id: Mapped[TerritoryId]
    at: Mapped[dt.datetime]
    accuracy_m: Mapped[float | None] = mapped_column(doc="As the phone says; None when it does not")
    geom: Mapped[WKBElement] = geometry("POINT")
