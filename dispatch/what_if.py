"""Use cases of "What if": a past day of the territory, asked again with other rules and other numbers.

Nothing in it changes what is: it reads, and the answer stands in the row of the background job.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput
from core.identity import Actor, May, require
from core.progress import Progress
from dispatch import store, store_days, store_situation
from dispatch.costs import costs_of
from dispatch.simulate import compare, runs_of
from dispatch.simulate_days import Stage, beside
from dispatch.simulate_model import Arrival, Member, Options
from dispatch.situation import LONGEST_SERVICE_MIN, SERVICE_MIN, ways_between
from dispatch.situation_model import rest_of
from dispatch.what_if_model import MOST_MORE, Question, Reply, read_question, reply_as_json, row_of
from dispatch.what_if_words import notes
from geodata.jobs import Job, ahead_of, asked_of, enqueue, find_job, recent_jobs, request_cancel
from geodata.roads import network_of
from geodata.territory import TerritoryInfo
from people.model import WorkerInfo
from people.service import workers_with_shifts

KIND = "what_if"
BACK_DAYS = 90
SHAPE = 4.0
"""How evenly long work of a kind is: the shape of a gamma distribution about its usual time."""


@dataclass(frozen=True, slots=True)
class _People:
    """Who is on shift, and the middle of the responsibility grid of each."""

    workers: Sequence[WorkerInfo]
    homes: Sequence[tuple[float, float]]


def days(
    session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime | None = None
) -> list[tuple[dt.date, int]]:
    """Return past days of the territory with the incidents filed on each, the newest first; today is not over."""
    require(actor, May.DISPATCH)
    moment = moment or clock_now()
    today = moment.astimezone(territory.zone).date()
    found = store_days.days(session, territory.id, territory.timezone, moment - dt.timedelta(days=BACK_DAYS))
    return [(day, count) for day, count in found if day < today]


def ask(session: Session, actor: Actor, question: Question) -> int:
    """Queue a question and return the id of its job."""
    require(actor, May.DISPATCH)
    return enqueue(session, actor, KIND, question.as_json())


def asked(session: Session, actor: Actor, job_id: int) -> Job | None:
    """Return the job of a question; None when there is none."""
    require(actor, May.DISPATCH)
    job = find_job(session, job_id)
    return job if job is not None and job.kind == KIND else None


def latest(session: Session, actor: Actor, territory: TerritoryInfo, *, limit: int = 8) -> list[Job]:
    """Return the newest questions of the territory, newest first."""
    require(actor, May.DISPATCH)
    return recent_jobs(session, territory.id, KIND, limit=limit)


def questions(session: Session, actor: Actor, jobs: Sequence[Job]) -> dict[int, Question]:
    """Return what was asked, by job: also while it waits."""
    require(actor, May.DISPATCH)
    return {job_id: read_question(given) for job_id, given in asked_of(session, [job.id for job in jobs]).items()}


def ahead(session: Session, actor: Actor, job: Job) -> int:
    """Return how many other pieces of work are done before a question that waits."""
    require(actor, May.DISPATCH)
    return ahead_of(session, job.id) if job.state == "waiting" else 0


def cancel(session: Session, actor: Actor, job_id: int) -> None:
    """Ask a question's work to stop."""
    require(actor, May.DISPATCH)
    if asked(session, actor, job_id) is not None:
        request_cancel(session, job_id)


