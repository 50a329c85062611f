"""Use cases of evaluation: keeping the facts current, leagues, trends, a worker's own scores."""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.db import system_rights
from insight import indicators, store
from insight.indicators import BY_KEY, INDICATORS, OF_POST, TOO_FEW, Indicator
from insight.model import SUBJECTS, WORKER, Cell, Folded, Month, Score, subjects_for

LONGEST = dt.timedelta(days=3 * 366)


def refresh(session: Session, actor: Actor, territory_id: int, *, anew: bool = False) -> Folded:
    """Fold what the record tells since the last time; ``anew`` folds all of it again, to the same facts.

    Called as the system, in a transaction of its own; two at once come one after the other.
    """
    if actor.role is not Role.SYSTEM:
        raise NotPermitted("The platform itself folds the record.", hint="Open Indicators, or wait some minutes.")
    began = time.monotonic()
    store.lock(session, territory_id)
    reached = store.reached(session, territory_id)
    batch = store.newest_batch(session)
    ids = None if anew or reached is None else store.touched(session, territory_id, reached[0])
    acts, facts = (0, 0) if ids == [] else store.fold(session, territory_id, ids)
    store.note_reached(session, territory_id, batch, now())
    return Folded(acts, facts, time.monotonic() - began)


def facts_as_of(session: Session, actor: Actor) -> dt.datetime | None:
    """Return when the record was folded last; None before the first time."""
    require(actor, May.SEE_SCORES)
    reached = store.reached(session, _home(actor))
    return None if reached is None else reached[1]


