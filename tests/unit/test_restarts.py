"""When a process that died is started again."""

from __future__ import annotations

from app.cli.server import RESTART_PAUSE_MOST_S, RESTART_PAUSE_S, STEADY_S, Restart


def _pause(restart: Restart, died: float) -> float:
    """Return how long it takes until a process that died is started."""
    clock = died
    while not restart.due(clock):
        clock += 0.5
    return clock - died


def test_whoever_dies_at_once_waits_longer_each_time_and_never_for_ever():
    restart, clock, pauses = Restart(0.0), 1.0, []
    for _ in range(8):
        pauses.append(_pause(restart, clock))
        clock += pauses[-1] + 1
    assert pauses == sorted(pauses)
    assert RESTART_PAUSE_S <= pauses[0] < pauses[1]
    assert pauses[-1] == RESTART_PAUSE_MOST_S


def test_whoever_was_steady_is_back_soon():
    restart = Restart(0.0)
    for died in (1.0, 20.0, 40.0):
        _pause(restart, died)
    assert _pause(restart, 200.0 + STEADY_S) == RESTART_PAUSE_S
