"""traffic read, show: how fast cars go, from files of readings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.incident import As, acting
from core.errors import InvalidInput
from dispatch import traffic
from dispatch.traffic_model import BYTES_MOST, told

TOLD = 20


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["traffic"]
    group.command("read")(read)
    group.command("show")(show)


def read(
    file: Annotated[Path, typer.Argument(help="CSV: time, speed_kmh, and lon with lat or street.")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring speeds in; the standing plan goes by them as long as they are young enough."""
    text = text_of(file)
    with acting(territory, as_) as here:
        done = traffic.read_traffic(here.session, here.actor, here.territory, text, file.name)
        zone = here.territory.zone
    refused = told(done.faults)
    if not as_json:
        for line in refused[:TOLD]:
            typer.echo(line, err=True)
        if len(refused) > TOLD:
            typer.echo(f"and {len(refused) - TOLD} more", err=True)
    emit(
        {
            "readings": done.readings,
            "stretches": done.stretches,
            "newest": f"{done.newest_at.astimezone(zone):%Y-%m-%d %H:%M}",
            "refused": refused if as_json else len(refused),
        },
        as_json,
    )


def show(*, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Show which speeds the plan reckons with now."""
    with acting(territory, as_) as here:
        found = traffic.traffic_now(here.session, here.actor, here.territory)
        zone = here.territory.zone
    newest = None if found is None else f"{found.newest_at.astimezone(zone):%Y-%m-%d %H:%M}"
    emit({"newest": newest, "stretches": 0 if found is None else found.stretches}, as_json)


def text_of(file: Path, *, most: int = BYTES_MOST) -> str:
    """Return the text of a file of at most so many bytes.

    Raises
    ------
    InvalidInput
        When it is larger or cannot be read.
    """
    try:
        if file.stat().st_size > most:
            raise InvalidInput(f"{file.name} is larger than {most // 1_000_000} MB.", hint="Give a shorter time.")
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file.name} cannot be read: {error.strerror}.", hint="Check the path.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", errors="replace")
