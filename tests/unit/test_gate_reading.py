"""What a clerk reads at the gate: guesses in words, and the places that an address could mean, whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app import gate_words, i18n


@pytest.mark.parametrize(
    ("said", "read"),
    [("gb18030", "GB18030"), ("utf-8", "UTF-8"), (",", "comma"), ("EPSG:4547 CGCS2000", "EPSG:4547 CGCS2000"),
     ("EPSG:4326", "degrees of longitude and latitude, WGS 84 (EPSG:4326)")],
)  # fmt: skip
def test_what_a_file_was_taken_for_is_said_in_words(said: str, read: str) -> None:
    i18n.use("en")
    assert gate_words.value(said) == read


def test_places_that_an_address_could_mean_are_offered_whole() -> None:
    places = "12 High Street, Newport; 12 High Road, Newport; 12 High Street, Ryde"
    wrong = {"rule": "address", "field": "address", "repair": places}
    assert gate_words.could_be(wrong) == "12 High Street, Newport; 12 High Road, Newport …"
    assert gate_words.could_be({"repair": "60"}) == "60"
    shape = "POLYGON ((" + ", ".join(["0.1234567 51.1234567"] * 900) + "))"
    assert len(gate_words.could_be({"rule": "shape", "repair": shape})) < 70, "a shape is no word of a list"
    assert gate_words.could_be({"rule": "text", "repair": "a; b; c"}) == "a; b; c"
    one: Any = SimpleNamespace(violations=[wrong | {"repair": "Mill Lane, Ryde"}], raw={"address": "x"})
    assert gate_words.meant(one) == {}, "a single one stands in the field already"
    row: Any = SimpleNamespace(violations=[wrong, {"rule": "type", "field": "n", "repair": "6"}], raw={"address": "x"})
    assert gate_words.meant(row) == {"address": places.split("; ")}
    apart: Any = SimpleNamespace(violations=[wrong | {"field": "street + number"}], raw={"street": "x", "number": "1"})
    assert gate_words.meant(apart) == {}, "it cannot be said in one of several columns"
