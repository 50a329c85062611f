"""Sites with little room proved case by case, and improved part by part: HiGHS asked at once says the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.progress import Silent
from planning import room_cases, room_parts
from planning.effort import effort_s
from planning.room_exact import finish
from planning.rooms import Rooms, attempt, begun, relax
from planning.side import Side


def question(seed: int) -> Rooms:
    """A question whose rooms are nearly full; costs are whole where the seed is even, one site is fixed in three."""
    rng = np.random.default_rng(seed)
    demand, candidates = int(rng.integers(6, 13)), int(rng.integers(4, 9))
    p = int(rng.integers(2, min(4, candidates)))
    size = rng.integers(1, 9, demand).astype(float)
    costs = rng.random((candidates, demand)) * 100
    room = np.full(candidates, np.ceil(size.sum() / p * rng.uniform(1.02, 1.2)))
    fixed = np.array([0] if seed % 3 == 0 else [], dtype=np.int64)
    return Rooms(np.floor(costs) if seed % 2 == 0 else costs, size, room, Side(candidates, p, p, fixed))


def agree(seeds: range) -> None:
    for seed in seeds:
        known, rooms = question(seed), question(seed)
        none = finish(known, seconds=30)
        late = effort_s() + 30
        relax(rooms, deadline=late, progress=Silent())
        if rooms.sites is None:
            attempt(rooms, begun(rooms), deadline=late)
        if none or rooms.sites is None:
            continue
        before = rooms.cost
        room_parts.polish(rooms, deadline=late, progress=Silent())
        assert rooms.cost <= before
        room_cases.by_cases(rooms, deadline=late, progress=Silent())
        assert rooms.closed, seed
        assert rooms.cost == pytest.approx(known.cost, rel=1e-6), seed
        assert rooms.assignment is not None
        assert rooms.sites is not None
        assert (np.bincount(rooms.assignment, rooms.size, len(rooms.rows)) <= rooms.capacity + 1e-9).all(), seed
        assert set(rooms.assignment.tolist()) <= set(rooms.sites.tolist()), seed
        assert rooms.cost == pytest.approx(rooms.rows[rooms.assignment, np.arange(len(rooms.size))].sum()), seed


@pytest.mark.parametrize("pairs", [0, 250])
def test_cases_end_with_what_highs_says(monkeypatch: pytest.MonkeyPatch, pairs: int) -> None:
    monkeypatch.setattr(room_cases, "PAIRS", pairs)
    agree(range(12))


@pytest.mark.slow
def test_cases_end_with_what_highs_says_in_many_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_cases, "PAIRS", 0)
    agree(range(12, 400))


def test_a_case_that_ends_in_no_time_waits_with_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = question(1)
    relax(rooms, deadline=effort_s() + 10, progress=Silent())
    bound = rooms.bound
    room_cases.by_cases(rooms, deadline=effort_s() - 1, progress=Silent())
    assert bound <= rooms.bound <= rooms.cost


class Clock:
    """One that goes on a second whenever it is asked, or only when it is told to."""

    def __init__(self, *, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def opened(seeds: range) -> Rooms:
    """A question that the relaxation leaves open, with a choice that is known."""
    for seed in seeds:
        rooms = question(seed)
        relax(rooms, deadline=effort_s() + 30, progress=Silent())
        if rooms.sites is not None and not rooms.closed:
            return rooms
    raise AssertionError("the relaxation closes all of them")


def test_nothing_is_proved_by_cases_that_highs_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms, asked = opened(range(40)), []
    monkeypatch.setattr(room_cases, "effort_s", Clock(step=1.0))
    monkeypatch.setattr(room_cases, "finish", lambda *_, **given: asked.append(given))
    monkeypatch.setattr(room_cases, "PAIRS", 10**9)  # HiGHS is asked about every case at once
    before = rooms.cost
    room_cases.by_cases(rooms, deadline=500.0, progress=Silent())
    assert asked
    assert not rooms.closed
    assert rooms.bound < rooms.cost == before


def test_a_case_is_not_raised_on_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms, clock, rounds = opened(range(40)), Clock(step=0.0), itertools.count()
    fill = room_cases.fill_rooms

    def slow(*arrays: object) -> None:
        next(rounds)
        clock.now += 1.0
        fill(*arrays)

    monkeypatch.setattr(room_cases, "effort_s", clock)
    monkeypatch.setattr(room_cases, "fill_rooms", slow)
    room_cases.by_cases(rooms, deadline=2.5, progress=Silent())
    assert next(rounds) <= 4
    assert rooms.bound <= rooms.cost


def test_costs_far_below_the_dearest_way_are_told_finely_enough() -> None:
    rng = np.random.default_rng(5)
    costs = rng.random((4, 6)) * 1e-6
    costs[0, 0] = 1.5
    size, room = rng.integers(1, 5, 6).astype(float), np.full(4, 9.0)
    rooms = Rooms(costs, size, room, Side(4, 2, 2))
    finish(rooms, seconds=30)
    best = np.inf
    for sites in itertools.combinations(range(4), 2):
        for goes in itertools.product(sites, repeat=6):
            if (np.bincount(goes, size, 4) <= room).all():
                best = min(best, float(costs[list(goes), range(6)].sum()))
    assert rooms.closed
    assert rooms.cost == pytest.approx(best, rel=1e-6)
