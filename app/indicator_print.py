"""A sheet of the indicators to print: every subject with its main rates and their intervals, in figures."""

from __future__ import annotations

from collections.abc import Sequence

from app import i18n, widgets
from app import indicator_words as words
from app.i18n import t
from app.indicator_behind import Period
from app.widgets import Cell, Column, Html
from core.clock import now
from geodata.territory import TerritoryInfo
from insight.model import Score

SHOWN = ("closing", "closing_on_time", "handling_on_time", "rework", "reopen", "satisfaction")


def sheet(scores: Sequence[Score], period: Period, territory: TerritoryInfo, *, by: str) -> None:
    """Put the sheet: a table a page wide, how to read it, who printed it and when."""
    of = {(score.subject_id, score.indicator): score for score in scores}
    subjects = list(dict.fromkeys(score.subject_id for score in scores))
    keys = [key for key in SHOWN if any(score.indicator == key and score.denominator for score in scores)]
    if not keys:
        widgets.empty(t("Nothing to evaluate in this period."), t("Choose a longer one, or wait for incidents."))
        return
    place = territory.title(i18n.locale())
    widgets.heading(f"{place} · {words.subject(scores[0].subject)}", aside=_days(period))
    widgets.table(
        [Column(words.subject(scores[0].subject)), *(Column(words.indicator(key), right=True) for key in keys)],
        [[_name(of, who), *(_cell(of.get((who, key))) for key in keys)] for who in subjects],
    )
    widgets.note(
        t(
            "Below each rate: how many of how many, and between which values the true rate lies with 95 % certainty. "
            "Where two ranges overlap much, neither is shown to be better."
        )
    )
    printed = i18n.clock(now(), territory.timezone)
    widgets.note(t("{name}, {moment}. Print with the browser; menus are left out.", name=by, moment=printed))
    widgets.write(f'<p class="gk-no-print">{widgets.link(t("Back to the league"), "/indicators").text}</p>')


def _days(period: Period) -> str:
    return f"{i18n.day(period.first)} – {i18n.day(period.last)}"


def _name(of: dict[tuple[int | None, str], Score], who: int | None) -> Cell:
    one = next(score for (subject, _), score in of.items() if subject == who)
    return i18n.either(one.name, one.name_zh) if who is not None else t("No unit named")


def _cell(score: Score | None) -> Cell:
    if score is None or score.rate is None:
        return "–"
    told = t("{low} to {high}", low=words.per_cent(score.low), high=words.per_cent(score.high))
    few = f" · {t('too few')}" if score.too_few else ""
    counted = f"{i18n.number(score.numerator)} / {i18n.number(score.denominator)} · {told}{few}"
    small = [counted]
    if score.appealed:
        small.append(t("before appeals {rate}", rate=words.per_cent(score.before)))
    lines = "".join(f'<br><span class="gk-muted gk-small">{widgets.html(each)}</span>' for each in small)
    return Html(widgets.html(words.per_cent(score.rate)) + lines)
