"""The shipped catalogue, its limits and its calendars."""

from __future__ import annotations

import datetime as dt

import pytest

from core.errors import InvalidInput
from incidents.calendars import always, code_for, office_for, shipped_calendars, working_calendar
from incidents.classes import CLASSES, MAJORS, find_class
from incidents.deadlines import Limit, due_at
from incidents.limits import LIMITS

BY_KEY = {spec.key: spec for spec in CLASSES}


def test_keys_are_unique_and_every_class_has_a_named_category() -> None:
    assert len(BY_KEY) == len(CLASSES) == 41
    assert {spec.category for spec in CLASSES} <= set(MAJORS)
    assert all(spec.name_en and spec.name_zh and 1 <= spec.priority <= 4 for spec in CLASSES)


def test_emergencies_are_of_the_first_priority() -> None:
    emergencies = {spec.name_en for spec in CLASSES if spec.emergency}
    assert emergencies == {"Road collapse", "Burst water main", "Gas leak"}
    assert all(spec.priority == 1 for spec in CLASSES if spec.emergency)


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Gas leak", "event-04-03"),
        ("  GAS_LEAK ", "event-04-03"),
        ("燃气管道破裂", "event-04-03"),
        ("event-01-02", "event-01-02"),
        ("01-13", "component-01-13"),
        ("01-01", None),  # both a manhole and an unlawful building
        ("Robbery", None),
        ("", None),
    ],
)
def test_a_label_finds_its_class(label: str, key: str | None) -> None:
    found = find_class(label)
    assert (found and found.key) == key


def test_every_class_has_exactly_one_main_limit_of_handling() -> None:
    main = [spec.class_key for spec in LIMITS if spec.stage == "handle" and not spec.condition]
    assert sorted(filter(None, main)) == sorted(BY_KEY)


def test_no_limit_stands_twice_and_only_checked_ones_name_the_manual() -> None:
    keys = [(spec.class_key, spec.stage, spec.condition) for spec in LIMITS]
    assert len(keys) == len(set(keys))
    assert all(("manual" in spec.source) == spec.verified for spec in LIMITS)


@pytest.mark.parametrize(
    ("key", "stage", "condition", "value", "unit"),
    [
        ("event-01-02", "handle", "", 4, "working_hours"),
        ("event-01-03", "handle", "", 4, "working_hours"),
        ("event-01-04", "handle", "", 2, "working_hours"),
        ("event-01-11", "handle", "", 4, "working_hours"),
        ("event-01-01", "handle", "stop work", 4, "working_hours"),
        ("event-01-01", "handle", "penalty", 7, "working_days"),
        ("event-01-01", "handle", "", 20, "working_days"),
        ("event-04-02", "handle", "fence", 3, "urgent_hours"),
        ("event-04-02", "handle", "", 8, "urgent_hours"),
        ("event-04-02", "handle", "surface", 5, "working_days"),
        ("event-04-03", "handle", "", 3, "urgent_hours"),
        ("event-04-03", "handle", "repair", 48, "urgent_hours"),
        ("event-05-05", "handle", "", 3, "urgent_hours"),
        (None, "dispatch", "", 1.5, "working_hours"),
    ],
)
def test_published_limits_stand_as_published(
    key: str | None, stage: str, condition: str, value: float, unit: str
) -> None:
    (found,) = [s for s in LIMITS if (s.class_key, s.stage, s.condition) == (key, stage, condition)]
    assert (found.limit, found.verified) == (Limit(value, unit), True)


def test_english_calendar_knows_bank_holidays() -> None:
    calendar = working_calendar(office_for("Europe/London"))
    assert code_for("Europe/London") == "office-gb"
    assert not calendar.is_workday(dt.date(2026, 4, 3))  # Good Friday
    assert not calendar.is_workday(dt.date(2026, 12, 28))  # Boxing Day, observed on the Monday
    assert calendar.is_workday(dt.date(2026, 4, 7))


def test_chinese_calendar_knows_make_up_workdays() -> None:
    spec = office_for("Asia/Shanghai")
    calendar = working_calendar(spec)
    assert (spec.code, "2026" in spec.holidays_source) == ("office-cn", True)
    assert calendar.is_workday(dt.date(2026, 2, 14))  # a Saturday
    assert not calendar.is_workday(dt.date(2026, 2, 16))  # a Monday in the Spring Festival
    assert not calendar.is_workday(dt.date(2026, 10, 1))


def test_every_territory_gets_a_calendar_of_its_own_zone() -> None:
    codes = {spec.code: spec for spec in shipped_calendars("America/Toronto")}
    assert set(codes) == {"always", "office-gb", "office-cn", "office-america-toronto"}
    toronto = working_calendar(codes["office-america-toronto"])
    assert toronto.timezone == "America/Toronto"
    assert not toronto.is_workday(dt.date(2026, 7, 1))  # Canada Day
    assert len(shipped_calendars("Europe/London")) == 3


def test_a_zone_of_no_country_says_that_it_has_no_holidays() -> None:
    assert "none known" in office_for("UTC").holidays_source


@pytest.mark.parametrize(
    ("value", "unit", "start", "due"),
    [
        (3, "urgent_hours", "Fri 2026-07-03 23:00", "Sat 2026-07-04 02:00"),
        (48, "urgent_hours", "Sat 2026-03-28 12:00", "Mon 2026-03-30 13:00"),  # the clocks go forward
        (4, "working_hours", "Fri 2026-07-03 15:00", "Mon 2026-07-06 11:00"),
        (1.5, "working_hours", "Thu 2026-04-02 16:30", "Tue 2026-04-07 10:00"),
        (7, "working_days", "Wed 2026-07-01 10:00", "Fri 2026-07-10 17:00"),
        (20, "working_days", "Mon 2026-03-30 10:00", "Wed 2026-04-29 17:00"),  # Easter takes two days
        (5, "calendar_days", "Wed 2026-07-01 10:00", "Tue 2026-07-07 00:00"),
    ],
)
def test_a_limit_falls_due(value: float, unit: str, start: str, due: str) -> None:
    calendar = working_calendar(office_for("Europe/London"))

    def local(text: str) -> dt.datetime:
        moment = dt.datetime.fromisoformat(text[4:]).replace(tzinfo=calendar.zone)
        assert f"{moment:%a}" == text[:3]
        return moment

    assert due_at(Limit(value, unit), calendar, local(start)) == local(due)


@pytest.mark.parametrize(("value", "unit"), [(1, "days"), (-1, "urgent_hours"), (1.5, "working_days")])
def test_limits_that_cannot_be_counted_are_refused(value: float, unit: str) -> None:
    with pytest.raises(InvalidInput):
        Limit(value, unit)


def test_the_calendar_of_urgent_hours_never_closes() -> None:
    assert working_calendar(always()).working_hours_between(
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 8, tzinfo=dt.UTC)
    ) == pytest.approx(168)
