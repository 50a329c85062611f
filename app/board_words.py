"""The board in words: the time left, where a worker is, why this one and why not the others."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from app import i18n
from app.i18n import t, tn
from dispatch.model import Contender, Place, Proposal, QueueRow, Whereabouts
from dispatch.propose import Comparison, Point, Ranked, Term, compare
from geodata.network import WALK_KMH, Mode
from incidents.model import DUE_SOON
from people.model import WorkerInfo

EXACT_BELOW_S = 10 * 3600
"""Below this the minutes count."""


def mode_name(mode: Mode) -> str:
    """Return the name of a mode of travel."""
    return t("By car") if mode == "drive" else t("On foot")


def left(row: QueueRow, now: dt.datetime) -> tuple[str, str]:
    """Return what is left until the deadline, and the tone: late, soon, good or empty."""
    return left_until(row.due_at, now)


def left_until(due: dt.datetime | None, now: dt.datetime) -> tuple[str, str]:
    """Return what is left until a deadline, and the tone."""
    if due is None:
        return t("no limit"), ""
    away_s = abs((due - now).total_seconds())
    span = short(away_s) if away_s < EXACT_BELOW_S else i18n.span(due - now)
    if due < now:
        return t("{span} late", span=span), "late"
    return t("{span} left", span=span), "soon" if due - now <= DUE_SOON else "good"


def where(row: QueueRow) -> str:
    """Return street and community."""
    community = i18n.either(row.community, row.community_zh)
    return t("{place}, {community}", place=row.place, community=community) if row.place else community


def name(contender: Contender) -> str:
    """Return staff number and, for those who may see it, the name."""
    worker = contender.worker
    return f"{worker.code} {worker.name}" if worker.name else worker.code


def way(seconds: float, mode: Mode) -> str:
    """Return a travel time with its mode, "5 min by car"."""
    span = short(seconds)
    return t("{span} by car", span=span) if mode == "drive" else t("{span} on foot", span=span)


def short(seconds: float) -> str:
    """Return a time in whole minutes, at least one: what is below nobody can promise."""
    return _short(max(1, round(seconds / 60)), i18n.locale())


@lru_cache(maxsize=4096)
def _short(minutes: int, locale: str) -> str:
    del locale  # the words are in the language in use
    if minutes < 60:
        return tn("{count} min", "{count} min", minutes)
    return t("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def in_hand(tasks: int) -> str:
    """Return how many tasks a worker has."""
    return tn("{count} task in hand", "{count} tasks in hand", tasks) if tasks else t("no task in hand")


def one_line(entry: Ranked, mode: Mode) -> str:
    """Return what the choice among the workers is made by, in one line."""
    grid = t("own grid") if entry.candidate.own_grid else t("other grid")
    parts = [way(entry.travel_s, mode), in_hand(entry.candidate.open_tasks), grid]
    if entry.overtime_s:
        parts.append(t("shift ends before it is done"))
    return " · ".join(parts)


def setting_out(contender: Contender, timezone: str, now: dt.datetime) -> str:
    """Return from where the way is counted and how that is known."""
    return origin(contender.place, contender.worker.grid_code or "", timezone, now)


def origin(place: Place, grid: str, timezone: str, now: dt.datetime) -> str:
    """Return the same of a place, and the worker's own grid."""
    if place.how is Whereabouts.HOME_GRID:
        return t(
            "The way is counted from the middle of the own grid {grid}: no task finished on this shift yet.",
            grid=grid,
        )
    if place.how is Whereabouts.POSITION and place.at is not None:
        return t("The way is counted from where the phone was, {ago}.", ago=i18n.distance(place.at, now=now))
    street = place.name or t("its place")
    if place.how is Whereabouts.AT_TASK or place.at is None:
        return t("The way is counted from the task being done: {place}.", place=street)
    clock = i18n.clock(place.at, timezone, now=now)
    return t("The way is counted from the last task: {place}, finished {clock}.", place=street, clock=clock)


