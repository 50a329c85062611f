"""The territory and its administrative areas: district, street, community."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, SmallInt, TerritoryId, geometry


class Territory(Base):
    """A city or district that is governed with this platform; every other row belongs to one."""

    __tablename__ = "territory"

    id: Mapped[IntId]
    name: Mapped[str] = mapped_column(unique=True, doc="The key used on the command line, e.g. isle-of-wight")
    title_en: Mapped[str]
    title_zh: Mapped[str]
    boundary: Mapped[WKBElement] = geometry("MULTIPOLYGON")
    metric_srid: Mapped[int] = mapped_column(doc="EPSG code of the CRS for all lengths and areas")
    code_scheme: Mapped[str] = mapped_column(server_default="local", doc="local | cn14 | cn15")
    timezone: Mapped[str] = mapped_column(server_default="UTC", doc="IANA name")
    opens_lon: Mapped[float | None]
    opens_lat: Mapped[float | None]
    opens_zoom: Mapped[SmallInt | None]
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    attribution: Mapped[str] = mapped_column(server_default="")
    people_note: Mapped[str] = mapped_column(server_default="", doc="How the number of people was estimated")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]


class Area(Base):
    """An administrative area inside a territory: district > street > community."""

    __tablename__ = "area"
    __table_args__ = (
        CheckConstraint("level IN ('district', 'street', 'community')", name="level"),
        UniqueConstraint("territory_id", "level", "code"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    level: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    code: Mapped[str] = mapped_column(doc="The part of the grid code that this level adds, e.g. 003")
    name: Mapped[str]
    name_zh: Mapped[str | None]
    settlement: Mapped[str] = mapped_column(server_default="town", doc="town | countryside")
    source: Mapped[str] = mapped_column(server_default="")
    source_ref: Mapped[str | None]
    boundary: Mapped[WKBElement] = geometry("MULTIPOLYGON")
    version: Mapped[int] = mapped_column(server_default="1")


class Load(Base):
    """One act of bringing data in: what was read, what came of it."""

    __tablename__ = "load"
    __table_args__ = (Index(None, "territory_id", "kind", "content_sha256"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    kind: Mapped[str] = mapped_column(doc="osm | incidents | demo | grid | territory …")
    source_name: Mapped[str] = mapped_column(doc="File name without folder")
    content_sha256: Mapped[str]
    actor_label: Mapped[str]
    started_at: Mapped[CreatedAt]
    counts: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class Quarantine(Base):
    """A row that could not be taken in, with the reason, kept until somebody decides."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("territory_id", "fingerprint"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    load_id: Mapped[int | None] = mapped_column(ForeignKey("load.id", ondelete="SET NULL"), index=True)
    row_no: Mapped[int | None]
    reason: Mapped[str] = mapped_column(doc="outside | future | bad_date | bad_position | unknown_class | …")
    message: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(doc="SHA-256 of the row, so that the same row is kept once")
    raw_cipher: Mapped[bytes] = mapped_column(doc="The row as read, sealed under the key of subject_id")
    subject_id: Mapped[str] = mapped_column(index=True, doc="Key in person_key")
    state: Mapped[str] = mapped_column(server_default="waiting", doc="waiting | loaded | dropped")
    created_at: Mapped[CreatedAt]
