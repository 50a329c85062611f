"""What is kept how long: classes of data, forgetting what is older, and the row that says it was done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from core.clock import now
from core.identity import Actor, May, require
from geodata import persons
from geodata.record import note_event
from geodata.tables import DataBatch, JobRun, Quarantine, QuarantinedRow, RetentionRun, SizeDay, Study

Forget = Callable[[Session, Actor, dt.datetime], int]
"""Deletes what is older than a moment, and returns how many."""
EVENT = "forgotten"
ENDED = ("done", "failed", "cancelled")
_QUEUE_ENDED = """
    SELECT j.id FROM procrastinate_jobs AS j WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
    AND NOT EXISTS (SELECT FROM procrastinate_events AS e WHERE e.job_id = j.id AND e.at >= :before)
"""
_TIMES = """
    DELETE FROM procrastinate_periodic_defers AS p
    WHERE p.defer_timestamp < extract(epoch FROM CAST(:before AS timestamptz))
    AND NOT EXISTS (SELECT FROM procrastinate_jobs AS j WHERE j.id = p.job_id AND j.status IN ('todo', 'doing'))
    RETURNING 1
"""
_UNTIE = f"UPDATE procrastinate_periodic_defers SET job_id = NULL WHERE job_id IN ({_QUEUE_ENDED})"  # noqa: S608
_ROWS = f"DELETE FROM procrastinate_jobs WHERE id IN ({_QUEUE_ENDED}) RETURNING 1"  # noqa: S608


@dataclass(frozen=True, slots=True)
class DataClass:
    """One class of data: which, kept how many days, and how it is forgotten."""

    key: str
    table: str
    keep_days: int
    forget: Forget


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One clean-up of one class."""

    key: str
    at: dt.datetime
    kept_days: int
    deleted: int


def forget(session: Session, actor: Actor, data: DataClass, *, at: dt.datetime | None = None) -> Forgotten:
    """Delete what of a class is older than it may be, write that down, and return what was done.

    What was deleted also stands in the record, as a count.
    """
    require(actor, May.KEEP_RUNNING)
    at = at or now()
    deleted = data.forget(session, actor, at - dt.timedelta(days=data.keep_days))
    if deleted:
        note_event(session, EVENT, data.table, data.key, {"rows": deleted, "kept_days": data.keep_days})
    session.add(
        RetentionRun(at=at, data_class=data.key, kept_days=data.keep_days, deleted=deleted, actor_label=actor.label)
    )
    session.flush()
    return Forgotten(data.key, at, data.keep_days, deleted)


def last_runs(session: Session) -> Mapping[str, Forgotten]:
    """Return the newest clean-up of each class."""
    newest = select(func.max(RetentionRun.id)).group_by(RetentionRun.data_class)
    rows = session.scalars(select(RetentionRun).where(RetentionRun.id.in_(newest)))
    return {row.data_class: Forgotten(row.data_class, row.at, row.kept_days, row.deleted) for row in rows}


def forgotten_since(session: Session, since: dt.datetime) -> Mapping[str, int]:
    """Return how many of each class were forgotten since a moment."""
    rows = session.execute(
        select(RetentionRun.data_class, func.sum(RetentionRun.deleted))
        .where(RetentionRun.at >= since)
        .group_by(RetentionRun.data_class)
    )
    return {key: int(count) for key, count in rows}


def forget_jobs(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete jobs that ended before a moment, but not those that a study names."""
    require(actor, May.KEEP_RUNNING)
    named = select(Study.job_id).where(Study.job_id.is_not(None))
    gone = session.execute(
        delete(JobRun)
        .where(JobRun.state.in_(ENDED), JobRun.finished_at < before, JobRun.id.not_in(named))
        .returning(JobRun.id)
    )
    return len(gone.all())


def forget_queue(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete rows of the job queue that nothing waits for: ended jobs, and times of work that came round."""
    require(actor, May.KEEP_RUNNING)
    given = {"before": before}
    times = session.execute(text(_TIMES), given).all()
    session.execute(text(_UNTIE), given)
    return len(times) + len(session.execute(text(_ROWS), given).all())


def forget_quarantine(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete refused rows of files that are older than a moment, and destroy their keys.

    Of the files of departments those that were mended or dropped go too; what was mended is in its data set.
    """
    require(actor, May.KEEP_RUNNING)
    gone = session.scalars(delete(Quarantine).where(Quarantine.created_at < before).returning(Quarantine.subject_id))
    old = select(DataBatch.id).where(DataBatch.started_at < before)
    rows = session.execute(
        delete(QuarantinedRow).where(QuarantinedRow.batch_id.in_(old)).returning(QuarantinedRow.id)
    ).all()
    return destroy_keys(session, gone.all()) + len(rows)


def destroy_keys(session: Session, subject_ids: Sequence[str]) -> int:
    """Destroy the keys of subjects, so that the record opens none of their fields either; return how many subjects."""
    persons.destroy_keys(session, subject_ids, purpose="retention")
    return len(subject_ids)


def forget_runs(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete what was written down about clean-ups and sizes before a moment."""
    require(actor, May.KEEP_RUNNING)
    session.execute(delete(SizeDay).where(SizeDay.day < before.date()))
    gone = session.execute(delete(RetentionRun).where(RetentionRun.at < before).returning(RetentionRun.id))
    return len(gone.all())
