"""Questions about the standing plan, answered from the problem it was made of: why, what else, and new work at once.

The problem is read once a plan and process, then kept until the next plan: an answer takes milliseconds.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from dispatch import store_plan as store
from dispatch import store_situation
from dispatch.classify import Judged, needs_person
from dispatch.closures import network_now
from dispatch.costs import Costs, costs_of
from dispatch.explain import Explanation, explain
from dispatch.filing import SPARE, Filing, Offer, open_filing
from dispatch.plan_arrays import Compiled, compile_problem
from dispatch.plan_cost import RoutePrice, price_route
from dispatch.plan_kernels import LEAVE, START, WHO
from dispatch.plan_model import TERMS, Id, Problem, Reason, Seconds, Task
from dispatch.plan_words import minutes
from dispatch.situation import new_task, ways_to
from dispatch.situation_model import WorkRow, is_postponed
from dispatch.snapshot import Kept, unpack
from dispatch.standing import Standing
from dispatch.standing_model import Comparison
from geodata.db import system_rights
from geodata.network import RoadNetwork
from geodata.territory import TerritoryInfo

TERRITORIES_KEPT = 8
"""Of so many territories the newest plan is kept in memory."""
NAMED = 8
"""Other workers told of, the cheapest first."""
_LATER_S = 30.0
FRESH = dt.timedelta(minutes=3)
"""An older plan does not say who is there any more."""
_kept: OrderedDict[tuple[str, int], tuple[int, Loaded]] = OrderedDict()
"""Database and territory to its newest plan."""
_lock = threading.Lock()


@dataclass(eq=False)
class Loaded:
    """A plan's problem in memory; ``room`` takes new work until the next plan, ``offered`` is what it took."""

    kept: Kept
    compiled: Compiled
    at: dt.datetime
    room: Room | None = None
    offered: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Room:
    """What an offer is reckoned with: the running plan, and the streets and costs that it was made by."""

    filing: Filing
    network: RoadNetwork
    costs: Costs


def why(session: Session, actor: Actor, incident_id: int, *, named: int = NAMED) -> Explanation:
    """Return why the standing plan sends whom it sends to an incident; workers and tasks as they are called.

    Raises
    ------
    NotFound
        When the incident is not in the plan.
    """
    loaded, task = _ask(session, actor, incident_id)
    return explain(loaded.kept.problem, loaded.kept.routes, task, named, loaded.compiled)


def compare(session: Session, actor: Actor, incident_id: int, worker_id: int) -> Comparison:
    """Return what sending another worker would cost, by term, and what would become late.

    Raises
    ------
    NotFound
        When the incident or the worker is not in the plan.
    """
    loaded, task = _ask(session, actor, incident_id)
    kept, compiled = loaded.kept, loaded.compiled
    code = next((code for code, one in kept.workers.items() if one == worker_id), None)
    if code is None:
        raise NotFound(
            "This worker is not in the plan: not on shift, or without a known place.",
            hint="Choose somebody on shift.",
            zh="该人员不在本计划中：未在班或位置不明，请选择在班人员。",
        )
    standing = Standing(compiled, kept.routes)
    found = [j for j, k in enumerate(compiled.tasks) if kept.problem.tasks[int(k)].id == task]
    chosen = int(standing.core.link[found[0], WHO]) if found else -1
    chosen_id = kept.workers[kept.problem.workers[int(compiled.workers[chosen])].id] if chosen >= 0 else None
    nothing = Comparison(incident_id, worker_id, chosen_id, 0.0, dict.fromkeys(TERMS, 0.0), (), None, 0.0)
    if not found or code not in compiled.present or compiled.present[code] == chosen:
        if not found or code not in compiled.present:
            return dataclasses.replace(nothing, cannot=_left_out(compiled).get(code) or _faulty(compiled).get(task))
        return nothing
    j, w = found[0], compiled.present[code]
    rejected = explain(kept.problem, kept.routes, task, 0, compiled).rejected
    if code in rejected:
        return dataclasses.replace(nothing, cannot=rejected[code])
    before = {each: price_route(compiled, each, standing.route(each)) for each in {w, chosen} if each >= 0}
    standing.take_out(j)
    place = standing.with_worker(j, w)
    if place is None:
        return nothing
    route = standing.route(w)
    route.insert(route.index(place[1]) + 1 if place[1] >= 0 else 0, j)
    after = {w: price_route(compiled, w, route)}
    if chosen >= 0:
        after[chosen] = price_route(compiled, chosen, standing.route(chosen))
    terms = {name: _sum(after, name) - _sum(before, name) for name in TERMS}
    visit = next(each for each in after[w].visits if each.task == task)
    return dataclasses.replace(
        nothing,
        more_s=sum(terms.values()),
        terms=terms,
        late=_later(before, after),
        start_at=loaded.at + dt.timedelta(seconds=visit.start_s),
        late_s=visit.late_s,
    )


