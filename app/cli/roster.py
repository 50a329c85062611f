"""roster show, duty, gaps, check, patterns, pattern, assign, except, swap, import, need: who works when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, system_actor
from geodata.db import transaction
from geodata.files import read_table
from geodata.territory import TerritoryInfo, find_territory
from people import rostering
from people.roster import DayException, Pattern, local_time
from people.roster_change import Change, clock_words, parse_clock
from people.roster_files import parse_day, parse_steps
from people.roster_rules import said

Worker = Annotated[str, typer.Argument(help="Staff number, e.g. W012.")]
Day = Annotated[str | None, typer.Option("--day", help="First day, e.g. 2026-03-31; today without.")]
Days = Annotated[int, typer.Option("--days", help="How many days.")]
Knowingly = Annotated[bool, typer.Option("--knowingly", help="Write it even where rules of hours and rest are broken.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    roster = groups["roster"]
    for name, command in (
        ("show", show),
        ("duty", duty),
        ("gaps", gaps),
        ("check", check),
        ("patterns", patterns),
        ("pattern", pattern),
        ("assign", assign),
        ("except", change_day),
        ("swap", swap),
        ("import", bring_in),
        ("need", need),
    ):
        roster.command(name)(command)


def show(*, day: Day = None, days: Days = 7, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Say who works when."""
    actor = system_actor(label="command line")
    with transaction(actor) as session:
        place = find_territory(session, territory)
        view = rostering.roster_view(session, actor, place, _day(day, place), days)
    rows: dict[str, Any] = {}
    for row in view.rows():
        line = {}
        for column in range(view.lead, view.lead + days):
            words = clock_words(int(view.roster.start_min[row, column]), int(view.roster.end_min[row, column]))
            if view.roster.away[row, column]:
                words = "away"
            line[view.roster.day(column).isoformat()] = words or "free"
        rows[view.members[row].code] = line
    emit(rows, as_json)


