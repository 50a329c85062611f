"""Codes, passwords, roles with an end, reviews: services on the real database, role by role."""

from __future__ import annotations

import dataclasses

import pytest
import shapely
from sqlalchemy import text

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role
from geodata.db import as_actor
from geodata.territory import communities, make_territory
from people import access, accounts, reviews, roles
from people.access_model import Finding
from people.roles import Reach
from tests.db.people_here import NOW, PASSWORD, SYSTEM, as_system, enter, later, person


@pytest.fixture
def town(session):
    return make_territory(session, SYSTEM, "town", boundary=shapely.box(-1.3, 50.6, -1.2, 50.7), title_zh="城")


@pytest.fixture
def chief(session, town) -> Actor:
    return person(session, town, "chief", Role.ADMINISTRATOR).actor()


@pytest.fixture
def auditor(session, town) -> Actor:
    return person(session, town, "auditor", Role.AUDITOR).actor()


@pytest.fixture
def as_chief(session, chief):
    as_actor(session, chief)
    return chief


def invite(session, chief, **more):
    return roles.invite_new(
        session,
        chief,
        **{
            "login": "Ben",
            "title_en": "Duty dispatcher",
            "title_zh": "值班派遣员",
            "first": Reach(Role.DISPATCHER),
            "at": NOW,
            **more,
        },
    )


# --- invitations


def test_an_invitation_lets_its_owner_set_the_password_once(session, town, as_chief):
    user_id, ticket = invite(session, as_chief)
    as_system(session)
    assert access.invited(session, ticket.code, at=NOW).login == "ben"
    token = access.redeem(session, ticket.code, PASSWORD, locale="en", at=NOW)
    live = accounts.session_actor(session, token, at=NOW)
    assert (live.actor.user_id, live.actor.role) == (user_id, Role.DISPATCHER)
    assert enter(session, "ben").token
    with pytest.raises(NotFound):
        access.redeem(session, ticket.code, PASSWORD + " more", locale="en", at=NOW)
    assert access.invited(session, ticket.code, at=NOW) is None


def test_only_the_hash_of_a_code_is_kept_and_never_in_the_record(session, as_chief):
    _, ticket = invite(session, as_chief)
    as_system(session)
    kept = session.execute(text("SELECT invitation::text FROM invitation")).scalar_one()
    told = session.execute(text("SELECT string_agg(r::text, '') FROM record AS r")).scalar_one()
    hashed = session.execute(text("SELECT code_hash FROM invitation")).scalar_one()
    assert ticket.code not in kept + told
    assert hashed not in told
    assert "invitation" in told


@pytest.mark.parametrize(("step", "opens"), [({"hours": 71}, True), ({"hours": 73}, False)])
def test_an_invitation_ends(session, as_chief, step, opens):
    _, ticket = invite(session, as_chief)
    assert (access.invited(session, ticket.code, at=later(**step)) is not None) is opens


def test_a_new_invitation_voids_the_one_before(session, as_chief):
    user_id, old = invite(session, as_chief)
    new = access.invite(session, as_chief, user_id, at=NOW)
    assert access.invited(session, old.code, at=NOW) is None
    assert access.invited(session, new.code, at=NOW) is not None


def test_a_reset_keeps_the_old_password_until_the_new_one_is_set_and_ends_sessions(session, town, chief):
    ben = person(session, town, "ben", Role.DISPATCHER)
    token = enter(session, "ben").token
    as_actor(session, chief)
    ticket = access.invite(session, chief, ben.user_id, at=NOW)
    assert ticket.kind == "reset"
    assert enter(session, "ben").token
    access.redeem(session, ticket.code, "another four words", locale="en", at=NOW)
    assert accounts.session_actor(session, token, at=NOW) is None
    assert enter(session, "ben").token is None
    assert enter(session, "ben", "another four words").token


