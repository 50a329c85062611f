"""The curve of a study: what share of the people has how short a way, now and then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from app import i18n, widgets
from app.i18n import t
from layers.style import LIGHT
from planning.model import Study

WIDE, HIGH = 860, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 12, 36
TICKS_MIN = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 960)
TICKS_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class _Frame:
    """Turns minutes and shares into places on the picture."""

    minutes: Sequence[float]

    def x(self, minute: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * minute / (self.minutes[-1] or 1.0)

    def y(self, share: float) -> float:
        return TOP + (HIGH - TOP - BOTTOM) * (1 - share)

    def line(self, shares: Sequence[float], ink: str) -> str:
        points = " ".join(
            f"{self.x(at):.1f},{self.y(share):.1f}" for at, share in zip(self.minutes, shares, strict=True)
        )
        return f'<polyline points="{points}" fill="none" stroke="{ink}" stroke-width="2.5"/>'


def curve(study: Study) -> None:
    """Put the share of people by the length of their way, now and then."""
    words = t("Share of the people by minutes to the nearest one")
    source = f"data:image/svg+xml,{quote(svg(study))}"
    widgets.write(f'<p>{escape(words)}</p><img class="gk-curve" alt="{escape(words)}" src="{source}">')


def svg(study: Study) -> str:
    """Return the picture."""
    found = study.facts["curve"]
    frame = _Frame(found["minutes"])
    last, limit = frame.minutes[-1], study.question.limit_min
    rows = "".join(
        f'<path d="M{LEFT} {frame.y(share):.1f}H{WIDE - RIGHT}" stroke="{LIGHT.line}"/>'
        f'<text x="{LEFT - 8}" y="{frame.y(share) + 4:.1f}" text-anchor="end">{share * 100:.0f} %</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    step = next((size for size in TICKS_MIN if last / size <= TICKS_AT_MOST), TICKS_MIN[-1])
    ticks = "".join(
        f'<text x="{frame.x(step * at):.1f}" y="{HIGH - 14}" text-anchor="middle">{step * at}</text>'
        for at in range(int(last // step) + 1)
    )
    mark = (
        f'<path d="M{frame.x(limit):.1f} {TOP}V{HIGH - BOTTOM}" stroke="{LIGHT.muted}" stroke-dasharray="3 4"/>'
        f'<text x="{frame.x(limit) + 6:.1f}" y="{HIGH - BOTTOM - 8}">'
        f"{escape(t('{minutes} min', minutes=i18n.number(limit, 1)))}</text>"
    )
    shown = [(found["then"], t("with the new sites"), LIGHT.primary)]
    if found["now"]:
        shown.insert(0, (found["now"], t("now"), LIGHT.closed))
    lines = "".join(frame.line(shares, ink) for shares, _, ink in shown)
    names = "".join(_name(at, words, ink) for at, (_, words, ink) in enumerate(reversed(shown)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}"'
        f' font-family="sans-serif" font-size="12" fill="{LIGHT.muted}">{rows}{ticks}{mark}{lines}{names}</svg>'
    )


def _name(row: int, words: str, ink: str) -> str:
    """Return the name of a line, in the empty corner below the lines."""
    x, y = WIDE - RIGHT - 190, HIGH - BOTTOM - 44 + 20 * row
    stroke = f'<path d="M{x} {y}h24" stroke="{ink}" stroke-width="2.5"/>'
    return f'{stroke}<text x="{x + 32}" y="{y + 4}">{escape(words)}</text>'
