"""unit duty list, check, assign, replace, end, import, export: which class in which area belongs to whom."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.unit import As, acting, columns_of, day_of, written
from core.errors import NotFound
from people import duties, importing, units
from people.duty import Problem
from people.duty_files import plain
from people.duty_model import AreaName, ClassName, DutyEntry, DutyList

ClassKey = Annotated[str | None, typer.Option("--class", help="Kind and code, e.g. event-04-03, or the name.")]
Areas = Annotated[list[str] | None, typer.Option("--area", help="Code or name of a community; district/01 for wider.")]
Law = Annotated[str | None, typer.Option("--basis", help="Legal basis.")]
Entry = Annotated[int, typer.Argument(metavar="ENTRY", help="Id of the entry, from 'unit duty list'.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    duty = typer.Typer(help="The duty list.", no_args_is_help=True)
    groups["unit"].add_typer(duty, name="duty")
    duty.command("list")(list_)
    duty.command("check")(check)
    duty.command("assign")(assign)
    duty.command("replace")(replace)
    duty.command("end")(end)
    duty.command("import")(import_)
    duty.command("export")(export)


def list_(
    *,
    class_: ClassKey = None,
    unit: Annotated[str | None, typer.Option(help="Code of a unit.")] = None,
    on: Annotated[str | None, typer.Option(help="Entries in force on this day; all when left out.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List the entries."""
    with acting(territory, None) as here:
        listed = duties.read(here.session, here.actor, here.territory.id)
    kind = None if class_ is None else _class(listed, class_).id
    owner = None if unit is None else units.find(list(listed.units.values()), unit).id
    day = day_of(on)
    rows = [
        _told(each, listed)
        for each in listed.entries
        if kind in {None, each.class_id} and owner in {None, each.unit_id} and (day is None or each.stands(day))
    ]
    if as_json:
        emit({"entries": rows}, as_json)
        return
    for row in rows:
        print(f"{row['id']:>5}  {row['class']:<16} {row['area'] or '*':<14} {row['unit']:<8} {row['days']}")


