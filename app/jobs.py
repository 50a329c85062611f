"""The kinds of background job, and the process that does them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app import (
    accountability,
    data_gate,
    dispatch_jobs,
    draw_work,
    evaluation,
    feed_jobs,
    record_jobs,
    record_keeping,
    retention,
    set_up_jobs,
    study_fronts_work,
    transit_work,
    upstream_jobs,
    what_if_work,
)
from app.health_machine import note_clock
from core import log
from core.clock import now
from core.identity import Actor, May, require, system_actor
from core.progress import Progress
from core.settings import settings
from geodata import db, jobs
from geodata.backup import run_backup
from geodata.territory import list_territories
from people.workers import close_ended

logger = log.get(__name__)
MORE_KINDS = (
    data_gate, draw_work, set_up_jobs, record_jobs, upstream_jobs, study_fronts_work, transit_work, what_if_work,
)  # fmt: skip
"""Modules whose import registers their kinds of job."""
NIGHTLY = "17 3 * * *"
BACKUP_NIGHTLY = "41 2 * * *"
HOURLY = "7 * * * *"
"""Midnight is at another hour in every territory."""


@jobs.kind("load_osm")
def _load_osm(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    from app.bring_in import city_from_extract

    result: Mapping[str, Any] = city_from_extract(
        actor, Path(arguments["path"]), name=arguments["name"], title=arguments["title"], progress=progress
    )
    return result


@jobs.kind("study")
def _study(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    from app.studies import answer_study

    found = answer_study(actor, int(arguments["study_id"]), progress)
    return {"status": found.status, "gap": found.gap}


@jobs.kind("study_report")
def _study_report(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    from app.report_work import make_files

    files = make_files(actor, int(arguments["study_id"]), progress)
    return {"files": len(files), "bytes": sum(len(content) for content in files.values())}


@jobs.kind("access")
def _access(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    from app.access_work import answer_access

    found = answer_access(actor, int(arguments["answer_id"]), progress)
    return {"people": found.facts["now"]["people"], "within": found.facts["now"]["within"]}


@jobs.kind(retention.JOB)
def _clean_up(actor: Actor, _arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    require(actor, May.KEEP_RUNNING)
    return {done.key: done.deleted for done in retention.clean_up(label=actor.label, progress=progress)}


@jobs.kind("backup")
def _backup(actor: Actor, _arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    return run_backup(actor, progress)


def ask_for_backup() -> None:
    """Queue the backup of the night, where the settings want one."""
    if settings().backup_nightly:
        keeper = system_actor(label="every night")
        with db.transaction(keeper) as session:
            jobs.enqueue(session, keeper, "backup", {})


def end_employments() -> int:
    """Let the workers leave whose last day has passed, in every territory; return how many."""
    count = 0
    with db.transaction(system_actor()) as session:
        territories = list_territories(session)
    for territory in territories:
        keeper = system_actor(territory.id)
        with db.transaction(keeper, purpose="last day passed") as session:
            count += close_ended(session, keeper, territory.id, today=now().astimezone(territory.zone).date())
    return count


def serve(*, forever: bool = True) -> None:
    """Do background jobs; one process at a time, held by a lock in the database.

    Raises
    ------
    Conflict
        When another jobs process is at work on the same database.
    """
    app = jobs.queue_app()

    @app.periodic(cron=NIGHTLY)
    @app.task(name="gridkeeper.tidy")
    def _tidy(timestamp: int) -> None:
        del timestamp
        retention.clean_up()
        note_clock()

    @app.periodic(cron=BACKUP_NIGHTLY)
    @app.task(name="gridkeeper.backup")
    def _nightly_backup(timestamp: int) -> None:
        del timestamp
        ask_for_backup()

    @app.periodic(cron=HOURLY)
    @app.task(name="gridkeeper.employments")
    def _employments(timestamp: int) -> None:
        del timestamp
        end_employments()
        retention.forget_places()

    @app.periodic(cron=record_keeping.EVERY_MINUTE)
    @app.task(name="gridkeeper.seal")
    def _seal(timestamp: int) -> None:
        del timestamp
        record_keeping.seal_record()

    @app.periodic(cron=evaluation.EVERY_FIVE_MINUTES)
    @app.task(name="gridkeeper.facts")
    def _facts(timestamp: int) -> None:
        del timestamp
        evaluation.keep_all_facts()

    @app.periodic(cron=accountability.EVERY_FIVE_MINUTES)
    @app.task(name="gridkeeper.reviews")
    def _reviews(timestamp: int) -> None:
        del timestamp
        accountability.look_everywhere()

    @app.periodic(cron=dispatch_jobs.EVERY_MINUTE)
    @app.task(name="gridkeeper.messages")
    def _messages(timestamp: int) -> None:
        del timestamp
        dispatch_jobs.time_out_all()
        dispatch_jobs.deliver_all()

    feed_jobs.register(app)
    with jobs.alone():
        again = jobs.take_up_again()
        if again:
            logger.info("%d jobs that were cut off begin again", again)
        retention.clean_up_if_due()
        note_clock()
        end_employments()
        jobs.work(app, forever=forever)
