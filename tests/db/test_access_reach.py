"""How far an administrator reaches, and what no role may do to sessions, roles and keys, past every service too."""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core.errors import InvalidInput, NotPermitted
from core.identity import Role, system_actor
from geodata import jobs
from geodata.db import as_actor, transaction
from geodata.persons import new_subject, seal
from geodata.territory import make_territory
from people import access, accounts, acting, handover, roles
from people.roles import Reach
from tests.db.people_here import NOW, SYSTEM, as_system, enter, later, person


@pytest.fixture
def town(session):
    return make_territory(session, SYSTEM, "town", boundary=shapely.box(-1.3, 50.6, -1.2, 50.7))


@pytest.fixture
def village(session):
    return make_territory(session, SYSTEM, "village", boundary=shapely.box(-1.1, 50.6, -1.0, 50.7))


@pytest.fixture
def chief(session, town):
    return person(session, town, "chief", Role.ADMINISTRATOR).actor()


@pytest.fixture
def both(session, town, village):
    """Somebody who works in both territories."""
    person(session, village, "both", Role.SUPERVISOR)
    return person(session, town, "both", Role.PLANNER)


def refused(session, actor, statement, **values) -> bool:
    """Return whether the database refuses a statement, or lets it reach no row."""
    try:
        with session.begin_nested() as undone:
            as_actor(session, actor)
            count = session.execute(text(statement), values).rowcount
            undone.rollback()
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != "42501":
            raise
        return True
    return count == 0


# --- accounts of another territory


def test_the_password_of_who_works_elsewhere_too_is_not_the_administrators(session, village, chief, both):
    as_actor(session, chief)
    version = roles.account(session, chief, both.user_id).version
    for act in (
        lambda: access.invite(session, chief, both.user_id, at=NOW),
        lambda: roles.close_account(session, chief, both.user_id, version=version),
        lambda: roles.open_account(session, chief, both.user_id, version=version),
        lambda: roles.release_lock(session, chief, both.user_id, version=version),
    ):
        with pytest.raises(NotPermitted, match="another territory"):
            act()
    role = next(each for each in roles.account(session, chief, both.user_id).roles)
    roles.end_role(session, chief, role.id, version=role.version, at=NOW)
    with pytest.raises(NotPermitted):
        access.invite(session, chief, both.user_id, at=NOW)


def test_who_administers_both_territories_reaches_both(session, village, chief, both):
    person(session, village, "chief", Role.ADMINISTRATOR)
    as_actor(session, chief)
    assert access.invite(session, chief, both.user_id, at=NOW).login == "both"


def test_nobody_of_another_territory_is_drawn_into_the_own_one(session, village, chief):
    vera = person(session, village, "vera", Role.SUPERVISOR)
    as_actor(session, chief)
    for act in (
        lambda: roles.grant(session, chief, vera.user_id, Reach(Role.PLANNER), at=NOW),
        lambda: access.invite(session, chief, vera.user_id, at=NOW),
    ):
        with pytest.raises(NotPermitted, match="another territory"):
            act()


def test_the_database_says_so_too(session, town, village, chief):
    vera = person(session, village, "vera", Role.SUPERVISOR)
    ada = person(session, town, "ada", Role.PLANNER)
    for change in ("password_hash = 'x'", "active = false", "is_demo = true", "worker_id = NULL"):
        statement = f"UPDATE app_user SET {change} WHERE id = :id"
        assert refused(session, chief, statement, id=vera.user_id), change
        assert not refused(session, chief, statement, id=ada.user_id), change
    code = "INSERT INTO invitation (user_id, kind, code_hash, expires_at) VALUES (:id, :kind, 'x', now())"
    assert refused(session, chief, code, id=vera.user_id, kind="reset")
    assert refused(session, chief, code, id=None, kind="first")
    assert not refused(session, chief, code, id=ada.user_id, kind="reset")


# --- sessions


@pytest.fixture
def live(session, town, village):
    """Sessions of somebody in each territory."""
    found = {}
    for place, name in ((town, "ada"), (village, "vera")):
        account = person(session, place, name, Role.SUPERVISOR)
        token = enter(session, name).token
        found[name] = (account, accounts.session_actor(session, token, at=NOW))
    return found


