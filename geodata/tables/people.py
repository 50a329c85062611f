"""Units, persons (ciphertext only), grid workers, users, roles and sessions."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, CreatedAt, IntId, TerritoryId


class Unit(Base):
    """A department, company, street office, team or partner that owns tasks."""

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("territory_id", "code"),
        CheckConstraint("kind IN ('centre', 'department', 'company', 'street_office', 'team', 'partner')", name="kind"),
        CheckConstraint("valid_to >= valid_from", name="days"),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    code: Mapped[str]
    kind: Mapped[str] = mapped_column(doc="department | company | street_office | team | partner | centre")
    name: Mapped[str]
    name_zh: Mapped[str | None]
    contact: Mapped[str | None] = mapped_column(doc="Function to ask for, e.g. Duty desk; never a person's name")
    contact_zh: Mapped[str | None]
    phone: Mapped[str | None] = mapped_column(doc="Of the office")
    email: Mapped[str | None] = mapped_column(doc="Of the office")
    address: Mapped[str | None] = mapped_column(doc="Of the office")
    calendar_id: Mapped[int | None] = mapped_column(ForeignKey("calendar.id"))
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None] = mapped_column(doc="Last day, included; None while it goes on")
    version: Mapped[int] = mapped_column(server_default="1")


class PersonKey(Base):
    """The key of one subject; destroying it erases the person. Never recorded, never exported."""

    __tablename__ = "person_key"

    subject_id: Mapped[str] = mapped_column(primary_key=True, doc="UUID")
    wrapped_key: Mapped[bytes | None] = mapped_column(doc="None after erasure")
    created_at: Mapped[CreatedAt]
    destroyed_at: Mapped[dt.datetime | None]


class Person(Base):
    """A natural person as ciphertext; look-up by phone goes through a keyed hash."""

    __tablename__ = "person"

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    subject_id: Mapped[str] = mapped_column(unique=True)
    name_cipher: Mapped[bytes | None]
    phone_cipher: Mapped[bytes | None]
    phone_hash: Mapped[bytes | None] = mapped_column(index=True)


class Worker(Base):
    """A grid worker."""

    __tablename__ = "worker"
    __table_args__ = (UniqueConstraint("territory_id", "code"),)

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    responsibility_grid_id: Mapped[int | None] = mapped_column(ForeignKey("responsibility_grid.id"), index=True)
    code: Mapped[str] = mapped_column(doc="Staff number, e.g. W012")
    language: Mapped[str] = mapped_column(server_default="en")
    skills: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    equipment: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    employed_from: Mapped[dt.date | None]
    employed_to: Mapped[dt.date | None] = mapped_column(doc="Last day; None while employed")
    active: Mapped[bool] = mapped_column(server_default="true")
    version: Mapped[int] = mapped_column(server_default="1")


class Absence(Base):
    """Days on which a worker does not work; why is told only to those who manage him."""

    __tablename__ = "absence"
    __table_args__ = (
        CheckConstraint("kind IN ('leave', 'sick', 'training', 'other')", name="kind"),
        CheckConstraint("to_on >= from_on", name="days"),
        CheckConstraint("deputy_id <> worker_id", name="deputy"),
        ExcludeConstraint(
            (text("worker_id"), "="),
            (text("daterange(from_on, to_on, '[]')"), "&&"),
            using="gist",
            name="ex_absence_worker_id_days",
        ),
    )

    id: Mapped[IntId]
    territory_id: Mapped[TerritoryId]
    worker_id: Mapped[int] = mapped_column(ForeignKey("worker.id", ondelete="CASCADE"), index=True)
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("worker.id"), doc="Who stands in; None: nobody")
    kind: Mapped[str] = mapped_column(doc="leave | sick | training | other")
    from_on: Mapped[dt.date]
    to_on: Mapped[dt.date] = mapped_column(doc="Last day, included")
    version: Mapped[int] = mapped_column(server_default="1")


class AppUser(Base):
    """An account."""

    __tablename__ = "app_user"

    id: Mapped[IntId]
    login: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(doc="argon2id; excluded from the record")
    title_en: Mapped[str] = mapped_column(doc="Function shown beside acts, not a private name")
    title_zh: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("worker.id"))
    locale: Mapped[str] = mapped_column(server_default="en")
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    active: Mapped[bool] = mapped_column(server_default="true")
    failed_logins: Mapped[int] = mapped_column(server_default="0")
    locked_until: Mapped[dt.datetime | None]
    created_at: Mapped[CreatedAt]
    version: Mapped[int] = mapped_column(server_default="1")


class UserRole(Base):
    """A role of a user in a territory, with the areas and units it reaches."""

    __tablename__ = "user_role"
    __table_args__ = (
        Index(
            "uq_user_role_own",
            "user_id",
            "territory_id",
            "role",
            unique=True,
            postgresql_where=text("acting_for IS NULL AND valid_until IS NULL"),
        ),
        CheckConstraint(
            "role IN ('grid_worker', 'grid_manager', 'handler', 'dispatcher', 'supervisor', 'planner', 'auditor',"
            " 'administrator')",
            name="role",
        ),
        CheckConstraint(
            "acting_for IS NULL OR acting_for <> user_id AND valid_until IS NOT NULL AND reason <> ''"
            " AND extract(epoch FROM valid_until - valid_from) <= 7776000",
            name="acting",
        ),
    )

    id: Mapped[IntId]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    territory_id: Mapped[TerritoryId]
    role: Mapped[str]
    area_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}", doc="Communities; grid manager")
    unit_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}", doc="Units; handler")
    acting_for: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id", ondelete="CASCADE"), index=True, doc="Whose role it is; None for the own"
    )
    reason: Mapped[str] = mapped_column(server_default="", doc="Why somebody acts for another")
    valid_from: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    valid_until: Mapped[dt.datetime | None] = mapped_column(doc="When it ends or ended; at most 90 days when acting")
    version: Mapped[int] = mapped_column(server_default="1")


class UserSession(Base):
    """One login that can be listed and revoked; the cookie carries only its signed id."""

    __tablename__ = "user_session"

    id: Mapped[str] = mapped_column(primary_key=True, doc="SHA-256 of the random id in the cookie")
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("user_role.id", ondelete="CASCADE"))
    locale: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
