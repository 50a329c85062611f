"""The time limits that are seeded: as data, each with its source and whether that was checked.

Limits that stand in a published manual are marked verified; the rest are defaults that a city is
expected to change. A limit without a condition is the one an incident's deadline is counted by;
limits with a condition are its intermediate steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from incidents.classes import CLASSES
from incidents.deadlines import Limit

PUBLISHED = "Published manual of city supervision"
DEFAULT = "Default of this platform"


@dataclass(frozen=True, slots=True)
class LimitSpec:
    """A seeded limit.

    Attributes
    ----------
    class_key
        E.g. ``event-04-03``; None holds for every class without a limit of its own.
    condition
        Empty for the main limit of the stage, else the step, e.g. ``fence``.
    responsible_kind
        ``department`` for handling, ``centre`` for the two centres.
    """

    class_key: str | None
    stage: str
    limit: Limit
    condition: str = ""
    closing_condition_en: str = ""
    closing_condition_zh: str = ""
    responsible_kind: str = "department"
    verified: bool = False
    source: str = DEFAULT


def _handle(
    key: str | None, value: float, unit: str, en: str, zh: str, *, condition: str = "", verified: bool = True
) -> LimitSpec:
    source = PUBLISHED if verified else DEFAULT
    return LimitSpec(key, "handle", Limit(value, unit), condition, en, zh, "department", verified, source)


_CENTRE = (
    LimitSpec(None, "verify", Limit(2, "working_hours"), responsible_kind="centre"),
    LimitSpec(None, "file", Limit(1, "working_hours"), responsible_kind="centre"),
    LimitSpec(
        None, "dispatch", Limit(1.5, "working_hours"), responsible_kind="centre", verified=True, source=PUBLISHED
    ),
    LimitSpec(None, "check", Limit(4, "working_hours"), responsible_kind="centre"),
    LimitSpec(None, "close", Limit(2, "working_hours"), responsible_kind="centre"),
)

_PUBLISHED = (
    _handle("event-01-02", 4, "working_hours", "Refuse removed", "垃圾清除"),
    _handle("event-01-03", 4, "working_hours", "Debris removed", "渣土清除"),
    _handle("event-01-04", 2, "working_hours", "Road clean", "路面整洁"),
    _handle("event-01-11", 4, "working_hours", "Water gone", "积水排除"),
    _handle("event-01-01", 4, "working_hours", "Building work stopped", "停止违法建设", condition="stop work"),
    _handle("event-01-01", 7, "working_days", "Penalty decided", "作出处罚决定", condition="penalty"),
    _handle("event-01-01", 20, "working_days", "Building demolished", "拆除完毕"),
    _handle("event-04-02", 3, "urgent_hours", "Place fenced off", "设置围挡", condition="fence"),
    _handle("event-04-02", 8, "urgent_hours", "Pipe repaired", "修复管道"),
    _handle("event-04-02", 5, "working_days", "Surface restored", "恢复路面", condition="surface"),
    _handle("event-04-03", 3, "urgent_hours", "Leak under control", "控制泄漏"),
    _handle("event-04-03", 48, "urgent_hours", "Pipe repaired", "修复管道", condition="repair"),
    _handle("event-05-05", 3, "urgent_hours", "Vehicle gone", "车辆驶离"),
)

_BY_PRIORITY = {1: Limit(24, "urgent_hours"), 2: Limit(2, "working_days"), 3: Limit(5, "working_days")}
_BY_PRIORITY[4] = Limit(10, "working_days")


def _defaults() -> tuple[LimitSpec, ...]:
    published = {spec.class_key for spec in _PUBLISHED}
    return tuple(
        _handle(
            spec.key,
            _BY_PRIORITY[spec.priority].value,
            _BY_PRIORITY[spec.priority].unit,
            "Problem solved",
            "问题解决",
            verified=False,
        )
        for spec in CLASSES
        if spec.key not in published
    )


LIMITS: tuple[LimitSpec, ...] = (*_CENTRE, *_PUBLISHED, *_defaults())
"""Every seeded limit; each shipped class has exactly one main limit of the stage ``handle``."""
