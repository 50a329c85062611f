"""Shifts, passwords and the lock-out, without a database."""

from __future__ import annotations

import datetime as dt

import pytest

from core.errors import InvalidInput
from people import credentials
from people.model import WorkerInfo

NOW = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)


def test_a_worker_is_on_duty_from_the_first_minute_of_the_shift_to_the_last():
    begins, ends = NOW - dt.timedelta(hours=1), NOW + dt.timedelta(hours=1)
    worker = WorkerInfo(1, "W001", 1, "Unit", None, "R1", None, None, begins, ends, stands_in=("R2",))
    assert worker.on_duty(begins)
    assert worker.on_duty(NOW)
    assert not worker.on_duty(ends)
    assert not WorkerInfo(1, "W001", 1, "Unit", None, None, None, None).on_duty(NOW)
    assert [worker.owns(code) for code in ("R1", "R2", "R3", None)] == [True, True, False, False]


def test_a_password_verifies_and_another_does_not():
    hashed = credentials.hash_password("four little words")
    assert hashed.startswith("$argon2id$")
    assert credentials.verify_password(hashed, "four little words")
    assert not credentials.verify_password(hashed, "four little word")
    assert not credentials.needs_rehash(hashed)


def test_the_same_password_never_hashes_the_same():
    assert credentials.hash_password("four little words") != credentials.hash_password("four little words")


@pytest.mark.parametrize("password", ["", "short", "x" * 9, "x" * 257])
def test_passwords_have_a_length(password):
    with pytest.raises(InvalidInput, match="10 to 256 characters"):
        credentials.hash_password(password)


def test_no_password_opens_an_account_without_one():
    for password in ("", "!", credentials.NO_PASSWORD, "four little words"):
        assert not credentials.verify_password(credentials.NO_PASSWORD, password)


def test_an_account_without_a_hash_costs_a_verification_too(monkeypatch):
    seen = []
    real = credentials._hasher()

    class Counting:
        def verify(self, hashed, password):
            seen.append(hashed)
            return real.verify(hashed, password)

    monkeypatch.setattr(credentials, "_hasher", Counting)
    monkeypatch.setattr(credentials, "dummy_hash", lambda: real.hash("nobody knows this"))
    assert not credentials.verify_password(credentials.NO_PASSWORD, "four little words")
    assert len(seen) == 1
    assert seen[0].startswith("$argon2id$")


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(1, None), (4, None), (5, 5), (6, None), (9, None), (10, 10), (15, 20), (20, 40), (25, 60), (500, 60)],
)
def test_lock_after_repeated_failures(failures, minutes):
    until = credentials.lock_after(failures, NOW)
    assert until == (None if minutes is None else NOW + dt.timedelta(minutes=minutes))


def test_tokens_are_long_and_their_ids_hide_them():
    token = credentials.new_token()
    assert len(token) >= 43
    assert token != credentials.new_token()
    assert token not in credentials.token_id(token)
    assert len(credentials.token_id(token)) == 64
