"""incident file, list, assign, move: the round of an incident for scripts and for the operator."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, system_actor
from geodata import db
from geodata.places import Place, find_places
from geodata.tables import OPEN_STATUSES, STATUSES
from geodata.territory import TerritoryInfo, find_territory
from incidents import service
from incidents.lifecycle import ACTS, REASONS
from incidents.model import SHARES, IncidentFilter, IncidentRow
from incidents.queues import SHIPPED
from incidents.service.reporting import SOURCES
from incidents.work import Done, NewReport
from people import accounts
from people import service as people

As = Annotated[
    str | None, typer.Option("--as", metavar="LOGIN", help="Act in the name of this account, within its role.")
]
Version = Annotated[
    int | None, typer.Option(min=1, max=2**31 - 1, help="Of the incident as you saw it; refused when it changed since.")
]
Command = Annotated[str | None, typer.Option(help="Id of this command; the same id again is applied once.")]
Which = Annotated[str, typer.Argument(metavar="INCIDENT", help="Number (IOW-2026-004417-N) or id.")]

QUEUES = {each.key: (each.mark, each.mine) for each, _ in SHIPPED}


@dataclass(frozen=True, slots=True)
class Here:
    """Where a command works, and who acts."""

    session: Session
    actor: Actor
    territory: TerritoryInfo


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["incident"]
    group.command("file")(file)
    group.command("list")(list_)
    group.command("assign")(assign)
    group.command("move")(move)


def file(
    *,
    class_: Annotated[str, typer.Option("--class", help="Kind and code (event-04-03), or the name of the class.")],
    lon: Annotated[float | None, typer.Option(help="Longitude in degrees.")] = None,
    lat: Annotated[float | None, typer.Option(help="Latitude in degrees.")] = None,
    address: Annotated[str | None, typer.Option(help="Instead of a point: a street, facility or town.")] = None,
    place: Annotated[str | None, typer.Option(help="Where it is, in words; the address when left out.")] = None,
    text: Annotated[str, typer.Option(help="What was reported; kept sealed.")] = "",
    name: Annotated[str, typer.Option(help="Who reported; kept sealed.")] = "",
    phone: Annotated[str, typer.Option(help="Phone of the reporter; kept sealed.")] = "",
    source: Annotated[str, typer.Option(help="One of: " + ", ".join(SOURCES))] = "hotline",
    unit: Annotated[str | None, typer.Option(help="Code of the unit; the duty list names one when left out.")] = None,
    as_: As = None,
    command_id: Command = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Take a report in: it gets its number, grid, unit and deadline."""
    with acting(territory, as_) as here:
        found = _point(here, lon, lat, address)
        new = NewReport(
            class_key=class_,
            lon=found.lon,
            lat=found.lat,
            place=place if place is not None else _written(found, address),
            text=text,
            reporter=name,
            phone=phone,
            source=source,
            unit_id=None if unit is None else _unit_id(here, unit),
        )
        done = service.report(here.session, here.actor, new, command_id=command_id or str(uuid.uuid4()))
        told = _told(here, done)
    emit(told, as_json)


