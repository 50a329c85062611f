"""Counts of a filter beside the map, by day and by category, from the same arrays in memory as its values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core import clock
from core.errors import InvalidInput
from core.identity import Actor, May, require
from layers.snapshot import Cells
from layers.values import EPOCH, Question, cells_of, chosen_rows, late, open_of, summary_of


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """Incidents of one category reported in a period; void ones are not counted."""

    category: str
    open: int
    closed: int


def by_day(session: Session, actor: Actor, question: Question, *, now: dt.datetime | None = None) -> NDArray[np.int64]:
    """Return how many incidents were reported on each day of the period, counted as the map counts them.

    Where deadlines are asked for these are incidents that the actor sees, else all of the territory.
    """
    status = question.metric if question.metric in {"open", "overdue"} else question.status
    asked = replace(question, metric="reported", status=status)
    require(actor, May.SEE_MAP)
    territory_id, cells = _place(session, actor, question.day)
    days, first = (question.last - question.first).days + 1, (question.first - EPOCH).days
    if asked.needs_open:
        require(actor, May.SEE_INCIDENTS)
        opened = open_of(session, actor, cells, question.day)
        mask = chosen_rows(opened, asked) & late(session, territory_id, opened, question.day, now or clock.now())
        return np.bincount(opened.day[mask] - first, minlength=days).astype(np.int64)
    summary = summary_of(session, territory_id, cells, question.day)
    mask = chosen_rows(summary, asked)
    counts = {"open": summary.open, "closed": summary.closed}.get(status)
    weights = summary.open[mask] + summary.closed[mask] if counts is None else counts[mask]
    return np.bincount(summary.day[mask] - first, weights=weights, minlength=days).astype(np.int64)


def by_category(
    session: Session, actor: Actor, question: Question, *, area_ids: Sequence[int] = ()
) -> list[CategoryCount]:
    """Return incidents by category reported in the question's period, most first; of ``area_ids`` when given.

    Of the question only the period, the categories and the day count. With a day they are open or closed as at its
    end. What no cell of today holds is not on the map, and not here either.
    """
    require(actor, May.SEE_MAP)
    territory_id, cells = _place(session, actor, question.day)
    summary = summary_of(session, territory_id, cells, question.day)
    mask = chosen_rows(summary, question)
    if area_ids:
        mask &= np.isin(cells.community, area_ids)[summary.cell]
    at, many = summary.category[mask], len(summary.categories)
    opened, closed = (
        np.bincount(at, weights=counts[mask], minlength=many).astype(np.int64)
        for counts in (summary.open, summary.closed)
    )
    found = [CategoryCount(name, int(opened[at]), int(closed[at])) for at, name in enumerate(summary.categories)]
    return sorted(
        (each for each in found if each.open + each.closed), key=lambda each: (-each.open - each.closed, each.category)
    )


def _place(session: Session, actor: Actor, day: dt.date | None) -> tuple[int, Cells]:
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Say which territory you mean.")
    return actor.territory_id, cells_of(session, actor.territory_id, day)
