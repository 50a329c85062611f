"""Rules of a data set: each kind in words of both languages, broken by the rows that should be; none is refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from app import gate_quality
from core.errors import InvalidInput
from geodata.data_rules import Scored
from geodata.data_rules_model import cleaned, told
from geodata.exchange_cells import spelled
from geodata.exchange_rules import Seen, broken_by

NAMES = ["state", "power", "limit", "built", "ended"]
CELLS = {
    "state": ["on", "off", None, "gone"], "power": ["1", "900", None, "3"], "limit": ["5", "5", "5", "2"],
    "built": ["2020-01-02", "2021-01-01", None, "2020-01-01"], "ended": [None, "2020-05-05", None, None],
}  # fmt: skip
RULES = [
    ({"rule": "required", "field": "state"}, [2]),
    ({"rule": "range", "field": "power", "min": 0, "max": 500}, [1]),
    ({"rule": "codes", "field": "state", "codes": ["on", "off"]}, [3]),
    ({"rule": "pattern", "field": "state", "pattern": "o[a-z]+"}, [3]),
    ({"rule": "order", "field": "ended", "after": "built"}, [1]),
    ({"rule": "compare", "field": "power", "is": "<=", "other": "limit"}, [1, 3]),
    ({"rule": "needs", "field": "state", "when": ["gone", "off"], "other": "ended"}, [3]),
    ({"rule": "refers", "field": "state", "data_set": "states", "to": "code"}, [1, 3]),
    ({"rule": "type", "field": "state", "type": "text"}, None),
    ({"rule": "unique", "field": "state"}, None),
    ({"rule": "anywhere"}, None),
]


@pytest.mark.parametrize(("rule", "rows"), RULES, ids=lambda each: each["rule"] if isinstance(each, dict) else "")
def test_each_kind_of_rule(rule: dict[str, object], rows: list[int] | None) -> None:
    (kept,) = cleaned([rule], NAMES)
    assert {**rule, "id": "1"} == kept
    for sentence in (*told([kept], "en"), *told([kept], "zh")):
        assert sentence
        assert "{" not in sentence
    if rows is None:
        return
    texts = {name: pa.array(cells, pa.string()) for name, cells in CELLS.items()}
    values = texts | {name: pa.array([None if c is None else float(c) for c in CELLS[name]]) for name in NAMES[1:3]}
    broken = broken_by(kept, values, texts, {"states.code": frozenset({"on"})})
    assert broken is not None
    assert np.flatnonzero(broken.rows).tolist() == rows


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("required", "no kind"),
        ({"rule": "guess", "field": "state"}, "no kind 'guess'"),
        ({"rule": "range", "field": "power"}, "needs a least or a most"),
        ({"rule": "range", "field": "power", "min": 5, "max": 1}, "least is more"),
        ({"rule": "range", "field": "power", "min": float("nan")}, "no number of this world"),
        ({"rule": "codes", "field": "state", "codes": [" "]}, "1 to 5,000 values"),
        ({"rule": "pattern", "field": "state", "pattern": "("}, "form cannot be read"),
        ({"rule": "pattern", "field": "state", "pattern": "(?=a)b"}, "form cannot be read"),
        ({"rule": "pattern", "field": "state", "pattern": "a)|(b"}, "form cannot be read"),
        ({"rule": "pattern", "field": "state", "pattern": "a{2000}"}, "form cannot be read"),
        ({"rule": ["pattern"], "field": "state"}, "no kind"),
        ({"rule": "range", "field": "power", "min": [1]}, "is no number"),
        ({"rule": "range", "field": "power", "min": 10**400}, "is no number"),
        ({"rule": "compare", "field": "power", "is": "~", "other": "limit"}, "names no relation"),
        ({"rule": "compare", "field": "power", "is": "<", "other": "power"}, "with itself"),
        ({"rule": "refers", "field": "state"}, "names no data set"),
    ],
)
def test_what_is_no_rule_is_told_with_its_place(rule: object, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=f"Rule 2: .*{sentence}"):
        cleaned([{"rule": "required", "field": "state"}, rule], NAMES)  # type: ignore[list-item]


def test_numbers_of_rules_are_not_given_again() -> None:
    held = cleaned([{"rule": "required", "field": each} for each in NAMES[:3]], NAMES)
    again = cleaned([held[0], {"rule": "unique", "field": "limit"}, held[0]], NAMES, held)
    assert [each["id"] for each in again] == ["1", "4"]


def test_what_stands_for_a_number_and_is_none_gives_way_to_one() -> None:
    (made,) = cleaned([{"rule": "codes", "field": "power", "codes": 5, "id": "²"}], NAMES, [{"id": "²"}, {"id": "7"}])
    assert (made["id"], made["codes"]) == ("8", ["5"])


@pytest.mark.parametrize("form", ["(a|a)*b", "(?:a+)+b", "(.*a){20}b"])
def test_a_form_takes_its_time_by_the_text_alone(form: str) -> None:
    (kept,) = cleaned([{"rule": "pattern", "field": "state", "pattern": form}], NAMES)
    cells = {"state": pa.array(["a" * 5_000, "aaaaaaaaaaaaaaaaaaaab"], pa.string())}
    broken = broken_by(kept, cells, cells, {})
    assert broken is not None
    assert broken.rows.tolist() == [True, False]


def test_unique_cells_are_remembered_over_pieces_and_held_rows() -> None:
    seen = Seen.of(["a", "b"], ["1", "2"])
    keys = pa.array(["1", "9", "3", "4"])
    assert seen.again(pa.array(["a", "b", "c", None]), keys).tolist() == [False, True, False, False]
    assert seen.again(pa.array(["c", "d", "d", None]), keys).tolist() == [True, False, True, False]
    for number in range(40):
        assert not seen.again(pa.array([f"x{number}"]), None).any()
    assert seen.again(pa.array(["x0", "x39"]), None).all()


@pytest.mark.parametrize(
    ("cell", "digits"),
    [
        ("六十", "60"),
        ("十二", "12"),
        ("两千零五", "2005"),
        ("三万二千", "32000"),
        ("二〇二四", "2024"),
        ("六十瓦", ""),
        ("", ""),
    ],
)
def test_chinese_numerals(cell: str, digits: str) -> None:
    assert spelled(cell) == digits


def test_scores_are_drawn_with_their_names() -> None:
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    files = [Scored(n, "a.csv", at, 10, 9, 1, {"validity": 0.9 + n / 100, "placement": 1.0}) for n in range(3)]
    drawn = gate_quality.svg(files)
    assert drawn.count("<polyline") == 2
    assert "Validity" in drawn
    assert "Placement" in drawn
