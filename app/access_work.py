"""A question of access answered: read in one transaction, computed in none, written in another."""

from __future__ import annotations

from app import data_uses
from core.identity import Actor
from core.progress import Progress
from geodata import catalogue, db
from planning import accessing
from planning.access_model import AccessAnswer
from planning.reach import measure


def answer_access(actor: Actor, answer_id: int, progress: Progress) -> AccessAnswer:
    """Answer a question of access, keep the answer and return it."""
    progress.step("Reading the city")
    with db.transaction(actor, purpose="answer access") as session:
        city, question = accessing.read_city(session, actor, answer_id)
        catalogue.note_together(session, actor, data_uses.of_access(question), "study")
    found = measure(city, question, progress=progress)
    progress.step("Keeping the answer")
    with db.transaction(actor, purpose="answer access") as session:
        accessing.keep_answer(session, actor, answer_id, found)
    return found
