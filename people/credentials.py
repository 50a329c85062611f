"""Passwords, tokens and the rule of the lock-out; pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from core.errors import InvalidInput

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 256
FAILURES_BEFORE_LOCK = 5
FIRST_LOCK_MINUTES = 5
LONGEST_LOCK_MINUTES = 60
NO_PASSWORD = "!"  # noqa: S105  (no argon2 hash begins so: nothing verifies against it)


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password that is long enough.

    Raises
    ------
    InvalidInput
        When the password is shorter than 10 or longer than 256 characters.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise InvalidInput(
            f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters; this one has {len(password)}.",
            hint="A sentence of four or five words is good.",
        )
    return _hasher().hash(password)


@lru_cache(maxsize=1)
def dummy_hash() -> str:
    """Return a hash nobody knows the password of; verified for unknown names, so that time tells nothing."""
    return _hasher().hash(secrets.token_urlsafe(32))


def verify_password(password_hash: str, password: str) -> bool:
    """Return whether the password belongs to the hash; takes the same time when there is no hash."""
    known = password_hash != NO_PASSWORD
    try:
        matches = _hasher().verify(password_hash if known else dummy_hash(), password[: MAX_PASSWORD_LENGTH + 1])
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
    return known and matches


def needs_rehash(password_hash: str) -> bool:
    """Return whether the hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(password_hash)


def lock_after(failures: int, now: dt.datetime) -> dt.datetime | None:
    """Return until when an account with so many failures in a row is locked; None below five.

    Five minutes at the fifth failure, doubled with each further five, at most an hour.
    """
    if failures < FAILURES_BEFORE_LOCK or failures % FAILURES_BEFORE_LOCK:
        return None
    doubled = FIRST_LOCK_MINUTES * 2 ** min(failures // FAILURES_BEFORE_LOCK - 1, 10)
    return now + dt.timedelta(minutes=min(doubled, LONGEST_LOCK_MINUTES))


def new_token() -> str:
    """Return a fresh random session id (256 bits) for the cookie."""
    return secrets.token_urlsafe(32)


def token_id(token: str) -> str:
    """Return the id under which the session of this token is stored; it cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()
