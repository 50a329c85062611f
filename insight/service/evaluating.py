"""Use cases of evaluation: keeping the facts current, leagues, trends, a worker's own scores."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.db import system_rights
from insight import indicators, scoring
from insight.indicators import BY_KEY, COUNTS, INDICATORS, TOO_FEW, Indicator
from insight.model import SUBJECTS, WORKER, Cell, Counted, Folded, Month, Score, subjects_for
from insight.service import appealing
from insight.service.ruling import rule_in_force
from insight.store import counting, folding, past
from insight.store.past import Then

LONGEST = dt.timedelta(days=3 * 366)
PARTS = ("numerator", "denominator")
READ = ("department", "community")
"""Subjects that are counted from the facts; the others follow from the counts of either."""


def refresh(session: Session, actor: Actor, territory_id: int, *, anew: bool = False) -> Folded:
    """Fold what the record tells since the last time; ``anew`` folds all of it again, to the same facts.

    Called as the system, in a transaction of its own; two at once come one after the other.
    """
    if actor.role is not Role.SYSTEM:
        raise NotPermitted("The platform itself folds the record.", hint="Open Indicators, or wait some minutes.")
    began = time.monotonic()
    folding.lock(session, territory_id)
    reached = folding.reached(session, territory_id)
    batch = folding.newest_batch(session)
    ids = None if anew or reached is None else folding.touched(session, territory_id, reached[0])
    acts, facts = (0, 0) if ids == [] else _fold(session, territory_id, ids)
    folding.note_reached(session, territory_id, batch, now())
    return Folded(acts, facts, time.monotonic() - began)


def refresh_day(session: Session, actor: Actor, territory_id: int, day: dt.date) -> int:
    """Fold what went on after a day once more until its end, where it is not kept yet; return the facts written.

    Called as the system, as `refresh` is, and after it.
    """
    if actor.role is not Role.SYSTEM:
        raise NotPermitted("The platform itself folds the record.", hint="Open Indicators, or wait some minutes.")
    folding.lock(session, territory_id)
    night = past.night_of(session, territory_id, day)
    ids = past.touched_after(session, territory_id, day, night)
    written = 0
    if ids:
        held = appealing.held(session, territory_id, ids)
        written = past.fold_until(session, territory_id, day, night, ids, held)
        past.let_go(session, territory_id, day)
    return written


def _fold(session: Session, territory_id: int, ids: Sequence[str] | None) -> tuple[int, int]:
    """Fold with the appeals whose signature holds; a row that only says granted changes no score."""
    return folding.fold(session, territory_id, ids, held=appealing.held(session, territory_id, ids))


def facts_as_of(session: Session, actor: Actor) -> dt.datetime | None:
    """Return when the record was folded last; None before the first time."""
    require(actor, May.SEE_SCORES)
    reached = folding.reached(session, _home(actor))
    return None if reached is None else reached[1]


def evaluate(
    session: Session,
    actor: Actor,
    subject: str,
    first: dt.date,
    last: dt.date,
    *,
    moment: dt.datetime | None = None,
    as_of: dt.date | None = None,
) -> list[Score]:
    """Return every indicator of every subject for the incidents reported on local days ``first`` to ``last``.

    Counted is what the actor may see: a grid manager's departments are judged by his communities. A
    planner gets sums only, and none of fewer than `TOO_FEW`.

    Parameters
    ----------
    subject
        department, community, class or post.
    moment
        What counts as due by then; now when left out.
    as_of
        What was known at the end of that day, and due by then; after `refresh_day`. The rule, names and granted
        appeals' signatures are those of today.

    Raises
    ------
    InvalidInput
        When there is no such subject, or the days run backwards or too long.
    NotPermitted
        When the role may not compare these subjects.
    """
    at, then = _at(session, actor, moment, as_of), _then(session, actor, as_of)
    found = _cells(session, actor, subject, first, last, moment=at, then=then)
    undone = _undone(session, actor, subject, first, last, moment=at, then=then)
    with _reading(session, actor):
        names = {} if subject == "post" else counting.names(session, _home(actor), subject)
    scores = scoring.of_posts(found, undone) if subject == "post" else scoring.league(subject, found, names, undone)
    if actor.role is Role.PLANNER:
        return [score for score in scores if score.denominator >= TOO_FEW]
    return scores


def evaluate_all(
    session: Session, actor: Actor, first: dt.date, last: dt.date, *, moment: dt.datetime | None = None
) -> dict[str, list[Score]]:
    """Return what `evaluate` says of every subject that the actor may compare, the facts read only twice for it.

    Classes and posts are added up from the counts of the departments, which are kept by class.
    """
    at, home = _moment(moment), _home(actor)
    wanted = subjects_for(actor.role)
    read = {name: _cells(session, actor, name, first, last, moment=at) for name in READ if name in wanted}
    found = next((read[name] for name in READ if name in read), [])
    scores: dict[str, list[Score]] = {}
    for subject in wanted:
        undone = _undone(session, actor, subject, first, last, moment=at)
        with _reading(session, actor):
            names = {} if subject == "post" else counting.names(session, home, subject)
        cells = read.get(subject) or [
            dataclasses.replace(cell, subject_id=cell.class_id if subject == "class" else None) for cell in found
        ]
        made = scoring.of_posts(cells, undone) if subject == "post" else scoring.league(subject, cells, names, undone)
        scores[subject] = (
            [score for score in made if score.denominator >= TOO_FEW] if actor.role is Role.PLANNER else made
        )
    return scores


def trend(
    session: Session,
    actor: Actor,
    subject: str,
    indicator: str,
    *,
    first: dt.date,
    last: dt.date,
    moment: dt.datetime | None = None,
    as_of: dt.date | None = None,
) -> dict[int | None, list[Month]]:
    """Return one indicator of every subject by month of report, oldest first.

    Raises
    ------
    NotPermitted
        As `evaluate` does, and for a planner: by months the few would show that his sums hold back.
    """
    rate = _indicator(indicator)
    if actor.role is Role.PLANNER:
        raise NotPermitted(
            "A planner gets sums of a whole period, not months.",
            hint="Evaluate the period instead.",
            zh="规划员只能查看整个时段的合计，不能按月查看。请改为查看时段评价。",
        )
    counts: dict[int | None, dict[dt.date, list[Mapping[str, int]]]] = defaultdict(lambda: defaultdict(list))
    moment, then = _at(session, actor, moment, as_of), _then(session, actor, as_of)
    for cell in _cells(session, actor, subject, first, last, moment=moment, by_month=True, then=then):
        if cell.month is not None:
            counts[cell.subject_id][cell.month].append(cell.counts)
    return {
        who: [scoring.month_of(rate, month, indicators.add(parts)) for month, parts in sorted(months.items())]
        for who, months in counts.items()
    }


def worker_scores(
    session: Session,
    actor: Actor,
    worker_id: int,
    first: dt.date,
    last: dt.date,
    *,
    moment: dt.datetime | None = None,
    as_of: dt.date | None = None,
) -> list[Score]:
    """Return a worker's scores, for himself and the manager of his grid only; there is no rank among workers."""
    require(actor, May.SEE_SCORES)
    own = actor.worker_id is not None and actor.worker_id == worker_id
    manages = actor.role is Role.GRID_MANAGER and counting.works_in(session, worker_id, actor.area_ids)
    if not own and not manages:
        raise NotPermitted(
            "A worker's scores are for the worker and the manager of the grid.",
            hint="Look at the department or the community instead.",
            zh="网格员的评价仅本人及其网格长可见。请查看单位或社区的评价。",
        )
    _check_days(first, last)
    at, then, rule = _at(session, actor, moment, as_of), _then(session, actor, as_of), rule_in_force(session, actor)
    after, before = (
        indicators.add(
            [
                cell.counts
                for cell in counting.cells(
                    session,
                    _home(actor),
                    WORKER,
                    first=first,
                    last=last,
                    moment=at,
                    rule=rule,
                    subject_id=worker_id,
                    plain=plain,
                    then=then,
                )
            ]
        )
        for plain in (False, True)
    )
    name = counting.names(session, _home(actor), WORKER).get(worker_id, ("", ""))
    undone = {key: before[key] - after[key] for key in COUNTS}
    return [scoring.alone(each, after, undone, subject=WORKER, subject_id=worker_id, name=name) for each in INDICATORS]


