"""Use cases of messages: deliver the outbox at least once, in effect once; read notices; tasks without an answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from core.clock import aware
from core.clock import now as clock_now
from core.errors import GridkeeperError, InvalidInput, NotPermitted
from core.identity import Actor, May, Role, require
from dispatch import notice_store as store
from dispatch.execution_model import (
    ANSWER_WITHIN,
    EMERGENCY_WITHIN,
    LOOKS_BACK,
    NO_ANSWER,
    DeskRow,
    NoticeRow,
    Overdue,
    Sent,
    TimedOut,
    Unanswered,
)
from dispatch.execution_store import one_at_a_time
from geodata.db import name_act
from geodata.territory import list_territories
from people.service import workers_with_shifts

MOST = 500
DESKS = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
"""Who may put away what the desks are told: one mark serves them all."""
NextBest = Callable[[Unanswered], Sequence[int]]
"""Whom to ask next, the best first."""


def claim(session: Session, actor: Actor, most: int = MOST) -> list[int]:
    """Return messages that have not arrived yet and count the attempt; the first of three steps of delivery."""
    require(actor, May.KEEP_RUNNING)
    return store.claim(session, most)


def hand_in(session: Session, actor: Actor, ids: Sequence[int]) -> int:
    """Hand messages in; whatever is handed in again has no effect. Return how many arrived for the first time."""
    require(actor, May.KEEP_RUNNING)
    return store.hand_in(session, ids)


def settle(session: Session, actor: Actor, ids: Sequence[int], moment: dt.datetime | None = None) -> None:
    """Write that messages arrived; a crash before it lets them be handed in again."""
    require(actor, May.KEEP_RUNNING)
    store.settle(session, ids, clock_now() if moment is None else aware(moment))


def deliver(session: Session, actor: Actor, most: int = MOST, moment: dt.datetime | None = None) -> int:
    """Claim, hand in and settle in one transaction; return how many messages arrived for the first time."""
    ids = claim(session, actor, most)
    arrived = hand_in(session, actor, ids)
    settle(session, actor, ids, moment)
    return arrived


def my_notices(
    session: Session, actor: Actor, *, after: int = 0, unread: bool = False, most: int = 50
) -> tuple[NoticeRow, ...]:
    """Return the notices of the worker who asks, or of the desk of whoever else asks, the newest first.

    Parameters
    ----------
    after
        Only those with a higher id: what is new since the last time.
    """
    territory_id, worker_id = _whose(actor)
    return tuple(store.notices(session, territory_id, worker_id, after=after, unread=unread, most=most))


def read_notices(session: Session, actor: Actor, last: int, moment: dt.datetime | None = None) -> int:
    """Write that the notices up to id ``last`` were read; return how many were not before.

    What nobody answers stays unread until it is answered or given to another.

    Raises
    ------
    NotPermitted
        For desks other than the dispatcher's and the supervisor's.
    """
    territory_id, worker_id = _whose(actor)
    if actor.role is not Role.GRID_WORKER and actor.role not in DESKS:
        raise NotPermitted(
            "Only a dispatcher or a supervisor puts away what the desks are told.",
            hint="Ask one of them to look at it.",
            zh="仅派遣员或监督员可以收起此类提醒。",
        )
    return store.read(session, territory_id, worker_id, last, clock_now() if moment is None else aware(moment))


def on_desk(session: Session, actor: Actor) -> tuple[DeskRow, ...]:
    """Return what nobody answers, until it is answered or given on, and what was given back, until it is put away."""
    territory_id, worker_id = _whose(actor)
    return () if worker_id is not None else tuple(store.on_desk(session, territory_id))


def put_away(
    session: Session, actor: Actor, *, before: int | None = None, most: int = 30
) -> tuple[tuple[NoticeRow, ...], int | None]:
    """Return a page of what the desks put away, the newest first, and where the next page begins (None: no more).

    Raises
    ------
    NotPermitted
        For desks other than the dispatcher's and the supervisor's.
    """
    territory_id, _ = _whose(actor)
    if actor.role not in DESKS:
        raise NotPermitted(
            "Messages of the desk are for dispatchers and supervisors.", zh="值班提醒仅供派遣员与监督员查看。"
        )
    found = store.put_away(session, territory_id, before=before, most=most + 1)
    return tuple(found[:most]), found[most - 1].id if len(found) > most else None


def forget_notices(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete messages that arrived before a moment, and their notices; return how many rows."""
    require(actor, May.KEEP_RUNNING)
    return store.forget(session, before)


