"""The kinds of background job, and the process that does them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import log
from core.identity import Actor, system_actor
from core.progress import Progress
from core.settings import settings
from geodata import db, jobs
from people.retention import forget_ended_sessions

logger = log.get(__name__)
UPLOAD_KEPT_S = 7 * 86400
NIGHTLY = "17 3 * * *"


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


def tidy() -> None:
    """Delete sessions that ended long ago and uploads that nobody needs any more."""
    keeper = system_actor(label="retention")
    with db.transaction(keeper) as session:
        forget_ended_sessions(session, keeper)
    oldest = time.time() - UPLOAD_KEPT_S
    for path in (settings().state_dir / "uploads").glob("*"):
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink()


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
        tidy()

    with jobs.alone():
        again = jobs.take_up_again()
        if again:
            logger.info("%d jobs that were cut off begin again", again)
        jobs.work(app, forever=forever)