def evaluate(
    session: Session,
    actor: Actor,
    subject: str,
    first: dt.date,
    last: dt.date,
    *,
    moment: dt.datetime | None = None,
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

    Raises
    ------
    InvalidInput
        When there is no such subject, or the days run backwards or too long.
    NotPermitted
        When the role may not compare these subjects.
    """
    found = _cells(session, actor, subject, first, last, moment=moment)
    with _reading(session, actor):
        names = {} if subject == "post" else store.names(session, _home(actor), subject)
    scores = _of_posts(found) if subject == "post" else _league(subject, found, names)
    if actor.role is Role.PLANNER:
        return [score for score in scores if score.denominator >= TOO_FEW]
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
) -> dict[int | None, list[Month]]:
    """Return one indicator of every subject by month of report, oldest first."""
    rate = _indicator(indicator)
    counts: dict[int | None, dict[dt.date, list[Mapping[str, int]]]] = defaultdict(lambda: defaultdict(list))
    for cell in _cells(session, actor, subject, first, last, moment=moment, by_month=True):
        if cell.month is not None:
            counts[cell.subject_id][cell.month].append(cell.counts)
    return {
        who: [_month(rate, month, indicators.add(parts)) for month, parts in sorted(months.items())]
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
) -> list[Score]:
    """Return a worker's scores, for himself and the manager of his grid only; there is no rank among workers."""
    require(actor, May.SEE_SCORES)
    own = actor.worker_id is not None and actor.worker_id == worker_id
    manages = actor.role is Role.GRID_MANAGER and store.works_in(session, worker_id, actor.area_ids)
    if not own and not manages:
        raise NotPermitted(
            "A worker's scores are for the worker and the manager of the grid.",
            hint="Look at the department or the community instead.",
            zh="网格员的评价仅本人及其网格长可见。请查看单位或社区的评价。",
        )
    _check_days(first, last)
    found = store.cells(
        session,
        _home(actor),
        WORKER,
        first=first,
        last=last,
        moment=_moment(moment),
        subject_id=worker_id,
    )
    name = store.names(session, _home(actor), WORKER).get(worker_id, ("", ""))
    counts = indicators.add([cell.counts for cell in found])
    return [_alone(each, WORKER, worker_id, name, counts) for each in INDICATORS]


def _cells(
    session: Session,
    actor: Actor,
    subject: str,
    first: dt.date,
    last: dt.date,
    *,
    moment: dt.datetime | None,
    by_month: bool = False,
) -> list[Cell]:
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
    with _reading(session, actor):
        return store.cells(
            session, _home(actor), subject, first=first, last=last, moment=_moment(moment), by_month=by_month
        )


def _reading(session: Session, actor: Actor) -> AbstractContextManager[None]:
    """Let a planner's sums be counted over facts that he does not see one by one."""
    return system_rights(session, actor) if actor.role is Role.PLANNER else nullcontext()


def _league(subject: str, found: Sequence[Cell], names: Mapping[int, tuple[str, str]]) -> list[Score]:
    subjects = sorted(
        {cell.subject_id for cell in found}, key=lambda who: (who is None, names.get(who or 0, ("",))[0], who or 0)
    )
    classes = sorted({cell.class_id for cell in found})
    row = {who: number for number, who in enumerate(subjects)}
    column = {class_id: number for number, class_id in enumerate(classes)}
    scores = []
    for each in INDICATORS:
        tops, bottoms = np.zeros((2, len(subjects), len(classes)), dtype=np.int64)
        for cell in found:
            top, bottom = each.of(cell.counts)
            tops[row[cell.subject_id], column[cell.class_id]] += top
            bottoms[row[cell.subject_id], column[cell.class_id]] += bottom
        scores += _scores(each, subject, subjects, names, tops=tops, bottoms=bottoms)
    return scores


def _scores(
    rate: Indicator,
    subject: str,
    subjects: Sequence[int | None],
    names: Mapping[int, tuple[str, str]],
    *,
    tops: indicators.Ints,
    bottoms: indicators.Ints,
) -> list[Score]:
    k, n = tops.sum(axis=1), bottoms.sum(axis=1)
    low, high = indicators.wilson(k, n)
    # What belongs to nobody is counted and shown, and holds no place.
    placed = np.array([who is not None for who in subjects], dtype=bool)
    best, worst = indicators.rank_intervals(k, np.where(placed, n, 0), high_is_good=rate.high_is_good)
    drawn, hoped = indicators.shrunk(k, n), indicators.expected(tops, bottoms)
    ranked = int((placed & (n > 0)).sum())
    scores = []
    for i, who in enumerate(subjects):
        name = names.get(who, ("", "")) if who is not None else ("", "")
        some = int(n[i]) > 0
        scores.append(
            Score(
                subject=subject,
                subject_id=who,
                name=name[0],
                name_zh=name[1],
                indicator=rate.key,
                numerator=int(k[i]),
                denominator=int(n[i]),
                rate=float(k[i] / n[i]) if some else None,
                low=float(low[i]),
                high=float(high[i]),
                rank_low=int(best[i]) or None,
                rank_high=int(worst[i]) or None,
                ranked=ranked,
                shrunk=float(drawn[i]) if some else None,
                expected=float(hoped[i]) if some and subject != "class" else None,
                too_few=int(n[i]) < TOO_FEW,
            )
        )
    return scores


def _of_posts(found: Sequence[Cell]) -> list[Score]:
    counts = indicators.add([cell.counts for cell in found])
    return [_alone(BY_KEY[key], "post", None, (post, post), counts) for post, keys in OF_POST.items() for key in keys]


def _alone(
    rate: Indicator, subject: str, subject_id: int | None, name: tuple[str, str], counts: Mapping[str, int]
) -> Score:
    """Return a score that is compared with nobody's."""
    top, bottom = rate.of(counts)
    low, high = indicators.wilson([top], [bottom])
    return Score(
        subject=subject,
        subject_id=subject_id,
        name=name[0],
        name_zh=name[1],
        indicator=rate.key,
        numerator=top,
        denominator=bottom,
        rate=top / bottom if bottom else None,
        low=float(low[0]),
        high=float(high[0]),
        rank_low=None,
        rank_high=None,
        ranked=0,
        shrunk=None,
        expected=None,
        too_few=bottom < TOO_FEW,
    )


def _month(rate: Indicator, month: dt.date, counts: Mapping[str, int]) -> Month:
    top, bottom = rate.of(counts)
    return Month(month, top, bottom, top / bottom if bottom else None)


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


def _moment(moment: dt.datetime | None) -> dt.datetime:
    return now() if moment is None else aware(moment)
