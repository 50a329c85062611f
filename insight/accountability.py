"""Rules of accountability: what in the record is worth a question, in words, numbers and findings (pure).

A finding is a question, not a verdict. It names a rule, an object, the persons concerned and the rows of the
record that led to it; a person decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

Words = tuple[str, str]
"""English and Chinese."""
READ_REPORTER = "read reporter"
"""The event that `gk_reporter` writes before it gives a reporter's name away."""
GENERATED = "simulated"
"""Purpose, or begin of the command, of acts that were made up for a demo city."""
EXPORTS = frozenset({"export", "download"})
MOST_EVIDENCE = 200
"""A finding names no more rows than these, the last ones."""
_SEPARATE = (
    "Separation of duties: who dispatches never closes, who handles never verifies.",
    "职责分离：派遣者不结案，处置者不核查。",
)
_IDENTITY = (
    "A reporter's identity is read for a purpose only, and every reading is recorded.",
    "查看上报人身份须有用途，每次查看均留痕。",
)


@dataclass(frozen=True, slots=True)
class Act:
    """A row of the record that one person, or the platform, wrote; rows of bulk loads are none."""

    seq: int
    at: dt.datetime
    user_id: int | None
    role: str
    action: str
    table: str
    subject_id: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    command_id: str | None = None

    def became(self, column: str, *values: str) -> bool:
        """Return whether the act brought ``column`` to one of ``values``."""
        new = (self.after or {}).get(column)
        return new in values and (self.before or {}).get(column) != new


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as people read it.

    Attributes
    ----------
    count, minutes
        Thresholds it starts with; None where it has none.
    count_words, minutes_words
        What the thresholds mean.
    severity
        1 the gravest, 3 the least.
    """

    key: str
    title: Words
    question: Words
    source: Words
    severity: int
    count: int | None = None
    minutes: int | None = None
    count_words: Words = ("", "")
    minutes_words: Words = ("", "")


RULES: tuple[Rule, ...] = (
    Rule(
        "self_close",
        ("One person on both sides", "同一人员承担两侧职责"),
        (
            "One person, by whatever account, sent the incident out and closed it, or handled and verified it.",
            "同一人员（不论使用哪个账号）派遣又结案，或处置又核查了同一案件。",
        ),
        _SEPARATE,
        1,
    ),
    Rule(
        "no_evidence",
        ("Closed without the evidence asked for", "缺少应有证据而结案"),
        (
            "The incident was closed though evidence that its class demands, or any finished work, is missing.",
            "案件已结案，但缺少该类别要求的证据，或没有任何已完成的任务。",
        ),
        (
            "Evidence is asked only where the class needs it, and there always.",
            "仅在案件类别需要时要求证据，需要时必须具备。",
        ),
        2,
    ),
    Rule(
        "backdated",
        ("Times set back", "时间回填"),
        (
            "A time of the incident was written that lies before the moment of writing by more than is usual.",
            "写入的案件时间早于写入时刻，且超过通常允许的间隔。",
        ),
        (
            "Deadlines count from the times of the stages; the record knows when each was written.",
            "时限从各环节时间起算；操作留痕记录了每个时间的写入时刻。",
        ),
        1,
        minutes=60,
        minutes_words=("Minutes that a time may lie back", "允许早于写入时刻的分钟数"),
    ),
    Rule(
        "bulk_export",
        ("Very much taken out", "大量导出"),
        (
            "One account took out very many rows in a short time. Was all of it needed?",
            "同一账号在短时间内导出大量数据。是否都有必要？",
        ),
        (
            "Personal data are handled for a stated purpose and no further (PIPL art. 6).",
            "处理个人信息应当具有明确目的，限于最小范围（《个人信息保护法》第六条）。",
        ),
        1,
        count=5000,
        minutes=60,
        count_words=("Rows", "行数"),
        minutes_words=("Within minutes", "时间窗（分钟）"),
    ),
    Rule(
        "off_duty",
        ("At work off duty", "非当班操作"),
        (
            "A worker's account acted outside the worker's shift. Was he called, or was it somebody else?",
            "网格员账号在其班次之外有操作。是被临时召回，还是他人使用？",
        ),
        ("A worker works on shift only; the roster says when that is.", "网格员仅在班次内工作；班次以排班为准。"),
        3,
        count=3,
        minutes=30,
        count_words=("Acts on one day", "一日内操作次数"),
        minutes_words=("Minutes around the shift that do not count", "班次前后宽限分钟数"),
    ),
    Rule(
        "reopened",
        ("Reopened again and again", "多次重新打开"),
        (
            "The incident was closed and opened again this often. Was it ever solved?",
            "案件多次结案后又被打开。问题是否真正解决？",
        ),
        ("An incident that a citizen reopens counts as rework.", "群众要求重新打开的案件计为返工。"),
        2,
        count=3,
        count_words=("Times", "次数"),
    ),
    Rule(
        "identity_unused",
        ("Reporter looked up, nothing done", "查看上报人后无后续"),
        (
            "Somebody read who reported the incident, and did nothing on it afterwards. What for?",
            "查看了上报人身份，之后未在该案件上办理任何事项。用途何在？",
        ),
        _IDENTITY,
        1,
        minutes=1440,
        minutes_words=("Minutes to act within", "应有后续操作的分钟数"),
    ),
    Rule(
        "identity_off_hours",
        ("Reporter looked up outside hours", "非工作时间查看上报人"),
        (
            "Somebody read who reported the incident outside the hours of work.",
            "在工作时间之外查看了上报人身份。",
        ),
        _IDENTITY,
        2,
    ),
    Rule(
        "limit_before_breach",
        ("Limit changed just before a breach", "超时前修改时限"),
        (
            "A time limit was changed while an incident of the same class was about to pass its deadline.",
            "同类案件即将超过时限之际，时限规则被修改。",
        ),
        ("Limits and classes are changed by two persons.", "时限和分类须由两人变更。"),
        2,
        minutes=4320,
        minutes_words=("Minutes before the breach", "超时前的分钟数"),
    ),
    Rule(
        "rules_shared",
        ("Two persons who are close", "两人关系密切"),
        (
            "Who proposed a change of the rules and who approved it are one person, or stand in for each other.",
            "规则变更的提出人与批准人为同一人，或互为代班。",
        ),
        ("Limits and classes are changed by two persons.", "时限和分类须由两人变更。"),
        1,
    ),
    Rule(
        "many_voids",
        ("Many voided by one person", "一人作废过多"),
        (
            "One person voided this many incidents in a short time. A voided incident leaves every rate.",
            "同一人员在短时间内作废大量案件。作废案件不计入任何指标。",
        ),
        ("A voided incident leaves the count of what was due.", "作废案件退出应结案数。"),
        2,
        count=10,
        minutes=1440,
        count_words=("Incidents", "案件数"),
        minutes_words=("Within minutes", "时间窗（分钟）"),
    ),
    Rule(
        "many_extensions",
        ("Much time granted by one person", "一人批准延期过多"),
        (
            "One person granted this many extensions in a short time. Each moves a deadline.",
            "同一人员在短时间内批准大量延期。每次批准都会推迟时限。",
        ),
        ("An extension moves the deadline a unit is judged by.", "延期会推迟考核单位所依据的时限。"),
        2,
        count=10,
        minutes=1440,
        count_words=("Extensions", "延期数"),
        minutes_words=("Within minutes", "时间窗（分钟）"),
    ),
    Rule(
        "hasty_closing",
        ("Closed within seconds", "短时间内批量结案"),
        (
            "One person closed this many incidents faster than anybody can look at them.",
            "同一人员结案速度之快，无法逐一核实。",
        ),
        ("Verifying before closing is a step of its own.", "结案前的核查是独立环节。"),
        2,
        count=5,
        minutes=1,
        count_words=("Incidents", "案件数"),
        minutes_words=("Within minutes", "时间窗（分钟）"),
    ),
)
"""All rules there are; the thresholds are those a territory starts with."""
BY_KEY: Mapping[str, Rule] = {rule.key: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a rule looks for from a moment on; ``on`` False stops the rule."""

    rule: str
    since: dt.datetime
    count: int | None
    minutes: int | None
    on: bool = True


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All thresholds that ever held; an act is judged by those of its own moment."""

    changed: tuple[Threshold, ...] = ()

    def at(self, rule: str, moment: dt.datetime) -> Threshold:
        """Return what holds for a rule at a moment."""
        known = [each for each in self.changed if each.rule == rule and each.since <= moment]
        if known:
            return max(known, key=lambda each: each.since)
        first = BY_KEY[rule]
        return Threshold(rule, dt.datetime.min.replace(tzinfo=dt.UTC), first.count, first.minutes)

    def longest(self, *rules: str) -> dt.timedelta:
        """Return the longest window that any of the rules ever had."""
        held = [each.minutes or 0 for each in self.changed if each.rule in rules]
        held += [BY_KEY[rule].minutes or 0 for rule in rules]
        return dt.timedelta(minutes=max(held))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found; ``key`` is the same however often and in whatever portions the record is read."""

    rule: str
    key: str
    table: str
    subject_id: str
    persons: tuple[int, ...]
    seqs: tuple[int, ...]
    at: dt.datetime
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """What links an account to a human being; an account with several persons stands several times."""

    user_id: int
    worker_id: int | None = None
    person_id: int | None = None
    phone: str | None = None


