"""unit list, show, add, change, end, import, export: the offices and companies, for scripts and for set-up."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from core.errors import InvalidInput
from core.identity import Actor, system_actor
from geodata import db
from geodata.files import read_table
from geodata.territory import TerritoryInfo, find_territory
from people import accounts, duties, importing, units
from people.table_out import as_csv, as_xlsx
from people.unit_model import KINDS, UnitRecord, UnitSpec, arranged

As = Annotated[
    str | None, typer.Option("--as", metavar="LOGIN", help="Act in the name of this account, within its role.")
]
Version = Annotated[int | None, typer.Option(help="Of the unit as you saw it; refused when it changed since.")]
Which = Annotated[str, typer.Argument(metavar="UNIT", help="Code of the unit, e.g. HW.")]
NOTHING = "-"
"""Given for a text, takes it away."""


@dataclass(frozen=True, slots=True)
class Here:
    """Where a command works, and who acts."""

    session: Session
    actor: Actor
    territory: TerritoryInfo


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["unit"]
    group.command("list")(list_)
    group.command("show")(show)
    group.command("add")(add)
    group.command("change")(change)
    group.command("end")(end)
    group.command("import")(import_)
    group.command("export")(export)


@contextlib.contextmanager
def acting(territory: str | None, login: str | None, *, purpose: str = "") -> Iterator[Here]:
    """Open the transaction of a command: as the system, or as an account within its role."""
    actor = system_actor(label="command line")
    db.ensure_database()
    with db.transaction(actor) as session:
        found = find_territory(session, territory)
        actor = system_actor(found.id, label="command line")
        if login is not None:
            account = accounts.find_account(session, login, found.id)
            actor = replace(account.actor(), label=f"{account.login} (command line)")
        db.as_actor(session, actor, purpose=purpose)
        yield Here(session, actor, found)


def list_(
    *,
    on: Annotated[str | None, typer.Option(help="Units that exist on this day, 2026-03-01; all when left out.")] = None,
    kind: Annotated[str | None, typer.Option(help="One of: " + ", ".join(KINDS))] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List the units as a tree."""
    if kind is not None and kind not in KINDS:
        raise InvalidInput(f"There is no kind of unit {kind!r}.", hint=f"Known are: {', '.join(KINDS)}.")
    with acting(territory, None) as here:
        found = units.tree(here.session, here.actor, here.territory.id, on=day_of(on))
        rows = [(depth, unit) for depth, unit in arranged(found) if kind in {None, unit.spec.kind}]
    if as_json:
        emit({"units": [told(unit) for _, unit in rows]}, as_json)
        return
    for depth, unit in rows:
        days = f"  until {unit.spec.valid_to}" if unit.spec.valid_to else ""
        print(f"{'  ' * depth}{unit.code:<8} {unit.spec.name} ({unit.spec.kind}){days}")


