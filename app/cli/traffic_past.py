"""traffic series, usual, feed-add, feeds, feed-remove, feed-ask: feeds, data sets of sensors, and what is usual."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from app import feed_jobs
from app.cli.common import AsJson, TerritoryName, emit
from app.cli.traffic import text_of
from core.errors import InvalidInput
from core.identity import system_actor
from dispatch import feeds, past, past_model
from dispatch.feeds_model import NewFeed
from geodata.db import transaction
from geodata.territory import find_territory

LABEL = "command line"
TRANSPLANTED = "{name}: days of another city's sensors, not measured here"


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["traffic"]
    group.command("series")(series)
    group.command("usual")(usual)
    group.command("feed-add")(feed_add)
    group.command("feeds")(list_feeds)
    group.command("feed-remove")(feed_remove)
    group.command("feed-ask")(feed_ask)


def series(
    file: Annotated[Path, typer.Argument(help="Five-minute speeds, a sensor a column, e.g. los_speed.csv of METR-LA.")],
    *,
    first_day: Annotated[str, typer.Option("--first-day", help="The day of the first row.")] = "2012-03-01",
    transplant: Annotated[
        int, typer.Option("--transplant", min=0, max=60, help="Give main roads of a demo city so many such days.")
    ] = 0,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring in the usual days of foreign sensors as a data set; with --transplant, labelled, to demo streets too."""
    begin = _day(first_day)
    head, kmh = past_model.read_sensors(text_of(file, most=64_000_000), file.name)
    ratios, free = past_model.hourly_ratios(kmh)
    with np.errstate(all="ignore"):
        middle = np.nanmedian(ratios, axis=0)
    rows = [
        {
            "sensor": head[k],
            "lon": None,
            "lat": None,
            "readings": int(np.isfinite(kmh[:, k]).sum()),
            "days": len(ratios),
            "free_kmh": float(free[k]),
            "ratios": np.nan_to_num(middle[:, k], nan=1.0).tolist(),
        }
        for k in range(len(head))
        if np.isfinite(free[k])
    ]
    roads = folded = 0
    with transaction(system_actor(label=LABEL), purpose="traffic series") as session:
        place = find_territory(session, territory)
        actor = system_actor(place.id, label=LABEL)
        past.put_curves(session, actor, place.id, file.name, rows)
        if transplant:
            label = TRANSPLANTED.format(name=file.name)
            weekday = begin.isoweekday()
            roads = past.transplant(session, actor, place, ratios, label, first_weekday=weekday, days=transplant)
            folded = past.fold(session, actor, place)
    emit({"sensors": len(rows), "days": len(ratios), "transplanted_roads": roads, "usual_roads": folded}, as_json)


def usual(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Reckon anew what is usual on the roads, and show the city's congestion index by hour."""
    with transaction(system_actor(label=LABEL)) as session:
        place = find_territory(session, territory)
        actor = system_actor(place.id, label=LABEL)
        roads = past.fold(session, actor, place)
        found = past.city(session, actor, place.id)
    hours = {} if found is None else {f"{hour:02}": value for hour, value in enumerate(found.index) if value}
    emit({"roads": roads, "km": found.km if found else 0.0, "index": hours}, as_json)


def feed_add(
    name: Annotated[str, typer.Argument(help="How the feed is called.")],
    address: Annotated[str, typer.Argument(help="Its address; a key goes into --key.")],
    *,
    form: Annotated[str, typer.Option("--form", help="csv or json.")] = "csv",
    field: Annotated[
        list[str] | None, typer.Option("--field", help="ours=theirs, e.g. kmh=speed or lon=geometry.coordinates.0.")
    ] = None,
    every: Annotated[int, typer.Option("--every", help="Seconds from one question to the next.")] = 300,
    key: Annotated[str, typer.Option("--key", envvar="FEED_KEY", help="A piece of the query, e.g. key=abc.")] = "",
    datum: Annotated[str, typer.Option("--datum", help="WGS-84, GCJ-02 or BD-09.")] = "WGS-84",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Let an address be asked for speeds; our names are time, kmh, lon, lat, street, heading, and rows (of JSON)."""
    pairs = [each.partition("=") for each in field or []]
    if any(not sign for _, sign, _ in pairs):
        raise InvalidInput("A field is given as ours=theirs.", hint="E.g. --field kmh=speed")
    fields = {ours: theirs for ours, _, theirs in pairs}
    new = NewFeed(name, address, form, fields, every, key, datum)
    with transaction(system_actor(label=LABEL)) as session:
        place = find_territory(session, territory)
        made = feeds.add_feed(session, system_actor(place.id, label=LABEL), place.id, new)
    emit({"feed": made}, as_json)


def list_feeds(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the feeds and how each answered last."""
    with transaction(system_actor(label=LABEL)) as session:
        place = find_territory(session, territory)
        found = feeds.list_feeds(session, system_actor(place.id, label=LABEL), place.id)
    emit(
        {
            f"{each.id} {each.name}": each.wrong_en or f"{each.readings} readings, {each.refused} refused"
            for each in found
        },
        as_json,
    )


def feed_remove(feed: Annotated[int, typer.Argument(help="Its number.")], *, as_json: AsJson = False) -> None:
    """Ask a feed no more."""
    with transaction(system_actor(label=LABEL)) as session:
        feeds.remove_feed(session, system_actor(label=LABEL), feed)
    emit({"removed": feed}, as_json)


def feed_ask(*, as_json: AsJson = False) -> None:
    """Ask the feeds that are due now, as the jobs process does each minute."""
    emit({"good": feed_jobs.ask_all()}, as_json)


def _day(words: str) -> dt.date:
    try:
        return dt.date.fromisoformat(words)
    except ValueError as error:
        raise InvalidInput(f"{words!r} is not a day.", hint="Give it as 2012-03-01.") from error
