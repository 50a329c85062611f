"""The facts that the guards of the lifecycle look at, from locked rows or from what a page shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from incidents.lifecycle_guards import OWN_SOURCES, SIMPLE_FROM, Facts, LiveTask
from incidents.model import Side
from incidents.store.acts import LIVE


class _Task(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def joint(self) -> bool: ...
    @property
    def unit_id(self) -> int | None: ...
    @property
    def worker_id(self) -> int | None: ...
    @property
    def assigned_by(self) -> int | None: ...
    @property
    def handled_by(self) -> Sequence[int]: ...


class _Incident(Protocol):
    @property
    def status(self) -> str: ...
    @property
    def emergency(self) -> bool: ...
    @property
    def source(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def closed_at(self) -> dt.datetime | None: ...


def facts(incident: _Incident, tasks: Sequence[_Task], side: Side, at: dt.datetime) -> Facts:
    """Return what the guards look at."""
    handle = [task for task in tasks if task.kind == "handle"]
    live = [task for task in handle if task.state in LIVE]
    simple = incident.source in OWN_SOURCES and not incident.emergency and incident.priority >= SIMPLE_FROM
    simple = simple and side.followed.simple and side.followed.reporters <= {side.reported_by}
    return Facts(
        incident.status,
        next((_live(task) for task in live if not task.joint), None),
        frozenset(task.assigned_by for task in handle) | side.followed.sent_by,
        helpers=tuple(_live(task) for task in live if task.joint),
        handled_by=frozenset(user for task in handle for user in task.handled_by)
        | side.followed.handled_by
        | side.shown_by,
        handling_workers=frozenset(
            task.worker_id for task in handle if task.state == "done" and task.worker_id is not None
        )
        | side.followed.workers,
        verify=_look(tasks, "verify"),
        check=_look(tasks, "check"),
        asked_by=frozenset(each.asked_by for each in side.requests if each.state == "waiting"),
        emergency=incident.emergency,
        postponed=side.postponed_until is not None and side.postponed_until > at,
        closed_days=None if incident.closed_at is None else (at - incident.closed_at) / dt.timedelta(days=1),
        own_find=side.reported_by if simple and not handle else None,
        unsampled=side.self_handled and side.sampled_by is None,
        closed_by=side.closed_by,
        lacking=side.lacking,
        duplicate=side.duplicate_of is not None,
    )


def _live(task: _Task) -> LiveTask:
    return LiveTask(task.unit_id, task.worker_id, task.state)


def _look(tasks: Sequence[_Task], kind: str) -> LiveTask | None:
    return next((_live(task) for task in tasks if task.kind == kind and task.state in LIVE), None)
