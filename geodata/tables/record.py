"""The record: what happened. Append-only, written by triggers, hashed for later sealing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, IntId


class RecordBatch(Base):
    """A sealed stretch of the record under one Merkle root (sealing itself comes later)."""

    __tablename__ = "record_batch"

    id: Mapped[IntId]
    first_seq: Mapped[BigInt]
    last_seq: Mapped[BigInt]
    root_hash: Mapped[bytes]
    sealed_at: Mapped[dt.datetime]


class Record(Base):
    """One act on one row (or on one bulk load): who, when, what, before, after."""

    __tablename__ = "record"
    __table_args__ = (
        Index(None, "subject_table", "subject_id", "seq"),
        Index(None, "territory_id", "seq"),
        Index(None, "command_id"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[dt.datetime]
    territory_id: Mapped[int | None]
    actor_user_id: Mapped[int | None]
    actor_role: Mapped[str]
    actor_label: Mapped[str]
    purpose: Mapped[str]
    command_id: Mapped[str | None]
    action: Mapped[str] = mapped_column(
        doc="insert | update | delete | bulk_insert | bulk_update | bulk_delete | login …"
    )
    subject_table: Mapped[str]
    subject_id: Mapped[str | None]
    grid_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    load_id: Mapped[int | None]
    row_hash: Mapped[bytes] = mapped_column(doc="SHA-256 over all columns above; see geodata.record.row_digest")
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("record_batch.id"))


class LoadRow(Base):
    """An immutable row of a bulk load, covered by the hash in the load's record row."""

    __tablename__ = "load_row"

    record_seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject_id: Mapped[str] = mapped_column(index=True)
    grid_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    row_hash: Mapped[bytes]