def why(proposal: Proposal, chosen: Ranked) -> list[str]:
    """Return what speaks for the worker, in short sentences."""
    ranking = proposal.ranking
    told = []
    if len(ranking.ranked) == 1:
        told.append(t("The only one on duty who can get there."))
    elif ranking.is_nearest(chosen):
        told.append(t("Nobody on duty is there sooner."))
    tasks = chosen.candidate.open_tasks
    if tasks:
        one, many = "Has {count} task in hand: counts {span} more.", "Has {count} tasks in hand: counts {span} more."
        told.append(tn(one, many, tasks, span=short(chosen.workload_s)))
    else:
        told.append(t("Has no task in hand."))
    if chosen.candidate.own_grid and _stands_in(proposal, chosen):
        told.append(t("Stands in today for the grid's own worker, who is away."))
    elif chosen.candidate.own_grid:
        told.append(t("Knows the place: it is the worker's own grid."))
    else:
        told.append(t("Not the worker's own grid: counts {span} more.", span=short(chosen.other_grid_s)))
        told += [_off_duty(worker) for worker in proposal.own_off_duty]
    if chosen.overtime_s:
        told.append(t("The shift ends before it is done: counts {span} more.", span=short(chosen.overtime_s)))
    return told


def why_not(comparison: Comparison) -> str:
    """Return why another worker stands behind: "2 min longer on the way, though it knows the grid"."""
    if comparison.same:
        return t("the same by all that counts; the staff number decides")
    against = t(", ").join(_against(point) for point in comparison.against)
    if not comparison.though:
        return against
    return t("{against}, though {favour}", against=against, favour=t(", ").join(map(_favour, comparison.though)))


def instead(proposal: Proposal, chosen: Ranked) -> str:
    """Return what the platform would do instead of a choice of one's own; empty when it is the same."""
    best = proposal.ranking.best
    if best is None or best is chosen:
        return ""
    points = t(", ").join(map(_favour, compare(chosen, best).though)) or t("the same by all that counts")
    return t(
        "Proposed is {worker}: {points}.", worker=name(proposal.contenders[best.candidate.worker_id]), points=points
    )


def assumptions(proposal: Proposal) -> list[str]:
    """Return what the proposal takes for granted."""
    costs = proposal.costs
    speed = (
        t("Cars go as fast as the road allows, without waiting at junctions.")
        if proposal.mode == "drive"
        else t("Walking {speed} km/h on streets and paths.", speed=i18n.number(WALK_KMH, 1))
    )
    told = [
        speed,
        t(
            "Beside the way count: a task in hand {task}, another grid {grid}, time past the shift twice.",
            task=short(costs.task_s),
            grid=short(costs.other_grid_s),
        ),
        t("A worker's place comes from the phone, on shift only, else from tasks, else from the own grid."),
    ]
    if proposal.placeless:
        told.append(t("Without a known place, so not ranked: {codes}.", codes=t(", ").join(proposal.placeless)))
    return told


def _stands_in(proposal: Proposal, chosen: Ranked) -> bool:
    """Return whether the incident's grid is that of somebody the worker stands in for."""
    worker = proposal.contenders[chosen.candidate.worker_id].worker
    return proposal.incident.responsibility_code in worker.stands_in


def _off_duty(worker: WorkerInfo) -> str:
    who = f"{worker.code} {worker.name}" if worker.name else worker.code
    if worker.away:
        return t("The grid's own worker {who} is away today.", who=who)
    if worker.shift_start is None or worker.shift_end is None:
        return t("The grid's own worker {who} is off duty.", who=who)
    hours = f"{worker.shift_start:%H:%M}–{worker.shift_end:%H:%M}"
    return t("The grid's own worker {who} is off duty (shift {hours}).", who=who, hours=hours)


def _against(point: Point) -> str:
    span = short(point.seconds)
    return {
        Term.TRAVEL: t("{span} longer on the way", span=span) if point.seconds >= 60 else t("a little farther"),
        Term.WORKLOAD: t("more work in hand"),
        Term.OTHER_GRID: t("does not know the grid"),
        Term.OVERTIME: t("shift ends before it is done"),
    }[point.term]


def _favour(point: Point) -> str:
    span = short(point.seconds)
    return {
        Term.TRAVEL: t("{span} sooner there", span=span) if point.seconds >= 60 else t("a little nearer"),
        Term.WORKLOAD: t("less work in hand"),
        Term.OTHER_GRID: t("knows the grid"),
        Term.OVERTIME: t("longer on shift"),
    }[point.term]
