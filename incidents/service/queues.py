"""Use cases of queues: which there are, how many incidents wait in each, keeping and dropping an own one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from incidents.queues import OWN_MOST, Queue, check_ask, check_name, filter_of, is_of_open, shipped
from incidents.store import listing
from incidents.store import queues as store


def list_queues(session: Session, actor: Actor) -> list[Queue]:
    """Return the queues of the actor's role, then those that the user keeps."""
    territory_id = _sees(actor)
    mine = [] if actor.user_id is None else store.own(session, territory_id, actor.user_id)
    return [*shipped(actor.role), *mine]


def count_queues(
    session: Session, actor: Actor, queues: Iterable[Queue], moment: dt.datetime | None = None
) -> dict[str, int]:
    """Return how many open incidents in reach wait in each queue; those that ask for closed ones too are absent."""
    territory_id = _sees(actor)
    at = now() if moment is None else aware(moment)
    today = at.astimezone(ZoneInfo(listing.timezone(session, territory_id))).date()
    asked = {queue.key: filter_of(queue, today) for queue in queues}
    return store.counts(session, actor, {key: wanted for key, wanted in asked.items() if is_of_open(wanted)}, at)


def keep_queue(session: Session, actor: Actor, name: str, ask: Mapping[str, str]) -> str:
    """Keep a filter under a name, in place of an own one of that name, and return its key.

    Raises
    ------
    InvalidInput
        When name or filter cannot be kept, or the user keeps as many as may be.
    """
    territory_id = _sees(actor)
    kept, asked = check_name(name), check_ask(ask)
    if actor.user_id is None:
        raise InvalidInput("Only somebody with an account keeps queues.", zh="只有登录用户可以保存队列。")
    known = {queue.en for queue in store.own(session, territory_id, actor.user_id)}
    if kept not in known and len(known) >= OWN_MOST:
        raise InvalidInput(
            f"You keep {OWN_MOST} queues already.",
            hint="Drop one first.",
            zh=f"您已保存 {OWN_MOST} 个队列，请先删除一个。",
        )
    return str(store.keep(session, territory_id, actor.user_id, kept, asked))


def drop_queue(session: Session, actor: Actor, key: str) -> None:
    """Forget an own queue; raise `NotFound` when the user keeps none under that key."""
    territory_id = _sees(actor)
    mine = actor.user_id is not None and key.isdecimal() and len(key) < 10
    if not mine or not store.drop(session, territory_id, actor.user_id or 0, int(key)):
        raise NotFound("You keep no such queue.", zh="没有该队列。")


def _sees(actor: Actor) -> int:
    require(actor, May.SEE_INCIDENTS)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    return actor.territory_id
