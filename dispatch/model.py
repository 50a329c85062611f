"""Nouns of dispatch: what waits on the board, who could go, and what is proposed; no input or output here."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import shapely

from dispatch.propose import Ranking
from people.model import WorkerInfo


class Whereabouts(enum.StrEnum):
    """How it is known where a worker is: what the phone told on shift, else what tasks tell, else the home grid."""

    POSITION = "position"
    AT_TASK = "at_task"
    AFTER_TASK = "after_task"
    HOME_GRID = "home_grid"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """An incident as the board shows it; no personal field.

    Attributes
    ----------
    worker_id, worker_code
        Who has its live task; None when only the unit has it, or nobody.
    responsibility_code
        Of the responsibility grid it lies in; None outside of all.
    workers
        So many the class takes.
    along
        Staff numbers of those who were called to come along with who leads; None: nobody.
    """

    id: int
    number: str
    class_en: str
    class_zh: str
    status: str
    priority: int
    emergency: bool
    reported_at: dt.datetime
    due_at: dt.datetime | None
    place: str
    community: str
    community_zh: str | None
    grid_id: int
    grid_code: str
    responsibility_code: str | None
    unit_id: int | None
    unit: str | None
    unit_zh: str | None
    worker_id: int | None
    worker_code: str | None
    lon: float
    lat: float
    version: int
    skills: Sequence[str] = ()
    equipment: Sequence[str] = ()
    workers: int = 1
    along: Sequence[str] | None = None

    def title(self, locale: str) -> str:
        """Return the name of the class in the language of ``locale``."""
        return self.class_zh if locale.startswith("zh") else self.class_en


@dataclass(frozen=True, slots=True)
class Board:
    """What waits for the dispatcher, the most urgent first.

    Attributes
    ----------
    to_send
        Filed, with nobody to handle it yet.
    not_begun
        Sent to a unit or a worker who has not accepted; can be given to another.
    to_file
        Reports that a supervisor has to file before they come here.
    begun
        Accepted or started by whoever has them.
    times
        Live task to when the published plan lets it begin.
    """

    at: dt.datetime
    to_send: tuple[QueueRow, ...]
    not_begun: tuple[QueueRow, ...]
    to_file: int
    begun: tuple[QueueRow, ...] = ()
    times: Mapping[int, dt.datetime] = field(default_factory=dict)

    def find(self, incident_id: int) -> QueueRow | None:
        """Return the row of an incident that waits here, else None."""
        return next((row for row in (*self.to_send, *self.not_begun) if row.id == incident_id), None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker is taken to be, and how that is known; ``at`` and ``name`` belong to the task."""

    how: Whereabouts
    lon: float
    lat: float
    name: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """A worker on duty with the place the way is counted from, and the way on streets."""

    worker: WorkerInfo
    place: Place
    open_tasks: int
    line: shapely.LineString | None = None
    length_m: float | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who should go to an incident and why: the ranking, and all about each worker in it.

    Attributes
    ----------
    contenders
        Worker id to contender, of all in ``ranking``.
    placeless
        Staff numbers of workers on duty of whom no place is known.
    own_off_duty
        Workers of the incident's own grid whose shift is over or not begun.
    off_duty
        Number of workers whose shift is over or not begun.
    """

    incident: QueueRow
    ranking: Ranking
    contenders: dict[int, Contender]
    placeless: tuple[str, ...]
    own_off_duty: tuple[WorkerInfo, ...]
    off_duty: int
