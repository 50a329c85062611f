"""The record: what happened. Append-only, written by triggers, hashed for later sealing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigInt, IntId


class RecordBatch(Base):
    """Rows sealed together: the Merkle tree over all rows sealed up to here, and its signed head.

    Leaves stand in the order of batches, inside a batch in that of ``seq``.
    """

    __tablename__ = "record_batch"
    __table_args__ = (UniqueConstraint("tree_size"), Index(None, "sealed_at"))

    id: Mapped[IntId]
    first_seq: Mapped[BigInt] = mapped_column(doc="Smallest of the batch; a row committed late may lie in a later one")
    last_seq: Mapped[BigInt] = mapped_column(doc="Largest of the batch")
    root_hash: Mapped[bytes] = mapped_column(doc="Root of the tree over all rows sealed so far (RFC 6962)")
    sealed_at: Mapped[dt.datetime]
    tree_size: Mapped[BigInt] = mapped_column(doc="Rows sealed so far")
    peaks: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), doc="Roots of the full subtrees, the largest first")
    head: Mapped[str] = mapped_column(doc="Signed note of size and root")


class Record(Base):
    """One act on one row (or on one bulk load): who, when, what, before, after."""

    __tablename__ = "record"
    __table_args__ = (
        Index(None, "subject_table", "subject_id", "seq"),
        Index(None, "territory_id", "seq"),
        Index(None, "command_id"),
        Index(None, "actor_label", "seq"),
        Index(None, "subject_table", "seq"),
        Index(None, "action", "seq"),
        Index("ix_record_grid_id_seq", "grid_id", "seq", postgresql_where=text("grid_id IS NOT NULL")),
        Index("ix_record_unsealed", "seq", postgresql_where=text("batch_id IS NULL")),
        Index("ix_record_sealed", "batch_id", "seq", postgresql_where=text("batch_id IS NOT NULL")),
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
