"""Looking through the record by the rules of accountability: by the jobs process, and when the page asks."""

from __future__ import annotations

import datetime as dt

from core import log
from core.clock import now
from core.identity import system_actor
from geodata import db
from geodata.territory import TerritoryInfo, list_territories
from insight import review_run, reviews
from insight.review_run import Looked

EVERY_FIVE_MINUTES = "2-59/5 * * * *"
STALE_AFTER = dt.timedelta(minutes=10)
logger = log.get(__name__)


def look(territory: TerritoryInfo, *, anew: bool = False) -> Looked:
    """Look through what is new in the record of a territory, or all of it anew, and open reviews."""
    keeper = system_actor(territory.id, label="accountability")
    with db.transaction(keeper, purpose="accountability") as session:
        return review_run.run(session, keeper, territory, anew=anew)


def look_everywhere() -> int:
    """Look through what is new in every territory; return the reviews that were opened."""
    with db.transaction(system_actor()) as session:
        territories = list_territories(session)
    opened = 0
    for territory in territories:
        done = look(territory)
        opened += len(done.opened)
        if done.opened:
            logger.info("%d reviews opened in %s, %.2f s", len(done.opened), territory.name, done.seconds)
    return opened


def look_if_stale(territory: TerritoryInfo) -> None:
    """Look through what is new when that was not done for ten minutes."""
    keeper = system_actor(territory.id, label="accountability")
    with db.transaction(keeper) as session:
        last = reviews.looked_at(session, keeper)
    if last is None or now() - last > STALE_AFTER:
        look(territory)
