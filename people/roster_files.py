"""Rosters in files: rows of worker, day, start and end, or worker, day and pattern; every fault named."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from geodata.files import Table
from people.roster import NONE, Assignment, DayException, Pattern, Plan, Roster, Step, check_shift
from people.roster_change import Change, clock, day_problem, give_pattern, parse_clock
from people.worker_files import neutral

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "worker": ("worker", "staff number", "code", "工号", "网格员", "网格员工号"),
    "day": ("day", "date", "from", "日期", "起始日期"),
    "start": ("start", "begin", "start time", "开始", "上班", "开始时间"),
    "end": ("end", "finish", "end time", "结束", "下班", "结束时间"),
    "break": ("break", "break min", "休息", "休息分钟"),
    "pattern": ("pattern", "班制", "排班模式", "班次"),
}
COLUMNS = tuple(HEADINGS)
FREE = frozenset({"free", "off", "休", "休息"})
PROBLEMS = {
    "no_worker": "Row {row}: there is no worker with the staff number {value} in your reach.",
    "no_day": "Row {row}: {value} is no day; write 2026-03-31.",
    "no_time": "Row {row}: {value} is no time of day; write 06:00, or 06:00+1 for the next day.",
    "one_time": "Row {row}: start and end belong together.",
    "bad_shift": "Row {row}: {value}",
    "bad_break": "Row {row}: {value} is no number of minutes for the break.",
    "no_pattern": "Row {row}: there is no pattern {value}.",
    "both": "Row {row}: give either hours or a pattern.",
    "nothing": "Row {row}: neither hours nor a pattern; write free for a free day.",
    "twice": "Row {row}: {value} stands twice for this worker.",
    "overlap": "Row {row}: {value}",
    "employment": "Row {row}: the worker is not employed on {value}.",
    "away": "Row {row}: the worker is away on {value}.",
}
"""What can be wrong with a row, in words; a page translates them."""
MOST_ROWS = 50_000
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a row (counted as a spreadsheet does, the heading being row 1)."""

    row: int
    kind: str
    value: str = ""
    hint: str = ""

    def words(self) -> str:
        """Return the fault as an English sentence."""
        return PROBLEMS[self.kind].format(row=self.row, value=f"{self.value} {self.hint}".strip())


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file would change, how many rows say what holds already, and what is wrong with it."""

    rows: int
    change: Change
    unchanged: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    worker_id: int
    day: dt.date
    pattern: Pattern | None
    hours: tuple[int, int, int] | None


def columns_of(table: Table) -> dict[str, Sequence[str]]:
    """Return the columns of a file by our own names.

    Raises
    ------
    InvalidInput
        When a heading that is needed is not there; names the ones that are.
    """
    given = {" ".join(str(name).replace("_", " ").split()).lower(): name for name in table.columns}
    found: dict[str, Sequence[str]] = {
        key: list(table.columns[given[name]]) for key, names in HEADINGS.items() for name in names if name in given
    }
    missing = [key for key in ("worker", "day") if key not in found]
    if "pattern" not in found and not {"start", "end"} <= set(found):
        missing.append("start and end, or pattern")
    if missing:
        raise InvalidInput(
            f"The file has no column {', '.join(missing)}; it has {', '.join(map(str, table.columns)) or 'none'}.",
            hint="The first row holds the headings worker, day, start, end, break, pattern"
            " (工号、日期、开始、结束、休息、班制).",
        )
    if len(table) > MOST_ROWS:
        raise InvalidInput(f"The file has {len(table):,} rows; {MOST_ROWS:,} are read at once.", hint="Split it.")
    return found


def days_in(columns: Mapping[str, Sequence[str]]) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day the rows speak of; None when none can be read."""
    days = [day for cell in columns["day"] if (day := parse_day(cell)) is not None]
    return (min(days), max(days)) if days else None


def read_rows(columns: Mapping[str, Sequence[str]], codes: Mapping[str, int], plan: Plan, roster: Roster) -> Reading:
    """Return what the rows of a file would change in a plan.

    Parameters
    ----------
    codes
        Staff numbers in the actor's reach to workers.
    roster
        Of the plan, over all days of the file; a row that says what holds already changes nothing.
    """
    problems: list[Problem] = []
    patterns = {name.casefold(): each for each in plan.patterns for name in (each.code, each.name, each.name_zh or "")}
    rows = []
    seen: set[tuple[int, dt.date]] = set()
    count = len(columns["worker"])
    for at in range(count):
        cells = {key: str(values[at]).strip() for key, values in columns.items()}
        if not any(cells.values()):
            continue
        row = _row(at + 2, cells, codes, patterns, problems)
        if row is None:
            continue
        if (row.worker_id, row.day) in seen:
            problems.append(Problem(row.number, "twice", str(row.day)))
            continue
        seen.add((row.worker_id, row.day))
        rows.append(row)
    change, unchanged = _change_of(rows, plan, roster, problems)
    return Reading(len(rows), change, unchanged, tuple(sorted(problems, key=lambda each: each.row)))


