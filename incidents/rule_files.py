"""Rules as files: written out whole, read back in part; JSON by key, or CSV of one kind."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping
from typing import Any

from core.errors import DataQuality, InvalidInput
from incidents.rules import CALENDAR, CLASS, DAY, DEFAULTS, LIMIT, Fields, Key, Rules, Wanted, day_key, limit_key
from people.worker_files import neutral, plain
from people.worker_model import clean_labels

SECTIONS = {"classes": CLASS, "limits": LIMIT, "calendars": CALENDAR}
BYTES_MOST = 2_000_000
TRUE, FALSE = {"1", "true", "yes", "y", "是"}, {"0", "false", "no", "n", "否"}
NONE = {"none", "-", "–", "无"}
"""In CSV, what stands for no skills and no equipment: an empty cell leaves them as they are."""
ENDED = "remove"
"""In CSV, the word in the first field column of a row that is to end."""
KINDS = {"holiday": "holiday", "workday": "workday", "假日": "holiday", "休": "holiday", "班": "workday"}


def document(rules: Rules) -> dict[str, Any]:
    """Return all rules by key, in the form that `wanted_from_json` reads."""
    made: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    names = {table: name for name, table in SECTIONS.items()}
    for (table, key), row in rules.items():
        if table != DAY:
            made[names[table]][key] = dict(row.fields)
    for (table, key), row in sorted(rules.items()):
        if table == DAY:
            code, _, day = key.partition("|")
            made["calendars"][code].setdefault("days", {})[day] = dict(row.fields)
    return made


def wanted_from_json(text: str) -> dict[Key, Fields | None]:
    """Return what a JSON document asks for; rows and fields it leaves out stay as they are, null ends a row.

    Raises
    ------
    InvalidInput
        When it is no JSON object of the sections classes, limits and calendars.
    """
    _refuse_large(text)
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"This is no JSON: {error}.", zh="不是有效的 JSON。") from error
    if not isinstance(given, dict) or not set(given) <= {*SECTIONS, "title", "reason"}:
        raise InvalidInput(
            "A file of rules is an object with classes, limits and calendars.",
            hint="See how 'gridkeeper rules export' writes it.",
            zh="规则文件须含 classes、limits、calendars 之一。",
        )
    wanted: dict[Key, Fields | None] = {}
    for name, table in SECTIONS.items():
        for key, fields in _object(given.get(name, {}), name).items():
            if fields is None:
                wanted[table, key] = None
                continue
            own = dict(_object(fields, key))
            days = _object(own.pop("days", {}), f"{key}.days") if table == CALENDAR else {}
            if own or table != CALENDAR:
                wanted[table, key] = own
            for day, made in days.items():
                wanted[DAY, f"{key}|{day}"] = None if made is None else _object(made, day)
    return wanted


def wanted_from_csv(text: str, *, calendar: str = "") -> dict[Key, Fields | None]:
    """Return what a CSV asks for; its columns say whether it is about days, limits or classes.

    Days: day, kind, name (and calendar, unless it is given). Limits: class, stage, condition and the
    fields that change. Classes: key and the fields that change. An empty cell leaves a field as it is.

    Raises
    ------
    InvalidInput
        When the columns are of none of these.
    DataQuality
        With every row that cannot be read.
    """
    _refuse_large(text)
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff").strip()))
    columns = [str(name).strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    if "day" in columns:
        table = DAY
    elif {"class", "stage"} <= set(columns):
        table = LIMIT
    elif "key" in columns:
        table = CLASS
    else:
        raise InvalidInput(
            f"The columns {', '.join(columns) or '(none)'} are of no kind of rules.",
            hint="Days: day, kind, name. Limits: class, stage, condition, value, unit. Classes: key, name_en, name_zh.",
            zh="列名不符：日历日用 day, kind, name；时限用 class, stage, value, unit；小类用 key, name_en。",
        )
    wanted: dict[Key, Fields | None] = {}
    wrong: list[str] = []
    places: list[int] = []
    for number, raw in enumerate(reader, 2):
        cells = {name: plain(str(value or "")) for name, value in raw.items() if name}
        if not any(cells.values()):
            continue
        try:
            key, fields = _row(table, cells, calendar)
        except ValueError as error:
            wrong.append(f"row {number}: {error}")
            places.append(number)
            continue
        if (table, key) in wanted:
            wrong.append(f"row {number}: {key} stands twice")
            places.append(number)
        wanted[table, key] = fields
    if wrong:
        error_ = DataQuality("The file cannot be read:", wrong)
        error_.zh = "以下行无法读取：" + "、".join(f"第 {number} 行" for number in places[:10])
        raise error_
    return wanted


def wanted_from(text: str, name: str, *, calendar: str = "") -> dict[Key, Fields | None]:
    """Return what a file asks for, read by the ending of its name."""
    if name.lower().endswith(".csv"):
        return wanted_from_csv(text, calendar=calendar)
    return wanted_from_json(text)


def days_as_csv(rules: Rules, calendar: str, year: int | None = None) -> str:
    """Return the days of a calendar as `wanted_from_csv` reads them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["day", "kind", "name"])
    for (table, key), row in sorted(rules.items()):
        code, _, day = key.partition("|")
        if table == DAY and code == calendar and (year is None or day.startswith(f"{year}-")):
            writer.writerow([day, row.fields["kind"], neutral(str(row.fields["name"]))])
    return out.getvalue()


