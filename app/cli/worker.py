"""worker list, show, add, change, end, import, export, erase, absence …: the staff list for scripts and for set-up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.unit import Here, acting, day_of
from core.clock import now
from core.errors import InvalidInput, NotFound
from geodata.tables import PURPOSES
from people import absences, staff, worker_import, workers
from people.absences import AbsenceKept
from people.service import list_units
from people.worker_files import as_csv, as_xlsx
from people.worker_model import ABSENCE_KINDS, LANGUAGES, StaffFilter, StaffRow, WorkerFields, clean_code

As = Annotated[
    str | None, typer.Option("--as", metavar="LOGIN", help="Act in the name of this account, within its role.")
]
Version = Annotated[int | None, typer.Option(help="As you saw it; refused when it changed since.")]
Which = Annotated[str, typer.Argument(metavar="WORKER", help="Staff number, e.g. W012.")]
Grid = Annotated[str | None, typer.Option(help="Code of the responsibility grid; '-' for none.")]
Skill = Annotated[list[str] | None, typer.Option(help="A skill; several times for several. Replaces those kept.")]
Equipment = Annotated[list[str] | None, typer.Option(help="A piece of equipment; as --skill.")]
Language = Annotated[str | None, typer.Option(help="One of: " + ", ".join(LANGUAGES))]
FirstDay = Annotated[str | None, typer.Option(help="First day here, 2026-03-01.")]
STATES = ("here", "away", "no_grid", "left")


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["worker"]
    for name, command in (
        ("list", list_),
        ("show", show),
        ("add", add),
        ("change", change),
        ("end", end),
        ("import", import_),
        ("export", export),
        ("erase", erase),
    ):
        group.command(name)(command)
    absence = typer.Typer(help="Leave, sickness, training: who is away and who stands in.", no_args_is_help=True)
    absence.command("add")(absence_add)
    absence.command("end")(absence_end)
    absence.command("list")(absence_list)
    group.add_typer(absence, name="absence")


def list_(
    *,
    find: Annotated[str, typer.Option(help="Part of a staff number, name or unit, or a phone number.")] = "",
    state: Annotated[str, typer.Option(help="One of: " + ", ".join(STATES))] = "",
    unit: Annotated[str | None, typer.Option(help="Code of a unit.")] = None,
    grid: Annotated[str | None, typer.Option(help="Code of a responsibility grid.")] = None,
    skill: Annotated[str, typer.Option(help="A skill.")] = "",
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List the workers, those who left only when asked for."""
    if state and state not in STATES:
        raise InvalidInput(f"There is no state {state!r}.", hint=f"Known are: {', '.join(STATES)}.")
    with acting(territory, as_) as here:
        wanted = StaffFilter(
            unit_id=None if unit is None else _unit(here, unit),
            grid_id=None if grid is None else _grid(here, grid),
            skill=skill,
            state=state,
            text=find,
        )
        rows = staff.list_staff(here.session, here.actor, here.territory.id, today=_today(here), wanted=wanted)
    if as_json:
        emit({"count": len(rows), "workers": [_told(row) for row in rows]}, as_json)
        return
    for row in rows:
        where = row.grid.code if row.grid else "looks after no grid"
        print(f"{row.code:<8} {row.name or '–':<20} {row.state:<5} {row.unit_code:<8} {where}")
    print(f"{len(rows):,} workers")


