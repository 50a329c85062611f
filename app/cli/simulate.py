"""simulate: a day of incidents played by several rules, without a database."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.common import AsJson, emit, progress
from core.errors import InvalidInput

if TYPE_CHECKING:
    from dispatch.plan_files import Fault
    from dispatch.simulate_days import Stage
    from dispatch.simulate_model import Change, Outcome, Policy

WORKERS = 20
"""So many work where nothing is said of them."""
Incidents = Annotated[
    Path | None, typer.Option("--incidents", help="CSV: id, lon, lat, arrival_s, service_s, skill, priority, due_s.")
]
Size = Annotated[
    str | None, typer.Option("--generate", help="A made day instead of a file: workers x incidents, as 60x800.")
]
Peak = Annotated[float, typer.Option("--peak", min=0, max=1, help="Share of a made day in its two rush hours.")]
Count = Annotated[int | None, typer.Option("--workers", min=1, help="How many work, spread as the incidents are (20).")]
Crew = Annotated[
    Path | None, typer.Option("--crew", help="CSV of workers instead: id, lon, lat, skills, start_s, end_s.")
]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--policy", help="nearest_idle, nearest_pair, fixed_owner, owner_overflow, rolling; may be given again."
    ),
]
More = Annotated[
    list[int] | None, typer.Option("--more-workers", help="The day again with so many more (or fewer) workers.")
]
Penalty = Annotated[
    list[float] | None, typer.Option("--owner-penalty", min=0, help="Again with this cost of another's grid, seconds.")
]
Refusals = Annotated[float, typer.Option("--refusals", min=0, max=0.9, help="Share of sendings that are refused.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same answer.")]
Rounds = Annotated[int, typer.Option("--rounds", min=1, help="Rounds of search of each re-plan.")]


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    app.command("simulate")(simulate)


def simulate(
    *,
    incidents: Incidents = None,
    generate: Size = None,
    peak: Peak = 0.0,
    workers: Count = None,
    crew: Crew = None,
    policy: Rules = None,
    more_workers: More = None,
    owner_penalty: Penalty = None,
    refusals: Refusals = 0.0,
    seed: Seed = 1,
    rounds: Rounds = 150,
    as_json: AsJson = False,
) -> None:
    """Play a day, out of a file or made, by each rule and with each change; bad rows are named and left out."""
    from dispatch.plan import warm_up
    from dispatch.simulate import compare, runs_of
    from dispatch.simulate_model import Change, Options, Policy

    policies = [_policy(each) for each in dict.fromkeys(policy or ["all"])]
    chosen = list(Policy) if None in policies else [each for each in policies if each is not None]
    changes = [Change(), *(Change(workers=each) for each in dict.fromkeys(more_workers or ()) if each)]
    changes += [Change(owner_s=each) for each in dict.fromkeys(owner_penalty or ())]
    more = max(0, *(each.workers for each in changes), 0)
    if generate is None:
        stage, faults = _from_files(incidents, crew, workers, more=more, seed=seed)
    else:
        if incidents is not None or crew is not None or workers is not None:
            raise InvalidInput(
                "A made day has its own incidents and workers.",
                hint="Give --generate alone, or --incidents with --workers or --crew.",
            )
        stage, faults = _made(generate, peak, more=more, seed=seed), ()
    for fault in faults:
        print(fault, file=sys.stderr)
    warm_up()
    options = Options(seed=seed, refusals=refusals, rounds=rounds)
    with progress() as listener:
        outcomes = compare(runs_of(chosen, changes), stage.day, options, listener)
    answer: dict[str, Any] = {
        "runs": [row_of(each) for each in outcomes],
        "assumed": [en for en, _ in stage.notes],
        "errors": [{"file": each.file, "row": each.row, "id": each.id, "error": each.en} for each in faults],
    }
    if as_json:
        emit(answer, as_json)
        return
    for run in answer["runs"]:
        emit({name: value for name, value in run.items() if value is not None}, as_json=False)
        print()


def _from_files(
    incidents: Path | None, crew: Path | None, workers: int | None, *, more: int, seed: int
) -> tuple[Stage, tuple[Fault, ...]]:
    """Return the day of a file, and the rows that cannot be used."""
    from dispatch.simulate_days import read_crew, read_incidents, stage_of

    if incidents is None:
        raise InvalidInput(
            "There is no day to play.", hint="Give --incidents FILE, or --generate 60x800 for a made day."
        )
    calls, places, faults = read_incidents(incidents)
    people = None
    if crew is not None:
        found, homes, more_faults = read_crew(crew)
        people, faults = (found, homes), (*faults, *more_faults)
    return stage_of(calls, places, workers or WORKERS, crew=people, more=more, seed=seed), faults


def _made(size: str, peak: float, *, more: int, seed: int) -> Stage:
    """Return a made day."""
    from dispatch.simulate_days import stage_of
    from dispatch.simulate_made import NOTE, made_day, read_size

    workers, calls = read_size(size)
    made = made_day(workers, calls, peak, seed)
    stage = stage_of(made.calls, made.places, workers, crew=(made.people, made.homes), more=more, seed=seed)
    return dataclasses.replace(stage, notes=(NOTE, *stage.notes))


def _policy(name: str) -> Policy | None:
    from dispatch.simulate_model import Policy

    if name == "all":
        return None
    try:
        return Policy(name.replace("-", "_"))
    except ValueError:
        raise InvalidInput(
            f"There is no policy {name!r}.", hint=f"Give one of: {', '.join(each.value for each in Policy)}, all."
        ) from None


def row_of(outcome: Outcome) -> dict[str, Any]:
    """Return a run as plain figures; None where there is nothing to tell."""
    m = outcome.measures
    told: dict[str, Any] = {"policy": outcome.policy.value, "change": words_of(outcome.change)}
    told |= {name: _plain(value) for name, value in dataclasses.asdict(m).items() if name != "by_priority"}
    told["by_priority"] = {
        str(p): {"response_s": _plain(mean), "response_p90_s": _plain(p90), "incidents": count, "breaches": late}
        for p, (mean, p90, count, late) in m.by_priority.items()
    }
    told["seconds"] = _plain(outcome.cpu_s)
    return told


def words_of(change: Change) -> str:
    """Return a change in a few words."""
    parts = [f"{change.workers:+d} workers"] if change.workers else []
    parts += [f"owner penalty {change.owner_s:g} s"] if change.owner_s is not None else []
    parts += [f"refusals {change.refusals:.0%}"] if change.refusals is not None else []
    return ", ".join(parts) or "as it is"


def _plain(value: float) -> float | int | None:
    if isinstance(value, int):
        return value
    return None if math.isnan(value) else round(value, 3)
