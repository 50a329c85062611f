"""Which column of a file means what: a readable table of headings, English and Chinese."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import InvalidInput

HEADINGS: dict[str, tuple[str, ...]] = {
    "id": (
        "unique key", "incident id", "incident number", "incident no", "incidntnum", "case id", "case number",
        "case no", "service request id", "request id", "ticket id", "event unique id", "serial", "number", "id",
        "案件编号", "案件号", "工单编号", "工单号", "任务号", "受理编号", "编号",
    ),
    "time": (
        "reported at", "created date", "created at", "requested datetime", "opened", "report date", "reported date",
        "incident date", "occurrence date", "occurred at", "datetime", "date time", "timestamp", "date",
        "上报时间", "受理时间", "发现时间", "创建时间", "登记时间", "发生时间", "时间", "日期", "time",
    ),
    "clock": ("time", "incident time", "occurrence time", "report time", "时刻"),
    "hour": ("occurrence hour", "report hour", "hour", "小时"),
    "class": (
        "class", "incident class", "complaint type", "service name", "mci", "incident type", "event type",
        "problem type", "category", "type", "offence", "offense",
        "小类名称", "小类", "问题类型", "事件类型", "案件类别", "类别", "类型", "大类名称", "大类",
    ),
    "lon": ("lon", "long", "longitude", "lng", "point x", "x", "经度"),
    "lat": ("lat", "latitude", "point y", "y", "纬度"),
    "place": (
        "place", "incident address", "address", "street name", "street", "location", "neighbourhood", "neighborhood",
        "详细地址", "发生地址", "事发地址", "地址", "发生地点", "地点", "位置",
    ),
    "status": ("status", "case status", "案件状态", "状态"),
    "closed": (
        "closed date", "closed at", "resolved date", "resolved at", "closed", "结案时间", "办结时间", "完成时间",
    ),
    "due": ("due date", "due at", "expected datetime", "截止时间", "办结期限", "处置截止时间"),
}  # fmt: skip
"""Role to headings, best first. Spaces, underscores, capitals and full-width letters do not matter."""

NOTES = (
    "incident title", "title", "description", "descript", "details", "comments", "comment", "notes", "note",
    "问题描述", "案件描述", "事件描述", "描述", "内容", "备注",
)  # fmt: skip
"""Free text: may name people, so it is only ever kept sealed. All that are found are joined."""

PERSONAL = (
    "reporter", "name", "caller", "phone", "telephone", "mobile", "email", "e mail", "id card",
    "上报人", "报告人", "举报人", "姓名", "联系人", "电话", "联系电话", "手机", "手机号", "身份证号",
)  # fmt: skip
"""Columns about persons that are never taken over; the result says that they were left out."""

OPTIONS = {"id": "--id-column", "time": "--time-column", "class": "--class-column"}
OPTIONS |= {"lon": "--lon-column", "lat": "--lat-column"}
NO_COLUMN = "-"
"""Given for a role, says that the file has no such column, whatever its headings look like."""


@dataclass(frozen=True)
class Columns:
    """The columns that were found or named.

    Attributes
    ----------
    by_role
        Role of `HEADINGS` to the heading in the file.
    notes
        Headings of free text, in the order of the file.
    left_out
        Headings about persons that are not taken over.
    """

    by_role: Mapping[str, str]
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    shown: dict[str, str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Write down what a user is shown: role to heading."""
        free_text = {"note": " + ".join(self.notes)} if self.notes else {}
        object.__setattr__(self, "shown", {**self.by_role, **free_text})

    def get(self, role: str) -> str | None:
        """Return the heading of a role; None when the file has none."""
        return self.by_role.get(role)


def plain_heading(heading: str) -> str:
    """Return a heading in the form in which headings are compared."""
    folded = unicodedata.normalize("NFKC", heading).replace("\ufeff", "").casefold()
    return re.sub(r"[\W_]+", "", folded)


def choose_columns(
    headings: Sequence[str], named: Mapping[str, str | None], *, file: str, has_geometry: bool = False
) -> Columns:
    """Return which heading plays which role.

    Parameters
    ----------
    named
        Role to the heading the user gave; None or absent: found by `HEADINGS`.
    has_geometry
        The file has points of its own, so no columns of longitude and latitude are needed.

    Raises
    ------
    InvalidInput
        Naming every named column that is not there and every needed role that was not found.
    """
    wrong = [
        _absent(heading, headings)
        for heading in named.values()
        if heading and heading != NO_COLUMN and heading not in headings
    ]
    if wrong:
        raise InvalidInput(f"{file}: {'; '.join(wrong)}.", hint=f"Its columns are: {_listed(headings)}.")
    plain: dict[str, str] = {}
    for heading in headings:
        plain.setdefault(plain_heading(heading), heading)
    found: dict[str, str] = {}
    for role, known in HEADINGS.items():
        given = named.get(role)
        if given:
            if given != NO_COLUMN:
                found[role] = given
            continue
        for heading in map(plain_heading, known):
            if heading in plain and plain[heading] not in {*found.values(), *filter(None, named.values())}:
                found[role] = plain[heading]
                break
    needed = ["time", "class"] if has_geometry else ["time", "class", "lon", "lat"]
    missing = [role for role in needed if role not in found]
    if missing:
        names = {"time": "the time of report", "class": "the class", "lon": "the longitude", "lat": "the latitude"}
        raise InvalidInput(
            f"{file}: found no column for {' and '.join(names[role] for role in missing)} among {_listed(headings)}.",
            hint=f"Name it with {' and '.join(OPTIONS[role] for role in missing)}.",
        )
    return Columns(
        found,
        tuple(plain[key] for key in map(plain_heading, NOTES) if key in plain and plain[key] not in found.values()),
        tuple(plain[key] for key in map(plain_heading, PERSONAL) if key in plain and plain[key] not in found.values()),
    )


def _absent(heading: str, headings: Sequence[str]) -> str:
    near = difflib.get_close_matches(heading, headings, n=1)
    return f"there is no column {heading!r}" + (f" (did you mean {near[0]!r}?)" if near else "")


def _listed(headings: Sequence[str]) -> str:
    return ", ".join(headings[:30]) + (", …" if len(headings) > 30 else "")
