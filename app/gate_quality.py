"""Scores of a data set over its files, beside its entry in the catalogue: a small curve, and the numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from sqlalchemy.orm import Session

from app import catalogue_words, i18n, widgets
from app.catalogue_parts import Around
from app.i18n import t
from app.widgets import Cell, Column
from geodata import data_rules
from geodata.catalogue_model import Entry
from geodata.data_rules import SCORES, Scored
from layers.style import LIGHT

WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM = 740, 168, 48, 112, 14, 26
INKS = {
    "completeness": (LIGHT.primary, ""),
    "validity": (LIGHT.overdue, "7 3"),
    "uniqueness": (LIGHT.due_soon, "2 3"),
    "placement": (LIGHT.text, "10 3 2 3"),
    "timeliness": (LIGHT.closed, "1 4"),
}


def show(session: Session, around: Around, one: Entry) -> None:
    """Put the curve and the table; an empty place where no file told anything."""
    found = data_rules.scores_of(session, around.actor, one.key)
    if not found:
        widgets.empty(t("No file has been scored yet."), t("What comes in by Bring in is scored, file by file."))
        return
    if len(found) > 1:
        label = t("Scores by file, in per cent")
        drawn = f"data:image/svg+xml,{quote(svg(found))}"
        widgets.write(f'<img style="width:100%" alt="{escape(label)}" src="{drawn}">')
    names = [each for each in SCORES if any(each in file.scores for file in found)]
    head = [Column(t("When"), fixed=True), Column(t("File")), Column(t("Rows"), right=True)]
    head += [Column(catalogue_words.score(each), right=True) for each in names]
    widgets.table(head, [_row(around, each, names) for each in reversed(found)])
    widgets.note(
        t(
            "Completeness: cells that are filled. Validity: rows that keep the rules. Uniqueness: rows not held"
            " already. Placement: rows on a grid. Timeliness: 100 % when the newest date of the rows is today, 0 %"
            " after a year."
        )
    )


def _row(around: Around, one: Scored, names: Sequence[str]) -> list[Cell]:
    cells: list[Cell] = [
        i18n.clock(one.at, around.territory.timezone, now=around.now),
        one.file_name,
        i18n.number(one.read),
    ]
    return cells + [_share(one.scores.get(each)) for each in names]


def _share(score: float | None) -> str | None:
    return None if score is None else f"{i18n.number(score * 100, 1)} %"


def svg(found: Sequence[Scored]) -> str:
    """Return the curves, oldest file at the left, each told by its dashes and its name at the end of the line."""
    base = min((value for each in found for value in each.scores.values()), default=1.0)
    low = max(0.0, min(0.9, base - 0.05))
    step = (WIDE - LEFT - RIGHT) / max(1, len(found) - 1)

    def y(score: float) -> float:
        return TOP + (HIGH - TOP - BOTTOM) * (1 - score) / (1 - low)

    rows = "".join(
        f'<path d="M{LEFT} {y(share):.1f}H{WIDE - RIGHT}" stroke="{LIGHT.line}"/>'
        f'<text x="{LEFT - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{share * 100:.0f} %</text>'
        for share in (low, (1 + low) / 2, 1.0)
    )
    ends, lines = [], ""
    for name, (ink, dashes) in INKS.items():
        points = [(LEFT + step * at, y(each.scores[name])) for at, each in enumerate(found) if name in each.scores]
        if not points:
            continue
        told = " ".join(f"{x:.1f},{high:.1f}" for x, high in points)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{high:.1f}" r="2.5" fill="{ink}"/>' for x, high in points)
        lines += f'<polyline points="{told}" fill="none" stroke="{ink}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        lines += dots
        ends.append((points[-1][1], catalogue_words.score(name), ink))
    named, last = "", -99.0
    for high, word, ink in sorted(ends):
        last = max(high, last + 15)
        named += f'<text x="{WIDE - RIGHT + 10}" y="{last + 4:.1f}" fill="{ink}">{escape(word)}</text>'
    first, newest = (escape(i18n.day(each.at.date())) for each in (found[0], found[-1]))
    days = (
        f'<text x="{LEFT}" y="{HIGH - 6}">{first}</text>'
        f'<text x="{WIDE - RIGHT}" y="{HIGH - 6}" text-anchor="end">{newest}</text>'
    )
    style = f"font:12px sans-serif;fill:{LIGHT.muted}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" style="{style}">'
        f"{rows}{lines}{named}{days}</svg>"
    )
