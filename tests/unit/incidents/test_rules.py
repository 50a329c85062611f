"""Rules on paper: a change in words, every fault of a bad one, collisions, examples, files."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest

from core.errors import Conflict, DataQuality, InvalidInput, NotFound
from incidents.calendars import office_for
from incidents.rule_checks import broken, refuse_broken, violations
from incidents.rule_examples import examples
from incidents.rule_files import days_as_csv, days_wanted, document, wanted_from, wanted_from_csv, wanted_from_json
from incidents.rule_words import differences, headline, hours_words, sentence, since
from incidents.rules import (
    CALENDAR,
    CLASS,
    DAY,
    LIMIT,
    Key,
    Row,
    again,
    apply,
    edit_from,
    edits_for,
    moved,
    refuse_moved,
)
from tests.shipped_rules import shipped_rules

TODAY = dt.date(2026, 11, 20)  # a Friday
REFUSE = (LIMIT, "event-01-02|handle|")
GAS = (CLASS, "event-04-03")
OFFICE = (CALENDAR, "office-gb")


@pytest.fixture(scope="module")
def rules() -> dict[Key, Row]:
    return shipped_rules()


def faults(rules: dict[Key, Row], wanted: dict[Key, Any], reason: str = "", **more: Any) -> str:
    found = violations(edits_for(rules, wanted, **more), rules, reason=reason, today=TODAY)
    assert all(english and chinese for english, chinese in found)
    return "\n".join(english for english, _ in found)


def test_the_shipped_rules_hold(rules):
    assert broken(rules, today=TODAY) == ()


def test_a_change_in_words(rules):
    (limit,) = edits_for(rules, {REFUSE: {"value": 6, "unit": "urgent_hours"}}, start=dt.date(2027, 1, 1))
    assert sentence(limit, rules) == (
        "Exposed refuse: handle: limit 4 working hours → 6 urgent hours, from 2027-01-01",
        "暴露垃圾：处置：时限 4 工作时 → 6 紧急工作时，自 2027-01-01 起",
    )
    (gas,) = edits_for(rules, {GAS: {"emergency": False, "priority": 2}})
    assert [each.field[0] for each in differences(gas, rules)] == ["priority", "emergency"]
    assert sentence(gas, rules)[1] == "燃气管道破裂（event-04-03）：优先级 1 → 2; 紧急 是 → 否"
    new, gone = edits_for(rules, {(DAY, "office-gb|2026-06-05"): {"name": "Fair"}, (DAY, "office-gb|2026-12-25"): None})
    assert sentence(new, rules)[0] == "new: English office, 2026-06-05 (kind holiday, name Fair)"
    assert sentence(gone, rules) == ("English office, 2026-12-25 ends", "英国机关，2026-12-25停用")
    assert headline((new, gone), rules) == ("English office, 2026-06-05 and 1 more", "英国机关，2026-06-05等 2 项")


def test_hours_in_words():
    hours = {"1": [["09:00", "12:00"], ["13:00", "17:00"]], "2": [["09:00", "12:00"], ["13:00", "17:00"]]}
    assert hours_words({**hours, "6": [["00:00", "00:00"]]}) == (
        "Mon–Tue 09:00–12:00, 13:00–17:00; Sat 00:00–24:00",
        "周一至周二 09:00–12:00, 13:00–17:00; 周六 00:00–24:00",
    )
    assert hours_words({}) == ("never open", "不办公")


def test_what_is_so_already_is_no_change(rules):
    assert edits_for(rules, {REFUSE: {"value": 4}, GAS: {"emergency": True}}) == ()
    assert faults(rules, {}) == "Nothing would change."


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({REFUSE: {"value": -1.0}}, "above 0"),
        ({REFUSE: {"value": 0}}, "above 0"),
        ({REFUSE: {"value": float("nan")}}, "above 0"),
        ({REFUSE: {"value": "4"}}, "value cannot have this value"),
        ({REFUSE: {"value": True}}, "value cannot have this value"),
        ({REFUSE: {"unit": "weeks"}}, "no unit of time"),
        ({REFUSE: {"value": 1.5, "unit": "working_days"}}, "days are whole"),
        ({REFUSE: {"value": 1e6}}, "longer than any"),
        ({REFUSE: {"calendar": "office-mars"}}, "no calendar 'office-mars'"),
        ({REFUSE: {"stage": "check"}}, "stay"),
        ({REFUSE: {"verified": True, "source": " "}}, "names the text"),
        ({REFUSE: {"responsible_kind": "nobody"}}, "department or a centre"),
        ({REFUSE: {"closing_condition_en": "x" * 201}}, "longer than 200"),
        ({REFUSE: {"colour": "red"}}, "no field colour"),
        ({REFUSE: None}, "keeps its limit for handling"),
        ({(LIMIT, "event-99-99|handle|"): {"value": 4.0}}, "no such class"),
        ({(LIMIT, "*|dream|"): {"value": 4.0}}, "no stage 'dream'"),
        ({GAS: {"emergency": False}}, "needs a reason"),
        ({GAS: {"priority": 5}}, "1 .most urgent. to 4"),
        ({GAS: {"name_zh": " "}}, "both names"),
        ({GAS: {"name_en": None}}, "name_en cannot have this value"),
        ({GAS: None}, "retired, not removed"),
        ({(CLASS, "event-4-3"): {"name_en": "A", "name_zh": "甲"}}, "known major"),
        ({(CLASS, "event-77-01"): {"name_en": "A", "name_zh": "甲"}}, "known major"),
        ({(CLASS, "event-05-20"): {"name_en": "Kites", "name_zh": "风筝"}}, "no limit for handling"),
        ({OFFICE: {"hours": {"1": [["09:00", "12:00"], ["11:00", "17:00"]]}}}, "overlap at 11:00"),
        ({OFFICE: {"hours": {"1": [["12:00", "09:00"]]}}}, "runs backwards"),
        ({OFFICE: {"hours": {"8": [["09:00", "12:00"]]}}}, "no weekday"),
        ({OFFICE: {"hours": {"1": [["nine", "five"]]}}}, "no span"),
        ({OFFICE: {"hours": {"1": "09:00"}}}, "hours cannot have this value"),
        ({OFFICE: {"hours": {}}}, "never opens"),
        ({OFFICE: {"timezone": "Asia/Tokyo"}}, "time zone stays"),
        ({(CALENDAR, "office-fr"): {"name_en": "F"}}, "not added"),
        ({(DAY, "office-gb|2026-13-01"): {"name": "x"}}, "no day such as"),
        ({(DAY, "office-gb|1066-10-14"): {"name": "Hastings"}}, "outside 2000"),
        ({(DAY, "office-fr|2026-07-14"): {"name": "x"}}, "no calendar 'office-fr'"),
        ({(DAY, "office-gb|2026-07-14"): {"name": " "}}, "name of at most"),
        ({(DAY, "office-gb|2026-07-14"): {"kind": "feast", "name": "x"}}, "holiday or a workday"),
        ({("unit", "x"): {"name": "x"}}, "no table of rules"),
    ],
)
def test_every_fault_is_said(rules, wanted, expected):
    assert re.search(expected, faults(rules, wanted))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("Petitioners", "设施"),
        ("Assembly in a square", "设施"),
        ("Religious building", "设施"),
        ("Drunken person", "设施"),
        ("Goods", "上访"),
        ("Goods", "非法集会"),
        ("Goods", "宗教活动"),
        ("Goods", "重点人员"),
        ("Goods", "流浪乞讨"),
    ],
)
def test_no_class_is_about_persons_petitions_assemblies_or_religion(rules, english, chinese):
    assert "no class is about" in faults(rules, {GAS: {"name_en": english, "name_zh": chinese}})


def test_things_with_such_a_sound_are_kept(rules):
    for english, chinese in (("Stray dogs", "流浪犬"), ("Playground", "游乐设施"), ("Personal weather mast", "气象杆")):
        assert faults(rules, {GAS: {"name_en": english, "name_zh": chinese}}) == ""


def test_all_faults_are_collected_at_once(rules):
    wanted = {REFUSE: {"value": -1.0, "calendar": "x"}, GAS: {"priority": 9, "emergency": False}}
    edits = edits_for(rules, wanted)
    with pytest.raises(DataQuality) as caught:
        refuse_broken(edits, rules, reason="", today=TODAY)
    assert len(caught.value.violations) == 4
    assert "时限须为大于 0 的数" in caught.value.zh
    assert (
        len(violations([*edits, edits[0]], rules, reason="", today=TODAY)) == 7
    )  # that it stands twice, and its two faults anew


def test_a_limit_begins_from_today_on(rules):
    assert faults(rules, {REFUSE: {"value": 6.0}}, start=TODAY) == ""
    for day in (TODAY - dt.timedelta(days=1), TODAY + dt.timedelta(days=800)):
        assert "can begin from today" in faults(rules, {REFUSE: {"value": 6.0}}, start=day)


def test_a_moved_row_is_a_conflict_in_both_languages(rules):
    mine = edits_for(rules, {REFUSE: {"value": 6.0}, GAS: {"priority": 2}})
    other = apply(rules, edits_for(rules, {REFUSE: {"value": 8.0}}))
    (stale,) = moved(mine, other)
    assert stale.key == REFUSE[1]
    told = since(stale, other)
    assert told[0] == "Exposed refuse: handle: limit 4 working hours → 8 working hours"
    with pytest.raises(Conflict, match="8 working hours") as caught:
        refuse_moved(mine, other, [told])
    assert "8 工作时" in caught.value.zh
    anew = edits_for(other, again(mine))
    assert moved(anew, other) == ()
    assert [edit.before["value"] for edit in anew if edit.key == REFUSE[1]] == [8.0]


def test_an_edit_is_stored_and_read_back(rules):
    for edit in edits_for(rules, {REFUSE: {"value": 6.0}, (DAY, "office-gb|2026-12-25"): None}, start=TODAY):
        assert edit_from(json.loads(json.dumps(edit.as_json()))) == edit


def test_what_is_not_there_cannot_end(rules):
    with pytest.raises(NotFound):
        edits_for(rules, {(DAY, "office-gb|2026-07-14"): None})


# --- Examples


def test_the_friday_before_and_after_a_longer_limit(rules):
    edits = edits_for(rules, {REFUSE: {"value": 6.0}})
    (one,) = examples(edits, rules, timezone="Europe/London", own="office-gb", today=TODAY)
    assert one.filed == dt.datetime(2026, 11, 20, 16, tzinfo=dt.UTC)
    assert one.before == dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)  # an hour is left of Friday
    assert one.after == dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)


def test_a_holiday_moves_the_deadline_of_the_afternoon_before(rules):
    edits = edits_for(rules, {(DAY, "office-gb|2026-11-23"): {"kind": "holiday", "name": "Fair"}})
    hours, days = examples(edits, rules, timezone="Asia/Shanghai", own="office-cn", today=TODAY)
    assert hours.timezone == "Europe/London"
    assert hours.filed == dt.datetime(2026, 11, 20, 16, tzinfo=dt.UTC)
    assert (hours.before, hours.after) == tuple(dt.datetime(2026, 11, day, 16, tzinfo=dt.UTC) for day in (23, 24))
    assert (days.before, days.after) == tuple(dt.datetime(2026, 11, day, 17, tzinfo=dt.UTC) for day in (24, 25))


def test_what_cannot_be_counted_has_no_example(rules):
    edits = edits_for(rules, {REFUSE: {"unit": "weeks"}, OFFICE: {"hours": {}}})
    told = examples(edits, rules, timezone="Europe/London", own="office-gb", today=TODAY)
    assert [one.after for one in told] == [None, None, None]


# --- Files


def test_a_whole_export_changes_nothing_and_a_part_only_itself(rules):
    text = json.dumps(document(rules), ensure_ascii=False)
    assert edits_for(rules, wanted_from_json(text)) == ()
    part = {"limits": {REFUSE[1]: {"value": 6}}, "calendars": {"office-gb": {"days": {"2026-12-25": None}}}}
    edits = edits_for(rules, wanted_from(json.dumps(part), "part.json"))
    assert [(edit.table, edit.key) for edit in edits] == [REFUSE, (DAY, "office-gb|2026-12-25")]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"rules": {}}', '{"limits": []}', '{"limits": {"x": 3}}'])
def test_a_bad_document_is_refused_in_words(text):
    with pytest.raises(InvalidInput):
        wanted_from_json(text)


def test_days_as_a_table(rules):
    text = days_as_csv(rules, "office-gb", 2026)
    assert edits_for(rules, wanted_from_csv(text, calendar="office-gb")) == ()
    given = "\ufeffday,kind,name\n2026/10/01,假日,国庆节\n2026-12-25,remove,\n\n"
    assert wanted_from_csv(given, calendar="office-gb") == {
        (DAY, "office-gb|2026-10-01"): {"kind": "holiday", "name": "国庆节"},
        (DAY, "office-gb|2026-12-25"): None,
    }


def test_limits_and_classes_as_tables(rules):
    limits = wanted_from("class,stage,condition,value,verified\nevent-01-02,handle,,6,no\n", "a.CSV")
    assert limits == {REFUSE: {"value": 6.0, "verified": False}}
    classes = wanted_from_csv("key,name_en,priority,emergency\nevent-04-03,Gas escape,2,是\n")
    assert classes == {GAS: {"name_en": "Gas escape", "priority": 2, "emergency": True}}


def test_every_bad_row_of_a_table_is_named():
    text = "day,kind,name\n2026-02-30,holiday,a\n2026-05-01,holiday,b\n2026-05-01,holiday,c\nsoon,holiday,d\n"
    with pytest.raises(DataQuality) as caught:
        wanted_from_csv(text, calendar="office-gb")
    assert [fault.split(":")[0] for fault in caught.value.violations] == ["row 2", "row 4", "row 5"]
    with pytest.raises(InvalidInput, match="of no kind of rules"):
        wanted_from_csv("a,b\n1,2\n")
    with pytest.raises(DataQuality, match="no calendar is named"):
        wanted_from_csv("day,name\n2026-05-01,x\n")


def test_a_year_is_taken_from_the_published_list(rules):
    known = office_for("Europe/London").days
    assert edits_for(rules, days_wanted(rules, "office-gb", known, 2026)) == ()
    changed = apply(rules, edits_for(rules, {(DAY, "office-gb|2026-06-05"): {"name": "Fair"}}))
    (edit,) = edits_for(changed, days_wanted(changed, "office-gb", known, 2026))
    assert (edit.key, edit.after) == ("office-gb|2026-06-05", None)
    assert days_wanted(rules, "office-gb", known, 1999) == {}
