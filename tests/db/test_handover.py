"""Somebody leaves: what he holds goes to a named person in one act, without anybody reading an incident."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata.db import as_actor
from geodata.persons import new_subject, seal
from people import access_model, accounts, acting, handover, roles
from people.access_model import RoleState
from people.handover import Refused
from people.roles import Reach

NOW = dt.datetime.now(dt.UTC)
TODAY = NOW.date()


@pytest.fixture
def town(demo_database):
    """The demo town in a transaction that is rolled back, with a worker who holds work and one of his unit."""
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            as_actor(session, system_actor())
            home = session.execute(text("SELECT id FROM territory")).scalar_one()
            busiest = session.execute(
                text(
                    "SELECT w.id FROM worker AS w JOIN unit_grid AS g USING (responsibility_grid_id)"
                    " GROUP BY w.id, w.unit_id"
                    " HAVING (SELECT count(*) FROM worker AS o WHERE o.unit_id = w.unit_id) > 2"
                    " ORDER BY w.id LIMIT 1"
                )
            ).scalar_one()
            mate = session.execute(
                text(
                    "SELECT o.id FROM worker AS o JOIN worker AS w USING (unit_id) WHERE w.id = :id AND o.id <> w.id"
                    " ORDER BY o.id DESC LIMIT 1"
                ),
                {"id": busiest},
            ).scalar_one()
            session.execute(
                text(
                    "UPDATE incident SET worker_id = :id WHERE id IN (SELECT incident_id FROM task"
                    " WHERE state IN ('waiting', 'accepted', 'started') ORDER BY incident_id LIMIT 3)"
                ),
                {"id": busiest},
            )
            session.execute(
                text(
                    "UPDATE task SET worker_id = :id WHERE state IN ('waiting', 'accepted', 'started')"
                    " AND incident_id IN (SELECT id FROM incident WHERE worker_id = :id)"
                ),
                {"id": busiest},
            )
            officers = {each.role: each for each in accounts.demo_accounts(session)}
            chief = officers[Role.ADMINISTRATOR].actor()
            code = dict(session.execute(text("SELECT id, code FROM worker")).all())
            yield SimpleNamespace(
                session=session, home=home, worker=busiest, mate=mate, officers=officers, chief=chief, code=code
            )
        outer.rollback()


def account(town, login, role, **reach) -> int:
    as_actor(town.session, system_actor())
    return accounts.ensure_user(
        town.session,
        login=login,
        role=role,
        territory_id=town.home,
        title_en=login,
        title_zh=login,
        password="four little words",
        **reach,
    )


def party(town, name):
    as_actor(town.session, town.chief)
    return handover.party(town.session, town.chief, name)


def give(town, leaver, receiver, **more):
    as_actor(town.session, town.chief)
    who = None if receiver is None else party(town, receiver)
    return handover.hand_over(town.session, town.chief, party(town, leaver), who, today=TODAY, at=NOW, **more)


def as_system(town, query, **values):
    as_actor(town.session, system_actor())
    return town.session.execute(text(query), values)


def open_work(town, worker) -> tuple[int, int]:
    return as_system(
        town,
        "SELECT (SELECT count(*) FROM task WHERE worker_id = :w AND state IN ('waiting', 'accepted', 'started')),"
        " (SELECT count(*) FROM incident WHERE worker_id = :w AND status NOT IN ('closed', 'void'))",
        w=worker,
    ).one()


# --- the function itself, asked role by role


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM, Role.ADMINISTRATOR, Role.SUPERVISOR}))
def test_only_who_manages_may_call_it(town, role):
    as_actor(town.session, dataclasses.replace(town.chief, role=role))
    values = {"a": town.worker, "b": town.mate}
    assert town.session.execute(text("SELECT * FROM gk_held(:a, NULL)"), values).all() == []
    with pytest.raises(DBAPIError, match="may not hand work over"), town.session.begin_nested():
        town.session.execute(text("SELECT * FROM gk_hand_over(:a, :b, NULL)"), values)


def test_not_from_another_territory(town):
    as_actor(town.session, dataclasses.replace(town.chief, territory_id=town.home + 1))
    values = {"a": town.worker, "b": town.mate}
    assert town.session.execute(text("SELECT tasks + incidents FROM gk_held(:a, NULL)"), values).scalar_one() == 0
    with pytest.raises(DBAPIError, match="not of your territory"), town.session.begin_nested():
        town.session.execute(text("SELECT * FROM gk_hand_over(:a, :b, NULL)"), values)


@pytest.mark.parametrize("himself", [True, False])
def test_the_receiver_is_another_active_worker(town, himself):
    as_actor(town.session, town.chief)
    taker = town.worker if himself else 999_999
    with pytest.raises(DBAPIError, match="another active worker"), town.session.begin_nested():
        town.session.execute(text("SELECT * FROM gk_hand_over(:a, :b, NULL)"), {"a": town.worker, "b": taker})


def test_the_administrator_moves_what_he_cannot_see(town):
    before = open_work(town, town.worker)
    theirs = open_work(town, town.mate)
    assert before[0] >= 1
    as_actor(town.session, town.chief)
    assert town.session.execute(text("SELECT count(*) FROM incident")).scalar_one() == 0
    assert town.session.execute(text("SELECT count(*) FROM task")).scalar_one() == 0
    seen = handover.preview(
        town.session, town.chief, party(town, town.code[town.worker]), party(town, town.code[town.mate]),
        today=TODAY, leave_grid=True, at=NOW,
    )  # fmt: skip
    assert (seen.held.tasks, seen.held.incidents) == tuple(before)
    done = give(town, town.code[town.worker], town.code[town.mate], leave_grid=True, take_roles=True)
    assert (done.tasks, done.incidents) == tuple(before)
    assert tuple(open_work(town, town.worker)) == (0, 0)
    assert tuple(open_work(town, town.mate)) == (theirs[0] + before[0], theirs[1] + before[1])


def test_every_row_that_moves_stands_in_the_record_under_who_did_it(town):
    moved = open_work(town, town.worker)
    last = as_system(town, "SELECT max(seq) FROM record").scalar_one()
    give(town, town.code[town.worker], town.code[town.mate], leave_grid=True, take_roles=True)
    rows = as_system(
        town,
        "SELECT subject_table, actor_role, actor_user_id, after ->> 'worker_id' FROM record"
        " WHERE seq > :last AND subject_table IN ('task', 'incident')",
        last=last,
    ).all()
    assert len(rows) == sum(moved)
    assert {tuple(row[1:]) for row in rows} == {("administrator", town.chief.user_id, str(town.mate))}
    told = as_system(town, "SELECT after FROM record WHERE seq > :last AND action = 'hand over'", last=last)
    assert told.scalar_one()["tasks"] == moved[0]


# --- the whole act


def test_all_goes_in_one_act(town):
    session = town.session
    ann = account(town, "ann", Role.GRID_WORKER, worker_id=town.worker)
    ben = account(town, "ben", Role.GRID_WORKER, worker_id=town.mate)
    eva = account(town, "eva", Role.PLANNER)
    subject = new_subject(session)
    as_system(town, "SELECT 1")
    as_actor(session, Actor(ann, "ann", Role.GRID_WORKER, town.home))
    session.execute(
        text(
            "INSERT INTO draft (territory_id, user_id, kind, subject_id, content_cipher, updated_at)"
            " VALUES (:home, :ann, 'x', :subject, :cipher, now())"
        ),
        {"home": town.home, "ann": ann, "subject": subject, "cipher": seal(session, subject, "secret")},
    )
    as_actor(session, system_actor())
    token = accounts.start_session(session, accounts.find_account(session, "ann", town.home), locale="en", at=NOW)
    as_actor(session, town.chief)
    role_of_eva = roles.account(session, town.chief, eva).roles[0].id
    until = NOW + dt.timedelta(days=20)
    acting.act_for(session, town.chief, ann, role_of_eva, from_=NOW, until=until, reason="leave", at=NOW)
    acting.set_deputies(session, town.chief, eva, [ann])
    as_system(town, "UPDATE worker SET responsibility_grid_id = NULL WHERE id = :id", id=town.mate)
    grid = as_system(town, "SELECT responsibility_grid_id FROM worker WHERE id = :id", id=town.worker).scalar_one()

    done = give(town, "ann", "ben")
    assert (done.drafts, done.sessions, done.deputies, done.acting, done.roles) == (1, 1, 1, 1, 1)
    assert done.grid
    as_system(town, "SELECT 1")
    assert accounts.session_actor(session, token, at=NOW) is None
    bound = as_system(town, "SELECT responsibility_grid_id FROM worker WHERE id = :id", id=town.mate).scalar_one()
    assert bound == grid
    assert as_system(town, "SELECT active FROM app_user WHERE login = 'ann'").scalar_one() is False
    assert as_system(town, "SELECT employed_to FROM worker WHERE id = :id", id=town.worker).scalar_one() == TODAY
    key = as_system(town, "SELECT wrapped_key FROM person_key WHERE subject_id = :id", id=subject).scalar_one()
    assert key is None
    as_actor(session, town.chief)
    lent = [each for each in roles.account(session, town.chief, ben).roles if each.acting_for == eva]
    assert [(each.state(NOW), each.valid_until) for each in lent] == [(RoleState.NOW, until)]
    assert all(each.state(NOW) is RoleState.ENDED for each in roles.account(session, town.chief, ann).roles)


def test_an_office_role_goes_for_ninety_days_when_wanted(town):
    account(town, "ann", Role.PLANNER)
    ben = account(town, "ben", Role.AUDITOR)
    with pytest.raises(Refused, match="does not reach"):
        give(town, "ann", "ben")
    give(town, "ann", "ben", take_roles=True)
    as_actor(town.session, town.chief)
    lent = [each for each in roles.account(town.session, town.chief, ben).roles if each.acting_for is not None]
    assert [each.role for each in lent] == [Role.PLANNER]
    assert lent[0].valid_until == NOW + access_model.ACTING_MOST


def test_what_stands_against_it_is_said_all_at_once_and_nothing_moves(town):
    before = tuple(open_work(town, town.worker))
    other = as_system(
        town,
        "SELECT code FROM worker WHERE unit_id <> (SELECT unit_id FROM worker WHERE id = :id) LIMIT 1",
        id=town.worker,
    ).scalar_one()
    as_system(
        town,
        "INSERT INTO absence (territory_id, worker_id, kind, from_on, to_on)"
        " SELECT territory_id, id, 'leave', :day, :day FROM worker WHERE code = :code",
        day=TODAY,
        code=other,
    )
    with pytest.raises(Refused) as refused:
        give(town, town.code[town.worker], other)
    said = " ".join(refused.value.violations)
    assert "is away until" in said
    assert "the tasks belong to" in said
    assert "未作任何移交" in refused.value.zh
    assert tuple(open_work(town, town.worker)) == before


@pytest.mark.parametrize(
    ("leaver", "receiver", "said"),
    [("ann", "ann", "somebody else"), ("ann", "gone", "closed"), ("chief", "ben", "yourself")],
)
def test_who_cannot_take_over(town, leaver, receiver, said):
    account(town, "ann", Role.PLANNER)
    account(town, "ben", Role.PLANNER)
    account(town, "gone", Role.PLANNER)
    as_system(town, "UPDATE app_user SET active = false WHERE login = 'gone'")
    chief = town.officers[Role.ADMINISTRATOR].login
    with pytest.raises(Refused, match=said):
        give(town, chief if leaver == "chief" else leaver, receiver)


def test_somebody_who_is_away_takes_nothing_over(town):
    ann, ben = account(town, "ann", Role.PLANNER), account(town, "ben", Role.PLANNER)
    as_actor(town.session, town.chief)
    role = roles.account(town.session, town.chief, ben).roles[0].id
    third = town.officers[Role.AUDITOR].user_id
    until = NOW + dt.timedelta(days=5)
    acting.act_for(town.session, town.chief, third, role, from_=NOW, until=until, reason="leave", at=NOW)
    with pytest.raises(Refused, match="ben is away"):
        give(town, "ann", "ben")
    assert ann


def test_without_work_nobody_has_to_take_over(town):
    account(town, "ann", Role.PLANNER)
    assert give(town, "ann", None).roles == 1


def test_open_work_needs_somebody(town):
    with pytest.raises(Refused, match="name a worker"):
        give(town, town.code[town.worker], None, leave_grid=True)


def test_a_failure_half_way_leaves_everything(town, monkeypatch):
    account(town, "ann", Role.GRID_WORKER, worker_id=town.worker)
    before = tuple(open_work(town, town.worker))

    def fails(*_args, **_more):
        raise RuntimeError("pulled the plug")

    monkeypatch.setattr(handover.workers, "end_employment", fails)
    with pytest.raises(RuntimeError), town.session.begin_nested():
        give(town, "ann", town.code[town.mate], leave_grid=True)
    assert tuple(open_work(town, town.worker)) == before
    assert as_system(town, "SELECT active FROM app_user WHERE login = 'ann'").scalar_one() is True


def test_a_role_with_reach_needs_one_who_reaches_it(town):
    areas = town.officers[Role.GRID_MANAGER].area_ids
    account(town, "ann", Role.GRID_MANAGER, area_ids=areas)
    ben = account(town, "ben", Role.PLANNER)
    with pytest.raises(Refused, match="grid manager"):
        give(town, "ann", "ben")
    as_actor(town.session, town.chief)
    roles.grant(town.session, town.chief, ben, Reach(Role.GRID_MANAGER, tuple(areas)), at=NOW)
    assert give(town, "ann", "ben").roles == 1
