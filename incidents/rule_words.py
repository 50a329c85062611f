"""A change of the rules in words, in English and Chinese."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incidents import evidence_rules
from incidents.limits import DEFAULT, PUBLISHED
from incidents.rules import ANY_CLASS, CALENDAR, CLASS, DAY, LIMIT, Edit, Fields, Rules
from people.abilities import names_en, names_zh

Say = tuple[str, str]
"""The same in English and in Chinese."""

NOTHING: Say = ("–", "–")
AS_USUAL: Say = ("as usual", "按惯例")
FIELD_WORDS: dict[str, Say] = {
    "category": ("category", "大类"),
    "name_en": ("English name", "英文名称"),
    "name_zh": ("Chinese name", "中文名称"),
    "priority": ("priority", "优先级"),
    "emergency": ("emergency", "紧急"),
    "evidence": ("evidence demanded", "须附取证材料"),
    "check_on_site": ("checked on site", "现场核查"),
    "skills": ("skills needed", "所需技能"),
    "equipment": ("equipment needed", "所需装备"),
    "workers": ("workers needed", "所需人数"),
    "service_min": ("minutes on site", "现场时长（分钟）"),
    "active": ("in use", "启用"),
    "limit": ("limit", "时限"),
    "stage": ("stage", "环节"),
    "condition": ("condition", "适用条件"),
    "closing_condition_en": ("done when (English)", "结案条件（英文）"),
    "closing_condition_zh": ("done when (Chinese)", "结案条件（中文）"),
    "responsible_kind": ("answers for it", "责任主体"),
    "calendar": ("calendar", "工作日历"),
    "verified": ("stands in a public text", "有公开依据"),
    "source": ("source", "依据"),
    "hours": ("opening hours", "办公时间"),
    "timezone": ("time zone", "时区"),
    "holidays_source": ("source of the days", "假日来源"),
    "kind": ("kind", "类型"),
    "name": ("name", "名称"),
}
NOT_TOLD = frozenset({"class", "category_en", "category_zh"})
UNIT_WORDS: dict[str, Say] = {
    "urgent_hours": ("urgent hours", "紧急工作时"),
    "working_hours": ("working hours", "工作时"),
    "working_days": ("working days", "工作日"),
    "calendar_days": ("calendar days", "自然日"),
}
STAGE_WORDS: dict[str, Say] = {
    "verify": ("verify", "核实"),
    "file": ("file", "立案"),
    "dispatch": ("dispatch", "派遣"),
    "handle": ("handle", "处置"),
    "check": ("check", "核查"),
    "close": ("close", "结案"),
}
RESPONSIBLE_WORDS: dict[str, Say] = {"department": ("department", "部门"), "centre": ("centre", "中心")}
DAY_WORDS: dict[str, Say] = {"holiday": ("holiday", "假日"), "workday": ("make-up workday", "调休工作日")}
TABLE_WORDS: dict[str, Say] = {
    CLASS: ("class", "小类"),
    LIMIT: ("limit", "时限"),
    CALENDAR: ("calendar", "工作日历"),
    DAY: ("day of a calendar", "日历日"),
}
WEEKDAYS: tuple[Say, ...] = (
    ("Mon", "周一"),
    ("Tue", "周二"),
    ("Wed", "周三"),
    ("Thu", "周四"),
    ("Fri", "周五"),
    ("Sat", "周六"),
    ("Sun", "周日"),
)
SOURCE_WORDS: dict[str, Say] = {
    PUBLISHED: (PUBLISHED, "公开的城市管理监督手册"),
    DEFAULT: (DEFAULT, "平台默认值"),
}
_BY_FIELD: dict[str, Mapping[str, Say]] = {
    "unit": UNIT_WORDS,
    "stage": STAGE_WORDS,
    "responsible_kind": RESPONSIBLE_WORDS,
    "kind": DAY_WORDS,
    "source": SOURCE_WORDS,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a changed row, in words."""

    field: Say
    before: Say
    after: Say


def subject(edit: Edit, rules: Rules) -> Say:
    """Return which row an edit is about."""
    return subject_of(edit.table, edit.key, edit.after or edit.before or {}, rules)


def subject_of(table: str, key: str, fields: Fields, rules: Rules) -> Say:
    """Return what a row is called."""
    if table == CLASS:
        return (f"{fields.get('name_en', '')} ({key})", f"{fields.get('name_zh', '')}（{key}）")
    if table == LIMIT:
        class_key, stage, condition = (*key.split("|"), "", "")[:3]
        english, chinese = _class_name(class_key, rules)
        en, zh = STAGE_WORDS.get(stage, (stage, stage))
        step = (f", {condition}", f"，{condition}") if condition else ("", "")
        return (f"{english}: {en}{step[0]}", f"{chinese}：{zh}{step[1]}")
    if table == CALENDAR:
        return (str(fields.get("name_en", key)), str(fields.get("name_zh", key)))
    code, _, day = key.partition("|")
    english, chinese = calendar_name(code, rules)
    return (f"{english}, {day}", f"{chinese}，{day}")


def calendar_name(code: str | None, rules: Rules) -> Say:
    """Return the name of a calendar; none is the territory's own."""
    if not code:
        return ("the territory's own", "辖区日历")
    row = rules.get((CALENDAR, code))
    return (code, code) if row is None else (str(row.fields["name_en"]), str(row.fields["name_zh"]))