def time_out(
    session: Session,
    actor: Actor,
    moment: dt.datetime | None = None,
    *,
    next_best: NextBest | None = None,
    on_shift: Mapping[int, dt.datetime] | None = None,
) -> TimedOut:
    """Give on what nobody answered in time: to the next best, the second time to the shift leader.

    Limits stand in `dispatch.execution_model.ANSWER_WITHIN`; the clock runs on shift only. A worker whom it passed
    by does not get this incident again. One whom the dispatcher chose or called in by hand is not replaced: the shift
    leader is told at once. Whom to ask is found before anything is locked.

    Parameters
    ----------
    next_best
        Whom to ask next; None asks the newest plan alone.
    on_shift
        Worker id to the begin of the shift, of those on shift; None asks the roster.
    """
    at = clock_now() if moment is None else aware(moment)
    found = overdue(session, actor, at, next_best=next_best, on_shift=on_shift)
    came = [settle_overdue(session, actor, each, at) for each in found]
    return TimedOut(
        tuple(each for one in came for each in one.given_on), tuple(each for one in came for each in one.escalated)
    )


def overdue(
    session: Session,
    actor: Actor,
    moment: dt.datetime,
    *,
    next_best: NextBest | None = None,
    on_shift: Mapping[int, dt.datetime] | None = None,
) -> tuple[Overdue, ...]:
    """Return what nobody answered in time, with whom to ask next, without locking anything."""
    territory_id = _clock(actor)
    crew = _crew(session, territory_id, moment) if on_shift is None else on_shift
    found = []
    for task in store.unanswered(session, territory_id, _limits(moment), crew, NO_ANSWER):
        alone = task.own_choice or task.asked > 0
        found.append(Overdue(task, () if alone else _offers(session, territory_id, task, crew, next_best), crew))
    return tuple(found)


def settle_overdue(session: Session, actor: Actor, one: Overdue, moment: dt.datetime) -> TimedOut:
    """Give one task on or tell the shift leader, if it still waits; the publishers of the territory wait meanwhile."""
    territory_id = _clock(actor)
    one_at_a_time(session, territory_id)
    limits = _limits(moment)
    for task in store.unanswered(session, territory_id, limits, one.crew, NO_ANSWER, locked=one.task.task_id):
        sent = None if task.own_choice or task.asked else _give_on(session, territory_id, task, moment, one.offers)
        if sent is not None:
            return TimedOut((sent,))
        name_act(session, purpose=f"escalate: {NO_ANSWER}", command_id=None)
        if store.escalate(session, task.task_id, moment):
            return TimedOut((), (task.number,))
    return TimedOut()


def _clock(actor: Actor) -> int:
    require(actor, May.KEEP_RUNNING)
    if actor.role is not Role.SYSTEM or actor.territory_id is None:
        raise InvalidInput(
            "The clock of answers is looked at by the platform, for one territory.",
            hint="Use `gridkeeper dispatch time-out`.",
            zh="应答时限由系统按辖区检查。",
        )
    return actor.territory_id


def _limits(at: dt.datetime) -> store.Limits:
    since = tuple(at - ANSWER_WITHIN[priority] for priority in sorted(ANSWER_WITHIN))
    return store.Limits(since, at - EMERGENCY_WITHIN, at - LOOKS_BACK)


def _crew(session: Session, territory_id: int, at: dt.datetime) -> dict[int, dt.datetime]:
    territory = next((each for each in list_territories(session) if each.id == territory_id), None)
    if territory is None:
        return {}
    workers = workers_with_shifts(session, territory_id, at=at, timezone=territory.timezone)
    return {each.id: each.shift_start for each in workers if each.on_duty(at) and each.shift_start is not None}


def _offers(
    session: Session,
    territory_id: int,
    task: Unanswered,
    crew: Mapping[int, dt.datetime],
    next_best: NextBest | None,
) -> tuple[int, ...]:
    """Return whom to ask next, of those on shift, the best first."""
    known = store.planned(session, territory_id, task.incident_id, along=task.joint)
    offers = [] if known is None else [known]
    if next_best is not None:
        try:
            offers += next_best(task)
        except GridkeeperError:  # no plan to ask: the shift leader decides
            offers += []
    return tuple(each for each in offers if each in crew)


def _give_on(
    session: Session, territory_id: int, task: Unanswered, at: dt.datetime, offers: Sequence[int]
) -> Sent | None:
    not_again = store.barred(session, task.incident_id) | {task.worker_id}
    worker_id = next((each for each in offers if each not in not_again), None)
    if worker_id is None:
        return None
    name_act(session, purpose=f"reassign: {NO_ANSWER}", command_id=None)
    asked = {"territory": territory_id, "incident": task.incident_id, "task": task.task_id, "version": task.version}
    more = {"worker": worker_id, "before": task.worker_id, "no_answer": NO_ANSWER, "at": at}
    task_id = store.give_on(session, asked | more, along=task.joint)
    return None if task_id is None else Sent(task.incident_id, task.number, task_id, worker_id, "sent", task.joint)


def _whose(actor: Actor) -> tuple[int, int | None]:
    require(actor, May.SEE_INCIDENTS)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.", zh="尚未选择辖区。")
    return actor.territory_id, actor.worker_id if actor.role is Role.GRID_WORKER else None
