"""plan and vrptw: the dispatch engine on files, without a database."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, emit, progress

Tasks = Annotated[Path, typer.Option("--tasks", help="CSV: id, lon, lat, service_s, skill, priority, earliest_s, …")]
Workers = Annotated[Path, typer.Option("--workers", help="CSV: id, lon, lat, skills separated by ;, start_s, end_s.")]
Matrix = Annotated[
    Path | None, typer.Option("--matrix", help="Travel seconds (.npy), workers first; else straight lines × detour.")
]
Seconds = Annotated[float, typer.Option("--seconds", min=0.01, max=3600, help="CPU time of the search.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed and rounds, same answer.")]
Rounds = Annotated[int | None, typer.Option("--rounds", min=1, help="Stop after so many rounds of the search, too.")]
Starts = Annotated[int, typer.Option("--starts", min=1, max=8, help="Searches at once, each on a core of its own.")]
File = Annotated[Path, typer.Argument(help="Vehicle routing with time windows, in the layout of VRPLIB.")]


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    app.command("plan")(plan)
    app.command("vrptw")(vrptw)


def plan(
    *,
    tasks: Tasks,
    workers: Workers,
    matrix: Matrix = None,
    seconds: Seconds = 5.0,
    seed: Seed = 0,
    rounds: Rounds = None,
    starts: Starts = 1,
    as_json: AsJson = False,
) -> None:
    """Plan who does what, in which order, at the least cost; rows that cannot be used are named and left out."""
    from dispatch.plan import solve, start_of_shift, warm_up
    from dispatch.plan_checks import FAULTS
    from dispatch.plan_files import read_files
    from dispatch.plan_model import Stop

    files = read_files(tasks, workers, matrix)
    warm_up()
    stop = Stop(seconds, rounds)
    with progress() as listener:
        if starts > 1:
            result = start_of_shift(files.problem, stop, seed, listener, starts=starts)
        else:
            result = solve(files.problem, stop, seed, progress=listener)
    errors = [{"file": each.file, "row": each.row, "id": each.id, "error": each.en} for each in files.faults]
    wrong = [each for each in result.unserved if each.why.kind in {*FAULTS, "no_way"}]
    errors += [
        {"file": tasks.name, "row": files.task_rows[str(each.task)], "id": each.task, "error": each.why.en}
        for each in wrong
    ]
    errors += [
        {"file": workers.name, "row": files.worker_rows[str(name)], "id": name, "error": why.en}
        for name, why in result.left_out.items()
    ]
    for each in errors:
        print(f"{each['file']}, row {each['row']} ({each['id'] or 'no id'}): {each['error']}", file=sys.stderr)
    refused = sum(each["file"] == tasks.name for each in errors)
    answer: dict[str, Any] = {
        "travel_s": round(result.travel_s, 3),
        "unserved": len(result.unserved) + refused - len(wrong),
        "violations": result.violations,
        "lateness_s": round(result.lateness_s, 3),
        "changed": result.changed,
        "cost_s": round(result.cost_s, 3),
        "cost": {name: round(value, 3) for name, value in result.terms.items()},
        "seconds": round(result.cpu_s, 3),
        "rounds": result.rounds,
        "travel": files.travel,
    }
    if as_json:
        answer["routes"] = {str(name): [str(task) for task in route] for name, route in result.routes.items()}
        answer["unserved_tasks"] = [
            {"task": str(each.task), "why": each.why.en, "way_out": each.way_out.en if each.way_out else ""}
            for each in result.unserved
        ]
        answer["errors"] = errors
    else:
        answer["why unserved"] = [f"{each.task}: {each.why.en}" for each in result.unserved[:10]]
    emit(answer, as_json)


def vrptw(file: File, *, seconds: Seconds = 5.0, seed: Seed = 0, as_json: AsJson = False) -> None:
    """Solve a benchmark of vehicle routing with time windows with the same engine."""
    from dispatch.plan import warm_up
    from dispatch.plan_model import Stop
    from dispatch.vrptw import left_out, read_vrptw, solve_vrptw

    instance = read_vrptw(file)
    warm_up()
    with progress() as listener:
        answer = solve_vrptw(instance, Stop(seconds), seed, listener)
    emit(
        {
            "name": instance.name,
            "cost": round(answer.cost, 1),
            "vehicles": answer.vehicles,
            "feasible": answer.feasible,
            "seconds": round(answer.result.cpu_s, 3),
            "rounds": answer.result.rounds,
            "left out": [left_out(each) for each in answer.result.unserved[:10]],
        },
        as_json,
    )
