"""Backups that were taken, and persons who were erased."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, IntId

PURPOSES = ("request", "left", "order", "retention", "mistake")
"""Why a person is erased: own request, left the service, order of an authority, time has passed, entered by mistake."""


class Backup(Base):
    """One backup that was taken and restored again in a scratch database before it got its name."""

    __tablename__ = "backup"

    id: Mapped[IntId]
    at: Mapped[dt.datetime] = mapped_column(doc="The moment whose state it holds", index=True)
    by_label: Mapped[str]
    file_name: Mapped[str] = mapped_column(doc="Without its folder")
    bytes: Mapped[BigInt]
    sha256: Mapped[str] = mapped_column(doc="Of the whole file")
    keys_saved: Mapped[bool] = mapped_column(doc="Whether the keys of persons were written to their own file")
    verified: Mapped[bool] = mapped_column(doc="Restored into a scratch database and found equal")
    counts: Mapped[dict[str, Any]] = mapped_column(doc="Table to rows")
    last_seq: Mapped[BigInt] = mapped_column(doc="Last number of the record in it; 0 when it is empty")
    seconds: Mapped[float]


class Erasure(Base):
    """A person who was erased: never a name. A restore does it again."""

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint("purpose IN ('request', 'left', 'order', 'retention', 'mistake')", name="purpose"),
        CheckConstraint("reference ~ '^[A-Za-z0-9/._-]{0,40}$'", name="reference"),
    )

    subject_id: Mapped[str] = mapped_column(primary_key=True, doc="As in person_key")
    at: Mapped[dt.datetime]
    territory_id: Mapped[int | None] = mapped_column(doc="No reference: it outlives the territory")
    by_user_id: Mapped[int | None] = mapped_column(doc="No reference: it outlives the account")
    by_label: Mapped[str]
    purpose: Mapped[str] = mapped_column(doc="request | left | order | retention | mistake")
    reference: Mapped[str] = mapped_column(server_default="", doc="Number of the letter or order, without spaces")