def test_a_weak_password_leaves_the_code_good(session, as_chief):
    _, ticket = invite(session, as_chief)
    as_system(session)
    with pytest.raises(InvalidInput, match="guessed"):
        access.redeem(session, ticket.code, "Password1234", locale="en", at=NOW)
    assert access.redeem(session, ticket.code, PASSWORD, locale="en", at=NOW)


def test_a_closed_account_is_not_invited_and_its_code_opens_nothing(session, as_chief):
    user_id, ticket = invite(session, as_chief)
    version = roles.account(session, as_chief, user_id).version
    roles.close_account(session, as_chief, user_id, version=version, at=NOW)
    assert access.invited(session, ticket.code, at=NOW) is None
    with pytest.raises(InvalidInput, match="closed"):
        access.invite(session, as_chief, user_id, at=NOW)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"login": "chief"}, "taken"),
        ({"login": "no way"}, "cannot be a login"),
        ({"title_en": " ", "title_zh": ""}, "title"),
        ({"first": Reach(Role.GRID_MANAGER)}, "community"),
        ({"first": Reach(Role.HANDLER)}, "unit"),
        ({"first": Reach(Role.GRID_WORKER)}, "worker"),
        ({"first": Reach(Role.GRID_MANAGER, (999,))}, "not one of this territory"),
        ({"first": Reach(Role.DISPATCHER, (1,))}, "whole territory"),
        ({"first": Reach(Role.SYSTEM)}, "system"),
        ({"worker_id": 999}, "no such worker"),
    ],
)
def test_what_cannot_be_is_said(session, as_chief, more, said):
    with pytest.raises((InvalidInput, Conflict, NotFound), match=said):
        invite(session, as_chief, **more)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.SYSTEM}))
def test_nobody_else_manages_accounts(session, town, chief, role):
    other = dataclasses.replace(chief, role=role)
    for act in (
        lambda: invite(session, other),
        lambda: access.invite(session, other, 1),
        lambda: roles.grant(session, other, 1, Reach(Role.PLANNER)),
        lambda: roles.end_role(session, other, 1, version=1),
        lambda: roles.close_account(session, other, 1, version=1),
    ):
        with pytest.raises(NotPermitted):
            act()


# --- roles


def test_several_roles_and_their_end(session, town, chief):
    area = int(communities(session, town.id)["id"].iloc[0])
    ben = person(session, town, "ben", Role.PLANNER)
    token = enter(session, "ben").token
    as_actor(session, chief)
    second = roles.grant(session, chief, ben.user_id, Reach(Role.GRID_MANAGER, (area,)), at=NOW)
    with pytest.raises(Conflict):
        roles.grant(session, chief, ben.user_id, Reach(Role.GRID_MANAGER, (area,)), at=NOW)
    as_system(session)
    live = accounts.session_actor(session, token, at=NOW)
    accounts.switch_role(session, live, second, at=NOW)
    assert accounts.session_actor(session, token, at=NOW).actor.area_ids == (area,)
    as_actor(session, chief)
    version = next(each.version for each in roles.account(session, chief, ben.user_id).roles if each.id == second)
    with pytest.raises(Conflict):
        roles.end_role(session, chief, second, version=version + 1, at=NOW)
    roles.end_role(session, chief, second, version=version, at=NOW)
    as_system(session)
    assert accounts.session_actor(session, token, at=NOW) is None
    assert [each.role for each in accounts.accounts_of(session, ben.user_id, at=NOW)] == [Role.PLANNER]
    as_actor(session, chief)
    assert roles.grant(session, chief, ben.user_id, Reach(Role.GRID_MANAGER, (area,)), at=NOW)


def test_nobody_dispatches_and_closes_for_good(session, town, chief):
    ben = person(session, town, "ben", Role.DISPATCHER)
    as_actor(session, chief)
    with pytest.raises(InvalidInput, match="both duties"):
        roles.grant(session, chief, ben.user_id, Reach(Role.SUPERVISOR), at=NOW)