def _left_out(compiled: Compiled) -> dict[Id, Reason]:
    return {compiled.problem.workers[k].id: why for k, why in compiled.checked.workers.items()}


def _faulty(compiled: Compiled) -> dict[Id, Reason]:
    return {compiled.problem.tasks[k].id: why for k, why in compiled.checked.tasks.items()}


def _sum(prices: dict[int, RoutePrice], term: str) -> float:
    return sum(each.terms[term] for each in prices.values())


def _later(before: dict[int, RoutePrice], after: dict[int, RoutePrice]) -> tuple[tuple[str, int], ...]:
    """Return what becomes late, or later by more than half a minute, with the minutes of lateness it then has."""
    was = {visit.task: visit.late_s for each in before.values() for visit in each.visits}
    found = [
        (str(visit.task), minutes(visit.late_s))
        for each in after.values()
        for visit in each.visits
        if visit.late_s > was.get(visit.task, 0.0) + _LATER_S
    ]
    return tuple(sorted(found, key=lambda each: -each[1]))


def make_room(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime | None = None) -> bool:
    """Make the newest plan ready for new work, so that the first offer takes no longer than the next; once a plan.

    Return whether there is a plan with workers.
    """
    require(actor, May.DISPATCH)
    found = _newest(session, territory.id)
    if found is None or not found[1].kept.problem.workers:
        return False
    _room(session, territory, found[1], moment or clock_now())
    return True


def _room(session: Session, territory: TerritoryInfo, loaded: Loaded, at: dt.datetime) -> Room:
    if loaded.room is None:
        filing = open_filing(loaded.kept.problem, loaded.kept.routes)
        loaded.room = Room(filing, network_now(session, territory, "drive", at), costs_of(session, territory.id))
    return loaded.room


def offer_new(
    session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime | None = None
) -> list[Judged]:
    """Put work that was filed since the plan was made into it, each where it costs least; return what was put in.

    The plan is not searched anew: that comes next, and may decide otherwise. Work that nobody can take waits for it,
    and so does what is more than there is room for. A plan that is not `FRESH` takes nothing: who was there may have
    gone home.
    """
    require(actor, May.DISPATCH)
    at = moment or clock_now()
    found = _newest(session, territory.id)
    if found is None or not found[1].kept.problem.workers or at - found[1].at > FRESH:
        return []
    plan_id, loaded = found
    known = set(loaded.kept.incidents.values()) | loaded.offered
    left = SPARE - len(loaded.offered)
    if left <= 0:
        return []
    waiting = store_situation.to_send(session, territory.id, but=known)
    fresh = [row for row in waiting if not is_postponed(row, at)]
    if not fresh:
        return []
    room = _room(session, territory, loaded, at)
    filing = room.filing
    made = []
    for row in fresh[:left]:
        task = new_task(session, territory, row, at, room.costs)
        if task.workers > 1:  # who goes together is for the next plan
            continue
        to_s, from_s = ways_to(room.network, (row.lon, row.lat), loaded.kept.places)
        loaded.offered.add(row.incident_id)
        offer = filing.propose(task, to_s, from_s)
        if offer is not None:
            filing.accept(offer, task)
            made.append(_offered(loaded, filing, row, task, offer=offer, from_s=from_s))
    if made:
        with system_rights(session, actor):
            store.write_rows(session, territory.id, plan_id, made)
    return made


