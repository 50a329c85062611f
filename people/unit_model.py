"""What a unit is and what it may be: kinds, contact, dates, the tree; no input or output here."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

KINDS = ("centre", "department", "company", "street_office", "team", "partner")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{2,24}(,? ?(ext|转|x)\.? ?[0-9]{1,6})?")
NAME_MOST, TEXT_MOST = 80, 200


class Violation(str):
    """A broken rule in one English sentence, with the same in Chinese."""

    __slots__ = ("zh",)
    zh: str

    def __new__(cls, english: str, zh: str) -> Self:
        """Make one from the two sentences."""
        made = super().__new__(cls, english)
        made.zh = zh
        return made


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """What a unit is to be; ``parent`` and ``calendar`` are codes.

    Attributes
    ----------
    contact
        The function to ask for, never a person's name; phone, e-mail and address are the office's.
    valid_to
        Last day, included; None while it goes on.
    """

    code: str
    kind: str
    name: str
    valid_from: dt.date
    name_zh: str | None = None
    parent: str | None = None
    contact: str | None = None
    contact_zh: str | None = None
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    calendar: str | None = None
    valid_to: dt.date | None = None


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A unit as stored."""

    id: int
    version: int
    spec: UnitSpec
    parent_id: int | None
    calendar_id: int | None
    calendar_en: str | None = None
    calendar_zh: str | None = None

    @property
    def code(self) -> str:
        """Return the code."""
        return self.spec.code

    def exists(self, day: dt.date) -> bool:
        """Return whether the unit exists on a day."""
        return self.spec.valid_from <= day and (self.spec.valid_to is None or day <= self.spec.valid_to)


@dataclass(frozen=True, slots=True)
class Holding:
    """What a unit still has after a day; it is to be empty before the unit ends.

    Attributes
    ----------
    accounts
        Handlers that work for it, as far as the asker sees accounts.
    """

    tasks: int = 0
    incidents: int = 0
    workers: int = 0
    children: int = 0
    duties: int = 0
    accounts: int = 0

    @property
    def anything(self) -> bool:
        """Return whether something is left."""
        return self != Holding()


def broken_rules(spec: UnitSpec) -> list[Violation]:
    """Return every rule that the fields of one unit break by themselves."""
    found = []

    def rule(kept: bool, english: str, zh: str) -> None:
        if not kept:
            found.append(Violation(english, zh))

    rule(
        bool(CODE.fullmatch(spec.code)),
        f"the code {spec.code!r} is not 1 to 20 letters, digits, - or _",
        f"编码“{spec.code}”应为 1 至 20 位字母、数字、- 或 _",
    )
    rule(
        spec.kind in KINDS,
        f"there is no kind of unit {spec.kind!r}; known are {', '.join(KINDS)}",
        f"没有单位类型“{spec.kind}”，可用：{'、'.join(KINDS)}",
    )
    rule(bool(spec.name.strip()), "the name is empty", "名称为空")
    rule(spec.parent != spec.code, f"{spec.code} cannot stand above itself", f"{spec.code} 不能是自己的上级")
    for value, most in (
        (spec.name, NAME_MOST), (spec.name_zh, NAME_MOST), (spec.contact, NAME_MOST), (spec.contact_zh, NAME_MOST),
        (spec.address, TEXT_MOST),
    ):  # fmt: skip
        rule(
            len(value or "") <= most,
            f"{(value or '')[:20]!r}… has more than {most} characters",
            f"“{(value or '')[:20]}…”超过 {most} 个字符",
        )
    rule(
        not spec.email or bool(EMAIL.fullmatch(spec.email)),
        f"{spec.email!r} is no e-mail address",
        f"“{spec.email}”不是电子邮箱地址",
    )
    rule(
        not spec.phone or bool(PHONE.fullmatch(spec.phone)),
        f"{spec.phone!r} is no phone number",
        f"“{spec.phone}”不是电话号码",
    )
    rule(
        spec.valid_to is None or spec.valid_to >= spec.valid_from,
        f"the last day {spec.valid_to} is before the first, {spec.valid_from}",
        f"截止日 {spec.valid_to} 早于起始日 {spec.valid_from}",
    )
    return found


def ring(parents: Mapping[str, str | None]) -> list[str]:
    """Return the codes of one ring of units in the order from below to above; empty when there is none."""
    safe: set[str] = set()
    for start in parents:
        path: list[str] = []
        up: str | None = start
        while up is not None and up not in safe:
            if up in path:
                return path[path.index(up) :]
            path.append(up)
            up = parents.get(up)
        safe.update(path)
    return []


def below(units: Sequence[UnitRecord], unit_id: int) -> set[int]:
    """Return the ids of a unit and of all units under it."""
    children = defaultdict(list)
    for unit in units:
        children[unit.parent_id].append(unit.id)
    found, waiting = set(), [unit_id]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += children[one]
    return found


def arranged(
    units: Sequence[UnitRecord], *, key: Callable[[UnitRecord], tuple[int, str]] | None = None
) -> list[tuple[int, UnitRecord]]:
    """Return the units as a tree is read, each with its depth; one whose parent is not among them is a root."""

    def by_kind(unit: UnitRecord) -> tuple[int, str]:
        return (KINDS.index(unit.spec.kind) if unit.spec.kind in KINDS else len(KINDS), unit.code)

    order = key or by_kind
    there = {unit.id for unit in units}
    children: dict[int | None, list[UnitRecord]] = defaultdict(list)
    for unit in sorted(units, key=order):
        children[unit.parent_id if unit.parent_id in there else None].append(unit)
    found: list[tuple[int, UnitRecord]] = []
    waiting = [(0, unit) for unit in reversed(children[None])]
    while waiting:
        depth, unit = waiting.pop()
        found.append((depth, unit))
        waiting += [(depth + 1, child) for child in reversed(children[unit.id])]
    return found
