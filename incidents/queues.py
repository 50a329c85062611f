"""Queues of the incident list: those shipped per role, and the filters that somebody keeps under a name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import InvalidInput
from core.identity import Role
from core.words import one_line
from incidents.classes import MAJORS
from incidents.model import IncidentFilter

NAME_MOST = 40
OWN_MOST = 20
"""So many queues may somebody keep in a territory."""
STATUSES = ("reported", "filed", "dispatched", "handling", "checking", "closed", "void")
OPEN = STATUSES[:5]
NAMES = ("queue", "due", "status", "category", "days", "find", "grid", "community", "unit", "worker", "moved")
"""What the address of the list may ask, and so a kept queue: ``due`` is late, soon, 50 or 80."""
_VALUE_MOST = 200
_NUMBERS = ("grid", "community", "unit", "worker")
_DAYS_MOST = 3660


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of the list.

    Attributes
    ----------
    key
        What stands in the address: a word for a shipped one, its number for an own one.
    mark, mine
        As in `IncidentFilter`.
    ask
        What an own one asks beside, as the address would.
    """

    key: str
    en: str
    zh: str
    mark: str = ""
    mine: bool = False
    ask: Mapping[str, str] = field(default_factory=dict)

    @property
    def own(self) -> bool:
        """Return whether somebody keeps it for himself."""
        return self.key.isdecimal()


_WORKS = (Role.GRID_WORKER, Role.HANDLER)
_ALL = (Role.GRID_WORKER, Role.GRID_MANAGER, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR, Role.SYSTEM)
_CENTRES = (Role.DISPATCHER, Role.SUPERVISOR, Role.GRID_MANAGER, Role.AUDITOR, Role.SYSTEM)
SHIPPED: tuple[tuple[Queue, tuple[Role, ...]], ...] = (
    (Queue("mine-late", "Mine late", "我的超期", "late", mine=True), (*_WORKS, Role.GRID_MANAGER, Role.DISPATCHER)),
    (Queue("late", "Late", "超期", "late"), (Role.SUPERVISOR, Role.AUDITOR, Role.SYSTEM)),
    (Queue("to-send", "Waiting for dispatch", "待派遣", "unsent"), _CENTRES),
    (Queue("to-look", "To check", "待核查", "look"), (Role.GRID_WORKER,)),
    (
        Queue("to-check", "To check", "待核查", "to_check"),
        (Role.SUPERVISOR, Role.GRID_MANAGER, Role.AUDITOR, Role.SYSTEM),
    ),
    (Queue("asked-time", "Asked for more time", "申请延期", "asked_time"), _ALL),
    (Queue("urged", "Urged", "已督办", "urged"), _ALL),
    (Queue("postponed", "Postponed", "缓办", "postponed"), _ALL),
    (Queue("reopened", "Reopened", "重新打开", "reopened"), _ALL),
)
"""The queues every user of a role finds, in the order of the page."""


def shipped(role: Role) -> list[Queue]:
    """Return the shipped queues of a role."""
    return [queue for queue, roles in SHIPPED if role in roles]


def filter_of(queue: Queue, today: dt.date) -> IncidentFilter:
    """Return what a queue asks on a local day; what cannot be read asks nothing."""
    ask = queue.ask
    base = next((each for each, _ in SHIPPED if each.key == ask.get("queue")), queue)
    days = ask.get("days", "")
    first = today - dt.timedelta(days=int(days) - 1) if days.isdecimal() and 0 < int(days) <= _DAYS_MOST else None
    due = ask.get("due", "")
    asked = ask.get("status", "").split(",")
    moved = ask.get("moved", "")
    grid, community, unit, worker = (int(ask[name]) if ask.get(name, "").isdecimal() else None for name in _NUMBERS)
    return IncidentFilter(
        first_day=first,
        last_day=None if first is None else today,
        categories=tuple(key for key in MAJORS if key in ask.get("category", "").split(",")),
        statuses=tuple(key for key in STATUSES if key in asked or ("open" in asked and key in OPEN)),
        grid_id=grid,
        community_id=community,
        unit_id=unit,
        worker_id=worker,
        moved=moved if moved in {"filed", "closed"} else "",
        overdue=due == "late",
        due_soon=due == "soon",
        used=int(due) if due in {"50", "80"} else 0,
        text=ask.get("find", ""),
        mark=base.mark,
        mine=base.mine,
    )


def is_of_open(wanted: IncidentFilter) -> bool:
    """Return whether a filter finds open incidents only, so that it is counted at once."""
    only_open = bool(wanted.statuses) and set(wanted.statuses) <= set(OPEN)
    narrowed = wanted.overdue or wanted.due_soon or wanted.used or wanted.mark or only_open
    return bool(narrowed) and not wanted.moved and wanted.first_day is None and not wanted.text


def check_name(name: str) -> str:
    """Return the name of a queue as it is kept.

    Raises
    ------
    InvalidInput
        When it is empty, too long or holds signs that nobody sees.
    """
    words = one_line(name)
    if not 0 < len(words) <= NAME_MOST or not words.isprintable():
        raise InvalidInput(
            f"A queue needs a name of at most {NAME_MOST} characters.", zh=f"请填写队列名称，不超过 {NAME_MOST} 字。"
        )
    return words


def check_ask(ask: Mapping[str, str]) -> dict[str, str]:
    """Return what a queue asks as it is kept; raise `InvalidInput` for what no address of the list holds."""
    kept = {name: str(value) for name, value in ask.items() if value}
    wrong = [name for name, value in kept.items() if name not in NAMES or len(value) > _VALUE_MOST]
    if wrong or not kept:
        raise InvalidInput(
            "There is nothing to keep: no filter is set." if not kept else f"A queue cannot ask for {wrong[0]!r}.",
            hint="Set a filter first.",
            zh="没有可保存的筛选条件，请先设置筛选。" if not kept else f"队列不支持“{wrong[0]}”。",
        )
    return kept
