"""What the database says of itself and of the work in its queue; facts only, judged in app/health_checks.py."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.clock import now
from core.identity import Actor, May, require
from geodata.backup import TakenBackup
from geodata.db import revision
from geodata.jobs import WATCH_LOCK
from geodata.migrations import head
from geodata.tables import AppUser, Backup, JobRun, SizeDay, UserSession

DAY = dt.timedelta(days=1)
GROWTH_DAYS = 60


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The server and the login that the platform uses.

    Attributes
    ----------
    answered_s
        From the question to the answer.
    clock_off_s
        How far the database's clock is ahead of ours; negative when it is behind.
    above_rules
        Whether the login is a superuser, or looks past row-level security.
    revision
        Of the schema; None when it was never migrated.
    """

    postgresql: str
    postgis: str | None
    bytes: int
    connections: int
    connections_most: int
    answered_s: float
    clock_off_s: float
    above_rules: bool
    owns_tables: int
    durable: bool
    revision: str | None
    head: str | None


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """The jobs process and what waits for it.

    Attributes
    ----------
    at_work
        Whether a jobs process holds the lock of this database; it goes with the process.
    heartbeat
        When the process last said that it lives; None when there is none.
    """

    at_work: bool
    heartbeat: dt.datetime | None
    waiting: int
    running: int
    oldest_waiting: dt.datetime | None
    failed_day: int
    last_failure: str


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """Who is logged in, and which accounts are there."""

    sessions: int
    users: int
    demo_accounts: int
    own_accounts: int


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The newest moment that stands in the record; None while it is empty."""

    newest: dt.datetime | None


_DATABASE = text(
    """
    SELECT current_setting('server_version') AS postgresql,
           (SELECT extversion FROM pg_extension WHERE extname = 'postgis') AS postgis,
           pg_database_size(current_database()) AS bytes,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
           current_setting('max_connections')::integer AS connections_most,
           (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS above_rules,
           (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)) AS owns_tables,
           current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean AS durable
    """
)
_AT_WORK = text(
    """
    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    """
)


def database_facts(session: Session, actor: Actor) -> DatabaseFacts:
    """Return what the database says of itself."""
    require(actor, May.KEEP_RUNNING)
    asked, began = now(), time.monotonic()
    theirs = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    took_s = time.monotonic() - began
    row = session.execute(_DATABASE).one()
    return DatabaseFacts(
        **row._mapping,  # noqa: SLF001  (its documented name)
        answered_s=took_s,
        clock_off_s=(theirs - asked).total_seconds() - took_s / 2,
        revision=revision(session),
        head=head(),
    )


def queue_facts(session: Session, actor: Actor) -> QueueFacts:
    """Return whether background work is being done, and what waits, runs and failed in the last 24 hours."""
    require(actor, May.KEEP_RUNNING)
    since = now() - DAY
    waiting, running, oldest = session.execute(
        select(
            func.count().filter(JobRun.state == "waiting"),
            func.count().filter(JobRun.state == "running"),
            func.min(JobRun.created_at).filter(JobRun.state == "waiting"),
        ).where(JobRun.state.in_(("waiting", "running")))
    ).one()
    failed = session.execute(
        select(JobRun.kind, JobRun.message)
        .where(JobRun.state == "failed", JobRun.finished_at >= since)
        .order_by(JobRun.finished_at.desc())
    ).all()
    return QueueFacts(
        at_work=bool(session.execute(_AT_WORK, {"key": WATCH_LOCK}).scalar_one()),
        heartbeat=session.execute(text("SELECT max(last_heartbeat) FROM procrastinate_workers")).scalar_one(),
        waiting=waiting,
        running=running,
        oldest_waiting=oldest,
        failed_day=len(failed),
        last_failure=failed[0].kind if failed else "",
    )


def access_facts(session: Session, actor: Actor) -> AccessFacts:
    """Return how many are logged in, and how many accounts of either kind could be."""
    require(actor, May.KEEP_RUNNING)
    live = (UserSession.revoked_at.is_(None), UserSession.expires_at > now())
    sessions, users = session.execute(
        select(func.count(), func.count(func.distinct(UserSession.user_id))).where(*live)
    ).one()
    demo, own = session.execute(
        select(func.count().filter(AppUser.is_demo), func.count().filter(~AppUser.is_demo)).where(AppUser.active)
    ).one()
    return AccessFacts(sessions, users, demo, own)


def record_facts(session: Session, actor: Actor) -> RecordFacts:
    """Return the newest moment of the record."""
    require(actor, May.KEEP_RUNNING)
    return RecordFacts(session.execute(text("SELECT at FROM record ORDER BY seq DESC LIMIT 1")).scalar())


def sizes(session: Session, actor: Actor) -> Sequence[tuple[dt.date, int]]:
    """Return the size of the database in bytes by day, of the last days, oldest first."""
    require(actor, May.KEEP_RUNNING)
    since = now().date() - GROWTH_DAYS * DAY
    rows = session.execute(
        select(SizeDay.day, SizeDay.database_bytes).where(SizeDay.day >= since).order_by(SizeDay.day)
    )
    return [(day, size) for day, size in rows]


def recent_backups(session: Session, actor: Actor, *, limit: int = 5) -> list[TakenBackup]:
    """Return the newest backups, newest first."""
    require(actor, May.KEEP_RUNNING)
    rows = session.scalars(select(Backup).order_by(Backup.at.desc(), Backup.id.desc()).limit(limit))
    return [TakenBackup(**{name: getattr(row, name) for name in TakenBackup.__slots__}) for row in rows]


def growth_per_day(history: Sequence[tuple[dt.date, int]]) -> float | None:
    """Return by how many bytes a day the database grew, first to last; None for less than a week of history."""
    if len(history) < 2 or (history[-1][0] - history[0][0]).days < 7:
        return None
    return (history[-1][1] - history[0][1]) / (history[-1][0] - history[0][0]).days
