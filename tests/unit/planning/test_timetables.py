"""Matrices by public transport: what is refused before any work begins."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.errors import InvalidInput, NotPermitted
from core.identity import Role, system_actor
from geodata import jobs
from planning import timetables
from planning.own_matrix import COLUMNS_AT_MOST
from planning.timetables import FEEDS_AT_MOST, WINDOW_AT_MOST, TransitAsked

HERE = cast("Any", SimpleNamespace(id=1))
ASKED = TransitAsked("by bus", ("a.zip",), ("a.zip",), "2026-11-25", 480, 60)


@pytest.mark.parametrize(
    "wrong",
    [
        {"feeds": ()},
        {"feeds": ("a.zip",) * (FEEDS_AT_MOST + 1)},
        {"begins_min": 24 * 60},
        {"begins_min": -1},
        {"window_min": WINDOW_AT_MOST + 1},
        {"window_min": -10},
        {"candidates": ((0.0, 0.0),) * (COLUMNS_AT_MOST + 1)},
    ],
)
def test_what_cannot_be_made_is_refused_before_it_is_queued(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    queued: list[str] = []
    monkeypatch.setattr(jobs, "enqueue", lambda *given: queued.append(given[2]))
    monkeypatch.setattr(timetables, "require", lambda *_: None)
    actor = system_actor(1)
    with pytest.raises(InvalidInput) as told:
        timetables.ask(cast("Any", None), actor, HERE, replace(ASKED, **wrong))
    assert told.value.hint
    assert told.value.zh
    assert not queued
    timetables.ask(cast("Any", None), actor, HERE, ASKED)
    assert queued == [timetables.JOB_KIND]


def test_nobody_asks_for_another_city() -> None:
    actor = replace(system_actor(2), role=Role.PLANNER)
    with pytest.raises(NotPermitted):
        timetables.ask(cast("Any", None), actor, HERE, ASKED)
