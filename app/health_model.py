"""What a check says: how one thing stands, in one sentence, with the numbers and the way out."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app import i18n
from app.i18n import t

GIB = 1 << 30


class State(enum.StrEnum):
    """How a check stands, worst first."""

    FAULT = "fault"
    WARNING = "warning"
    UNKNOWN = "unknown"
    OK = "ok"


ORDER = {state: rank for rank, state in enumerate(State)}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its state, a sentence, the numbers, and what to do; no way out when all is well."""

    key: str
    title: str
    state: State
    sentence: str
    way_out: str = ""
    numbers: Mapping[str, object] = field(default_factory=dict)


def worst_first(checks: Sequence[Check]) -> list[Check]:
    """Return checks with faults first; equals stay in their order."""
    return sorted(checks, key=lambda check: ORDER[check.state])


def size(number: float) -> str:
    """Return bytes in GB or MB."""
    return f"{i18n.number(number / GIB, 1)} GB" if number >= GIB else f"{i18n.number(number / (1 << 20))} MB"


def joined(*sentences: str) -> str:
    """Return sentences one after the other, as the language in use sets them."""
    return ("" if i18n.locale() == "zh" else " ").join(sentence for sentence in sentences if sentence)


def unknown(key: str, title: str) -> Check:
    """Return a check that could not be made."""
    why = t("Not known while the database does not answer or its schema is another.")
    return Check(key, title, State.UNKNOWN, why)
