"""What dispatch does by itself besides planning: deliver messages, and give on what nobody answers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from core import log
from core.clock import now
from core.identity import Actor, system_actor
from dispatch import notices
from dispatch.execution_model import Unanswered
from geodata import db
from geodata.territory import TerritoryInfo, list_territories
from people.service import worker_id_of

EVERY_MINUTE = "* * * * *"
POSTMAN, CLOCK = "messages", "answers"
logger = log.get(__name__)


def deliver_all() -> int:
    """Deliver what waits in the outbox; return how many messages arrived for the first time.

    Each step commits for itself: what was claimed and not settled, because the process or the database was killed,
    is handed in again, and has no effect when it had arrived.
    """
    actor, arrived = system_actor(label=POSTMAN), 0
    while True:
        with db.transaction(actor) as session:
            ids = notices.claim(session, actor)
        if not ids:
            return arrived
        with db.transaction(actor) as session:
            arrived += notices.hand_in(session, actor, ids)
        with db.transaction(actor) as session:
            notices.settle(session, actor, ids)


def time_out_all() -> int:
    """Give on or escalate what nobody answered in time, in every territory; return of how many tasks."""
    with db.transaction(system_actor()) as session:
        territories = list_territories(session)
    count = 0
    for territory in territories:
        try:
            count += _time_out(territory)
        except db.FAULTS as error:  # the others, and the messages, do not wait for it
            logger.warning("answers in %s were not looked at: %s", territory.name, error)
    return count


def _time_out(territory: TerritoryInfo) -> int:
    """Find what nobody answered and whom to ask, then settle each task in a transaction of its own."""
    actor, at, count = system_actor(territory.id, label=CLOCK), now(), 0
    with db.transaction(actor) as session:
        found = notices.overdue(session, actor, at, next_best=next_best(session, actor))
    for each in found:
        with db.transaction(actor) as session:
            done = notices.settle_overdue(session, actor, each, at)
        count += len(done.given_on) + len(done.escalated)
        if done.escalated:
            logger.info("nobody answers in %s: %s", territory.name, ", ".join(done.escalated))
    return count


def next_best(session: Session, actor: Actor) -> notices.NextBest:
    """Return whom the standing plan would ask next for a task, the best first."""

    def offers(task: Unanswered) -> Sequence[int]:
        from dispatch.standing_plan import why  # the engine, which most minutes need not

        found = why(session, actor, task.incident_id)
        codes = [each.worker for each in (found.chosen, *found.others) if each is not None]
        ids = [worker_id_of(session, actor.territory_id or 0, str(code)) for code in codes]
        return [each for each in ids if each is not None]

    return offers
