"""record list: the acts that fit, newest first."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.record_subject import midnight, subject_of
from core.errors import InvalidInput
from core.identity import system_actor
from geodata import record_search
from geodata.db import transaction
from geodata.record_search import RecordFilter
from geodata.territory import TerritoryInfo, find_territory

MOST_ROWS = 1000


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    groups["record"].command("list")(list_)


def list_(
    *,
    person: Annotated[str, typer.Option("--person", help="Label of who acted, as the record has it.")] = "",
    role: Annotated[str, typer.Option("--role", help="Role acted in, such as dispatcher.")] = "",
    action: Annotated[str, typer.Option("--action", help="insert, update, delete, login, export …")] = "",
    table: Annotated[str, typer.Option("--table", help="Table of the object, such as incident.")] = "",
    find: Annotated[str, typer.Option("--find", help="Number of an incident, code of a unit or worker.")] = "",
    grid: Annotated[str, typer.Option("--grid", help="Code of a unit grid.")] = "",
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-03-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day, included.")] = "",
    before: Annotated[int | None, typer.Option("--before", help="Go on below this row, from `after`.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST_ROWS)] = 50,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List acts, newest first; `after` in the answer is where the next page begins."""
    with transaction(system_actor()) as session:
        chosen = find_territory(session, territory)
    actor = system_actor(chosen.id)
    with transaction(actor) as session:
        subject_id = ""
        if find:
            table, subject_id = subject_of(session, actor, chosen, table, find)
        wanted = RecordFilter(
            actor=person,
            role=role,
            action=action,
            table=table,
            subject_id=subject_id,
            grid_id=record_search.grid_named(session, actor, grid) if grid else None,
            since=_midnight(first, chosen) if first else None,
            until=_midnight(last, chosen, days=1) if last else None,
        )
        page = record_search.search(session, actor, wanted, before=before, limit=limit)
    rows: list[dict[str, Any]] = [dataclasses.asdict(row) for row in page.rows]
    if as_json:
        emit({"rows": rows, "after": page.after, "unfinished": page.unfinished}, as_json)
        return
    for row in page.rows:
        at = row.at.astimezone(chosen.zone).strftime("%Y-%m-%d %H:%M:%S")
        sealed = f"head of {row.head_size}" if row.head_size else "not sealed"
        about = " ".join(part for part in (row.table, row.subject_id) if part)
        print(f"{row.seq:>10}  {at}  {row.actor_label} ({row.actor_role})  {row.action}  {about}  {sealed}")
    if page.after is not None:
        print(f"Go on with --before {page.after}")


def _midnight(day: str, territory: TerritoryInfo, *, days: int = 0) -> dt.datetime:
    try:
        return midnight(dt.date.fromisoformat(day) + dt.timedelta(days=days), territory)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{day} is no day.", hint="Write it as 2026-03-01.") from error
