"""What a played day of a territory assumes, in both languages."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "incidents": (
        "Incidents are those filed on the day, with the deadlines they have; what was open before is left out.",
        "案件为当日立案的案件，沿用其时限；此前未结的案件不计入。",
    ),
    "people": (
        "Workers are those of the roster with a responsibility grid, and begin in its middle; skills are not asked.",
        "人员为当日排班中有责任网格者，从其网格中部出发；不考虑技能。",
    ),
    "work": (
        "Work takes as long as usual for its class, longer or shorter by chance, the same for every rule.",
        "办理时长取该类案件的平均时长并随机波动，各规则相同。",
    ),
    "known": (
        "A rule knows the usual time alone: from history for {known} of {total}, for the others {minutes:.0f} min.",
        "规则只知道平均时长；{total} 件案件中 {known} 件的类别有历史数据，其余按 {minutes:.0f} 分钟计。",
    ),
    "streets": (
        "Ways are by car on the streets as they are now, without traffic.",
        "路程按现有道路驾车计算，不含实时路况。",
    ),
    "straight": (
        "Ways are straight lines times a detour, because this territory has no streets.",
        "本辖区无路网，路程按直线距离乘绕行系数计算。",
    ),
    "rules": (
        "Who has set out never turns back; a refusal takes a minute; nobody works half an hour past the shift.",
        "已出发者不召回；拒单耗时一分钟；不安排超过下班半小时的任务。",
    ),
    "more": (
        "More workers begin where ways are longest, in the usual shift; who is missing is drawn by lot.",
        "增加的人员从路程最长处出发，按常规班次；减少的人员随机抽取。",
    ),
}


def notes(known: int, total: int, minutes: float, *, straight: bool) -> tuple[tuple[str, str], ...]:
    """Return the assumptions of a day: of ``total`` incidents ``known`` are of a class with a history."""
    keys = ("incidents", "people", "work", "known", "straight" if straight else "streets", "rules", "more")
    figures = {"known": known, "total": total, "minutes": minutes}
    return tuple((WORDS[key][0].format(**figures), WORDS[key][1].format(**figures)) for key in keys)
