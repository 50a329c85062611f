"""Ways in and stand-ins: one-time codes, standing deputies, reviews of accounts."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, TerritoryId


class Invitation(Base):
    """A one-time code that lets somebody set a password; only its hash is kept."""

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint("kind IN ('invite', 'reset', 'first')", name="kind"),
        CheckConstraint("(kind = 'first') = (user_id IS NULL)", name="whose"),
    )

    id: Mapped[IntId]
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id", ondelete="CASCADE"), index=True, doc="None for the first administrator"
    )
    kind: Mapped[str] = mapped_column(doc="invite | reset | first")
    code_hash: Mapped[str] = mapped_column(unique=True, doc="SHA-256 of the code; excluded from the record")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None] = mapped_column(doc="When the password was set, or the code withdrawn")


class StandingDeputy(Base):
    """Who acts for somebody whenever he says that he is away."""

    __tablename__ = "standing_deputy"
    __table_args__ = (
        UniqueConstraint("territory_id", "user_id", "deputy_id"),
        CheckConstraint("deputy_id <> user_id", name="deputy"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    deputy_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)


class AccessReview(Base):
    """Somebody looked at an account with its roles and found it right."""

    __tablename__ = "access_review"

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    reviewed_label: Mapped[str] = mapped_column(doc="Login of the reviewer")
    reviewed_at: Mapped[CreatedAt]
