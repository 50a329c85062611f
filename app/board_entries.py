"""What stands in the queue of the board: the standing plan and what is known of each incident, in one list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispatch.model import Board, QueueRow
from dispatch.standing_model import PlanRow, StandingPlan, Unserved

CHANGES = frozenset({"new", "moved", "retimed"})


class Group(StrEnum):
    """Where an incident stands between being proposed and being done."""

    NEEDS = "needs"
    SAFE = "safe"
    RUNNING = "running"
    UNSERVED = "unserved"
    WAITS = "waits"


class Which(StrEnum):
    """What the queue shows."""

    NEEDS = "needs"
    SAFE = "safe"
    RUNNING = "running"
    UNSERVED = "unserved"
    ALL = "all"


_SHOWN = {
    Which.NEEDS: {Group.NEEDS, Group.UNSERVED},
    Which.SAFE: {Group.SAFE},
    Which.RUNNING: {Group.RUNNING},
    Which.UNSERVED: {Group.UNSERVED, Group.WAITS},
    Which.ALL: set(Group),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An incident of the queue.

    Attributes
    ----------
    row, unserved
        What the standing plan says; both None where it knows nothing of the incident.
    queue
        The incident as it is now; None for a task that is neither sent out nor handled, such as one on site.
    settled
        What the plan proposes was published since, or somebody decided otherwise.
    off_shift
        Who has it is not on shift, and the plan sends nobody else.
    unanswered
        Who was sent does not answer, and the shift leader was told.
    along
        Rows of the plan of who comes along.
    calls
        Somebody of them is to be told yet, or told another time.
    """

    incident_id: int
    group: Group
    due_at: dt.datetime | None
    emergency: bool
    row: PlanRow | None = None
    unserved: Unserved | None = None
    queue: QueueRow | None = None
    settled: bool = False
    off_shift: bool = False
    unanswered: bool = False
    along: tuple[PlanRow, ...] = ()
    calls: bool = False

    @property
    def change(self) -> str:
        """Return what the plan changes against what runs now; empty where it says nothing of it."""
        if self.row is None:
            return ""
        return "kept" if self.settled else self.row.change

    @property
    def elsewhere(self) -> bool:
        """Return whether somebody else has it now than the plan says, because that was decided since."""
        if not self.settled or self.queue is None or self.row is None or self.row.kind != "handle":
            return False
        return self.queue.worker_id != self.row.worker_id

    @property
    def number(self) -> str:
        """Return the number of the incident."""
        known = self.queue or self.row or self.unserved
        return known.number if known is not None else ""

    def title(self, locale: str) -> str:
        """Return the name of the class."""
        known = self.queue or self.row or self.unserved
        return known.title(locale) if known is not None else ""

    @property
    def at(self) -> tuple[float, float] | None:
        """Return longitude and latitude."""
        known = self.queue or self.row or self.unserved
        return None if known is None else (known.lon, known.lat)


def entries(board: Board, plan: StandingPlan | None, on_shift: Collection[int] | None = None) -> tuple[Entry, ...]:
    """Return all that is open, emergencies first, then by deadline; each incident once.

    What the plan does not know stands there too: it was filed after the plan, or a unit without a worker has it.

    Parameters
    ----------
    on_shift
        Workers who are; None where that is not asked.
    """
    rows = {row.id: row for row in (*board.to_send, *board.not_begun, *board.begun)}
    found: dict[int, Entry] = {}
    company = _company(plan)
    for row in plan.rows if plan else ():
        if row.incident_id in found and row.kind != "handle":
            continue
        known = rows.get(row.incident_id)
        done = _settled(row, known, board.times)
        group = Group.RUNNING if done else group_of(row)
        along = tuple(company.get(row.incident_id, ()))
        calls = [each for each in along if each.change in CHANGES and not _settled(each, known, board.times)]
        group = _with_company(group, calls)
        found[row.incident_id] = Entry(
            row.incident_id, group, row.due_at, row.emergency, row=row, queue=known, settled=done,
            along=along, calls=bool(calls),
        )  # fmt: skip
    for left in plan.unserved if plan else ():
        if left.incident_id not in found:
            known = rows.get(left.incident_id)
            off = _off_shift(known, on_shift)
            group = Group.NEEDS if off else Group.UNSERVED
            found[left.incident_id] = Entry(
                left.incident_id, group, left.due_at, left.emergency, unserved=left, queue=known, off_shift=off
            )
    waits = {row.id for row in board.to_send}
    for known in rows.values():
        if known.id not in found:
            off = _off_shift(known, on_shift)
            group = Group.WAITS if known.id in waits else Group.RUNNING
            if off and plan is not None:
                group = Group.NEEDS
            found[known.id] = Entry(known.id, group, known.due_at, known.emergency, queue=known, off_shift=off)
    return tuple(sorted(found.values(), key=_order))


