"""The words of evidence, in the language in use."""

from __future__ import annotations

from collections.abc import Collection

from app import i18n
from app.i18n import t
from app.roles import role_name
from core.identity import Role
from incidents import evidence_rules


def kind(key: str) -> str:
    """Return what a piece of evidence is, at the beginning of a line."""
    english, chinese = evidence_rules.KIND_WORDS.get(key, (key, key))
    return i18n.either(english[:1].upper() + english[1:], chinese)


def kinds(keys: Collection[str]) -> str:
    """Return kinds inside a sentence."""
    return i18n.either(*evidence_rules.in_words(keys))


def demand(text: str) -> str:
    """Return what a class demands."""
    found = evidence_rules.demanded(text)
    return kinds(found) if found else t("none")


def left_out(key: str) -> str:
    """Return why something found is not blurred."""
    return i18n.either(*evidence_rules.LEFT_OUT[key])


def taken_as(role: str) -> str:
    """Return in which role evidence was added; nothing for a process."""
    return role_name(Role(role)) if role in set(Role) - {Role.SYSTEM} else ""
