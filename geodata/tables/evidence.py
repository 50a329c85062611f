"""Evidence of incidents: photos in two copies, and notes on the place; written once, never changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, SmallInt, TerritoryId


class Evidence(Base):
    """A photo or a note on the place; the picture stands in `evidence_image`, so that the record holds its hash."""

    __tablename__ = "evidence"
    __table_args__ = (
        UniqueConstraint("incident_id", "sha256"),
        CheckConstraint("kind IN ('before', 'after', 'other', 'place')", name="kind"),
        CheckConstraint(
            "(kind = 'place') = (sha256 IS NULL) AND (kind = 'place') = (note_cipher IS NOT NULL)"
            " AND (sha256 IS NULL) = (width IS NULL OR height IS NULL)",
            name="photo_or_note",
        ),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(doc="before | after | other (photos) | place (a note)")
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"), index=True)
    taken_as: Mapped[str] = mapped_column(server_default="", doc="Role it was added in; written by the database")
    at: Mapped[dt.datetime] = mapped_column(doc="When it was added; written by the database")
    round: Mapped[SmallInt] = mapped_column(
        server_default="0", doc="Reworks of the incident until then: a photo after belongs to the round it ends"
    )
    sha256: Mapped[str | None] = mapped_column(doc="Of the unblurred JPEG; its name")
    width: Mapped[int | None]
    height: Mapped[int | None]
    subject_id: Mapped[str] = mapped_column(unique=True, doc="Key of the unblurred copy and of the note, its own")
    note_cipher: Mapped[bytes | None]
    simulated: Mapped[bool] = mapped_column(server_default="false")


class EvidenceBlur(Base):
    """A blurred copy of a photo: what was blurred in it, found or put by hand, and what was left out and why."""

    __tablename__ = "evidence_blur"
    __table_args__ = (
        UniqueConstraint("evidence_id", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    evidence_id: Mapped[BigInt] = mapped_column(ForeignKey("evidence.id", ondelete="CASCADE"))
    version: Mapped[SmallInt] = mapped_column(doc="Only the last one is kept as a picture")
    sha256: Mapped[str] = mapped_column(doc="Of the blurred JPEG")
    boxes: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"), doc="[x, y, width, height, kind]")
    left_out: Mapped[list[Any]] = mapped_column(
        JSONB, server_default=text("'[]'"), doc="Found, but no face or plate in the eyes of a person: box and reason"
    )
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"), index=True)
    made_at: Mapped[dt.datetime]


class EvidenceImage(Base):
    """The picture itself: version 0 unblurred and sealed, for who handles the incident; above 0 blurred."""

    __tablename__ = "evidence_image"

    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[SmallInt] = mapped_column(primary_key=True)
    territory_id: Mapped[TerritoryId]
    content: Mapped[bytes] = mapped_column(doc="JPEG; of version 0 as ciphertext under the key of the photo")
