"""load demo: a real territory with fictional offices and a simulated year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from app.cli.common import AsJson, emit, progress
from app.demo.cities import CITIES, DEFAULT_CITY, find_city
from app.demo.load import DEFAULT_SEED, is_loaded, load_demo
from core.clock import now
from core.identity import system_actor
from geodata import db
from geodata.extracts import fetch_extract

Incidents = Annotated[
    int | None, typer.Option(min=100, max=2_000_000, help="Reports of the year; each city has its own.")
]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    groups["load"].command("demo")(load_demo_city)


def load_demo_city(
    *,
    city: Annotated[str, typer.Option(help=f"One of: {', '.join(CITIES)}.")] = DEFAULT_CITY,
    incidents: Incidents = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same year.")] = DEFAULT_SEED,
    as_json: AsJson = False,
) -> None:
    """Load a demo city with a simulated year of incidents; loading it again adds nothing."""
    chosen = find_city(city)
    actor = system_actor(label="command line")
    with progress() as shown:
        db.ensure_database(shown)
        with db.transaction(actor) as session:
            there = is_loaded(session, chosen)
        if there:
            emit({"territory": chosen.name, "already": True, "incidents": 0}, as_json)
            return
        path = fetch_extract(chosen.name, shown)
        with db.transaction(actor, purpose="load demo") as session:
            counts = load_demo(
                session, actor, chosen, path, until=now(), progress=shown, incidents=incidents, seed=seed
            )
    emit(counts.as_dict(), as_json)
