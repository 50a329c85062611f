"""A failed login is the same work, the same statements and the same words, whoever was named: counted, not timed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from argon2 import PasswordHasher, Type
from sqlalchemy import event, text

from core.identity import Role, system_actor
from geodata import db
from geodata.db import transaction
from people import accounts, credentials
from people.model import LoginFailure
from tests.conftest import OWN_HASHER
from tests.security.conftest import Enter

PASSWORD = "four little words"
WRONG = "four other words"


@dataclass
class Work:
    """Hashes reckoned and statements sent."""

    verified: int = 0
    hashed: int = 0
    statements: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def accounts_there(actors: object) -> None:
    del actors
    with transaction(system_actor()) as session:
        home = session.scalar(text("SELECT id FROM territory"))
        for login in ("open.one", "locked.one", "closed.one", "invited.one"):
            accounts.ensure_user(
                session,
                login=login,
                role=Role.AUDITOR,
                territory_id=home,
                title_en="Clerk",
                title_zh="科员",
                password=PASSWORD,
            )
        session.execute(
            text("UPDATE app_user SET password_hash = :none WHERE login = 'invited.one'"),
            {"none": credentials.NO_PASSWORD},
        )
        session.execute(text("UPDATE app_user SET active = false WHERE login = 'closed.one'"))
    credentials.dummy_hash()


@pytest.fixture
def people(accounts_there: None) -> None:
    """One open account, one locked, one closed, one that was invited and has no password yet."""
    with transaction(system_actor()) as session:
        session.execute(
            text(
                "UPDATE app_user SET failed_logins = 0,"
                " locked_until = CASE WHEN login = 'locked.one' THEN now() + interval '1 hour' END"
            )
        )


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    counted = Work()
    verify, make = PasswordHasher.verify, PasswordHasher.hash

    def verifies(self: PasswordHasher, *values: str) -> bool:
        counted.verified += 1
        return verify(self, *values)

    def hashes(self: PasswordHasher, *values: str) -> str:
        counted.hashed += 1
        return make(self, *values)

    monkeypatch.setattr(PasswordHasher, "verify", verifies)
    monkeypatch.setattr(PasswordHasher, "hash", hashes)

    def sent(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        counted.statements.append(statement)

    event.listen(db.engine(), "before_cursor_execute", sent)
    yield counted
    event.remove(db.engine(), "before_cursor_execute", sent)


FAILURES = {
    "wrong password": ("open.one", WRONG),
    "unknown": ("nobody.at.all", WRONG),
    "unknown, right password of another": ("nobody.at.all", PASSWORD),
    "locked, wrong": ("locked.one", WRONG),
    "locked, right": ("locked.one", PASSWORD),
    "closed, right": ("closed.one", PASSWORD),
    "invited": ("invited.one", PASSWORD),
    "the sign for no password": ("invited.one", credentials.NO_PASSWORD),
    "empty": ("", ""),
    "very long": ("open.one", "x" * 5000),
    "a demo account": ("auditor@tiny-town", WRONG),
}


def test_every_failure_is_the_same_work(people: None, work: Work) -> None:
    found = {}
    for name, (login, password) in FAILURES.items():
        work.verified, work.hashed, work.statements = 0, 0, []
        with transaction(system_actor(label=login), purpose="login") as session:
            outcome = accounts.login(session, login, password, locale="en")
        assert outcome.token is None, name
        assert outcome.failure in {LoginFailure.WRONG, LoginFailure.LOCKED}
        found[name] = (work.verified, work.hashed, tuple(work.statements))
    assert found["unknown"][:2] == (1, 0)
    assert {name for name, each in found.items() if each != found["unknown"]} == set()
    assert any("synchronous_commit = off" in each for each in found["unknown"][2]), "nor waits one for the disk"


def test_a_password_is_hashed_slowly_enough() -> None:
    """At least what OWASP asks of Argon2id: 19 MiB twice over."""
    own = OWN_HASHER()
    assert own.type is Type.ID
    assert own.memory_cost >= 19 * 1024
    assert own.time_cost >= 2
    assert own.salt_len >= 16


def test_every_failure_says_the_same(people: None, enter: Enter) -> None:
    client = enter(None)
    said = set()
    for login, password in FAILURES.values():
        if len(password) < 1000:
            answer = client.post("/login", data={"name": login, "password": password})
            said.add((answer.status_code, len(answer.text), answer.headers.get("set-cookie", "").split("=")[0]))
    assert len(said) == 1, said


def test_a_lock_is_no_longer_than_it_says_and_ends_by_itself(people: None) -> None:
    moment = dt.datetime.now(dt.UTC)
    with transaction(system_actor()) as session:
        for _ in range(credentials.FAILURES_BEFORE_LOCK):
            outcome = accounts.login(session, "open.one", WRONG, locale="en", at=moment)
        assert outcome.failure is LoginFailure.LOCKED
        for _ in range(3):  # knocking on a locked door locks it no longer
            accounts.login(session, "open.one", WRONG, locale="en", at=moment)
        until = session.scalar(text("SELECT locked_until FROM app_user WHERE login = 'open.one'"))
        assert until == moment + dt.timedelta(minutes=credentials.FIRST_LOCK_MINUTES)
        early = accounts.login(session, "open.one", PASSWORD, locale="en", at=until - dt.timedelta(seconds=1))
        assert (early.token, early.failure) == (None, LoginFailure.LOCKED)
        assert accounts.login(session, "open.one", PASSWORD, locale="en", at=until).token


def test_a_name_is_a_name_and_no_pattern(people: None) -> None:
    with transaction(system_actor()) as session:
        for name in ("%", "open%", "open_one", "open.one' --", "OPEN.ONE\u200b", "\u202eeno.nepo"):
            assert accounts.login(session, name, PASSWORD, locale="en").token is None
        assert accounts.login(session, "  OPEN.ONE ", PASSWORD, locale="en").token
