"""What the gate takes by itself and what it leaves to a person: suggestions for rows, keys of data sets."""

from __future__ import annotations

import pytest

from geodata.exchange_load import slug
from geodata.quarantine import QuarantinedView, mendable, suggested


def row(*violations: dict[str, str], **cells: str) -> QuarantinedView:
    return QuarantinedView(1, 1, 1, 1, cells, violations, "open", 1)


@pytest.mark.parametrize(
    ("rule", "repair", "taken"),
    [
        ("address", "High Street, Eastend; High Street, Westend", {}),
        ("code", "001-00001; 001-00002", {}),
        ("address", "High Street, Eastend", {"place": "High Street, Eastend"}),
    ],
)
def test_a_place_is_said_by_a_person(rule: str, repair: str, taken: dict[str, str]) -> None:
    one = row({"field": "place", "rule": rule, "repair": repair}, place="High Str")
    assert suggested(one) == taken
    assert not mendable(one), "never with all the others at one press"


def test_a_suggestion_of_another_kind_is_taken_with_its_semicolons() -> None:
    one = row({"field": "note", "rule": "text", "repair": "a; b"}, note="a;\x00 b")
    assert suggested(one) == {"note": "a; b"}
    assert mendable(one)


def test_titles_that_differ_in_chinese_alone_are_two_data_sets() -> None:
    titles = [
        "2024路灯",
        "2024井盖",
        "城关区社区卫生服务中心",
        "城关区社区卫生服务站",
        "路灯",
        "a" * 70 + "灯",
        "a" * 70,
    ]
    keys = [slug(each) for each in titles]
    assert len(set(keys)) == len(titles)
    assert [slug(each) for each in keys] == keys, "a key is its own"
    assert all(len(each) <= 60 for each in keys)
    assert [slug(each) for each in ("Street Lamps", " ２０２４ lamps.v2 ")] == ["street-lamps", "2024-lamps-v2"]
