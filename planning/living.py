"""Use cases of a study that is being answered: how its search stands, and ending it with the best found."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from core.errors import Conflict
from core.identity import Actor, May, require
from geodata.db import system_rights
from planning import service, store_acts
from planning.acts import Live


def note(session: Session, actor: Actor, study_id: int, trail: Sequence[Sequence[float]], people: float) -> bool:
    """Write how a search stands; return whether it should end with the best found."""
    require(actor, May.MAKE_STUDIES)
    territory = service.territory_of_study(session, study_id)
    with system_rights(session, actor):
        return store_acts.write_live(session, territory.id, study_id, trail, people)


def live(session: Session, actor: Actor, study_id: int) -> Live | None:
    """Return how the search of a study stands; None before it begins."""
    require(actor, May.SEE_STUDIES)
    return store_acts.read_live(session, study_id)


def stop_and_keep(session: Session, actor: Actor, study_id: int) -> None:
    """Ask the search of a study to end; what it has found by then becomes the answer.

    Raises
    ------
    Conflict
        When nothing is found yet, or nothing is being searched for.
    """
    require(actor, May.MAKE_STUDIES)
    job = service.job_of(session, actor, study_id)
    if job is None or job.ended:
        raise Conflict("This study is not being answered now.", hint="Look at its answer.")
    standing = store_acts.read_live(session, study_id)
    if standing is None or not standing.trail:
        raise Conflict("Nothing is found yet that could be kept.", hint="Wait a little, or cancel.")
    with system_rights(session, actor):
        store_acts.want_enough(session, study_id)


def begin(session: Session, actor: Actor, study_id: int) -> None:
    """Forget how an earlier search of a study stood."""
    require(actor, May.MAKE_STUDIES)
    with system_rights(session, actor):
        store_acts.drop_live(session, study_id)
