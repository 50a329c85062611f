"""The file of another system, such as the hotline 12345: its rows, our answers, both sides compared; pure."""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo

from core.errors import InvalidInput
from geodata.files import Table
from incidents.columns import NO_COLUMN, plain_heading
from incidents.exchange import STATUS_WORDS
from incidents.moments import read_moments

SYSTEM = "12345"
REF_MOST = 64
TEXT_MOST = 4000
PLACE_MOST = 200
NAME_MOST = 100
HEADINGS: dict[str, tuple[str, ...]] = {
    "ref": (
        "工单编号", "工单号", "受理编号", "诉求编号", "热线编号", "上级编号", "案件编号", "编号",
        "upstream number", "ticket number", "ticket", "case number", "order number", "reference", "ref", "number", "id",
    ),
    "time": (
        "受理时间", "来电时间", "诉求时间", "登记时间", "创建时间", "派单时间", "时间",
        "received at", "called at", "reported at", "created at", "date time", "datetime", "time", "date",
    ),
    "reporter": ("市民姓名", "来电人", "诉求人", "反映人", "联系人", "姓名", "citizen", "caller", "reporter", "name"),
    "phone": (
        "来电号码", "联系电话", "联系方式", "手机号码", "手机号", "手机", "电话",
        "caller number", "citizen phone", "phone number", "telephone", "mobile", "phone",
    ),
    "text": (
        "诉求内容", "工单内容", "问题描述", "来电内容", "反映内容", "主要内容", "内容", "描述", "诉求标题", "标题",
        "request text", "description", "content", "text", "details", "title",
    ),
    "place": (
        "事发地址", "诉求地址", "问题地址", "事发地点", "详细地址", "发生地址", "地址", "地点",
        "address", "location", "place", "street",
    ),
    "class": (
        "诉求分类", "问题分类", "问题类别", "事项分类", "小类", "类别", "分类", "class", "category", "type", "subject",
    ),
    "state": ("工单状态", "办理状态", "处理状态", "状态", "status", "state"),
    "due": (
        "答复时限", "办结时限", "办理时限", "截止时间", "要求办结时间",
        "answer due", "answer by", "due date", "due at", "due",
    ),
    "lon": ("经度", "longitude", "lon", "lng", "x"),
    "lat": ("纬度", "latitude", "lat", "y"),
}  # fmt: skip
"""Role to headings, best first. Spaces, underscores, capitals and full-width letters do not matter."""
NEEDED = {"ref": "the number there", "time": "the time"}
OPEN = frozenset(("reported", "filed", "dispatched", "handling", "checking"))
_ROAD = re.compile(r"([\u4e00-\u9fff]{1,12}?(?:路|街|巷|弄|大道|胡同|道))")
_AREA = re.compile(r"^.*?(?:省|自治区|特别行政区|市|地区|区|县|镇|乡|街道|社区|村)(?=.{2,})")