def list_(
    *,
    status: Annotated[
        str | None, typer.Option(help="open, or of: " + ", ".join(STATUSES) + "; several by comma.")
    ] = None,
    late: Annotated[bool, typer.Option(help="Only open ones past their deadline.")] = False,
    queue: Annotated[str | None, typer.Option(help="Only a queue: " + ", ".join(QUEUES) + ".")] = None,
    used: Annotated[int, typer.Option(help="Only open ones, not late, with 50 or 80 % of their time used.")] = 0,
    text: Annotated[str, typer.Option(help="Part of a number or place.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List incidents, newest report first; those late or of a used share of their time by deadline."""
    if queue is not None and queue not in QUEUES:
        raise InvalidInput(f"There is no queue {queue!r}.", hint=f"Queues are: {', '.join(QUEUES)}.")
    if used not in {0, *SHARES}:
        raise InvalidInput(f"The list warns at 50, 80 and 100 %, not at {used}.")
    mark, mine = QUEUES[queue] if queue is not None else ("", False)
    wanted = IncidentFilter(statuses=_statuses(status), overdue=late, text=text, used=used, mark=mark, mine=mine)
    with acting(territory, as_) as here:
        rows = service.list_incidents(here.session, here.actor, wanted, limit=limit).rows
        total = service.count_incidents(here.session, here.actor, wanted)
    if as_json:
        emit({"count": total, "incidents": [row_of(row) for row in rows]}, as_json)
        return
    for row in rows:
        due = "no limit" if row.due_at is None else row.due_at.astimezone(here.territory.zone).strftime("%d %b %H:%M")
        typer.echo(f"{row.number}  {row.status:<10}  due {due:<12}  {row.class_en}, {row.place or row.community}")
    typer.echo(f"{len(rows):,} of {total:,}")


def assign(
    incident: Which,
    *,
    worker: Annotated[str, typer.Option(help="Staff number, e.g. W012.")],
    unit: Annotated[str | None, typer.Option(help="Code of another unit than the incident's.")] = None,
    reason: Annotated[str, typer.Option(help="Why this one: proposed, knows_place, skill, workload or other.")] = "",
    version: Version = None,
    as_: As = None,
    command_id: Command = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Give an incident to a worker; one given out already is given anew."""
    with acting(territory, as_) as here:
        done = service.assign_task(
            here.session,
            here.actor,
            incident_id_of(here, incident),
            _worker_id(here, worker),
            version=version,
            command_id=command_id or str(uuid.uuid4()),
            reason=reason,
            unit_id=None if unit is None else _unit_id(here, unit),
        )
        told = _told(here, done)
    emit(told, as_json)


def move(
    incident: Which,
    act: Annotated[str, typer.Argument(help="One of: " + ", ".join(ACTS))],
    *,
    reason: Annotated[
        str, typer.Option(help="For " + ", ".join(f"{a} ({', '.join(r)})" for a, r in REASONS.items()))
    ] = "",
    worker: Annotated[
        str | None, typer.Option(help="Staff number, for assign, reassign, ask_verify and ask_check.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Code of the unit, for dispatch and join.")] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], help="Local time, for ask_extension and postpone."),
    ] = None,
    version: Version = None,
    as_: As = None,
    command_id: Command = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Do an act of the lifecycle on an incident; docs/lifecycle.md lists them."""
    with acting(territory, as_) as here:
        done = service.move(
            here.session,
            here.actor,
            incident_id_of(here, incident),
            act,
            version=version,
            command_id=command_id or str(uuid.uuid4()),
            reason=reason,
            worker_id=None if worker is None else _worker_id(here, worker),
            unit_id=None if unit is None else _unit_id(here, unit),
            until=None if until is None else until.replace(tzinfo=here.territory.zone),
        )
        told = _told(here, done)
    emit(told, as_json)


@contextlib.contextmanager
def acting(territory: str | None, login: str | None) -> Iterator[Here]:
    """Open a transaction in the territory, as the command line or in the name of an account."""
    actor = system_actor(label="command line")
    db.ensure_database()
    with db.transaction(actor) as session:
        chosen = find_territory(session, territory)
        actor = system_actor(chosen.id, label="command line")
        if login is not None:
            account = accounts.find_account(session, login, chosen.id)
            actor = replace(account.actor(), label=f"{account.login} (command line)")
        db.as_actor(session, actor)
        yield Here(session, actor, chosen)


def _point(here: Here, lon: float | None, lat: float | None, address: str | None) -> Place:
    if lon is not None and lat is not None:
        return Place("point", address or "", None, "", "", None, lon, lat)
    if address is None:
        raise InvalidInput("Where is it?", hint="Give --lon and --lat, or --address.")
    found = find_places(here.session, here.territory.id, address)
    if not found:
        raise NotFound(
            f"Nothing in {here.territory.title_en} is called {address!r}.",
            hint="Give the street without its number, a facility, a town, or --lon and --lat.",
        )
    names = "; ".join(f"{each.name}, {each.community or '–'} ({each.lon:.5f}, {each.lat:.5f})" for each in found[:5])
    if found[0].guessed:
        raise NotFound(f"Nothing in {here.territory.title_en} is called {address!r}.", hint=f"Did you mean: {names}?")
    alike = [each for each in found if each.name.casefold() == found[0].name.casefold()]
    if len(alike) > 1:
        raise InvalidInput(
            f"{address!r} can be several places: {names}.", hint="Add the community after a comma, or give a point."
        )
    return found[0]


def _written(found: Place, address: str | None) -> str:
    """Return the name of a place; of a street as it was given, since the house number is known to no map here."""
    numbered = found.kind == "road" and any(sign.isdigit() for sign in address or "")
    return (address or "").strip() if numbered else found.name


def _statuses(given: str | None) -> tuple[str, ...]:
    wanted = [part.strip() for part in (given or "").split(",") if part.strip()]
    unknown = [part for part in wanted if part not in {*STATUSES, "open"}]
    if unknown:
        raise InvalidInput(f"There is no status {unknown[0]!r}.", hint=f"Known are: open, {', '.join(STATUSES)}.")
    return tuple(key for key in STATUSES if key in wanted or ("open" in wanted and key in OPEN_STATUSES))


def incident_id_of(here: Here, given: str) -> int:
    """Return the id of an incident named by number or id; raise `NotFound` when it is out of reach."""
    if given.isdecimal() and len(given) < 19:
        return int(given)
    found = service.find_incident(here.session, here.actor, given)
    if found is None:
        raise NotFound(f"There is no incident {given} in {here.territory.title_en}, or it lies outside your reach.")
    return found


def _unit_id(here: Here, code: str) -> int:
    units = {unit.code: unit.id for unit in people.list_units(here.session, here.actor, here.territory.id)}
    if code not in units:
        raise NotFound(f"There is no unit {code!r}.", hint=f"Known are: {', '.join(units)}.")
    return units[code]


def _worker_id(here: Here, code: str) -> int:
    found = people.worker_id_of(here.session, here.territory.id, code)
    if found is None:
        raise NotFound(f"There is no worker {code!r} in {here.territory.title_en}.", hint="Staff numbers: W001 …")
    return found


def _told(here: Here, done: Done) -> dict[str, Any]:
    """Return the incident as it is now, and whether the command had been applied before."""
    detail = service.incident_detail(here.session, here.actor, done.incident_id)
    return row_of(detail.row) | {"version": done.version, "task_id": done.task_id, "repeated": done.repeated}


def row_of(row: IncidentRow) -> dict[str, Any]:
    """Return an incident as commands tell it; no personal field."""

    def at(moment: dt.datetime | None) -> str | None:
        return None if moment is None else moment.isoformat()

    return {
        "id": row.id,
        "number": row.number,
        "class": row.class_en,
        "status": row.status,
        "priority": row.priority,
        "emergency": row.emergency,
        "place": row.place,
        "grid": row.grid_code,
        "community": row.community,
        "unit": row.unit,
        "worker": row.worker_code,
        "reported_at": at(row.reported_at),
        "due_at": at(row.due_at),
        "late": row.is_late(now()),
        "lon": row.lon,
        "lat": row.lat,
        "version": row.version,
    }
