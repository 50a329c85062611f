"""norms list, set, drop: how near a facility should be, and how much of it people should have."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from core.identity import Actor, system_actor
from geodata.db import as_actor, transaction
from geodata.territory import TerritoryInfo, find_territory
from planning import accessing
from planning.norms import Norm

Kind = Annotated[str, typer.Argument(help="Kind of facility, e.g. clinic.")]
Level = Annotated[str, typer.Argument(help="Which size or circle it speaks of, e.g. 'health station'.")]
_TOLD = ("mode", "radius_m", "minutes", "per_1000", "unit", "source", "active")


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    norms = groups["norms"]
    norms.command("list")(list_all)
    norms.command("set")(set_one)
    norms.command("drop")(drop)


@contextlib.contextmanager
def _act(territory: str | None, purpose: str) -> Iterator[tuple[Session, Actor, TerritoryInfo]]:
    with transaction(system_actor(label="command line"), purpose=purpose) as session:
        place = find_territory(session, territory)
        actor = system_actor(place.id, label="command line")
        as_actor(session, actor, purpose=purpose)
        yield session, actor, place


def list_all(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the norms that count here: the territory's own, and those shipped of which it says nothing."""
    with _act(territory, "") as (session, actor, place):
        found = accessing.list_norms(session, actor, place)
    if as_json:
        emit({"norms": [_as_dict(norm) for norm in found]}, as_json)
        return
    emit({f"{norm.facility_kind}: {norm.level}": _line(norm) for norm in found}, as_json)


def set_one(
    kind: Kind,
    level: Level,
    *,
    source: Annotated[str, typer.Option("--source", help="Standard or decision in which it stands.")],
    radius_m: Annotated[float | None, typer.Option("--radius-m", help="How far away it may be.")] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", help="How long the way may take.")] = None,
    per_1000: Annotated[float | None, typer.Option("--per-1000", help="Places for 1,000 people.")] = None,
    unit: Annotated[str, typer.Option("--unit", help="What the places are, e.g. beds.")] = "",
    mode: Annotated[str, typer.Option("--mode", help="walk or drive.")] = "walk",
    off: Annotated[bool, typer.Option("--off", help="It stands there but does not count here.")] = False,
    level_zh: Annotated[str, typer.Option("--level-zh", help="The size in Chinese.")] = "",
    source_zh: Annotated[str, typer.Option("--source-zh", help="The source in Chinese.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Set a norm of the territory; of kind and level there is one, and the record keeps what it was."""
    wanted = Norm(kind, level, level_zh, mode, source, source_zh, radius_m, minutes, per_1000, unit, active=not off)
    with _act(territory, "set a norm") as (session, actor, place):
        kept = accessing.set_norm(session, actor, place, wanted)
    emit(_as_dict(kept), as_json)


def drop(kind: Kind, level: Level, *, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Take back what the territory says of a norm; a shipped one of that name counts again."""
    with _act(territory, "drop a norm") as (session, actor, place):
        shipped = accessing.drop_norm(session, actor, place, kind, level)
    emit({"dropped": f"{kind}: {level}", "counts_again": None if shipped is None else _as_dict(shipped)}, as_json)


def _as_dict(norm: Norm) -> dict[str, Any]:
    told = dataclasses.asdict(norm)
    told["own"] = told.pop("id") is not None
    return told


def _line(norm: Norm) -> str:
    told = [
        f"{norm.radius_m:g} m" if norm.radius_m else "",
        f"{norm.minutes:g} min {norm.mode}" if norm.minutes else "",
        f"{norm.per_1000:g} {norm.unit or 'places'} for 1,000 people" if norm.per_1000 else "",
        norm.source,
        "" if norm.active else "not used here",
        "the territory's own" if norm.id is not None else "shipped",
    ]
    return "; ".join(part for part in told if part)
