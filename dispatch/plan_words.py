"""Words of the plan in both languages: what is wrong, what binds, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dispatch.plan_model import Id, Reason, Task, Worker
from incidents.needs import lacking, lacks_words
from people.abilities import names_en, names_zh

WORDS: dict[str, tuple[str, str]] = {
    # figures that cannot be used
    "service": ("Its service time is {value} s; it must be zero or more.", "其办理时长为 {value} 秒，须为零或正数。"),
    "size": ("Its size is {value}; it must be zero or more.", "其占用容量为 {value}，须为零或正数。"),
    "prize": (
        "Its cost of being left out is {value}; it must be zero or more.",
        "其未派代价为 {value}，须为零或正数。",
    ),
    "priority": ("Its priority is {value}; it must be 0, 1 or 2.", "其优先级为 {value}，须为 0、1 或 2。"),
    "several": ("It asks for {value} workers; it must be one or more.", "其所需人数为 {value}，须至少为一人。"),
    "moment": ("A time of it is missing or not a number.", "其时间缺失或不是数字。"),
    "window": (
        "It may begin only after {earliest} s and only before {latest} s.",
        "其最早开始时间 {earliest} 秒晚于最晚开始时间 {latest} 秒。",
    ),
    "twice": ("The same id stands in an earlier row.", "同一编号已在前面出现。"),
    "off_network": ("Its place is not on the road network.", "其位置不在路网上。"),
    "times": (
        "A time of the way to it or from it is missing or below zero.",
        "往返该处的行程时间缺失或为负。",
    ),
    # pins
    "pin_unknown": ("It is pinned to {workers}, who is not in this plan.", "其指定人员 {workers} 不在本计划中。"),
    "pin_excluded": ("It is pinned to {workers} and excludes the same.", "其指定人员 {workers} 同时被排除。"),
    "pin_few": (
        "It needs {value} workers and is pinned to {count}.",
        "其需要 {value} 人，却只指定了 {count} 人。",
    ),
    "pin_skill": (
        "It is pinned to {workers}, who lacks {missing}.",
        "其指定人员 {workers} 缺少：{missing}。",
    ),
    # workers
    "no_position": ("No position is known on the road network.", "位置不明或不在路网上。"),
    "shift_over": ("The shift has ended.", "班次已结束。"),
    "shift": ("The shift ends before it begins, or a time of it is missing.", "班次结束早于开始，或时间缺失。"),
    "capacity": ("The capacity is missing or negative.", "容量缺失或为负。"),
    "rest": ("A break ends before it begins, or a time of it is missing.", "休息时段有误或缺失。"),
    "commitment": (
        "Is said to be at task {task}, which is not in this plan, or is somebody else's.",
        "正在办理的任务 {task} 不在本计划中或已由他人办理。",
    ),
    "no_way_on": (
        "Is said to be on the way to task {task}, and no way leads there.",
        "称正在前往任务 {task}，但无路可达。",
    ),
    # what binds a task that nobody is sent to
    "nobody": ("No worker can be planned for.", "没有可安排的人员。"),
    "skill": ("No worker has all of: {missing}.", "没有人员同时具备：{missing}。"),
    "excluded": ("Everybody who could do it is excluded.", "能办理的人员均被排除。"),
    "too_big": (
        "It takes {value} of capacity; the most anybody has is {most}.",
        "其占用容量 {value}，人员容量最多为 {most}。",
    ),
    "no_way": ("No way leads there from anybody who could do it.", "能办理的人员均无路可达。"),
    "too_far": (
        "Even with nothing else to do, {worker} would be done {minutes} min after the end of the shift.",
        "即使不办其他任务，{worker} 也将在班次结束后 {minutes} 分钟才办完。",
    ),
    "closes": (
        "Even with nothing else to do, {worker} would arrive {minutes} min after it can be begun.",
        "即使不办其他任务，{worker} 也将比最晚开始时间晚 {minutes} 分钟到达。",
    ),
    "full": (
        "All {count} who could do it have no time left before their shifts end.",
        "能办理的 {count} 人在班次结束前都没有空余时间。",
    ),
    "price": (
        "Sending {worker} would cost {more} s, and leaving it out costs {prize} s{heaviest}.",
        "派 {worker} 的代价为 {more} 秒，而不派的代价为 {prize} 秒{zh}。",
    ),
    "together": (
        "No {count} of those who could do it can begin it together.",
        "能办理的人员中，没有 {count} 人能同时开始。",
    ),
    # what would free it
    "way_skill": ("Put somebody with {missing} on duty.", "安排具备 {missing} 的人员上岗。"),
    "way_pin": ("Take the pin away, or pin it to somebody else.", "取消指定，或改为指定他人。"),
    "way_excluded": ("Take an exclusion away.", "取消一项排除。"),
    "way_figures": ("Mend its figures.", "请更正其数据。"),
    "way_overtime": ("{minutes} min of overtime of {worker} would do.", "{worker} 加班 {minutes} 分钟即可办理。"),
    "way_prize": (
        "It goes to {worker} when leaving it out costs more than {more} s.",
        "若不派的代价高于 {more} 秒，将派 {worker}。",
    ),
    "way_people": ("Put another worker on duty, or plan it for the next shift.", "增派人员，或列入下一班次。"),
    "way_place": ("Check its place on the map.", "请在地图上核对其位置。"),
    # why not this worker
    "pinned": ("The task is pinned to {workers}.", "该任务已指定由 {workers} 办理。"),
    "barred": ("Is excluded from the task.", "已被排除办理该任务。"),
    "no_room": ("Has room for {left} and the task takes {value}.", "剩余容量 {left}，任务需 {value}。"),
    "unreachable": ("No way leads there from where this worker is.", "从其所在位置无路可达。"),
    "companion": ("Does another part of the same task.", "已承担同一任务的另一部分。"),
    "no_time": ("Would end the shift {minutes} min late.", "班次将超时 {minutes} 分钟。"),
    "committed_other": ("{worker} is at work on it, which never moves.", "{worker} 正在办理，不作调整。"),
    "closed": ("Would arrive {minutes} min after it can be begun.", "将比最晚开始时间晚 {minutes} 分钟到达。"),
    "meets": (
        "Would arrive {minutes} min after the others begin it.",
        "将比其他人员共同开始的时间晚 {minutes} 分钟到达。",
    ),
    "no_time_here": ("Has no place left in the day for it.", "当日已无可插入的时段。"),
    "late_here": ("Would be {minutes} min late at this task.", "到达该任务将超期 {minutes} 分钟。"),
    "late_there": ("Would be {minutes} min late at {task}.", "将使任务 {task} 超期 {minutes} 分钟。"),
    "tight_here": (
        "Would begin this task less long before its deadline than is aimed at: {minutes} min.",
        "开始该任务时距期限仅 {minutes} 分钟，少于预留时间。",
    ),
    "tight_there": (
        "Would leave {task} less time before its deadline than is aimed at: {minutes} min.",
        "将使任务 {task} 距期限仅 {minutes} 分钟，少于预留时间。",
    ),
    "farther": ("The way is {minutes} min longer.", "路程多 {minutes} 分钟。"),
    "later": ("Begins it {minutes} min later.", "开始时间晚 {minutes} 分钟。"),
    "not_owner": (
        "The grid is another worker's; that counts {minutes} min.",
        "该网格属其他网格员，计 {minutes} 分钟。",
    ),
    "accepted": (
        "{worker} has it already; a change counts {minutes} min.",
        "已交 {worker} 办理，改派计 {minutes} 分钟。",
    ),
    "busier": ("Is busier; that counts {minutes} min.", "负荷更重，计 {minutes} 分钟。"),
    "overtime": ("Would work {minutes} min past the end of the shift.", "将加班 {minutes} 分钟。"),
    "same": ("Costs the same.", "代价相同。"),
}

TERM_WORDS: dict[str, tuple[str, str]] = {
    "travel": ("the way", "路程"),
    "response": ("waiting until it is begun", "等候时间"),
    "lateness": ("lateness", "超期"),
    "margin": ("little time before a deadline", "期限前余量不足"),
    "owner": ("leaving the own grid", "跨网格"),
    "change": ("taking work away from who has it", "改派已派任务"),
    "fairness": ("an uneven load", "负荷不均"),
    "overtime": ("overtime", "加班"),
    "unserved": ("tasks left out", "未派任务"),
}


def reason(kind: str, **figures: float | str | Id) -> Reason:
    """Return a reason with its figures in both languages."""
    en, zh = WORDS[kind]
    return Reason(kind, en.format(**figures), zh.format(**in_chinese(figures)), figures)


def in_chinese(figures: Mapping[str, float | str | Id]) -> dict[str, float | str | Id]:
    """Return figures as a Chinese sentence holds them: what is listed, with the comma of lists."""
    return {name: each.zh if isinstance(each, Listed) else each for name, each in figures.items()}


class Listed(str):
    """Names in a row, separated by commas; ``zh`` is the same in Chinese."""

    __slots__ = ("zh",)
    zh: str


def minutes(seconds: float) -> int:
    """Return whole minutes, at least one, for a sentence."""
    return max(1, round(seconds / 60))


def lacks(task: Task, worker: Worker) -> Reason | None:
    """Return "Has no chainsaw." of a worker who lacks what a task needs; None when he has it all."""
    needed, had = (task.skills, task.equipment), (worker.skills, worker.equipment)
    skills, equipment = lacking(needed, had)
    if not skills and not equipment:
        return None
    en, zh = lacks_words(skills, equipment)
    figures = {"missing": ", ".join((*skills, *equipment))}
    return Reason("lacks", f"{en[0].upper()}{en[1:]}.", f"{zh}。", figures)


def labelled(keys: Iterable[str]) -> Listed:
    """Return skills and pieces of equipment by their names."""
    keys = list(keys)
    made = Listed(names_en(keys))
    made.zh = names_zh(keys)
    return made


def listed(names: Iterable[object]) -> Listed:
    """Return names in order."""
    found = sorted(str(each) for each in names)
    made = Listed(", ".join(found))
    made.zh = "、".join(found)
    return made
