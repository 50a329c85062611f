"""The one table of transitions: who may do what from where, and what the refusals say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, Role
from geodata.tables import STATUSES
from incidents.lifecycle import (
    ACT_WORDS,
    ACTS,
    DONE_WORDS,
    STATUS_WORDS,
    TRANSITIONS,
    Facts,
    LiveTask,
    allowed,
    check_reason,
    find,
    first_status,
    refusal,
)


def somebody(role: Role, user_id: int = 1) -> Actor:
    return Actor(user_id, role.value, role, 1, area_ids=(1,), unit_ids=(7,), worker_id=3)


FACTS = st.builds(
    Facts,
    st.sampled_from(STATUSES),
    st.none() | st.builds(LiveTask, st.sampled_from([7, 8]), st.sampled_from([3, 4, None]), st.just("waiting")),
    st.frozensets(st.sampled_from([1, 2, None])),
)


@given(FACTS, st.sampled_from(list(Role)), st.sampled_from(ACTS))
def test_allowed_find_and_refusal_agree_and_every_refusal_has_both_languages(
    facts: Facts, role: Role, act: str
) -> None:
    actor = somebody(role)
    refused = refusal(actor, facts, act)
    assert (act in allowed(actor, facts)) == (refused is None)
    if refused is None:
        step = find(actor, facts, act)
        assert (step.act, step.source) == (act, facts.status)
        assert role in step.roles or role is Role.SYSTEM
    else:
        with pytest.raises(NotPermitted) as told:
            find(actor, facts, act)
        assert told.value.message == refused.en
        assert any("\u4e00" <= sign <= "\u9fff" for sign in refused.zh)
        assert not any("\u4e00" <= sign <= "\u9fff" for sign in refused.en)


@given(FACTS, st.sampled_from(list(Role)))
def test_nobody_closes_what_he_gave_out(facts: Facts, role: Role) -> None:
    actor = somebody(role)
    if "close" in allowed(actor, facts):
        assert role in {Role.SUPERVISOR, Role.SYSTEM}
        assert actor.user_id not in facts.handed_out_by


def test_void_is_an_end_and_every_status_can_be_reached() -> None:
    assert {step.source for step in TRANSITIONS} - {None} == set(STATUSES) - {"void"}
    assert {step.act for step in TRANSITIONS if step.source == "closed"} == {"reopen", "sample"}
    assert {step.target for step in TRANSITIONS} == set(STATUSES)
    assert set(STATUS_WORDS) == set(STATUSES)
    assert set(ACT_WORDS) == set(DONE_WORDS) == {step.act for step in TRANSITIONS}
    pairs = [(step.act, step.source, role) for step in TRANSITIONS for role in step.roles if step.source]
    assert len(pairs) == len(set(pairs)), "two steps for one act of one role from one status"


def test_first_status_by_role() -> None:
    assert first_status(somebody(Role.SUPERVISOR)) == first_status(somebody(Role.GRID_WORKER)) == "filed"
    assert first_status(somebody(Role.DISPATCHER)) == first_status(somebody(Role.GRID_MANAGER)) == "reported"
    assert first_status(somebody(Role.SYSTEM)) == "filed"
    assert first_status(somebody(Role.SUPERVISOR), public=True) == "reported"
    assert first_status(somebody(Role.SYSTEM), public=True) == "reported"
    assert first_status(somebody(Role.GRID_WORKER), public=True) == "filed"
    with pytest.raises(NotPermitted, match="may not report"):
        first_status(somebody(Role.PLANNER))


def test_a_refusal_from_a_wrong_status_names_the_ways_that_are_open() -> None:
    refused = refusal(somebody(Role.SUPERVISOR), Facts("filed"), "close")
    assert refused is not None
    assert refused.en.startswith("The incident is filed; from there it cannot go by “close the incident”.")
    assert refused.en.endswith("Open to you now: urge, postpone, void.")


def test_reasons_are_keys_of_the_list() -> None:
    check_reason("close", "")
    check_reason("assign", "")
    check_reason("assign", "knows_place")
    check_reason("return", "wrong_place")
    for act, reason in (("return", ""), ("return", "knows_place"), ("close", "because"), ("assign", "because")):
        with pytest.raises(InvalidInput):
            check_reason(act, reason)
