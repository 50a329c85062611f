"""Nouns of the field page: the day of one worker, an act done on a phone, and what came of it; no I/O here."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import InvalidInput

TEXT_MOST = 500
ACTS_MOST = 40
"""Of one message: more come with the next one."""
OFFLINE_MOST = dt.timedelta(hours=12)
"""An act is believed to have been done at most so long before it arrives: a shift, not more."""
NEARLY_NOW = dt.timedelta(seconds=90)
POSITION_AGE = dt.timedelta(hours=2)
"""A position that is older tells nothing of where somebody is; it is deleted."""


@dataclass(frozen=True, slots=True)
class FieldTask:
    """A live task of the worker with what he needs on site.

    ``kind`` is help where he comes along with who leads; ``others`` are the staff numbers of who goes as well, the lead
    first; ``note`` is what the reporter said.
    """

    id: int
    incident: int
    number: str
    kind: str
    state: str
    title_en: str
    title_zh: str
    emergency: bool
    priority: int
    place: str
    community: str
    community_zh: str | None
    due_at: dt.datetime | None
    planned_start: dt.datetime | None
    planned_end: dt.datetime | None
    place_in_route: int | None
    on_way_at: dt.datetime | None
    arrived_at: dt.datetime | None
    expected_done_at: dt.datetime | None
    urged_at: dt.datetime | None
    version: int
    lon: float
    lat: float
    evidence: str
    photos: tuple[str, ...]
    skills: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    workers: int = 1
    others: tuple[str, ...] = ()
    note: str | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Return what the list of the day is sorted by: begun work, emergencies, the published route, the deadline."""
        late = dt.datetime.max.replace(tzinfo=dt.UTC)
        begun = self.state != "started"
        return (begun, not self.emergency, self.planned_start or late, self.due_at or late, self.priority, self.id)


@dataclass(frozen=True, slots=True)
class FieldNotice:
    """Something the worker is told; ``reason`` is a key of the act that it came of, or empty."""

    id: int
    topic: str
    at: dt.datetime
    incident: int
    number: str | None
    title_en: str
    title_zh: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """The shift that covers a moment or begins on its day, with the worker's staff number; both None without one."""

    code: str
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    away: bool = False

    def covers(self, moment: dt.datetime) -> bool:
        """Return whether the worker is on shift."""
        return self.start is not None and self.end is not None and self.start <= moment < self.end and not self.away


@dataclass(frozen=True, slots=True)
class FieldState:
    """The day of a worker: the next task first."""

    shift: Shift
    tasks: tuple[FieldTask, ...]
    notices: tuple[FieldNotice, ...]


@dataclass(frozen=True, slots=True)
class PhoneAct:
    """An act as the phone sent it, once its form was checked.

    Attributes
    ----------
    id
        Made on the phone; the same one again changes nothing.
    version
        Of the incident as the worker saw it; None takes it as it is.
    at
        When it was done, by the platform's clock as far as the phone knows it; in bounds.
    said
        The same as the phone said it, so that an act sent twice is the same act; None when that is out of bounds.
    """

    id: str
    act: str
    incident: int | None
    version: int | None
    at: dt.datetime
    arguments: Mapping[str, Any] = field(default_factory=dict)
    said: dt.datetime | None = None

    @classmethod
    def of(cls, raw: object, now: dt.datetime) -> PhoneAct:
        """Return the act of a message; raise `InvalidInput` naming what is wrong with it."""
        if not isinstance(raw, dict):
            raise _wrong("An act is an object with id, act, incident, version, at and arguments.")
        given, act, arguments = raw.get("id"), raw.get("act"), raw.get("arguments") or {}
        if not isinstance(given, str) or not isinstance(act, str) or not isinstance(arguments, dict):
            raise _wrong("An act has an id and a name as texts, and its arguments as an object.")
        numbers = [raw.get("incident"), raw.get("version")]
        if any(each is not None and (type(each) is not int or not 0 < each < 2**31) for each in numbers):
            raise _wrong("Incident and version are whole numbers.")
        said = _moment(raw.get("at"))
        if said is None or not now - OFFLINE_MOST < said < now + NEARLY_NOW:
            at = now if said is None or said > now else now - OFFLINE_MOST
            return cls(given, act, numbers[0], numbers[1], at, arguments)
        return cls(given, act, numbers[0], numbers[1], min(said, now), arguments, said)

    def at_version(self, version: int) -> PhoneAct:
        """Return the same act on the incident as it stands after the acts before it."""
        return replace(self, version=version)

    def text(self, name: str, most: int = TEXT_MOST) -> str:
        """Return an argument that is a text; empty when it lacks."""
        given = self.arguments.get(name, "")
        if not isinstance(given, str) or len(given) > most:
            raise _wrong(f"{name} is a text of at most {most} characters.", f"“{name}”不得超过 {most} 字。")
        return given.strip()

    def number(self, name: str) -> float:
        """Return an argument that is a number."""
        given = self.arguments.get(name)
        if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < 1e9:
            raise _wrong(f"{name} is a number.", f"“{name}”须为数字。")
        return float(given)


Box = tuple[float, float, float, float]
PICTURE = (358, 190)
"""Width and height of a map on a phone; a map of another shape is scaled."""
LEAST_DEG = 0.004
"""A map shows at least a few streets (degrees of latitude)."""


def framed(points: Sequence[tuple[float, float]], *, margin: float = 0.08) -> Box:
    """Return the box around points, with a margin, in the shape of the picture."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    squeeze = math.cos(math.radians(y))
    shape = PICTURE[0] / PICTURE[1]
    high = max(max(ys) - min(ys), (max(xs) - min(xs)) * squeeze / shape, LEAST_DEG) * (1 + 2 * margin)
    across = high * shape / squeeze / 2
    return x - across, y - high / 2, x + across, y + high / 2


@dataclass(frozen=True, slots=True)
class Way:
    """The way to a task, longitude and latitude; without a known start only the place and the roads around it.

    Attributes
    ----------
    box
        What is drawn: west, south, east, north, in the shape of the picture.
    streets
        Names in the order in which the way takes them.
    roads
        Around it, for the drawing; wide ones first.
    """

    goal: tuple[float, float]
    box: Box
    line: tuple[tuple[float, float], ...]
    streets: tuple[str, ...]
    seconds: float | None
    length_m: float | None
    roads: tuple[tuple[bool, tuple[tuple[float, float], ...]], ...]


def _moment(given: object) -> dt.datetime | None:
    if not isinstance(given, str):
        return None
    try:
        at = dt.datetime.fromisoformat(given)
    except ValueError as error:
        raise _wrong(f"{given[:40]!r} is no moment.") from error
    if at.tzinfo is None:
        raise _wrong("A moment names its time zone.")
    return at


def _wrong(message: str, zh: str = "手机提交的内容有误，请刷新页面后重试。") -> InvalidInput:
    return InvalidInput(message, hint="Load the page again.", zh=zh)
