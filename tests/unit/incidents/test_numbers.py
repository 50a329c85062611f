"""Incident numbers."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from incidents.numbers import CHECK_ALPHABET, check_number, make_number, prefix_of


def test_a_number_reads_well_and_never_changes() -> None:
    assert make_number("IOW", 2026, 4417) == "IOW-2026-004417-N"
    assert make_number("IOW", 2026, 1_234_567).startswith("IOW-2026-1234567-")


def test_spaces_and_small_letters_are_forgiven() -> None:
    number = make_number("TOR", 2026, 1)
    assert check_number(f" {number.lower()} ") == number


@pytest.mark.parametrize("text", ["", "IOW-2026-004417", "2026-004417-A", "IOW-26-004417-A", "IOW-2026-4417-A", "gas"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not an incident number"):
        check_number(text)


def test_the_check_alphabet_is_a_prime_and_has_no_look_alikes() -> None:
    assert len(set(CHECK_ALPHABET)) == 31
    assert not set(CHECK_ALPHABET) & set("ILO01")


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("isle-of-wight", "IOW"),
        ("helsinki", "HEL"),
        ("a-b-c-d-e-f", "ABCD"),
        ("x", "GK"),
        ("网格", "GK"),
        ("Zürich", "ZUR"),
    ],
)
def test_the_prefix_comes_from_the_territory(name: str, prefix: str) -> None:
    assert prefix_of(name) == prefix
