"""Judging the servers that the platform asks: feeds of traffic and basemaps of the city's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from app import i18n
from app.api import ground as ground_tiles
from app.health_model import Check, State, joined, unknown
from app.i18n import t
from dispatch.feeds_model import FeedInfo
from geodata.basemaps import BasemapInfo

SILENT = 3
"""A feed that was not asked for so many of its intervals is silent."""


def feeds(found: Sequence[FeedInfo] | None, now: dt.datetime) -> Check:
    """Judge the feeds of traffic; None when nothing is known."""
    title = t("Feeds of traffic")
    if found is None:
        return unknown("feeds", title)
    active = [each for each in found if each.active]
    if not active:
        return Check("feeds", title, State.OK, t("No feed of traffic is asked."))
    wrong = [each for each in active if each.wrong_en]
    late = [each for each in active if each not in wrong and _silent(each, now)]
    numbers = {each.name: each.readings for each in active}
    if wrong:
        why = i18n.either(wrong[0].wrong_en, wrong[0].wrong_zh)
        told = t("{name} brings nothing: {why}", name=wrong[0].name, why=why)
        more = t("{count} of {all} feeds fail.", count=len(wrong), all=len(active)) if len(active) > 1 else ""
        way = t("See it on page Traffic; correct its address or let it rest.")
        return Check("feeds", title, State.WARNING, joined(told, more), way, numbers)
    if late:
        told = t("{name} has not been asked for a while.", name=late[0].name)
        return Check("feeds", title, State.WARNING, told, t("Start the platform with `gridkeeper run`."), numbers)
    readings = i18n.number(sum(each.readings for each in active))
    told = t("{count} feeds, {readings} readings last.", count=len(active), readings=readings)
    return Check("feeds", title, State.OK, told, "", numbers)


def _silent(feed: FeedInfo, now: dt.datetime) -> bool:
    since = feed.asked_at
    return since is not None and (now - since).total_seconds() > SILENT * max(feed.every_s, 60) + 60


def ground(found: Sequence[BasemapInfo] | None) -> Check:
    """Judge the basemaps of the city's own, by how they answered this process last; None when nothing is known."""
    title = t("Basemaps")
    if found is None:
        return unknown("basemaps", title)
    wrong = [(each, error) for each in found if (error := ground_tiles.trouble(each.id)) is not None]
    if wrong:
        each, error = wrong[0]
        told = t(
            "{name} brings nothing: {why}", name=each.name, why=i18n.either(error.message, error.zh or error.message)
        )
        way = t("See it on page Basemaps; until then Gridkeeper's own drawing is shown.")
        return Check("basemaps", title, State.WARNING, told, way)
    if not found:
        return Check("basemaps", title, State.OK, t("Gridkeeper's own drawing alone."))
    return Check("basemaps", title, State.OK, t("{count} of the city's own, no fault.", count=len(found)))
