"""Times, days and patterns as people write them; every sentence of a fault has its Chinese."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import i18n, roster_words
from core.errors import InvalidInput
from people.roster import Step, check_pattern, check_shift
from people.roster_change import clock, parse_clock
from people.roster_files import PROBLEMS, Problem, parse_day, parse_steps
from people.roster_rules import WORDS, Rule, Violation, said

DAY = dt.date(2026, 3, 31)


@pytest.fixture(autouse=True)
def _english_again():
    yield
    i18n.use("en")


@given(st.integers(0, 2879))
def test_a_time_is_read_as_it_is_written(minutes):
    assert parse_clock(clock(minutes)) == minutes


@pytest.mark.parametrize(
    ("written", "minutes"),
    [("06:00", 360), ("6:05", 365), ("24:00", 1440), ("00:00+1", 1440), ("06:00+1", 1800), ("次日05:30", 1770),
     ("08：30", 510), ("08:30:00", 510)],
)  # fmt: skip
def test_times_as_people_write_them(written, minutes):
    assert parse_clock(written) == minutes


@pytest.mark.parametrize("written", ["", "six", "25:00", "06:60", "6", "-1:00", "06:00:30", "24:01"])
def test_what_is_no_time_is_refused(written):
    with pytest.raises(InvalidInput, match="no time of day"):
        parse_clock(written)


@pytest.mark.parametrize(
    "written", ["2026-03-31", "2026/3/31", "2026年3月31日", "2026-03-31 00:00:00", "2026-03-31T00:00:00"]
)
def test_days_as_people_write_them(written):
    assert parse_day(written) == DAY


@pytest.mark.parametrize("written", ["", "31.3.2026", "2026-02-30", "tomorrow", "2026-03-31 14:00"])
def test_what_is_no_day_is_none(written):
    assert parse_day(written) is None


def test_a_pattern_is_a_word_a_day():
    steps = parse_steps(["06:00-14:00/30", "free", "21:00–06:00+1", "-"])
    assert steps == (Step(0, 360, 840, 30), Step(2, 1260, 1800, 0))
    with pytest.raises(InvalidInput, match="is no shift"):
        parse_steps(["mornings"])


@pytest.mark.parametrize(
    ("start", "end", "rest", "words"),
    [(1260, 360, 0, "ends before it begins"), (480, 480, 0, "ends before it begins"), (0, 1500, 0, "24 hours"),
     (1440, 1500, 0, "24 hours"), (480, 960, 480, "break is longer")],
)  # fmt: skip
def test_shifts_nobody_can_work_are_refused(start, end, rest, words):
    with pytest.raises(InvalidInput, match=words):
        check_shift(start, end, rest)


def test_patterns_nobody_can_work_are_refused():
    for cycle, steps, words in (
        (0, (), "1 to 366"),
        (2, (Step(2, 0, 60),), "outside the 2 days"),
        (2, (Step(0, 0, 60), Step(0, 120, 180)), "two shifts"),
        (2, (Step(0, 1200, 2400), Step(1, 600, 900)), "runs into"),
    ):
        with pytest.raises(InvalidInput, match=words):
            check_pattern(cycle, steps)


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_fault_of_a_row_is_said_in_both_languages(kind):
    fault = Problem(7, kind, "W012")
    assert fault.words() == roster_words.problem(fault)
    assert fault.words().startswith("Row 7")
    i18n.use("zh")
    assert roster_words.problem(fault).startswith("第 7 行")


@pytest.mark.parametrize("rule", Rule)
def test_every_broken_rule_names_worker_day_and_numbers(rule):
    broken = Violation(DAY, 1, rule, 9.5, 11)
    for words in (said(broken, "W012"), roster_words.violation(broken, "W012")):
        assert "W012" in words
        assert "9.5" in words
        assert "11" in words
    i18n.use("zh")
    assert WORDS[rule].split(":")[0] not in roster_words.violation(broken, "W012")
    assert "2026年3月31日" in roster_words.violation(broken, "W012")
