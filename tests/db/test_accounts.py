"""Accounts and sessions in the real database: enter, fail, lock, leave, revoke, switch."""

from __future__ import annotations

import datetime as dt

import pytest
import shapely
from sqlalchemy import text

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from core.settings import settings
from geodata.territory import communities, make_territory
from people import accounts, credentials
from people.model import LoginFailure

NOW = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)
PASSWORD = "four little words"
SYSTEM = system_actor()


def later(**step: float) -> dt.datetime:
    return NOW + dt.timedelta(**step)


@pytest.fixture
def town(session):
    return make_territory(session, SYSTEM, "town", boundary=shapely.box(-1.3, 50.6, -1.2, 50.7), title_zh="城")


@pytest.fixture
def other_town(session):
    return make_territory(session, SYSTEM, "other", boundary=shapely.box(-1.1, 50.6, -1.0, 50.7))


@pytest.fixture
def ann(session, town):
    accounts.ensure_user(
        session,
        login="Ann",
        role=Role.SUPERVISOR,
        territory_id=town.id,
        title_en="Head",
        title_zh="主任",
        password=PASSWORD,
    )
    return "ann"


@pytest.fixture
def no_demo(monkeypatch):
    monkeypatch.setenv("GRIDKEEPER_DEMO", "false")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def enter(session, name="ann", password=PASSWORD, at=NOW):
    return accounts.login(session, name, password, locale="en", at=at)


def test_right_name_and_password_start_a_session(session, town, ann):
    outcome = enter(session, " ANN ")
    live = accounts.session_actor(session, outcome.token, at=NOW)
    assert live.actor == Actor(live.actor.user_id, "ann", Role.SUPERVISOR, town.id, locale="en")
    assert (live.title("en"), live.title("zh")) == ("Head", "主任")
    assert live.expires_at == later(hours=settings().session_hours)


def test_a_login_stands_in_the_record_under_who_came_in(session, town, ann):
    enter(session)
    said = session.execute(
        text("SELECT actor_label, actor_role, territory_id, after FROM record WHERE action = 'login'")
    ).one()
    assert tuple(said) == ("ann", "supervisor", town.id, {"role": "supervisor"})


def test_the_table_keeps_a_hash_of_the_token_only(session, ann):
    token = enter(session).token
    assert token not in str(session.execute(text("SELECT * FROM user_session")).all())
    assert session.execute(text("SELECT id FROM user_session")).scalar_one() == credentials.token_id(token)


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong words here"), ("nobody", PASSWORD), ("", ""), ("ann", "")]
)
def test_wrong_ones_do_not(session, ann, name, password):
    outcome = enter(session, name, password)
    assert (outcome.token, outcome.failure) == (None, LoginFailure.WRONG)


def test_an_unknown_name_costs_a_verification_like_a_known_one(session, ann, monkeypatch):
    seen = []
    monkeypatch.setattr(credentials, "verify_password", lambda hashed, _: bool(seen.append(hashed)))
    enter(session, "nobody")
    enter(session, "ann", "wrong words here")
    assert seen[0] == credentials.NO_PASSWORD
    assert seen[1].startswith("$argon2id$")


def test_five_failures_lock_and_time_unlocks(session, ann):
    for attempt in range(4):
        assert enter(session, password="wrong words here", at=later(seconds=attempt)).failure is LoginFailure.WRONG
    assert enter(session, password="wrong words here").failure is LoginFailure.LOCKED
    assert enter(session, at=later(minutes=4)).failure is LoginFailure.LOCKED, (
        "the right password opens no locked account"
    )
    assert enter(session, at=later(minutes=6)).token is not None
    assert session.execute(text("SELECT failed_logins FROM app_user WHERE login = 'ann'")).scalar_one() == 0


def test_a_success_forgets_failures(session, ann):
    for _ in range(4):
        enter(session, password="wrong words here")
    assert enter(session).token
    for _ in range(4):
        assert enter(session, password="wrong words here").failure is LoginFailure.WRONG


def test_more_failures_lock_for_longer(session, ann):
    when = NOW
    for _ in range(2):
        for _ in range(5):
            enter(session, password="wrong words here", at=when)
        when += dt.timedelta(minutes=6)
    assert enter(session, at=when).failure is LoginFailure.LOCKED
    assert enter(session, at=when + dt.timedelta(minutes=6)).token


