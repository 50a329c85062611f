"""Nouns of acting on incidents: a report to be taken in, what came of an act, who else changed it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import Conflict
from incidents.lifecycle import DONE_WORDS, STATUS_WORDS
from incidents.model import IncidentRow, TaskInfo


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A service that was called, or found not to be needed.

    Attributes
    ----------
    called_at
        When it was called; None says that there is no emergency.
    reference
        What the service gave back, e.g. the number of its case; never a person.
    """

    service: str
    called_at: dt.datetime | None
    reference: str = ""
    channel: str = "phone"


@dataclass(frozen=True, slots=True)
class NewReport:
    """What the desk took down.

    Attributes
    ----------
    class_key
        Kind and code of the shipped catalogue, e.g. ``event-04-03``.
    place
        Street or place; never a person.
    text, reporter, phone
        Personal: kept sealed.
    unit_id
        The unit the desk chose; None takes the one of the duty list.
    reported_at
        None means now.
    component_id
        The component it is about, one of the class; None when it is none or not known.
    duplicate_of
        The incident it is a duplicate of; None when it is a thing of its own.
    handed_over
        What became of the emergency at the desk, a service each; others wait to be handed over.
    source_system, external_ref
        The other system it came from, and its number there.
    """

    class_key: str
    lon: float
    lat: float
    place: str = ""
    text: str = ""
    reporter: str = ""
    phone: str = ""
    source: str = "hotline"
    unit_id: int | None = None
    reported_at: dt.datetime | None = None
    component_id: int | None = None
    duplicate_of: int | None = None
    handed_over: tuple[HandedOver, ...] = ()
    source_system: str = ""
    external_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by its names."""

    id: int
    code: str
    name: str
    name_zh: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a report would become: shown before it is sent.

    Attributes
    ----------
    unit
        Of the duty list for this class in this community; None when the list names nobody.
    legal_basis
        Why this unit; empty without one.
    """

    grid_id: int
    grid_code: str
    community_id: int
    community: str
    community_zh: str | None
    due_at: dt.datetime | None
    unit: Unit | None
    legal_basis: str
    whole_territory: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What an act left behind.

    Attributes
    ----------
    repeated
        The command had been applied before; this is its first answer.
    """

    incident_id: int
    number: str
    status: str
    version: int
    task_id: int | None = None
    repeated: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept with the command."""
        return {
            "incident_id": self.incident_id,
            "number": self.number,
            "status": self.status,
            "version": self.version,
            "task_id": self.task_id,
        }


@dataclass(frozen=True, slots=True)
class MyTask:
    """A live handle task with its incident."""

    incident: IncidentRow
    task: TaskInfo


@dataclass(frozen=True, slots=True)
class Change:
    """A change somebody else made: who, when (local), in which act, and the columns that differ."""

    by: str
    at: dt.datetime
    act: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def changed_meanwhile(number: str, changes: Sequence[Change], workers: Mapping[int, str]) -> Conflict:
    """Return the conflict in words: who changed what, when.

    Parameters
    ----------
    workers
        Worker id to staff number, for the ids in ``changes``.
    """
    if not changes:
        return Conflict(
            f"{number} was changed meanwhile.",
            hint="Load the page again and look at it anew.",
            zh=f"{number} 已被他人更改，请刷新页面后再看。",
        )
    english = "; ".join(
        f"{each.by} {_act(each, 0)} at {each.at:%H:%M} ({_differences(each, workers, 0)})" for each in changes
    )
    chinese = "；".join(
        f"{each.by} 于 {each.at:%H:%M} {_act(each, 1)}（{_differences(each, workers, 1)}）" for each in changes
    )
    conflict = Conflict(
        f"{number} was changed meanwhile: {english}.",
        hint="Your act was not applied. Look at it anew and decide again.",
        zh=f"{number} 已被他人更改：{chinese}。您的操作未执行，请查看后重新决定。",
    )
    conflict.by = tuple(each.by for each in changes)
    return conflict


def _act(change: Change, language: int) -> str:
    return DONE_WORDS.get(change.act, ("changed it", "更改"))[language]


def _differences(change: Change, workers: Mapping[int, str], language: int) -> str:
    parts = []
    for column, name in (("status", ("status", "状态")), ("worker_id", ("worker", "网格员"))):
        old, new = change.before.get(column), change.after.get(column)
        if old == new:
            continue
        if column == "status":
            shown = [STATUS_WORDS[str(value)][language] for value in (old, new)]
        else:
            nobody = ("nobody", "无")[language]
            shown = [nobody if value is None else workers.get(int(value), str(value)) for value in (old, new)]
        parts.append(f"{name[language]}: {shown[0]} → {shown[1]}")
    return ("; ", "；")[language].join(parts) or ("details", "其他字段")[language]
