"""Incidents, their tasks, and the day × cell × category summary the maps read."""

from __future__ import annotations

import datetime as dt

from geoalchemy2 import WKBElement
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.base import Base, BigId, BigInt, SmallInt, TerritoryId, geometry

OPEN_STATUSES = ("reported", "filed", "dispatched", "handling", "checking")
STATUSES = (*OPEN_STATUSES, "closed", "void")
_OPEN = "status NOT IN ('closed', 'void')"


class Incident(Base):
    """A reported problem, followed to its end. No personal field stands here."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("territory_id", "number"),
        Index(
            "uq_incident_external_ref",
            "territory_id",
            "source_system",
            "external_ref",
            unique=True,
            postgresql_where=text("external_ref IS NOT NULL"),
        ),
        Index(None, "territory_id", "reported_at"),
        Index(None, "grid_id", "reported_at"),
        Index(
            "ix_incident_dispatched_by_reported_at",
            "dispatched_by",
            "reported_at",
            postgresql_where=text("dispatched_by IS NOT NULL"),
        ),
        Index(
            "ix_incident_open_due",
            "territory_id",
            "due_at",
            postgresql_where=text(_OPEN),
        ),
        Index(None, "component_id", postgresql_where=text("component_id IS NOT NULL")),
        Index(None, "duplicate_of", postgresql_where=text("duplicate_of IS NOT NULL")),
        Index(
            "ix_incident_open_emergency",
            "territory_id",
            postgresql_where=text("emergency AND status NOT IN ('closed', 'void')"),
        ),
        Index("ix_incident_open_warn", "territory_id", "warn_most_at", postgresql_where=text(_OPEN)),
        Index(
            "ix_incident_open_marked",
            "territory_id",
            postgresql_where=text(f"{_OPEN} AND (postponed_until IS NOT NULL OR urged_at IS NOT NULL OR reopens > 0)"),
        ),
        CheckConstraint(
            "status IN ('reported', 'filed', 'dispatched', 'handling', 'checking', 'closed', 'void')", name="status"
        ),
        CheckConstraint("dispatched_by <> closed_by", name="separate_duties"),
        CheckConstraint("sampled_by <> closed_by", name="sampled_by_another"),
        CheckConstraint("postponed_until >= postponed_at", name="postponed_span"),
        CheckConstraint("duplicate_of <> id", name="not_its_own_duplicate"),
        CheckConstraint("duplicate_of IS NOT NULL OR own_due_at IS NULL AND own_filed_at IS NULL", name="own_course"),
    )

    id: Mapped[BigId]
    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(doc="Readable, with check digit")
    source: Mapped[str] = mapped_column(doc="patrol | hotline | web | app | media | superior | import")
    source_system: Mapped[str] = mapped_column(server_default="", doc="Upstream system or file, with external_ref")
    external_ref: Mapped[str | None]
    class_id: Mapped[int] = mapped_column(ForeignKey("incident_class.id"), index=True)
    class_version: Mapped[int | None] = mapped_column(doc="Of the class as it was filed under; None before versions")
    limit_id: Mapped[int | None] = mapped_column(
        ForeignKey("time_limit.id"), doc="What set due_at, as it stood then; None when something else did"
    )
    category: Mapped[str] = mapped_column(doc="Copy of the class's category, so that the summary needs no join")
    status: Mapped[str]
    priority: Mapped[SmallInt]
    emergency: Mapped[bool] = mapped_column(server_default="false")
    reported_at: Mapped[dt.datetime]
    filed_at: Mapped[dt.datetime | None]
    dispatched_at: Mapped[dt.datetime | None]
    handled_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None]
    due_from: Mapped[dt.datetime | None] = mapped_column(doc="When the clock of due_at began")
    due_unpaused: Mapped[dt.datetime | None] = mapped_column(doc="due_at as it was before the last postponement")
    warn_half_at: Mapped[dt.datetime | None] = mapped_column(doc="50 % of the time until due_at are used, by its clock")
    warn_most_at: Mapped[dt.datetime | None] = mapped_column(doc="80 % of it are used")
    place: Mapped[str] = mapped_column(server_default="", doc="Street or place, never a person")
    grid_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    component_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("component.id"), doc="The component it is about, where one was chosen"
    )
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("worker.id"), index=True)
    dispatched_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Who sent it out last")
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Never who sent it out")
    reworks: Mapped[SmallInt] = mapped_column(server_default="0")
    reopens: Mapped[SmallInt] = mapped_column(
        server_default="0", doc="How often it was opened again; written by the database"
    )
    reported_by: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), doc="Who took it down; written by the database"
    )
    postponed_at: Mapped[dt.datetime | None] = mapped_column(doc="When it was postponed last")
    postponed_until: Mapped[dt.datetime | None] = mapped_column(doc="The clock stands still from then to here")
    urges: Mapped[SmallInt] = mapped_column(server_default="0", doc="How often a supervisor urged")
    urged_at: Mapped[dt.datetime | None]
    urge_reason: Mapped[str] = mapped_column(server_default="", doc="Key of the lifecycle's reasons")
    self_handled: Mapped[bool] = mapped_column(server_default="false", doc="Settled on the spot by its finder")
    sampled_by: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), doc="Who looked at it later; never who closed it"
    )
    simulated: Mapped[bool] = mapped_column(server_default="false")
    load_id: Mapped[int | None] = mapped_column(ForeignKey("load.id"))
    version: Mapped[int] = mapped_column(server_default="1")
    duplicate_of: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("incident.id"), doc="The first report, which it follows; that one is no duplicate itself"
    )
    own_due_at: Mapped[dt.datetime | None] = mapped_column(
        doc="Of a duplicate: due_at as it was before it was linked; written by the database, put back when unlinked"
    )
    own_filed_at: Mapped[dt.datetime | None] = mapped_column(
        doc="Of a duplicate: filed_at as it was before it was linked; None when it never was filed itself"
    )
    geom: Mapped[WKBElement] = geometry("POINT")


class IncidentPersonal(Base):
    """What names people: reporter and free text, as ciphertext under the incident's own key."""

    __tablename__ = "incident_personal"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True)
    territory_id: Mapped[TerritoryId]
    subject_id: Mapped[str] = mapped_column(index=True)
    note_cipher: Mapped[bytes | None]
    reporter_cipher: Mapped[bytes | None] = mapped_column(deferred=True, doc="Read through gk_reporter alone")
    phone_cipher: Mapped[bytes | None] = mapped_column(deferred=True, doc="Read through gk_reporter alone")
    phone_hash: Mapped[bytes | None] = mapped_column(index=True)


