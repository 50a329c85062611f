"""The plan of all workers at once: who does what, in which order, at the least cost.

Three ways in: `dispatch.filing` for one new task on a running plan, `solve` with the running plan as ``initial`` for
a re-plan, and `start_of_shift` for the best plan from nothing, on two cores. The search is ruin and recreate
(`dispatch.plan_search`); the same seed and the same rounds give the same plan.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress, Silent
from dispatch.plan_arrays import Compiled, compile_problem
from dispatch.plan_cost import price_left_out, price_route
from dispatch.plan_kernels import Core, Lists
from dispatch.plan_meet import as_planned, groups_of, met, placed
from dispatch.plan_model import TERMS, Id, Problem, Result, Stop, Task, Visit, Worker
from dispatch.plan_routes import best_routes, named, new_routes, routes_now
from dispatch.plan_search import TAILS, fill, improve
from dispatch.standing import Standing
from dispatch.unserved import why_unserved

HOT, COLD = 5.0, 0.05
"""Temperatures at the beginning and at the end, in ways between near tasks."""
WARM, WARM_END = 0.02, 0.005
"""The same for a re-plan of few rounds, which betters what runs."""
ONWARD, ONWARD_END, MANY = 1.0, 0.01, 5000
"""The same for a re-plan of many rounds, or of so much time: it gives up a little first."""
BREADTH, SKIP = 40, 0.01
"""Near tasks beside which a task is tried, and the share of places that is passed over."""
LITTLE, MOST_SKIP = 4.0, 0.3
"""Of few tasks and workers more places are passed over, with the square of how few, up to a share: where whom a task
goes to at less cost bars the way for all others, it has to be given to another first."""
CHUNK_S = 0.03
PARTS = 4
"""Parts of the search between which the moments of tasks for several workers are set anew."""
_FIRST_ROUNDS, _ROUNDS = 100, 500


@dataclass(frozen=True)
class Search:
    """How the search is tuned; see the constants of this module."""

    hot: float = HOT
    cold: float = COLD
    breadth: int = BREADTH
    skip: float = SKIP
    tails: int = TAILS


def solve(
    problem: Problem,
    stop: Stop | None = None,
    seed: int = 0,
    initial: Mapping[Id, Sequence[Id]] | None = None,
    progress: Progress | None = None,
    *,
    search: Search | None = None,
    compiled: Compiled | None = None,
) -> Result:
    """Return the best plan found.

    Parameters
    ----------
    initial
        Worker to tasks of a plan to begin with; it is bettered, never thrown over. What it cannot hold any
        more is planned anew.
    progress
        Hears how far the work is, in thousandths; `core.progress.Cancelled` passes through.
    compiled
        The problem's arrays, where they are there already.
    """
    began = time.thread_time()
    compiled = compiled or compile_problem(problem)
    stop, progress = stop or Stop(), progress or Silent()
    few = stop.rounds is not None and stop.rounds < MANY
    warm = Search(WARM, WARM_END) if few else Search(ONWARD, ONWARD_END, tails=0 if _is_held(problem) else TAILS)
    search = search or (warm if initial else Search())
    groups = groups_of(compiled)
    if groups:
        compiled, routes, rounds = _together(compiled, groups, (stop, seed, search, progress), initial)
    else:
        core, lists = new_routes(compiled, seed, initial)
        rounds = anneal(core, lists, stop, search, progress=progress, began=began)
        routes = best_routes(lists)
    return dataclasses.replace(result_of(compiled, routes), rounds=rounds, cpu_s=time.thread_time() - began)


def _is_held(problem: Problem) -> bool:
    """Return whether somebody has most of the work: tails, which move much of it at once, then rarely change places."""
    return 2 * sum(task.had_by() is not None for task in problem.tasks) > len(problem.tasks)


def _together(
    compiled: Compiled,
    groups: Sequence[Sequence[int]],
    how: tuple[Stop, int, Search, Progress],
    initial: Mapping[Id, Sequence[Id]] | None,
) -> tuple[Compiled, list[list[int]], int]:
    """Return arrays in which groups are begun together, the best routes within them, and the rounds that took.

    The search goes part by part; after each one, the moments of meeting are moved to where its routes allow.
    """
    stop, seed, search, progress = how
    now, rows = as_planned(compiled, initial or {}, groups)
    best, least, rounds = (now, rows), math.inf, 0
    if initial:
        core, _ = new_routes(now, seed, named(now, rows))
        best = met(compiled, routes_now(core), groups)
        least = _cost(*best)
    for part in range(PARTS):
        now, rows = placed(*best, groups, part)
        core, lists = new_routes(now, seed + part, named(now, rows))
        limit = Stop(stop.seconds / PARTS, None if stop.rounds is None else -(-stop.rounds // PARTS))
        rounds += anneal(core, lists, limit, search, progress=progress, began=time.thread_time())
        found = met(compiled, best_routes(lists), groups)
        cost_s = _cost(*found)
        if cost_s < least or least == math.inf:
            best, least = found, cost_s
        search = dataclasses.replace(search, hot=min(search.hot, ONWARD))
    return *best, rounds


def _cost(compiled: Compiled, routes: Sequence[Sequence[int]]) -> float:
    """Return what routes cost by the plain walk."""
    served = {j for route in routes for j in route}
    absent = [j for j in range(len(compiled.tasks)) if j not in served]
    return sum(price_route(compiled, w, route).cost_s for w, route in enumerate(routes)) + price_left_out(
        compiled, absent
    )


def start_of_shift(
    problem: Problem, stop: Stop | None = None, seed: int = 0, progress: Progress | None = None, *, starts: int = 2
) -> Result:
    """Return the best of several plans from nothing, each on a core of its own (``stop`` holds for each)."""
    listeners: list[Progress] = [progress or Silent(), *(Silent() for _ in range(starts - 1))]
    with ThreadPoolExecutor(starts) as pool:
        works = [pool.submit(solve, problem, stop, seed + k, None, listeners[k]) for k in range(starts)]
        results = [work.result() for work in works]
    return min(results, key=lambda each: each.cost_s)


def warm_up() -> None:
    """Bring the compiled core into the process (made by set-up, then read from the disk)."""
    tasks = [Task(1, 1.0), Task(2, 1.0, prize_s=0.0)]
    problem = Problem(tasks, [Worker(1)], np.ones((3, 3), np.float32))
    solve(problem, Stop(rounds=1))
    standing = Standing(compile_problem(problem), {1: [1]})
    standing.best(1)
    standing.overrun_s(1, 0)
    standing.with_worker(1, 0)


def anneal(core: Core, lists: Lists, stop: Stop, search: Search, *, progress: Progress, began: float) -> int:
    """Fill the routes and better them until the stop; return the rounds. ``began`` is thread time."""
    fill(core, lists)
    progress.step("Planning", 1000)
    if not len(core.task) or not len(core.hand):
        return 0
    step = _step(core.ways[0], lists.near)
    hot, cold = search.hot * step, search.cold * step
    skip = max(search.skip, min(MOST_SKIP, (LITTLE / (len(core.task) + len(core.hand))) ** 2))
    total, rounds, told, chunk = stop.rounds, 0, 0, _FIRST_ROUNDS
    budget = max(stop.seconds - (time.thread_time() - began), 1e-9)
    start = time.thread_time()
    share = 0.0
    while share < 1:
        if total is not None:
            chunk = min(_ROUNDS, total - rounds)
        tick = time.thread_time()
        then = share + chunk / total if total is not None else share
        temperature = hot * (cold / hot) ** share
        colder = hot * (cold / hot) ** min(then, 1.0)
        improve(core, lists, chunk, temperature, colder, search.breadth, skip, search.tails)
        rounds += chunk
        now = time.thread_time()
        if total is None:
            chunk = max(1, int(chunk * min(4.0, CHUNK_S / max(now - tick, 1e-6))))
            share = (now - start) / budget
        else:
            share = rounds / total if now - start < budget else 1.0
        done = min(1000, int(1000 * share))
        progress.advance(done - told)
        told = done
    return rounds


def _step(to_s: NDArray[np.float32], near: NDArray[np.int32]) -> float:
    """Return the middle length of the way from a task to its three nearest."""
    if near.shape[1] == 0:
        return 1.0
    ways = to_s[np.arange(len(near))[:, None], near[:, :3]]
    ways = ways[np.isfinite(ways)]
    return max(1.0, float(np.median(ways))) if len(ways) else 1.0


def result_of(compiled: Compiled, routes: Sequence[Sequence[int]], *, explain: bool = True) -> Result:
    """Return routes of the arrays as a plan, priced by the plain walk."""
    problem, terms = compiled.problem, dict.fromkeys(TERMS, 0.0)
    visits: list[Visit] = []
    travel_s, changed = 0.0, 0
    for w, route in enumerate(routes):
        price = price_route(compiled, w, route)
        for name, value in price.terms.items():
            terms[name] += value
        visits += price.visits
        travel_s += price.travel_s
        changed += price.changed
    served = {j for route in routes for j in route}
    absent = [j for j in range(len(compiled.tasks)) if j not in served]
    terms["unserved"] = price_left_out(compiled, absent)
    by_worker = {each.id: () for each in problem.workers} | named(compiled, routes)
    return Result(
        routes=by_worker,
        visits=tuple(visits),
        unserved=why_unserved(compiled, by_worker) if explain else (),
        left_out={problem.workers[k].id: why for k, why in compiled.checked.workers.items()},
        cost_s=sum(terms.values()),
        terms=terms,
        travel_s=travel_s,
        lateness_s=sum(each.late_s for each in visits),
        violations=sum(each.late_s > 0 for each in visits),
        changed=changed,
    )
