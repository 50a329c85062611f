"""Nouns of carrying out a plan: what was published, what was stale, who is held or kept off, what is told to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from incidents.lifecycle_words import Words

What = Literal["sent", "retimed", "kept"]
"""A worker was sent; the same worker has it, at another time; everything stood so already."""

ANSWER_WITHIN: Mapping[int, dt.timedelta] = {
    1: dt.timedelta(minutes=5),
    2: dt.timedelta(minutes=15),
    3: dt.timedelta(minutes=30),
    4: dt.timedelta(minutes=60),
}
"""By priority: how long a worker on shift may leave a task without an answer."""
EMERGENCY_WITHIN = dt.timedelta(minutes=3)
LOOKS_BACK = dt.timedelta(hours=12)
"""What was given out longer ago is late work and no answer that lacks."""
NO_ANSWER = "no_answer"
"""Why somebody is kept off whom the clock passed by."""
LONGEST_MINUTES = 480
TOPICS: Mapping[str, Words] = {
    "assigned": ("A task for you", "您有新任务"),
    "withdrawn": ("A task was taken back", "任务已撤回"),
    "rework": ("Sent back for rework", "退回返工"),
    "counted": ("You were there: your part counts as done", "您当时在场，协办任务已计为完成"),
    "returned": ("A worker gave it back", "网格员已退回"),
    "escalated": ("Nobody answers", "无人应答"),
}
"""What a notice says; the first four go to the worker, the others to the desks."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A row of the plan that holds now; ``what`` says what publishing it changed, ``along`` that he comes along."""

    incident_id: int
    number: str
    task_id: int
    worker_id: int
    what: What
    along: bool = False


@dataclass(frozen=True, slots=True)
class StaleRow:
    """A row that was not published, and who changed what meanwhile."""

    incident_id: int
    number: str
    en: str
    zh: str

    def text(self, locale: str) -> str:
        """Return the reason in the language of ``locale``."""
        return self.zh if locale.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Published:
    """What came of publishing.

    Attributes
    ----------
    done
        The rows asked for that hold now.
    also_retimed
        Tasks beside them that got new times, since their worker's route changed.
    unplanned
        Tasks that lost their planned times, since somebody else comes before them now.
    repeated
        The command had been applied before; this is its first answer.
    """

    done: tuple[Sent, ...]
    stale: tuple[StaleRow, ...]
    also_retimed: int = 0
    unplanned: int = 0
    repeated: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept with the command; no personal field."""
        return {
            "done": [
                [each.incident_id, each.number, each.task_id, each.worker_id, each.what, each.along]
                for each in self.done
            ],
            "stale": [[each.incident_id, each.number, each.en, each.zh] for each in self.stale],
            "also_retimed": self.also_retimed,
            "unplanned": self.unplanned,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Published:
        """Return the first answer of a command that is sent again."""
        return cls(
            tuple(Sent(*each) for each in kept["done"]),
            tuple(StaleRow(*each) for each in kept["stale"]),
            kept["also_retimed"],
            kept["unplanned"],
            repeated=True,
        )


@dataclass(frozen=True, slots=True)
class PinRow:
    """Who has to do an incident (pin), or does not get it (bar)."""

    id: int
    incident_id: int
    number: str
    worker_id: int
    worker_code: str
    kind: str
    reason: str
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A task that waited longer than it may.

    Attributes
    ----------
    asked
        How many were passed by before.
    own_choice
        The dispatcher chose or called in the worker by hand: nobody else is sent without a person.
    joint
        The worker comes along with who leads.
    """

    incident_id: int
    number: str
    task_id: int
    worker_id: int
    version: int
    asked: int
    own_choice: bool
    joint: bool = False


@dataclass(frozen=True, slots=True)
class Overdue:
    """A task that waited too long, with whom to ask next and who is on shift since when, by worker id."""

    task: Unanswered
    offers: tuple[int, ...]
    crew: Mapping[int, dt.datetime]


@dataclass(frozen=True, slots=True)
class TimedOut:
    """What came of looking for tasks without an answer: given to the next, or told to the shift leader."""

    given_on: tuple[Sent, ...] = ()
    escalated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A message that arrived; ``incident`` is its number."""

    id: int
    made_at: dt.datetime
    topic: str
    incident_id: int
    number: str
    task_id: int
    worker_id: int | None
    payload: Mapping[str, Any]
    read_at: dt.datetime | None

    def title(self, locale: str) -> str:
        """Return what happened, in the language of ``locale``."""
        return TOPICS[self.topic][locale.startswith("zh")]


@dataclass(frozen=True, slots=True)
class DeskRow:
    """What a person has to see to: a task that nobody answers, or one that was given back.

    Attributes
    ----------
    notice_id
        Of what was given back; 0: it cannot be put away, it goes when the task is answered or given to another.
    since
        When the shift leader was told, or when it was given back.
    reason
        Why it was given back; a key of the reasons of ``return``.
    """

    notice_id: int
    topic: str
    incident_id: int
    number: str
    title_en: str
    title_zh: str
    since: dt.datetime
    worker_code: str
    reason: str

    @property
    def unanswered(self) -> bool:
        """Return whether nobody answers."""
        return self.topic == "escalated"

    def title(self, locale: str) -> str:
        """Return the name of the class in the language of ``locale``."""
        return self.title_zh if locale.startswith("zh") else self.title_en


def answer_within(priority: int, *, emergency: bool) -> dt.timedelta:
    """Return how long a task may stay without an answer."""
    return EMERGENCY_WITHIN if emergency else ANSWER_WITHIN.get(priority, ANSWER_WITHIN[4])
