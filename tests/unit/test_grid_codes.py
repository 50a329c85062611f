"""Codes of unit grids."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from grids.codes import (
    BUILT_IN,
    CN14,
    CN15,
    CN20,
    LOCAL,
    CodeParts,
    Scheme,
    check_room,
    make_code,
    make_scheme,
    parse_code,
    reading_order,
    scheme_of,
)
from grids.edits import renumbered

DIGITS = st.text("0123456789", min_size=3, max_size=3)
COMMUNITY = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1).filter(
    lambda text: text == "".join(text.split())
)


@given(DIGITS, DIGITS, DIGITS, DIGITS, st.integers(1, 999))
def test_fifteen_digits_read_back(province: str, city: str, street: str, community: str, sequence: int) -> None:
    parts = make_code(CN15, district=province + city, street=street, community=community, sequence=sequence)
    assert len(parts.text) == 15
    assert parse_code(CN15, parts.text) == parts


@given(DIGITS, DIGITS, DIGITS, DIGITS, st.integers(1, 99))
def test_fourteen_digits_read_back(province: str, city: str, street: str, community: str, sequence: int) -> None:
    parts = make_code(CN14, district=province + city, street=street, community=community, sequence=sequence)
    assert len(parts.text) == 14
    assert parse_code(CN14, parts.text) == parts
    with pytest.raises(InvalidInput):
        parse_code(CN15, parts.text)


@given(COMMUNITY, st.integers(1, 99_999))
def test_local_codes_read_back(community: str, sequence: int) -> None:
    parts = make_code(LOCAL, community=community, sequence=sequence)
    assert parse_code(LOCAL, parts.text) == parts


def test_codes_look_as_documented() -> None:
    assert CodeParts(LOCAL, "NEWPORT", 42).text == "NEWPORT-00042"
    assert make_code(CN15, district="110101", street="001", community="002", sequence=42).text == "110101001002042"


def test_fifteen_digits_are_not_read_as_local_and_the_other_way_round() -> None:
    with pytest.raises(InvalidInput, match="not a grid code of the scheme local"):
        parse_code(LOCAL, "110101001002042")
    with pytest.raises(InvalidInput, match="not a grid code of the scheme cn15"):
        parse_code(CN15, "NEWPORT-00042")
    with pytest.raises(InvalidInput):
        parse_code(CN15, "110101001002000")  # no cell has the number 0


def test_a_community_with_too_many_cells_is_refused_with_the_way_out() -> None:
    check_room(CN15, "Newport", 999)
    check_room(LOCAL, "Newport", 4_800)
    with pytest.raises(InvalidInput, match=r"Newport would get 4,800 cells.*only 999.*local code scheme"):
        check_room(CN15, "Newport", 4_800)
    with pytest.raises(InvalidInput, match="split the community"):
        check_room(LOCAL, "Newport", 100_000)


@pytest.mark.parametrize("scheme", BUILT_IN.values(), ids=str)
def test_a_sequence_outside_the_scheme_is_refused(scheme: Scheme) -> None:
    for sequence in (0, -1, scheme.largest + 1):
        with pytest.raises(InvalidInput, match="does not fit"):
            make_code(scheme, object="010101", district="110101", street="001", community="002", sequence=sequence)


@pytest.mark.parametrize(
    ("district", "street", "community"),
    [("11010", "001", "002"), ("110101", "1", "002"), ("110101", "001", "A02"), ("１１０１０１", "001", "002")],
)
def test_parts_that_are_not_digits_enough_are_refused(district: str, street: str, community: str) -> None:
    with pytest.raises(InvalidInput, match=r"must have \d digits") as told:
        make_code(CN15, district=district, street=street, community=community, sequence=1)
    assert not any(word in told.value.zh for word in ("district", "street", "community"))


def test_an_unknown_scheme_and_a_blank_community_are_refused() -> None:
    assert scheme_of("cn15") is CN15
    with pytest.raises(InvalidInput, match="Known are: local, cn14, cn15, cn20"):
        scheme_of("cn99")
    with pytest.raises(InvalidInput, match="blanks"):
        make_code(LOCAL, community="new port", sequence=1)


def test_reading_order_counts_in_each_community_from_its_north_west() -> None:
    community = np.array([1, 1, 1, 1, 2, 2])
    row = np.array([0, 0, 1, 1, 5, 5])
    x = np.array([10.0, 20.0, 20.0, 10.0, 7.0, 7.0])
    y = np.array([0.0, 0.0, 9.0, 9.0, 1.0, 2.0])
    assert reading_order(community, row, x, y).tolist() == [3, 4, 2, 1, 2, 1]
    assert reading_order(*(np.empty(0, dtype=np.int64) for _ in range(4))).tolist() == []


@given(DIGITS, DIGITS, DIGITS, DIGITS, st.integers(1, 99))
def test_twenty_digits_read_back(thing: str, city: str, street: str, community: str, sequence: int) -> None:
    parts = make_code(
        CN20, object=thing + city, district="110101", street=street, community=community, sequence=sequence
    )
    assert len(parts.text) == 20 == CN20.length
    assert parse_code(CN20, parts.text) == parts


@st.composite
def city_schemes(draw: st.DrawFn) -> Scheme:
    """Patterns of a city: any parts in any order, each with its digits, letters between them."""
    names = draw(st.permutations(["object", "district", "street"]))[: draw(st.integers(0, 3))]
    order = draw(st.permutations([*names, "community", "sequence"]))
    glue = st.text("ABCXYZ019-./_", max_size=3)
    pattern = "".join(draw(glue) + f"{{{name}:{draw(st.integers(1, 7))}}}" for name in order) + draw(glue)
    return make_scheme("own", pattern, draw(st.integers(1, 9)))


@given(city_schemes(), st.data())
def test_codes_of_a_citys_own_scheme_read_back(scheme: Scheme, data: st.DataObject) -> None:
    parts = {
        name: data.draw(st.text("0123456789", min_size=digits or 1, max_size=digits or 1))
        for name, digits in scheme.widths.items()
        if name != "sequence"
    }
    made = make_code(scheme, sequence=data.draw(st.integers(1, scheme.largest)), **{"community": "", **parts})
    assert len(made.text) == scheme.length
    assert parse_code(scheme, made.text) == made


@given(st.data())
def test_codes_stand_in_the_order_of_their_numbers(data: st.DataObject) -> None:
    scheme = data.draw(st.sampled_from([LOCAL, CN14, CN15]))
    numbers = data.draw(st.lists(st.integers(1, scheme.largest), min_size=2, max_size=9, unique=True))
    codes = [
        make_code(scheme, district="110101", street="001", community="002", sequence=each).text for each in numbers
    ]
    assert sorted(codes) == [codes[numbers.index(each)] for each in sorted(numbers)]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{community}", "no part {sequence"),
        ("{sequence:3}", "no part {community}"),
        ("{community:3}{sequence:3}{sequence:2}", "parts twice"),
        ("{district}{community:3}{sequence:3}", "only the community"),
        ("{ward:2}{community:3}{sequence:3}", "“ward” that is not known"),
        ("{community:3} {sequence:3}", "other signs"),
        ("{community:0}{sequence:3}", "more than 12 digits, or none"),
    ],
)
def test_a_pattern_that_cannot_be_read_back_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as told:
        make_scheme("own", pattern)
    assert reason in told.value.message


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "it is empty"),
        ("11010100100204", "14 signs, not 15"),
        ("1101O1001002042", "its district, “1101O1”, is not of digits"),
        ("1101010010020A2", "its sequence, “0A2”, is not of digits"),
    ],
)
def test_what_is_no_code_is_told_by_its_part(code: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as told:
        parse_code(CN15, code)
    assert reason in told.value.message


@given(st.integers(0, 10**6))
def test_numbers_of_a_community_stay_when_its_neighbour_is_cut_anew(seed: int) -> None:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 900, (30, 2))
    cells = shapely.box(corner[:, 0], corner[:, 1], corner[:, 0] + 20, corner[:, 1] + 20)
    community = np.repeat([1, 2], 15)
    before = renumbered(community, cells)
    moved = cells.copy()
    moved[15:] = shapely.box(corner[15:, 1], corner[15:, 0], corner[15:, 1] + 55, corner[15:, 0] + 5)
    after = renumbered(community, moved)
    assert before[:15].tolist() == after[:15].tolist()
    assert sorted(before[15:]) == sorted(after[15:]) == list(range(1, 16))
