"""Staff numbers, names, phones and labels in their kept form."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.identity import Actor, Role
from people.staff_reach import check_reach, reaches, sees_names
from people.worker_files import neutral, plain
from people.worker_model import (
    Away,
    GridRef,
    clean_code,
    clean_labels,
    clean_name,
    clean_phone,
    next_code,
    overlapping,
)

DAY = dt.date(2026, 3, 2)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], "W001"),
        (["W001", "W012"], "W013"),
        (["W999"], "W1000"),
        (["W007", "GW-0100", "W003"], "W008"),
        (["X"], "W001"),
        (["12", "13"], "14"),
    ],
)
def test_the_proposed_staff_number_is_of_the_kind_in_use(known, expected):
    assert next_code(known) == expected


@given(st.sets(st.from_regex(r"[A-Z]{0,2}[0-9]{1,4}", fullmatch=True), max_size=20))
def test_a_proposed_staff_number_is_always_free_and_can_be_kept(known):
    code = next_code(known)
    assert code not in known
    assert clean_code(code) == code


@given(st.text(max_size=80))
def test_cleaning_twice_is_cleaning_once(text):
    for clean in (clean_code, clean_name, clean_phone, lambda given: "; ".join(clean_labels([given]))):
        try:
            kept = clean(text)
        except InvalidInput:
            continue
        assert clean(kept) == kept


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=30))
def test_any_kept_text_survives_a_spreadsheet(text):
    kept = text.strip()
    assert plain(neutral(kept)) == kept


DAYS = st.tuples(st.integers(0, 30), st.integers(0, 10)).map(
    lambda pair: (DAY + dt.timedelta(days=pair[0]), DAY + dt.timedelta(days=sum(pair)))
)


@given(st.lists(DAYS, max_size=8), DAYS)
def test_overlapping_means_a_shared_day(known, wanted):
    absences = [Away(1, None, *days) for days in known]

    def days(first, last):
        return {first + dt.timedelta(days=n) for n in range((last - first).days + 1)}

    found = overlapping(absences, *wanted)
    shared = [each for each in absences if days(each.from_on, each.to_on) & days(*wanted)]
    assert (found is not None) == bool(shared)
    assert found is None or found in shared


def test_who_reaches_whom():
    grid = GridRef(1, "R1", "R1", None, None, (7,))
    manager = Actor(1, "m", Role.GRID_MANAGER, 1, area_ids=(7,))
    handler = Actor(1, "h", Role.HANDLER, 1, unit_ids=(3,))
    assert reaches(manager, 9, grid)
    assert not reaches(manager, 9, None)
    assert reaches(handler, 3, None)
    assert not reaches(handler, 4, grid)
    check_reach(Actor(1, "s", Role.SUPERVISOR, 1), 4, None)
    assert sees_names(manager)
    assert not sees_names(Actor(1, "a", Role.AUDITOR, 1))