def behind(
    session: Session,
    actor: Actor,
    subject: str,
    indicator: str,
    part: str,
    *,
    first: dt.date,
    last: dt.date,
    subject_id: int | None = None,
    moment: dt.datetime | None = None,
    as_of: dt.date | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Counted:
    """Return the incidents that a numerator or a denominator counts, a page of them, the newest first.

    Raises
    ------
    NotPermitted
        As `evaluate` does, and for a role that sees sums but no incident.
    """
    require(actor, May.SEE_INCIDENTS)
    _check(actor, subject, first, last)
    rate = _indicator(indicator)
    if part not in PARTS:
        raise InvalidInput(f"There is no part {part!r} of a rate.", hint=f"Parts are: {', '.join(PARTS)}.")
    value, incidents, rows = counting.behind(
        session,
        _home(actor),
        subject,
        rate,
        part,
        first=first,
        last=last,
        moment=_at(session, actor, moment, as_of),
        rule=rule_in_force(session, actor),
        subject_id=subject_id,
        limit=limit,
        offset=offset,
        then=_then(session, actor, as_of),
    )
    return Counted(value, incidents, rows)


def name_of(session: Session, actor: Actor, subject: str, subject_id: int | None) -> tuple[str, str] | None:
    """Return the English and Chinese name of a subject; None for a post or for nobody."""
    require(actor, May.SEE_SCORES)
    if subject_id is None or subject not in SUBJECTS or subject == "post":
        return None
    return counting.names(session, _home(actor), subject).get(subject_id)


def _cells(
    session: Session,
    actor: Actor,
    subject: str,
    first: dt.date,
    last: dt.date,
    *,
    moment: dt.datetime | None,
    by_month: bool = False,
    then: Then | None = None,
) -> list[Cell]:
    _check(actor, subject, first, last)
    with _reading(session, actor):
        return counting.cells(
            session,
            _home(actor),
            subject,
            first=first,
            last=last,
            moment=_moment(moment),
            rule=rule_in_force(session, actor),
            by_month=by_month,
            then=then,
        )


def _then(session: Session, actor: Actor, day: dt.date | None) -> Then | None:
    """Return what is kept of a day, of all incidents: today's fact of one that was another's then must not count."""
    if day is None:
        return None
    require(actor, May.SEE_SCORES)
    if actor.role is Role.SYSTEM:
        return Then(day, past.kept(session, _home(actor), day))
    with system_rights(session, actor):
        return Then(day, past.kept(session, _home(actor), day))


def _check(actor: Actor, subject: str, first: dt.date, last: dt.date) -> None:
    """Refuse a question that is none, or not for the actor."""
    require(actor, May.SEE_SCORES)
    if subject not in SUBJECTS:
        raise InvalidInput(f"There is no subject {subject!r}.", hint=f"Subjects are: {', '.join(SUBJECTS)}.")
    if subject not in subjects_for(actor.role):
        raise NotPermitted(
            f"Your role does not compare by {subject}.",
            hint="Choose another subject.",
            zh="您的角色不能按此对象比较，请选择其他评价对象。",
        )
    _check_days(first, last)


def _undone(
    session: Session,
    actor: Actor,
    subject: str,
    first: dt.date,
    last: dt.date,
    *,
    moment: dt.datetime,
    then: Then | None = None,
) -> dict[int | None, dict[str, int]]:
    """Return what would have to be added to the counts of each subject to have them as before all appeals."""
    home = _home(actor)
    changes: dict[int | None, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    with _reading(session, actor):
        if not counting.any_excused(session, home):
            return {}
        for plain, sign in ((True, 1), (False, -1)):
            for cell in counting.cells(
                session,
                home,
                subject,
                first=first,
                last=last,
                moment=moment,
                rule=rule_in_force(session, actor),
                plain=plain,
                excused_only=True,
                then=then,
            ):
                for name, count in cell.counts.items():
                    changes[cell.subject_id][name] += sign * count
    return changes


def _reading(session: Session, actor: Actor) -> AbstractContextManager[None]:
    """Let a planner's sums be counted over facts that he does not see one by one."""
    return system_rights(session, actor) if actor.role is Role.PLANNER else nullcontext()


def _indicator(key: str) -> Indicator:
    if key not in BY_KEY:
        raise InvalidInput(f"There is no indicator {key!r}.", hint=f"Indicators are: {', '.join(BY_KEY)}.")
    return BY_KEY[key]


def _check_days(first: dt.date, last: dt.date) -> None:
    if last < first:
        raise InvalidInput("The last day lies before the first.", hint="Turn them round.")
    if last - first > LONGEST:
        raise InvalidInput("The period is longer than three years.", hint="Choose a shorter one.")


def _home(actor: Actor) -> int:
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    return actor.territory_id


def _at(session: Session, actor: Actor, moment: dt.datetime | None, day: dt.date | None) -> dt.datetime:
    return _moment(moment) if day is None else past.night_of(session, _home(actor), day)


def _moment(moment: dt.datetime | None) -> dt.datetime:
    return now() if moment is None else aware(moment)
