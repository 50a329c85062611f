"""The dispatch process: a fault stops nothing but itself, and the long search runs beside the rest."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from types import SimpleNamespace

import numpy as np
import pytest

from app import dispatching
from app.dispatch_search import LongSearch
from app.dispatching import Dispatching, Turn
from core.errors import SourceUnavailable
from core.progress import Cancelled
from dispatch.plan_model import Problem, Stop, Task, Worker
from geodata.territory import TerritoryInfo

ONE = TerritoryInfo(7, "one", "One", "One", 32630, "local", "UTC", (0, 0, 1, 1), (0, 0, 9))
TWO = dataclasses.replace(ONE, id=8, name="two")


def _problem(count: int) -> Problem:
    tasks = [Task(number, 60.0, due_s=3600.0) for number in range(1, count + 1)]
    ways = np.abs(np.subtract.outer(np.arange(count + 1.0), np.arange(count + 1.0))).astype(np.float32) * 60
    return Problem(tasks, [Worker(0)], ways)


@pytest.fixture
def work(monkeypatch):
    """The turns of two territories, without a database."""
    monkeypatch.setattr(dispatching.db, "transaction", lambda _actor: contextlib.nullcontext())
    monkeypatch.setattr(dispatching, "deliver_all", lambda: 0)
    state = SimpleNamespace(crew=frozenset("a"), crew_before=frozenset(), work_open=True)
    monkeypatch.setattr(dispatching, "look", lambda *_: state)
    monkeypatch.setattr(dispatching, "shift_search", lambda *_: None)
    monkeypatch.setattr(dispatching, "refresh", lambda *_, **__: _plan())
    monkeypatch.setattr(dispatching, "make_room", lambda *_: True)
    made = Dispatching()
    made._looked = time.monotonic()
    made.turns = {each.id: Turn(each) for each in (ONE, TWO)}
    return made


def _plan() -> SimpleNamespace:
    return SimpleNamespace(id=1, rows=("row",), unserved=(), summary=SimpleNamespace(safe=1))


def test_an_unexpected_error_in_one_territory_leaves_the_other_its_plan(work, monkeypatch, caplog):
    def refresh(_session, _actor, territory, *_, **__):
        if territory.id == ONE.id:
            raise ZeroDivisionError("nobody thought of it")
        return _plan()

    monkeypatch.setattr(dispatching, "refresh", refresh)
    monkeypatch.setattr(dispatching, "deliver_all", lambda: {}["no such message"])
    assert work.work() == 1
    assert "unexpected error" in caplog.text
    assert "one was left out, see error" in caplog.text
    assert "messages was left out" in caplog.text
    assert work.wait_s(time.monotonic()) > 10

    def away(*_, **__):
        raise SourceUnavailable("the database is away")

    monkeypatch.setattr(dispatching, "refresh", away)
    work.turns[TWO.id].due = 0.0
    with pytest.raises(SourceUnavailable):
        work.work()


def test_a_shift_begins_with_a_short_plan_and_the_long_search_runs_beside(work, monkeypatch):
    asked = []

    def refresh(_session, _actor, _territory, _at, stop, *, anew, first):
        asked.append((stop.seconds, anew, first))
        return _plan()

    monkeypatch.setattr(dispatching, "refresh", refresh)
    monkeypatch.setattr(dispatching, "shift_search", lambda *_: (_problem(4), Stop(seconds=60, rounds=20)))
    monkeypatch.setattr(dispatching, "make_room", lambda *_: 1 // 0)  # an offer then takes a little longer, no more
    del work.turns[TWO.id]
    turn = work.turns[ONE.id]
    assert work.work() == 0
    assert asked == [(0.5, True, None)]
    assert turn.search is not None
    assert work.wait_s(time.monotonic()) <= dispatching.SEARCH_LOOK_S
    while not turn.search.ended:
        time.sleep(0.02)
    monkeypatch.setattr(dispatching, "make_room", lambda *_: True)
    monkeypatch.setattr(dispatching, "shift_search", lambda *_: None)
    assert work.work() == 1
    assert turn.search is None
    assert sorted(asked[1][2][0]) == [1, 2, 3, 4]
    assert work.work() == 0


def test_a_long_search_ends_when_it_is_no_longer_wanted():
    search = LongSearch(_problem(40), Stop(seconds=600.0))
    search.close()
    with pytest.raises(Cancelled):
        search.routes()


def test_a_signal_is_kept_until_it_is_asked_for(work):
    """An exception out of a signal's handler may come up in a callback of the collector, which swallows it."""
    stopped, heard = SimpleNamespace(work=lambda: looks.append(1), wait_s=lambda _clock: 60.0), []
    looks: list[int] = []

    def hear(_timeout_s: float) -> list[tuple[str, str]]:
        heard.append(1)
        if len(heard) == 3:
            dispatching._stop(15, None)
        return []

    try:
        dispatching._keep(stopped, SimpleNamespace(hear=hear))
    finally:
        dispatching.stopping.clear()
    assert (len(looks), len(heard)) == (1, 3)
