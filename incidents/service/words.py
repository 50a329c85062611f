"""Use cases of the citizen's word: who waits to be called back, and what was said."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import GridkeeperError, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from incidents.store import acts
from incidents.store import words as store
from incidents.words import CITIZENS, Asked, CallBack, WordInfo, check_teller, check_word

SHOWN = 200


def words_of(session: Session, actor: Actor, incident_id: int) -> list[WordInfo]:
    """Return what the citizen said of an incident within the actor's reach, the newest first."""
    require(actor, May.SEE_INCIDENTS)
    return store.words(session, incident_id)


def call_backs(session: Session, actor: Actor) -> list[CallBack]:
    """Return who waits to be called back, the longest first."""
    require(actor, May.SEE_INCIDENTS)
    return store.waiting(session, actor.territory_id or 0, SHOWN)


def may_tell(session: Session, actor: Actor, incident_id: int) -> bool:
    """Return whether the actor may take the citizen's word on an incident now."""
    try:
        check_teller(actor, _asked(session, actor, incident_id))
    except GridkeeperError:
        return False
    return True


def tell_word(
    session: Session, actor: Actor, incident_id: int, *, reached: bool, solved: bool | None, satisfied: int | None
) -> None:
    """Keep what the citizen said when called back after the close, and end the task of calling back.

    A call that reached nobody leaves the task as it is: somebody tries again.

    Raises
    ------
    NotPermitted
        When the actor handled or closed the incident, was not sent to ask, or has another role.
    InvalidInput
        When the incident is no closed report of a citizen, the citizen has answered, or the word is incomplete.
    """
    require(actor, May.SEE_INCIDENTS)
    check_word(reached=reached, solved=solved, satisfied=satisfied)
    check_teller(actor, _asked(session, actor, incident_id))
    try:
        store.add(session, actor.territory_id or 0, incident_id, reached=reached, solved=solved, satisfied=satisfied)
    except IntegrityError as error:
        raise NotPermitted("The database refuses it.", hint="Somebody with no hand in it asks.") from error
    if reached:
        store.end_visits(session, incident_id, worker_id=actor.worker_id if actor.role is Role.GRID_WORKER else None)


def send_to_ask(session: Session, actor: Actor, incident_id: int, worker_id: int) -> None:
    """Send a worker who did not handle it to ask the citizen.

    Raises
    ------
    InvalidInput
        When nobody waits to be called back, or the worker handled the incident.
    """
    require(actor, May.SEE_INCIDENTS)
    if actor.role is not Role.SUPERVISOR:
        raise NotPermitted("A supervisor sends somebody to ask.", zh="由监督员派员回访。")
    found = acts.worker(session, actor.territory_id, worker_id)
    if found is None or not found.active:
        raise NotFound("There is no such worker at work in this territory.", zh="本辖区没有该在岗网格员。")
    known = store.asked(session, actor.territory_id or 0, incident_id, user_id=None, worker_id=worker_id)
    if known is None or known.status != "closed" or known.source not in CITIZENS:
        raise InvalidInput("Nobody waits to be called back here.", zh="本案无需回访。")
    if known.handled:
        raise InvalidInput("Who handled it does not ask.", hint="Name another worker.", zh="处置人不得回访。")
    if not store.send(session, incident_id, worker_id):
        raise InvalidInput("Nobody waits to be called back here.", zh="本案没有待回访任务。")


def _asked(session: Session, actor: Actor, incident_id: int) -> Asked:
    found = store.asked(session, actor.territory_id or 0, incident_id, user_id=actor.user_id, worker_id=actor.worker_id)
    if found is None:
        raise NotFound("There is no such incident within your reach.", zh="没有该案件，或不在您的范围内。")
    return found
