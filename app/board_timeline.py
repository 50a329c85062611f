"""The timeline of the board: a lane a worker, a bar a task, with what is late and how much time is to spare."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

from app import i18n
from app.i18n import t

BEFORE = dt.timedelta(minutes=20)
SHORTEST, LONGEST = dt.timedelta(hours=2), dt.timedelta(hours=8)
LABEL_FROM = 2.6
"""A bar narrower than this share of the lane, in per cent, carries no label."""
LANES = 240
"""More lanes than this are not drawn; the search finds the others."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A task in a lane.

    Attributes
    ----------
    kind
        ``new``, ``moved``, ``retimed``, ``kept`` or ``fixed``: what the proposal changes.
    travel_s
        The way before it.
    late_s, slack_s
        How late it is begun, else how much time is to spare; None without a deadline.
    tip
        All about it in a sentence or two.
    """

    incident_id: int
    label: str
    kind: str
    start: dt.datetime
    end: dt.datetime
    travel_s: float
    late_s: float
    slack_s: float | None
    tip: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A worker of the timeline; ``rests`` are breaks, ``ends`` when the shift ends."""

    worker_id: int
    code: str
    name: str
    note: str
    bars: tuple[Bar, ...]
    rests: tuple[tuple[dt.datetime, dt.datetime], ...] = ()
    ends: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that is shown."""

    start: dt.datetime
    end: dt.datetime

    def share(self, moment: dt.datetime) -> float:
        """Return where a moment lies, in per cent, within the window."""
        inside = min(max(moment, self.start), self.end)
        return 100 * (inside - self.start) / (self.end - self.start)


def window(lanes: Sequence[Lane], now: dt.datetime) -> Window:
    """Return from a little before now until the last task is done, two hours at least and eight at most."""
    last = max((bar.end for lane in lanes for bar in lane.bars), default=now)
    return Window(now - BEFORE, min(max(last + BEFORE / 2, now + SHORTEST), now + LONGEST))


def drawn(
    lanes: Sequence[Lane],
    now: dt.datetime,
    timezone: str,
) -> str:
    """Return the timeline as HTML; the page's script marks what is chosen."""
    span = window(lanes, now)
    shown = lanes[:LANES]
    rows = "".join(_lane(lane, span) for lane in shown)
    rest = len(lanes) - len(shown)
    more = f'<p class="gk-muted gk-small gk-more">{escape(t("and {count} more", count=i18n.number(rest)))}</p>'
    line = f'<i class="gk-tl-now" style="left:{span.share(now):.2f}%"></i>'
    return (
        f'<div class="gk-tl" data-scroll><div class="gk-tl-in" role="list" aria-label="{escape(t("Timelines"))}">'
        f'<div class="gk-tl-head"><span></span><div>{_ticks(span, timezone)}</div></div>'
        f'<div class="gk-tl-over"><span></span><div>{line}</div></div>{rows}</div>{more if rest else ""}</div>'
    )


def _ticks(span: Window, timezone: str) -> str:
    zone = ZoneInfo(timezone)
    hours = (span.end - span.start) / dt.timedelta(hours=1)
    step = dt.timedelta(minutes=30 if hours <= 4 else 60)
    local = span.start.astimezone(zone)
    at = local.replace(minute=0, second=0, microsecond=0)
    found = []
    while at < span.end:
        if at > span.start and span.share(at) < 98:
            found.append(f'<i style="left:{span.share(at):.2f}%">{at:%H:%M}</i>')
        at = (at + step).astimezone(zone)
    return "".join(found)


def _lane(lane: Lane, span: Window) -> str:
    parts = [_stretch("gk-tl-rest", span, begin, end, t("break")) for begin, end in lane.rests]
    if lane.ends is not None and lane.ends < span.end:
        parts.append(_stretch("gk-tl-off", span, lane.ends, span.end, t("shift over")))
    parts += [_bar(bar, span) for bar in lane.bars if bar.start < span.end]
    title = f"{lane.code} {lane.name}".strip()
    return (
        f'<div class="gk-tl-lane" role="listitem">'
        f'<button type="button" class="gk-tl-who" data-pick="worker:{lane.worker_id}" title="{escape(title)}">'
        f"<b>{escape(lane.code)}</b><span>{escape(lane.name)}</span><em>{escape(lane.note)}</em></button>"
        f'<div class="gk-tl-track">{"".join(parts)}</div></div>'
    )


def _stretch(css_class: str, span: Window, begin: dt.datetime, end: dt.datetime, tip: str) -> str:
    left, right = span.share(begin), span.share(end)
    if right <= left:
        return ""
    return f'<i class="{css_class}" style="left:{left:.2f}%;width:{right - left:.2f}%" title="{escape(tip)}"></i>'


def _bar(bar: Bar, span: Window) -> str:
    left, right = span.share(bar.start), span.share(bar.end)
    way = span.share(bar.start - dt.timedelta(seconds=bar.travel_s))
    late = bar.late_s > 0
    sign = "! " if late else ""
    label = f"{sign}{escape(bar.label)}" if right - left >= LABEL_FROM else sign
    css = f"gk-tl-bar gk-tl-{bar.kind}{' gk-tl-late' if late else ''}"
    line = "" if left - way < 0.05 else f'<i class="gk-tl-way" style="left:{way:.2f}%;width:{left - way:.2f}%"></i>'
    width, spare = max(right - left, 0.35), 0.0
    if not late and bar.slack_s is not None:  # drawn behind the chosen bar, in parts of its width
        spare = max(0.0, span.share(bar.start + dt.timedelta(seconds=bar.slack_s)) - right)
    return (
        f'{line}<a class="{css}" data-pick="incident:{bar.incident_id}" title="{escape(bar.tip)}"'
        f' style="left:{left:.2f}%;width:{width:.2f}%;--s:{100 * spare / width:.0f}%">{label}</a>'
    )
