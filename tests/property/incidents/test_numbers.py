"""Every single mistyped character and every swap of neighbours is found."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InvalidInput
from incidents.numbers import check_number, make_number

numbers = st.builds(
    make_number,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=4),
    st.integers(1900, 2999),
    st.integers(1, 99_999_999),
)


@given(numbers)
def test_a_made_number_is_accepted(number: str) -> None:
    assert check_number(number) == number


@given(numbers, st.data())
def test_a_wrong_character_is_found(number: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([i for i, character in enumerate(number) if character != "-"]))
    wrong = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
    assume(wrong != number[place])
    with pytest.raises(InvalidInput):
        check_number(number[:place] + wrong + number[place + 1 :])


@given(numbers, st.data())
def test_swapped_neighbours_are_found(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(number) - 2))
    one, other = number[place], number[place + 1]
    assume(one != other)
    with pytest.raises(InvalidInput):
        check_number(number[:place] + other + one + number[place + 2 :])
