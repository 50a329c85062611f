"""The background work of "What if"; importing this registers its kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.where import territory_of
from core.identity import Actor
from core.progress import Progress
from dispatch import what_if
from dispatch.what_if_model import read_question
from geodata import db, jobs

READING = "Reading the day"


@jobs.kind(what_if.KIND)
def _what_if(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    question = read_question(arguments)
    progress.step(READING)
    with db.transaction(actor, purpose="play a past day") as session:
        stage, options = what_if.read_day(session, actor, territory_of(session, actor), question)
    return what_if.answer(stage, options, question, progress)
