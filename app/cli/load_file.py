"""load file: bring a department's file in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from core.identity import system_actor
from geodata import db
from geodata.territory import find_territory
from incidents.columns import OPTIONS
from incidents.imported import ImportResult
from incidents.service import import_file


class Content(StrEnum):
    """What a file can be brought in as."""

    INCIDENTS = "incidents"


class Status(StrEnum):
    """What rows are that do not say their state."""

    CLOSED = "closed"
    FILED = "filed"


def _option(role: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(OPTIONS[role], metavar="HEADING", help=text)
    return option


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    groups["load"].command("file")(load_file)


def load_file(
    file: Annotated[Path, typer.Argument(help="CSV (also .gz), Excel, GeoJSON or GeoPackage.")],
    *,
    content: Annotated[Content, typer.Option("--as", help="What the rows are.")],
    territory: TerritoryName = None,
    lon_column: Annotated[str | None, _option("lon", "Longitude in degrees.")] = None,
    lat_column: Annotated[str | None, _option("lat", "Latitude in degrees.")] = None,
    time_column: Annotated[str | None, _option("time", "Time of report.")] = None,
    class_column: Annotated[str | None, _option("class", "Class of the incident.")] = None,
    id_column: Annotated[str | None, _option("id", "Identity in the source; - for none.")] = None,
    status: Annotated[Status, typer.Option(help="State of rows that do not say theirs.")] = Status.CLOSED,
    as_json: AsJson = False,
) -> None:
    """Bring a file into a territory; loading the same file twice adds nothing."""
    del content  # only incidents so far; typer has refused anything else
    named = {"lon": lon_column, "lat": lat_column, "time": time_column, "class": class_column, "id": id_column}
    actor = system_actor(label="command line")
    with progress() as shown:
        db.ensure_database(shown)
        with db.transaction(actor, purpose=f"load {file.name}") as session:
            chosen = find_territory(session, territory)
            actor = system_actor(chosen.id, label="command line")
            db.as_actor(session, actor, purpose=f"load {file.name}")
            done = import_file(session, actor, chosen, file, named=named, status=status.value, progress=shown)
    emit(_counts(done) if as_json else _told(done), as_json)


def _counts(done: ImportResult) -> dict[str, object]:
    names = ("read", "loaded", "rejected", "duplicates", "placed", "seconds")
    return {name: getattr(done, name) for name in names}


def _told(done: ImportResult) -> dict[str, object]:
    told = _counts(done) | {"format": done.form, "columns": done.columns}
    if done.reasons:
        told["in quarantine"] = done.reasons
    return told | {f"note {number}": remark for number, remark in enumerate(done.remarks, start=1)}
