"""Nouns of the staff list: workers as they are kept, what is typed in, absences; no input or output here."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from core.errors import InvalidInput

LANGUAGES = ("en", "zh")
ABSENCE_KINDS = ("leave", "sick", "training", "other")
CODE_RULE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,15}")
LABEL_SEPARATORS = re.compile(r"[;,、，；\n]+")
LONGEST_ABSENCE_DAYS = 731
CODE_LETTERS, NAME_LETTERS, LABEL_LETTERS, LABELS = 16, 60, 40, 30
FIRST_CODE = "W001"
AHEAD = dt.timedelta(days=366)
"""How far coming absences are looked for."""


@dataclass(frozen=True, slots=True)
class Away:
    """Days of a worker without work, both included, as everybody may know them: not why."""

    worker_id: int
    deputy_id: int | None
    from_on: dt.date
    to_on: dt.date

    def covers(self, day: dt.date) -> bool:
        """Return whether ``day`` is one of them."""
        return self.from_on <= day <= self.to_on


@dataclass(frozen=True, slots=True)
class AbsenceRow:
    """An absence with its reason, for those who manage the worker."""

    id: int
    worker_id: int
    deputy_id: int | None
    deputy_code: str | None
    kind: str
    from_on: dt.date
    to_on: dt.date
    version: int


@dataclass(frozen=True, slots=True)
class GridRef:
    """A responsibility grid: what to call it, a cell to open the map at, who looks after it."""

    id: int
    code: str
    name: str
    name_zh: str | None
    cell_id: int | None
    community_ids: tuple[int, ...] = ()
    worker_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A worker in the staff list.

    Attributes
    ----------
    name
        None for those who may not see it, where none was given, and after erasure.
    person
        ``named``, ``none`` or ``erased``; ``hidden`` for those who see staff numbers only.
    away
        The absence of today, None when he is here.
    tasks
        Live tasks of his own.
    """

    id: int
    code: str
    version: int
    unit_id: int
    unit_code: str
    unit_name: str
    unit_name_zh: str | None
    grid: GridRef | None
    language: str
    skills: tuple[str, ...]
    equipment: tuple[str, ...]
    employed_from: dt.date | None
    employed_to: dt.date | None
    active: bool
    name: str | None = None
    person: str = "none"
    away: Away | None = None
    tasks: int = 0

    @property
    def state(self) -> str:
        """Return ``left``, ``away`` or ``here``."""
        return "left" if not self.active else "away" if self.away else "here"

    def fields(self) -> WorkerFields:
        """Return what is kept in the open, as if it were typed in again; name and phone stay."""
        return WorkerFields(
            code=self.code,
            unit_id=self.unit_id,
            grid_id=self.grid.id if self.grid else None,
            language=self.language,
            skills=self.skills,
            equipment=self.equipment,
            employed_from=self.employed_from,
        )

    def label(self) -> str:
        """Return staff number and name, as far as it may be seen."""
        return f"{self.code} {self.name}" if self.name else self.code


@dataclass(frozen=True, slots=True)
class StaffDetail:
    """One worker with all that the reader may see of him."""

    row: StaffRow
    phone: str | None
    absences: tuple[AbsenceRow, ...]
    coming: tuple[Away, ...]
    stands_in: tuple[Away, ...]
    login: str | None
    may_change: bool
    sees_why: bool


@dataclass(frozen=True, slots=True)
class StaffFilter:
    """What narrows the staff list; empty fields narrow nothing."""

    unit_id: int | None = None
    grid_id: int | None = None
    skill: str = ""
    state: str = ""
    text: str = ""

    def takes(self, row: StaffRow) -> bool:
        """Return whether the worker fits all but the text; who has left is shown only when asked for."""
        if self.state == "no_grid":
            fits = row.active and row.grid is None
        elif self.state:
            fits = row.state == self.state
        else:
            fits = row.active
        return (
            fits
            and (self.unit_id is None or row.unit_id == self.unit_id)
            and (self.grid_id is None or (row.grid is not None and row.grid.id == self.grid_id))
            and (not self.skill or self.skill in row.skills)
        )


@dataclass(frozen=True, slots=True)
class WorkerFields:
    """What is kept of a worker, as it was typed in; `clean` puts it in order.

    Attributes
    ----------
    name, phone
        None leaves what is kept; the empty phone takes the kept one away.
    grid_id
        Responsibility grid; None for who looks after none.
    """

    code: str
    unit_id: int
    name: str | None = None
    phone: str | None = None
    grid_id: int | None = None
    language: str = LANGUAGES[0]
    skills: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    employed_from: dt.date | None = None

    def clean(self) -> WorkerFields:
        """Return the fields in their kept form.

        Raises
        ------
        InvalidInput
            At the first that cannot be kept, in words.
        """
        if self.language not in LANGUAGES:
            raise InvalidInput(f"There is no language {self.language!r}.", hint="Known are en and zh.")
        return WorkerFields(
            code=clean_code(self.code),
            unit_id=self.unit_id,
            name=None if self.name is None else clean_name(self.name),
            phone=None if self.phone is None else clean_phone(self.phone),
            grid_id=self.grid_id,
            language=self.language,
            skills=clean_labels(self.skills),
            equipment=clean_labels(self.equipment),
            employed_from=self.employed_from,
        )


