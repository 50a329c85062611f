"""The clean-up: every class of data that is not kept for ever, in one table, and doing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.i18n import t
from core.clock import now
from core.errors import NotFound
from core.identity import Actor, May, require, system_actor
from core.progress import Progress, Silent
from core.settings import settings
from dispatch.field import forget_positions
from dispatch.field_model import POSITION_AGE
from dispatch.forget import forget_snapshots
from dispatch.notices import forget_notices
from dispatch.past import forget_hours
from geodata import db, retention
from geodata.catalogue import forget_uses
from geodata.retention import DataClass, Forgotten
from geodata.status import measure_size
from incidents import service as incidents
from insight.reviews import forget_texts
from people.retention import forget_absences, forget_codes, forget_drafts, forget_ended_sessions

JOB = "clean_up"
KEEPER = "retention"
DUE_AFTER = dt.timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a page says of a class: its name, what it holds, why it is kept that long, and what was done last."""

    key: str
    name: str
    ground: str
    keep_days: int
    setting: str
    last: Forgotten | None


def forget_uploads(_session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete uploaded files that were last written before a moment; return how many."""
    require(actor, May.KEEP_RUNNING)
    count = 0
    for path in (settings().state_dir / "uploads").glob("*"):
        if path.is_file() and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
            count += 1
    return count


def classes() -> list[DataClass]:
    """Return every class of data that is forgotten, with how long it is kept by the settings."""
    kept = settings()
    return [
        DataClass("sessions", "user_session", kept.keep_sessions_days, forget_ended_sessions),
        DataClass("codes", "invitation", kept.keep_codes_days, forget_codes),
        DataClass("drafts", "draft", kept.keep_drafts_days, forget_drafts),
        DataClass("commands", "command", kept.keep_commands_days, incidents.forget_commands),
        DataClass("reporters", "incident_personal", kept.keep_reporters_days, incidents.forget_reporters),
        DataClass("originals", "evidence_image", kept.keep_originals_days, incidents.forget_originals),
        DataClass("evidence", "evidence_image", kept.keep_evidence_days, incidents.forget_evidence),
        DataClass("reviews", "review", kept.keep_reviews_days, forget_texts),
        DataClass("absences", "absence", kept.keep_absences_days, forget_absences),
        DataClass("quarantine", "quarantine", kept.keep_quarantine_days, retention.forget_quarantine),
        DataClass("uploads", "uploads", kept.keep_uploads_days, forget_uploads),
        DataClass("notices", "notice", kept.keep_notices_days, forget_notices),
        DataClass("jobs", "job_run", kept.keep_jobs_days, retention.forget_jobs),
        DataClass("queue", "procrastinate_jobs", kept.keep_queue_days, retention.forget_queue),
        DataClass("positions", "worker_position", kept.keep_positions_days, forget_positions),
        DataClass("traffic", "traffic_hour", kept.keep_traffic_days, forget_hours),
        DataClass("uses", "data_use", kept.keep_uses_days, forget_uses),
        DataClass("runs", "retention_run", kept.keep_runs_days, retention.forget_runs),
    ]


def clean_up(
    *, label: str = KEEPER, progress: Progress | None = None, at: dt.datetime | None = None
) -> list[Forgotten]:
    """Forget what of each class is older than it may be, each class in a transaction of its own."""
    progress = progress or Silent()
    actor = system_actor(label=label)
    known = classes()
    progress.step("Cleaning up", len(known))
    done = []
    for data in known:
        with db.transaction(actor, purpose="retention") as session:
            done.append(retention.forget(session, actor, data, at=at))
        progress.advance()
    with db.transaction(actor) as session:
        measure_size(session, (at or now()).date())
    return done


def clean_up_if_due() -> bool:
    """Clean up when the last time is longer ago than a day, as where machines sleep at night; return whether it was."""
    with db.transaction(system_actor()) as session:
        last = max((run.at for run in retention.last_runs(session).values()), default=None)
    due = last is None or now() - last > DUE_AFTER
    if due:
        clean_up()
    return due


def forget_places() -> int:
    """Delete the places of workers that are too old to tell where anybody is, also out of plans; return how many."""
    keeper, before = system_actor(label=KEEPER), now() - POSITION_AGE
    with db.transaction(keeper, purpose="retention") as session:
        return forget_positions(session, keeper, before) + forget_snapshots(session, keeper, before)


def rules(session: Session, actor: Actor) -> list[Rule]:
    """Return the table of what is kept how long, in the language in use, with the last clean-up of each class."""
    require(actor, May.KEEP_RUNNING)
    last, words = retention.last_runs(session), _words()
    return [
        Rule(data.key, *words[data.key], data.keep_days, f"GRIDKEEPER_KEEP_{data.key.upper()}_DAYS", last.get(data.key))
        for data in classes()
    ]


def class_of(key: str) -> DataClass:
    """Return a class of data by its key; raise `NotFound` naming those there are."""
    known = {data.key: data for data in classes()}
    if key not in known:
        raise NotFound(f"There is no class of data {key!r}.", hint=f"Known are: {', '.join(known)}.")
    return known[key]


def _words() -> Mapping[str, tuple[str, str]]:
    """Return the name and the ground of each class."""
    return {
        "sessions": (
            t("Log-ins that ended"),
            t("The record keeps who logged in, longer than the six months of the Cybersecurity Law."),
        ),
        "codes": (t("One-time codes that ran out"), t("They open nothing any more.")),
        "drafts": (
            t("Drafts not taken up again"),
            t("No longer than needed: Personal Information Protection Law, art. 19."),
        ),
        "commands": (
            t("Answers to acts that are sent twice"),
            t("Technical: nothing is sent again so late; the act itself stands in the record."),
        ),
        "reporters": (
            t("Reporters and notes of ended incidents"),
            t("No longer than needed: Personal Information Protection Law, art. 19; the incident stays."),
        ),
        "originals": (
            t("Unblurred photos of ended incidents"),
            t("They may show faces and plates: no longer than needed, PIPL art. 19; the blurred copy stays."),
        ),
        "evidence": (
            t("Blurred photos of ended incidents"),
            t("To answer complaints and appeals; the record keeps their hash."),
        ),
        "reviews": (
            t("What was said to findings"),
            t("Explanations and reasons may name people; five years for disputes about work. The finding stays."),
        ),
        "absences": (
            t("Absences long past"),
            t("Why somebody was away is sensitive; two years for disputes about work."),
        ),
        "quarantine": (
            t("Rows of files that were refused"),
            t("They may name people: Personal Information Protection Law, art. 19."),
        ),
        "notices": (
            t("Messages to workers and desks"),
            t("They show who did what when: no longer than needed, PIPL art. 19; the record keeps the acts."),
        ),
        "uploads": (t("Uploaded files"), t("They are needed only until they are brought in.")),
        "jobs": (t("Background jobs that ended"), t("Technical: to see what failed; studies keep theirs.")),
        "queue": (t("Left-overs of the job queue"), t("Technical.")),
        "traffic": (t("Measured speeds by the hour"), t("Technical: what is usual is told from the last weeks.")),
        "positions": (
            t("Where a worker on shift was last"),
            t("Whereabouts are sensitive: PIPL art. 28; every hour those go that are older than two hours."),
        ),
        "uses": (t("Who read which data"), t("To find data that nobody uses, and to tell who had restricted ones.")),
        "runs": (t("Who cleaned up when, and sizes by day"), t("To show that this table was kept to.")),
    }
