"""catalogue list, show, export, report; export; token: what data there are, and taking them along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from app.cli.unit import As, acting
from core.clock import now
from core.errors import InvalidInput
from geodata import catalogue, catalogue_dcat, giving
from geodata.catalogue_model import Entry
from geodata.record import note_event

Key = Annotated[str, typer.Argument(metavar="KEY", help="E.g. facilities, streets, set-street-lamps.")]


def register(app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["catalogue"]
    group.command("list")(list_)
    group.command("show")(show)
    group.command("report")(report)
    group.command("export")(export_catalogue)
    app.command("export")(export)


def list_(
    *,
    stale: Annotated[bool, typer.Option("--stale", help="Only what should have a newer state by its rhythm.")] = False,
    unused: Annotated[bool, typer.Option("--unused", help="Only what nobody has read for 90 days.")] = False,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List the data sets and built-in tables."""
    with acting(territory, as_) as here:
        found = catalogue.entries(here.session, here.actor)
    moment = now()
    found = [each for each in found if (not stale or each.stale(moment)) and (not unused or each.unused(moment))]
    if as_json:
        emit({"entries": [_told(each) for each in found]}, as_json)
        return
    for each in found:
        marks = [word for word, on in (("stale", each.stale(moment)), ("unused", each.unused(moment))) if on]
        print(f"{each.key:<24} {each.offer.title_en:<28} {each.offer.sensitivity:<10} {' '.join(marks)}")
    print(f"{len(found):,} entries")


def show(key: Key, *, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Tell all about one entry: columns, coverage, period, lineage, quality."""
    with acting(territory, as_) as here:
        found = catalogue.entry(here.session, here.actor, key)
    told = _told(found)
    if not as_json:
        told["columns"] = [f"{each['name']} ({each['kind']})" for each in told["columns"]]
        told["lineage"] = [f"{each.get('file', '')} {each.get('at') or ''}".strip() for each in found.lineage]
    emit(told, as_json)


def report(*, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Tell what is stale (no newer state by its rhythm) and what nobody has read for 90 days, with who read it last."""
    with acting(territory, as_) as here:
        found = catalogue.report(here.session, here.actor)
    if as_json:
        emit({name: [_read(each) for each in some] for name, some in found.items()}, as_json)
        return
    for name, some in found.items():
        print(f"{name}: {len(some):,}")
        for each in some:
            told = _read(each)
            last = f"{told['last_read']:%Y-%m-%d} by {told['last_reader']}" if told["last_read"] else "never"
            state = f"{told['updated_at']:%Y-%m-%d}" if told["updated_at"] else "unknown"
            print(f"  {each.key:<24} {each.rhythm:<12} state of {state:<12} last read {last}")


def _read(one: Entry) -> dict[str, Any]:
    use = one.last_use
    return {
        "key": one.key, "title": one.offer.title_en, "updated_at": one.updated_at, "rhythm": one.rhythm,
        "last_read": use.last_at if use else None, "last_reader": use.label if use else None,
    }  # fmt: skip


def export_catalogue(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonld", help="Where to; - for standard output.")],
    *,
    base: Annotated[str, typer.Option(help="Address of this platform as others reach it.")] = "http://localhost:8501",
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Write the catalogue as DCAT-AP in JSON-LD."""
    with acting(territory, as_) as here:
        found = catalogue.entries_measured(here.session, here.actor)
        document = catalogue_dcat.document(found, base=base, publisher=here.territory.title_en, at=now())
    body = json.dumps(document, ensure_ascii=False, indent=1, default=str)
    if str(file) == "-":
        print(body)
        return
    file.write_text(body + "\n", encoding="utf-8")
    emit({"entries": len(found), "file": str(file)}, as_json)


def export(
    key: Key,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The ending says the format: csv, geojson, gpkg, parquet.")
    ],
    *,
    grid: Annotated[bool, typer.Option("--grid", help="Add the unit grid that each row lies in.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Write a data set into a file: GeoPackage, GeoParquet, CSV or GeoJSON."""
    form = file.suffix.lower().lstrip(".")
    if form not in giving.FORMATS:
        raise InvalidInput(f"{file.name} says no format.", hint=f"End it with one of: {', '.join(giving.FORMATS)}.")
    if file.exists() and not force:
        raise InvalidInput(f"{file.name} is there already.", hint="Choose another name, or add --force.")
    if not file.parent.is_dir():
        raise InvalidInput(f"There is no folder {file.parent}.", hint="Make it first.")
    with acting(territory, as_, purpose=f"export {key}") as here, progress() as bars:
        source = catalogue.source_of(here.session, here.actor, key)
        told = giving.write(here.session, source, here.territory.id, form, file, with_grid=grid, progress=bars)
        joined = sorted({*source.beside, *(["unit-grids"] if grid else [])})
        catalogue.note_use(here.session, here.actor, key, "export", rows=told.rows, joined=joined)
        note_event(here.session, "export", "data_set", key, {"rows": told.rows, "format": form, "bytes": told.bytes})
    emit({"key": key, "file": str(file), "rows": told.rows, "bytes": told.bytes}, as_json)


def _told(one: Entry) -> dict[str, Any]:
    moment = now()
    return {
        "key": one.key, "title": one.offer.title_en, "title_zh": one.offer.title_zh, "about": one.offer.about_en,
        "owner": one.owner, "steward": one.steward, "licence": one.licence, "sensitivity": one.offer.sensitivity,
        "geometry": one.offer.geometry, "rows": one.rows, "bounds": one.bounds, "period": one.period,
        "rhythm": one.rhythm, "updated_at": one.updated_at, "stale": one.stale(moment), "unused": one.unused(moment),
        "readable": one.readable, "quality": dict(one.quality),
        "columns": [
            {"name": each.name, "kind": each.kind, "title": each.title_en, "title_zh": each.title_zh, "unit": each.unit}
            for each in one.offer.fields
        ],
        "lineage": [dict(each) for each in one.lineage],
    }  # fmt: skip
