"""dispatch run, plan, show, why, close-street, open-street, closures, costs: the standing plan and what it rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

import shapely
import typer
from shapely.errors import ShapelyError
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, system_actor
from dispatch import closures, costs, standing_plan
from dispatch.closure_model import ClosureInfo
from dispatch.explain import Choice
from dispatch.plan_model import Stop
from dispatch.standing_model import PlanRow, StandingPlan
from geodata.db import transaction
from geodata.territory import TerritoryInfo, find_territory
from people.roster import local_time

Number = Annotated[str, typer.Argument(help="Number of an incident.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["dispatch"]
    for name, command in (
        ("run", run),
        ("plan", plan),
        ("show", show),
        ("why", why),
        ("close-street", close_street),
        ("open-street", open_street),
        ("closures", list_closures),
        ("costs", show_costs),
    ):
        group.command(name)(command)


def run() -> None:
    """Keep the standing plan of every territory up to date until stopped; it proposes only."""
    from app.dispatching import serve

    serve()


def plan(
    *,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.0, max=600.0, help="CPU time to search.")] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", min=0, help="Search so many rounds, repeatable.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Begins the drawing of lots.")] = 0,
    anew: Annotated[bool, typer.Option("--anew", help="From nothing, as at the start of a shift.")] = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Make the standing plan once and keep it."""
    stop = None
    if seconds is not None or rounds is not None:
        stop = Stop(seconds if seconds is not None else 600.0, rounds)
    with transaction(system_actor(label="command line")) as session:
        place, actor = _here(session, territory)
        made = standing_plan.refresh(session, actor, place, stop=stop, anew=anew, seed=seed)
    _tell(made, place, as_json=as_json)