def test_nobody_but_the_login_begins_a_session(session, chief, live):
    """Whoever writes a session row enters as whom he likes."""
    made = (
        "INSERT INTO user_session (id, user_id, role_id, locale, created_at, last_seen_at, expires_at)"
        " VALUES ('x', :user, :role, 'en', now(), now(), now())"
    )
    for account, _ in live.values():
        assert refused(session, chief, made, user=account.user_id, role=account.role_id)
        assert refused(session, account.actor(), made, user=account.user_id, role=account.role_id)


def test_a_session_is_ended_and_not_taken_over(session, chief, live):
    ada, hers = live["ada"]
    _, away = live["vera"]
    end = "UPDATE user_session SET revoked_at = now() WHERE id = :id"
    assert not refused(session, chief, end, id=hers.id)
    assert refused(session, chief, end, id=away.id)
    as_system(session)
    mine = accounts.session_actor(session, enter(session, "chief").token, at=NOW)
    take = "UPDATE user_session SET role_id = :role WHERE id = :id"
    assert refused(session, chief, take, role=ada.role_id, id=mine.id), "the own session in another's role"
    assert refused(session, chief, "UPDATE user_session SET id = 'y' WHERE id = :id", id=hers.id)
    assert refused(session, chief, "UPDATE user_session SET user_id = :user WHERE id = :id", user=1, id=hers.id)


def test_what_ended_stays_ended_for_its_owner(session, live):
    ada, hers = live["ada"]
    assert refused(session, ada.actor(), "UPDATE user_session SET expires_at = 'infinity' WHERE id = :id", id=hers.id)
    assert not refused(session, ada.actor(), "UPDATE user_session SET locale = 'zh' WHERE id = :id", id=hers.id)
    as_system(session)
    session.execute(text("UPDATE user_session SET revoked_at = now() WHERE id = :id"), {"id": hers.id})
    assert refused(session, ada.actor(), "UPDATE user_session SET revoked_at = NULL WHERE id = :id", id=hers.id)


def test_a_session_in_a_role_of_somebody_else_is_none(session, chief, live):
    ada, _ = live["ada"]
    token = enter(session, "vera").token
    session.execute(
        text("UPDATE user_session SET role_id = :role WHERE user_id = :user"),
        {"role": ada.role_id, "user": live["vera"][0].user_id},
    )
    assert accounts.session_actor(session, token, at=NOW) is None


# --- roles for oneself


def test_nobody_gives_himself_a_role(session, town, chief):
    ada = person(session, town, "ada", Role.SUPERVISOR)
    as_actor(session, chief)
    with pytest.raises(NotPermitted, match="himself"):
        roles.grant(session, chief, chief.user_id, Reach(Role.SUPERVISOR), at=NOW)
    times = {"from_": NOW, "until": later(days=1), "reason": "leave", "at": NOW}
    with pytest.raises(NotPermitted, match="himself"):
        acting.act_for(session, chief, chief.user_id, ada.role_id, **times)
    add = (
        "INSERT INTO user_role (user_id, territory_id, role, area_ids, unit_ids)"
        " VALUES (:user, :home, 'supervisor', '{}', '{}')"
    )
    assert refused(session, chief, add, user=chief.user_id, home=town.id)
    own = "UPDATE user_role SET {} WHERE user_id = :user"
    for change in ("role = 'supervisor'", "valid_until = now() + interval '1 year', role = 'dispatcher'"):
        assert refused(session, chief, own.format(change), user=chief.user_id), change
    assert not refused(session, chief, own.format("valid_until = now()"), user=chief.user_id)
    assert refused(
        session, chief, "UPDATE user_role SET user_id = :user WHERE id = :role", user=chief.user_id, role=ada.role_id
    )


def test_no_handover_gives_roles_to_who_does_it(session, town, chief):
    person(session, town, "ada", Role.SUPERVISOR)
    as_actor(session, chief)
    leaver, receiver = (handover.party(session, chief, name) for name in ("ada", "chief"))
    for take_roles in (True, False):
        seen = handover.preview(
            session, chief, leaver, receiver, today=dt.date(2026, 3, 2), take_roles=take_roles, at=NOW
        )
        assert any("your own" in each.en for each in seen.obstacles)


def test_what_leads_to_no_role_is_handed_over_to_anybody(session, town, chief):
    """A planner's roles end with him when nobody is named."""
    person(session, town, "ada", Role.PLANNER)
    as_actor(session, chief)
    leaver = handover.party(session, chief, "ada")
    assert handover.preview(session, chief, leaver, None, today=dt.date(2026, 3, 2), at=NOW).obstacles == ()


