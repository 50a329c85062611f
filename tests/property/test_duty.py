"""The duty list against a day-by-day oracle: one owner, a named gap or a named conflict, never anything else."""

from __future__ import annotations

import datetime as dt
import itertools

from hypothesis import given
from hypothesis import strategies as st

from people.duty import Duty, chains, problems, resolve

FIRST = dt.date(2026, 1, 1)
DAYS = 14
LAST = FIRST + dt.timedelta(days=DAYS - 1)
AREAS = ((1, "district", None), (2, "street", 1), (3, "street", 1), (4, "community", 2), (5, "community", 2),
         (6, "community", 3), (7, "community", None))  # fmt: skip
CLASSES = (1, 2)


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


@st.composite
def duties(draw: st.DrawFn) -> list[Duty]:
    made = []
    units = {
        unit: (day(draw(st.integers(-5, 8))), draw(st.none() | st.integers(9, DAYS + 5).map(day))) for unit in (1, 2, 3)
    }
    for number in range(draw(st.integers(0, 9))):
        begin = draw(st.integers(-4, DAYS + 2))
        length = draw(st.none() | st.integers(0, DAYS))
        unit = draw(st.sampled_from((1, 2, 3)))
        made.append(
            Duty(
                number,
                draw(st.sampled_from(CLASSES)),
                draw(st.sampled_from((None, 1, 2, 3, 4, 5, 7))),
                unit,
                day(begin),
                None if length is None else day(begin + length),
                *units[unit],
            )
        )
    return made


def oracle(rows: list[Duty], class_id: int, community: int, when: dt.date) -> set[int]:
    """Written from the rule and from nothing else: the units that own the class there on that day."""
    parents = {area: parent for area, _, parent in AREAS}
    up: int | None = community
    while True:
        here = {
            row.unit_id
            for row in rows
            if row.class_id == class_id
            and row.area_id == up
            and row.valid_from <= when <= (row.valid_to or dt.date.max)
            and row.unit_from <= when <= (row.unit_to or dt.date.max)
        }
        if here or up is None:
            return here
        up = parents[up]


@given(duties())
def test_every_class_place_and_day_has_one_answer_and_it_is_the_oracles(rows: list[Duty]) -> None:
    found = resolve(rows, CLASSES, chains(AREAS), FIRST, LAST)
    told: dict[tuple[int, int, dt.date], set[int]] = {}
    for each in found:
        assert each.first <= each.last
        for number in range((each.last - each.first).days + 1):
            key = (each.class_id, each.area_id, each.first + dt.timedelta(days=number))
            assert key not in told, "two answers for one day"
            told[key] = set(each.unit_ids)
            assert each.kind == {0: "gap", 1: "owned"}.get(len(each.unit_ids), "conflict")
    expected = {
        (class_id, area, day(number)): oracle(rows, class_id, area, day(number))
        for class_id in CLASSES
        for area in (4, 5, 6, 7)
        for number in range(DAYS)
    }
    assert told == expected


@given(duties())
def test_neighbouring_stretches_differ(rows: list[Duty]) -> None:
    found = resolve(rows, CLASSES, chains(AREAS), FIRST, LAST)
    for one, two in itertools.pairwise(found):
        if (one.class_id, one.area_id) == (two.class_id, two.area_id):
            assert one.last + dt.timedelta(days=1) == two.first
            assert (one.duty_ids, one.lapsed) != (two.duty_ids, two.lapsed)


@given(duties())
def test_problems_are_the_stretches_without_one_owner(rows: list[Duty]) -> None:
    found = resolve(rows, CLASSES, chains(AREAS), FIRST, LAST)
    wrong = {(s.class_id, s.area_id, s.first, s.last, s.unit_ids) for s in found if s.kind != "owned"}
    told = [(p.class_id, area, p.first, p.last, p.unit_ids) for p in problems(found) for area in p.area_ids]
    assert len(told) == len(set(told))
    assert set(told) == wrong


@given(duties(), st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(rows: list[Duty], random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    everywhere = chains(AREAS)
    assert resolve(rows, CLASSES, everywhere, FIRST, LAST) == resolve(shuffled, CLASSES, everywhere, FIRST, LAST)


def test_a_gap_names_the_unit_that_has_ended() -> None:
    rows = [Duty(1, 1, None, 9, FIRST, None, FIRST, day(3))]
    owned, gap = resolve(rows, [1], {4: (4, None)}, FIRST, LAST)
    assert (owned.kind, owned.last) == ("owned", day(3))
    assert (gap.kind, gap.first, gap.lapsed) == ("gap", day(4), (9,))


def test_no_days_no_answer() -> None:
    assert resolve([], [1], {4: (4, None)}, LAST, FIRST) == []
