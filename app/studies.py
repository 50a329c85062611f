"""A study answered: read in one transaction, computed in none, written in another."""

from __future__ import annotations

import dataclasses
import importlib.metadata

from app import data_uses
from app.study_watch import Watch
from core.identity import Actor
from core.progress import Progress
from geodata import catalogue, db
from planning import living, matrices, service
from planning.answer import answer
from planning.fingerprint import fingerprint
from planning.model import Answer


def answer_study(actor: Actor, study_id: int, progress: Progress) -> Answer:
    """Answer a study and return the answer; asked twice, the first answer stays."""
    progress.step("Reading the city")
    with db.transaction(actor, purpose="answer a study") as session:
        living.begin(session, actor, study_id)
        city, question = service.read_city(session, actor, study_id)
        catalogue.note_together(session, actor, data_uses.of_study(question), "study")
        transit = matrices.transit_of(session, actor, question)
    watch = Watch(actor, study_id, float(city.people.sum()), progress)
    found = answer(city, question, progress=watch)
    facts = {**found.facts, "ground": fingerprint(city), "program": importlib.metadata.version("gridkeeper")}
    if transit is not None:
        facts |= {"transit": dict(transit)}
    if watch.trail:
        facts |= {"trail": [list(each) for each in watch.trail], "stopped": watch.stopped}
    found = dataclasses.replace(found, facts=facts)
    progress.step("Keeping the answer")
    with db.transaction(actor, purpose="answer a study") as session:
        service.keep_answer(session, actor, study_id, found)
        living.begin(session, actor, study_id)
    return found
