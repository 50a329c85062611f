"""Rows of a file turned into incidents to be: what each row says, or why it cannot be taken in.

Pure: no database. A row that is not good keeps its reason and goes to quarantine; only what makes
the whole file unusable is raised.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import InvalidInput
from geodata.files import Cells, Table
from incidents.classes import ClassSpec, find_class
from incidents.columns import OPTIONS, Columns
from incidents.moments import read_moments, read_time_of_day

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CLASSES_MOST = 500
CATEGORIES_MOST = 11
PLACE_MOST = 200
FUTURE_TOLERANCE = dt.timedelta(minutes=10)

STATUS_WORDS: dict[str, str] = {
    **dict.fromkeys(("closed", "resolved", "done", "completed", "fixed", "结案", "已结案", "办结", "已办结"), "closed"),
    **dict.fromkeys(("void", "invalid", "duplicate", "rejected", "cancelled", "作废", "已作废", "无效"), "void"),
    **dict.fromkeys(("open", "new", "pending", "filed", "acknowledged", "立案", "已立案", "待派遣", "未处理"), "filed"),
    **dict.fromkeys(("assigned", "dispatched", "派遣", "已派遣", "待处理"), "dispatched"),
    **dict.fromkeys(("started", "in progress", "handling", "处理中", "处置中", "办理中"), "handling"),
    **dict.fromkeys(("checking", "verification", "待核查", "核查中", "待结案"), "checking"),
    **dict.fromkeys(("reported", "submitted", "上报", "已上报", "待立案"), "reported"),
}  # fmt: skip
"""Words for the state of a case in files, to our stages. Any other word counts as none."""


@dataclass
class Draft:
    """The rows of a file, column by column, in the order of the file.

    Attributes
    ----------
    reason, message
        Why a row cannot be taken in; empty where it can.
    duplicate
        The same reference, or without references the very same row, came earlier in the file.
    reference
        The file's own identity of the row, else the row's fingerprint.
    note
        Free text, to be sealed; None where there is none.
    """

    lon: Floats
    lat: Floats
    reported: list[dt.datetime | None]
    closed: list[dt.datetime | None]
    due: list[dt.datetime | None]
    label: list[str]
    status: list[str]
    place: list[str]
    note: list[str | None]
    fingerprint: list[str]
    reference: list[str]
    duplicate: Flags
    reason: Cells
    message: Cells
    remarks: list[str] = field(default_factory=list)

    def refuse(self, rows: Flags, reason: str, message: str) -> None:
        """Give the rows that are still good a reason why they are not."""
        chosen = rows & (self.reason == "")
        self.reason[chosen] = reason
        self.message[chosen] = message

    @property
    def good(self) -> Flags:
        """Return which rows can be taken in as far as known."""
        return np.asarray((self.reason == "") & ~self.duplicate)


def draft(table: Table, columns: Columns, zone: ZoneInfo, *, moment: dt.datetime, status: str) -> Draft:
    """Return what the rows of a file say.

    Parameters
    ----------
    zone
        Of times that are written without one.
    moment
        Now: a later report is refused.
    status
        Of rows that say none. A row with a closing time is closed, whatever it says.

    Raises
    ------
    InvalidInput
        When a whole column cannot be what it should be.
    """
    count = len(table)
    lon, lat = _positions(table, columns)
    reported = _reported(table, columns, zone)
    closed = _possible(reported, _moments(table, columns, "closed", zone), moment + FUTURE_TOLERANCE)
    prints = [_fingerprint(row) for row in zip(*table.columns.values(), strict=True)]
    made = Draft(
        lon,
        lat,
        reported,
        closed,
        _moments(table, columns, "due", zone),
        [_label(text) for text in _cells(table, columns, "class")],
        _statuses(_cells(table, columns, "status"), closed, status),
        _places(_cells(table, columns, "place")),
        _notes(table, columns),
        prints,
        _references(_cells(table, columns, "id"), prints),
        np.zeros(count, dtype=bool),
        np.full(count, "", dtype=object),
        np.full(count, "", dtype=object),
    )
    made.duplicate = _repeated(made.reference)
    _judge(made, columns, moment)
    made.remarks += _remarks(table, columns, closed)
    return made


def split_labels(labels: Sequence[str], good: Flags, *, column: str, file: str) -> dict[str, ClassSpec]:
    """Return each label of the good rows as a class: the shipped one it names, else one of its own.

    The eleven most frequent unknown labels become a category each, so that a map can colour them;
    the rest share one.

    Raises
    ------
    InvalidInput
        When the column has so many values that it is free text.
    """
    counted = Counter(label for label, is_good in zip(labels, good, strict=True) if is_good)
    if len(counted) > CLASSES_MOST:
        raise InvalidInput(
            f"{file}: column {column!r} has {len(counted):,} different values, too many for classes.",
            hint=f"Name another column with {OPTIONS['class']}.",
        )
    specs: dict[str, ClassSpec] = {}
    own = 0
    for label, _ in counted.most_common():
        shipped = find_class(label)
        if shipped is not None:
            specs[label] = shipped
            continue
        own += 1
        category = ("import-" + re.sub(r"\W+", "-", label.casefold()).strip("-"), label, label)
        if own > CATEGORIES_MOST:
            category = ("import-other", "Other imported", "其他导入")
        specs[label] = ClassSpec("event", label, *category, label, label)
    return specs


def as_json(table: Table, row: int) -> str:
    """Return one row as read, for quarantine."""
    return json.dumps(
        {heading: cells[row] for heading, cells in table.columns.items() if cells[row]}, ensure_ascii=False
    )


def _cells(table: Table, columns: Columns, role: str) -> list[str]:
    heading = columns.get(role)
    return [""] * len(table) if heading is None else list(table.columns[heading])


def _fingerprint(cells: tuple[str, ...]) -> str:
    return hashlib.sha256("\x1f".join(cells).encode("utf-8", "surrogatepass")).hexdigest()


def _positions(table: Table, columns: Columns) -> tuple[Floats, Floats]:
    if table.geometry is not None:
        points = shapely.get_type_id(table.geometry) == shapely.GeometryType.POINT
        there = points & ~shapely.is_empty(table.geometry)
        return (
            np.where(there, shapely.get_x(table.geometry), np.nan),
            np.where(there, shapely.get_y(table.geometry), np.nan),
        )
    return _numbers(_cells(table, columns, "lon")), _numbers(_cells(table, columns, "lat"))


def _numbers(texts: Sequence[str]) -> Floats:
    known = {text: _number(text) for text in dict.fromkeys(texts)}
    return np.array([known[text] for text in texts], dtype=np.float64)


def _number(text: str) -> float:
    folded = unicodedata.normalize("NFKC", text).strip().rstrip("°")
    # A decimal comma is plain where no point is; float() would take "nan" and "inf" as numbers too.
    if "." not in folded and folded.count(",") == 1:
        folded = folded.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,12}(\.\d*)?([eE][+-]?\d{1,2})?", folded):
        return float("nan")
    return float(folded)


def _moments(table: Table, columns: Columns, role: str, zone: ZoneInfo) -> list[dt.datetime | None]:
    heading = columns.get(role)
    if heading is None:
        return [None] * len(table)
    return read_moments(list(table.columns[heading]), zone, column=heading, file=table.name)


def _reported(table: Table, columns: Columns, zone: ZoneInfo) -> list[dt.datetime | None]:
    """Return the times of report; a column of days is completed by one of clock times or of hours."""
    moments = _moments(table, columns, "time", zone)
    days_only = all(moment is None or _local(moment, zone).time() == dt.time(0) for moment in moments)
    texts = _cells(table, columns, "clock" if columns.get("clock") else "hour")
    if not days_only or not any(texts):
        return moments
    clocks = {text: read_time_of_day(text) for text in dict.fromkeys(texts)}
    completed: list[dt.datetime | None] = []
    for moment, text in zip(moments, texts, strict=True):
        clock = clocks[text]
        if moment is None or clock is None:
            completed.append(moment)
            continue
        local = dt.datetime.combine(_local(moment, zone).date(), clock, zone)
        completed.append(local.astimezone(dt.UTC))
    return completed


def _local(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return moment.astimezone(zone)


def _label(text: str) -> str:
    """Return the class a cell names: of several that each end in a comma (Ushahidi) the first."""
    label = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()
    if label.endswith(","):
        label = label.split(", ")[0].rstrip(",")
    return label[:120].strip()


def _statuses(words: Sequence[str], closed: Sequence[dt.datetime | None], default: str) -> list[str]:
    known = {
        word: STATUS_WORDS.get(unicodedata.normalize("NFKC", word).strip().casefold(), default)
        for word in dict.fromkeys(words)
    }
    return [
        "closed" if end is not None and known[word] != "void" else known[word]
        for word, end in zip(words, closed, strict=True)
    ]


def _places(texts: Sequence[str]) -> list[str]:
    # New York writes the coordinates once more in a column called Location.
    known = {
        text: "" if re.fullmatch(r"\(?[-\d.,\s]+\)?", text) else re.sub(r"\s+", " ", text)[:PLACE_MOST]
        for text in dict.fromkeys(texts)
    }
    return [known[text] for text in texts]


def _notes(table: Table, columns: Columns) -> list[str | None]:
    if not columns.notes:
        return [None] * len(table)
    parts = [table.columns[heading] for heading in columns.notes]
    return ["\n".join(filter(None, texts)) or None for texts in zip(*parts, strict=True)]


def _references(ids: Sequence[str], prints: Sequence[str]) -> list[str]:
    return [given or made for given, made in zip(ids, prints, strict=True)]


def _repeated(references: Sequence[str]) -> Flags:
    seen: set[str] = set()
    repeated = np.zeros(len(references), dtype=bool)
    for row, reference in enumerate(references):
        repeated[row] = reference in seen
        seen.add(reference)
    return repeated


def _judge(made: Draft, columns: Columns, moment: dt.datetime) -> None:
    """Refuse the rows whose own content is wrong."""
    lon, lat = made.lon, made.lat
    made.refuse(np.isnan(lon) | np.isnan(lat) | ((lon == 0) & (lat == 0)), "bad_position", "The row has no position.")
    outside = (np.abs(lat) > 90) | (np.abs(lon) > 180)
    swapped = outside & (np.abs(lon) <= 90) & (np.abs(lat) <= 180)
    made.refuse(swapped, "swapped", "Longitude and latitude seem swapped.")
    made.refuse(outside, "bad_position", "Longitude or latitude is out of range; degrees are expected.")
    time = columns.get("time")
    made.refuse(
        np.array([entry is None for entry in made.reported], dtype=bool), "bad_date", f"Column {time!r} holds no time."
    )
    latest = moment + FUTURE_TOLERANCE
    made.refuse(
        np.array([entry is not None and entry > latest for entry in made.reported], dtype=bool),
        "future",
        f"The time in column {time!r} lies in the future.",
    )
    made.refuse(
        np.array([not label for label in made.label], dtype=bool),
        "unknown_class",
        f"Column {columns.get('class')!r} names no class.",
    )


def _possible(
    reported: Sequence[dt.datetime | None], closed: Sequence[dt.datetime | None], latest: dt.datetime
) -> list[dt.datetime | None]:
    """Return the closing times without those before the report or in the future."""
    return [
        end if begin is not None and end is not None and begin <= end <= latest else None
        for begin, end in zip(reported, closed, strict=True)
    ]


def _remarks(table: Table, columns: Columns, closed: Sequence[dt.datetime | None]) -> list[str]:
    remarks = []
    dropped = sum(bool(text) for text in _cells(table, columns, "closed")) - sum(end is not None for end in closed)
    if dropped:
        remarks.append(f"{dropped:,} closing times were not taken over: unreadable, before the report or in the future")
    if columns.left_out:
        remarks.append(f"columns about persons were left out: {', '.join(columns.left_out)}")
    if columns.get("id") is None:
        remarks.append("the file has no ids: a row counts as a duplicate when all its columns are equal")
    return remarks