def test_an_inactive_account_does_not_open_and_its_session_ends(session, ann):
    token = enter(session).token
    session.execute(text("UPDATE app_user SET active = false"))
    assert accounts.session_actor(session, token, at=NOW) is None
    assert enter(session).failure is LoginFailure.WRONG


def test_a_weak_hash_is_renewed_at_login(session, ann):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    session.execute(text("UPDATE app_user SET password_hash = :weak"), {"weak": weak})
    assert enter(session).token
    assert not credentials.needs_rehash(session.execute(text("SELECT password_hash FROM app_user")).scalar_one())


def test_sessions_end_by_time(session, ann):
    token = enter(session).token
    hours = settings().session_hours
    assert accounts.session_actor(session, token, at=later(hours=hours, seconds=-1))
    assert accounts.session_actor(session, token, at=later(hours=hours)) is None


def test_an_invented_token_is_nobody(session, ann):
    enter(session)
    for token in ("", "x", credentials.new_token()):
        assert accounts.session_actor(session, token, at=NOW) is None
    stolen = session.execute(text("SELECT id FROM user_session")).scalar_one()
    assert accounts.session_actor(session, stolen, at=NOW) is None, "the id in the table opens nothing"


def test_logging_out_ends_this_session_only(session, ann):
    first, second = enter(session).token, enter(session).token
    assert accounts.log_out(session, first, at=NOW)
    assert not accounts.log_out(session, first, at=NOW)
    assert accounts.session_actor(session, first, at=NOW) is None
    assert accounts.session_actor(session, second, at=NOW)


def test_an_administrator_lists_and_revokes(session, town, ann):
    token = enter(session).token
    chief = Actor(1, "admin", Role.ADMINISTRATOR, town.id)
    (row,) = accounts.list_sessions(session, chief, town.id, at=NOW)
    assert (row.login, row.role, row.revoked_at) == ("ann", Role.SUPERVISOR, None)
    accounts.revoke(session, chief, row.id, at=NOW)
    assert accounts.session_actor(session, token, at=NOW) is None
    assert accounts.list_sessions(session, chief, town.id, at=NOW) == []
    with pytest.raises(NotFound):
        accounts.revoke(session, chief, row.id, at=NOW)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.SYSTEM}))
def test_nobody_else_sees_or_ends_sessions_or_makes_users(session, town, role):
    actor = Actor(1, "x", role, town.id)
    with pytest.raises(NotPermitted):
        accounts.list_sessions(session, actor, town.id)
    with pytest.raises(NotPermitted):
        accounts.revoke(session, actor, "x")
    with pytest.raises(NotPermitted):
        accounts.create_user(
            session,
            actor,
            login="b",
            password=PASSWORD,
            role=Role.PLANNER,
            territory_id=town.id,
            title_en="",
            title_zh="",
        )


def test_being_seen_is_written_now_and_then(session, ann):
    token = enter(session).token

    def seen():
        return session.execute(text("SELECT last_seen_at FROM user_session")).scalar_one()

    accounts.session_actor(session, token, at=later(minutes=1))
    assert seen() == NOW
    accounts.session_actor(session, token, at=later(minutes=10))
    assert seen() == later(minutes=10)


def test_the_language_belongs_to_the_session(session, ann):
    token = enter(session).token
    live = accounts.session_actor(session, token, at=NOW)
    accounts.set_locale(session, live, "zh")
    assert accounts.session_actor(session, token, at=NOW).actor.locale == "zh"
    accounts.set_locale(session, live, "xx")
    assert accounts.session_actor(session, token, at=NOW).actor.locale == "en"


# --- making accounts


def make(session, town, **change):
    given = {"login": "bob", "password": PASSWORD, "role": Role.PLANNER, "title_en": "Bob", "title_zh": "鲍"}
    chief = Actor(1, "admin", Role.ADMINISTRATOR, town.id)
    return accounts.create_user(session, chief, territory_id=town.id, **{**given, **change})


@pytest.mark.parametrize("login", ["", " ", "a b", "-a", "a/b", "x" * 65, "<b>", "名"])
def test_logins_have_a_rule(session, town, login):
    with pytest.raises(InvalidInput, match="cannot be a login"):
        make(session, town, login=login)


@pytest.mark.parametrize("role", [Role.GRID_MANAGER, Role.HANDLER, Role.SYSTEM])
def test_a_role_without_its_reach_is_refused(session, town, role):
    with pytest.raises(InvalidInput):
        make(session, town, role=role)


