"""Searching the record: every row once, only what fits, and nothing for who may not read it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from core.errors import NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import record_search, sealing
from geodata.db import transaction
from geodata.record_search import RecordFilter
from people import accounts

Roles = dict[Role, Actor]


@pytest.fixture(scope="module")
def actors(demo_database: Engine) -> Roles:
    """The demo's accounts, after each changed an incident and half of the record was sealed."""
    del demo_database
    with transaction(system_actor()) as session:
        found = {account.role: account.actor() for account in accounts.demo_accounts(session)}
    with transaction(system_actor()) as session:
        sealing.seal(session)
    for role in (Role.DISPATCHER, Role.SUPERVISOR):
        with transaction(found[role], purpose="a test") as session:
            session.execute(
                text(
                    "UPDATE incident SET priority = 3 - priority % 2, version = version + 1"
                    " WHERE id IN (SELECT id FROM incident WHERE closed_at IS NULL ORDER BY id LIMIT 20)"
                )
            )
    return found


def everything(actor: Actor, wanted: RecordFilter, **how: Any) -> list[int]:
    found: list[int] = []
    before = None
    with transaction(actor) as session:
        while True:
            page = record_search.search(session, actor, wanted, before=before, **how)
            found += [row.seq for row in page.rows]
            if page.after is None:
                return found
            assert before is None or page.after < before
            before = page.after


FILTERS: dict[str, tuple[RecordFilter, str]] = {
    "all": (RecordFilter(), "true"),
    "role": (RecordFilter(role="dispatcher"), "actor_role = 'dispatcher'"),
    "action": (RecordFilter(action="update"), "action = 'update'"),
    "table": (RecordFilter(table="incident"), "subject_table = 'incident'"),
    "two": (
        RecordFilter(table="incident", role="supervisor"),
        "subject_table = 'incident' AND actor_role = 'supervisor'",
    ),
    "none": (RecordFilter(table="incident", action="login"), "false"),
}


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_filter_finds_what_sql_finds(actors: Roles, name: str) -> None:
    wanted, condition = FILTERS[name]
    actor = actors[Role.AUDITOR]
    with transaction(actor) as session:
        expected = list(session.scalars(text(f"SELECT seq FROM record WHERE {condition} ORDER BY seq DESC")))
    assert everything(actor, wanted, limit=7) == expected
    assert bool(expected) is (name != "none")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 60), stretch=st.integers(1, 500), hurried=st.booleans(), name=st.sampled_from(sorted(FILTERS))
)
def test_pages_hold_every_row_once(  # noqa: PLR0917  (drawn by name)
    actors: Roles, monkeypatch: pytest.MonkeyPatch, limit: int, stretch: int, hurried: bool, name: str
) -> None:
    monkeypatch.setattr(record_search, "FIRST_STRETCH", stretch)
    wanted, condition = FILTERS[name]
    actor = actors[Role.SUPERVISOR]
    found = everything(actor, wanted, limit=limit, budget_s=0.0 if hurried else 5.0)
    with transaction(actor) as session:
        assert found == list(session.scalars(text(f"SELECT seq FROM record WHERE {condition} ORDER BY seq DESC")))


def test_a_period_is_cut_at_its_ends(actors: Roles) -> None:
    actor = actors[Role.AUDITOR]
    with transaction(actor) as session:
        times = {row.seq: row.at for row in session.execute(text("SELECT seq, at FROM record ORDER BY seq"))}
    middle = sorted(times.values())[len(times) // 2]
    later = everything(actor, RecordFilter(since=middle))
    earlier = everything(actor, RecordFilter(until=middle))
    assert later == sorted((seq for seq, at in times.items() if at >= middle), reverse=True)
    assert earlier == sorted((seq for seq, at in times.items() if at < middle), reverse=True)
    assert everything(actor, RecordFilter(since=middle + dt.timedelta(days=400))) == []


def test_an_object_is_found_in_its_load_too(actors: Roles) -> None:
    actor = actors[Role.AUDITOR]
    with transaction(actor) as session:
        load, one = session.execute(
            text("SELECT record_seq, subject_id FROM load_row ORDER BY record_seq LIMIT 1")
        ).one()
        table = session.scalar(text("SELECT subject_table FROM record WHERE seq = :seq"), {"seq": load})
    assert load in everything(actor, RecordFilter(table=table, subject_id=one))


def test_a_row_says_under_which_head_it_is(actors: Roles) -> None:
    actor = actors[Role.AUDITOR]
    with transaction(actor) as session:
        head = sealing.latest(session)
        (newest,) = record_search.search(session, actor, RecordFilter(), limit=1).rows
        first = session.scalar(text("SELECT min(seq) FROM record"))
        opened = record_search.act(session, actor, first)
        changed = record_search.act(session, actor, newest.seq)
    assert head is not None
    assert (newest.head_size, newest.actor_role, newest.purpose) == (None, "supervisor", "a test")
    assert (opened.row.head_size, opened.row.sealed_at) == (head.tree_size, head.sealed_at)
    assert changed.before is not None
    assert changed.after is not None
    assert changed.before["version"] + 1 == changed.after["version"]
    with transaction(actor) as session, pytest.raises(NotFound):
        record_search.act(session, actor, 10**9)


def test_choices_are_those_that_occur(actors: Roles) -> None:
    actor = actors[Role.AUDITOR]
    with transaction(actor) as session:
        for column in ("actor_label", "action", "subject_table"):
            expected = session.scalars(text(f"SELECT DISTINCT {column} FROM record ORDER BY 1")).all()
            assert record_search.choices(session, actor, column) == list(expected)
        with pytest.raises(ValueError, match="purpose"):
            record_search.choices(session, actor, "purpose")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM, Role.AUDITOR, Role.SUPERVISOR}))
def test_others_may_not_search(actors: Roles, role: Role) -> None:
    actor = actors[role]
    with transaction(actor) as session:
        with pytest.raises(NotPermitted):
            record_search.search(session, actor, RecordFilter())
        with pytest.raises(NotPermitted):
            record_search.act(session, actor, 1)
        with pytest.raises(NotPermitted):
            record_search.choices(session, actor, "action")


def test_another_city_sees_nothing_of_it(actors: Roles) -> None:
    stranger = Actor(None, "stranger", Role.AUDITOR, territory_id=999_999)
    del actors
    assert everything(stranger, RecordFilter()) == []
