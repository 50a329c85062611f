"""What a proposed change must hold: every violation is collected, in English and Chinese."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from core.errors import DataQuality
from incidents.classes import MAJORS
from incidents.deadlines import UNITS
from incidents.evidence_rules import is_demand
from incidents.needs import LABELS_MOST, MINUTES_MOST, WORKERS_MOST
from incidents.rule_words import DAY_WORDS, RESPONSIBLE_WORDS, STAGE_WORDS, Say, subject
from incidents.rules import (
    ANY_CLASS,
    CALENDAR,
    CLASS,
    DAY,
    DEFAULTS,
    LIMIT,
    TABLES,
    Edit,
    Fields,
    Rules,
    apply,
    limit_key,
)
from people.worker_model import LABEL_LETTERS

CLASS_KEY = re.compile(r"(component|event)-(\d{2})-(\d{2})")
NAME_MOST = 60
TEXT_MOST = 200
REASON_LEAST = 10
EDITS_MOST = 1000
HOURS_MOST = 24 * 366
DAYS_MOST = 3660
AHEAD_MOST = 731
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2100, 12, 31)
ABOUT_PERSONS = re.compile(
    r"\b(petition\w*|assembl(?:y|ies)|protest\w*|demonstrations?|rall(?:y|ies)|strikes?|religio\w*|worship\w*|faith|"
    r"sects?|cults?|prayers?|persons?|people|individuals?|suspects?|offenders?|ex-convicts?|addicts?|migrants?|"
    r"foreigners?|patients?|mental\w*|beggars?|homeless)\b"
    r"|信访|上访|访民|集会|游行|示威|罢工|聚集|宗教|信仰|邪教|教徒|礼拜|祷告|传教|人员|人口|人群|居民|住户|嫌疑|"
    r"精神病|精神障碍|吸毒|刑满|释放|维稳|涉稳|乞讨|流浪(?!犬|狗|猫|动物)|外来|病人|患者",
    re.IGNORECASE,
)
"""Words of classes that are never kept: petitions, assemblies, religion, persons."""


def violations(edits: Sequence[Edit], rules: Rules, *, reason: str, today: dt.date) -> tuple[Say, ...]:
    """Return everything that is wrong with a change, in both languages; empty when nothing is."""
    found: list[Say] = []
    if not edits:
        found.append(("Nothing would change.", "没有任何变动。"))
    if len(edits) > EDITS_MOST:
        found.append((f"A change has at most {EDITS_MOST} rows.", f"一次变更最多 {EDITS_MOST} 行。"))
    seen: set[tuple[str, str]] = set()
    after = apply(rules, edits)
    for edit in edits:
        if (edit.table, edit.key) in seen:
            found.append((f"{edit.key} stands twice in the change.", f"{edit.key} 在本次变更中出现两次。"))
        seen.add((edit.table, edit.key))
        if edit.table not in TABLES:
            found.append((f"There is no table of rules {edit.table!r}.", f"没有规则表“{edit.table}”。"))
            continue
        unknown = sorted(set(edit.after or {}) - set(DEFAULTS[edit.table]))
        if unknown:
            names = ", ".join(unknown)
            found.append((f"{edit.key} has no field {names}.", f"{edit.key} 没有字段 {names}。"))
            continue
        mistyped = [name for name, value in (edit.after or {}).items() if not _fits(edit.table, name, value)]
        if mistyped:
            names = ", ".join(mistyped)
            found.append((f"{edit.key}: {names} cannot have this value.", f"{edit.key}：{names} 的值不对。"))
            continue
        said = subject(edit, after)
        told = _CHECKS[edit.table](edit, after, reason.strip(), today)
        found += [(f"{said[0]}: {english}", f"{said[1]}：{chinese}") for english, chinese in told]
    return tuple(found)


def _fits(table: str, name: str, value: Any) -> bool:
    """Return whether a value is of the kind its field holds."""
    usual = DEFAULTS[table][name]
    if name in {"class", "calendar"}:
        return value is None or isinstance(value, str)
    if isinstance(usual, (bool, str)):
        return type(value) is type(usual)
    if isinstance(usual, list):
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if isinstance(usual, Mapping):
        return isinstance(value, Mapping) and all(
            isinstance(spans, (list, tuple)) and all(isinstance(span, (list, tuple)) for span in spans)
            for spans in value.values()
        )
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def refuse_broken(edits: Sequence[Edit], rules: Rules, *, reason: str, today: dt.date) -> None:
    """Raise `DataQuality` with every violation when a change has any."""
    found = violations(edits, rules, reason=reason, today=today)
    if found:
        error = DataQuality(
            "The change breaks rules:", [english for english, _ in found], hint="Mend them all at once."
        )
        error.zh = "变更不符合规则：" + "；".join(chinese for _, chinese in found)
        raise error


def broken(rules: Rules, *, today: dt.date) -> tuple[Say, ...]:
    """Return what is wrong with rules as they stand, as if every row were proposed."""
    found: list[Say] = []
    for (table, key), row in rules.items():
        edit = Edit(table, key, row.fields, row.fields)
        said = subject(edit, rules)
        told = _CHECKS[table](edit, rules, "as it stands", today)
        found += [(f"{said[0]}: {english}", f"{said[1]}：{chinese}") for english, chinese in told]
    return tuple(found)


def _class(edit: Edit, rules: Rules, reason: str, _today: dt.date) -> Iterator[Say]:
    match = CLASS_KEY.fullmatch(edit.key)
    if match is None or f"{match[1]}-{match[2]}" not in MAJORS:
        yield (
            "the code must be kind, major and minor, such as event-04-03, with a known major.",
            "编码须为类型、大类、小类，如 event-04-03，且大类已有。",
        )
    if edit.after is None:
        yield ("a class is retired, not removed: incidents refer to it.", "小类只能停用，不能删除：已有案件引用它。")
        return
    fields = edit.after
    for name in ("name_en", "name_zh"):
        if not fields[name].strip() or len(fields[name]) > NAME_MOST:
            yield (
                f"both names, of at most {NAME_MOST} characters, are needed.",
                f"中英文名称都要填，不超过 {NAME_MOST} 字。",
            )
            break
    words = " ".join(fields[name] for name in ("name_en", "name_zh", "category_en", "category_zh"))
    word = ABOUT_PERSONS.search(words)
    if word is not None:
        yield (
            f"no class is about petitions, assemblies, religion or persons ({word[0]!r}); name the thing or place.",
            f"不设信访、集会、宗教、人员类小类（“{word[0]}”），请写设施或地点的问题。",
        )
    if fields["category"] != edit.key.rpartition("-")[0]:
        yield ("its category follows from its code.", "大类由编码决定。")
    yield from _class_values(fields)
    if edit.before and edit.before["emergency"] and not fields["emergency"] and len(reason) < REASON_LEAST:
        yield (
            f"taking the emergency mark away needs a reason of at least {REASON_LEAST} characters.",
            f"取消紧急标记须写明理由，不少于 {REASON_LEAST} 字。",
        )
    if fields["active"] and (LIMIT, limit_key(edit.key, "handle")) not in rules:
        yield ("it has no limit for handling; add one with it.", "没有处置时限，请一并添加。")


def _class_values(fields: Fields) -> Iterator[Say]:
    if fields["priority"] not in {1, 2, 3, 4}:
        yield ("the priority is 1 (most urgent) to 4.", "优先级为 1（最急）至 4。")
    if not is_demand(fields.get("evidence", "")):
        yield ("evidence is of before, after and place, in this order.", "取证材料只能是处置前、处置后照片与位置说明。")
    yield from _class_needs(fields)


def _class_needs(fields: Fields) -> Iterator[Say]:
    for name in ("skills", "equipment"):
        given = fields.get(name, [])
        if len(given) > LABELS_MOST or sorted({*given}) != sorted(given) or not all(map(_is_label, given)):
            yield (
                f"at most {LABELS_MOST} skills and {LABELS_MOST} pieces of equipment, each once, in plain words.",
                f"技能、装备各不超过 {LABELS_MOST} 项，不得重复，名称不超过 {LABEL_LETTERS} 字。",
            )
            return
    workers, minutes = fields.get("workers", 1), fields.get("service_min", 0.0)
    if workers != int(workers) or not 1 <= workers <= WORKERS_MOST:
        yield (f"it needs 1 to {WORKERS_MOST} workers.", f"所需人数须为 1 至 {WORKERS_MOST}。")
    if not 0 <= minutes <= MINUTES_MOST:
        yield (
            f"minutes on site are 1 to {MINUTES_MOST:.0f}, or 0 for as usual.",
            f"现场时长须为 1 至 {MINUTES_MOST:.0f} 分钟，0 表示按惯例。",
        )


def _is_label(text: str) -> bool:
    return 0 < len(text) <= LABEL_LETTERS and text == text.strip() and text.isprintable()


def _limit(edit: Edit, rules: Rules, _reason: str, today: dt.date) -> Iterator[Say]:
    class_key, stage, condition = (*edit.key.split("|"), "", "")[:3]
    held = rules.get((CLASS, class_key))
    if class_key != ANY_CLASS and held is None:
        yield ("there is no such class.", "没有该小类。")
    if edit.after is None:
        if stage == "handle" and not condition and held is not None and held.fields["active"]:
            yield (
                "a class in use keeps its limit for handling; change it instead.",
                "启用中的小类须有处置时限，只能修改。",
            )
        return
    own = (None if class_key == ANY_CLASS else class_key, stage, condition)
    if (edit.after["class"], edit.after["stage"], edit.after["condition"]) != own:
        yield (
            "class, stage and condition are its key and stay; add another limit.",
            "小类、环节、条件不能改，请另加时限。",
        )
    if stage not in STAGE_WORDS:
        yield (f"there is no stage {stage!r}.", f"没有环节“{stage}”。")
    yield from _limit_fields(edit.after, rules)
    if edit.start is not None and not today <= edit.start <= today + dt.timedelta(days=AHEAD_MOST):
        yield ("it can begin from today until two years from now.", "生效日须在今日至两年之内。")


def _limit_fields(fields: Fields, rules: Rules) -> Iterator[Say]:
    yield from _amount(fields["value"], fields["unit"])
    code = fields["calendar"]
    if code is not None and (CALENDAR, code) not in rules:
        yield (f"there is no calendar {code!r}.", f"没有工作日历“{code}”。")
    if fields["responsible_kind"] not in RESPONSIBLE_WORDS:
        yield ("a department or a centre answers for it.", "责任主体为部门或中心。")
    if fields["verified"] and not fields["source"].strip():
        yield ("what stands in a public text names the text.", "有公开依据的须写明依据。")
    if any(len(fields[name]) > TEXT_MOST for name in ("closing_condition_en", "closing_condition_zh", "source")):
        yield (f"a text is longer than {TEXT_MOST} characters.", f"文字超过 {TEXT_MOST} 字。")


def _amount(value: Any, unit: Any) -> Iterator[Say]:
    if unit not in UNITS:
        yield (f"{unit!r} is no unit of time; units are {', '.join(UNITS)}.", f"“{unit}”不是时限单位。")
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        yield ("the value must be a number above 0.", "时限须为大于 0 的数。")
        return
    days = unit.endswith("_days")
    if days and value != int(value):
        yield ("days are whole.", "天数须为整数。")
    if value > (DAYS_MOST if days else HOURS_MOST):
        yield ("the value is longer than any limit can be.", "时限过长。")


def _calendar(edit: Edit, _rules: Rules, _reason: str, _today: dt.date) -> Iterator[Say]:
    if edit.after is None or edit.before is None:
        yield ("calendars come with a territory; they are changed, not added or removed.", "日历随辖区建立，只能修改。")
        return
    fields = edit.after
    if not (str(fields["name_en"]).strip() and str(fields["name_zh"]).strip()):
        yield ("both names are needed.", "中英文名称都要填。")
    if fields["timezone"] != edit.before["timezone"]:
        yield ("its time zone stays; another zone has a calendar of its own.", "时区不能改，其他时区另有日历。")
    open_days = 0
    for weekday, spans in fields["hours"].items():
        if weekday not in {str(number) for number in range(1, 8)}:
            yield (f"{weekday!r} is no weekday; 1 is Monday, 7 Sunday.", f"“{weekday}”不是星期，1 为周一，7 为周日。")
            continue
        open_days += bool(spans)
        yield from _spans(weekday, spans)
    if not open_days:
        yield ("it never opens, so nothing would ever be due.", "全周不办公，时限无法计算。")


def _spans(weekday: str, spans: Sequence[Sequence[str]]) -> Iterator[Say]:
    last = dt.time(0)
    for span in spans:
        try:
            begin, end = (dt.time.fromisoformat(each) for each in span)
        except (ValueError, TypeError):
            yield (
                f"weekday {weekday}: {list(span)} is no span such as 09:00, 17:00.",
                f"星期 {weekday}：时段格式不对。",
            )
            return
        closing = dt.time.max if end == dt.time(0) else end
        if closing <= begin:
            yield (
                f"weekday {weekday}: {span[0]} to {span[1]} runs backwards.",
                f"星期 {weekday}：{span[0]} 至 {span[1]} 时间倒置。",
            )
        elif begin < last:
            yield (f"weekday {weekday}: spans overlap at {span[0]}.", f"星期 {weekday}：时段在 {span[0]} 重叠。")
        last = closing


def _day(edit: Edit, rules: Rules, _reason: str, _today: dt.date) -> Iterator[Say]:
    code, _, text = edit.key.partition("|")
    if (CALENDAR, code) not in rules:
        yield (f"there is no calendar {code!r}.", f"没有工作日历“{code}”。")
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        yield (f"{text!r} is no day such as 2026-12-25.", f"“{text}”不是日期。")
        return
    if not FIRST_DAY <= day <= LAST_DAY:
        yield ("the day lies outside 2000 to 2100.", "日期须在 2000 至 2100 年。")
    if edit.after is None:
        return
    if edit.after["kind"] not in DAY_WORDS:
        yield ("a day is a holiday or a workday (made up).", "类型为假日或调休工作日。")
    if not str(edit.after["name"]).strip() or len(str(edit.after["name"])) > NAME_MOST:
        yield (f"a name of at most {NAME_MOST} characters is needed.", f"须填名称，不超过 {NAME_MOST} 字。")


_CHECKS: Mapping[str, Callable[[Edit, Rules, str, dt.date], Iterator[Say]]] = {
    CLASS: _class,
    LIMIT: _limit,
    CALENDAR: _calendar,
    DAY: _day,
}
