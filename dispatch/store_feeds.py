"""SQL of feeds of traffic."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dispatch.feeds_model import FeedInfo, NewFeed
from geodata.tables import FeedRun, TrafficFeed


def add(session: Session, territory_id: int, new: NewFeed, at: dt.datetime) -> int:
    """Write a feed and return its id."""
    row = TrafficFeed(
        territory_id=territory_id,
        name=" ".join(new.name.split()),
        address=new.address,
        secret=new.secret,
        form=new.form,
        fields={key: value for key, value in new.fields.items() if value},
        datum=new.datum,
        every_s=new.every_s,
        made_at=at,
    )
    session.add(row)
    session.flush()
    return row.id


def listed(session: Session, territory_id: int | None = None, *, secrets: bool = False) -> list[FeedInfo]:
    """Return feeds with how they answered last, of a territory or of all."""
    query = select(TrafficFeed, FeedRun).outerjoin(FeedRun, FeedRun.feed_id == TrafficFeed.id).order_by(TrafficFeed.id)
    if territory_id is not None:
        query = query.where(TrafficFeed.territory_id == territory_id)
    return [_info(feed, run, secrets=secrets) for feed, run in session.execute(query)]


def remove(session: Session, feed_id: int) -> bool:
    """Delete a feed; return whether it was there."""
    return (
        session.execute(delete(TrafficFeed).where(TrafficFeed.id == feed_id).returning(TrafficFeed.id)).first()
        is not None
    )


def switch(session: Session, feed_id: int, *, active: bool) -> bool:
    """Let a feed be asked or rest; return whether it was there."""
    row = session.get(TrafficFeed, feed_id)
    if row is not None:
        row.active = active
        row.version += 1
        session.flush()
    return row is not None


def note_run(
    session: Session, feed_id: int, at: dt.datetime, *, readings: int, refused: int, wrong: tuple[str, str] = ("", "")
) -> None:
    """Write how a feed answered; what it brought last stays known after a fault."""
    good = {} if wrong[0] else {"good_at": at, "readings": readings, "refused": refused}
    given = {"asked_at": at, "wrong_en": wrong[0], "wrong_zh": wrong[1], **good}
    session.execute(
        insert(FeedRun).values(feed_id=feed_id, **given).on_conflict_do_update(index_elements=["feed_id"], set_=given)
    )


def _info(feed: TrafficFeed, run: FeedRun | None, *, secrets: bool) -> FeedInfo:
    return FeedInfo(
        id=feed.id,
        territory_id=feed.territory_id,
        name=feed.name,
        address=feed.address,
        form=feed.form,
        fields=feed.fields,
        datum=feed.datum,
        every_s=feed.every_s,
        active=feed.active,
        version=feed.version,
        asked_at=run.asked_at if run else None,
        good_at=run.good_at if run else None,
        readings=run.readings if run else 0,
        refused=run.refused if run else 0,
        wrong_en=run.wrong_en if run else "",
        wrong_zh=run.wrong_zh if run else "",
        secret=feed.secret if secrets else "",
    )
