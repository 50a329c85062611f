"""Parts of the page Indicators: the league with its intervals, the lines by month, the posts, one's own scores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from app import i18n, indicator_behind, widgets
from app import indicator_words as words
from app.i18n import t
from app.indicator_behind import Period
from app.widgets import Cell, Column, Html
from insight.indicators import BESIDE_CLOSING, BY_KEY
from insight.model import Month, Score
from layers.style import LIGHT

WIDE, HIGH, EDGE = 96, 22, 3
STEP = 0.1
ADDRESS = {"department": "unit", "community": "community"}


def league(
    scores: Sequence[Score],
    lines: Mapping[int | None, Html],
    period: Period,
    *,
    key: str,
    days: str,
    linked: bool,
) -> None:
    """Put the league of one indicator, the likely best first; rework, reopening and satisfaction stand beside it.

    Parameters
    ----------
    lines
        The small line of each subject by month, of `lines_by_month`; without any there is no such column.
    days
        The part of an address that narrows the list of incidents to the same days; empty where it cannot.
    linked
        Whether the reader may open the list.
    """
    of = {(score.subject_id, score.indicator): score for score in scores}
    shown = [score for score in scores if score.indicator == key]
    sign = -1 if BY_KEY[key].high_is_good else 1
    shown.sort(key=lambda s: (s.subject_id is None, s.shrunk is None, sign * (s.shrunk or 0), s.name))
    start = _axis(shown)
    compared = any(score.rank_low is not None for score in shown)
    expecting = any(score.expected is not None for score in shown)
    beside = [
        each for each in BESIDE_CLOSING if each != key and any(s.indicator == each and s.denominator for s in scores)
    ]
    columns = [
        Column(words.subject(shown[0].subject)),
        Column(t("Reports"), right=True, wide=True),
        Column(words.indicator(key), right=True),
        Column(t("95 % interval, {low} to {high} %", low=i18n.number(100 * start), high=100), wide=True),
        Column(t("Counted"), right=True, wide=True),
    ]
    columns += [Column(t("Rank"), fixed=True)] if compared else []
    columns += [Column(t("Expected"), right=True, wide=True)] if expecting else []
    columns += [Column(words.indicator(each), right=True, wide=each != "rework") for each in beside]
    columns += [Column(t("By month"), wide=True)] if lines else []
    rows: list[list[Cell]] = []
    for score in shown:
        accepted = of.get((score.subject_id, "filing"))
        row: list[Cell] = [
            _name(score),
            _accepted(score, accepted.denominator if accepted else 0, days, linked=linked and bool(days)),
            _rate(score),
            interval(score, start),
            _counted(score, period if linked else None),
        ]
        row += [words.places(score.rank_low, score.rank_high)] if compared else []
        row += [words.per_cent(score.expected)] if expecting else []
        row += [_beside(of.get((score.subject_id, each)), period if linked else None) for each in beside]
        row += [lines.get(score.subject_id, Html(""))] if lines else []
        rows.append(row)
    widgets.table(columns, rows)


def posts(scores: Sequence[Score], period: Period | None) -> None:
    """Put the posts of the centres, each with what it answers for."""
    start = _axis(scores)
    widgets.table(
        [
            Column(t("Post")),
            Column(t("Indicator")),
            Column(t("Rate"), right=True),
            Column(t("95 % interval, {low} to {high} %", low=i18n.number(100 * start), high=100), wide=True),
            Column(t("Counted"), right=True),
        ],
        [
            (
                words.post(score.name),
                words.indicator(score.indicator),
                words.per_cent(score.rate),
                interval(score, start),
                _counted(score, period),
            )
            for score in scores
        ],
    )


def own(scores: Sequence[Score]) -> None:
    """Put a worker's own scores; there is nobody to compare with."""
    counted = [score for score in scores if score.denominator]
    start = _axis(counted)
    widgets.table(
        [
            Column(t("Indicator")),
            Column(t("Rate"), right=True),
            Column(t("95 % interval, {low} to {high} %", low=i18n.number(100 * start), high=100), wide=True),
            Column(t("Counted"), right=True),
        ],
        [
            (words.indicator(each.indicator), _rate(each), interval(each, start), _counted(each, None))
            for each in counted
        ],
    )


