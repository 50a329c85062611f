"""Shifts, passwords and the lock-out, without a database."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from people import credentials
from people.model import WorkerInfo

NOW = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)
WEEKDAYS = (1, 2, 3, 4, 5)


def worker(start: str | None, end: str | None, weekdays: tuple[int, ...] = WEEKDAYS) -> WorkerInfo:
    times = [dt.time.fromisoformat(text) if text else None for text in (start, end)]
    return WorkerInfo(1, "W001", 1, "Unit", None, None, None, None, times[0], times[1], weekdays)


@pytest.mark.parametrize(
    ("start", "end", "local", "expected"),
    [
        ("08:00", "16:00", "2026-03-03T08:00", True),  # Tuesday, the first minute
        ("08:00", "16:00", "2026-03-03T15:59", True),
        ("08:00", "16:00", "2026-03-03T16:00", False),  # the end is over
        ("08:00", "16:00", "2026-03-07T10:00", False),  # Saturday
        ("22:00", "06:00", "2026-03-03T23:00", True),  # Tuesday night
        ("22:00", "06:00", "2026-03-04T05:59", True),  # Wednesday morning
        ("22:00", "06:00", "2026-03-02T05:00", False),  # Monday morning belongs to Sunday
        ("22:00", "06:00", "2026-03-07T05:00", True),  # Saturday morning belongs to Friday
        ("22:00", "06:00", "2026-03-07T23:00", False),  # Saturday night
        (None, None, "2026-03-03T10:00", False),
    ],
)
def test_on_duty(start, end, local, expected):
    assert worker(start, end).on_duty(dt.datetime.fromisoformat(local)) is expected


@given(st.times(), st.times(), st.datetimes(timezones=st.just(dt.UTC)))
def test_a_shift_every_day_covers_its_share_of_the_day(start, end, local):
    everyone = WorkerInfo(1, "W", 1, "U", None, None, None, None, start, end, (1, 2, 3, 4, 5, 6, 7))
    inverse = WorkerInfo(1, "W", 1, "U", None, None, None, None, end, start, (1, 2, 3, 4, 5, 6, 7))
    if start != end:
        assert everyone.on_duty(local) is not inverse.on_duty(local)


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