def _row(
    number: int, cells: Mapping[str, str], codes: Mapping[str, int], patterns: Mapping[str, Pattern],
    problems: list[Problem],
) -> _Row | None:  # fmt: skip
    """Return one row, or None with what is wrong added to the problems."""
    before = len(problems)
    worker = codes.get(cells["worker"].upper())
    if worker is None:
        problems.append(Problem(number, "no_worker", cells["worker"] or "–"))
    day = parse_day(cells["day"])
    if day is None:
        problems.append(Problem(number, "no_day", cells["day"] or "–"))
    start, end, named = cells.get("start", ""), cells.get("end", ""), cells.get("pattern", "")
    free = start.casefold() in FREE or (named.casefold() in FREE and not start)
    pattern = patterns.get(named.casefold()) if named and not free and not start else None
    hours = None
    if start and not free and named:
        problems.append(Problem(number, "both"))
    elif start and not free:
        hours = _hours(number, cells, problems)
    elif named and not free and pattern is None:
        problems.append(Problem(number, "no_pattern", named))
    elif not named and not free:
        problems.append(Problem(number, "nothing" if not end else "one_time"))
    if len(problems) > before or worker is None or day is None:
        return None
    return _Row(number, worker, day, pattern, hours)


def _hours(number: int, cells: Mapping[str, str], problems: list[Problem]) -> tuple[int, int, int] | None:
    if not cells.get("end"):
        problems.append(Problem(number, "one_time"))
        return None
    times = []
    for name in ("start", "end"):
        try:
            times.append(parse_clock(cells[name]))
        except InvalidInput:
            problems.append(Problem(number, "no_time", cells[name]))
    rest = cells.get("break", "") or "0"
    if not rest.isdecimal():
        problems.append(Problem(number, "bad_break", rest))
        return None
    if len(times) < 2:
        return None
    try:
        check_shift(times[0], times[1], int(rest))
    except InvalidInput as error:
        problems.append(Problem(number, "bad_shift", error.message, error.hint))
        return None
    return times[0], times[1], int(rest)


def _change_of(rows: Iterable[_Row], plan: Plan, roster: Roster, problems: list[Problem]) -> tuple[Change, int]:
    """Return the change of good rows, and how many say what holds already."""
    known = {(each.worker_id, each.day): each.version for each in plan.exceptions}
    row_of = {int(worker): at for at, worker in enumerate(roster.worker_ids)}
    days: list[DayException] = []
    change, unchanged = Change(), 0
    for row in rows:
        why = day_problem(plan, row.worker_id, row.day)
        if why == "employment" or (why == "away" and row.hours is not None):
            problems.append(Problem(row.number, why, str(row.day)))
            continue
        if row.pattern is not None:
            mine = [each for each in plan.assignments if each.worker_id == row.worker_id]
            if any(_holds(each, row) for each in mine):
                unchanged += 1
                continue
            try:
                change = change.and_also(give_pattern(mine, row.worker_id, row.pattern, row.day))
            except InvalidInput as error:
                problems.append(Problem(row.number, "overlap", error.message, error.hint))
            continue
        at, column = row_of[row.worker_id], roster.index_of(row.day)
        now = tuple(int(part[at, column]) for part in (roster.start_min, roster.end_min, roster.break_min))
        if now == (row.hours or (NONE, NONE, 0)):
            unchanged += 1
            continue
        start, end, rest = row.hours or (None, None, 0)
        days.append(
            DayException(row.worker_id, row.day, start, end, rest, "plan", known.get((row.worker_id, row.day), 0))
        )
    return change.and_also(Change(days=tuple(days))), unchanged


def _holds(assignment: Assignment, row: _Row) -> bool:
    """Return whether a worker works by the pattern of a row already, on its day."""
    return (
        row.pattern is not None
        and assignment.pattern_id == row.pattern.id
        and assignment.valid_from <= row.day
        and (assignment.valid_to is None or assignment.valid_to >= row.day)
    )


def parse_day(text: str) -> dt.date | None:
    """Return the day of "2026-03-31", "2026/3/31" or "2026年3月31日", with or without midnight; None for others."""
    match = _DAY.match(text.strip())
    if match is None or text.strip()[match.end() :].strip(" T") not in {"", "00:00:00", "00:00"}:
        return None
    try:
        return dt.date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def parse_steps(words: Sequence[str]) -> tuple[Step, ...]:
    """Return the shifts of a pattern from a word a day: "06:00-14:00/30", or "free".

    Raises
    ------
    InvalidInput
        For a word that is no shift.
    """
    steps = []
    for day, word in enumerate(words):
        if word.casefold() in FREE or word in {"-", ""}:
            continue
        hours, _, rest = word.replace("–", "-").partition("/")
        start, dash, end = hours.partition("-")
        if not dash or (rest and not rest.isdecimal()):
            raise InvalidInput(
                f"{word!r} is no shift.", hint="Write 06:00-14:00/30 (hours, break in minutes), 21:00-06:00+1, or free."
            )
        steps.append(Step(day, parse_clock(start), parse_clock(end), int(rest or 0)))
    return tuple(steps)


def to_csv(roster: Roster, codes: Mapping[int, str], first: int, days: int, patterns: Sequence[Pattern]) -> str:
    """Return some rows and columns of the roster as such a file; brought in again it changes nothing.

    Parameters
    ----------
    codes
        Rows of the roster to staff numbers.
    first
        Column that the file begins with.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["worker", "day", "start", "end", "break", "by"])
    for row, code in codes.items():
        for column in range(first, first + days):
            which, special = int(roster.pattern[row, column]), bool(roster.special[row, column])
            start, end = int(roster.start_min[row, column]), int(roster.end_min[row, column])
            if roster.away[row, column] or (which < 0 and not special):
                continue
            by = "exception" if special else neutral(patterns[which].code)
            hours = ("free", "", "") if start < 0 else (clock(start), clock(end), int(roster.break_min[row, column]))
            writer.writerow([code, roster.day(column).isoformat(), *hours, by])
    return target.getvalue()