# --- keys, persons, demo


def test_a_drafts_key_is_nobodys_person(session, town):
    """The writer of a draft may destroy its key, so it must not be the key of a person or an incident."""
    worker = person(session, town, "ada", Role.DISPATCHER)
    as_system(session)
    subject = new_subject(session)
    session.execute(
        text("INSERT INTO person (territory_id, subject_id, name_cipher) VALUES (:home, :subject, :name)"),
        {"home": town.id, "subject": subject, "name": seal(session, subject, "Li Wei")},
    )
    draft = (
        "INSERT INTO draft (user_id, territory_id, kind, subject_id, content_cipher, updated_at)"
        " VALUES (:user, :home, 'x', :subject, 'x', now())"
    )
    values = {"user": worker.user_id, "home": town.id}
    assert refused(session, worker.actor(), draft, subject=subject, **values)
    as_system(session)
    assert not refused(session, worker.actor(), draft, subject=new_subject(session), **values)


def test_a_temporary_table_does_not_open_the_guards(session, town):
    """PostgreSQL looks for tables among the temporary ones first, before its own catalogue."""
    planner = person(session, town, "ada", Role.PLANNER).actor()
    as_actor(session, planner)
    session.execute(text("CREATE TEMP TABLE pg_class (oid oid, relowner oid) ON COMMIT DROP"))
    session.execute(
        text(
            "INSERT INTO pg_class SELECT c.oid, r.oid FROM pg_catalog.pg_class AS c, pg_roles AS r"
            " WHERE r.rolname = session_user"
        )
    )
    assert refused(session, planner, "UPDATE territory SET title_en = 'x'")
    session.execute(text("DROP TABLE pg_temp.pg_class"))


def test_a_job_is_done_with_the_rights_of_who_asked(session, town):
    """Its row names the actor, role and all, whom the work is done as."""
    ada = person(session, town, "ada", Role.PLANNER).actor()
    as_actor(session, ada)
    job_id = jobs.enqueue(session, ada, "study", {"study_id": 1})
    for forged in (
        dataclasses.replace(ada, role=Role.SYSTEM),
        dataclasses.replace(ada, role=Role.SUPERVISOR),
        dataclasses.replace(ada, user_id=None),
        dataclasses.replace(ada, territory_id=None),
    ):
        with pytest.raises(ProgrammingError, match="row-level security"), session.begin_nested():
            jobs.enqueue(session, forged, "study", {"study_id": 1})
    for change in ("arguments = '{}'", "kind = 'clear_demo'"):
        assert refused(session, ada, f"UPDATE job_run SET {change} WHERE id = :id", id=job_id), change
    as_actor(session, ada)
    jobs.request_cancel(session, job_id)


def test_a_city_is_not_called_a_demo_later(session, chief):
    assert refused(session, chief, "UPDATE territory SET is_demo = true")
    assert not refused(session, chief, "UPDATE territory SET title_en = 'x'")


# --- the last administrators


def test_two_administrators_cannot_close_each_other_at_once(database):
    """Each sees the other still open: the later one has to wait for the earlier one, and then sees it."""
    with transaction(system_actor()) as session:
        home = make_territory(session, SYSTEM, "town", boundary=shapely.box(-1.3, 50.6, -1.2, 50.7))
        first, second = (person(session, home, name, Role.ADMINISTRATOR) for name in ("first", "second"))
    met = Barrier(2, timeout=90)

    def close(mine, other) -> str:
        try:
            with transaction(mine.actor()) as session:
                version = roles.account(session, mine.actor(), other.user_id).version
                met.wait()
                roles.close_account(session, mine.actor(), other.user_id, version=version)
        except InvalidInput as error:
            return error.message
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(close, (first, second), (second, first)))
    with transaction(system_actor()) as session:
        assert not access.lacks_administrator(session)
    assert sorted(map(bool, said)) == [False, True]


def test_an_actor_without_a_person_reaches_the_own_territory_only(session, town, village, chief, both):
    ada = person(session, town, "ada", Role.PLANNER)
    nobody = dataclasses.replace(chief, user_id=None)
    statement = "UPDATE app_user SET locale = 'zh' WHERE id = :id"
    assert not refused(session, nobody, statement, id=ada.user_id)
    assert refused(session, nobody, statement, id=both.user_id)