def show(which: Which, *, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Say all about one worker: what is kept, absences, whom he stands in for."""
    with acting(territory, as_) as here:
        detail = staff.staff_detail(here.session, here.actor, here.territory.id, which, today=_today(here))
        changes = len(staff.staff_history(here.session, here.actor, detail.row))
        others = [each for away in (*detail.coming, *detail.stands_in) for each in (away.worker_id, away.deputy_id)]
        codes = staff.codes_of(here.session, here.actor, [each for each in others if each])
    away: list[dict[str, Any]] = [
        {"id": each.id, "kind": each.kind, "from": each.from_on, "to": each.to_on, "deputy": each.deputy_code}
        for each in detail.absences
    ] or [{"from": each.from_on, "to": each.to_on, "deputy": codes.get(each.deputy_id or 0)} for each in detail.coming]
    facts = _told(detail.row) | {
        "phone": detail.phone,
        "account": detail.login,
        "absences": away,
        "stands_in_for": [
            {"worker": codes.get(each.worker_id), "from": each.from_on, "to": each.to_on} for each in detail.stands_in
        ],
        "changes": changes,
    }
    emit(facts, as_json)


def add(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="Staff number; proposed when left out.")] = None,
    *,
    name: Annotated[str, typer.Option(help="Name; kept sealed.")],
    unit: Annotated[str, typer.Option(help="Code of the unit.")],
    phone: Annotated[str | None, typer.Option(help="Phone; kept sealed.")] = None,
    grid: Grid = None,
    skill: Skill = None,
    equipment: Equipment = None,
    language: Language = None,
    first_day: FirstDay = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Add a worker."""
    with acting(territory, as_, purpose="worker added") as here:
        home = here.territory.id
        new = WorkerFields(
            code=code or workers.propose_code(here.session, here.actor, home),
            unit_id=_unit(here, unit),
            name=name,
            phone=phone,
            grid_id=None if grid in {None, "-"} else _grid(here, grid or ""),
            language=language or LANGUAGES[0],
            skills=tuple(skill or ()),
            equipment=tuple(equipment or ()),
            employed_from=day_of(first_day),
        )
        kept = workers.add_worker(here.session, here.actor, home, new, today=_today(here))
        told = _now(here, kept.code)
    emit(told, as_json)


def change(
    which: Which,
    *,
    code: Annotated[str | None, typer.Option(help="Another staff number.")] = None,
    name: Annotated[str | None, typer.Option(help="Name; kept sealed.")] = None,
    unit: Annotated[str | None, typer.Option(help="Code of the unit.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone; kept sealed. Empty takes it away.")] = None,
    grid: Grid = None,
    skill: Skill = None,
    equipment: Equipment = None,
    language: Language = None,
    first_day: FirstDay = None,
    employ_again: Annotated[bool, typer.Option("--employ-again", help="Take the end of the employment back.")] = False,
    version: Version = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Change what is kept of a worker; what is not named stays."""
    with acting(territory, as_, purpose="worker changed") as here:
        row = _row(here, which)
        if employ_again:
            workers.resume_employment(here.session, here.actor, here.territory.id, row.id, version=version)
            version = None
        new = replace(
            row.fields(),
            code=code or row.code,
            name=name,
            phone=phone,
            unit_id=row.unit_id if unit is None else _unit(here, unit),
            language=language or row.language,
            employed_from=day_of(first_day) or row.employed_from,
        )
        if grid is not None:
            new = replace(new, grid_id=None if grid == "-" else _grid(here, grid))
        if skill is not None:
            new = replace(new, skills=tuple(skill))
        if equipment is not None:
            new = replace(new, equipment=tuple(equipment))
        kept = workers.change_worker(here.session, here.actor, here.territory.id, row.id, new, version=version)
        told = _now(here, kept.code) | {"changed": kept.changed or employ_again}
    emit(told, as_json)


def end(
    which: Which,
    *,
    on: Annotated[str | None, typer.Option(help="Last day, 2026-03-31; today when left out.")] = None,
    version: Version = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """End an employment; refused while tasks are open."""
    with acting(territory, as_, purpose="employment ended") as here:
        row, today = _row(here, which), _today(here)
        kept = workers.end_employment(
            here.session, here.actor, here.territory.id, row.id, day_of(on) or today, version=version, today=today
        )
        told = _now(here, kept.code) | {"another_deputy_needed": len(kept.stands_in)}
    emit(told, as_json)


def erase(
    which: Which,
    *,
    purpose: Annotated[str, typer.Option(help="One of: " + ", ".join(PURPOSES))],
    reference: Annotated[str, typer.Option(help="Number of the letter or order; no names.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask back.")] = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Destroy name and phone of a worker who left, everywhere and for good; his work and the record stay."""
    if not yes:
        typer.confirm(f"Name and phone of {which} are lost for good. Erase?", abort=True)
    with acting(territory, None, purpose="erase") as here:
        row = _row(here, which)
        workers.erase_worker_person(
            here.session, here.actor, here.territory.id, row.id, purpose=purpose, reference=reference
        )
        told = _now(here, row.code)
    emit(told, as_json)


def import_(
    file: Annotated[Path, typer.Argument(help="Staff list as .xlsx or .csv, headings in English or Chinese.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring workers in from a file; refused rows stay out and are told with row, column and reason."""
    with acting(territory, as_, purpose="import workers") as here:
        use = worker_import.plan_import if dry_run else worker_import.apply_import
        plan = use(here.session, here.actor, here.territory.id, file, today=_today(here))
    faults = [{"row": each.row, "column": each.column, "what": each.en} for each in plan.faults]
    if as_json:
        emit(plan.counts | {"ignored": plan.ignored, "faults": faults}, as_json)
        return
    emit(plan.counts, as_json)
    for fault in faults:
        print(f"row {fault['row']}, {fault['column']}: {fault['what']}")


def export(
    file: Annotated[Path, typer.Argument(help="Where to write it: .xlsx or .csv.")],
    *,
    empty: Annotated[bool, typer.Option("--empty", help="Only the headings, as a form to fill in.")] = False,
    chinese: Annotated[bool, typer.Option("--chinese", help="Headings in Chinese.")] = False,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Write the staff list to a file that only you can read; it holds names and phones."""
    write = {".csv": as_csv, ".xlsx": as_xlsx}.get(file.suffix.lower())
    if write is None:
        raise InvalidInput(f"{file.name} is neither .xlsx nor .csv.", hint="Name it so.")
    if file.exists():
        raise InvalidInput(f"{file} is there already.", hint="Take it away, or choose another name.")
    rows: list[list[str]] = []
    if not empty:
        with acting(territory, as_, purpose="export workers") as here:
            rows = worker_import.export_staff(here.session, here.actor, here.territory.id, today=_today(here))
    file.touch(mode=0o600)
    file.write_bytes(write(rows, "zh" if chinese else "en"))
    emit({"file": str(file), "workers": len(rows)}, as_json)


def absence_add(
    which: Which,
    *,
    from_on: Annotated[str, typer.Option("--from", help="First day away, 2026-03-02.")],
    to_on: Annotated[str | None, typer.Option("--to", help="Last day away; the first when left out.")] = None,
    kind: Annotated[str, typer.Option(help="One of: " + ", ".join(ABSENCE_KINDS))] = "leave",
    deputy: Annotated[str | None, typer.Option(help="Staff number of who stands in.")] = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Enter that a worker is away."""
    first, last = day_of(from_on), day_of(to_on or from_on)
    with acting(territory, as_, purpose="absence") as here:
        home = here.territory.id
        kept = absences.add_absence(
            here.session,
            here.actor,
            home,
            staff.id_of(here.session, home, which),
            kind=kind,
            from_on=first or _today(here),
            to_on=last or _today(here),
            deputy_id=None if deputy is None else staff.id_of(here.session, home, deputy),
        )
    emit(_absence(kept), as_json)


def absence_end(
    absence: Annotated[int, typer.Argument(help="Id of the absence; worker show tells it.")],
    *,
    back_on: Annotated[str | None, typer.Option(help="Day of being back; today when left out.")] = None,
    version: Version = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """End an absence early; one that has not begun is taken back."""
    with acting(territory, as_, purpose="absence ended") as here:
        kept = absences.end_absence(
            here.session,
            here.actor,
            here.territory.id,
            absence,
            back_on=day_of(back_on) or _today(here),
            version=version,
        )
    emit(_absence(kept), as_json)


def absence_list(*, as_: As = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Say who is away today and who stands in."""
    with acting(territory, as_) as here:
        rows = staff.list_staff(here.session, here.actor, here.territory.id, today=_today(here))
        away = staff.stands_in_today(here.session, here.actor, rows)
    told = {row.code: {"until": row.away.to_on, "deputy": deputy} for row, deputy in away if row.away is not None}
    emit(told, as_json)


def _today(here: Here) -> dt.date:
    return now().astimezone(here.territory.zone).date()


def _unit(here: Here, code: str) -> int:
    units = {unit.code.casefold(): unit.id for unit in list_units(here.session, here.actor, here.territory.id)}
    if code.casefold() not in units:
        raise NotFound(f"There is no unit {code!r}.", hint=f"Known are: {', '.join(units).upper() or 'none'}.")
    return units[code.casefold()]


def _grid(here: Here, code: str) -> int:
    known = {grid.code: grid.id for grid in staff.grid_choices(here.session, here.actor, here.territory.id)}
    if code not in known:
        shown = ", ".join(list(known)[:10]) or "none"
        raise NotFound(f"There is no responsibility grid {code!r} for you.", hint=f"Known are, first: {shown}.")
    return known[code]


def _row(here: Here, code: str) -> StaffRow:
    wanted = clean_code(code)
    home = here.territory.id
    return staff.staff_detail(here.session, here.actor, home, wanted, today=_today(here)).row


def _now(here: Here, code: str) -> dict[str, Any]:
    return _told(_row(here, code))


def _absence(kept: AbsenceKept) -> dict[str, Any]:
    return {
        "id": kept.id,
        "worker": kept.worker_code,
        "from": kept.from_on,
        "to": kept.to_on,
        "taken_back": kept.id is None,
        "another_deputy_needed": len(kept.stands_in),
    }


def _told(row: StaffRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "code": row.code,
        "name": row.name,
        "person": row.person,
        "state": row.state,
        "unit": row.unit_code,
        "grid": row.grid.code if row.grid else None,
        "language": row.language,
        "skills": list(row.skills),
        "equipment": list(row.equipment),
        "employed_from": row.employed_from,
        "employed_to": row.employed_to,
        "open_tasks": row.tasks,
        "version": row.version,
    }
