"""Decisions at the same moment: one is kept, the other is told; two changes of one row never both win."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from core.errors import Conflict
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import AppUser, TimeLimit
from incidents.rules import LIMIT, Change
from incidents.service import ruling
from tests.halves import make_halves

KEY = (LIMIT, "event-01-02|handle|")


@pytest.fixture(scope="module")
def officers(database) -> list[Actor]:
    del database
    with db.transaction(system_actor()) as session:
        territory, _, _ = make_halves(session, "twofold")
        rows = [AppUser(login=f"officer-{n}", password_hash="x", title_en="x", title_zh="x") for n in range(3)]
        session.add_all(rows)
        session.flush()
        return [Actor(row.id, row.login, Role.SUPERVISOR, territory.id) for row in rows]


def propose(actor: Actor, value: float) -> Change:
    with db.transaction(actor) as session:
        return ruling.propose(session, actor, {KEY: {"value": value}})


def together(*acts: Callable[[], str]) -> list[str]:
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], str]) -> str:
        barrier.wait()
        try:
            return act()
        except Conflict as error:
            return f"conflict: {error}"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def approving(actor: Actor, change: Change) -> Callable[[], str]:
    def act() -> str:
        with db.transaction(actor) as session:
            return ruling.approve(session, actor, change.id).state

    return act


def going_on() -> int:
    with db.transaction(system_actor()) as session:
        row = ruling.read_rules(session, system_actor())[KEY]
        query = select(func.count()).where(TimeLimit.id >= (row.id or 0) - 1000, TimeLimit.valid_to.is_(None))
        class_id = select(TimeLimit.class_id).where(TimeLimit.id == row.id).scalar_subquery()
        return (
            session.scalar(
                query.where(TimeLimit.class_id == class_id, TimeLimit.stage == "handle", TimeLimit.condition == "")
            )
            or 0
        )


def test_one_change_is_approved_once(officers) -> None:
    for value in (6.0, 7.0, 8.0):
        change = propose(officers[0], value)
        told = together(approving(officers[1], change), approving(officers[2], change))
        assert sorted(each.split(":")[0] for each in told) == ["approved", "conflict"]
        assert any("approved meanwhile by officer-" in each for each in told)
        assert going_on() == 1


def test_two_changes_of_one_row_never_both_win(officers) -> None:
    for value in (16.0, 17.0, 18.0):
        first, second = propose(officers[0], value), propose(officers[1], value + 0.5)
        told = together(approving(officers[2], first), approving(officers[2], second))
        assert sorted(each.split(":")[0] for each in told) == ["approved", "conflict"]
        assert any("The rules changed since" in each for each in told)
        assert going_on() == 1
