"""Somebody acts for another for a time; everybody looks after his own account."""

from __future__ import annotations

import pytest
import shapely
from sqlalchemy import text

from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, Role
from geodata.db import as_actor
from geodata.territory import make_territory
from people import accounts, acting
from people.access_model import Separation
from tests.db.people_here import NOW, PASSWORD, SYSTEM, as_system, enter, later, person


@pytest.fixture
def town(session):
    return make_territory(session, SYSTEM, "town", boundary=shapely.box(-1.3, 50.6, -1.2, 50.7), title_zh="城")


@pytest.fixture
def chief(session, town) -> Actor:
    return person(session, town, "chief", Role.ADMINISTRATOR).actor()


# --- acting for another


def stand_in(session, actor, user_id, role_id, *, days=10, reason="leave", **more):
    span = {"from_": NOW, "until": later(days=days), **more}
    return acting.act_for(session, actor, user_id, role_id, reason=reason, at=NOW, **span)


def test_acting_has_an_end_that_holds_by_itself(session, town, chief):
    ben, eva = person(session, town, "ben", Role.DISPATCHER), person(session, town, "eva", Role.SUPERVISOR)
    as_actor(session, chief)
    role_id, warned = stand_in(session, chief, ben.user_id, eva.role_id)
    assert warned == (Separation.SENDS_AND_CLOSES,)
    token = enter(session, "ben").token
    live = accounts.session_actor(session, token, at=NOW)
    assert live.acting is None
    accounts.switch_role(session, live, role_id, at=NOW)
    live = accounts.session_actor(session, token, at=NOW)
    assert (live.actor.role, live.actor.label, live.acting.login) == (Role.SUPERVISOR, "ben for eva", "eva")
    assert live.acting.until == later(days=10)
    told = session.execute(text("SELECT actor_label FROM record WHERE action = 'act for another'")).scalar_one()
    assert told == "ben for eva"
    session.execute(text("UPDATE user_session SET expires_at = expires_at + interval '20 days'"))
    assert accounts.session_actor(session, token, at=later(days=9, hours=23)) is not None
    assert accounts.session_actor(session, token, at=later(days=10)) is None
    assert [each.role for each in accounts.accounts_of(session, ben.user_id, at=later(days=11))] == [Role.DISPATCHER]


def test_acting_begins_when_it_begins(session, town, chief):
    ben, eva = person(session, town, "ben", Role.PLANNER), person(session, town, "eva", Role.SUPERVISOR)
    as_actor(session, chief)
    stand_in(session, chief, ben.user_id, eva.role_id, from_=later(days=2))
    assert len(accounts.accounts_of(session, ben.user_id, at=NOW)) == 1
    assert len(accounts.accounts_of(session, ben.user_id, at=later(days=3))) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"days": 91}, "90 days at most"),
        ({"days": -1}, "before the beginning"),
        ({"reason": " "}, "Say why"),
    ],
)
def test_acting_keeps_its_rules(session, town, chief, more, said):
    ben, eva = person(session, town, "ben", Role.PLANNER), person(session, town, "eva", Role.SUPERVISOR)
    as_actor(session, chief)
    with pytest.raises(InvalidInput, match=said):
        stand_in(session, chief, ben.user_id, eva.role_id, **more)
    with pytest.raises(InvalidInput, match="himself"):
        stand_in(session, chief, eva.user_id, eva.role_id)
    role_id, _ = stand_in(session, chief, ben.user_id, eva.role_id)
    with pytest.raises(Conflict, match="already"):
        stand_in(session, chief, ben.user_id, eva.role_id)
    with pytest.raises(NotFound, match="no such role"):
        stand_in(session, chief, eva.user_id, role_id)


def test_the_database_knows_the_longest_time_too(session, town, chief):
    ben, eva = person(session, town, "ben", Role.PLANNER), person(session, town, "eva", Role.SUPERVISOR)
    with pytest.raises(Exception, match="ck_user_role_acting"), session.begin_nested():
        session.execute(
            text(
                "INSERT INTO user_role (user_id, territory_id, role, acting_for, reason, valid_until)"
                " VALUES (:ben, :town, 'supervisor', :eva, 'x', now() + interval '91 days')"
            ),
            {"ben": ben.user_id, "eva": eva.user_id, "town": town.id},
        )


def test_whoever_goes_away_lends_his_roles_to_his_deputy_and_takes_them_back(session, town, chief):
    ben, eva = person(session, town, "ben", Role.PLANNER), person(session, town, "eva", Role.SUPERVISOR)
    me = eva.actor()
    as_actor(session, me)
    with pytest.raises(InvalidInput, match="No deputy"):
        acting.go_away(session, me, from_=NOW, until=later(days=5), reason="leave", at=NOW)
    as_actor(session, chief)
    roles_before = accounts.accounts_of(session, ben.user_id, at=NOW)
    acting.set_deputies(session, chief, eva.user_id, [ben.user_id])
    as_actor(session, me)
    assert acting.go_away(session, me, from_=NOW, until=later(days=5), reason="leave", at=NOW) == ("ben",)
    assert acting.my_account(session, me, at=NOW).acting_for_me[0][0] == "ben"
    assert acting.come_back(session, me, at=later(days=1)) == 1
    as_system(session)
    assert accounts.accounts_of(session, ben.user_id, at=later(days=2)) == roles_before
    who = session.execute(
        text("SELECT actor_user_id FROM record WHERE subject_table = 'user_role' AND purpose = 'away'")
    ).scalars()
    assert set(who) == {eva.user_id}


# --- the own account


def test_everybody_changes_his_own_password(session, town):
    ben = person(session, town, "ben", Role.PLANNER)
    kept, other = (accounts.start_session(session, ben, locale="en", at=NOW) for _ in range(2))
    me, keep = ben.actor(), accounts.session_actor(session, kept, at=NOW).id
    as_actor(session, me)
    assert not acting.change_password(session, me, "wrong words here", "another four words", keep=keep, at=NOW)
    assert acting.change_password(session, me, PASSWORD, "another four words", keep=keep, at=NOW)
    as_system(session)
    assert accounts.session_actor(session, kept, at=NOW) is not None
    assert accounts.session_actor(session, other, at=NOW) is None
    assert enter(session, "ben", "another four words").token
    told = session.execute(
        text("SELECT after FROM record WHERE purpose = 'change the own password' AND actor_user_id = :me"),
        {"me": ben.user_id},
    ).scalars()
    assert all("password_hash" not in row for row in told)


def test_guessing_the_old_password_locks(session, town):
    me = person(session, town, "ben", Role.PLANNER).actor()
    as_actor(session, me)
    for _ in range(5):
        assert not acting.change_password(session, me, "wrong words here", "another four words", at=NOW)
    with pytest.raises(InvalidInput, match="locked"):
        acting.change_password(session, me, PASSWORD, "another four words", at=NOW)


def test_own_sessions_end_but_the_one_in_use(session, town):
    ben = person(session, town, "ben", Role.PLANNER)
    kept, _other = (accounts.start_session(session, ben, locale="en", at=NOW) for _ in range(2))
    me, keep = ben.actor(), accounts.session_actor(session, kept, at=NOW).id
    as_actor(session, me)
    assert len(acting.my_account(session, me, at=NOW).sessions) == 2
    assert acting.end_my_sessions(session, me, keep=keep, at=NOW) == 1
    assert [row.id for row in acting.my_account(session, me, at=NOW).sessions] == [keep]
