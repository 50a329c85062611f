"""Nouns of incidents as pages and commands see them; no input or output here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.clock import ALWAYS, WorkingCalendar
from geodata.record import RecordEntry
from incidents.deadlines import Limit, countdown_to, due_at, running_calendar
from incidents.duplicates import Followed

Cursor = tuple[dt.datetime, int]
"""Where a page of the list ends: report time of its last row, or its deadline in a list by deadline; and its id."""
DUE_SOON = dt.timedelta(hours=2)
"""An open incident is due soon when its deadline comes within this time."""
SHARES = (50, 80, 100)
"""Used per cent of the time at which the list warns."""
MARKS = ("late", "unsent", "to_check", "look", "asked_time", "urged", "postponed", "reopened")
"""What an open incident may be marked with: late; filed but not sent out, and not postponed; handled; a look at the
place waits (a worker's own); more time asked for; urged; postponed now; opened again."""


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class of incident as stored."""

    id: int
    scheme: str
    kind: str
    code: str
    category: str
    category_en: str
    category_zh: str
    name_en: str
    name_zh: str
    priority: int
    emergency: bool
    version: int = 1

    @property
    def key(self) -> str:
        """Return kind and code in one word, e.g. ``event-04-03``."""
        return f"{self.kind}-{self.code}"

    def title(self, locale: str) -> str:
        """Return the name in the language of ``locale``."""
        return self.name_zh if locale.startswith("zh") else self.name_en


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """A limit as stored; ``calendar`` is the code of its own calendar, None for the territory's."""

    id: int
    limit: Limit
    calendar: str | None = None


@dataclass(frozen=True)
class Catalogue:
    """What a new incident of a territory is classified and timed by.

    Attributes
    ----------
    classes
        Key of each active shipped class, e.g. ``event-04-03``, to the class.
    limits
        Class id to its main limit of the stage ``handle``; classes without one are absent. Those of
        retired classes stay: what was reported under them is still filed and timed.
    calendar
        The office calendar of the territory's time zone.
    calendars
        Code to calendar, for limits that name another one.
    """

    classes: Mapping[str, ClassInfo]
    limits: Mapping[int, LimitInForce]
    calendar: WorkingCalendar
    calendars: Mapping[str, WorkingCalendar] = field(default_factory=dict)

    def due_at(self, class_id: int, start: dt.datetime) -> dt.datetime | None:
        """Return when an incident filed at ``start`` must be handled; None when its class has no limit."""
        held = self.limits.get(class_id)
        if held is None:
            return None
        return due_at(held.limit, self.calendars.get(held.calendar or "", self.calendar), start)

    def warnings(
        self, class_id: int, start: dt.datetime, due: dt.datetime | None
    ) -> tuple[dt.datetime | None, dt.datetime | None]:
        """Return when 50 and 80 % of the time from ``start`` to ``due`` are used; None without a deadline."""
        if due is None:
            return None, None
        held = self.limits.get(class_id)
        running = ALWAYS if held is None else self.running(held)
        half, most, _ = countdown_to(due, running, start).warnings()
        return half[1], most[1]

    def running(self, held: LimitInForce) -> WorkingCalendar:
        """Return the clock that the time of a limit runs by."""
        return running_calendar(held.limit, self.calendars.get(held.calendar or "", self.calendar))

    def limit_id(self, class_id: int) -> int | None:
        """Return the limit that `due_at` counts by; None when there is none."""
        held = self.limits.get(class_id)
        return None if held is None else held.id


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """What the list shows; every field narrows, the default shows all.

    Attributes
    ----------
    first_day, last_day
        Local days of report, both included.
    text
        Part of a number or of a place, upper or lower case.
    overdue
        Only open incidents whose deadline has passed at ``moment`` of the query.
    due_soon
        Only open incidents whose deadline comes within `DUE_SOON` of that moment.
    worker_id
        Only incidents that a worker was sent to last.
    moved
        ``filed`` or ``closed``: only those to which this happened since yesterday, local time.
    used
        Only open ones that used so many per cent of their time (50, 80) and are not late yet; 100 asks for
        late ones, 0 asks nothing.
    mark
        One of `MARKS`; empty asks nothing.
    mine
        Only what is given to the actor (worker) or was sent out by him (dispatcher).
    """

    first_day: dt.date | None = None
    last_day: dt.date | None = None
    categories: Sequence[str] = ()
    statuses: Sequence[str] = ()
    grid_id: int | None = None
    community_id: int | None = None
    unit_id: int | None = None
    overdue: bool = False
    due_soon: bool = False
    text: str = ""
    worker_id: int | None = None
    moved: str = ""
    used: int = 0
    mark: str = ""
    mine: bool = False

    @property
    def by_deadline(self) -> bool:
        """Return whether the list goes by deadline, the longest overdue first: what is late, or has used its time.

        Everything that such a filter finds has a deadline.
        """
        return self.overdue or self.used > 0 or self.mark == "late"


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident as a list shows it; no personal field."""

    id: int
    number: str
    class_en: str
    class_zh: str
    category: str
    category_en: str
    category_zh: str
    status: str
    priority: int
    emergency: bool
    source: str
    reported_at: dt.datetime
    filed_at: dt.datetime | None
    dispatched_at: dt.datetime | None
    handled_at: dt.datetime | None
    closed_at: dt.datetime | None
    due_at: dt.datetime | None
    place: str
    grid_id: int
    grid_code: str
    community_id: int
    community: str
    community_zh: str | None
    unit_id: int | None
    unit: str | None
    unit_zh: str | None
    worker_id: int | None
    worker_code: str | None
    reworks: int
    simulated: bool
    lon: float
    lat: float
    version: int
    warn_half_at: dt.datetime | None = None
    warn_most_at: dt.datetime | None = None
    postponed_until: dt.datetime | None = None
    urged_at: dt.datetime | None = None
    reopens: int = 0

    @property
    def is_open(self) -> bool:
        """Return whether somebody still has to act."""
        return self.status not in {"closed", "void"}

    def is_postponed(self, moment: dt.datetime) -> bool:
        """Return whether the clock stands still at ``moment``."""
        return self.is_open and self.postponed_until is not None and self.postponed_until > moment

    def is_late(self, moment: dt.datetime) -> bool:
        """Return whether the incident is open, not postponed, and its deadline has passed at ``moment``."""
        return self.is_open and self.due_at is not None and self.due_at < moment and not self.is_postponed(moment)

    def used(self, moment: dt.datetime) -> int:
        """Return the highest of `SHARES` that is used at ``moment``; 0 below them and while postponed."""
        if not self.is_open or self.is_postponed(moment):
            return 0
        passed = (self.warn_half_at, self.warn_most_at, self.due_at)
        return max((share for share, at in zip(SHARES, passed, strict=True) if at and at <= moment), default=0)

    def title(self, locale: str) -> str:
        """Return the name of the class in the language of ``locale``."""
        return self.class_zh if locale.startswith("zh") else self.class_en


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """A page of the list in its order; ``after`` asks for the next one, None at the end."""

    rows: tuple[IncidentRow, ...]
    after: Cursor | None


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """A task of an incident with its owner."""

    id: int
    kind: str
    state: str
    unit: str | None
    unit_zh: str | None
    worker_code: str | None
    unit_id: int | None
    worker_id: int | None
    assigned_by: int | None
    created_at: dt.datetime
    due_at: dt.datetime | None
    accepted_at: dt.datetime | None
    finished_at: dt.datetime | None
    joint: bool = False
    outcome: str = ""
    handled_by: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class ExtensionInfo:
    """More time asked for: ``state`` is ``waiting``, ``granted`` or ``refused``."""

    id: int
    state: str
    reason: str
    until: dt.datetime
    due_before: dt.datetime | None
    asked_by: int | None
    asked_at: dt.datetime
    answer: str


@dataclass(frozen=True, slots=True)
class Side:
    """What the side moves of the lifecycle left on an incident; the clock stands still while it is postponed."""

    reported_by: int | None = None
    closed_by: int | None = None
    postponed_at: dt.datetime | None = None
    postponed_until: dt.datetime | None = None
    urges: int = 0
    urged_at: dt.datetime | None = None
    urge_reason: str = ""
    self_handled: bool = False
    sampled_by: int | None = None
    duplicate_of: int | None = None
    requests: tuple[ExtensionInfo, ...] = ()
    lacking: tuple[str, ...] = ()
    followed: Followed = field(default_factory=Followed)
    shown_by: frozenset[int] = frozenset()
    """Who showed in a photo what became of it, as a handler or a worker; of its duplicates too."""


@dataclass(frozen=True, slots=True)
class FiledUnder:
    """The rules an incident keeps: its class, and the limit that set its deadline, each as it stood then.

    ``class_version`` is None for incidents of before versions were kept, ``limit`` where no limit of
    ours set the deadline.
    """

    class_key: str
    class_version: int | None
    limit: Limit | None
    limit_version: int | None


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """All about one incident.

    Attributes
    ----------
    note
        The free text; None when there is none, when the person was erased, or when the actor may
        not read it (see ``note_state``).
    note_state
        ``shown``, ``none``, ``erased`` or ``not permitted``.
    """

    row: IncidentRow
    note: str | None
    note_state: str
    external_ref: str | None
    source_system: str
    tasks: tuple[TaskInfo, ...]
    history: tuple[RecordEntry, ...]
    filed_under: FiledUnder | None = None
    side: Side = field(default_factory=Side)


@dataclass(frozen=True, slots=True)
class TodayCounts:
    """The head of the page Today, as far as the actor's reach goes.

    Attributes
    ----------
    late
        Open, not postponed, and past the deadline.
    due_soon
        Open, not postponed, and due within `DUE_SOON`.
    by_status
        Open incidents by status; those of no incident are absent.
    filed, closed
        Since the local midnight at which yesterday began.
    warned
        Open, not postponed, 80 % of the time used and the deadline still to come.
    """

    late: int
    due_soon: int
    open: int
    by_status: Mapping[str, int]
    filed: int
    closed: int
    warned: int = 0
    postponed: int = 0


@dataclass(frozen=True, slots=True)
class GridIncidents:
    """What happened in one unit grid in the last days.

    Attributes
    ----------
    late
        None for roles that see no incidents, only counts.
    daily
        Reports per local day, oldest first, a day a value, zeros included.
    median_days
        Median days from report to close of what was reported in the period and closed with a known
        time; None without any.
    by_category
        Category key to reports in the period.
    """

    grid_id: int
    open: int
    late: int | None
    closed: int
    days: tuple[dt.date, ...]
    daily: tuple[int, ...]
    median_days: float | None
    by_category: Mapping[str, int] = field(default_factory=dict)
