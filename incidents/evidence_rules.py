"""What counts as evidence, and what a class of incident may demand before it is finished (pure)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

BEFORE, AFTER, OTHER, PLACE = "before", "after", "other", "place"
PHOTOS: Final = (BEFORE, AFTER, OTHER)
KINDS: Final = (*PHOTOS, PLACE)
"""Photos, and the note that says where exactly it was or what was done there."""
DEMANDABLE: Final = (BEFORE, AFTER, PLACE)
"""What a class may ask for, in the order in which it is written down."""
KIND_WORDS: Final = {
    BEFORE: ("photo before", "处置前照片"),
    AFTER: ("photo after", "处置后照片"),
    OTHER: ("other photo", "其他照片"),
    PLACE: ("note on the place", "位置说明"),
}
MOST_PHOTOS = 12
"""Of one incident, all kinds together; a place is shown by few."""
NOTE_MOST = 500
HANDS: Final = ("handler", "grid_worker")
"""Roles in which one shows what became of an incident by handling it."""
LEFT_OUT: Final = {
    "thing": ("a thing, no face", "是物品，不是人脸"),
    "sign": ("a sign or writing, no plate", "是标牌或文字，不是车牌"),
}
"""Why something found is not blurred: chosen, not written, since free text may name people."""


def demanded(text: str) -> tuple[str, ...]:
    """Return the kinds that a class demands, from the words it is stored as."""
    given = set(text.split())
    return tuple(kind for kind in DEMANDABLE if kind in given)


def written(kinds: Collection[str]) -> str:
    """Return the demand as a class stores it."""
    return " ".join(kind for kind in DEMANDABLE if kind in kinds)


def is_demand(text: str) -> bool:
    """Return whether a text is a demand as it is stored."""
    return text == written(demanded(text))


def lacking(text: str, there: Collection[str]) -> tuple[str, ...]:
    """Return what a class demands and an incident does not have."""
    return tuple(kind for kind in demanded(text) if kind not in there)


def in_words(kinds: Collection[str]) -> tuple[str, str]:
    """Return kinds in English and Chinese."""
    known = [kind for kind in KINDS if kind in kinds]
    return ", ".join(KIND_WORDS[kind][0] for kind in known), "、".join(KIND_WORDS[kind][1] for kind in known)