def show(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Show the standing plan."""
    with transaction(system_actor(label="command line")) as session:
        place, actor = _here(session, territory)
        found = standing_plan.standing_plan(session, actor)
    if found is None:
        raise NotFound("No plan was made yet.", hint="Make one with 'gridkeeper dispatch plan'.")
    _tell(found, place, as_json=as_json)


def why(number: Number, *, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Say why the standing plan sends whom it sends to an incident, and nobody else."""
    with transaction(system_actor(label="command line")) as session:
        _, actor = _here(session, territory)
        found = standing_plan.standing_plan(session, actor)
        known: dict[str, int] = {}
        if found is not None:
            known = {row.number: row.incident_id for row in found.rows}
            known |= {each.number: each.incident_id for each in found.unserved}
        incident = known.get(number.strip().upper())
        if incident is None:
            raise NotFound(f"{number} is not in the standing plan.", hint="See 'gridkeeper dispatch show'.")
        told = standing_plan.why(session, actor, incident)
    emit(
        {
            "incident": number.strip().upper(),
            "chosen": None if told.chosen is None else _choice(told.chosen),
            "others": [_choice(each) for each in told.others],
            "cannot": {str(worker): each.en for worker, each in told.rejected.items()},
        },
        as_json,
    )


def close_street(
    name: Annotated[
        str,
        typer.Argument(help="Name of the street, with its community where several have one: 'High Street, Newport'."),
    ],
    *,
    shape: Annotated[str | None, typer.Option("--shape", help="LINESTRING or POLYGON, WKT in degrees.")] = None,
    hours: Annotated[float | None, typer.Option("--hours", min=0.05, max=24 * 366, help="For so long.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    later: Annotated[float, typer.Option("--in-hours", min=0, max=24 * 366, help="Planned works: begin then.")] = 0.0,
    speed: Annotated[
        int | None, typer.Option("--speed", help="Works that slow it to so many km/h; it stays open.")
    ] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Close a street, or what a shape covers; the next plan drives around it."""
    at = now()
    begin = at + dt.timedelta(hours=later)
    until = None if hours is None else begin + dt.timedelta(hours=hours)
    with transaction(system_actor(label="command line")) as session:
        place, actor = _here(session, territory)
        if shape is None:
            made = closures.close_street(
                session, actor, place, name, from_at=begin, to_at=until, reason=reason, speed_kmh=speed, moment=at
            )
        else:
            drawn = _shape(shape)
            one = closures.add_closure(
                session, actor, place, name=name, shape=drawn, from_at=begin, to_at=until, reason=reason,
                speed_kmh=speed, moment=at,
            )  # fmt: skip
            made = [one]
    emit({"closed": [_closure(each, place) for each in made]}, as_json)


def open_street(
    closure: Annotated[int, typer.Argument(help="Number of the closure, as 'closures' lists it.")],
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Open what was closed."""
    with transaction(system_actor(label="command line")) as session:
        place, actor = _here(session, territory)
        known = {each.id: each for each in closures.list_closures(session, actor)}
        if closure not in known:
            raise NotFound(f"There is no closure {closure} in force.", hint="See 'gridkeeper dispatch closures'.")
        ended = closures.end_closure(session, actor, closure, version=known[closure].version)
    emit({"opened": _closure(ended, place)}, as_json)


def list_closures(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List what is closed now or will be."""
    with transaction(system_actor(label="command line")) as session:
        place, actor = _here(session, territory)
        found = closures.list_closures(session, actor)
    emit({"closures": [_closure(each, place) for each in found]}, as_json)


def show_costs(
    given: Annotated[list[str] | None, typer.Option("--set", help="TERM=SECONDS, or three with commas; again.")] = None,
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Show what things cost in the plan, or change it."""
    with transaction(system_actor(label="command line")) as session:
        _, actor = _here(session, territory)
        table = costs.cost_table(session, actor)
        if given:
            table = costs.set_cost_table(session, actor, _terms(given), version=table.version)
    weights = {name: getattr(table.weights, name) for name in table.weights.__slots__}
    emit({**weights, "owner_by_class": dict(table.owner_by_class), "version": table.version}, as_json)


def _here(session: Session, name: str | None) -> tuple[TerritoryInfo, Actor]:
    place = find_territory(session, name)
    return place, system_actor(place.id, "command line")


def _terms(given: list[str]) -> dict[str, Any]:
    terms: dict[str, Any] = {}
    for each in given:
        name, _, value = each.partition("=")
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            raise InvalidInput(f"{each!r} is no cost.", hint="Write TERM=SECONDS, e.g. owner_s=900.") from None
        terms[name.strip()] = numbers if len(numbers) > 1 else numbers[0]
    return terms


def _shape(text: str) -> shapely.Geometry:
    try:
        return shapely.from_wkt(text)
    except ShapelyError:
        raise InvalidInput(
            "The shape cannot be read.", hint="Write LINESTRING(lon lat, lon lat) or POLYGON((…))."
        ) from None


def _closure(each: ClosureInfo, place: TerritoryInfo) -> dict[str, Any]:
    told = {
        "id": each.id,
        "name": each.name,
        "from": each.from_at.astimezone(place.zone).isoformat(timespec="minutes"),
        "to": None if each.to_at is None else each.to_at.astimezone(place.zone).isoformat(timespec="minutes"),
        "reason": each.reason,
        "speed_kmh": each.speed_kmh,
        "version": each.version,
    }
    return told if each.stretches is None else {**told, "stretches": each.stretches}


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "worker": choice.worker,
        "cost_s": round(choice.cost_s),
        **{name: round(value) for name, value in choice.terms.items() if round(value)},
        "begins_in_min": round(choice.start_s / 60),
        "late_min": round(choice.late_s / 60),
        "against": None if choice.against is None else choice.against.en,
    }


def _tell(found: StandingPlan, place: TerritoryInfo, *, as_json: bool) -> None:
    """Print a plan: all of it as JSON, else a line a stop."""
    summary = {name: getattr(found.summary, name) for name in found.summary.__slots__}
    if as_json:
        emit(
            {
                "id": found.id,
                "made_at": found.made_at.isoformat(),
                "stale": found.stale,
                "summary": summary,
                "rows": [_row(row) for row in found.rows],
                "unserved": [
                    {"incident": each.number, "why": each.why.en, "way_out": each.way_out and each.way_out.en}
                    for each in found.unserved
                ],
                "move_ups": [{"worker": each.worker, "area": each.area, "why": each.why.en} for each in found.move_ups],
                "told": [each.en for each in found.told],
                "left_out": {code: each.en for code, each in found.left_out.items()},
                "cost_by_term": dict(found.terms),
            },
            as_json=True,
        )
        return
    emit({"plan": found.id, **summary}, as_json=False)
    for row in found.rows:
        begins = local_time(int(row.start_at.timestamp()), place.zone)
        needs = "" if row.needs is None else f"  [{row.needs.en}]"
        print(
            f"{row.worker_code} {row.place_in_route}. {begins:%H:%M} {row.number} {row.title_en}, {row.change}{needs}"
        )
    for each in found.unserved:
        print(f"nobody: {each.number} {each.title_en}: {each.why.en}")
    for told in found.told:
        print(told.en)
    for code, why_not in found.left_out.items():
        print(f"{code}: {why_not.en}")


def _row(row: PlanRow) -> dict[str, Any]:
    return {
        "incident": row.number,
        "kind": row.kind,
        "worker": row.worker_code,
        "place_in_route": row.place_in_route,
        "start_at": row.start_at.isoformat(timespec="seconds"),
        "end_at": row.end_at.isoformat(timespec="seconds"),
        "travel_s": row.travel_s,
        "late_s": round(row.late_s),
        "change": row.change,
        "safe": row.safe,
        "needs": None if row.needs is None else row.needs.en,
    }
