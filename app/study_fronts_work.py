"""The fronts of a study computed in the background: read in one transaction, written in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import data_uses
from core.identity import Actor
from core.progress import Progress
from geodata import catalogue, db, jobs
from planning import fronting, service
from planning.trading import traded


@jobs.kind(fronting.JOB_KIND)
def compute(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Compute the fronts of a study and keep them."""
    study_id = int(arguments["study_id"])
    progress.step("Reading the city")
    with db.transaction(actor, purpose="compute fronts") as session:
        city, question = service.read_city(session, actor, study_id)
        catalogue.note_together(session, actor, data_uses.of_study(question), "study")
        sites = len(service.study_detail(session, actor, study_id).sites)
    found = traded(city, question, sites, progress=progress)
    with db.transaction(actor, purpose="compute fronts") as session:
        fronting.keep(session, actor, study_id, found)
    return {"fronts": len(found)}
