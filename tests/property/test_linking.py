"""Names and addresses in comparable form: idempotent, symmetric, and never a likelier match than the name itself."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import InvalidInput
from geodata import same_places
from geodata.gazetteer import Entry, Gazetteer
from geodata.gazetteer_store import _street_and_number
from geodata.linking import edits, fold, keys_of, likeness, normalised, readings_of
from geodata.linking_words import FIRST, INNER, KINDS, LAST
from geodata.same_places import Side, address_likeness, candidates, compared, name_likeness, places_of, telephone

WORDS = st.text(
    alphabet=st.sampled_from("abcdefghijklmnopqrstuvwxyzáçñßøı' .-/#&,0123456789１２解放路街巷号社区诊所第一二"),
    max_size=24,
)
ANY = st.text(max_size=40)


@given(ANY)
@example("ŉ st")
@example("ΐ Σ")
@example("St. James's St. W")
def test_folding_and_writing_out_are_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert normalised(normalised(text)) == normalised(text)


@given(ANY)
def test_every_text_has_keys_and_readings_without_failing(text: str) -> None:
    assert all(key.stem for key in keys_of(text))
    assert all(reading.name for reading in readings_of(text))


def test_no_written_out_word_is_itself_a_shortened_one() -> None:
    for said, written in {**LAST, **FIRST, **INNER}.items():
        assert not {written} & ({*LAST, *FIRST, *INNER} - {said, written} - {"dr", "1", "2", "3"}), (said, written)
        assert said not in KINDS or said == "travessa", said


@given(WORDS, WORDS)
def test_edits_are_a_distance_and_likeness_is_symmetric(one: str, other: str) -> None:
    assert edits(one, other) == edits(other, one)
    assert (edits(one, other) == 0) == (one == other)
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1


@given(WORDS, WORDS)
def test_names_and_addresses_are_as_alike_either_way(one: str, other: str) -> None:
    assert name_likeness(one, other) == name_likeness(other, one)
    assert 0 <= name_likeness(one, other) <= 1
    assert address_likeness(one, other) == address_likeness(other, one)


@given(WORDS, WORDS, st.floats(0, 900), st.booleans())
def test_a_pair_is_scored_the_same_either_way(one: str, other: str, away: float, phone: bool) -> None:
    a = Side("a", one, 0.0, 0.0, one, "1" if phone else "")
    b = Side("b", other, away, 0.0, other, "1" if phone else "")
    forth, back = compared(a, b), compared(b, a)
    assert forth.score == back.score
    assert forth.terms == back.terms
    nearer = compared(a, Side("b", other, away / 2, 0.0, other, b.phone))
    assert nearer.score >= forth.score


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), max_size=12))
def test_rows_that_count_as_one_place_are_an_equivalence(pairs: list[tuple[int, int]]) -> None:
    same = [(number, (1, str(a)), (2, str(b))) for number, (a, b) in enumerate(pairs)]
    places = places_of(same)
    assert all(places[one] == places[other] for _, one, other in same)
    assert places_of(reversed(same)) == places


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("12 High St", "High Street"), ("HIGH STREET 12", "High Street"), ("１２ Ｈｉｇｈ Ｓｔ", "High Street"),
        ("Flat 3, 12 St. James's St", "Saint James's Street"), ("no. 7 Mount Pleasant Rd.", "Mount Pleasant Road"),
        ("Av. Ipiranga, 6681", "Avenida Ipiranga"), ("R. Dr. Flores 55", "Rua Doutor Flores"),
        ("Trav. das Flores 9", "Travessa das Flores"), ("Cra 27 # 30-12", "Carrera 27"), ("Calle 45", "Calle 45"),
        ("解放路１２号", "解放路"), ("解放路十二号", "解放路"), ("Jiefang Lu 12", "解放路"), ("jiefang road", "解放路"),
        ("新安市城关区东门街道解放路12号3单元", "解放路"), ("解方路12号", "解放路"), ("中山一路甲5号", "中山一路"),
        ("古镇路3号", "古镇路"), ("解放东路8号", "解放东路"), ("Hgih Street", None),
        ("Mount Plaesant Road", "Mount Pleasant Road"),
        ("Mill Lane", "Mill Lane"), ("Hill Lane", None), ("Calle 46", None), ("中山二路5号", None), ("", None),
    ],
)  # fmt: skip
def test_known_addresses_mean_their_street(said: str, name: str | None) -> None:
    names = (
        "High Street", "Saint James's Street", "Mount Pleasant Road", "Avenida Ipiranga", "Rua Doutor Flores",
        "Travessa das Flores", "Carrera 27", "Calle 45", "Mill Lane", "解放路", "中山一路", "古镇路", "解放东路",
    )  # fmt: skip
    entries = [
        Entry("road", *(("", each) if each > "\u3400" else (each, "")), "", "", 1000.0 * n, 0.0, 100.0,
              shapely.LineString([(1000 * n - 100, 0), (1000 * n + 100, 0)]))
        for n, each in enumerate(names)
    ]  # fmt: skip
    best = Gazetteer(entries).match(said).best
    assert (best.name if best else None) == name


def test_roads_that_cross_are_found_where_they_meet() -> None:
    entries = [
        Entry("road", "High Street", "", "N", "", 0, 0, 200, shapely.LineString([(-200, 0), (200, 0)])),
        Entry("road", "Mill Lane", "", "N", "", 50, 0, 200, shapely.LineString([(50, -200), (50, 200)])),
        Entry("road", "", "解放路", "N", "", 0, 500, 200, shapely.LineString([(-200, 500), (200, 500)])),
        Entry("road", "", "中山路", "N", "", 100, 500, 200, shapely.LineString([(100, 300), (100, 700)])),
    ]
    found = Gazetteer(entries)
    for said, at in (
        ("High St & Mill Ln", (50, 0)), ("corner of Mill Lane and High Street", (50, 0)),
        ("解放路与中山路交叉口", (100, 500)), ("中山路/解放路路口", (100, 500)),
    ):  # fmt: skip
        best = found.match(said).best
        assert best is not None, said
        assert (best.x, best.y) == pytest.approx(at)
    assert found.match("High Street & 解放路").best is None, "they do not meet"


def test_a_point_that_comes_from_words_is_no_sign_of_being_one_place() -> None:
    here, there = Side("a", "Quay Surgery", 0.0, 0.0), Side("b", "Quay Bakery", 0.0, 0.0)
    along = Side("b", "Quay Bakery", 0.0, 0.0, vague=True)
    sure, told = compared(here, there), compared(here, along)
    assert (sure.terms["distance"], sure.terms["metres"]) == (1.0, 0)
    assert told.terms == {"name": sure.terms["name"], "vague": True}
    assert told.score < sure.score
    assert compared(along, here).score == told.score
    known = Side("c", "Quay Bakery", 3.0, 0.0, "1 Quay Road", vague=True), Side("d", "Quay Bakery", 0.0, 0.0)
    assert [(each.one, each.other) for each in candidates(known[:1], known[1:])] == [("c", "d")], "it is looked at"


def test_rows_that_all_lie_at_one_point_are_refused_instead_of_filling_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_places, "MOST_PAIRS", 12)
    rows = [Side(str(n), "Clinic", 0.0, 0.0, phone="5550100200") for n in range(4)]
    assert len(candidates(rows[:2], rows[:3])) == 6, "near and by telephone, once each"
    with pytest.raises(InvalidInput, match="More than 12 pairs"):
        candidates(rows, rows)


@pytest.mark.parametrize(
    ("said", "kept"),
    [("(01983) 12-34 56", "01983123456"), ("０１０ 8888 1234", "01088881234"), ("无", ""), ("n/a", ""), ("0", ""),
     ("00000000", ""), ("a1b2c3d4e5f6", "a1b2c3d4e5f6")],
)  # fmt: skip
def test_what_says_that_there_is_no_telephone_is_none(said: str, kept: str) -> None:
    assert telephone(said) == kept


@pytest.mark.parametrize(("said", "number"), [("12²", "12"), ("①", ""), ("9" * 5_000, ""), ("014-16", "14")])
def test_a_house_number_that_is_none_stops_no_gazetteer(said: str, number: str) -> None:
    assert _street_and_number({"street": "High Street", "housenumber": said}) == ("High Street", number)
