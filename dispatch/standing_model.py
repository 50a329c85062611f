"""Nouns of the standing plan: what is proposed now for a whole territory, and which of it needs a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dispatch.cover import MoveUp
from dispatch.plan_model import Reason

Change = Literal["new", "moved", "retimed", "kept", "fixed"]
"""Against what runs: nobody had it; another had it; another time; as it is; begun, which never moves."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One stop of the plan, with the incident as it is now; no personal field.

    Attributes
    ----------
    kind
        Of the task: handle, verify, check, visit or patrol; help for who comes along to a task for several.
    task_id, task_version
        None where nobody was sent yet.
    place_in_route
        1 is next.
    start_at, end_at
        When the worker begins on site and is done.
    travel_s
        From the place before.
    late_s
        Begun so long after the deadline; 0 in time.
    slack_s
        Seconds between the begin and the deadline; None without a deadline, negative when late.
    was_worker_id
        Who has it now; None nobody.
    safe
        May be published without a look; otherwise ``needs`` says why not.
    status, priority, emergency, due_at
        Of the incident as it is now, priority 1 the most urgent.
    """

    plan_id: int
    incident_id: int
    number: str
    title_en: str
    title_zh: str
    kind: str
    task_id: int | None
    worker_id: int
    worker_code: str
    place_in_route: int
    start_at: dt.datetime
    end_at: dt.datetime
    travel_s: float
    late_s: float
    slack_s: float | None
    incident_version: int
    task_version: int | None
    was_worker_id: int | None
    change: Change
    safe: bool
    needs: Reason | None
    lon: float
    lat: float
    due_at: dt.datetime | None
    priority: int
    emergency: bool
    status: str

    def title(self, locale: str) -> str:
        """Return the name of the class in the language of ``locale``."""
        return self.title_zh if locale.startswith("zh") else self.title_en


@dataclass(frozen=True, slots=True)
class Unserved:
    """Work that nobody is sent to, what binds, and what would free it."""

    incident_id: int
    number: str
    title_en: str
    title_zh: str
    lon: float
    lat: float
    due_at: dt.datetime | None
    priority: int
    emergency: bool
    why: Reason
    way_out: Reason | None = None

    def title(self, locale: str) -> str:
        """Return the name of the class in the language of ``locale``."""
        return self.title_zh if locale.startswith("zh") else self.title_en


@dataclass(frozen=True, slots=True)
class Summary:
    """The plan in one line.

    Attributes
    ----------
    safe
        Rows that change something and may be published without a look.
    need_you
        Rows that need a person, and work nobody is sent to.
    driving_saved_s, breaches_avoided
        Against the plan that runs: as it was published, new work by the nearest who is idle, priced by the same
        walk; below zero when the plan drives more or is late more often.
    breaches_next_hour
        Deadlines that pass within the hour before anybody is on site, in this plan.
    """

    safe: int
    need_you: int
    driving_saved_s: float
    breaches_avoided: int
    open_tasks: int
    workers: int
    breaches_next_hour: int


@dataclass(frozen=True)
class StandingPlan:
    """The proposal that stands for a territory.

    Attributes
    ----------
    made_at
        The moment it was made for.
    rows
        By worker and place in the route.
    told
        What has to be known about how it was reckoned, e.g. straight lines where there is no street.
    left_out
        Workers on shift who could not be planned for, by staff number, with the reason.
    terms
        The cost by term, seconds.
    stale
        Something it rests on has changed since, and the next one is on its way; or it is old.
    """

    id: int
    made_at: dt.datetime
    territory_id: int
    rows: tuple[PlanRow, ...]
    unserved: tuple[Unserved, ...]
    summary: Summary
    move_ups: tuple[MoveUp, ...] = ()
    stale: bool = False
    told: tuple[Reason, ...] = ()
    left_out: Mapping[str, Reason] = field(default_factory=dict)
    terms: Mapping[str, float] = field(default_factory=dict)

    def row(self, incident_id: int) -> PlanRow | None:
        """Return the row that sends somebody to an incident; None when there is none."""
        found = [row for row in self.rows if row.incident_id == incident_id]
        return min(found, key=lambda row: row.kind != "handle", default=None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What choosing another worker costs, beside the one the plan chose.

    Attributes
    ----------
    more_s
        How much the whole plan costs more, in seconds; below zero when less.
    terms
        The same by term.
    late
        Number of each incident that becomes late, or later, with the minutes by which.
    cannot
        Why this worker may not or cannot at all; the figures are zero then.
    """

    incident_id: int
    worker_id: int
    chosen_id: int | None
    more_s: float
    terms: Mapping[str, float]
    late: tuple[tuple[str, int], ...]
    start_at: dt.datetime | None
    late_s: float
    cannot: Reason | None = None