def read_day(session: Session, actor: Actor, territory: TerritoryInfo, question: Question) -> tuple[Stage, Options]:
    """Return a past day as it can be played, with the territory's cost table.

    Raises
    ------
    InvalidInput
        When nothing was filed on the day, or nobody was on shift whose place is known.
    """
    require(actor, May.DISPATCH)
    midnight = dt.datetime.combine(question.day, dt.time(), territory.zone)
    first, until = midnight.astimezone(dt.UTC), (midnight + dt.timedelta(days=1)).astimezone(dt.UTC)
    rows = store_days.filed(session, territory.id, first, until)
    if not rows:
        raise InvalidInput(
            "No incident was filed on this day.", hint="Choose another day.", zh="当日没有立案的案件，请选择其他日期。"
        )
    noon = (midnight + dt.timedelta(hours=12)).astimezone(dt.UTC)
    crew = workers_with_shifts(session, territory.id, at=noon, timezone=territory.timezone)
    present = [each for each in crew if each.shift_start is not None and each.shift_end is not None]
    homes = store.grid_middles(session, territory.id, [each.grid_code for each in present if each.grid_code])
    present = [each for each in present if (each.grid_code or "") in homes]
    if not present:
        raise InvalidInput(
            "Nobody with a responsibility grid was on shift on this day.",
            hint="Choose another day, or look at the roster.",
            zh="当日没有负责网格的人员在班，请选择其他日期或查看排班。",
        )
    usual = store_situation.usual_minutes(
        session, territory.id, until - dt.timedelta(days=store_situation.HISTORY_DAYS)
    )
    costs = costs_of(session, territory.id)
    people = _People(present, [homes[each.grid_code or ""] for each in present])
    stage = _stage(session, territory, rows, people, usual, first=first, seed=question.seed)
    return stage, Options(seed=question.seed, weights=costs.weights, margin_s=costs.weights.margin_s)


def answer(stage: Stage, options: Options, question: Question, progress: Progress) -> dict[str, object]:
    """Return the answer for the job's row; no database is needed."""
    outcomes = compare(runs_of(question.policies, question.changes()), stage.day, options, progress)
    rows = tuple(row_of(each) for each in outcomes)
    return reply_as_json(Reply(question, rows, stage.notes, sum(each.cpu_s for each in outcomes)))


def _stage(
    session: Session,
    territory: TerritoryInfo,
    rows: Sequence[store_days.FiledRow],
    people: _People,
    usual: Mapping[tuple[int, str], float],
    *,
    first: dt.datetime,
    seed: int,
) -> Stage:
    places = np.array([(each.lon, each.lat) for each in rows])
    homes = np.array(people.homes)
    spare = beside(places, homes, MOST_MORE)
    spots = np.vstack([homes, spare, places])
    ways, straight = ways_between(network_of(session, territory, "drive"), spots)
    ways = np.where(np.isnan(ways), np.float32(np.inf), ways)
    here, all_places = len(homes), len(homes) + len(spare)
    members = [_member(worker, w, first) for w, worker in enumerate(people.workers)]
    starts, ends = ([getattr(each, name) for each in members] for name in ("start_s", "end_s"))
    usual_shift = (median(starts), median(ends))
    extra = [Member(f"+{k + 1}", here + k, *usual_shift) for k in range(len(spare))]
    owners: dict[str, int] = {}
    for w, worker in enumerate(people.workers):
        for code in (worker.grid_code, *worker.stands_in):
            owners.setdefault(code or "", w)
    arrivals = []
    for j, row in enumerate(rows):
        minutes = min(LONGEST_SERVICE_MIN, usual.get((row.class_id, "handle"), SERVICE_MIN["handle"]))
        owner = owners.get(row.grid or "", -1)
        arrivals.append(_arrival(row, all_places + j, first, mean_s=60 * minutes, owner=owner, seed=seed))
    leave = np.random.default_rng(seed).permutation(here).tolist()
    known = sum((row.class_id, "handle") in usual for row in rows)
    return Stage(
        arrivals, members, ways, extra, leave, notes(known, len(rows), SERVICE_MIN["handle"], straight=bool(straight))
    )


def _member(worker: WorkerInfo, at: int, first: dt.datetime) -> Member:
    start, end = worker.shift_start or first, worker.shift_end or first
    return Member(
        worker.code,
        at,
        (start - first).total_seconds(),
        (end - first).total_seconds(),
        breaks=rest_of(start, end, worker.break_min, first),
    )


def _arrival(
    row: store_days.FiledRow,
    at: int,
    first: dt.datetime,
    *,
    mean_s: float,
    owner: int,
    seed: int,
) -> Arrival:
    """Return an incident of the day; how long its work takes hangs on the seed and on its id alone."""
    drawn = np.random.default_rng([seed, row.id]).gamma(SHAPE, mean_s / SHAPE)
    return Arrival(
        row.id,
        at,
        (row.filed_at - first).total_seconds(),
        float(drawn),
        mean_s,
        0 if row.emergency else min(2, max(0, row.priority - 1)),
        math.inf if row.due_at is None else (row.due_at - first).total_seconds(),
        owner=owner,
    )
