"""Use cases of units: the tree, one unit with all it holds, adding, changing, ending."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, DataQuality, InvalidInput, NotFound
from core.identity import Actor, May, Role, require
from core.words import one_line
from geodata.record import RecordEntry, history
from people import store_units as store
from people.unit_model import Holding, UnitRecord, UnitSpec, below, broken_rules, ring

CHANGEABLE = (
    "kind", "name", "name_zh", "parent", "contact", "contact_zh", "phone", "email", "address", "calendar",
    "valid_from",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitDetail:
    """A unit with what its page shows."""

    unit: UnitRecord
    parent: UnitRecord | None
    children: tuple[UnitRecord, ...]
    holding: Holding
    history: tuple[RecordEntry, ...]


def require_here(actor: Actor, capability: May, territory_id: int) -> None:
    """Return when the actor may in this territory, else raise as `require` does."""
    require(actor, capability)
    if actor.role is not Role.SYSTEM and actor.territory_id != territory_id:
        raise NotFound("This does not exist, or not in your area.")


def tree(session: Session, actor: Actor, territory_id: int, *, on: dt.date | None = None) -> list[UnitRecord]:
    """Return the units of the territory by code; those that exist ``on`` a day, or all when None."""
    require_here(actor, May.SEE_PEOPLE, territory_id)
    found = store.units(session, territory_id)
    return found if on is None else [unit for unit in found if unit.exists(on)]


def worker_counts(session: Session, actor: Actor, territory_id: int) -> dict[int, int]:
    """Return unit id to the number of its active workers."""
    require_here(actor, May.SEE_PEOPLE, territory_id)
    return store.worker_counts(session, territory_id)


def calendars(session: Session, actor: Actor) -> dict[str, tuple[str, str]]:
    """Return code to the English and the Chinese name of the working calendars."""
    require(actor, May.SEE_PEOPLE)
    return {code: (name_en, name_zh) for code, (_, name_en, name_zh) in store.calendars(session).items()}


def calendar_ids(session: Session) -> dict[str, int]:
    """Return code to id of the working calendars."""
    return {code: calendar_id for code, (calendar_id, _, _) in store.calendars(session).items()}


def detail(session: Session, actor: Actor, territory_id: int, which: int | str) -> UnitDetail:
    """Return a unit by its id or its code, with what hangs on it and its history.

    Raises
    ------
    NotFound
        When the territory has no such unit.
    """
    units = tree(session, actor, territory_id)
    unit = find(units, which)
    return UnitDetail(
        unit,
        next((each for each in units if each.id == unit.parent_id), None),
        tuple(each for each in units if each.parent_id == unit.id),
        store.holding(session, territory_id, unit.id, _today()),
        tuple(history(session, "unit", unit.id)),
    )


def find(units: Sequence[UnitRecord], which: int | str) -> UnitRecord:
    """Return the unit of an id or a code (in any case); raise `NotFound` naming codes that are near."""
    wanted = str(which).strip()
    for unit in units:
        if unit.code.casefold() == wanted.casefold() or (isinstance(which, int) and unit.id == which):
            return unit
    known = ", ".join(unit.code for unit in units[:30]) or "none"
    raise NotFound(f"There is no unit {wanted!r}.", hint=f"Known are: {known}.", zh=f"没有单位“{wanted}”。")


def add(session: Session, actor: Actor, territory_id: int, spec: UnitSpec) -> int:
    """Write a new unit and return its id.

    Raises
    ------
    DataQuality
        With every rule that its fields break.
    NotFound
        When the unit above or the calendar does not exist.
    Conflict
        When the code is taken.
    """
    require_here(actor, May.MANAGE_UNITS, territory_id)
    spec = tidy(spec)
    _check(spec)
    units = store.units(session, territory_id)
    taken = next((unit for unit in units if unit.code.casefold() == spec.code.casefold()), None)
    if taken is not None:
        raise Conflict(
            f"The code {taken.code} is that of {taken.spec.name}.",
            hint="Choose another code, or change that unit.",
            zh=f"编码 {taken.code} 已属于{taken.spec.name_zh or taken.spec.name}，请另选编码。",
        )
    with _in_words(spec):
        return store.add(session, territory_id, columns_of(session, units, spec))


def change(session: Session, actor: Actor, territory_id: int, unit_id: int, *, version: int, **given: Any) -> int:
    """Write the ``given`` fields of `CHANGEABLE` and return the new version; what is left out stays.

    Raises
    ------
    Conflict
        When somebody else changed the unit since ``version``; says who and what.
    InvalidInput
        When the unit would stand above itself.
    """
    require_here(actor, May.MANAGE_UNITS, territory_id)
    unknown = set(given) - set(CHANGEABLE)
    if unknown:
        raise InvalidInput(f"A unit's {', '.join(sorted(unknown))} cannot be changed.", hint=", ".join(CHANGEABLE))
    unit, units = _locked(session, territory_id, unit_id, version)
    spec = tidy(replace(unit.spec, **given))
    _check(spec)
    columns = columns_of(session, units, spec)
    changed = {name: value for name, value in columns.items() if value != stored(unit)[name]}
    if not changed:
        return unit.version
    if "parent_id" in changed:
        refuse_ring({each.code: each.spec.parent for each in units} | {spec.code: spec.parent})
    with _in_words(spec):
        return store.change(session, unit_id, changed)


def end(
    session: Session, actor: Actor, territory_id: int, unit_id: int, *, version: int, last_day: dt.date | None
) -> int:
    """Set the last day of a unit (None: it goes on) and return the new version.

    A day to come may be set while the unit still has work: until then it is handed over. From that day
    its duties count for nothing and the duty list shows the gaps.

    Raises
    ------
    Conflict
        When the day has come and the unit still has tasks, incidents, workers, units or duties: says how many.
    InvalidInput
        When the day lies before the unit's first.
    """
    require_here(actor, May.MANAGE_UNITS, territory_id)
    unit, _ = _locked(session, territory_id, unit_id, version)
    _check(replace(unit.spec, valid_to=last_day))
    if last_day is not None and last_day <= _today():
        left = store.holding(session, territory_id, unit_id, last_day)
        if left.anything:
            raise Conflict(
                f"{unit.spec.name} cannot end: it still has {_english(left)}.",
                hint="Hand them over first, or give a last day in the future and do it until then.",
                zh=f"{unit.spec.name_zh or unit.spec.name}还不能撤销：尚有{_chinese(left)}。"
                "请先移交，或填写将来的截止日，在此之前完成移交。",
            )
    return store.change(session, unit_id, {"valid_to": last_day})


def may_be_parent(units: Sequence[UnitRecord], unit_id: int | None) -> list[UnitRecord]:
    """Return the units that may stand above a unit (None: a new one): not itself and none below it."""
    out = below(units, unit_id) if unit_id is not None else set()
    return [unit for unit in units if unit.id not in out]


def tidy(spec: UnitSpec) -> UnitSpec:
    """Return the spec with spaces put right and empty texts as None."""
    texts: dict[str, Any] = {
        name: one_line(value) or None
        for name in ("name_zh", "parent", "contact", "contact_zh", "phone", "email", "address", "calendar")
        if (value := getattr(spec, name)) is not None
    }
    return replace(spec, code=spec.code.strip(), kind=spec.kind.strip(), name=one_line(spec.name), **texts)


def stored(unit: UnitRecord) -> dict[str, Any]:
    """Return the columns of a unit as they are."""
    fields = {name: getattr(unit.spec, name) for name in store.FIELDS}
    return {**fields, "parent_id": unit.parent_id, "calendar_id": unit.calendar_id}


def columns_of(session: Session, units: Sequence[UnitRecord], spec: UnitSpec) -> dict[str, Any]:
    """Return the columns of a spec, its parent and calendar looked up."""
    fields = {name: getattr(spec, name) for name in store.FIELDS}
    known = store.calendars(session)
    if spec.calendar is not None and spec.calendar not in known:
        raise NotFound(
            f"There is no calendar {spec.calendar!r}.",
            hint=f"Known are: {', '.join(known) or 'none'}.",
            zh=f"没有工作日历“{spec.calendar}”。",
        )
    parent = None if spec.parent is None else find(units, spec.parent)
    calendar_id = None if spec.calendar is None else known[spec.calendar][0]
    return {**fields, "parent_id": None if parent is None else parent.id, "calendar_id": calendar_id}


def refuse_ring(parents: Mapping[str, str | None]) -> None:
    """Raise `InvalidInput` naming the ring when the units are no tree."""
    found = ring(parents)
    if found:
        way = " → ".join([*found, found[0]])
        raise InvalidInput(
            f"These units would stand above themselves: {way}.",
            hint="Choose a unit above that is not below.",
            zh=f"上下级关系成环：{way}。请另选上级单位。",
        )


def changed_since(session: Session, table: str, subject_id: int, version: int) -> str:
    """Return who changed which columns of a row since ``version``, e.g. "supervisor changed name, phone"."""
    later = [
        entry
        for entry in history(session, table, subject_id)
        if entry.action == "update" and (entry.changes.get("version", (0, 0))[1] or 0) > version
    ]
    columns = sorted({name for entry in later for name in entry.changes} - {"version"})
    who = ", ".join(dict.fromkeys(entry.actor_label for entry in later))
    return f"{who} changed {', '.join(columns)}" if later else "somebody changed it"


def _locked(session: Session, territory_id: int, unit_id: int, version: int) -> tuple[UnitRecord, list[UnitRecord]]:
    current = store.lock(session, territory_id, unit_id)
    units = store.units(session, territory_id)
    unit = find(units, unit_id)
    if current != version:
        raise Conflict(
            f"{unit.spec.name} was changed meanwhile: {changed_since(session, 'unit', unit_id, version)}.",
            hint="Look at it again, then change what is still to be changed.",
            zh=f"{unit.spec.name_zh or unit.spec.name}刚被他人修改，请重新查看后再改。",
        )
    return unit, units


def _check(spec: UnitSpec) -> None:
    found = broken_rules(spec)
    if found:
        raise DataQuality(f"The unit {spec.code or '(no code)'} breaks rules:", found)


@contextmanager
def _in_words(spec: UnitSpec) -> Iterator[None]:
    """Say what the database refuses, as happens when two act at the same moment."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if name == "ck_unit_tree":
            raise InvalidInput(
                f"{spec.code} would stand above itself.",
                hint="Choose a unit above that is not below.",
                zh=f"{spec.code} 会成为自己的上级，请另选上级单位。",
            ) from error
        if name == "uq_unit_territory_id_code":
            raise Conflict(f"The code {spec.code} was just taken.", hint="Choose another code.") from error
        raise


def _today() -> dt.date:
    return now().date()


def _english(left: Holding) -> str:
    words = {
        "tasks": ("open task", "open tasks"),
        "incidents": ("open incident", "open incidents"),
        "workers": ("worker", "workers"),
        "children": ("unit below it", "units below it"),
        "duties": ("entry of the duty list", "entries of the duty list"),
        "accounts": ("account", "accounts"),
    }
    parts = [
        f"{count:,} {one if count == 1 else many}"
        for name, (one, many) in words.items()
        if (count := getattr(left, name))
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _chinese(left: Holding) -> str:
    words = {
        "tasks": "项未完成任务",
        "incidents": "件未结案件",
        "workers": "名网格员",
        "children": "个下级单位",
        "duties": "条权责清单条目",
        "accounts": "个账户",
    }
    return "、".join(f"{getattr(left, name):,} {unit}" for name, unit in words.items() if getattr(left, name))
