"""Asking feeds of traffic minute by minute, and reckoning hour by hour what is usual."""

from __future__ import annotations

import datetime as dt

from procrastinate import App

from core import log
from core.clock import now
from core.errors import GridkeeperError
from core.identity import system_actor
from dispatch import feeds, past
from geodata import db
from geodata.territory import list_territories

EVERY_MINUTE = "* * * * *"
EVERY_HOUR = "12 * * * *"
LABEL = "traffic feeds"
logger = log.get(__name__)


def register(queue: App) -> None:
    """Let feeds be asked each minute, and what is usual be reckoned each hour."""

    @queue.periodic(cron=EVERY_MINUTE)
    @queue.task(name="gridkeeper.feeds")
    def _feeds(timestamp: int) -> None:
        del timestamp
        ask_all()

    @queue.periodic(cron=EVERY_HOUR)
    @queue.task(name="gridkeeper.speeds")
    def _speeds(timestamp: int) -> None:
        del timestamp
        fold_all()


def ask_all(at: dt.datetime | None = None) -> int:
    """Ask each feed that is due; return how many brought a reading. One that fails holds back no other."""
    moment = at or now()
    with db.transaction(system_actor(label=LABEL)) as session:
        due = feeds.due_feeds(session, system_actor(label=LABEL), moment)
        territories = {each.id: each for each in list_territories(session)}
    good = 0
    for feed in due:
        actor = system_actor(feed.territory_id, label=LABEL)
        try:
            table = feeds.ask(feed)
            with db.transaction(actor) as session:
                feeds.take_in(session, actor, territories[feed.territory_id], feed, table, moment)
            good += 1
        except GridkeeperError as error:
            logger.warning("the feed %s brought nothing: %s", feed.name, error.message)
            with db.transaction(actor) as session:
                feeds.note_fault(session, actor, feed, error, moment)
    return good


def fold_all() -> int:
    """Reckon anew what is usual on the roads of each territory; return of how many roads."""
    with db.transaction(system_actor(label=LABEL)) as session:
        territories = list_territories(session)
    count = 0
    for territory in territories:
        actor = system_actor(territory.id, label=LABEL)
        with db.transaction(actor) as session:
            count += past.fold(session, actor, territory)
    return count