class Task(Base):
    """A piece of work on an incident, owned by a unit or a worker."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint("kind IN ('verify', 'handle', 'check', 'visit', 'patrol')", name="kind"),
        CheckConstraint("state IN ('waiting', 'accepted', 'started', 'done', 'returned', 'cancelled')", name="state"),
        CheckConstraint("planned_end > planned_start AND num_nulls(planned_start, planned_end) <> 1", name="planned"),
        ExcludeConstraint(
            (text("worker_id"), "="),
            (text("tstzrange(planned_start, planned_end)"), "&&"),
            using="gist",
            where=text("state IN ('waiting', 'accepted', 'started') AND planned_start IS NOT NULL"),
            name="ex_task_worker_planned",
            deferrable=True,
        ),
        Index(
            "uq_task_live_handle",
            "incident_id",
            unique=True,
            postgresql_where=text("kind = 'handle' AND NOT joint AND state IN ('waiting', 'accepted', 'started')"),
        ),
        Index(
            "uq_task_live_joint",
            "incident_id",
            "unit_id",
            unique=True,
            postgresql_where=text("joint AND state IN ('waiting', 'accepted', 'started')"),
        ),
        Index(
            "uq_task_live_worker",
            "incident_id",
            "worker_id",
            unique=True,
            postgresql_where=text("kind = 'handle' AND state IN ('waiting', 'accepted', 'started')"),
        ),
        Index("ix_task_joint_unit_id", "unit_id", postgresql_where=text("joint")),
        Index(
            "ix_task_live_worker_id",
            "territory_id",
            "worker_id",
            postgresql_where=text("state IN ('waiting', 'accepted', 'started')"),
        ),
        Index(
            "ix_task_escalated",
            "territory_id",
            postgresql_where=text("state = 'waiting' AND escalated_at IS NOT NULL"),
        ),
    )

    id: Mapped[BigId]
    territory_id: Mapped[TerritoryId]
    incident_id: Mapped[BigInt] = mapped_column(ForeignKey("incident.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    state: Mapped[str]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("worker.id"), index=True)
    assigned_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), doc="Who gave it out")
    created_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime | None]
    accepted_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    joint: Mapped[bool] = mapped_column(
        server_default="false", doc="The part of a unit, or of a worker without one, that helps who leads"
    )
    by_hand: Mapped[bool] = mapped_column(
        server_default="false", doc="Of who comes along: a hand called him in, so no plan takes him back"
    )
    outcome: Mapped[str] = mapped_column(
        server_default="", doc="What was found on site; key of the lifecycle's reasons"
    )
    handled_by: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), server_default="{}", doc="Users who finished it; written by the database, never shortened"
    )
    planned_start: Mapped[dt.datetime | None] = mapped_column(doc="When the worker is to be there, as published")
    planned_end: Mapped[dt.datetime | None] = mapped_column(doc="When he is to be done; never two at once a worker")
    place_in_route: Mapped[SmallInt | None] = mapped_column(doc="Of the published route of its worker, from 1")
    on_way_at: Mapped[dt.datetime | None] = mapped_column(doc="The worker said that he set out")
    arrived_at: Mapped[dt.datetime | None] = mapped_column(doc="The worker said that he is there")
    expected_done_at: Mapped[dt.datetime | None] = mapped_column(doc="When the worker expects to be done")
    escalated_at: Mapped[dt.datetime | None] = mapped_column(doc="When the shift leader was told that nobody answers")
    version: Mapped[int] = mapped_column(server_default="1")


class IncidentDay(Base):
    """Counts by local day of report, unit grid and category, kept current by triggers on incident."""

    __tablename__ = "incident_day"
    __table_args__ = (Index(None, "territory_id", "day"), Index(None, "territory_id", "touched"))

    territory_id: Mapped[int] = mapped_column(ForeignKey("territory.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    grid_id: Mapped[int] = mapped_column(ForeignKey("unit_grid.id", ondelete="CASCADE"), primary_key=True, index=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    open: Mapped[int] = mapped_column(doc="Not closed, not void")
    closed: Mapped[int]
    void: Mapped[int]
    closed_within: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), doc="Closed incidents by time from report to close; bounds: incidents.summary.BIN_HOURS"
    )
    touched: Mapped[BigInt] = mapped_column(
        server_default=text("(pg_current_xact_id()::text::bigint)"), doc="Transaction that wrote it last"
    )
