"""Words of the standing plan in both languages: why a row needs a person, and what is told about the reckoning."""

from __future__ import annotations

from dispatch.plan_model import Id, Reason
from dispatch.plan_words import Listed, in_chinese
from dispatch.situation_model import WorkRow

WORDS: dict[str, tuple[str, str]] = {
    "emergency": ("An emergency: a person decides who goes.", "紧急案件：由人决定派谁。"),
    "late": ("Would be begun {minutes} min after its deadline.", "将在期限后 {minutes} 分钟才开始办理。"),
    "accepted": ("Takes work away that {worker} has accepted.", "将改派 {worker} 已接的任务。"),
    "refused": (
        "Was refused, left unanswered or taken back before: {workers}.",
        "此前拒接、未应答或被撤回：{workers}。",
    ),
    "off_shift": ("Its worker {worker} is off shift.", "其办理人员 {worker} 未在班。"),
    "begun_off_shift": (
        "{worker} has begun it and is off shift.",
        "{worker} 已开始办理，但未在班。",
    ),
    "look_off_shift": ("{worker} was to {look} and is off shift.", "{worker} 应前往{look}，但未在班。"),
    "way_deputy": (
        "Give it to {deputy}, who answers for the grid now, or keep it until {worker} is back.",
        "请改派现负责该网格的 {deputy}，或待 {worker} 返岗后办理。",
    ),
    "way_back": (
        "Give it to somebody on shift, or keep it until {worker} is back.",
        "请改派在班人员，或待 {worker} 返岗后办理。",
    ),
    "way_call": (
        "Ask {worker} whether it is done, or hand it to somebody on shift.",
        "请向 {worker} 核实是否办结，或改派在班人员。",
    ),
    "close_call": ("Only {minutes} min to spare before its deadline.", "距期限仅余 {minutes} 分钟。"),
    "no_unit": ("No unit is responsible for it yet.", "尚无责任单位。"),
    "straight": (
        "There are no streets here: ways are straight lines × 1.3 at 25 km/h.",
        "此处没有路网：路程按直线 × 1.3、时速 25 公里估算。",
    ),
}

LOOKS: dict[str, tuple[str, str]] = {
    "verify": ("verify it", "核实"),
    "check": ("check it", "核查"),
    "visit": ("visit whoever reported it", "回访"),
    "patrol": ("patrol there", "巡查"),
    "handle": ("help with it", "协助办理"),
}
"""What somebody was sent for by kind of task, where it is not to handle it alone."""


def why_left(row: WorkRow, worker: str, deputy: str | None) -> tuple[Reason, Reason]:
    """Return why nobody does what a worker who is off shift was sent for, and the way out."""
    if row.kind == "handle" and not row.joint:
        return reason("begun_off_shift", worker=worker), reason("way_call", worker=worker)
    look = Listed(LOOKS[row.kind][0])
    look.zh = LOOKS[row.kind][1]
    way = "way_back" if deputy is None else "way_deputy"
    return reason("look_off_shift", worker=worker, look=look), reason(way, worker=worker, deputy=deputy or "")


def reason(kind: str, **figures: float | str | Id) -> Reason:
    """Return a reason with its figures in both languages."""
    en, zh = WORDS[kind]
    return Reason(kind, en.format(**figures), zh.format(**in_chinese(figures)), figures)
