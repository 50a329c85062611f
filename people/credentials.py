"""Passwords, tokens and the rule of the lock-out; pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from core.errors import InvalidInput

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 256
FEWEST_DIFFERENT_CHARACTERS = 5
LEET = str.maketrans("@4013$5!7", "aaoiessit")
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb", "abcdefghijklmnopqrstuvwxyz", "01234567890")
COMMON = frozenset({
    "admin", "administrator", "changeme", "default", "dragon", "football", "gridkeeper", "iloveyou", "letmein",
    "login", "mima", "monkey", "pass", "passw", "password", "passwort", "princess", "qwerty", "root", "secret",
    "sunshine", "test", "user", "wangge", "welcome", "woaini",
})  # fmt: skip
"""What most guessed passwords are made of, once digits and signs around it are taken away."""
FAILURES_BEFORE_LOCK = 5
FIRST_LOCK_MINUTES = 5
LONGEST_LOCK_MINUTES = 60
NO_PASSWORD = "!"  # noqa: S105  (no argon2 hash begins so)  # nosec B105


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
        raise _wrong_length(password)
    return _hasher().hash(password)


def _wrong_length(password: str) -> InvalidInput:
    return InvalidInput(
        f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters; this one has {len(password)}.",
        hint="A sentence of four or five words is good.",
        zh=f"密码须为 10 至 256 个字符，当前为 {len(password)} 个。建议使用由四五个词组成的短句。",
    )


def check_password(password: str, login: str) -> None:
    """Return when a password is long enough and not among the first that anybody would guess.

    No rule asks for capitals, digits or signs: they make passwords worse to remember, not to guess.

    Raises
    ------
    InvalidInput
        Saying what is wrong with it.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise _wrong_length(password)
    plain = password.casefold()
    letters = re.sub(r"[^a-z]", "", plain)
    name = login.casefold().partition("@")[0]
    rest = plain.replace(name, "") if len(name) > 2 else plain
    reasons = (
        (
            plain == login.casefold() or (len(rest) < len(plain) and len(rest) < 6),
            "It is little more than the login.",
            "密码与登录名过于相近。",
        ),
        (
            len(set(plain)) < FEWEST_DIFFERENT_CHARACTERS,
            "It has fewer than five different characters.",
            "密码中不同字符少于五个。",
        ),
        (
            re.fullmatch(r"(.{1,5}?)\1+.{0,4}", plain) is not None,
            "It repeats one short piece.",
            "密码只是一小段内容的重复。",
        ),
        (_is_sequence(plain), "It is a sequence of the alphabet or the keyboard.", "密码是字母表或键盘上的连续字符。"),
        (
            letters in COMMON or re.sub(r"[^a-z]", "", plain.strip("0123456789!?.*#_-").translate(LEET)) in COMMON,
            "It is a common word with something around it.",
            "密码只是常见词加上少量字符。",
        ),
    )
    for wrong, why, zh in reasons:
        if wrong:
            raise InvalidInput(
                f"This password would be guessed soon. {why}",
                hint="A sentence of four or five words is good.",
                zh=f"此密码容易被猜中。{zh}建议使用由四五个词组成的短句。",
            )


def _is_sequence(text: str) -> bool:
    """Return whether a text runs along the alphabet, the digits or a row of keys, forwards or backwards."""
    pieces = re.findall(r"[a-z0-9]+", text)
    rows = [*KEYBOARD, *(row[::-1] for row in KEYBOARD)]
    return bool(pieces) and all(len(piece) > 2 and any(piece in row for row in rows) for piece in pieces)


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


def new_code() -> str:
    """Return a fresh one-time code (160 bits) for an invitation."""
    return secrets.token_urlsafe(20)


def new_token() -> str:
    """Return a fresh random session id (256 bits) for the cookie."""
    return secrets.token_urlsafe(32)


def token_id(token: str) -> str:
    """Return the id under which the session of this token is stored; it cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()
