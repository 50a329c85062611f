"""The catalogue's own words, requests for data with their grants, who used what, and tokens of other systems."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, CreatedAt, IntId, TerritoryId


class CatalogueEntry(Base):
    """What is said of a data set or of a built-in table beyond what the platform knows by itself."""

    __tablename__ = "catalogue_entry"
    __table_args__ = (
        UniqueConstraint("territory_id", "key"),
        CheckConstraint(
            "rhythm IN ('once', 'continuous', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly', 'irregular')",
            name="rhythm",
        ),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    key: Mapped[str] = mapped_column(doc="facilities, streets … or set- and the key of a data set")
    data_set_id: Mapped[int | None] = mapped_column(
        ForeignKey("data_set.id", ondelete="CASCADE"), unique=True, doc="None of a built-in table"
    )
    title_en: Mapped[str] = mapped_column(server_default="")
    title_zh: Mapped[str] = mapped_column(server_default="")
    about_en: Mapped[str] = mapped_column(server_default="")
    about_zh: Mapped[str] = mapped_column(server_default="")
    steward_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id", ondelete="SET NULL"), index=True, doc="Who decides on requests; None: supervisors"
    )
    licence: Mapped[str] = mapped_column(server_default="", doc="Under which it may be used, and what it derives from")
    rhythm: Mapped[str] = mapped_column(server_default="irregular", doc="How often a newer state is expected")
    version: Mapped[int] = mapped_column(server_default="1")
    changed_label: Mapped[str] = mapped_column(server_default="")
    changed_at: Mapped[CreatedAt]


class DataRequest(Base):
    """One unit, or one officer, asks for a restricted data set; decided once, with a reason, by somebody else."""

    __tablename__ = "data_request"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'granted', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("days BETWEEN 1 AND 366 AND purpose <> ''", name="asked"),
        CheckConstraint("decided_by <> asked_by", name="separate"),
        CheckConstraint(
            "state NOT IN ('granted', 'refused') OR reason <> '' AND decided_at IS NOT NULL", name="reason"
        ),
        Index(
            "uq_data_request_waiting",
            "data_set_id",
            "asked_by",
            unique=True,
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    data_set_id: Mapped[int] = mapped_column(ForeignKey("data_set.id", ondelete="CASCADE"), index=True)
    unit_id: Mapped[int | None] = mapped_column(
        ForeignKey("unit.id", ondelete="CASCADE"), index=True, doc="Who would read; None: the one account that asks"
    )
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"), index=True)
    asked_label: Mapped[str]
    asked_at: Mapped[CreatedAt]
    purpose: Mapped[str] = mapped_column(doc="What it is wanted for")
    days: Mapped[int] = mapped_column(doc="How long")
    state: Mapped[str] = mapped_column(server_default="waiting", doc="waiting | granted | refused | withdrawn")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    decided_label: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[dt.datetime | None]
    reason: Mapped[str] = mapped_column(server_default="", doc="Of the decision")
    version: Mapped[int] = mapped_column(server_default="1")


class DataGrant(Base):
    """What a granted request lets read, until it ends by itself or is ended; row-level security reads it."""

    __tablename__ = "data_grant"
    __table_args__ = (
        CheckConstraint("num_nonnulls(unit_id, user_id) = 1", name="whose"),
        CheckConstraint("valid_until > valid_from AND valid_until <= valid_from + interval '367 days'", name="span"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    data_set_id: Mapped[int] = mapped_column(ForeignKey("data_set.id", ondelete="CASCADE"), index=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("data_request.id", ondelete="CASCADE"), unique=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    valid_from: Mapped[dt.datetime]
    valid_until: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None] = mapped_column(doc="Before its time, by the steward")
    ended_label: Mapped[str] = mapped_column(server_default="")


class DataUse(Base):
    """Who read what on a day, by which way, and what it was joined with; written by the database alone."""

    __tablename__ = "data_use"
    __table_args__ = (
        UniqueConstraint("territory_id", "key", "day", "label", "way", "joined"),
        CheckConstraint("way IN ('page', 'api', 'tiles', 'export', 'map', 'study')", name="way"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    key: Mapped[str] = mapped_column(doc="As in catalogue_entry")
    day: Mapped[dt.date]
    label: Mapped[str] = mapped_column(doc="Login")
    way: Mapped[str] = mapped_column(doc="page | api | tiles | export | map | study")
    joined: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", doc="Keys of what it was read with")
    times: Mapped[int] = mapped_column(doc="Through the interface: minutes in which it was read")
    rows: Mapped[BigInt]
    last_at: Mapped[dt.datetime]


class ApiToken(Base):
    """A secret by which another system reads in an account's role; only its hash is kept."""

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint("expires_at <= created_at + interval '367 days'", name="span"),
        CheckConstraint("name <> ''", name="name"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("user_role.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(doc="Of the system that reads with it")
    token_hash: Mapped[str] = mapped_column(unique=True, doc="SHA-256; excluded from the record")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime | None] = mapped_column(doc="To the hour")
    revoked_at: Mapped[dt.datetime | None]
