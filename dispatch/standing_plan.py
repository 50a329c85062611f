"""The standing plan of a territory: read it, make it anew; `dispatch.standing_ask` answers questions about it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from dispatch import store_plan as store
from dispatch.classify import judge, summarise
from dispatch.cover import MoveUp
from dispatch.move_up import propose_moves
from dispatch.plan import WARM, WARM_END, Search, solve, start_of_shift
from dispatch.plan_arrays import compile_problem
from dispatch.plan_model import Id, Problem, Result, Stop
from dispatch.situation import is_work_open, on_shift, read_situation
from dispatch.situation_model import Situation
from dispatch.snapshot import Kept, pack
from dispatch.standing_ask import Loaded, compare, make_room, offer_new, problem_of, remember, why
from dispatch.standing_model import StandingPlan, Summary
from dispatch.standing_words import why_left
from dispatch.store_plan import reason_from, reason_json
from geodata.db import system_rights
from geodata.listening import DISPATCH_LOCK, is_held
from geodata.territory import TerritoryInfo

__all__ = [
    "Keeping",
    "Look",
    "compare",
    "keeping",
    "look",
    "make_room",
    "offer_new",
    "refresh",
    "shift_search",
    "standing_plan",
    "why",
]

ORDINARY_S, START_S, START_MOST_S = 0.5, 5.0, 30.0
"""CPU seconds of the search: of a re-plan, and at the start of a shift."""
START_TASKS, TASKS_A_SECOND = 30, 40
"""From so many tasks on the search at the start of a shift takes its time, and a second more for so many."""
MUCH_NEW = 20
OLD = dt.timedelta(minutes=3)
"""A plan that was not made anew for so long is stale."""


def standing_plan(session: Session, actor: Actor, moment: dt.datetime | None = None) -> StandingPlan | None:
    """Return the newest plan of the actor's territory; None when none was made yet."""
    require(actor, May.DISPATCH)
    found = store.newest(session, _territory(actor))
    if found is None:
        return None
    plan_id, made_at, facts = found
    rows, changed = store.rows(session, plan_id)
    return StandingPlan(
        id=plan_id,
        made_at=made_at,
        territory_id=_territory(actor),
        rows=tuple(rows),
        unserved=tuple(store.unserved(session, facts["unserved"])),
        summary=Summary(**facts["summary"]),
        move_ups=tuple(MoveUp(**{**each, "why": reason_from(each["why"])}) for each in facts["move_ups"]),
        stale=changed or (moment or clock_now()) - made_at > OLD,
        told=tuple(reason_from(each) for each in facts["told"]),
        left_out={code: reason_from(each) for code, each in facts["left_out"].items()},
        terms=facts["terms"],
    )


def refresh(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    moment: dt.datetime | None = None,
    stop: Stop | None = None,
    *,
    anew: bool = False,
    seed: int = 0,
    first: Mapping[Id, Sequence[Id]] | None = None,
) -> StandingPlan:
    """Make the plan of a territory anew and keep it; return it.

    Parameters
    ----------
    stop
        Of the search; None: half a second of CPU time, more at the start of a shift with much to do.
    anew
        Begin from nothing on two threads, as at the start of a shift, instead of from the plan before.
    first
        Routes to begin with beside those of the plan before; the cheaper plan of the two is kept.
    """
    require(actor, May.DISPATCH)
    at = moment or clock_now()
    store.one_at_a_time(session, territory.id)
    situation = read_situation(session, territory, at)
    compiled = compile_problem(situation.problem)
    stop = stop or _usual_stop(len(situation.work), anew=anew)
    if anew and stop.seconds > ORDINARY_S:
        result = start_of_shift(situation.problem, stop, seed)
    else:
        before = store.newest(session, territory.id)
        began = _beginning(situation, {} if anew or not before else before[2]["routes"])
        search = None if anew or not before or _much_new(situation, began) else Search(WARM, WARM_END)
        result = solve(situation.problem, stop, seed, began, search=search, compiled=compiled)
        if first is not None:
            began = _beginning(situation, first)
            other = solve(
                situation.problem,
                stop,
                seed,
                began,
                search=Search(WARM, WARM_END),
                compiled=compile_problem(situation.problem),
            )
            result = min(result, other, key=lambda each: each.cost_s)
    judged = judge(situation, result)
    summary = summarise(situation, compiled, result, judged)
    moves = propose_moves(session, territory, situation, result)
    names = {task.id: row.incident_id for task, row in zip(situation.problem.tasks, situation.work, strict=True)}
    kept = Kept(
        situation.problem, result.routes, names, {each.code: each.id for each in situation.crew}, situation.places
    )
    facts = _facts(situation, result, summary, moves, names)
    figures = (result.cost_s, result.rounds, result.cpu_s)
    with system_rights(session, actor):
        plan_id = store.write(session, territory.id, at, facts=facts, snapshot=pack(kept), figures=figures)
        store.write_rows(session, territory.id, plan_id, judged)
    remember(session, territory.id, plan_id, Loaded(kept, compiled, at))
    made = standing_plan(session, dataclasses.replace(actor, territory_id=territory.id), at)
    if made is None:
        raise NotFound("The plan that was just written is not there any more.", hint="Plan again.")
    return made


