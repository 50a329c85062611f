"""Matrices by public transport made in the background: read in one transaction, kept in another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.where import territory_of
from core.errors import GridkeeperError, InvalidInput
from core.identity import Actor
from core.progress import Progress
from geodata import db, jobs
from planning import timetables
from planning.timetables import TransitAsked


@jobs.kind(timetables.JOB_KIND)
def compute(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Make a matrix by public transport and keep it; the timetables that were sent go."""
    wanted = TransitAsked.of(arguments)
    feeds = [Path(each) for each in wanted.feeds]
    try:
        if not all(each.is_file() for each in feeds):
            raise InvalidInput(
                "The timetable is no longer here.", hint="Send it again.", zh="时刻表文件已不在，请重新上传。"
            )
        progress.step("Reading the city")
        with db.transaction(actor, purpose="make a matrix") as session:
            territory = territory_of(session, actor)
            places, network = timetables.read(session, actor, territory, wanted)
        try:
            made, facts = timetables.made(
                places, network, wanted, feeds, bounds=territory.bounds, progress=progress
            )  # fmt: skip
        except GridkeeperError as error:
            _named(error, feeds, wanted.shown)
            raise
        progress.step("Keeping the answer")
        with db.transaction(actor, purpose="make a matrix") as session:
            kept = timetables.keep(session, actor, territory, made, facts, name=wanted.name)
    finally:
        for each in feeds:
            each.unlink(missing_ok=True)
    return {"layer": kept.id, "rows": len(places.rows), "columns": len(places.columns)}


def _named(error: GridkeeperError, feeds: list[Path], shown: tuple[str, ...]) -> None:
    """Let what is wrong with a timetable name it as its sender does."""
    for path, name in zip(feeds, shown, strict=True):
        error.message, error.hint, error.zh = (
            words.replace(path.name, name) for words in (error.message, error.hint, error.zh)
        )