@dataclass(frozen=True, slots=True)
class UpstreamRow:
    """A row of the file; ``problem`` says why it cannot be taken in as far as the row itself tells.

    Attributes
    ----------
    state
        In our stages; empty when the file does not tell or in words unknown here.
    point
        Longitude and latitude where the file gives them.
    """

    row_no: int
    ref: str
    reported_at: dt.datetime | None
    reporter: str
    phone: str
    text: str
    place: str
    label: str
    state: str
    due_at: dt.datetime | None
    point: tuple[float, float] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A report as the other system tells of it."""

    ref: str
    state: str
    reported_at: dt.datetime | None
    due_at: dt.datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ours:
    """The same report here; ``told`` is the status that the other system was told last, empty before the first time."""

    ref: str
    incident_id: int
    number: str
    status: str
    reported_at: dt.datetime
    told: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A line of the reconciliation; what one side does not know is empty."""

    ref: str
    number: str
    incident_id: int | None
    theirs: str
    ours: str
    due_at: dt.datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Both sides compared.

    Attributes
    ----------
    missing
        There but not here, with why.
    unknown
        Here but not there.
    differing
        Over on one side and open on the other.
    overdue
        The other system waits for an answer longer than it wanted to.
    """

    missing: tuple[Difference, ...]
    unknown: tuple[Difference, ...]
    differing: tuple[Difference, ...]
    overdue: tuple[Difference, ...]

    def counts(self) -> dict[str, int]:
        """Return the length of each list."""
        return {name: len(getattr(self, name)) for name in self.__slots__}


def choose(headings: Sequence[str], named: Mapping[str, str | None], *, file: str) -> dict[str, str]:
    """Return which heading plays which role.

    Parameters
    ----------
    named
        Role to the heading the user gave; ``-`` says that there is none.

    Raises
    ------
    InvalidInput
        When a named one is not there, or a needed one, or both text and class are not found.
    """
    listed = ", ".join(headings[:30])
    for role, given in named.items():
        if role not in HEADINGS:
            raise InvalidInput(f"There is no role {role!r}.", hint=f"Roles are: {', '.join(HEADINGS)}.")
        if given and given != NO_COLUMN and given not in headings:
            near = difflib.get_close_matches(given, headings, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidInput(f"{file}: there is no column {given!r}.{meant}", hint=f"Its columns are: {listed}.")
    plain: dict[str, str] = {}
    for heading in headings:
        plain.setdefault(plain_heading(heading), heading)
    found: dict[str, str] = {role: given for role, given in named.items() if given and given != NO_COLUMN}
    taken = set(found.values())
    for role, known in HEADINGS.items():
        if named.get(role):
            continue
        fitting = (plain[key] for key in map(plain_heading, known) if key in plain and plain[key] not in taken)
        for heading in fitting:
            found[role] = heading
            taken.add(heading)
            break
    missing = [words for role, words in NEEDED.items() if role not in found]
    if not {"text", "class"} & set(found):
        missing.append("the text or the class")
    if missing:
        raise InvalidInput(
            f"{file}: found no column for {' and '.join(missing)} among {listed}.",
            hint="Name it with --column role=heading.",
            zh=f"{file}：未找到必需的列（编号、时间、内容或分类）。请指定列名。",
        )
    return found


def read_rows(table: Table, columns: Mapping[str, str], zone: ZoneInfo) -> list[UpstreamRow]:
    """Return the rows of a file; of rows with one number the last one counts, as in a list that grew.

    Parameters
    ----------
    zone
        Of times that are written without one.
    """
    cells = {role: [str(cell) for cell in table.columns[heading]] for role, heading in columns.items()}
    count = len(table)

    def moments(role: str) -> list[dt.datetime | None]:
        if role not in columns:
            return [None] * count
        return read_moments(cells[role], zone, column=columns[role], file=table.name)

    reported, due = moments("time"), moments("due")
    rows: dict[str, UpstreamRow] = {}
    for at in range(count):
        given = {role: _clean(values[at]) for role, values in cells.items()}
        ref = given["ref"][:REF_MOST]
        problem = "" if ref else "no_number"
        problem = problem or ("" if reported[at] is not None else "bad_date")
        row = UpstreamRow(
            row_no=at + 2,
            ref=ref,
            reported_at=reported[at],
            reporter=given.get("reporter", "")[:NAME_MOST],
            phone=_phone(given.get("phone", "")),
            text=given.get("text", "")[:TEXT_MOST],
            place=given.get("place", "")[:PLACE_MOST],
            label=given.get("class", ""),
            state=STATUS_WORDS.get(given.get("state", "").casefold(), ""),
            due_at=due[at],
            point=_point(given.get("lon", ""), given.get("lat", "")),
            problem=problem,
        )
        key = ref or f"\x00{at}"
        rows.pop(key, None)
        rows[key] = row
    return list(rows.values())


def place_names(address: str) -> tuple[str, ...]:
    """Return what may be looked for when an address is given in one line: itself, its parts, its street."""
    whole = _clean(address)
    names = [whole, *(part.strip() for part in re.split(r"[,，;；、|]| {2,}", whole))]
    bare = whole
    while (shorter := _AREA.sub("", bare, count=1)) != bare and len(shorter) > 1:
        bare = shorter
        names.append(bare)
    road = _ROAD.search(bare)
    if road is not None:
        names.append(road[1])
    without = [
        re.sub(r"\b\d+[a-z]?\b|\d+\s*(?:号|弄|栋|幢|室|单元).*$", "", name, flags=re.IGNORECASE) for name in names
    ]
    return tuple(dict.fromkeys(name for name in (each.strip(" -") for each in [*names, *without]) if len(name) > 1))


def reconcile(
    theirs: Iterable[Known], ours: Iterable[Ours], moment: dt.datetime, *, period: Iterable[dt.datetime | None] = ()
) -> Reconciliation:
    """Return what differs between the other system and us.

    Parameters
    ----------
    period
        Times of report that the other system's list covers: what is here and was reported between the first and
        the last of them has to be there too. Those of ``theirs`` unless given.
    """
    there, here = {each.ref: each for each in theirs}, {each.ref: each for each in ours}
    covered = [at for at in (period or [each.reported_at for each in there.values()]) if at is not None]
    missing = [
        Difference(each.ref, "", None, each.state, "", each.due_at, each.reason)
        for each in there.values()
        if each.ref not in here
    ]
    unknown = [
        Difference(each.ref, each.number, each.incident_id, "", each.status, None)
        for each in here.values()
        if each.ref not in there and covered and min(covered) <= each.reported_at <= max(covered)
    ]
    both = [(each, here[each.ref]) for each in there.values() if each.ref in here]
    differing = [(one, other) for one, other in both if one.state and (one.state in OPEN) != (other.status in OPEN)]
    # Told of the end, the other system waits no more, whatever its list of yesterday says.
    overdue = [
        (one, other)
        for one, other in both
        if one.due_at is not None and one.due_at < moment and one.state in {*OPEN, ""} and other.told in {*OPEN, ""}
    ]
    return Reconciliation(
        tuple(missing),
        tuple(unknown),
        tuple(_pair(*each) for each in differing),
        tuple(_pair(*each) for each in overdue),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other system is told of a report; times in ISO, local to the territory, empty where none."""

    number: str
    status: str
    unit_en: str
    unit_zh: str
    follows: str
    filed_at: str
    due_at: str
    handled_at: str
    closed_at: str

    def digest(self) -> str:
        """Return a short text, equal when nothing that is told has changed."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


ANSWER_HEADINGS = {
    "zh": ("上级编号", "案件编号", "办理状态", "承办单位", "答复内容", "立案时间", "办理时限", "处置时间", "办结时间"),
    "en": ("Upstream number", "Number", "Status", "Unit", "Reply", "Filed at", "Due at", "Handled at", "Closed at"),
}
_STATUS = {
    "reported": ("taken in", "已受理"),
    "filed": ("filed", "已立案"),
    "dispatched": ("sent out", "已派遣"),
    "handling": ("in work", "处置中"),
    "checking": ("being checked", "核查中"),
    "closed": ("closed", "已办结"),
    "void": ("void", "不予受理"),
}
_REPLY = {
    "reported": ("Taken in; it is being verified.", "诉求已受理，正在核实。"),
    "filed": ("Filed; it is sent to {unit} next.", "已立案，即将派遣至{unit}。"),
    "dispatched": ("Sent to {unit}, to be done by {due}.", "已派遣至{unit}办理，时限{due}。"),
    "handling": ("{unit} is working on it, to be done by {due}.", "{unit}正在处置，时限{due}。"),
    "checking": ("{unit} has done it; the result is being checked.", "{unit}已处置，正在核查结果。"),
    "closed": ("Done by {unit} and checked.", "{unit}已处置完毕并经核查，现已办结。"),
    "void": ("Not taken up after verification.", "经核实，不予立案。"),
}


def answer_table(rows: Sequence[tuple[str, Answer]], language: str) -> dict[str, list[str]]:
    """Return the write-back file: heading to cells, a row a report."""
    column = 1 if language == "zh" else 0
    headings = ANSWER_HEADINGS["zh" if column else "en"]
    lines = [
        (
            ref,
            each.number,
            _STATUS[each.status][column],
            (each.unit_zh if column else each.unit_en) or each.unit_en or each.unit_zh,
            reply(each, language),
            *(_readable(at) for at in (each.filed_at, each.due_at, each.handled_at, each.closed_at)),
        )
        for ref, each in rows
    ]
    return {heading: [line[at] for line in lines] for at, heading in enumerate(headings)}


def reply(answer: Answer, language: str) -> str:
    """Return the sentence for the citizen."""
    column = 1 if language == "zh" else 0
    if answer.follows and answer.status in OPEN:
        same = ("The same matter is handled under {number}.", "与{number}为同一事项，合并办理。")
        return same[column].format(number=answer.follows)
    unit = (answer.unit_zh if column else answer.unit_en) or answer.unit_en or answer.unit_zh
    unit = unit or ("the unit in charge", "责任单位")[column]
    text = _REPLY[answer.status][column].format(
        unit=unit, due=_readable(answer.due_at) or ("as planned", "按计划")[column]
    )
    return text[:1].upper() + text[1:]


def _pair(theirs: Known, ours: Ours) -> Difference:
    return Difference(ours.ref, ours.number, ours.incident_id, theirs.state, ours.status, theirs.due_at)


def _readable(at: str) -> str:
    return at[:19].replace("T", " ")


def _clean(cell: str) -> str:
    kept = "".join(sign for sign in unicodedata.normalize("NFKC", cell) if sign == "\n" or sign.isprintable())
    return kept.strip().removeprefix("'")  # a sign that a spreadsheet puts before what could be a formula


def _phone(text: str) -> str:
    """Return a number as it is kept; what is none, such as 匿名, is left out."""
    digits = re.sub(r"[^\d+]", "", text)
    return digits if re.fullmatch(r"\+?\d{4,20}", digits) else ""


def _point(lon: str, lat: str) -> tuple[float, float] | None:
    try:
        point = float(lon), float(lat)
    except ValueError:
        return None
    return point if abs(point[0]) <= 180 and abs(point[1]) <= 90 else None