def interval(score: Score, start: float) -> Html:
    """Return the interval of a rate as a line with ends and a dot, on a scale from ``start`` to 1."""
    if score.rate is None:
        return Html("–")
    low, rate, high = (100 * (max(each, start) - start) / (1 - start) for each in (score.low, score.rate, score.high))
    told = t("{low} to {high}", low=words.per_cent(score.low), high=words.per_cent(score.high))
    tone = " gk-few" if score.too_few else ""
    return Html(
        f'<span class="gk-interval{tone}" role="img" title="{escape(told)}" aria-label="{escape(told)}">'
        f'<i style="left:{low:.1f}%;width:{max(high - low, 0.5):.1f}%"></i><b style="left:{rate:.1f}%"></b></span>'
    )


def lines_by_month(
    scores: Sequence[Score], months: Mapping[int | None, Sequence[Month]], period: Period
) -> dict[int | None, Html]:
    """Return the rates by month of each subject as a small line, all on the scale of the intervals of ``scores``.

    The month that still runs is left out: most of it is not due yet. Who has fewer than two months has no line.
    """
    start = _axis(scores)
    over = {who: [each for each in told if _over(each.month, period)] for who, told in months.items()}
    every = sorted({each.month for told in over.values() for each in told})
    drawn = {who: _line(told, every, start) for who, told in over.items()}
    return {who: line for who, line in drawn.items() if line is not None}


def _over(month: dt.date, period: Period) -> bool:
    return (month + dt.timedelta(days=31)).replace(day=1) <= period.moment.date()


def _line(months: Sequence[Month], every: Sequence[dt.date], start: float) -> Html | None:
    rates = [(every.index(each.month), each.rate) for each in months if each.rate is not None]
    if len(rates) < 2:
        return None
    points = " ".join(
        f"{EDGE + (WIDE - 2 * EDGE) * at / (len(every) - 1):.1f},"
        f"{HIGH - EDGE - (HIGH - 2 * EDGE) * (max(rate, start) - start) / (1 - start):.1f}"
        for at, rate in rates
    )
    lowest, highest = min(rate for _, rate in rates), max(rate for _, rate in rates)
    told = t("{low} to {high}", low=words.per_cent(lowest), high=words.per_cent(highest))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}">'
        f'<polyline points="{points}" fill="none" stroke="{LIGHT.primary}" stroke-width="1.5"/></svg>'
    )
    return Html(f'<img alt="{escape(told)}" title="{escape(told)}" src="data:image/svg+xml,{quote(svg)}">')


def _axis(scores: Sequence[Score]) -> float:
    """Return where the scale begins: a tenth below all that is sure enough to be judged."""
    ends = [score.low for score in scores if not score.too_few] or [0.0]
    return min(max(int(min(ends) / STEP) * STEP, 0.0), 1 - STEP)


def _name(score: Score) -> Cell:
    if score.subject_id is None:
        return t("No unit named")
    return i18n.either(score.name, score.name_zh)


def _accepted(score: Score, accepted: int, period: str, *, linked: bool) -> Cell:
    place = ADDRESS.get(score.subject)
    if not linked or place is None or score.subject_id is None:
        return i18n.number(accepted)
    return widgets.link(i18n.number(accepted), f"/incidents?{place}={score.subject_id}&{period}")


def _rate(score: Score) -> Html:
    """Return the rate, and beside it what it was before appeals where one changed it."""
    told = escape(words.per_cent(score.rate))
    if score.appealed:
        before = escape(t("before appeals {rate}", rate=words.per_cent(score.before)))
        told += f'<br><span class="gk-muted gk-small">{before}</span>'
    return Html(told)


def _counted(score: Score, period: Period | None) -> Html:
    """Return numerator and denominator, with a period each a link to what it counts."""
    if not score.denominator:
        return Html("–")
    numbers = (score.numerator, score.denominator)
    if period is None:
        told = " / ".join(escape(i18n.number(number)) for number in numbers)
    else:
        told = indicator_behind.counted(score.indicator, score.subject, score.subject_id, period, numbers)
    few = f' <span class="gk-muted gk-small">{escape(t("too few"))}</span>' if score.too_few else ""
    return Html(told + few)


def _beside(score: Score | None, period: Period | None) -> Cell:
    if score is None or score.rate is None:
        return "–"
    told = escape(words.per_cent(score.rate))
    if period is not None and score.numerator:
        wanted = indicator_behind.Wanted(score.indicator, score.subject, score.subject_id, "numerator", period)
        told = widgets.link(words.per_cent(score.rate), wanted.address()).text
    return Html(told + (f' <span class="gk-muted gk-small">{escape(t("too few"))}</span>' if score.too_few else ""))