def clean_code(given: str) -> str:
    """Return a staff number in its kept form: half-width capitals."""
    code = unicodedata.normalize("NFKC", given).strip().upper()
    if not CODE_RULE.fullmatch(code):
        raise InvalidInput(
            f"{given.strip()[:20]!r} cannot be a staff number.",
            hint="Up to 16 letters, digits and hyphens, beginning with a letter or digit, e.g. W012.",
            zh="工号无效。最多 16 个字母、数字或连字符，以字母或数字开头，例如 W012。",
        )
    return code


def clean_name(given: str) -> str:
    """Return a name with single spaces and nothing invisible in it."""
    visible = "".join(sign for sign in unicodedata.normalize("NFC", given) if sign.isspace() or sign.isprintable())
    name = " ".join(visible.split())
    if not name:
        raise InvalidInput(
            "A worker needs a name.",
            hint="It is kept sealed and shown only to those who may see it.",
            zh="网格员须有姓名。姓名加密保存，仅对有权限的人员显示。",
        )
    if len(name) > NAME_LETTERS:
        raise InvalidInput(
            f"The name has more than {NAME_LETTERS} letters.",
            hint="Shorten it.",
            zh=f"姓名超过 {NAME_LETTERS} 个字符。",
        )
    return name


def clean_phone(given: str) -> str:
    """Return a phone number in half-width signs with single spaces; the empty string for none."""
    phone = " ".join(unicodedata.normalize("NFKC", given).split())
    if not phone:
        return ""
    digits = sum(sign.isdecimal() for sign in phone)
    if not re.fullmatch(r"\+?[0-9 ()./-]+", phone) or not 5 <= digits <= 15:
        raise InvalidInput(
            "This cannot be a phone number.",
            hint="5 to 15 digits, with spaces, brackets or hyphens if you like.",
            zh="这不是有效的电话号码。应为 5 至 15 位数字，可含空格、括号或连字符。",
        )
    return phone


def clean_labels(given: Iterable[str]) -> tuple[str, ...]:
    """Return skills or pieces of equipment, each once, in order; a list in one text is taken apart."""
    kept: dict[str, str] = {}
    for text in given:
        for part in LABEL_SEPARATORS.split(unicodedata.normalize("NFC", text)):
            label = " ".join("".join(sign for sign in part if sign.isspace() or sign.isprintable()).split())
            if len(label) > LABEL_LETTERS:
                raise InvalidInput(f"{label[:20]!r}… has more than {LABEL_LETTERS} letters.", hint="Shorten it.")
            if label:
                kept.setdefault(label.casefold(), label)
    if len(kept) > LABELS:
        raise InvalidInput(f"More than {LABELS} skills or pieces of equipment.", hint="Leave some out.")
    return tuple(kept[key] for key in sorted(kept))


def next_code(known: Collection[str]) -> str:
    """Return a staff number that nobody has: one after the highest of the commonest kind."""
    parsed = [match for code in known if (match := re.fullmatch(r"(.*?)([0-9]{1,9})", code))]
    if not parsed:
        return FIRST_CODE
    prefix = Counter(match[1] for match in parsed).most_common(1)[0][0]
    numbers = [match[2] for match in parsed if match[1] == prefix]
    width = Counter(map(len, numbers)).most_common(1)[0][0]
    return f"{prefix}{max(map(int, numbers)) + 1:0{width}d}"


def check_days(from_on: dt.date, to_on: dt.date) -> None:
    """Raise `InvalidInput` unless the days are in order and not too many."""
    if to_on < from_on:
        raise InvalidInput(
            f"The last day {to_on:%d %b %Y} is before the first, {from_on:%d %b %Y}.",
            zh=f"末日 {to_on:%Y-%m-%d} 早于首日 {from_on:%Y-%m-%d}。",
        )
    if (to_on - from_on).days >= LONGEST_ABSENCE_DAYS:
        raise InvalidInput("An absence is two years at most.", hint="End the employment instead.")


def overlapping(absences: Iterable[Away | AbsenceRow], from_on: dt.date, to_on: dt.date) -> Away | AbsenceRow | None:
    """Return the first of the absences that shares a day with ``from_on`` to ``to_on``; None when none does."""
    shared = [each for each in absences if each.from_on <= to_on and each.to_on >= from_on]
    return min(shared, key=lambda each: each.from_on, default=None)


def labels_of(rows: Sequence[StaffRow], name: str) -> list[str]:
    """Return the skills or the equipment that occur, the commonest first, for suggestions."""
    counted = Counter(label for row in rows for label in getattr(row, name))
    return [label for label, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
