"""Words of the standing plan in both languages: why a row needs a person, and what is told about the reckoning."""

from __future__ import annotations

from dispatch.plan_model import Id, Reason
from dispatch.plan_words import in_chinese

WORDS: dict[str, tuple[str, str]] = {
    "emergency": ("An emergency: a person decides who goes.", "紧急案件：由人决定派谁。"),
    "late": ("Would be begun {minutes} min after its deadline.", "将在期限后 {minutes} 分钟才开始办理。"),
    "accepted": ("Takes work away that {worker} has accepted.", "将改派 {worker} 已接的任务。"),
    "refused": ("Was refused before: {workers}.", "曾被拒绝：{workers}。"),
    "together": (
        "It takes {count} workers: {others} comes along, and is told by you.",
        "此案需 {count} 人同去：{others} 协同，请您通知本人。",
    ),
    "off_shift": ("Its worker {worker} is off shift.", "其办理人员 {worker} 未在班。"),
    "begun_off_shift": (
        "{worker} has begun it and is off shift.",
        "{worker} 已开始办理，但未在班。",
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


def reason(kind: str, **figures: float | str | Id) -> Reason:
    """Return a reason with its figures in both languages."""
    en, zh = WORDS[kind]
    return Reason(kind, en.format(**figures), zh.format(**in_chinese(figures)), figures)
