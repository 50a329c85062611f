"""The chart of a search: the best found and what no plan can beat, second by second, until they meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from app import i18n, study_kind_words, widgets
from app.i18n import t
from layers.style import LIGHT
from planning.kinds import INFO, Kind
from planning.model import Study

WIDE, HIGH = 860, 260
LEFT, RIGHT, TOP, BOTTOM = 96, 16, 36, 32
LEGEND = 12
"""The legend stands above the chart, where no line can run through it."""
MARGIN = 0.06
FAR_BOUND = 1.0
"""A first bound farther off than so many times the best found would flatten the rest; it is cut."""
DIGITS = {"person_s": 2, "s": 1, "sites": 1}
"""Decimals of values by their unit; none elsewhere."""
Trail = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class _Frame:
    """From the first news on."""

    begun: float
    seconds: float
    low: float
    high: float

    def x(self, second: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * min((second - self.begun) / self.seconds, 1.0)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return TOP + (HIGH - TOP - BOTTOM) * (1 - share)

    def steps(self, trail: Trail, at: int) -> str:
        """Return a line that stays level until something better is known."""
        path = f"M{self.x(trail[0][0]):.1f} {self.y(trail[0][at]):.1f}"
        path += "".join(f"H{self.x(each[0]):.1f}V{self.y(each[at]):.1f}" for each in trail[1:])
        return path + f"H{self.x(self.begun + self.seconds):.1f}"


def show(kind: Kind, people: float, trail: Trail, *, seconds: float | None = None) -> None:
    """Put the chart with a line in words.

    Parameters
    ----------
    people
        Everybody, for values that are an average.
    seconds
        Until now; None for a search that has ended.
    """
    told = words(kind, people, trail)
    source = f"data:image/svg+xml,{quote(svg(kind, people, trail, seconds=seconds))}"
    widgets.write(f'<p class="gk-tabular">{escape(told)}</p><img class="gk-curve" alt="{escape(told)}" src="{source}">')


def of_answer(study: Study) -> None:
    """Put how the answer of a study was found, where that was kept."""
    trail = study.facts.get("trail")
    if not trail or len(trail) < 2:
        return
    widgets.heading(t("How it was found"))
    show(study.question.kind, float(study.facts["people"]), trail)
    if study.facts.get("stopped"):
        widgets.note(
            t("The search was stopped on request; the best found by then was kept with what was proven by then.")
        )


def words(kind: Kind, people: float, trail: Trail) -> str:
    """Return best found and bound in words."""
    _, found, bound = trail[-1]
    said = {"found": _figure(kind, people, found), "bound": _figure(kind, people, bound)}
    if kind == "lscp" or found == bound:
        return t("Best found: {found}. Nothing can be better than {bound}.", **said)
    wide = abs(bound) if INFO[kind].maximised else abs(found)
    gap = abs(found - bound) / wide if wide else 0.0
    return t(
        "Best found: {found}. Nothing can be better than {bound}: at most {gap} is still open.",
        gap=i18n.number(gap * 100, 2) + ("%" if i18n.locale() == "zh" else " %"),
        **said,
    )


def svg(kind: Kind, people: float, trail: Trail, *, seconds: float | None = None) -> str:
    """Return the picture."""
    frame = _frame(kind, trail, seconds)
    rows = "".join(
        f'<path d="M{LEFT} {frame.y(value):.1f}H{WIDE - RIGHT}" stroke="{LIGHT.line}"/>'
        f'<text x="{LEFT - 8}" y="{frame.y(value) + 4:.1f}" text-anchor="end">'
        f"{escape(_short(kind, people, value))}</text>"
        for value in _levels(frame, _unit(kind, people), DIGITS.get(INFO[kind].unit, 0))
    )
    ticks = "".join(
        f'<text x="{frame.x(frame.begun + frame.seconds * step / 4):.1f}" y="{HIGH - 10}" text-anchor="{anchor}">'
        f"{escape(t('{seconds} s', seconds=i18n.number(frame.begun + frame.seconds * step / 4, 1)))}</text>"
        for step, anchor in ((0, "start"), (1, "middle"), (2, "middle"), (3, "middle"), (4, "end"))
    )
    dashed = f'stroke="{LIGHT.muted}" stroke-width="2" stroke-dasharray="6 4"'
    bound = f'<path d="{frame.steps(trail, 2)}" fill="none" {dashed}/>'
    found = f'<path d="{frame.steps(trail, 1)}" fill="none" stroke="{LIGHT.primary}" stroke-width="2.5"/>'
    names = "".join(
        f'<path d="M{at} {LEGEND}h24" stroke="{ink}" stroke-width="2.5"{dash}/>'
        f'<text x="{at + 30}" y="{LEGEND + 4}">{escape(name)}</text>'
        for at, ink, dash, name in (
            (WIDE - 330, LIGHT.primary, "", t("best found")),
            (WIDE - 200, LIGHT.muted, ' stroke-dasharray="6 4"', t("nothing can be better")),
        )
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}"'
        f' font-family="sans-serif" font-size="12" fill="{LIGHT.muted}">{rows}{ticks}{bound}{found}{names}</svg>'
    )


def _frame(kind: Kind, trail: Trail, seconds: float | None) -> _Frame:
    found, bounds = [each[1] for each in trail], [each[2] for each in trail]
    last = found[-1]
    far = max(abs(last) * FAR_BOUND, 1e-9)
    low = max(min(*found, *bounds), min(*found, last - far))
    high = min(max(*found, *bounds), max(*found, last + far))
    if INFO[kind].unit == "people":
        low = max(low, 0.0)
    spare = max((high - low) * MARGIN, abs(high) * 1e-4, 1e-9)
    begun = trail[0][0]
    return _Frame(
        begun,
        max((seconds or trail[-1][0]) - begun, 1.0),
        max(low - spare, 0.0) if low >= 0 else low - spare,
        high + spare,
    )


def _levels(frame: _Frame, unit: float, digits: int) -> list[float]:
    """Return up to nine values inside the frame that are round when told in a unit with so many decimals."""
    wide = (frame.high - frame.low) / unit
    power = 10.0 ** math.floor(math.log10(wide))
    step = next(size * power for size in (0.1, 0.2, 0.5, 1.0, 2.0) if wide / (size * power) <= 8)
    step = max(step, 10.0**-digits)
    first, last = math.ceil(frame.low / unit / step), math.floor(frame.high / unit / step)
    return [at * step * unit for at in range(first, last + 1)]


def _unit(kind: Kind, people: float) -> float:
    """Return what a value is divided by before it is told."""
    return {"person_s": 60 * max(people, 1e-9), "s": 60.0}.get(INFO[kind].unit, 1.0)


def _figure(kind: Kind, people: float, value: float) -> str:
    return study_kind_words.figure_of(kind, people, value)


def _short(kind: Kind, people: float, value: float) -> str:
    unit = INFO[kind].unit
    if unit == "person_s":
        return t("{minutes} min", minutes=i18n.number(value / _unit(kind, people), DIGITS[unit]))
    if unit == "s":
        return t("{minutes} min", minutes=i18n.number(value / 60, DIGITS[unit]))
    return i18n.number(value, DIGITS.get(unit, 0))
