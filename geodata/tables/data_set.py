"""Data sets that departments bring: their rows by version, the batches they came in, mappings and quarantine."""

from __future__ import annotations

import datetime as dt
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, CreatedAt, IntId, TerritoryId, geometry


class DataSet(Base):
    """What one department keeps about one subject: its columns with their meaning, its key, its rules, its owner."""

    __tablename__ = "data_set"
    __table_args__ = (
        UniqueConstraint("territory_id", "key"),
        CheckConstraint("kind IN ('places', 'table')", name="kind"),
        CheckConstraint("sensitivity IN ('public', 'internal', 'restricted')", name="sensitivity"),
        CheckConstraint("key ~ '^[a-z0-9][a-z0-9-]{0,59}$'", name="key"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    key: Mapped[str] = mapped_column(doc="Its name on the command line and in addresses, e.g. street-lamps")
    title: Mapped[str] = mapped_column(server_default="", doc="As whoever brought it first called it")
    kind: Mapped[str] = mapped_column(doc="places (rows lie somewhere) | table")
    geometry_type: Mapped[str | None] = mapped_column(doc="Point | LineString | Polygon | Geometry; None for a table")
    fields: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default="[]", doc="[{name, type, title_en, title_zh, unit, role}] in the order of the columns"
    )
    rules: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default="[]", doc="[{rule, fields, …}] that every row is checked by"
    )
    natural_key: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default="{}", doc="Fields that name a row; empty: the whole content does"
    )
    owner_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id", ondelete="SET NULL"), index=True)
    sensitivity: Mapped[str] = mapped_column(server_default="internal", doc="public | internal | restricted")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))


class DataMapping(Base):
    """How files of one layout are read: which column is what, in which CRS and encoding; a version is never changed."""

    __tablename__ = "data_mapping"
    __table_args__ = (UniqueConstraint("territory_id", "name", "version"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    name: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1", doc="1, 2 … under one name")
    spec: Mapped[dict[str, Any]] = mapped_column(doc="Target, columns to fields, CRS, datum, encoding, delimiter, key")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    made_label: Mapped[str]
    made_at: Mapped[CreatedAt]


class DataBatch(Base):
    """One file that was loaded into a data set: what was read, what came of it, how it was understood."""

    __tablename__ = "data_batch"
    __table_args__ = (
        CheckConstraint("status IN ('loading', 'loaded', 'undone', 'failed')", name="status"),
        Index(None, "data_set_id", "id"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    data_set_id: Mapped[int] = mapped_column(ForeignKey("data_set.id", ondelete="CASCADE"))
    file_name: Mapped[str] = mapped_column(doc="Without its folder")
    sha256: Mapped[str] = mapped_column(doc="Of the file as it came")
    mapping_id: Mapped[int | None] = mapped_column(ForeignKey("data_mapping.id"))
    retry_of: Mapped[int | None] = mapped_column(
        ForeignKey("data_batch.id", ondelete="SET NULL"), doc="The batch whose quarantined rows it brings again"
    )
    read: Mapped[BigInt] = mapped_column(server_default="0")
    loaded: Mapped[BigInt] = mapped_column(server_default="0", doc="New rows")
    changed: Mapped[BigInt] = mapped_column(server_default="0", doc="Rows of a known key with other content")
    duplicates: Mapped[BigInt] = mapped_column(server_default="0", doc="Rows that were there already")
    rejected: Mapped[BigInt] = mapped_column(server_default="0", doc="Rows in quarantine")
    placed: Mapped[BigInt] = mapped_column(server_default="0", doc="Rows taken in that lie in a unit grid")
    rows_sha256: Mapped[bytes | None] = mapped_column(
        LargeBinary, doc="Over the content hashes of the rows taken in, in the order of the file"
    )
    format: Mapped[str] = mapped_column(server_default="")
    crs: Mapped[str] = mapped_column(server_default="")
    encoding: Mapped[str] = mapped_column(server_default="")
    guesses: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default="[]", doc="[{what, value, reason, given}]: what was taken for what, and why"
    )
    scores: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", doc="completeness, validity, timeliness, uniqueness, placement: 0…1, or absent"
    )
    status: Mapped[str] = mapped_column(doc="loading | loaded | undone | failed")
    message: Mapped[str] = mapped_column(server_default="", doc="Why it failed, or was undone")
    loaded_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    loaded_label: Mapped[str]
    started_at: Mapped[CreatedAt]
    ended_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class DataSetRow(Base):
    """A row of a data set as it was for a time; each data set has a partition of its own, data_set_row_<id>."""

    __tablename__ = "data_set_row"
    __table_args__ = (
        Index(None, "data_set_id", "unit_grid_id"),
        {"postgresql_partition_by": "LIST (data_set_id)"},
    )

    data_set_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row_key: Mapped[str] = mapped_column(primary_key=True, doc="Its natural key, or the hash of its content")
    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="The batch that brought it")
    row_number: Mapped[BigInt] = mapped_column(doc="Its place in the file, the first is 1")
    content_hash: Mapped[bytes]
    properties: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | None] = geometry("GEOMETRY", nullable=True)
    unit_grid_id: Mapped[int | None] = mapped_column(doc="The grid in force that it lies in")
    valid_from: Mapped[dt.datetime]
    valid_to: Mapped[dt.datetime | None] = mapped_column(doc="None: of today")
    ended_by: Mapped[int | None] = mapped_column(doc="The batch that brought its next version")


class QuarantinedRow(Base):
    """A row that broke a rule: as it was read, with every violation, until somebody mends or drops it."""

    __tablename__ = "quarantined_row"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'fixed', 'dropped')", name="state"),
        Index(None, "batch_id", "row_number"),
        Index(None, "data_set_id", "state"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    data_set_id: Mapped[int] = mapped_column(ForeignKey("data_set.id", ondelete="CASCADE"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("data_batch.id", ondelete="CASCADE"))
    row_number: Mapped[BigInt] = mapped_column(doc="Its place in the file, the first is 1")
    raw: Mapped[dict[str, Any]] = mapped_column(doc="Heading to cell, as read")
    violations: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default="[]", doc="[{field, value, rule, sentence, sentence_zh, repair}], all of the row"
    )
    state: Mapped[str] = mapped_column(server_default="open", doc="open | fixed | dropped")
    fixed_batch_id: Mapped[int | None] = mapped_column(
        ForeignKey("data_batch.id", ondelete="SET NULL"), doc="The batch it went in with when mended"
    )
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    changed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