def _class_name(key: str, rules: Rules) -> Say:
    if key == ANY_CLASS:
        return ("Any class", "所有小类")
    row = rules.get((CLASS, key))
    return (key, key) if row is None else (str(row.fields["name_en"]), str(row.fields["name_zh"]))


def differences(edit: Edit, rules: Rules) -> tuple[Difference, ...]:
    """Return the fields that an edit changes; value and unit of a limit are one."""
    before, after = _told(edit.table, edit.before), _told(edit.table, edit.after)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return tuple(
        Difference(
            FIELD_WORDS.get(name, (name, name)),
            value_words(name, before[name], rules) if name in before else NOTHING,
            value_words(name, after[name], rules) if name in after else NOTHING,
        )
        for name in names
    )


def sentence(edit: Edit, rules: Rules) -> Say:
    """Return a whole edit in one sentence: what is added, ended, or changed from what to what."""
    said = subject(edit, rules)
    parts = differences(edit, rules)
    start = "" if edit.start is None else edit.start.isoformat()
    told = []
    for place in (0, 1):
        colon, arrow = (": ", " → ") if place == 0 else ("：", " → ")
        if edit.after is None:
            words = (f"{said[0]} ends", f"{said[1]}停用")[place]
        elif edit.before is None:
            given = ", ".join(f"{part.field[place]} {part.after[place]}" for part in parts if part.after != NOTHING)
            words = (f"new: {said[0]}", f"新增：{said[1]}")[place] + (f" ({given})" if given else "")
        else:
            words = (
                said[place]
                + colon
                + "; ".join(f"{part.field[place]} {part.before[place]}{arrow}{part.after[place]}" for part in parts)
            )
        told.append(words + ((f", from {start}", f"，自 {start} 起")[place] if start else ""))
    return (told[0], told[1])


def headline(edits: Sequence[Edit], rules: Rules) -> Say:
    """Return a whole change in a few words."""
    if not edits:
        return NOTHING
    if len(edits) == 1:
        return sentence(edits[0], rules)
    english, chinese = subject(edits[0], rules)
    more = len(edits) - 1
    return (f"{english} and {more} more", f"{chinese}等 {more + 1} 项")


def since(edit: Edit, rules: Rules) -> Say:
    """Return what became of an edit's row after it was proposed."""
    row = rules.get((edit.table, edit.key))
    now = None if row is None else row.fields
    return sentence(Edit(edit.table, edit.key, edit.before, now), rules) if now != edit.before else subject(edit, rules)


def value_words(name: str, value: Any, rules: Rules) -> Say:
    """Return the value of a field in words."""
    if name in {"calendar", "hours", "limit", "skills", "equipment", "service_min"}:
        return {
            "calendar": lambda: calendar_name(value, rules),
            "hours": lambda: hours_words(value),
            "limit": lambda: limit_words(*value),
            "skills": lambda: labels_words(value),
            "equipment": lambda: labels_words(value),
            "service_min": lambda: (f"{float(value):g}", f"{float(value):g}") if value else AS_USUAL,
        }[name]()
    if isinstance(value, bool):
        return ("yes", "是") if value else ("no", "否")
    if name == "evidence" and value:
        return evidence_rules.in_words(evidence_rules.demanded(str(value)))
    if value is None or value == "":
        return NOTHING
    if name in _BY_FIELD:
        return _BY_FIELD[name].get(str(value), (str(value), str(value)))
    return (str(value), str(value))


def limit_words(value: float, unit: str) -> Say:
    """Return a limit as "4 working hours"."""
    english, chinese = UNIT_WORDS.get(unit, (unit, unit))
    number = f"{float(value):g}"
    return (f"{number} {english[:-1] if number == '1' else english}", f"{number} {chinese}")


def labels_words(labels: Sequence[str]) -> Say:
    """Return skills or pieces of equipment by their names."""
    return (names_en(labels), names_zh(labels)) if labels else NOTHING


def hours_words(hours: Mapping[str, Sequence[Sequence[str]]]) -> Say:
    """Return opening hours as "Mon–Fri 09:00–12:00, 13:00–17:00"; weekdays that are alike stand together."""
    groups: list[tuple[int, int, str]] = []
    for weekday in range(1, 8):
        spans = ", ".join(f"{begin}–{'24:00' if end == '00:00' else end}" for begin, end in hours.get(str(weekday), ()))
        if groups and groups[-1][2] == spans and groups[-1][1] == weekday - 1:
            groups[-1] = (groups[-1][0], weekday, spans)
        else:
            groups.append((weekday, weekday, spans))
    told: list[str] = []
    for place in (0, 1):
        words = []
        for first, last, spans in groups:
            if spans:
                days = WEEKDAYS[first - 1][place]
                if last > first:
                    days += ("–", "至")[place] + WEEKDAYS[last - 1][place]
                words.append(f"{days} {spans}")
        told.append("; ".join(words) or ("never open", "不办公")[place])
    return (told[0], told[1])


def day_of(key: str) -> dt.date:
    """Return the day of a key such as office-gb|2026-12-25."""
    return dt.date.fromisoformat(key.partition("|")[2])


def _told(table: str, fields: Fields | None) -> dict[str, Any]:
    """Return the fields worth telling; value and unit become one, parts of the key are left out."""
    if fields is None:
        return {}
    told = {name: value for name, value in fields.items() if name not in NOT_TOLD}
    if table == LIMIT:
        told = {"limit": (told.pop("value", 0), told.pop("unit", "")), **told}
        for name in ("stage", "condition"):
            told.pop(name, None)
    return told
