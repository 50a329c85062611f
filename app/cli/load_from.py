"""load from: data of another server or of a named database, brought in like a file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from app.cli.unit import As, acting
from app.data_gate import as_counts, bring_in
from core.errors import InvalidInput
from geodata import exchange_table, sourcing
from geodata.exchange_load import slug
from geodata.exchange_understand import Overrides


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    groups["load"].command("from")(load_from)


def load_from(
    address: Annotated[
        str, typer.Argument(help="…/collections/NAME, …?service=WFS&typeNames=NAME, a file, or DATABASE/SCHEMA.TABLE.")
    ] = "",
    name: Annotated[str, typer.Argument(help="Name of the data set; that of the source when left out.")] = "",
    *,
    tables: Annotated[str, typer.Option("--tables", metavar="DATABASE", help="List the tables of a database.")] = "",
    mapping: Annotated[str, typer.Option(help="Read it by this stored mapping.")] = "",
    crs: Annotated[str, typer.Option(help="Coordinate system, e.g. EPSG:4547.")] = "",
    key: Annotated[str | None, typer.Option(help="Columns that name a row, with commas; - for the whole row.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Take rows outside the territory too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen and keep nothing.")] = False,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring data of OGC API Features, WFS, a file by address or a PostGIS table in; the same again adds nothing."""
    if tables:
        emit({"database": tables, "tables": exchange_table.tables(tables)}, as_json)
        return
    if not address:
        told = ", ".join(exchange_table.names()) or "none"
        raise InvalidInput("From where?", hint=f"Give an address, or DATABASE/SCHEMA.TABLE; databases: {told}.")
    keys = None if key is None else () if key == "-" else tuple(part.strip() for part in key.split(",") if part.strip())
    over = Overrides(crs=crs, key=keys, inside=False if everywhere else None)
    with tempfile.TemporaryDirectory(prefix="gk-fetched-") as folder, progress() as shown, acting(
        territory, as_, purpose="bring data of another server in"
    ) as here:  # fmt: skip
        found = sourcing.near(here.actor, address, Path(folder), progress=shown)
        done = bring_in(
            here.session, here.actor, here.territory, found.path, key=name or slug(found.name), name=found.name,
            title=found.name, progress=shown, mapping=mapping, over=over, dry_run=dry_run,
        )  # fmt: skip
    counts = as_counts(done)
    if as_json:
        emit(counts, as_json)
        return
    names = ("data_set", "read", "loaded", "changed", "duplicates", "rejected", "placed", "form", "crs", "seconds")
    emit({"from": found.name} | {each: counts[each] for each in names} | {"batch": done.batch_id}, as_json)
