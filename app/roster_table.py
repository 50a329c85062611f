"""The roster as one table, workers by days: hours where they fit, else a letter a day, coloured by the time of day."""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app import roster_words
from app.i18n import t
from app.widgets import Cell, html, link
from people.roster import Pattern, Roster
from people.rostering import RosterView

STYLE = Path(__file__).parent / "roster.css"
HOURS_UP_TO_DAYS = 14
_NOTHING, _FREE, _FREED, _AWAY = 0, 1, 2, 3
_SHIFTS = 4
_SIGNS = {_NOTHING: "\u00a0", _FREE: "·", _FREED: "○", _AWAY: "×"}
_BANDS = ((8 * 60, "e"), (12 * 60, "d"), (18 * 60, "l"), (24 * 60, "n"))
"""Until which start a shift has which colour: early, day, late, night."""
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours that occur, with their letter and colour."""

    start_min: int
    end_min: int
    letter: str
    band: str


def style() -> str:
    """Return the style of the table."""
    return f"<style>{STYLE.read_text(encoding='utf-8')}</style>"


def hours_in(roster: Roster, rows: Sequence[int], lead: int, days: int, patterns: Sequence[Pattern]) -> list[Hours]:
    """Return the hours that occur in a part of the roster, the earliest first, each with a letter of its own."""
    part = np.ix_(list(rows), range(lead, lead + days))
    start, end = roster.start_min[part], roster.end_min[part]
    known = np.unique(np.stack([start[start >= 0], end[start >= 0]], axis=1), axis=0).tolist() if len(rows) else []
    named = {
        (step.start_min, step.end_min): each.code for each in patterns if len(each.code) == 1 for step in each.steps
    }
    spare = iter(letter for letter in string.ascii_uppercase if letter not in named.values())
    return [Hours(first, last, named.get((first, last)) or next(spare, "*"), _band(first)) for first, last in known]


def table(
    view: RosterView, rows: Sequence[int], hours: Sequence[Hours], heads: Mapping[int, Cell], *, today: dt.date
) -> str:
    """Return the table of the days in view as HTML; ``heads`` are the first cells by row."""
    days = (view.last - view.first).days + 1
    codes = _codes(view.roster, rows, view.lead, days, hours)
    wide = days <= HOURS_UP_TO_DAYS
    body = [
        f"<tr><th>{html(heads[row])}</th>{_hours_row(line, hours) if wide else _letters_row(line, hours)}</tr>"
        for row, line in zip(rows, codes, strict=True)
    ]
    head = _heads(view, days, today, wide=wide)
    kind = "gk-hours" if wide else "gk-letters"
    return (
        f'<div class="gk gk-roster {kind}" role="region" tabindex="0" aria-label="{escape(t("Roster"))}">'
        f"<table><thead><tr><th>{escape(t('Worker'))}</th>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def legend(hours: Sequence[Hours]) -> str:
    """Return what letters and signs mean, as HTML."""
    entries = [
        (f'<b class="{each.band}">{each.letter}</b>', roster_words.hours(each.start_min, each.end_min))
        for each in hours
    ]
    entries += [
        ('<b class="d s">D</b>', t("underlined: changed for the day")),
        ("<b>·</b>", t("free by the pattern")),
        ("<b>○</b>", t("made free")),
        ('<b class="a">×</b>', t("away")),
    ]
    items = "".join(f"<li>{sign} {escape(words)}</li>" for sign, words in entries)
    return f'<div class="gk gk-roster-signs"><ul>{items}</ul></div>'


def worker_link(code: str, name: str) -> Cell:
    """Return the first cell of a row: the staff number leads to the worker's own roster."""
    return link(f"{code} {name}".strip(), f"/roster?show=worker&worker={code}")


def _band(start_min: int) -> str:
    return next(band for until, band in _BANDS if start_min < until)


def _codes(roster: Roster, rows: Sequence[int], lead: int, days: int, hours: Sequence[Hours]) -> Codes:
    """Return what stands in each cell: a sign, or twice the place of the hours, plus one where it is an exception."""
    part = np.ix_(list(rows), range(lead, lead + days))
    start, end, special = roster.start_min[part], roster.end_min[part], roster.special[part]
    codes = np.where(roster.pattern[part] >= 0, _FREE, _NOTHING)
    codes[special & (start < 0)] = _FREED
    codes[roster.away[part]] = _AWAY
    for place, each in enumerate(hours):
        here = (start == each.start_min) & (end == each.end_min)
        codes[here] = _SHIFTS + 2 * place + special[here]
    return codes


def _letters_row(line: Codes, hours: Sequence[Hours]) -> str:
    """Return a row of letters; days alike stand in one element, so that a quarter of a year stays light."""
    cuts = np.flatnonzero(np.diff(line)) + 1
    firsts = [0, *cuts.tolist()]
    lasts = [*cuts.tolist(), len(line)]
    parts = []
    for first, last in zip(firsts, lasts, strict=True):
        code, count = int(line[first]), last - first
        if code < _AWAY:
            parts.append(_SIGNS[code] * count)
        elif code == _AWAY:
            parts.append(f'<b class="a">{_SIGNS[code] * count}</b>')
        else:
            each, special = hours[(code - _SHIFTS) // 2], " s" * ((code - _SHIFTS) % 2)
            parts.append(f'<b class="{each.band}{special}">{escape(each.letter) * count}</b>')
    return f"<td>{''.join(parts)}</td>"


def _hours_row(line: Codes, hours: Sequence[Hours]) -> str:
    cells = []
    for code in line.tolist():
        if code < _SHIFTS:
            cells.append(f'<td class="{"a" if code == _AWAY else "o"}">{_SIGNS[code]}</td>')
        else:
            each, special = hours[(code - _SHIFTS) // 2], " s" * ((code - _SHIFTS) % 2)
            words = roster_words.short_hours(each.start_min, each.end_min)
            cells.append(f'<td><b class="{each.band}{special}">{escape(each.letter)}</b> {words}</td>')
    return "".join(cells)


def _heads(view: RosterView, days: int, today: dt.date, *, wide: bool) -> str:
    """Return the heads of the days: weekday above, number below; a month's name at its first day."""
    cells = []
    for at in range(days):
        day = view.roster.day(view.lead + at)
        marks = (("m", day.weekday() == 0), ("w", day.weekday() > 4), ("t", day == today))
        css_class = " ".join(name for name, on in marks if on)
        first = not wide and (at == 0 or day.day == 1)
        above = roster_words.month(day) if first else roster_words.weekday(day)
        number = roster_words.day_and_month(day) if wide else str(day.day)
        tag = "th" if wide else "i"
        cells.append(f'<{tag} class="{css_class}">{escape(above)}<br>{number}</{tag}>')
    return "".join(cells) if wide else f"<th>{''.join(cells)}</th>"