def check(
    *,
    first: Annotated[str | None, typer.Option("--from", help="First day; today when left out.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; a year on when left out.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say the gaps and conflicts; ends with 0 whatever is found."""
    with acting(territory, None) as here:
        listed = duties.read(here.session, here.actor, here.territory.id)
    found = duties.check(listed, first=day_of(first), last=day_of(last))
    rows = [_problem(each, listed, found.communities) for each in found.problems]
    summary = {
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "classes": len(listed.classes),
        "communities": found.communities,
        "gaps": sum(row["kind"] == "gap" for row in rows),
        "conflicts": sum(row["kind"] == "conflict" for row in rows),
    }
    if as_json:
        emit({**summary, "problems": rows}, as_json)
        return
    emit(summary, as_json)
    for row in rows:
        why = f"; {', '.join(row['units'])}" if row["units"] else ""
        print(f"{row['kind']}: {row['class']} in {row['where']}, {row['from']} to {row['to']}{why}")


def assign(
    unit: Annotated[str, typer.Argument(help="Code of the unit that is to own the classes.")],
    *,
    class_: Annotated[list[str], typer.Option("--class", help="Kind and code, or name; may be given several times.")],
    area: Areas = None,
    basis: Law = None,
    first: Annotated[str | None, typer.Option("--from", help="First day; today when left out.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; without end when left out.")] = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Give classes in areas (the whole territory when none is given) to a unit."""
    with acting(territory, as_, purpose="duty assign") as here:
        listed = duties.read(here.session, here.actor, here.territory.id)
        made = duties.assign(
            here.session,
            here.actor,
            here.territory.id,
            class_ids=[_class(listed, key).id for key in class_],
            area_ids=[_area(listed, key).id for key in area or ()] or [None],
            unit_id=units.find(list(listed.units.values()), unit).id,
            legal_basis=basis or "",
            valid_from=day_of(first),
            valid_to=day_of(last),
        )
    emit({"unit": unit, "entries": made}, as_json)


def replace(
    entry: Entry,
    *,
    unit: Annotated[str, typer.Option(help="Code of the unit that takes over.")],
    first: Annotated[str, typer.Option("--from", help="Day from which it owns the class.")],
    basis: Law = None,
    version: Annotated[int | None, typer.Option(help="Of the entry as you saw it.")] = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """End an entry on the day before and begin one of another unit, in one act."""
    with acting(territory, as_, purpose="duty replace") as here:
        listed = duties.read(here.session, here.actor, here.territory.id)
        made = duties.replace(
            here.session,
            here.actor,
            here.territory.id,
            entry,
            version=version or _entry(listed, entry).version,
            unit_id=units.find(list(listed.units.values()), unit).id,
            from_day=day_of(first) or duties.today(),
            legal_basis=basis,
        )
    emit({"ended": entry, "begun": made, "unit": unit, "from": first}, as_json)


def end(
    entry: Entry,
    *,
    last: Annotated[str | None, typer.Option(help="Last day; today when left out.")] = None,
    go_on: Annotated[bool, typer.Option("--go-on", help="Take the last day away again.")] = False,
    version: Annotated[int | None, typer.Option(help="Of the entry as you saw it.")] = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Set the last day of an entry; a day before its first takes back one that has not begun."""
    with acting(territory, as_, purpose="duty end") as here:
        listed = duties.read(here.session, here.actor, here.territory.id)
        last_day = None if go_on else day_of(last) or duties.today()
        left = duties.end(
            here.session,
            here.actor,
            here.territory.id,
            entry,
            version=version or _entry(listed, entry).version,
            last_day=last_day,
        )
    emit({"entry": entry, "last": last_day and last_day.isoformat(), "taken_back": left is None}, as_json)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV or Excel; headings: class, area, unit, legal basis, valid from, …")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Add and change entries from a table, all of it or nothing; the same file again changes nothing."""
    columns = columns_of(file)
    with acting(territory, as_, purpose="duty import") as here:
        done = importing.import_duties(here.session, here.actor, here.territory.id, columns, file=file.name)
    emit({"file": file.name, **done.as_dict()}, as_json)


def export(
    file: Annotated[Path, typer.Argument(help="Where to write; the ending says how, .csv or .xlsx.")],
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole duty list as a table that 'import' takes."""
    with acting(territory, None) as here:
        table = importing.export_duties(here.session, here.actor, here.territory.id)
    emit({"file": str(file), "entries": written(table, file, sheet="duty list")}, as_json)


def _class(listed: DutyList, given: str) -> ClassName:
    for each in listed.classes.values():
        if plain(given) in {plain(name) for name in (each.key, each.name_en, each.name_zh)}:
            return each
    raise NotFound(f"There is no class {given!r}.", hint="Give kind and code, e.g. event-04-03, or its name.")


def _area(listed: DutyList, given: str) -> AreaName:
    found = [
        each
        for each in listed.areas.values()
        if plain(given) in {plain(name) for name in (each.key, each.name, each.name_zh or each.name)}
    ]
    # A territory's first street and district may carry the name of its only community.
    lowest = [each for each in found if each.level == "community" or plain(given) == plain(each.key)]
    if len(lowest) != 1:
        known = ", ".join(f"{each.key} {each.name}" for each in listed.areas.values() if each.level == "community")
        raise NotFound(f"There is no area {given!r}.", hint=f"Known are: {known[:600]}; district/CODE, street/CODE.")
    return lowest[0]


def _entry(listed: DutyList, entry: int) -> DutyEntry:
    for each in listed.entries:
        if each.id == entry:
            return each
    raise NotFound(f"There is no entry {entry} in the duty list.", hint="See them with 'gridkeeper unit duty list'.")


def _told(entry: DutyEntry, listed: DutyList) -> dict[str, Any]:
    area = listed.areas[entry.area_id] if entry.area_id is not None else None
    last = entry.valid_to.isoformat() if entry.valid_to else None
    return {
        "id": entry.id,
        "class": listed.classes[entry.class_id].key,
        "class_name": listed.classes[entry.class_id].name_en,
        "area": area.key if area else None,
        "area_name": area.name if area else None,
        "unit": listed.units[entry.unit_id].code,
        "legal_basis": entry.legal_basis,
        "valid_from": entry.valid_from.isoformat(),
        "valid_to": last,
        "days": f"from {entry.valid_from} to {last or 'without end'}",
        "version": entry.version,
    }


def _problem(problem: Problem, listed: DutyList, communities: int) -> dict[str, Any]:
    areas = [listed.areas[area] for area in problem.area_ids]
    everywhere = len(areas) == communities
    return {
        "kind": problem.kind,
        "class": listed.classes[problem.class_id].key,
        "where": "every community" if everywhere else ", ".join(area.name for area in areas),
        "areas": [area.key for area in areas],
        "from": problem.first.isoformat(),
        "to": problem.last.isoformat(),
        "units": [listed.units[unit].code for unit in (problem.unit_ids or problem.lapsed)],
        "unit_ended": bool(problem.lapsed),
    }
