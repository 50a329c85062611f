"""quarantine list, show, export, retry, drop and undo: rows that broke a rule, mended and brought in again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.unit import acting
from app.data_gate import place_in
from core.errors import InvalidInput
from geodata import quarantine
from geodata.exchange_load import undo_batch

As = Annotated[str | None, typer.Option("--as", help="Act in the name of this account, within its role.")]
DataSetName = Annotated[str, typer.Option("--data-set", help="Of this data set alone.")]
BatchId = Annotated[int | None, typer.Option("--batch", help="Of this batch alone.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["quarantine"]
    group.command("list")(list_all)
    group.command("show")(show)
    group.command("export")(export)
    group.command("retry")(retry)
    group.command("drop")(drop)
    groups["load"].command("undo")(undo)


def list_all(*, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List what waits: data set, batch, file, rows."""
    with acting(territory, as_) as here:
        found = quarantine.waiting(here.session, here.actor, here.territory.id)
    if as_json:
        emit({"batches": [{name: getattr(each, name) for name in each.__slots__} for each in found]}, as_json)
        return
    for each in found:
        print(f"{each.data_set:<24} batch {each.batch_id:<6} {each.file_name:<32} {each.rows:>8,} rows")
    print(f"{sum(each.rows for each in found):,} rows wait" if found else "Nothing waits.")


def show(
    *,
    data_set: DataSetName = "",
    batch: BatchId = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Show each row that waits, with everything that is wrong with it."""
    with acting(territory, as_) as here:
        rows = quarantine.list_rows(here.session, here.actor, here.territory.id, data_set=data_set, batch_id=batch)
    if as_json:
        emit({"rows": [_as_dict(each) for each in rows]}, as_json)
        return
    for each in rows:
        told = " ".join(f"{one['field']}: {one['sentence']}" for one in each.violations)
        print(f"{each.id:>8}  row {each.row_number:<8} {told}")


def export(
    out: Annotated[Path, typer.Argument(help="CSV file to write.")],
    *,
    data_set: DataSetName = "",
    batch: BatchId = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Write the rows that wait for a spreadsheet; mended, they come back by 'quarantine retry'."""
    with acting(territory, as_, purpose="export quarantine") as here:
        rows = quarantine.list_rows(
            here.session, here.actor, here.territory.id, data_set=data_set, batch_id=batch, limit=quarantine.MOST_ROWS
        )
        out.write_text(quarantine.as_csv(rows, quarantine.headings_of(here.session, rows)), encoding="utf-8-sig")
    emit({"file": str(out), "rows": len(rows)}, as_json)


def retry(
    file: Annotated[
        Path | None, typer.Argument(help="A file from 'export', mended; else the rows as they stand.")
    ] = None,
    *,
    data_set: DataSetName = "",
    batch: BatchId = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring rows in again, mended in a file or as they stand."""
    with acting(territory, as_, purpose="retry quarantine") as here:
        place = place_in(here.session, here.territory)
        if file is not None:
            done = quarantine.retry_file(here.session, here.actor, here.territory, file, place=place)
        else:
            rows = quarantine.list_rows(
                here.session,
                here.actor,
                here.territory.id,
                data_set=data_set,
                batch_id=batch,
                limit=quarantine.MOST_ROWS,
            )
            done = quarantine.retry(
                here.session, here.actor, here.territory, {each.id: {} for each in rows}, place=place
            )
    emit({"tried": done.tried, "fixed": done.fixed, "left": done.left, "batches": list(done.batches)}, as_json)


def drop(
    rows: Annotated[list[int], typer.Argument(help="Numbers in quarantine.")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Decide that rows are not brought in."""
    if not rows:
        raise InvalidInput("Which rows?", hint="Give their numbers of 'quarantine show'.")
    with acting(territory, as_, purpose="drop quarantined rows") as here:
        count = quarantine.drop(here.session, here.actor, here.territory.id, rows)
    emit({"dropped": count}, as_json)


def undo(
    batch: Annotated[int, typer.Argument(help="Number of the batch.")],
    *,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Take a batch out again; what it replaced holds again."""
    with acting(territory, as_, purpose="undo a batch") as here:
        gone = undo_batch(here.session, here.actor, batch, reason=reason)
        told = {"batch": gone.id, "file": gone.file_name, "status": gone.status}
    emit(told, as_json)


def _as_dict(row: quarantine.QuarantinedView) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "batch_id", "row_number", "raw", "violations", "state")}
