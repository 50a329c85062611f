"""Nouns of incidents as pages and commands see them; no input or output here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.clock import WorkingCalendar
from geodata.record import RecordEntry
from incidents.deadlines import Limit, due_at

Cursor = tuple[dt.datetime, int]
"""Where a page of the list ends: report time and id of its last row."""
DUE_SOON = dt.timedelta(hours=2)
"""An open incident is due soon when its deadline comes within this time."""


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

    @property
    def is_open(self) -> bool:
        """Return whether somebody still has to act."""
        return self.status not in {"closed", "void"}

    def is_late(self, moment: dt.datetime) -> bool:
        """Return whether the incident is open and its deadline has passed at ``moment``."""
        return self.is_open and self.due_at is not None and self.due_at < moment

    def title(self, locale: str) -> str:
        """Return the name of the class in the language of ``locale``."""
        return self.class_zh if locale.startswith("zh") else self.class_en


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """A page of the list, newest report first; ``after`` asks for the next one, None at the end."""

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
    requests: tuple[ExtensionInfo, ...] = ()


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
        Open and past the deadline.
    due_soon
        Open and due within `DUE_SOON`.
    by_status
        Open incidents by status; those of no incident are absent.
    filed, closed
        Since the local midnight at which yesterday began.
    """

    late: int
    due_soon: int
    open: int
    by_status: Mapping[str, int]
    filed: int
    closed: int


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


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of bringing a file in: ``read`` = ``loaded`` + ``rejected`` + ``duplicates``.

    Attributes
    ----------
    duplicates
        Rows whose reference came earlier in the file or is in the database already.
    placed
        Rows whose point lies in a unit grid of the territory, duplicates included.
    reasons
        Reason of quarantine to rejected rows.
    columns
        Role to the heading it was read from.
    remarks
        What a person should know, as plain sentences.
    """

    read: int
    loaded: int
    rejected: int
    duplicates: int
    placed: int
    seconds: float
    reasons: Mapping[str, int]
    columns: Mapping[str, str]
    form: str
    remarks: Sequence[str]
