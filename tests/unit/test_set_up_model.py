"""The eight steps follow from what a territory holds, and from nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from app.set_up_model import Lack, State, StepKey, done_count, is_ready, next_step, steps_of
from geodata.holdings import Holdings

WHOLE = Holdings(
    has_boundary=True, roads=10, buildings=5, communities=2, communities_given=True, cells=40, cells_with_people=40,
    responsibility_grids=4, without_worker=0, units={"centre": 2, "department": 3}, classes=41, owned_classes=41,
    workers=4, limits=40, has_calendar=True, calendar_days_ahead=20, loads={"incidents": 1}, incidents=3,
    accounts={"administrator": 1, "dispatcher": 1, "supervisor": 1, "handler": 1},
)  # fmt: skip


def step(held: Holdings, key: StepKey):
    return next(each for each in steps_of(held) if each.key is key)


def lacks(held: Holdings, key: StepKey) -> list[Lack]:
    return [missing.what for missing in step(held, key).missing]


def but(**changed) -> Holdings:
    return dataclasses.replace(WHOLE, **changed)


def test_all_is_done_when_nothing_is_missing():
    steps = steps_of(WHOLE)
    assert [each.state for each in steps] == [State.DONE] * 8
    assert is_ready(steps)
    assert done_count(steps) == 8
    assert next_step(steps).key is StepKey.ACCOUNTS


def test_a_new_platform_begins_with_the_territory():
    steps = steps_of(Holdings(accounts={"administrator": 1}))
    assert {each.key: each.state for each in steps} == {
        StepKey.TERRITORY: State.TO_DO,
        StepKey.COMMUNITIES: State.NOT_YET,
        StepKey.GRIDS: State.NOT_YET,
        StepKey.UNITS: State.TO_DO,
        StepKey.PEOPLE: State.NOT_YET,
        StepKey.RULES: State.NOT_YET,
        StepKey.INCIDENTS: State.NOT_YET,
        StepKey.ACCOUNTS: State.TO_DO,
    }
    assert next_step(steps).key is StepKey.TERRITORY
    assert all(each.missing for each in steps)


@pytest.mark.parametrize(
    ("changed", "key", "state", "missing"),
    [
        ({"roads": 0}, StepKey.TERRITORY, State.PARTLY, [Lack.ROADS]),
        ({"communities_given": False, "cells": 0}, StepKey.COMMUNITIES, State.PARTLY, [Lack.ONE_COMMUNITY]),
        ({"communities_given": False}, StepKey.COMMUNITIES, State.DONE, []),
        ({"cells": 0, "cells_with_people": 0}, StepKey.GRIDS, State.TO_DO, [Lack.CELLS]),
        ({"responsibility_grids": 0}, StepKey.GRIDS, State.PARTLY, [Lack.RESPONSIBILITY]),
        ({"units": {"centre": 1}}, StepKey.UNITS, State.PARTLY, [Lack.NO_UNIT]),
        ({"units": {"company": 1}}, StepKey.UNITS, State.PARTLY, [Lack.NO_CENTRE]),
        ({"owned_classes": 0}, StepKey.UNITS, State.PARTLY, [Lack.NO_DUTY]),
        ({"owned_classes": 30}, StepKey.UNITS, State.PARTLY, [Lack.OWNERLESS]),
        ({"workers": 0}, StepKey.PEOPLE, State.TO_DO, [Lack.NO_WORKER]),
        ({"workers_without_grid": 2}, StepKey.PEOPLE, State.PARTLY, [Lack.GRIDLESS]),
        ({"workers_without_shift": 2}, StepKey.PEOPLE, State.PARTLY, [Lack.SHIFTLESS]),
        ({"has_calendar": False}, StepKey.RULES, State.PARTLY, [Lack.NO_CALENDAR]),
        ({"loads": {"osm": 1}, "incidents": 0}, StepKey.INCIDENTS, State.TO_DO, [Lack.NO_INCIDENTS]),
        ({"loads": {}, "incidents": 0, "no_old_incidents": True}, StepKey.INCIDENTS, State.DONE, []),
        ({"invited": 1}, StepKey.ACCOUNTS, State.PARTLY, [Lack.INVITED]),
        ({"accounts": {"administrator": 2}}, StepKey.ACCOUNTS, State.TO_DO, None),
        ({"accounts": {"dispatcher": 1, "supervisor": 1}}, StepKey.ACCOUNTS, State.PARTLY, [Lack.NO_THIRD]),
        ({"accounts": {"dispatcher": 2, "supervisor": 1}}, StepKey.ACCOUNTS, State.DONE, []),
        ({"accounts": {"supervisor": 3}}, StepKey.ACCOUNTS, State.PARTLY, [Lack.NO_DISPATCHER]),
    ],
)
def test_what_is_missing_is_named(changed, key, state, missing):
    held = but(**changed)
    assert step(held, key).state is state
    if missing is not None:
        assert lacks(held, key) == missing


def test_what_only_weakens_is_advice():
    assert [each.what for each in step(but(buildings=0), StepKey.TERRITORY).advice] == [Lack.BUILDINGS]
    people = step(but(without_worker=3), StepKey.PEOPLE)
    assert (people.state, people.advice[0].count) == (State.DONE, 3)
    assert [each.what for each in step(but(calendar_days_ahead=0), StepKey.RULES).advice] == [Lack.NO_HOLIDAYS]


def test_only_real_needs_hold_a_step_back():
    """Units and accounts need no map; people need units and no grids."""
    nowhere = Holdings(units={"centre": 1, "department": 1})
    assert step(nowhere, StepKey.PEOPLE).state is State.TO_DO
    assert step(nowhere, StepKey.UNITS).state is State.PARTLY
    assert step(nowhere, StepKey.GRIDS).needs is StepKey.COMMUNITIES
