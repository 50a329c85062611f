"""Two periods on one map: where reports rose or fell by more than chance, in the places of a chosen size."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams

from app.api.values import address_of
from app.i18n import t
from core.errors import InvalidInput
from core.identity import Actor
from insight.change import (
    FEWER,
    FEWER_BY_HALF,
    LEVEL,
    MORE,
    MORE_THAN_TWICE,
    NO_CLEAR,
    NOTHING,
    TOO_FEW,
    Change,
    change,
)
from layers.breaks import PUOR
from layers.legend import Legend, LegendItem
from layers.snapshot import grouped
from layers.style import LIGHT
from layers.values import CellValues, Question, cell_values, cells_of

Days = tuple[dt.date, dt.date]
EDGES = tuple(float(verdict) for verdict in range(FEWER_BY_HALF, MORE_THAN_TWICE + 1))


@dataclass(frozen=True, eq=False)
class Compared:
    """Two periods side by side.

    Attributes
    ----------
    first_id
        Identity of the first place: a unit grid, a responsibility grid or a community.
    before, after
        Counts a place, shape (places,).
    values
        The verdict of its place for every unit grid; NaN where no grid is.
    """

    first_id: int
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    change: Change
    values: CellValues
    earlier: Days
    later: Days


def earlier_days(kind: str, later: Days, own: Days | None) -> Days:
    """Return the period that another is compared with: just before it, a year before it, or chosen days."""
    first, last = later
    length = (last - first).days + 1
    if kind == "dates" and own is not None:
        return own
    if kind == "year":
        # Whole weeks, so that a Monday is compared with a Monday: 52, or as many as the period has
        back = dt.timedelta(weeks=max(52, -(-length // 7)))
        return first - back, last - back
    return first - dt.timedelta(days=length), first - dt.timedelta(days=1)


def compared(session: Session, actor: Actor, question: Question, earlier: Days, level: str) -> Compared:
    """Return the change from an earlier period to that of the question, judged place by place.

    Raises
    ------
    InvalidInput
        When both periods share days.
    """
    later = (question.first, question.last)
    if earlier[0] <= later[1] and later[0] <= earlier[1]:
        raise InvalidInput("Two periods that share days cannot be compared.", hint="Choose days before the period.")
    asked = replace(question, metric="reported", by=level)
    after = cell_values(session, actor, asked)
    before = cell_values(session, actor, replace(asked, first=earlier[0], last=earlier[1]))
    there = np.isfinite(after.values)
    counts = [np.where(there, np.nan_to_num(each.values), 0).astype(np.int64) for each in (before, after)]
    found = change(counts[0], counts[1], days_before=_length(earlier), days_after=_length(later))
    cells = cells_of(session, actor.territory_id or 0, question.day)
    verdict = found.verdict.astype(np.float32)
    if level == "cell":
        values = np.where(cells.live, verdict, np.nan).astype(np.float32)
    else:
        _, at = grouped(cells, level)
        values = np.where(at >= 0, verdict[at] if len(verdict) else np.nan, np.nan).astype(np.float32)
        values[~cells.live] = np.nan
    filled = CellValues(cells.first_id, values, EDGES, after.total, after.limited)
    return Compared(after.first_id, counts[0], counts[1], found, filled, earlier, later)


def _length(days: Days) -> int:
    return (days[1] - days[0]).days + 1


def address(question: Question, earlier: Days, level: str) -> str:
    """Return the address below which the verdicts are served."""
    more = QueryParams({"before": earlier[0].isoformat(), "until": earlier[1].isoformat(), "level": level})
    return f"{address_of(question).replace('/api/values', '/api/difference')}&{more}"


def verdicts() -> dict[int, str]:
    """Return what each verdict is called."""
    return {
        FEWER_BY_HALF: t("Clearly fewer, half or less"),
        FEWER: t("Clearly fewer"),
        NO_CLEAR: t("No clear change"),
        MORE: t("Clearly more"),
        MORE_THAN_TWICE: t("Clearly more, twice or more"),
        NOTHING: t("None in either period"),
        TOO_FEW: t("Too few reports to tell"),
    }


def paint() -> dict[str, Any]:
    """Return how the verdicts are drawn."""
    told = verdicts()
    return {"edges": list(EDGES), "colours": list(PUOR), "labels": [told[int(edge)] for edge in EDGES]}


def legend() -> Legend:
    """Return the legend of a difference."""
    told = verdicts()
    items = [LegendItem(colour, told[int(edge)]) for edge, colour in zip(EDGES, PUOR, strict=True)]
    few = LegendItem(LIGHT.too_few, told[TOO_FEW])
    return Legend(t("Change of incidents reported"), (*items, few, LegendItem("", told[NOTHING], "empty")))


def sentence(found: Compared) -> str:
    """Return what came of the comparison, with the share of false alarms it allows."""
    places, judged = int(np.count_nonzero(found.before + found.after)), found.change.judged
    return t(
        "{clear} of {judged} places that could be judged changed by more than chance; in {few} there are too few"
        " reports to tell. Of what is called a change at most {level} % are false alarms.",
        clear=found.change.clear, judged=judged, few=places - judged, level=round(LEVEL * 100),
    )  # fmt: skip