def shift_search(session: Session, actor: Actor) -> tuple[Problem, Stop] | None:
    """Return the newest plan's problem and how long to search for it at the start of a shift; None with little to do.

    What the search finds is given to `refresh` as ``first``: that reads the situation as it then is, so nothing that
    changed meanwhile is undone.
    """
    require(actor, May.DISPATCH)
    problem = problem_of(session, _territory(actor))
    if problem is None or len(problem.tasks) < START_TASKS:
        return None
    return problem, _usual_stop(len(problem.tasks), anew=True)


@dataclass(frozen=True, slots=True)
class Look:
    """Who is on shift now, who was in the plan before, by staff number, and whether there is work for anybody."""

    crew: frozenset[str]
    crew_before: frozenset[str]
    work_open: bool


def look(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> Look:
    """Return what decides whether a plan is worth making, without making it."""
    require(actor, May.DISPATCH)
    before = store.newest(session, territory.id)
    return Look(
        frozenset(each.code for each in on_shift(session, territory, moment)),
        frozenset(before[2]["crew"]) if before else frozenset(),
        is_work_open(session, territory.id),
    )


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether the dispatch process is at work, the moment of each territory's newest plan, and whether work is open."""

    at_work: bool
    made_at: Mapping[int, dt.datetime]
    open_work: bool


def keeping(session: Session, actor: Actor) -> Keeping:
    """Return how the standing plans are kept, for whoever keeps the platform running."""
    require(actor, May.KEEP_RUNNING)
    made = store.made_at(session)
    return Keeping(is_held(session, DISPATCH_LOCK), made, any(is_work_open(session, territory) for territory in made))


def _usual_stop(tasks: int, *, anew: bool) -> Stop:
    if not anew or tasks < START_TASKS:
        return Stop(seconds=ORDINARY_S)
    return Stop(seconds=min(START_MOST_S, START_S + tasks / TASKS_A_SECOND))


def _beginning(situation: Situation, before: Mapping[Id, Sequence[Id]]) -> dict[Id, list[Id]]:
    """Return the routes to begin with: those of the plan before, and what was given out since then."""
    routes: dict[Id, list[Id]] = {worker: list(route) for worker, route in before.items()}
    placed = {task for route in routes.values() for task in route}
    for worker, route in situation.running.items():
        routes.setdefault(worker, []).extend(task for task in route if task not in placed)
    return routes


def _much_new(situation: Situation, began: Mapping[Id, Sequence[Id]]) -> bool:
    """Return whether more is new than is worth putting beside what runs without giving up a little first."""
    known = {task for route in began.values() for task in route}
    return sum(task.id not in known for task in situation.problem.tasks) >= MUCH_NEW


def _facts(
    situation: Situation, result: Result, summary: Summary, moves: Sequence[MoveUp], names: Mapping[Id, int]
) -> dict[str, Any]:
    left = [
        {"incident_id": row.incident_id, "why": reason_json(why), "way_out": reason_json(way_out)}
        for row, why, way_out in ((each[0], *why_left(*each)) for each in situation.left)
    ]
    return {
        "summary": dataclasses.asdict(summary),
        "unserved": [
            {
                "incident_id": names[each.task],
                "why": reason_json(each.why),
                "way_out": None if each.way_out is None else reason_json(each.way_out),
            }
            for each in result.unserved
        ]
        + left,
        "move_ups": [{**dataclasses.asdict(each), "why": reason_json(each.why)} for each in moves],
        "told": [reason_json(each) for each in situation.told],
        "left_out": {str(worker): reason_json(each) for worker, each in result.left_out.items()},
        "terms": dict(result.terms),
        "crew": [each.code for each in situation.crew],
        "routes": {str(worker): list(route) for worker, route in result.routes.items() if route},
    }


def _territory(actor: Actor) -> int:
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    return actor.territory_id
