"""suitability, layer: where something fits, and the layers of planning it may rest on."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from core.errors import InvalidInput
from core.identity import Actor, system_actor
from geodata.db import as_actor, transaction
from geodata.territory import TerritoryInfo, find_territory
from planning import layering, suiting
from planning.fitting import CRITERIA, USES, FitQuestion, fit, opening, told
from planning.layer_files import Columns
from planning.layer_model import KINDS, LayerInfo

LayerKind = Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")]


def register(app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    app.command("suitability")(suitability)
    group = groups["layer"]
    group.command("list")(list_all)
    group.command("bring")(bring)
    group.command("retire")(retire)


@contextlib.contextmanager
def _act(territory: str | None, purpose: str) -> Iterator[tuple[Session, Actor, TerritoryInfo]]:
    with transaction(system_actor(label="command line"), purpose=purpose) as session:
        place = find_territory(session, territory)
        actor = system_actor(place.id, label="command line")
        as_actor(session, actor, purpose=purpose)
        yield session, actor, place


def suitability(
    use: Annotated[str, typer.Argument(help=f"What is to be placed: {', '.join(USES)}.")],
    *,
    area_ha: Annotated[float | None, typer.Option("--area-ha", help="Ground it takes, in hectares.")] = None,
    count: Annotated[int | None, typer.Option("--count", help="Best areas wanted.")] = None,
    weight: Annotated[
        list[str] | None, typer.Option("--weight", help=f"Criterion and weight, e.g. road=2; of {', '.join(CRITERIA)}.")
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", help="Constraint and limit, e.g. water=0.05 or slope=8.")
    ] = None,
    cell_m: Annotated[float | None, typer.Option("--cell-m", help="Side of a cell, at least.")] = None,
    demand: Annotated[str | None, typer.Option("--demand", help="Layer of people in place of the map's.")] = None,
    zones: Annotated[str | None, typer.Option("--zones", help="Layer of protected zones.")] = None,
    slope: Annotated[str | None, typer.Option("--slope", help="Layer of slope.")] = None,
    keep: Annotated[str | None, typer.Option("--keep", help="Keep the areas as candidates of this name.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say where something fits: the best areas of a size, what forbids how much, and what no area can exceed."""
    question = _question(use, area_ha, count, _pairs(weight), _pairs(limit))
    began = time.perf_counter()
    with _act(territory, "suitability") as (session, actor, place):
        named = {"demand": demand, "zones": zones, "slope": slope}
        layers = {
            kind: layering.find(session, actor, place, kind, name).id
            for kind, name in named.items()
            if name is not None
        }
        made = fit(suiting.ground(session, actor, place, use, cell_m=cell_m, **layers), question)
        answer = told(made, lonlat=suiting.middles(made, place.metric_srid))
        kept = None
        if keep is not None:
            kept = suiting.keep(session, actor, place, made, name=keep, layers=layers)
    emit(
        {
            "territory": place.name, **answer, "layers": layers,
            "kept": None if kept is None else f"{kept.name}, version {kept.revision}",
            "seconds": round(time.perf_counter() - began, 2),
        },
        as_json,
    )  # fmt: skip


def _question(
    use: str, area_ha: float | None, count: int | None, weights: Mapping[str, float], limits: Mapping[str, float]
) -> FitQuestion:
    """Return the opening of a use with what was said otherwise."""
    opened = opening(use)
    known = {each.key for each in opened.criteria}
    strange = [key for key in weights if key not in known]
    if strange:
        raise InvalidInput(
            f"{use} does not weigh {strange[0]!r}.", hint=f"It weighs {', '.join(sorted(known))}; 0 leaves one out."
        )
    criteria = tuple(
        dataclasses.replace(each, weight=weights.get(each.key, each.weight))
        for each in opened.criteria
        if weights.get(each.key, each.weight) != 0
    )
    return FitQuestion(
        use, opened.area_ha if area_ha is None else area_ha, criteria, {**opened.limits, **limits},
        opened.count if count is None else count,
    )  # fmt: skip


def _pairs(said: list[str] | None) -> dict[str, float]:
    made = {}
    for each in said or ():
        key, _, number = each.partition("=")
        try:
            made[key.strip()] = float(number)
        except ValueError:
            raise InvalidInput(f"{each!r} is no pair of a name and a number.", hint="Write it as road=2.") from None
    return made


def list_all(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the layers of planning that are offered."""
    with _act(territory, "") as (session, actor, place):
        found = layering.layers(session, actor, place)
    if as_json:
        emit({"layers": [_as_dict(each) for each in found]}, as_json)
        return
    emit({f"{each.kind}: {each.name}": _line(each) for each in found}, as_json)


def bring(
    kind: LayerKind,
    file: Annotated[Path, typer.Argument(help="CSV, Excel, GeoJSON or GeoPackage; of slope .asc or .tif.")],
    *,
    name: Annotated[str, typer.Option("--name", help="What it is called; the same again is the next version.")],
    year: Annotated[int | None, typer.Option("--year", help="Year of the count.")] = None,
    people: Annotated[str | None, typer.Option("--people", help="Column with the people.")] = None,
    groups: Annotated[str, typer.Option("--groups", help="Columns of groups, with commas.")] = "",
    srid: Annotated[int, typer.Option("--srid", help="EPSG code of a table's coordinates.")] = 4326,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring a layer: demand (people), candidates, zones (protected ground) or slope (from heights)."""
    columns = Columns(people, tuple(each.strip() for each in groups.split(",") if each.strip()), srid)
    with _act(territory, "bring a layer") as (session, actor, place):
        made = layering.bring(session, actor, place, kind, file, name=name, year=year, columns=columns)
    emit(_as_dict(made), as_json)


def retire(
    kind: LayerKind,
    name: Annotated[str, typer.Argument(help="Of the layer.")],
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Offer the newest version of a layer no longer; what rests on it stays."""
    with _act(territory, "retire a layer") as (session, actor, place):
        gone = layering.retire(session, actor, layering.find(session, actor, place, kind, name).id)
    emit(_as_dict(gone), as_json)


def _as_dict(each: LayerInfo) -> dict[str, Any]:
    return {
        "id": each.id, "kind": each.kind, "name": each.name, "version": each.revision, "year": each.year,
        "groups": list(each.groups), "brought_by": each.made_label, "brought_at": each.made_at.isoformat(),
        "retired": each.retired_at is not None, **each.facts,
    }  # fmt: skip


def _line(each: LayerInfo) -> str:
    year = f", {each.year}" if each.year else ""
    held = f"{each.facts.get('cells', each.facts.get('places', 0)):,}"
    people = f", {each.facts['people']:,.0f} people" if each.kind == "demand" else ""
    return f"version {each.revision}{year}: {held} places{people}; {each.made_label}"