def _company(plan: StandingPlan | None) -> dict[int, list[PlanRow]]:
    """Return incident to the rows of those who come along."""
    found: dict[int, list[PlanRow]] = {}
    for row in plan.rows if plan else ():
        if row.kind == "help":
            found.setdefault(row.incident_id, []).append(row)
    return found


def _with_company(group: Group, calls: Sequence[PlanRow]) -> Group:
    """Return where an incident stands when somebody is to be told to come along."""
    if not calls or group not in {Group.RUNNING, Group.SAFE}:
        return group
    return Group.SAFE if all(each.safe for each in calls) else Group.NEEDS


def group_of(row: PlanRow) -> Group:
    """Return where a row of the plan stands."""
    if not row.safe:
        return Group.NEEDS
    return Group.SAFE if row.change in CHANGES else Group.RUNNING


def _settled(row: PlanRow, known: QueueRow | None, times: Mapping[int, dt.datetime]) -> bool:
    """Return whether what a row proposes is so already, or was decided otherwise since the plan was made."""
    if row.change == "retimed":
        return times.get(row.task_id or 0) == row.start_at
    if row.kind == "help" and row.change == "new":
        return known is None or row.worker_code in (known.along or ())
    if row.kind != "handle" or row.change not in CHANGES:
        return False
    if row.change == "new":
        return known is None or known.status != "filed"
    return known is None or known.worker_id != row.was_worker_id


def _off_shift(known: QueueRow | None, on_shift: Collection[int] | None) -> bool:
    return (
        on_shift is not None and known is not None and known.worker_id is not None and known.worker_id not in on_shift
    )


def shown(found: Sequence[Entry], which: Which, text: str) -> tuple[Entry, ...]:
    """Return the entries of a filter in which every word of a search stands."""
    groups, wanted = _SHOWN[which], text.casefold().split()
    return tuple(entry for entry in found if entry.group in groups and all(word in _searched(entry) for word in wanted))


def counts(found: Sequence[Entry]) -> dict[Which, int]:
    """Return how many each filter shows."""
    return {which: sum(entry.group in groups for entry in found) for which, groups in _SHOWN.items()}


def safe_ids(found: Sequence[Entry]) -> tuple[int, ...]:
    """Return the incidents that may be published without a look."""
    return tuple(entry.incident_id for entry in found if entry.group is Group.SAFE)


def _searched(entry: Entry) -> str:
    known, row = entry.queue, entry.row
    parts = [entry.number, entry.title("en"), entry.title("zh"), row.worker_code if row else ""]
    if known is not None:
        parts += [known.place, known.community, known.community_zh or "", known.worker_code or "", known.unit or ""]
    return " ".join(parts).casefold()


def _order(entry: Entry) -> tuple[bool, bool, float, int]:
    due = entry.due_at.timestamp() if entry.due_at else 0.0
    return (not entry.emergency, entry.due_at is None, due, entry.incident_id)
