"""SQL of queues: those somebody keeps, and the counts of all in one look at the open incidents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.identity import Actor
from geodata.tables import Incident, SavedQueue
from incidents.model import IncidentFilter
from incidents.queues import Queue
from incidents.store.conditions import is_open, narrowing, within_reach


def own(session: Session, territory_id: int, user_id: int) -> list[Queue]:
    """Return the queues that a user keeps, by name."""
    rows = session.execute(
        select(SavedQueue.id, SavedQueue.name, SavedQueue.ask)
        .where(SavedQueue.territory_id == territory_id, SavedQueue.user_id == user_id)
        .order_by(SavedQueue.name)
    )
    return [Queue(str(id_), name, name, ask={key: str(value) for key, value in ask.items()}) for id_, name, ask in rows]


def keep(session: Session, territory_id: int, user_id: int, name: str, ask: Mapping[str, str]) -> int:
    """Insert a queue, or put it in place of the one of that name; return its number."""
    values = {"ask": dict(ask)}
    return session.execute(
        insert(SavedQueue)
        .values(territory_id=territory_id, user_id=user_id, name=name, **values)
        .on_conflict_do_update(
            index_elements=[SavedQueue.user_id, SavedQueue.territory_id, SavedQueue.name],
            set_=values | {"version": SavedQueue.version + 1},
        )
        .returning(SavedQueue.id)
    ).scalar_one()


def drop(session: Session, territory_id: int, user_id: int, queue_id: int) -> bool:
    """Delete a queue of a user; return False when there is none."""
    gone = session.scalar(
        delete(SavedQueue)
        .where(SavedQueue.id == queue_id, SavedQueue.territory_id == territory_id, SavedQueue.user_id == user_id)
        .returning(SavedQueue.id)
    )
    return gone is not None


def counts(session: Session, actor: Actor, asked: Mapping[str, IncidentFilter], moment: dt.datetime) -> dict[str, int]:
    """Return how many open incidents each filter finds, in one look at the open ones in reach."""
    if not asked:
        return {}
    columns = [func.count().filter(and_(*narrowing(actor, wanted, moment))) for wanted in asked.values()]
    found = session.execute(select(*columns).select_from(Incident).where(*within_reach(actor), is_open())).one()
    return dict(zip(asked, found, strict=True))
