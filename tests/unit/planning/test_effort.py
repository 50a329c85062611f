"""The limit of a search is its own work; what it is good for at least, it does however busy the machine."""

from __future__ import annotations

import numpy as np
import pytest

from planning.effort import AT_MOST, EVERY_S, Effort
from planning.placement import Placement, place
from planning.siting import Stop


class Hands:
    """Two clocks that are set by hand."""

    wall_s = 100.0
    work_s = 7.0

    def pass_(self, wall: float, work: float) -> None:
        self.wall_s += wall
        self.work_s += work


def made() -> tuple[Hands, Effort]:
    hands = Hands()
    return hands, Effort(lambda: hands.wall_s, lambda: hands.work_s)


def test_a_busy_machine_does_not_eat_the_time_of_a_search():
    hands, effort = made()
    assert effort() == 0.0
    hands.pass_(30.0, 10.0)
    assert effort() == pytest.approx(10.0)


def test_what_others_compute_in_the_same_process_counts_as_time_on_the_wall_at_most():
    hands, effort = made()
    hands.pass_(5.0, 9.0)
    assert effort() == pytest.approx(5.0)


def test_nobody_waits_for_ever():
    hands, effort = made()
    hands.pass_(60.0, 0.0)
    assert effort() == pytest.approx(60.0 / AT_MOST)


def test_a_clock_of_work_that_goes_by_large_steps_is_not_read_too_often():
    hands, effort = made()
    before = 0.0
    for number in range(1000):
        hands.pass_(EVERY_S / 50, EVERY_S / 5 if number % 10 == 9 else 0.0)
        now = effort()
        assert now >= before
        before = now
    assert before == pytest.approx(1000 * EVERY_S / 50, rel=0.1)


def asked(kind: str, **more: object) -> Placement:
    rng = np.random.default_rng(3)
    homes, places = rng.random((400, 2)) * 9000, rng.random((300, 2)) * 9000
    od_s = np.abs(homes[:, None] - places[None]).sum(axis=2) / 1.25
    return Placement(kind, od_s, rng.integers(1, 60, 400).astype(float), 8, **more)


@pytest.mark.parametrize(
    ("kind", "more", "gap"),
    [
        ("p-median", {}, 0.02),
        ("mclp", {"limit_s": 900.0}, 0.05),
        ("fixed-charge", {"cost": np.full(300, 40.0)}, 0.10),
        ("huff", {}, 0.15),
    ],
)
def test_hundreds_of_places_have_a_useful_bound_with_no_time_at_all(kind, more, gap):
    found = place(asked(kind, **more), Stop(seconds=0.0))
    assert found.status in {"optimal", "feasible"}
    assert found.gap <= gap


def test_rooms_have_a_useful_bound_with_no_time_at_all():
    whole = asked("p-median")
    small = Placement("cpmp", whole.od_s[:200, :80], whole.people[:200], 8, capacity=np.full(80, 1100.0))
    found = place(small, Stop(seconds=0.0))
    assert found.status in {"optimal", "feasible"}
    assert found.gap <= 0.25
