"""The queue of the board: what is to be decided, to go out, on its way or left over, by time left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app import i18n
from app.i18n import t


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the queue.

    Attributes
    ----------
    left, tone
        What is left until the deadline, and late, soon or good.
    who
        Who goes there and when, or who has it.
    mark, mark_tone
        What the proposal changes (new, moved, re-timed), or why a person is asked.
    """

    incident_id: int
    title: str
    number: str
    place: str
    left: str
    tone: str
    who: str
    mark: str = ""
    mark_tone: str = ""
    emergency: bool = False


def drawn(lines: Sequence[Line], rest: int) -> str:
    """Return the rows as HTML, and how many more there are."""
    rows = "".join(map(_row, lines))
    more = t("and {count} more: search or filter to see them", count=i18n.number(rest)) if rest else ""
    tail = f'<p class="gk-muted gk-small gk-more">{escape(more)}</p>' if rest else ""
    return f'<div class="gk-q" data-scroll role="listbox" aria-label="{escape(t("Queue"))}">{rows}{tail}</div>'


def _row(line: Line) -> str:
    urgent = f'<span class="gk-q-urgent">{escape(t("emergency"))}</span>' if line.emergency else ""
    mark = f'<span class="gk-q-mark gk-q-{line.mark_tone or "plain"}">{escape(line.mark)}</span>' if line.mark else ""
    tone = f' class="gk-{line.tone}"' if line.tone else ""
    return (
        f'<div class="gk-q-row" role="option" tabindex="0" data-pick="incident:{line.incident_id}"'
        ' aria-selected="false">'
        f"<div><b>{escape(line.title)}</b>{urgent}<span{tone}>{escape(line.left)}</span></div>"
        f'<div><span class="gk-q-place">{escape(line.number)} · {escape(line.place)}</span>'
        f"{mark}<span>{escape(line.who)}</span></div></div>"
    )
