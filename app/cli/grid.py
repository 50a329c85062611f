"""grid make: cut a territory into management grids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from core.identity import system_actor
from geodata import db
from geodata.territory import find_territory
from grids.service import make_grid, make_responsibility_grids

Kind = Annotated[str, typer.Option("--kind", help="Shape of the cells: square or hexagon.")]
Size = Annotated[float, typer.Option("--size-m", help="Width of a cell in metres; 100 makes hectares.")]
TownSize = Annotated[float | None, typer.Option("--town-size-m", help="Width in towns; --size-m holds elsewhere.")]
Replace = Annotated[bool, typer.Option("--replace", help="End the cells there are and make new ones.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    groups["grid"].command("make")(make)


def make(
    *,
    kind: Kind,
    size_m: Size,
    town_size_m: TownSize = None,
    territory: TerritoryName = None,
    replace: Replace = False,
    as_json: AsJson = False,
) -> None:
    """Cut the communities of a territory into cells; the same grid again adds nothing."""
    actor = system_actor(label="command line")
    with progress() as shown:
        db.ensure_database(shown)
        with db.transaction(actor, purpose="make grid") as session:
            chosen = find_territory(session, territory)
            made = make_grid(
                session,
                actor,
                chosen,
                kind=kind,
                size_m=size_m,
                town_size_m=town_size_m,
                progress=shown,
                replace=replace,
            )
            result = {"territory": chosen.name, "kind": kind, **made.as_dict()}
            if not made.unchanged:
                bound = make_responsibility_grids(session, actor, chosen, progress=shown)
                result["responsibility_grids"] = bound.grids
    emit(result, as_json)
