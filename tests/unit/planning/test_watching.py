"""Each kind of question says how it stands while it is searched for, and hears a wish to stop."""

from __future__ import annotations

import time

import numpy as np
import pytest

from core.progress import Cancelled
from planning.kinds import INFO, KINDS
from planning.placement import Placement, place
from planning.siting import Stop


class Watch:
    """Keeps what is told; stops when wanted."""

    def __init__(self, *, cancel: bool = False) -> None:
        self.cancel, self.told = cancel, []

    def step(self, name: str, total: int | None = None) -> None: ...

    def advance(self, items: int = 1) -> None:  # noqa: ARG002
        if self.cancel and time.perf_counter() - self.began > 0.3:
            self.heard_at = time.perf_counter()
            raise Cancelled("enough")

    began = heard_at = 0.0

    def tell(self, found: float, bound: float) -> None:
        self.told.append((found, bound))

    def enough(self) -> bool:
        return False


def asked(kind: str, demand: int, candidates: int, p: int) -> Placement:
    rng = np.random.default_rng(4)
    homes, places = rng.random((demand, 2)) * 6000, rng.random((candidates, 2)) * 6000
    od_s = np.hypot(*(homes[:, None] - places[None]).transpose(2, 0, 1))
    between = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    people = rng.integers(1, 40, demand).astype(float)
    room = np.full(candidates, people.sum() / p * 1.15)
    return Placement(
        kind, od_s, people, p if INFO[kind].needs_p else 0,
        limit_s=2600.0, capacity=room, cost=rng.random(candidates) * 40 + 10,
        between_m=between,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_best_found_and_bound_close_in_on_the_answer(kind):
    watch = Watch()
    found = place(asked(kind, 60, 25, 4), Stop(seconds=4), progress=watch)
    assert found.status != "infeasible"
    seen = [(best, bound) for best, bound in watch.told if np.isfinite(best) and np.isfinite(bound)]
    sign = -1.0 if INFO[kind].maximised else 1.0
    for best, bound in seen:
        assert sign * best >= sign * found.objective - 1e-6 * abs(found.objective)
        assert sign * bound <= sign * found.objective + 1e-6 * abs(found.objective)
    if kind not in {"backup", "p-dispersion"}:  # these may be answered at once
        assert seen


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_wish_to_stop_is_heard_within_a_second(kind):
    watch = Watch(cancel=True)
    watch.began = time.perf_counter()
    try:
        place(asked(kind, 400, 120, 12), Stop(seconds=20), progress=watch)
    except Cancelled:
        assert time.perf_counter() - watch.began < 1.5
    else:
        assert time.perf_counter() - watch.began < 2.0, "ended before anybody could wish"
