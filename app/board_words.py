"""The board in words: the time left, where a worker is, why this one and why not the others."""

from __future__ import annotations

import datetime as dt
import math
from functools import lru_cache

from app import i18n
from app.i18n import t, tn
from dispatch.model import Contender, Place, Proposal, QueueRow, Whereabouts
from dispatch.propose import Ranked
from incidents.model import DUE_SOON
from people.model import WorkerInfo

EXACT_BELOW_S = 10 * 3600
"""Below this the minutes count."""


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


def way(seconds: float) -> str:
    """Return a travel time, "5 min by car"; words where no way leads."""
    return t("{span} by car", span=short(seconds)) if math.isfinite(seconds) else t("no way there")


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


def one_line(entry: Ranked, best: Ranked | None) -> str:
    """Return what the choice among the workers is made by, in one line."""
    if entry.cannot is not None:
        return i18n.either(entry.cannot.en, entry.cannot.zh)
    grid = t("own grid") if entry.candidate.own_grid else t("other grid")
    parts = [way(entry.travel_s), in_hand(entry.candidate.open_tasks), grid]
    if entry.choice is not None and best is not None and best.choice is not None and entry is not best:
        parts.append(t("counts {span} more", span=short(entry.choice.cost_s - best.choice.cost_s)))
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
    """Return what speaks for the worker and what it costs, in short sentences."""
    ranking = proposal.ranking
    told = []
    if chosen.cannot is not None:
        told.append(i18n.either(chosen.cannot.en, chosen.cannot.zh))
    elif len(ranking.ranked) == 1:
        told.append(t("The only one on duty who can get there."))
    elif ranking.is_nearest(chosen):
        told.append(t("Nobody on duty is there sooner."))
    tasks = chosen.candidate.open_tasks
    told.append(t("Has {tasks}.", tasks=in_hand(tasks)))
    if chosen.candidate.own_grid and _stands_in(proposal, chosen):
        told.append(t("Stands in today for the grid's own worker, who is away."))
    elif chosen.candidate.own_grid:
        told.append(t("Knows the place: it is the worker's own grid."))
    else:
        counts = chosen.term("owner")
        told.append(
            t("Not the worker's own grid: counts {span} more.", span=short(counts))
            if counts > 0
            else t("Not the worker's own grid.")
        )
        told += [_off_duty(worker) for worker in proposal.own_off_duty]
    if chosen.choice is not None and chosen.choice.late_s > 0:
        told.append(t("Would begin {span} late.", span=short(chosen.choice.late_s)))
    if chosen.term("overtime") > 0:
        told.append(t("The shift ends before it is done: counts {span} more.", span=short(chosen.term("overtime"))))
    return told


def why_not(entry: Ranked) -> str:
    """Return what weighs most against a worker who is not proposed."""
    against = entry.against
    return t("the same by all that counts") if against is None else i18n.either(against.en, against.zh)


def instead(proposal: Proposal, chosen: Ranked) -> str:
    """Return what the plan would do instead of a choice of one's own; empty when it is the same."""
    best = proposal.ranking.best
    if best is None or best is chosen:
        return ""
    worker = name(proposal.contenders[best.candidate.worker_id])
    return t("Proposed is {worker}. Against this choice: {why}", worker=worker, why=why_not(chosen))


def assumptions(proposal: Proposal) -> list[str]:
    """Return what the proposal takes for granted."""
    told = [
        t("Ranked by the same table of costs as the plan; it stands on the page What if."),
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
