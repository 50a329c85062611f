"""site-matrix: a siting question on a file of costs; needs no database."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer

from app.cli.common import AsJson, emit, progress
from core.errors import InvalidInput
from core.progress import Progress
from planning.kinds import INFO, KINDS, Kind

PLAIN = {"p-median", "mclp", "p-center", "lscp", "cpmp"}
ALSO = {"capacitated-p-median": "cpmp", "capacitated": "cpmp", "set-covering": "lscp"}
FileArgument = Annotated[
    Path, typer.Argument(help="OR-Library p-median file, or .npz: cost, weight, capacity, site_cost, between.")
]
KindOption = Annotated[str, typer.Option("--kind", help=f"One of {', '.join(KINDS)}.")]
SitesOption = Annotated[int | None, typer.Option("--p", help="How many sites; else what the file asks for.")]
LimitOption = Annotated[
    float | None, typer.Option("--limit", help="Cost that counts as covered: mclp, lscp, cmclp, backup.")
]
BudgetOption = Annotated[
    float | None, typer.Option("--budget", help="What all sites may cost; the file says site_cost.")
]
TimeOption = Annotated[float, typer.Option("--time-limit", min=0.1, help="Seconds of computing for choice and proof.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same answer.")]
BINDING = {
    "candidates": "There are fewer candidates than sites asked for.",
    "people": "Nobody is there to be served: all weights are zero.",
    "reach": "Some demand has no candidate that can serve it.",
    "capacity": "The demand does not fit into the capacities of so many sites.",
    "time": "No choice was found in time.",
    "sites": "So few sites cannot reach all.",
    "budget": "The budget is too small for so many sites.",
}


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    app.command("site-matrix")(site_matrix)


def site_matrix(
    file: FileArgument,
    *,
    kind: KindOption,
    p: SitesOption = None,
    limit: LimitOption = None,
    budget: BudgetOption = None,
    time_limit: TimeOption = 60.0,
    seed: SeedOption = 0,
    as_json: AsJson = False,
) -> None:
    """Choose sites on a table of costs, with a bound that no choice can beat and the gap to it.

    p-median: least sum of weight times cost. mclp: most weight within --limit. p-center: least greatest cost.
    lscp: fewest sites with everything within --limit. cpmp: p-median in which no site takes more than its capacity.
    cmclp: mclp in which none does. backup: most weight within --limit once and twice. fixed-charge: least cost of ways
    and sites together. p-dispersion: sites farthest from each other (between, else a square cost). huff: most weight
    drawn, costs read as seconds.
    """
    from planning.matrix_files import read_costs

    kind = ALSO.get(kind, kind)
    info = INFO.get(kind)  # type: ignore[call-overload]
    if info is None:
        raise InvalidInput(f"There is no siting question {kind!r}.", hint=f"Take one of: {', '.join(KINDS)}.")
    given = read_costs(file)
    sites = given.p if p is None else p
    if sites is None and info.needs_p:
        raise InvalidInput("It is not said how many sites are wanted.", hint="Give --p.")
    if info.needs_limit and limit is None:
        raise InvalidInput(f"{kind} needs to know what counts as covered.", hint="Give --limit.")
    if info.needs_capacity and given.capacity is None:
        raise InvalidInput(f"{file.name} says no capacity.", hint="Add capacity, a number for each candidate.")
    if (info.needs_cost or budget is not None) and given.site_cost is None:
        raise InvalidInput(f"{file.name} says no site_cost.", hint="Add site_cost, a number for each candidate.")
    began = time.perf_counter()
    with progress() as shown:
        if kind in PLAIN and budget is None:
            answer = _answer(kind, given, sites or 0, limit, stop=(time_limit, seed), shown=shown)
        else:
            asked = _asked(cast("Kind", kind), given, sites or 0, limit=limit, budget=budget)
            answer = _placed(asked, stop=(time_limit, seed), shown=shown)
    emit({"kind": kind, "p": sites, **answer, "seconds": round(time.perf_counter() - began, 3)}, as_json)
    if answer["status"] == "infeasible":
        said = BINDING.get(str(answer["binding"]), "Not all that is asked for can be kept to.")
        raise InvalidInput(said, hint="Ask for other sites, or mend the file.")


def _answer(
    kind: str, given: Any, p: int, limit: float | None, *, stop: tuple[float, int], shown: Progress
) -> dict[str, Any]:
    from planning.capacitated import solve_capacitated
    from planning.center import solve_center
    from planning.choice import Choice
    from planning.covering import solve_covering
    from planning.siting import SitingProblem, Stop, solve

    seconds, seed = stop
    if kind in {"p-median", "mclp"}:
        problem = SitingProblem("mclp" if kind == "mclp" else "p-median", given.cost, given.weight, p, limit)
        found = solve(problem, Stop(seconds=seconds), seed=seed, progress=shown)
        told = (found.status, found.objective, found.bound, found.gap, found.sites, found.unserved, found.binding)
    else:
        counted = given.weight > 0
        if not counted.any():
            return _told(("infeasible", None, None, None, (), 0.0, "people"))
        cost = given.cost[counted] if kind in {"p-center", "lscp"} else given.cost * given.weight[:, None]
        if kind == "cpmp":
            cost = np.where(np.isfinite(given.cost), np.nan_to_num(cost, posinf=np.inf), np.inf)
            choice: Choice = solve_capacitated(cost, given.size, given.capacity, p, seconds=seconds, progress=shown)
        elif kind == "p-center":
            choice = solve_center(cost, p, seconds=seconds, progress=shown)
        else:
            choice = solve_covering(cost, limit or 0.0, seconds=seconds, progress=shown)
        lost = len(choice.unserved)
        told = (choice.status, choice.objective, choice.bound, choice.gap, choice.sites, lost, choice.binding)
    return _told(told)


def _asked(kind: Kind, given: Any, p: int, *, limit: float | None, budget: float | None) -> Any:
    """Return the question; an hour on the way counts as much as its cost in the file."""
    from planning.placement import Placement

    between = given.between
    if kind == "p-dispersion" and between is None:
        if given.cost.shape[0] != given.cost.shape[1]:
            raise InvalidInput("The file says no distances between candidates.", hint="Add between to it.")
        between = given.cost
    return Placement(
        kind, given.cost, given.weight, p, limit_s=limit, capacity=given.capacity, cost=given.site_cost, budget=budget,
        hour_cost=3600.0, between_m=between,
    )  # fmt: skip


def _placed(asked: Any, *, stop: tuple[float, int], shown: Progress) -> dict[str, Any]:
    from planning.placement import place
    from planning.siting import Stop

    found = place(asked, Stop(seconds=stop[0]), seed=stop[1], progress=shown)
    return _told((found.status, found.objective, found.bound, found.gap, found.sites, found.unserved, found.binding))


def _told(told: tuple[Any, ...]) -> dict[str, Any]:
    names = ("status", "objective", "bound", "gap", "sites", "unserved", "binding")
    made: dict[str, Any] = dict(zip(names, told, strict=True))
    made["sites"] = [int(site) for site in made["sites"]]
    if made["status"] == "infeasible":
        made |= {"objective": None, "bound": None, "gap": None}
    return made