def show(which: Which, *, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Say all about one unit: contact, days, what hangs on it."""
    with acting(territory, None) as here:
        found = units.detail(here.session, here.actor, here.territory.id, which)
    facts = told(found.unit) | {
        "below": [unit.code for unit in found.children],
        **asdict(found.holding),
        "changes": len(found.history),
    }
    emit(facts, as_json)


def add(
    code: Annotated[str, typer.Argument(help="Short and lasting, e.g. ST07.")],
    *,
    name: Annotated[str, typer.Option(help="Name of the unit.")],
    kind: Annotated[str, typer.Option(help="One of: " + ", ".join(KINDS))],
    name_zh: Annotated[str | None, typer.Option(help="Name in Chinese.")] = None,
    parent: Annotated[str | None, typer.Option(help="Code of the unit above.")] = None,
    contact: Annotated[str | None, typer.Option(help="Function to ask for, not a person.")] = None,
    contact_zh: Annotated[str | None, typer.Option(help="The same in Chinese.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone of the office.")] = None,
    email: Annotated[str | None, typer.Option(help="E-mail of the office.")] = None,
    address: Annotated[str | None, typer.Option(help="Address of the office.")] = None,
    calendar: Annotated[str | None, typer.Option(help="Code of a working calendar, e.g. always.")] = None,
    valid_from: Annotated[str | None, typer.Option("--from", help="First day; today when left out.")] = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Add a unit."""
    spec = UnitSpec(
        code, kind, name, day_of(valid_from) or duties.today(), name_zh, parent, contact, contact_zh, phone, email,
        address, calendar,
    )  # fmt: skip
    with acting(territory, as_, purpose="unit add") as here:
        made = units.add(here.session, here.actor, here.territory.id, spec)
        facts = told(units.detail(here.session, here.actor, here.territory.id, made).unit)
    emit(facts, as_json)


def change(
    which: Which,
    *,
    name: Annotated[str | None, typer.Option(help="New name; the record keeps the old one.")] = None,
    name_zh: Annotated[str | None, typer.Option(help="Name in Chinese; - takes it or any text below away.")] = None,
    kind: Annotated[str | None, typer.Option(help="One of: " + ", ".join(KINDS))] = None,
    parent: Annotated[str | None, typer.Option(help="Code of the unit above.")] = None,
    contact: Annotated[str | None, typer.Option(help="Function to ask for, not a person.")] = None,
    contact_zh: Annotated[str | None, typer.Option(help="The same in Chinese.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone of the office.")] = None,
    email: Annotated[str | None, typer.Option(help="E-mail of the office.")] = None,
    address: Annotated[str | None, typer.Option(help="Address of the office.")] = None,
    calendar: Annotated[str | None, typer.Option(help="Code of a working calendar.")] = None,
    version: Version = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Change fields of a unit; what is left out stays."""
    given: dict[str, Any] = {
        "name": name, "name_zh": name_zh, "kind": kind, "parent": parent, "contact": contact,
        "contact_zh": contact_zh, "phone": phone, "email": email, "address": address, "calendar": calendar,
    }  # fmt: skip
    wanted = {key: None if value == NOTHING else value for key, value in given.items() if value is not None}
    if not wanted:
        raise InvalidInput("Nothing to change was given.", hint="Name a field, e.g. --phone '+44 1983 821000'.")
    with acting(territory, as_, purpose="unit change") as here:
        unit = _unit(here, which)
        units.change(here.session, here.actor, here.territory.id, unit.id, version=version or unit.version, **wanted)
        facts = told(units.detail(here.session, here.actor, here.territory.id, unit.id).unit)
    emit(facts, as_json)


def end(
    which: Which,
    *,
    last: Annotated[str | None, typer.Option(help="Last day, 2026-12-31; today when left out.")] = None,
    go_on: Annotated[bool, typer.Option("--go-on", help="Take the last day away again.")] = False,
    version: Version = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Set the last day of a unit; refused while it still has work, unless the day is to come."""
    with acting(territory, as_, purpose="unit end") as here:
        unit = _unit(here, which)
        last_day = None if go_on else day_of(last) or duties.today()
        units.end(
            here.session, here.actor, here.territory.id, unit.id, version=version or unit.version, last_day=last_day
        )
        facts = told(units.detail(here.session, here.actor, here.territory.id, unit.id).unit)
    emit(facts, as_json)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV or Excel; headings: code, kind, name, name zh, parent, …")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Add and change units from a table, all of it or nothing; the same file again changes nothing."""
    columns = columns_of(file)
    with acting(territory, as_, purpose="unit import") as here:
        done = importing.import_units(here.session, here.actor, here.territory.id, columns, file=file.name)
    emit({"file": file.name, **done.as_dict()}, as_json)


def export(
    file: Annotated[Path, typer.Argument(help="Where to write; the ending says how, .csv or .xlsx.")],
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Write all units as a table that 'import' takes."""
    with acting(territory, None) as here:
        table = importing.export_units(here.session, here.actor, here.territory.id)
    emit({"file": str(file), "units": written(table, file, sheet="units")}, as_json)


def written(table: Mapping[str, list[str]], file: Path, *, sheet: str) -> int:
    """Write a table to a file as its ending says, and return the number of rows."""
    kind = file.suffix.lower()
    if kind not in {".csv", ".xlsx"}:
        raise InvalidInput(f"{file.name} is neither .csv nor .xlsx.", hint="Choose one of these endings.")
    try:
        file.write_bytes(as_csv(table) if kind == ".csv" else as_xlsx(table, sheet=sheet))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.", hint="Choose another place.") from error
    return len(next(iter(table.values())))


def columns_of(file: Path) -> dict[str, list[str]]:
    """Return the columns of a table as text."""
    return {heading: cells.tolist() for heading, cells in read_table(file).columns.items()}


def day_of(text: str | None) -> dt.date | None:
    """Return the day of an option; raise `InvalidInput` when it is none."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no date.", hint="Write it as 2026-03-01.") from error


def told(unit: UnitRecord) -> dict[str, Any]:
    """Return a unit for an answer."""
    facts = {key: value for key, value in asdict(unit.spec).items() if not isinstance(value, dt.date)}
    days = {"valid_from": unit.spec.valid_from.isoformat()}
    last = unit.spec.valid_to
    return {"id": unit.id, **facts, **days, "valid_to": last.isoformat() if last else None, "version": unit.version}


def _unit(here: Here, which: str) -> UnitRecord:
    return units.find(units.tree(here.session, here.actor, here.territory.id), which)
