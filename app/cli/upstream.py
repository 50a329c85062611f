"""upstream import, write-back, reconcile: the file of the hotline 12345 in, our answers out, both sides compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from core.errors import InvalidInput
from core.identity import system_actor
from geodata import db
from geodata.territory import find_territory
from incidents.service import upstream
from incidents.upstream import HEADINGS, SYSTEM, answer_table
from people.table_out import as_csv, as_xlsx

System = Annotated[str, typer.Option(help="Which other system; its numbers are unique in it.")]
Named = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="ROLE=HEADING", help=f"Heading of a role; roles: {', '.join(HEADINGS)}."),
]
LINES_SHOWN = 20


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["upstream"]
    group.command("import")(import_)
    group.command("write-back")(write_back)
    group.command("reconcile")(reconcile)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV (also .gz) or Excel, as the other system exports it.")],
    *,
    territory: TerritoryName = None,
    system: System = SYSTEM,
    column: Named = None,
    as_json: AsJson = False,
) -> None:
    """Bring a file in: each number becomes one incident, once; the same file again adds nothing."""
    named = _named(column)
    with progress() as shown:
        db.ensure_database(shown)
        with db.transaction(system_actor(label="command line"), purpose=f"import {system}") as session:
            chosen = find_territory(session, territory)
            actor = system_actor(chosen.id, label="command line")
            db.as_actor(session, actor, purpose=f"import {system}")
            done = upstream.import_upstream(
                session, actor, chosen, file, name=file.name, named=named, system=system, progress=shown
            )
    emit(done.as_dict(), as_json)


def write_back(
    *,
    out: Annotated[Path | None, typer.Option(help="File to write, .csv or .xlsx; without it only told.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="A batch that was written before, once more.")] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    territory: TerritoryName = None,
    system: System = SYSTEM,
    as_json: AsJson = False,
) -> None:
    """Write what has changed since the last time; each change is in one batch, and a batch can be written again."""
    if language not in {"zh", "en"}:
        raise InvalidInput(f"There is no language {language!r}.", hint="Give zh or en.")
    if out is not None and out.suffix.lower() not in {".csv", ".xlsx"}:
        raise InvalidInput(f"{out.name} is neither .csv nor .xlsx.", hint="Name it so.")
    if out is not None and not out.parent.is_dir():
        raise InvalidInput(f"There is no folder {out.parent}.", hint="Make it first.")
    with db.transaction(system_actor(label="command line"), purpose=f"write back {system}") as session:
        chosen = find_territory(session, territory)
        actor = system_actor(chosen.id, label="command line")
        db.as_actor(session, actor, purpose=f"write back {system}")
        done = upstream.write_back(session, actor, chosen, batch=batch, system=system)
    # What was told stands in the database before the file does: cut off in between, --batch writes it again.
    if out is not None and done.batch:
        table = answer_table(done.rows, language)
        content = as_csv(table) if out.suffix.lower() == ".csv" else as_xlsx(table, sheet=system)
        part = out.with_name(out.name + ".part")
        part.write_bytes(content)
        part.replace(out)
    told: dict[str, Any] = {"batch": done.batch, "rows": len(done.rows)}
    told["file"] = None if out is None or not done.batch else str(out)
    emit(told, as_json)


def reconcile(
    file: Annotated[
        Path | None, typer.Argument(help="A list of the other system, complete for its days; else what came in so far.")
    ] = None,
    *,
    territory: TerritoryName = None,
    system: System = SYSTEM,
    column: Named = None,
    as_json: AsJson = False,
) -> None:
    """Compare both sides: missing here, unknown there, differing states, overdue answers. Changes nothing."""
    named = _named(column)
    with db.transaction(system_actor(label="command line")) as session:
        chosen = find_territory(session, territory)
        actor = system_actor(chosen.id, label="command line")
        db.as_actor(session, actor)
        found = upstream.compare(session, actor, chosen, file, named=named, system=system)
    lines = list(upstream.as_lines(found))
    if as_json:
        emit({**found.counts(), "lines": lines}, as_json)
        return
    emit(found.counts(), as_json)
    for line in lines[:LINES_SHOWN]:
        print(
            f"{line['list']:<10} {line['ref']}  {line['number']}  {line['theirs']} / {line['ours']}  {line['reason']}"
        )
    if len(lines) > LINES_SHOWN:
        print(f"… and {len(lines) - LINES_SHOWN:,} more; --json has them all")


def _named(column: list[str] | None) -> dict[str, str | None]:
    named: dict[str, str | None] = {}
    for each in column or []:
        role, parted, heading = each.partition("=")
        if not parted or not heading:
            raise InvalidInput(f"{each!r} is no role with its heading.", hint="Write it as role=heading.")
        named[role.strip()] = heading.strip()
    return named
