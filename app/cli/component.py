"""component list, add, import: the register of fixed public assets, for scripts and for set-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.unit import As, acting
from core.errors import InvalidInput, NotFound
from incidents.components import STATES, ComponentFilter, ComponentRow, ComponentSpec
from incidents.model import ClassInfo
from incidents.service import components as service
from incidents.service.component_import import import_components

MOST = 1_000


def register(app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    del app
    group = groups["component"]
    group.command("list")(list_)
    group.command("add")(add)
    group.command("import")(import_)


def list_(
    *,
    kind: Annotated[str | None, typer.Option("--class", help="E.g. 01-18 or component-01-18.")] = None,
    unit: Annotated[str | None, typer.Option(help="Code of an owner, of any of the three kinds.")] = None,
    state: Annotated[str | None, typer.Option(help="One of: " + ", ".join(STATES))] = None,
    text: Annotated[str, typer.Option(help="Part of an identifier or a place.")] = "",
    after: Annotated[str, typer.Option(help="Go on after this identifier.")] = "",
    limit: Annotated[int, typer.Option(help=f"At most {MOST:,}.", min=1, max=MOST)] = 100,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List components by identifier; restricted ones without their position."""
    if state is not None and state not in STATES:
        raise InvalidInput(f"There is no state {state!r}.", hint=f"Known are: {', '.join(STATES)}.")
    with acting(territory, as_) as here:
        classes = service.component_classes(here.session, here.actor)
        wanted = ComponentFilter(
            class_ids=() if kind is None else (_class(classes, kind).id,),
            unit_id=None if unit is None else _unit(service.component_units(here.session, here.actor), unit),
            states=() if state is None else (state,),
            text=text,
        )
        rows = service.list_components(here.session, here.actor, wanted, after=after, limit=limit)
        total = service.count_components(here.session, here.actor, wanted)
    if as_json:
        emit({"components": [_told(row) for row in rows], "total": total}, as_json)
        return
    for row in rows:
        print(f"{row.code}  {row.class_en:<16} {row.state:<8} {row.place}")
    print(f"{len(rows):,} of {total:,}")


def add(
    kind: Annotated[str, typer.Argument(metavar="CLASS", help="E.g. 01-18.")],
    *,
    lon: Annotated[float, typer.Option(help="Longitude in degrees.")],
    lat: Annotated[float, typer.Option(help="Latitude in degrees.")],
    code: Annotated[str, typer.Option("--id", help="16 digits; the next free one when left out.")] = "",
    unit: Annotated[str | None, typer.Option(help="Code of the unit in charge.")] = None,
    property_unit: Annotated[str | None, typer.Option("--property", help="Code of the unit whose it is.")] = None,
    upkeep_unit: Annotated[
        str | None, typer.Option("--maintenance", help="Code of the unit that maintains it.")
    ] = None,
    state: Annotated[str, typer.Option(help="One of: " + ", ".join(STATES))] = "in_use",
    place: Annotated[str, typer.Option(help="Street or place.")] = "",
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Add a component and say its identifier."""
    with acting(territory, as_, purpose="add component") as here:
        units = service.component_units(here.session, here.actor)
        mine, theirs, upkeep = (
            None if each is None else _unit(units, each) for each in (unit, property_unit, upkeep_unit)
        )
        key = _class(service.component_classes(here.session, here.actor), kind).key
        spec = ComponentSpec(code, key, lon, lat, state, mine, theirs, upkeep, place=place)
        made = service.add_component(here.session, here.actor, here.territory, spec)
        row = service.component_detail(here.session, here.actor, made).row
    emit(_told(row), as_json)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV (also GBK), Excel, GeoJSON, GeoPackage or a zipped Shapefile.")],
    *,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would happen.")] = False,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring components in, all or nothing; the same file twice changes nothing."""
    with acting(territory, as_, purpose=f"import {file.name}") as here:
        done = import_components(here.session, here.actor, here.territory, file, preview=preview)
    emit(done.as_dict(), as_json)


def _class(classes: Sequence[ClassInfo], wanted: str) -> ClassInfo:
    for each in classes:
        if wanted.strip() in {each.key, each.code, each.name_en, each.name_zh}:
            return each
    raise NotFound(f"There is no component class {wanted!r}.", hint=f"Known are: {', '.join(e.code for e in classes)}.")


def _unit(units: Mapping[int, tuple[str, str, str | None]], code: str) -> int:
    for unit_id, (known, *_names) in units.items():
        if known.casefold() == code.strip().casefold():
            return unit_id
    raise NotFound(f"There is no unit {code!r}.", hint=f"Known are: {', '.join(each[0] for each in units.values())}.")


def _told(row: ComponentRow) -> dict[str, Any]:
    """Return a component as JSON; positions of restricted ones never leave."""
    here = (row.lon, row.lat) if row.sensitivity == "open" else (None, None)
    return {
        "id": row.code, "class": row.class_key, "name": row.class_en, "state": row.state, "in_charge": row.unit,
        "community": row.community, "place": row.place if row.sensitivity == "open" else "",
        "sensitivity": row.sensitivity, "lon": here[0], "lat": here[1],
        "valid_from": row.valid_from, "valid_to": row.valid_to, "version": row.version,
    }  # fmt: skip
