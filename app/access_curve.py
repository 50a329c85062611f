"""The Lorenz curve of access as a picture: which share of all the people with least have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from app import i18n, widgets
from app.i18n import t
from layers.style import LIGHT

SIDE, LEFT, TOP, RIGHT, BOTTOM = 300, 52, 12, 28, 44


def curve(now: Mapping[str, Any], then: Mapping[str, Any] | None) -> None:
    """Put the picture; a second line for what a study would change."""
    told = t("Share of what is in reach by share of the people, from those with least")
    source = f"data:image/svg+xml,{quote(svg(now['lorenz'], then['lorenz'] if then else None))}"
    widgets.write(f'<img class="gk-curve" alt="{escape(told)}" src="{source}">')


def svg(now: Sequence[float], then: Sequence[float] | None) -> str:
    """Return the picture; the diagonal is what it would be if all had the same."""
    wide, high = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    rows = "".join(
        f'<path d="M{LEFT} {_y(share):.1f}H{LEFT + SIDE}" stroke="{LIGHT.line}"/>'
        f'<text x="{LEFT - 8}" y="{_y(share) + 4:.1f}" text-anchor="end">{share * 100:.0f} %</text>'
        f'<text x="{_x(share):.1f}" y="{TOP + SIDE + 16}" text-anchor="middle">{share * 100:.0f} %</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    even = f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="{LIGHT.muted}" stroke-dasharray="4 4"/>'
    lines = _area(now) + _line(now, LIGHT.closed if then else LIGHT.primary)
    lines += _line(then, LIGHT.primary) if then else ""
    names = [(t("if all had the same"), LIGHT.muted), (t("now"), LIGHT.closed if then else LIGHT.primary)]
    names += [(t("with the new sites"), LIGHT.primary)] if then else []
    signs = "".join(
        f'<path d="M{LEFT + 12} {TOP + 16 + 18 * at}h20" stroke="{ink}" stroke-width="2"'
        f' stroke-dasharray="{0 if at else 4}"/>'
        f'<text x="{LEFT + 38}" y="{TOP + 20 + 18 * at}">{escape(words)}</text>'
        for at, (words, ink) in enumerate(names)
    )
    people = escape(t("share of the people, those with least first"))
    below = f'<text x="{LEFT + SIDE / 2}" y="{TOP + SIDE + 36}" text-anchor="middle">{people}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
        f' font-family="sans-serif" font-size="12" fill="{LIGHT.muted}">{rows}{even}{lines}{signs}{below}</svg>'
    )


def _x(share: float) -> float:
    return LEFT + SIDE * share


def _y(share: float) -> float:
    return TOP + SIDE * (1 - share)


def _points(shares: Sequence[float]) -> str:
    last = len(shares) - 1
    return " ".join(f"{_x(at / last):.1f},{_y(share):.1f}" for at, share in enumerate(shares))


def _line(shares: Sequence[float], ink: str) -> str:
    return f'<polyline points="{_points(shares)}" fill="none" stroke="{ink}" stroke-width="2.5"/>'


def _area(shares: Sequence[float]) -> str:
    return f'<polygon points="{_points(shares)}" fill="{LIGHT.primary}" fill-opacity="0.08"/>'


def number(value: float | None, digits: int = 2) -> str:
    """Return a measure; a dash for what has no number, such as a share by nothing."""
    return "–" if value is None else i18n.number(value, digits)
