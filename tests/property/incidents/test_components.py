"""Identifiers of components: sixteen digits there and back, never one too many, and what is restricted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from incidents.components import LARGEST, is_restricted, make_identifier, next_identifier, read_identifier

DIGITS = st.text("0123456789", min_size=6, max_size=6)
CLASSES = st.from_regex(r"[0-9]{2}-[0-9]{2}", fullmatch=True).filter(str.isascii)


@given(DIGITS, CLASSES, st.integers(1, LARGEST))
def test_an_identifier_reads_back_as_it_was_made(district: str, code: str, sequence: int) -> None:
    made = make_identifier(district, code, sequence)
    assert len(made.text) == 16
    assert read_identifier(made.text) == made
    assert made.class_code == code


@given(DIGITS, CLASSES, st.integers(0, LARGEST - 1))
def test_the_next_one_is_one_more_under_the_same_digits(district: str, code: str, last: int) -> None:
    made = next_identifier(district, code, last)
    assert int(made.text) == int(district + code.replace("-", "") + f"{last:06d}") + 1
    assert made.text[:10] == district + code.replace("-", "")


@given(st.one_of(st.integers(max_value=0), st.integers(min_value=LARGEST + 1)))
def test_a_sequence_never_runs_over(sequence: int) -> None:
    with pytest.raises(InvalidInput, match="used up"):
        make_identifier("320508", "01-18", sequence)


def test_after_the_last_one_the_numbers_are_used_up() -> None:
    assert next_identifier("320508", "01-01", LARGEST - 1).text == "3205080101999999"
    with pytest.raises(InvalidInput, match="used up"):
        next_identifier("320508", "01-01", LARGEST)


@given(st.text(max_size=20))
def test_nothing_else_is_an_identifier(text: str) -> None:
    if len(text) == 16 and text.isascii() and text.isdecimal() and int(text[10:]):
        assert read_identifier(text).text == text
    else:
        with pytest.raises(InvalidInput):
            read_identifier(text)


def test_the_published_example() -> None:
    found = read_identifier("3205080101000001")
    assert (found.district, found.major, found.minor, found.sequence) == ("320508", "01", "01", 1)


@pytest.mark.parametrize(
    ("scheme", "code", "restricted"),
    [("gk", "01-01", True), ("gk", "01-05", True), ("gk", "01-13", True), ("gk", "01-99", True), ("gk", "01-18", False),
     ("gk", "03-05", False), ("other", "01-18", True), ("other", "02-01", False)],
)  # fmt: skip
def test_what_is_restricted(scheme: str, code: str, restricted: bool) -> None:
    assert is_restricted(scheme, code) is restricted
