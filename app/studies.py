"""A study answered: read in one transaction, computed in none, written in another."""

from __future__ import annotations

from core.identity import Actor
from core.progress import Progress
from geodata import db
from planning import service
from planning.answer import answer
from planning.model import Answer


def answer_study(actor: Actor, study_id: int, progress: Progress) -> Answer:
    """Answer a study and return the answer; asked twice, the first answer stays."""
    progress.step("Reading the city")
    with db.transaction(actor, purpose="answer a study") as session:
        city, question = service.read_city(session, actor, study_id)
    found = answer(city, question, progress=progress)
    progress.step("Keeping the answer")
    with db.transaction(actor, purpose="answer a study") as session:
        service.keep_answer(session, actor, study_id, found)
    return found
