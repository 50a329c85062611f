"""Use cases of feeds: which addresses are asked for speeds, and taking in what one answers."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, DataQuality, GridkeeperError, InvalidInput, NotFound
from core.identity import Actor, May, require
from dispatch import store_feeds as store
from dispatch import traffic
from dispatch.feeds_model import ANSWER_MOST, FeedInfo, NewFeed, as_table, check_feed
from dispatch.traffic_model import TrafficRead
from geodata import outward
from geodata.territory import TerritoryInfo

MOST = 20


def add_feed(session: Session, actor: Actor, territory_id: int, new: NewFeed, *, at: dt.datetime | None = None) -> int:
    """Write a feed and return its id; the jobs process asks it from the next minute on.

    Raises
    ------
    InvalidInput
        For an address, form, interval or field that cannot be.
    Conflict
        When there is one of that name.
    """
    require(actor, May.SET_UP)
    check_feed(new)
    outward.check_address(new.address)
    if len(store.listed(session, territory_id)) >= MOST:
        raise InvalidInput(
            f"There are {MOST} feeds already.", hint="Remove one.", zh=f"数据源最多 {MOST} 个，请先删除一个。"
        )
    try:
        with session.begin_nested():
            return store.add(session, territory_id, new, at or clock_now())
    except IntegrityError as error:
        raise Conflict(
            f"There is a feed {new.name!r} already.", hint="Give another name.", zh=f"已有名为“{new.name}”的数据源。"
        ) from error


def list_feeds(session: Session, actor: Actor, territory_id: int) -> list[FeedInfo]:
    """Return the feeds of a territory with how they answered last, without their keys."""
    require(actor, May.SET_UP)
    return store.listed(session, territory_id)


def remove_feed(session: Session, actor: Actor, feed_id: int) -> None:
    """Remove a feed; what it brought stays as long as other speeds do."""
    require(actor, May.SET_UP)
    if not store.remove(session, feed_id):
        raise NotFound("This feed does not exist any more.", hint="Look at the list.", zh="该数据源已不存在。")


def switch_feed(session: Session, actor: Actor, feed_id: int, *, active: bool) -> None:
    """Let a feed rest, or be asked again."""
    require(actor, May.SET_UP)
    if not store.switch(session, feed_id, active=active):
        raise NotFound("This feed does not exist any more.", hint="Look at the list.", zh="该数据源已不存在。")


def all_feeds(session: Session, actor: Actor) -> list[FeedInfo]:
    """Return the feeds of all territories with how they answered last, without their keys."""
    require(actor, May.KEEP_RUNNING)
    return store.listed(session)


def due_feeds(session: Session, actor: Actor, at: dt.datetime) -> list[FeedInfo]:
    """Return the feeds of all territories that are to be asked now, with their keys; for the jobs process alone."""
    require(actor, May.KEEP_RUNNING)
    return [each for each in store.listed(session, secrets=True) if each.due(at)]


def ask(feed: FeedInfo) -> str:
    """Return what a feed answers, as our table; asks its server, so not within a transaction.

    Raises
    ------
    GridkeeperError
        When it does not answer, or not in the form that was said.
    """
    address = feed.address
    if feed.secret:
        address += ("&" if "?" in address else "?") + feed.secret
    return as_table(outward.fetch(address, most_bytes=ANSWER_MOST).body, feed)


def take_in(  # noqa: PLR0917  (an answer and whose it is)
    session: Session, actor: Actor, territory: TerritoryInfo, feed: FeedInfo, table: str, at: dt.datetime
) -> TrafficRead:
    """Keep the readings of an answer and note that it was good; the next plan goes by them."""
    require(actor, May.KEEP_RUNNING)
    done = traffic.read_traffic(session, actor, territory, table, feed.name, moment=at)
    store.note_run(session, feed.id, at, readings=done.readings, refused=len({each.line for each in done.faults}))
    return done


def note_fault(session: Session, actor: Actor, feed: FeedInfo, error: GridkeeperError, at: dt.datetime) -> None:
    """Write why an answer was of no use; Health says it."""
    require(actor, May.KEEP_RUNNING)
    en = error.message
    if isinstance(error, DataQuality) and error.violations:
        en = f"{error.message} {error.violations[0]}"
    store.note_run(session, feed.id, at, readings=0, refused=0, wrong=(en[:500], (error.zh or en)[:500]))