def test_a_login_is_taken_once(session, town):
    make(session, town)
    with pytest.raises(Conflict, match="taken"):
        make(session, town, login="BOB")


def test_ensuring_a_user_twice_makes_one_and_brings_it_up_to_date(session, town):
    area = int(communities(session, town.id)["id"].iloc[0])
    for title in ("One", "Two"):
        accounts.ensure_user(
            session,
            login="m",
            role=Role.GRID_MANAGER,
            territory_id=town.id,
            title_en=title,
            title_zh=title,
            area_ids=[area],
        )
    assert session.execute(text("SELECT count(*), max(title_en) FROM app_user")).one() == (1, "Two")
    assert session.execute(text("SELECT area_ids FROM user_role")).scalars().all() == [[area]]


def test_ensuring_without_a_password_keeps_the_old_one(session, town, ann):
    accounts.ensure_user(session, login="ann", role=Role.SUPERVISOR, territory_id=town.id, title_en="H", title_zh="H")
    assert enter(session).token


# --- demo accounts


@pytest.fixture
def demo(session, town):
    return accounts.ensure_user(
        session, login="demo", role=Role.DISPATCHER, territory_id=town.id, title_en="D", title_zh="D", is_demo=True
    )


def test_a_demo_card_opens_without_a_password_and_no_password_does(session, demo):
    assert [account.login for account in accounts.demo_accounts(session)] == ["demo"]
    assert accounts.enter_demo(session, "demo", locale="zh", at=NOW).token
    for password in ("", "!", "demo"):
        assert enter(session, "demo", password).token is None


def test_a_card_opens_no_real_account(session, demo, ann):
    assert accounts.enter_demo(session, "ann", locale="en").failure is LoginFailure.WRONG


def test_outside_demo_mode_demo_accounts_do_not_work_and_refuse_the_start(session, town, demo, ann, request):
    token = accounts.enter_demo(session, "demo", locale="en", at=NOW).token
    accounts.refuse_demo_accounts(session)
    request.getfixturevalue("no_demo")
    assert accounts.demo_accounts(session) == []
    assert accounts.enter_demo(session, "demo", locale="en").failure is LoginFailure.DEMO_OFF
    assert accounts.session_actor(session, token, at=NOW) is None, "a demo session from before counts for nothing"
    with pytest.raises(InvalidInput, match="1 demo accounts are active"):
        accounts.refuse_demo_accounts(session)
    assert accounts.retire_demo_accounts(session, SYSTEM) == 1
    accounts.refuse_demo_accounts(session)
    assert enter(session).token, "real accounts go on working"


# --- several territories


def test_joining_a_territory_gives_the_same_roles_there(session, town, other_town, demo, ann):
    me = accounts.session_actor(session, enter(session).token, at=NOW).actor
    assert accounts.join_territory(session, me, other_town.id, area_ids=[3]) == 2
    assert accounts.join_territory(session, me, other_town.id, area_ids=[3]) == 2
    assert [account.territory_id for account in accounts.accounts_of(session, me.user_id)] == [town.id, other_town.id]


def test_a_session_switches_between_its_own_roles_only(session, town, other_town, demo, ann):
    token = enter(session).token
    live = accounts.session_actor(session, token, at=NOW)
    accounts.join_territory(session, live.actor, other_town.id, area_ids=[])
    mine = accounts.accounts_of(session, live.actor.user_id)
    accounts.switch_role(session, live, mine[1].role_id)
    switched = accounts.session_actor(session, token, at=NOW)
    assert (switched.actor.territory_id, switched.role_id) == (other_town.id, mine[1].role_id)
    (theirs, *_) = accounts.accounts_of(session, demo)
    with pytest.raises(NotFound, match="not yours"):
        accounts.switch_role(session, live, theirs.role_id)


def test_a_card_opens_the_territory_it_stands_for(session, town, other_town, demo):
    accounts.join_territory(session, SYSTEM, other_town.id, area_ids=[])
    for account in accounts.demo_accounts(session):
        token = accounts.enter_demo(session, "demo", locale="en", role_id=account.role_id, at=NOW).token
        assert accounts.session_actor(session, token, at=NOW).actor.territory_id == account.territory_id
    assert accounts.enter_demo(session, "demo", locale="en", role_id=10**6).token is None