def test_the_last_administrator_stays(session, town, chief):
    as_actor(session, chief)
    own = roles.account(session, chief, chief.user_id)
    with pytest.raises(InvalidInput, match="Nobody would be left"):
        roles.end_role(session, chief, own.roles[0].id, version=own.roles[0].version, at=NOW)
    with pytest.raises(InvalidInput, match="own account"):
        roles.close_account(session, chief, chief.user_id, version=own.version, at=NOW)


def test_a_closed_account_is_out_at_once_and_comes_back(session, town, chief):
    ben = person(session, town, "ben", Role.PLANNER)
    token = enter(session, "ben").token
    as_actor(session, chief)
    version = roles.account(session, chief, ben.user_id).version
    assert roles.close_account(session, chief, ben.user_id, version=version, at=NOW) == 1
    assert enter(session, "ben").token is None
    assert accounts.session_actor(session, token, at=NOW) is None
    as_actor(session, chief)
    roles.open_account(session, chief, ben.user_id, version=version + 1)
    assert enter(session, "ben").token


def test_the_administrator_releases_a_lock(session, town, chief):
    ben = person(session, town, "ben", Role.PLANNER)
    for _ in range(5):
        enter(session, "ben", "wrong words here")
    as_actor(session, chief)
    row = roles.account(session, chief, ben.user_id)
    assert row.locked(NOW)
    roles.release_lock(session, chief, ben.user_id, version=row.version)
    assert enter(session, "ben").token


# --- reviews


def test_the_auditor_reviews_and_is_not_reviewed_by_himself(session, town, chief, auditor):
    ben = person(session, town, "ben", Role.PLANNER)
    as_actor(session, auditor)
    listed = {each.account.login: each for each in reviews.list_accounts(session, auditor, at=later(days=100))}
    assert set(listed) == {"auditor", "ben", "chief"}
    assert Finding.NEVER_IN in listed["ben"].findings
    reviews.review(session, auditor, ben.user_id, at=later(days=100))
    again = {each.account.login: each for each in reviews.list_accounts(session, auditor, at=later(days=100))}
    assert again["ben"].findings == ()
    assert (again["ben"].account.reviewed_by, again["ben"].account.reviewed_at) == ("auditor", later(days=100))
    with pytest.raises(InvalidInput, match="own account"):
        reviews.review(session, auditor, auditor.user_id)


def test_the_list_holds_no_hash_and_no_other_territory(session, town, chief, auditor):
    away = make_territory(session, SYSTEM, "away", boundary=shapely.box(-1.1, 50.6, -1.0, 50.7))
    accounts.ensure_user(
        session, login="far", role=Role.PLANNER, territory_id=away.id, title_en="x", title_zh="x", password=PASSWORD
    )
    as_actor(session, auditor)
    rows = session.execute(text("SELECT g::text FROM gk_accounts(:home) AS g"), {"home": town.id}).scalars().all()
    assert len(rows) == 2
    assert "argon2" not in "".join(rows)
    assert session.execute(text("SELECT count(*) FROM gk_accounts(:home)"), {"home": away.id}).scalar_one() == 0
    assert session.execute(text("SELECT count(*) FROM app_user")).scalar_one() == 1, "the own account alone"
    with pytest.raises(NotFound):
        roles.account_of_login(session, auditor, "far")


def test_the_administrator_reads_the_history_of_accounts_and_of_nothing_else(session, town, chief):
    ben = person(session, town, "ben", Role.PLANNER)
    as_actor(session, chief)
    roles.grant(session, chief, ben.user_id, Reach(Role.AUDITOR), at=NOW)
    entries = reviews.account_history(session, chief, roles.account(session, chief, ben.user_id))
    assert "user_role" in {entry.table for entry in entries}
    tables = session.execute(text("SELECT DISTINCT subject_table FROM record WHERE subject_id IS NOT NULL")).scalars()
    assert set(tables) <= {"app_user", "user_role", "invitation", "standing_deputy", "access_review"}