def same_persons(accounts: Iterable[Account]) -> dict[int, int]:
    """Return user to the smallest user that is the same human being: by worker, person or telephone number."""
    held = list(accounts)
    head: dict[int, int] = {each.user_id: each.user_id for each in held}

    def top(user_id: int) -> int:
        while head[user_id] != user_id:
            head[user_id] = head[head[user_id]]
            user_id = head[user_id]
        return user_id

    first: dict[tuple[str, object], int] = {}
    for each in held:
        for kind, value in (("worker", each.worker_id), ("person", each.person_id), ("phone", each.phone)):
            if value is None:
                continue
            other = first.setdefault((kind, value), each.user_id)
            one, two = sorted((top(each.user_id), top(other)))
            head[two] = one
    return {user_id: top(user_id) for user_id in head}


@dataclass(frozen=True, eq=False, slots=True)
class Context:
    """What the record alone does not say.

    Attributes
    ----------
    same
        User to one user that stands for the human being, where several accounts belong to one.
    worker_of
        User to worker.
    shifts
        Worker and moment to the spans of duty around it, in seconds since 1970; None without a roster.
    office
        Whether a moment lies within the hours of the office; None where no calendar says.
    demanded
        Class and moment to the kinds of evidence that the class demanded then.
    close_to
        Pairs of users who stand in for each other, the smaller first.
    """

    zone: ZoneInfo
    thresholds: Thresholds = Thresholds()
    same: Mapping[int, int] = field(default_factory=dict)
    worker_of: Mapping[int, int] = field(default_factory=dict)
    shifts: Callable[[int, dt.datetime], Sequence[tuple[int, int]] | None] | None = None
    office: Callable[[dt.datetime], bool | None] | None = None
    demanded: Callable[[int, dt.datetime], frozenset[str]] | None = None
    close_to: frozenset[tuple[int, int]] = frozenset()

    def one_person(self, first: int, second: int) -> bool:
        """Return whether two accounts belong to one human being."""
        return self.same.get(first, first) == self.same.get(second, second)

    def day(self, moment: dt.datetime) -> str:
        """Return the local day of a moment."""
        return moment.astimezone(self.zone).date().isoformat()

    def on_shift(self, user_id: int, moment: dt.datetime, grace: dt.timedelta) -> bool | None:
        """Return whether the user's worker is on duty at a moment; None when nobody can say."""
        worker_id = self.worker_of.get(user_id)
        spans = None if worker_id is None or self.shifts is None else self.shifts(worker_id, moment)
        if spans is None:
            return None
        second, slack = moment.timestamp(), grace.total_seconds()
        return any(start - slack <= second <= end + slack for start, end in spans)
