"""Scores from counts: leagues with intervals and rank intervals, posts, one subject alone (pure)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from insight import indicators
from insight.indicators import BY_KEY, INDICATORS, OF_POST, TOO_FEW, Indicator
from insight.model import Cell, Month, Score

Undone = Mapping[int | None, Mapping[str, int]]
"""By subject, what would have to be added to the counts to have them as before all appeals."""


def league(
    subject: str,
    found: Sequence[Cell],
    names: Mapping[int, tuple[str, str]],
    undone: Undone,
) -> list[Score]:
    """Return every indicator of every subject; incidents of nobody are counted and hold no place."""
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
        scores += _scores(each, subject, subjects, names, undone, tops=tops, bottoms=bottoms)
    return scores


def _scores(
    rate: Indicator,
    subject: str,
    subjects: Sequence[int | None],
    names: Mapping[int, tuple[str, str]],
    undone: Undone,
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
        more = rate.of(undone.get(who, {}))
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
                expected=None if np.isnan(hoped[i]) or subject == "class" else float(hoped[i]),
                too_few=int(n[i]) < TOO_FEW,
                before_numerator=int(k[i]) + more[0],
                before_denominator=int(n[i]) + more[1],
            )
        )
    return scores


def of_posts(found: Sequence[Cell], undone: Undone) -> list[Score]:
    """Return what each post of the centres answers for."""
    counts = indicators.add([cell.counts for cell in found])
    more = undone.get(None, {})
    return [
        alone(BY_KEY[key], counts, more, subject="post", subject_id=None, name=(post, post))
        for post, keys in OF_POST.items()
        for key in keys
    ]


def alone(
    rate: Indicator,
    counts: Mapping[str, int],
    undone: Mapping[str, int],
    *,
    subject: str,
    subject_id: int | None,
    name: tuple[str, str],
) -> Score:
    """Return a score that is compared with nobody's."""
    top, bottom = rate.of(counts)
    more = rate.of(undone)
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
        before_numerator=top + more[0],
        before_denominator=bottom + more[1],
    )


def month_of(rate: Indicator, month: dt.date, counts: Mapping[str, int]) -> Month:
    """Return the indicator of a month."""
    top, bottom = rate.of(counts)
    return Month(month, top, bottom, top / bottom if bottom else None)
