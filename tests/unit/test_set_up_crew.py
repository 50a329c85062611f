"""The first workers: a list of names is read, everybody gets a grid, and somebody is there day and night."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.set_up_crew import PLANS, ROUND, Person, posts_of, read_people, turn
from app.set_up_template import USUAL, Office, in_order, offices_of
from core.errors import DataQuality
from incidents.classes import MAJORS
from people.roster import Assignment, Plan, expand

SINCE = dt.date(2026, 3, 4)


def test_names_and_phones_are_read_from_lines():
    assert read_people("Ann Lee, 555 01\n\n  王芳\t13800000001\n李雷；138\nCy") == (
        Person("Ann Lee", "555 01"), Person("王芳", "13800000001"), Person("李雷", "138"), Person("Cy", None),
    )  # fmt: skip
    assert read_people("") == ()


def test_every_fault_of_a_list_is_named():
    with pytest.raises(DataQuality) as found:
        read_people("Ann, 1\n, 2\nBo, 1")
    assert found.value.violations == ("line 2 has no name", "line 3 has the phone of line 1")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text):
    try:
        people = read_people(text)
    except DataQuality:
        return
    assert all(person.name for person in people)


@given(st.integers(0, 30), st.integers(0, 12))
def test_everybody_gets_a_number_and_grids_are_shared_evenly(count, grids):
    posts = posts_of([Person(f"P{n}", None) for n in range(count)], {"W003"}, list(range(1, grids + 1)))
    assert len({post.code for post in posts}) == count
    assert "W003" not in {post.code for post in posts}
    held = [sum(post.grid_id == grid for post in posts) for grid in range(1, grids + 1)]
    assert not held or max(held) - min(held) <= 1


@pytest.mark.parametrize("first", [SINCE + dt.timedelta(days=each) for each in range(7)])
def test_six_workers_in_turn_leave_no_hour_without_somebody(first):
    plan = [pattern.__class__(rank + 1, *_fields(pattern)) for rank, pattern in enumerate(ROUND)]
    given = []
    for rank in range(6):
        pattern, anchor = turn(rank, plan, first)
        given.append(Assignment(rank + 1, rank + 1, pattern.id, anchor, first))
    roster = expand(Plan(tuple(plan), tuple(given)), list(range(1, 7)), first, 30)
    there = set()
    for row in range(6):
        for day in range(30):
            start, end = int(roster.start_min[row, day]), int(roster.end_min[row, day])
            if start >= 0:
                there |= {day * 24 + hour // 60 for hour in range(start, end, 60)}
    assert set(range(6, 30 * 24)) <= there


def _fields(pattern):
    return pattern.code, pattern.name, pattern.name_zh, pattern.cycle_days, pattern.steps


def test_the_patterns_keep_the_shipped_rules():
    assert {name: len(patterns) for name, patterns in PLANS.items()} == {"day": 1, "round": 3}
    assert all(len(pattern.steps) == 5 for patterns in PLANS.values() for pattern in patterns)


def test_the_usual_units_own_every_category_once():
    owned = [category for office in offices_of(_rows(USUAL)) for category in office.owns]
    assert sorted(owned) == sorted(MAJORS)
    assert offices_of(_rows(USUAL)) == USUAL


def test_units_come_after_the_one_above():
    shuffled = (Office("B", "team", "B", "", "A"), Office("A", "centre", "A", ""))
    assert [office.code for office in in_order(shuffled)] == ["A", "B"]
    ring = (Office("A", "centre", "A", "", "B"), Office("B", "centre", "B", "", "A"))
    assert len(in_order(ring)) == 2


def test_every_fault_of_the_table_is_named():
    rows = [
        {"code": "A", "kind": "centre", "name": "A", "parent": "X", "owns": ["event-01"]},
        {"code": "A", "kind": None, "name": "B", "name_zh": None, "parent": None, "owns": ["event-01", "event-99"]},
        {"code": "", "name": "", "name_zh": "", "owns": None},
        {"code": "", "name": "No code", "owns": []},
    ]
    with pytest.raises(DataQuality) as found:
        offices_of(rows)
    told = "\n".join(found.value.violations)
    for part in ("No code has no code", "the code A stands twice", "no unit X above", "belongs to A and A", "event-99"):
        assert part in told


def _rows(offices):
    names = ("code", "kind", "name", "name_zh", "parent", "owns")
    return [{name: getattr(office, name) for name in names} for office in offices]
