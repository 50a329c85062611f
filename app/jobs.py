"""The kinds of background job, and the process that does them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from core import log
from core.errors import Conflict
from core.identity import Actor, system_actor
from core.progress import Progress
from core.settings import settings
from geodata import db, jobs

logger = log.get(__name__)
ENDED_SESSION_KEPT_DAYS = 30
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
    with db.transaction(system_actor(label="retention")) as session:
        session.execute(
            text("DELETE FROM user_session WHERE expires_at < now() - make_interval(days => :days)"),
            {"days": ENDED_SESSION_KEPT_DAYS},
        )
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

    holder = create_engine(db.url(), isolation_level="AUTOCOMMIT")
    with holder.connect() as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": jobs.WATCH_LOCK}).scalar():
            raise Conflict("Another jobs process is at work on this database.", hint="Stop it first.")
        again = jobs.take_up_again()
        if again:
            logger.info("%d jobs that were cut off begin again", again)
        jobs.work(app, forever=forever)
    holder.dispose()
