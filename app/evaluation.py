"""Keeping the facts of evaluation current: by the jobs process, and by whoever opens them when they are behind."""

from __future__ import annotations

import datetime as dt

from core import log
from core.clock import now
from core.identity import system_actor
from geodata import db
from geodata.territory import list_territories
from insight import service
from insight.model import Folded

EVERY_FIVE_MINUTES = "*/5 * * * *"
STALE_AFTER = dt.timedelta(minutes=1)
logger = log.get(__name__)


def keep_facts(territory_id: int, *, anew: bool = False) -> Folded:
    """Fold what the record of a territory tells since the last time, or all of it anew."""
    keeper = system_actor(territory_id, label="evaluation")
    with db.transaction(keeper) as session:
        return service.refresh(session, keeper, territory_id, anew=anew)


def keep_all_facts() -> int:
    """Fold what is new in every territory; return the facts written."""
    with db.transaction(system_actor()) as session:
        territories = list_territories(session)
    return sum(keep_facts(territory.id).facts for territory in territories)


def keep_facts_of_day(territory_id: int, day: dt.date) -> int:
    """Fold the facts of a day of the past as they stood at its end, where they are not kept yet."""
    keep_facts_if_stale(territory_id)
    keeper = system_actor(territory_id, label="evaluation")
    with db.transaction(keeper) as session:
        return service.refresh_day(session, keeper, territory_id, day)


def keep_facts_if_stale(territory_id: int) -> None:
    """Fold what is new when that was not done for a minute."""
    keeper = system_actor(territory_id, label="evaluation")
    with db.transaction(keeper) as session:
        folded_at = service.facts_as_of(session, keeper)
    if folded_at is None or now() - folded_at > STALE_AFTER:
        done = keep_facts(territory_id)
        logger.info("%d facts folded in %.2f s", done.facts, done.seconds)
