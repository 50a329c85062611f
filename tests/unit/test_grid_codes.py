"""Codes of unit grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from grids.codes import LARGEST, CodeParts, Scheme, check_room, make_code, parse_code, reading_order, scheme_of

DIGITS = st.text("0123456789", min_size=3, max_size=3)
COMMUNITY = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1).filter(
    lambda text: text == "".join(text.split())
)


@given(DIGITS, DIGITS, DIGITS, DIGITS, st.integers(1, 999))
def test_fifteen_digits_read_back(province: str, city: str, street: str, community: str, sequence: int) -> None:
    parts = make_code(Scheme.CN15, district=province + city, street=street, community=community, sequence=sequence)
    assert len(parts.text) == 15
    assert parse_code(Scheme.CN15, parts.text) == parts


@given(DIGITS, DIGITS, DIGITS, DIGITS, st.integers(1, 99))
def test_fourteen_digits_read_back(province: str, city: str, street: str, community: str, sequence: int) -> None:
    parts = make_code(Scheme.CN14, district=province + city, street=street, community=community, sequence=sequence)
    assert len(parts.text) == 14
    assert parse_code(Scheme.CN14, parts.text) == parts
    with pytest.raises(InvalidInput):
        parse_code(Scheme.CN15, parts.text)


@given(COMMUNITY, st.integers(1, 99_999))
def test_local_codes_read_back(community: str, sequence: int) -> None:
    parts = make_code(Scheme.LOCAL, community=community, sequence=sequence)
    assert parse_code(Scheme.LOCAL, parts.text) == parts


def test_codes_look_as_documented() -> None:
    assert CodeParts(Scheme.LOCAL, "NEWPORT", 42).text == "NEWPORT-00042"
    assert (
        make_code(Scheme.CN15, district="110101", street="001", community="002", sequence=42).text == "110101001002042"
    )


def test_fifteen_digits_are_not_read_as_local_and_the_other_way_round() -> None:
    with pytest.raises(InvalidInput, match="not a grid code of the scheme local"):
        parse_code(Scheme.LOCAL, "110101001002042")
    with pytest.raises(InvalidInput, match="not a grid code of the scheme cn15"):
        parse_code(Scheme.CN15, "NEWPORT-00042")
    with pytest.raises(InvalidInput):
        parse_code(Scheme.CN15, "110101001002000")  # no cell has the number 0


def test_a_community_with_too_many_cells_is_refused_with_the_way_out() -> None:
    check_room(Scheme.CN15, "Newport", 999)
    check_room(Scheme.LOCAL, "Newport", 4_800)
    with pytest.raises(InvalidInput, match=r"Newport would get 4,800 cells.*only 999.*local code scheme"):
        check_room(Scheme.CN15, "Newport", 4_800)
    with pytest.raises(InvalidInput, match="split the community"):
        check_room(Scheme.LOCAL, "Newport", 100_000)


@pytest.mark.parametrize("scheme", Scheme)
def test_a_sequence_outside_the_scheme_is_refused(scheme: Scheme) -> None:
    for sequence in (0, -1, LARGEST[scheme] + 1):
        with pytest.raises(InvalidInput, match="does not fit"):
            make_code(scheme, district="110101", street="001", community="002", sequence=sequence)


@pytest.mark.parametrize(
    ("district", "street", "community"),
    [("11010", "001", "002"), ("110101", "1", "002"), ("110101", "001", "A02"), ("１１０１０１", "001", "002")],
)
def test_parts_that_are_not_digits_enough_are_refused(district: str, street: str, community: str) -> None:
    with pytest.raises(InvalidInput, match=r"must have \d digits"):
        make_code(Scheme.CN15, district=district, street=street, community=community, sequence=1)


def test_an_unknown_scheme_and_a_blank_community_are_refused() -> None:
    assert scheme_of("cn15") is Scheme.CN15
    with pytest.raises(InvalidInput, match="Known are: local, cn14, cn15"):
        scheme_of("cn20")
    with pytest.raises(InvalidInput, match="blanks"):
        make_code(Scheme.LOCAL, community="new port", sequence=1)


def test_reading_order_counts_in_each_community_from_its_north_west() -> None:
    community = np.array([1, 1, 1, 1, 2, 2])
    row = np.array([0, 0, 1, 1, 5, 5])
    x = np.array([10.0, 20.0, 20.0, 10.0, 7.0, 7.0])
    y = np.array([0.0, 0.0, 9.0, 9.0, 1.0, 2.0])
    assert reading_order(community, row, x, y).tolist() == [3, 4, 2, 1, 2, 1]
    assert reading_order(*(np.empty(0, dtype=np.int64) for _ in range(4))).tolist() == []