def _offered(loaded: Loaded, filing: Filing, row: WorkRow, task: Task, *, offer: Offer, from_s: Seconds) -> Judged:
    """Return a new stop as it is kept."""
    standing, w = filing.standing, loaded.compiled.present[offer.worker]
    route = standing.route(w)
    j = next(each for each in route if filing.name(each) == task.id)
    start_s, end_s = float(standing.core.task[j, START]), float(standing.core.task[j, LEAVE])
    place = route.index(j) + 1
    rows = standing.compiled.rows
    before = rows[route[place - 2]] if place > 1 else -1
    travel_s = float(from_s[before]) if 0 <= before < len(from_s) else 0.0
    slack_s = task.due_s - start_s if np.isfinite(task.due_s) else None
    late_s = max(0.0, -slack_s) if slack_s is not None else 0.0
    start_at, end_at = (loaded.at + dt.timedelta(seconds=each) for each in (start_s, end_s))
    needs = needs_person(row, "new", late_s, slack_s, task.excluded, None)
    worker_id = loaded.kept.workers[offer.worker]
    return Judged(row, worker_id, place, start_at, end_at, travel_s, late_s, slack_s, "new", needs)


def remember(session: Session, territory_id: int, plan_id: int, loaded: Loaded) -> None:
    """Keep the problem of a territory's newest plan in memory for questions about it, instead of that before."""
    key = _key(session, territory_id)
    with _lock:
        if key not in _kept or _kept[key][0] <= plan_id:
            _kept[key] = (plan_id, loaded)
        _kept.move_to_end(key)
        while len(_kept) > TERRITORIES_KEPT:
            _kept.popitem(last=False)


def problem_of(session: Session, territory_id: int) -> Problem | None:
    """Return the problem of a territory's newest plan."""
    found = _newest(session, territory_id)
    return None if found is None else found[1].kept.problem


def newest_loaded(session: Session, territory_id: int, since: dt.datetime) -> Loaded | None:
    """Return the newest plan's problem in memory; None when the plan was made before a moment."""
    found = _newest(session, territory_id)
    return found[1] if found is not None and found[1].at >= since else None


def _key(session: Session, territory_id: int) -> tuple[str, int]:
    return session.get_bind().engine.url.render_as_string(hide_password=True), territory_id


def _newest(session: Session, territory_id: int) -> tuple[int, Loaded] | None:
    """Return id and problem of a territory's newest plan; None without one, or when it cannot be read any more."""
    plan_id = store.newest_id(session, territory_id)
    if plan_id is None:
        return None
    with _lock:
        found = _kept.get(_key(session, territory_id))
    if found is not None and found[0] == plan_id:
        return found
    content = store.snapshot(session, plan_id)
    kept = None if content is None else unpack(content)
    made_at = store.moment_of(session, plan_id)
    if kept is None or made_at is None:
        return None
    # What was put into it by another process, or by this one before it began anew, is not offered a second time.
    offered = store.incidents_of(session, plan_id) - set(kept.incidents.values())
    loaded = Loaded(kept, compile_problem(kept.problem), made_at, offered=offered)
    remember(session, territory_id, plan_id, loaded)
    return plan_id, loaded


def _ask(session: Session, actor: Actor, incident_id: int) -> tuple[Loaded, Id]:
    """Return the newest plan's problem and the task of an incident in it, that to handle it first."""
    require(actor, May.DISPATCH)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    found = _newest(session, actor.territory_id)
    loaded = None if found is None else found[1]
    names = [] if loaded is None else [name for name, one in loaded.kept.incidents.items() if one == incident_id]
    if loaded is None or not names:
        raise NotFound(
            "This incident is not in the standing plan.",
            hint="Work that was just filed is in the next one, within seconds.",
            zh="该案件不在当前计划中；新立案的案件数秒后进入下一版计划。",
        )
    return loaded, min(names, key=lambda each: len(str(each)))