def duty(
    *,
    at: Annotated[str | None, typer.Option("--at", help="Local time, e.g. 2026-03-31T14:00; now without.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say who is on duty at a moment, and who covers which grid."""
    actor = system_actor(label="command line")
    with transaction(actor) as session:
        place = find_territory(session, territory)
        moment = _moment(at, place)
        view = rostering.roster_view(session, actor, place, moment.astimezone(place.zone).date(), 1, at=moment)
        cover = rostering.cover_view(session, actor, place, view, moment)
    moment_s = int(moment.timestamp())
    present = {
        view.members[int(view.shifts.worker[index])].code: int(view.shifts.end_s[index])
        for index in range(len(view.shifts))
        if view.shifts.start_s[index] <= moment_s < view.shifts.end_s[index]
    }
    states = [each.state.value for each in cover.states]
    emit(
        {
            "at": moment.astimezone(place.zone).isoformat(timespec="minutes"),
            "workers": len(view.members),
            "on_duty": {code: f"until {local_time(end, place.zone):%H:%M}" for code, end in sorted(present.items())},
            "grids": {name: states.count(name) for name in sorted(set(states))},
        },
        as_json,
    )


def gaps(*, day: Day = None, days: Days = 7, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the times in which a responsibility grid has nobody, with the reason."""
    actor = system_actor(label="command line")
    with transaction(actor) as session:
        place = find_territory(session, territory)
        first = _day(day, place)
        view = rostering.roster_view(session, actor, place, first, days)
        noon = dt.datetime.combine(first, dt.time(12), place.zone)
        cover = rostering.cover_view(session, actor, place, view, noon)
    found = [
        {
            "grid": cover.grids[gap.grid].code,
            "day": view.roster.day(gap.day).isoformat(),
            "from": f"{local_time(gap.start_s, place.zone):%H:%M}",
            "to": f"{local_time(gap.end_s, place.zone):%H:%M}",
            "reason": gap.reason.value,
        }
        for gap in cover.gaps
    ]
    if as_json:
        emit({"gaps": found}, as_json=True)
        return
    emit({f"{gap['day']} {gap['grid']}": f"{gap['from']}-{gap['to']} {gap['reason']}" for gap in found}, as_json)


def check(*, day: Day = None, days: Days = 28, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the rules of hours and rest that the roster breaks, with the numbers."""
    actor = system_actor(label="command line")
    with transaction(actor) as session:
        place = find_territory(session, territory)
        view = rostering.roster_view(session, actor, place, _day(day, place), days)
    emit(
        {
            "broken": len(view.violations),
            "violations": [said(each, view.code_of(each.worker_id)) for each in view.violations],
        },
        as_json,
    )


def patterns(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the shift patterns."""
    actor = system_actor(label="command line")
    with transaction(actor) as session:
        place = find_territory(session, territory)
        known = rostering.patterns_of(session, actor, place.id)
    emit({each.code: _pattern_words(each) for each in known}, as_json)


def pattern(
    code: Annotated[str, typer.Argument(help="Short code; one letter is best.")],
    shifts: Annotated[list[str], typer.Argument(help="A word a day: 06:00-14:00/30, 21:00-06:00+1 or free.")],
    *,
    name: Annotated[str, typer.Option(help="Name of the pattern.")],
    name_zh: Annotated[str | None, typer.Option(help="The same in Chinese.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Make a shift pattern."""
    actor = system_actor(label="command line")
    made = Pattern(0, code.strip().upper(), name, name_zh, len(shifts), parse_steps(shifts), 0)
    with transaction(actor, purpose="shift pattern") as session:
        place = find_territory(session, territory)
        made_id = rostering.set_pattern(session, actor, place.id, made)
    emit({"id": made_id, made.code: _pattern_words(made)}, as_json)


def assign(
    worker: Worker,
    pattern_code: Annotated[str, typer.Argument(metavar="PATTERN", help="Code of a pattern.")],
    *,
    from_on: Annotated[str, typer.Option("--from", help="First day.")],
    to_on: Annotated[str | None, typer.Option("--to", help="Last day; goes on without.")] = None,
    anchor: Annotated[str | None, typer.Option("--anchor", help="Day 1 of the pattern's cycle.")] = None,
    knowingly: Knowingly = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Let a worker work by a pattern from a day on."""
    actor = system_actor(label="command line")
    with transaction(actor, purpose="roster assign") as session:
        place = find_territory(session, territory)
        known = {each.code: each.id for each in rostering.patterns_of(session, actor, place.id)}
        if pattern_code.upper() not in known:
            raise NotFound(f"There is no pattern {pattern_code}.", hint=f"Known are: {', '.join(known) or 'none'}.")
        change = rostering.pattern_change(
            session,
            actor,
            place,
            _worker(session, actor, place, worker),
            known[pattern_code.upper()],
            from_on=_required(from_on),
            to_on=_required(to_on) if to_on else None,
            anchor_on=_required(anchor) if anchor else None,
        )
        broken = rostering.carry_out(session, actor, place, change, knowingly=knowingly)
    emit(
        {"worker": worker.upper(), "pattern": pattern_code.upper(), "from": from_on, "rules_broken": len(broken)},
        as_json,
    )


def change_day(
    worker: Worker,
    day: Annotated[str, typer.Argument(help="The day.")],
    hours: Annotated[str, typer.Argument(help="06:00-14:00/30, 21:00-06:00+1, free, or pattern to undo an exception.")],
    *,
    knowingly: Knowingly = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Change one day of a worker."""
    actor = system_actor(label="command line")
    with transaction(actor, purpose="roster except") as session:
        place = find_territory(session, territory)
        who, on = _worker(session, actor, place, worker), _required(day)
        known = rostering.exception_on(session, actor, place.id, who, on)
        if hours == "pattern":
            change = Change(cleared=(known,) if known else ())
        else:
            steps = parse_steps([hours])
            start, end, rest = (steps[0].start_min, steps[0].end_min, steps[0].break_min) if steps else (None, None, 0)
            version = known.version if known else 0
            change = Change(days=(DayException(who, on, start, end, rest, "change" if steps else "free", version),))
        broken = rostering.carry_out(session, actor, place, change, knowingly=knowingly)
    emit({"worker": worker.upper(), "day": on.isoformat(), "hours": hours, "rules_broken": len(broken)}, as_json)


def swap(
    worker: Worker,
    other: Worker,
    day: Annotated[str, typer.Argument(help="The day.")],
    *,
    knowingly: Knowingly = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Let two workers do each other's shift of a day."""
    actor = system_actor(label="command line")
    with transaction(actor, purpose="roster swap") as session:
        place = find_territory(session, territory)
        one, two = (_worker(session, actor, place, each) for each in (worker, other))
        change = rostering.swap_change(session, actor, place, one=one, other=two, day=_required(day))
        broken = rostering.carry_out(session, actor, place, change, knowingly=knowingly)
    emit({"workers": [worker.upper(), other.upper()], "day": day, "rules_broken": len(broken)}, as_json)


def bring_in(
    path: Annotated[Path, typer.Argument(help="CSV or XLSX: worker, day, start, end, break, or worker, day, pattern.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change and write nothing.")] = False,
    knowingly: Knowingly = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Bring a roster in from a file in one act; the same file again changes nothing."""
    actor = system_actor(label="command line")
    table = read_table(path)
    with transaction(actor, purpose="roster import") as session:
        place = find_territory(session, territory)
        reading = rostering.read_file(session, actor, place, table)
        broken = () if dry_run else rostering.bring_in(session, actor, place, reading, knowingly=knowingly)
    emit(
        {
            "rows": reading.rows,
            "days_changed": len(reading.change.days),
            "patterns_given": len(reading.change.given),
            "already_so": reading.unchanged,
            "faults": [each.words() for each in reading.problems],
            "rules_broken": len(broken),
            "written": not dry_run,
        },
        as_json,
    )


def need(
    grid: Annotated[str, typer.Argument(help="Code of a responsibility grid.")],
    workers: Annotated[int, typer.Argument(help="How many it needs at a time; 0 for nobody.")],
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say how many workers a responsibility grid needs at a time."""
    actor = system_actor(label="command line")
    with transaction(actor, purpose="roster need") as session:
        place = find_territory(session, territory)
        rostering.set_need(session, actor, place.id, grid, workers)
    emit({"grid": grid, "workers": workers}, as_json)


def _worker(session: Session, actor: Actor, place: TerritoryInfo, code: str) -> int:
    known = {each: worker for worker, each in rostering.codes_of(session, actor, place).items()}
    if code.strip().upper() not in known:
        raise NotFound(f"There is no worker with the staff number {code}.", hint="See 'gridkeeper worker list'.")
    return known[code.strip().upper()]


def _pattern_words(each: Pattern) -> str:
    shifts = {step.day: clock_words(step.start_min, step.end_min) for step in each.steps}
    return f"{each.name}: " + ", ".join(shifts.get(day, "free") for day in range(each.cycle_days))


def _day(text: str | None, place: TerritoryInfo) -> dt.date:
    return now().astimezone(place.zone).date() if text is None else _required(text)


def _required(text: str) -> dt.date:
    found = parse_day(text)
    if found is None:
        raise InvalidInput(f"{text!r} is no day.", hint="Write it as 2026-03-31.")
    return found


def _moment(text: str | None, place: TerritoryInfo) -> dt.datetime:
    if text is None:
        return now()
    day, _, time = text.replace(" ", "T").partition("T")
    minutes = parse_clock(time or "12:00")
    return dt.datetime.combine(_required(day), dt.time(), place.zone) + dt.timedelta(minutes=minutes)
