"""grid balance, split, merge, publish, export: change grids, and take them out as they were on a day."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from core.clock import now
from core.errors import InvalidInput
from core.identity import system_actor
from geodata import db
from geodata.territory import find_territory

K = Annotated[int, typer.Option("--k", min=1, help="How many areas.")]
Weights = Annotated[str, typer.Option("--weights", help="Workload: incidents=1,people=0.2; with --cells one column.")]
Cells = Annotated[Path | None, typer.Option("--cells", help="File of polygons: works on files alone.")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write: .gpkg, .geojson or .parquet.")]
Line = Annotated[str, typer.Option("--line", help="Longitude and latitude of its points: '24.94 60.17, 24.95 60.18'.")]
Across = Annotated[bool, typer.Option("--across", help="Areas may cross community lines.")]
FromToday = Annotated[bool, typer.Option("--from-today", help="Even out the areas there are, moving few cells.")]
Cost = Annotated[float, typer.Option("--change-cost", min=0, help="What a cell that changes its area costs.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Day, e.g. 2026-03-02; today when left out.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    for command in (balance, split, merge, publish, export):
        groups["grid"].command(command.__name__)(command)


def balance(
    *,
    k: K,
    weights: Weights = "incidents=1,people=0.2",
    cells: Cells = None,
    out: Out = None,
    territory: TerritoryName = None,
    across: Across = False,
    from_today: FromToday = False,
    change_cost: Cost = 1.0,
    as_json: AsJson = False,
) -> None:
    """Share cells among contiguous areas of even load: as a draft of the territory, or from file to file."""
    began = time.perf_counter()
    if cells is not None:
        from app.cli.grid_files import balance_file

        emit(balance_file(cells, out, k=k, column=weights), as_json)
        return
    from grids import drafting, publishing, rebalancing

    actor = system_actor(label="command line")
    with progress() as shown:
        db.ensure_database(shown)
        with db.transaction(actor, purpose="balance grids") as session:
            chosen = find_territory(session, territory)
            change = drafting.start_draft(session, actor, chosen, f"Balanced into {k}: {weights}")
            _, found = rebalancing.balance_draft(
                session,
                actor,
                chosen,
                change.id,
                k=k,
                weights=weights_of(weights),
                respect=not across,
                from_today=from_today,
                change_cost=change_cost,
            )
            publishing.submit(session, actor, chosen, change.id)
    seconds = round(time.perf_counter() - began, 3)
    emit({"change": change.id, **found.as_dict(), "seconds": seconds}, as_json)


def split(
    code: Annotated[str, typer.Argument(help="Code of the cell.")],
    *,
    line: Line,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Submit a change that splits a cell along a line; 'grid publish' puts it in force."""
    import shapely

    from grids import drafting

    _by_hand(
        f"Split {code}",
        [code],
        territory,
        lambda session, actor, chosen, change, ids: drafting.split(
            session, actor, chosen, change, ids[0], shapely.LineString(points_of(line))
        ),
        as_json=as_json,
    )


def merge(
    code: Annotated[list[str], typer.Argument(help="Codes of the cells.")],
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Submit a change that merges cells of one community; 'grid publish' puts it in force."""
    from grids import drafting

    _by_hand(f"Merge {', '.join(code)}", code, territory, drafting.merge, as_json=as_json)


def publish(
    change: Annotated[int, typer.Argument(help="Number of the submitted change.")],
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Put a submitted change in force from today."""
    from grids import publishing

    actor = system_actor(label="command line")
    with db.transaction(actor, purpose="publish grids") as session:
        done = publishing.publish(session, actor, find_territory(session, territory), change)
    emit(done.as_dict(), as_json)


def export(
    *,
    out: Annotated[Path, typer.Option("--out", help="File to write: .gpkg, .geojson or .parquet.")],
    as_of: AsOf = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Write the unit grids that were in force on a day to a file, and why their borders are there."""
    from app.cli.grid_files import write_cells
    from grids import publishing

    actor = system_actor(label="command line")
    with db.transaction(actor, purpose="export grids") as session:
        chosen = find_territory(session, territory)
        day = day_of(as_of) if as_of else now().astimezone(chosen.zone).date()
        frame = publishing.cells_as_of(session, actor, chosen.id, day)
        borders = publishing.borders_as_of(session, actor, chosen.id, day)
    for column in ("started_on", "ended_on"):
        frame[column] = [None if each is None else each.isoformat() for each in frame[column]]
    write_cells(frame, out, borders if len(borders) else None)
    told = {"as_of": day.isoformat(), "cells": len(frame), "area_m2": float(frame["area_m2"].sum()), "file": str(out)}
    emit({**told, "borders": len(borders)}, as_json)


def weights_of(words: str) -> dict[str, float]:
    """Return a workload from words like ``incidents=1,people=0.2``."""
    found = {}
    for part in filter(None, (each.strip() for each in words.split(","))):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value or 1)
        except ValueError:
            raise InvalidInput(f"“{part}” is no weight.", hint="Write incidents=1,people=0.2.") from None
    return found


def points_of(words: str) -> list[tuple[float, float]]:
    """Return the points of a line from words like ``24.94 60.17, 24.95 60.18``."""
    try:
        points = [tuple(float(part) for part in each.split()) for each in words.split(",")]
    except ValueError:
        points = []
    if len(points) < 2 or any(len(each) != 2 for each in points):
        raise InvalidInput(f"“{words}” is no line.", hint="Write '24.94 60.17, 24.95 60.18'.")
    return [(each[0], each[1]) for each in points]


def day_of(words: str) -> dt.date:
    """Return a day from words like ``2026-03-02``."""
    try:
        return dt.date.fromisoformat(words)
    except ValueError:
        raise InvalidInput(f"“{words}” is no day.", hint="Write 2026-03-02.") from None


def _by_hand(title: str, wanted: list[str], territory: str | None, work: Any, *, as_json: bool) -> None:
    """Draft, do one act to the cells of some codes, submit, and tell what would change."""
    from grids import drafting, publishing

    actor = system_actor(label="command line")
    with db.transaction(actor, purpose="change grids") as session:
        chosen = find_territory(session, territory)
        communities = {
            publishing.grid_file(session, actor, publishing.find_cell(session, actor, each)).community_id
            for each in wanted
        }
        change = drafting.start_draft(session, actor, chosen, title[:80], sorted(communities))
        frame = drafting.draft_cells(session, actor, change.id)
        ids = frame["id"][frame["code"].isin(wanted)].tolist()
        if len(ids) != len(set(wanted)):
            raise InvalidInput("A cell of these codes is not in force any more.", hint="See 'grid codes CODE'.")
        work(session, actor, chosen, change.id, ids)
        publishing.submit(session, actor, chosen, change.id)
        compared = publishing.compare(session, actor, chosen, change.id)
    emit({"change": change.id, **compared.as_dict()}, as_json)
