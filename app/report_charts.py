"""The charts of a report as SVG: how long the ways are, and how evenly they are spread."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from app import i18n
from app.i18n import t
from app.report_map import FONT
from layers.style import LIGHT
from planning.report_model import Numbers, Spread

WIDE, HIGH = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 66, 8, 30, 46
SQUARE = 300
NOW, THEN = LIGHT.closed, LIGHT.primary


def bars(numbers: Numbers, limit_min: float, alt: str) -> str:
    """Return people by the length of their way, now and then side by side; the last bar is open."""
    then, now = numbers.spread_then, numbers.spread_now
    shown = [(then, THEN, t("with the new sites"))]
    if now is not None:
        shown.insert(0, (now, NOW, t("now")))
    top = max(float(each.bars.max(initial=0.0)) for each, _, _ in shown) or 1.0
    step = _round_step(top)
    top = step * float(np.ceil(top / step))
    high, count = HIGH - TOP - BOTTOM, len(then.bars)
    slot = (WIDE - LEFT - RIGHT) / count

    def y(people: float) -> float:
        return TOP + high * (1 - people / top)

    made = [
        f'<path d="M{LEFT} {y(at):.1f}H{WIDE - RIGHT}" stroke="{LIGHT.line}"/>'
        f'<text x="{LEFT - 8}" y="{y(at) + 4:.1f}" text-anchor="end">{i18n.number(at)}</text>'
        for at in np.arange(0, top + step / 2, step)
    ]
    wide = slot * 0.8 / len(shown)
    for place, (spread, ink, _) in enumerate(shown):
        for at, people in enumerate(spread.bars):
            x = LEFT + slot * at + slot * 0.1 + wide * place
            made.append(
                f'<rect x="{x:.1f}" y="{y(float(people)):.1f}" width="{wide:.1f}"'
                f' height="{max(0.0, TOP + high - y(float(people))):.1f}" fill="{ink}"/>'
            )
    for at, edge in enumerate(then.edges_min):
        made.append(
            f'<text x="{LEFT + slot * at:.1f}" y="{HIGH - BOTTOM + 17}" text-anchor="middle">'
            f"{i18n.number(float(edge), 1)}</text>"
        )
    made.append(
        f'<text x="{WIDE - RIGHT}" y="{HIGH - BOTTOM + 17}" text-anchor="end">{escape(t("more"))}</text>'
        f'<text x="{(WIDE + LEFT) / 2:.0f}" y="{HIGH - 8}" text-anchor="middle">'
        f"{escape(t('minutes to the nearest one'))}</text>"
        f'<text x="{LEFT - 8}" y="{TOP - 14}" text-anchor="end">{escape(t("people"))}</text>'
    )
    mark = LEFT + slot * min(limit_min / float(then.edges_min[1]), count - 1)
    made.append(
        f'<path d="M{mark:.1f} {TOP - 6}V{HIGH - BOTTOM}" stroke="{LIGHT.text}" stroke-dasharray="4 3"/>'
        f'<text x="{mark + 5:.1f}" y="{TOP + 4}" fill="{LIGHT.text}">'
        f"{escape(t('{minutes} min', minutes=i18n.number(limit_min, 1)))}</text>"
    )
    legend = _legend([(ink, words) for _, ink, words in shown], WIDE - RIGHT, TOP - 14)
    return _svg(WIDE, HIGH, "".join(made) + legend, alt)


def curve(numbers: Numbers, alt: str) -> str:
    """Return the Lorenz curves of the lengths of ways, now and then, with the line on which all have the same."""
    inner = SQUARE - 70

    def points(spread: Spread) -> str:
        return " ".join(
            f"{48 + inner * x:.1f},{10 + inner * (1 - y):.1f}"
            for x, y in zip(spread.curve_people, spread.curve_minutes, strict=True)
        )

    made = [f'<rect x="48" y="10" width="{inner}" height="{inner}" fill="none" stroke="{LIGHT.line}"/>']
    for share in (0.0, 0.5, 1.0):
        words = f"{share * 100:.0f} %"
        made.append(f'<text x="42" y="{14 + inner * (1 - share):.1f}" text-anchor="end">{words}</text>')
        made.append(f'<text x="{48 + inner * share:.1f}" y="{inner + 26}" text-anchor="middle">{words}</text>')
    made.append(f'<path d="M48 {10 + inner}L{48 + inner} 10" stroke="{LIGHT.muted}" stroke-dasharray="4 3"/>')
    if numbers.spread_now is not None:
        made.append(f'<polyline points="{points(numbers.spread_now)}" fill="none" stroke="{NOW}" stroke-width="2.2"/>')
    made.append(f'<polyline points="{points(numbers.spread_then)}" fill="none" stroke="{THEN}" stroke-width="2.6"/>')
    made.append(
        f'<text x="{48 + inner / 2:.0f}" y="{SQUARE - 6}" text-anchor="middle">'
        f"{escape(t('share of the people'))}</text>"
        f'<text transform="translate(10 {10 + inner / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(t('share of all minutes'))}</text>"
    )
    return _svg(SQUARE, SQUARE, "".join(made), alt)


def _legend(entries: list[tuple[str, str]], right: float, y: float) -> str:
    made, x = [], right
    for ink, words in reversed(entries):
        long = sum(13.0 if ord(sign) > 0x2E80 else 6.6 for sign in words)
        x -= long
        made.append(f'<text x="{x:.0f}" y="{y}" fill="{LIGHT.text}">{escape(words)}</text>')
        x -= 17
        made.append(f'<rect x="{x:.0f}" y="{y - 10}" width="12" height="12" fill="{ink}"/>')
        x -= 18
    return "".join(made)


def _round_step(top: float) -> float:
    power = 10.0 ** math.floor(math.log10(max(top, 1.0)))
    return min(step * power for step in (0.2, 0.5, 1.0, 2.0) if top <= 5 * step * power)


def _svg(wide: int, high: int, inside: str, alt: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" aria-label="{escape(alt)}"'
        f' font-family="{FONT}" font-size="12.5" fill="{LIGHT.muted}">{inside}</svg>'
    )
