"""What this platform does: the table of docs/coverage.md in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

from app import i18n, widgets
from app.i18n import t
from app.widgets import Column, Html
from core.errors import SourceUnavailable

FILE = Path(__file__).parent.parent / "docs" / "coverage.md"
TONES = {"works": "good", "partly": "soon", "not yet": "done", "declined": "done"}


@dataclass(frozen=True, slots=True)
class Capability:
    """A row of the table."""

    number: str
    english: str
    chinese: str
    state: str
    note_english: str
    note_chinese: str


@lru_cache(maxsize=1)
def capabilities() -> tuple[Capability, ...]:
    """Return the rows of the coverage table in their order.

    Raises
    ------
    SourceUnavailable
        When the file is missing.
    """
    try:
        lines = FILE.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SourceUnavailable(f"{FILE.name} cannot be read.") from error
    rows = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|"))
    return tuple(Capability(*row[:6]) for row in rows if len(row) >= 6 and row[0].isdecimal())


def state_word(state: str) -> str:
    """Return the state of a capability in the language in use."""
    return {
        "works": t("works"),
        "partly": t("partly"),
        "not yet": t("not yet"),
        "declined": t("declined"),
    }.get(state, state)


def show() -> None:
    """Put the table."""
    rows = capabilities()
    counts = {key: sum(row.state == key for row in rows) for key in TONES}
    widgets.note(" · ".join(f"{state_word(key)}: {i18n.number(count)}" for key, count in counts.items() if count))
    widgets.table(
        [
            Column(t("No."), right=True, wide=True),
            Column(t("Capability")),
            Column(t("State"), fixed=True),
            Column(t("Note")),
        ],
        [
            (
                row.number,
                i18n.either(row.english, row.chinese),
                Html(widgets.toned(state_word(row.state), TONES.get(row.state, "")).text),
                _note(row),
            )
            for row in rows
        ],
    )


def _note(row: Capability) -> Html | None:
    words = i18n.either(row.note_english, row.note_chinese)
    return None if words in {"", "–"} else Html(f'<span class="gk-muted">{escape(words)}</span>')
