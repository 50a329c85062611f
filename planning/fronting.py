"""Use cases of fronts: asking what else could be chosen, keeping the answer, and making a study of a point."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput
from core.identity import Actor, May, require
from geodata import jobs
from geodata.db import system_rights
from geodata.jobs import Job
from planning import service, store_acts
from planning.acts import Fronts

JOB_KIND = "study fronts"


def ask(session: Session, actor: Actor, study_id: int) -> None:
    """Queue the computing of the fronts of an answered study.

    Raises
    ------
    Conflict
        When the study chose no sites, or its fronts are being computed.
    """
    require(actor, May.MAKE_STUDIES)
    detail = service.study_detail(session, actor, study_id)
    if detail.study.state != "answered" or not detail.sites:
        raise Conflict("This study chooses no sites, so nothing can be given up for anything.", hint="Ask another.")
    if detail.study.question.terms.closable:
        raise Conflict("Fronts are computed where what is there stays.", hint="Ask a study that closes nothing.")
    job = job_of(session, actor, study_id)
    if job is not None and not job.ended:
        raise Conflict("The fronts of this study are being computed already.", hint="Wait for them.")
    job_id = jobs.enqueue(session, actor, JOB_KIND, {"study_id": study_id})
    territory = service.territory_of_study(session, study_id)
    with system_rights(session, actor):
        store_acts.ask_front(session, territory.id, study_id, job_id)


def keep(session: Session, actor: Actor, study_id: int, fronts: Sequence[dict[str, Any]]) -> None:
    """Write the fronts of a study."""
    require(actor, May.MAKE_STUDIES)
    with system_rights(session, actor):
        store_acts.write_fronts(session, study_id, fronts)


def read(session: Session, actor: Actor, study_id: int) -> Fronts | None:
    """Return the fronts of a study; None when nobody asked for them."""
    require(actor, May.SEE_STUDIES)
    return store_acts.read_fronts(session, study_id)


def job_of(session: Session, actor: Actor, study_id: int) -> Job | None:
    """Return the work that computes the fronts of a study; None when there is none."""
    require(actor, May.SEE_STUDIES)
    found = store_acts.read_fronts(session, study_id)
    if found is None or found.job_id is None:
        return None
    with system_rights(session, actor):
        return jobs.find_job(session, found.job_id)


def choose(session: Session, actor: Actor, study_id: int, front: int, point: int) -> int:
    """Make a study of a point of a front, its sites counted on every building; return its id.

    Raises
    ------
    InvalidInput
        When there is no such point.
    """
    require(actor, May.MAKE_STUDIES)
    found = store_acts.read_fronts(session, study_id)
    points = found.fronts[front]["points"] if found is not None and 0 <= front < len(found.fronts) else []
    if not 0 <= point < len(points):
        raise InvalidInput("There is no such point on the front.", hint="Choose one of the list.")
    places = tuple((float(lon), float(lat)) for lon, lat in points[point]["places"])
    question = service.study_detail(session, actor, study_id).study.question
    terms = dataclasses.replace(question.terms, by_hand=places)
    p = len(places) if question.p else 0
    anew = dataclasses.replace(question, p=p, terms=terms)
    territory = service.territory_of_study(session, study_id)
    return service.ask(session, actor, territory, anew, parent_id=study_id)
