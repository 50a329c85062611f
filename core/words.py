"""Words that people typed, as they are kept: no more than can be seen."""

from __future__ import annotations

import re
import unicodedata

TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Signs that turn the direction of what follows: with them a name shows as another."""
_UNSEEN = re.compile(f"[{TURNS}]")


def one_line(typed: str) -> str:
    """Return a text in one line with single spaces, without control signs and turns of direction."""
    seen = _UNSEEN.sub("", typed)
    if not seen.isprintable():
        seen = "".join(sign for sign in seen if sign.isspace() or unicodedata.category(sign) not in {"Cc", "Cs"})
    return " ".join(seen.split())
