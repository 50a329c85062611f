"""The readable number of an incident, with a character that gives a mistyped one away."""

from __future__ import annotations

import re
import unicodedata

from core.errors import InvalidInput

CHECK_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""31 characters that are not mistaken for each other (no I, L, O, 0, 1)."""

_NUMBER = re.compile(r"([A-Z]{2,4})-(\d{4})-(\d{6,})-([A-Z0-9])")


def make_number(prefix: str, year: int, sequence: int) -> str:
    """Return the number of the ``sequence``-th incident of a year, e.g. ``IOW-2026-004417-N``.

    Parameters
    ----------
    prefix
        Two to four capital letters of the territory, see `prefix_of`.
    """
    stem = f"{prefix}-{year:04d}-{sequence:06d}"
    return f"{stem}-{_check(stem)}"


def check_number(text: str) -> str:
    """Return the number in its one spelling; spaces and lower case are forgiven.

    Raises
    ------
    InvalidInput
        When the form is wrong or the check character does not fit. Every single wrong character
        and every swap of neighbouring characters is found.
    """
    number = re.sub(r"\s+", "", text).upper()
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise InvalidInput(f"{text!r} is not an incident number.", hint="It looks like IOW-2026-004417-N.")
    if match[4] != _check(number[: match.start(4) - 1]):
        raise InvalidInput(f"The incident number {number} is mistyped.", hint="Compare it once more.")
    return number


def prefix_of(territory_name: str) -> str:
    """Return the letters that numbers of a territory begin with: initials, or the first three letters."""
    plain = unicodedata.normalize("NFKD", territory_name).encode("ascii", "ignore").decode().upper()
    words = re.findall(r"[A-Z]+", plain)
    letters = "".join(word[0] for word in words) if len(words) > 1 else "".join(words)[:3]
    return letters[:4] if len(letters) >= 2 else "GK"


def _check(stem: str) -> str:
    """Return the check character: the stem read as a number in base 10, modulo the prime 31.

    Letters count 0 … 25, digits 0 … 9. Values at one position differ by less than 31, and neither
    10 nor 9 (the factors of a changed and of two swapped places) is divisible by 31.
    """
    total = 0
    for character in stem:
        if character != "-":
            total = total * 10 + (ord(character) - 65 if character >= "A" else int(character))
    return CHECK_ALPHABET[total % 31]