def days_wanted(
    rules: Rules, calendar: str, known: Mapping[dt.date, tuple[str, str]], year: int
) -> dict[Key, Fields | None]:
    """Return what to want so that a year of a calendar has the days of a published list, no more and no fewer."""
    wanted: dict[Key, Fields | None] = {
        (DAY, day_key(calendar, day)): {"kind": kind, "name": name}
        for day, (kind, name) in sorted(known.items())
        if day.year == year
    }
    if wanted:
        prefix = f"{calendar}|{year}-"
        gone = [key for key in rules if key[0] == DAY and key[1].startswith(prefix) and key not in wanted]
        wanted |= dict.fromkeys(gone)
    return wanted


def _row(table: str, cells: Mapping[str, str], calendar: str) -> tuple[str, Fields | None]:
    if table == DAY:
        code = cells.get("calendar") or calendar
        if not code:
            raise ValueError("no calendar is named")
        key = day_key(code, _date(cells["day"]))
        kind = cells.get("kind", "") or "holiday"
        if kind == ENDED:
            return key, None
        return key, {"kind": KINDS.get(kind, kind), "name": cells.get("name", "")}
    if table == LIMIT:
        key = limit_key(cells["class"] or None, cells["stage"], cells.get("condition", ""))
        parts = {"class", "stage", "condition"}
    else:
        key, parts = cells["key"], {"key"}
    if cells.get("value") == ENDED:
        return key, None
    return key, {name: _typed(table, name, cell) for name, cell in cells.items() if name not in parts and cell}


def _date(cell: str) -> dt.date:
    try:
        return dt.date.fromisoformat(cell.replace("/", "-"))
    except ValueError:
        raise ValueError(f"{cell!r} is no day such as 2026-12-25") from None


def _typed(table: str, name: str, cell: str) -> Any:
    known = DEFAULTS[table].get(name, "")
    if isinstance(known, bool):
        if cell.lower() not in TRUE | FALSE:
            raise ValueError(f"{name} is yes or no, not {cell!r}")
        return cell.lower() in TRUE
    if isinstance(known, list):
        return [] if cell.lower() in NONE else list(clean_labels([cell]))
    if isinstance(known, float):
        return float(cell)
    return int(cell) if isinstance(known, int) else cell


def _object(given: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise InvalidInput(f"{name} must be an object.", zh=f"{name} 须为对象。")
    return given


def _refuse_large(text: str) -> None:
    if len(text) > BYTES_MOST:
        raise InvalidInput("The file is larger than any set of rules.", hint="Give only what is to change.")


__all__ = ["Wanted", "days_as_csv", "days_wanted", "document", "wanted_from", "wanted_from_csv", "wanted_from_json"]
