"""The class a description means, with the words that say so."""

from __future__ import annotations

import pytest

from incidents.classes import CLASSES
from incidents.suggest import _SIGNS, suggest_classes


@pytest.mark.parametrize(
    ("text", "key", "word"),
    [
        ("There is a smell of gas at the corner", "event-04-03", "smell of gas"),
        ("Deep pothole in the carriageway", "event-03-06", "pothole"),
        ("The street lights are out again", "component-01-18", "street lights"),
        ("Fly-tipping behind the library", "event-01-02", "fly-tipping"),
        ("小区门口闻到燃气味", "event-04-03", "燃气"),
        ("小区门口闻到gas味", "event-04-03", "gas"),
        ("路灯不亮三天了", "component-01-18", "路灯"),
        ("路口积水很深，车辆过不去", "event-01-11", "积水"),
    ],
)
def test_the_likeliest_class_comes_first_with_its_reason(text: str, key: str, word: str) -> None:
    first = suggest_classes(text)[0]
    assert first.class_key == key
    assert word in first.because


@pytest.mark.parametrize("text", ["", "hello", "你好", "the gasworks museum", "iceland"])
def test_nothing_is_suggested_without_a_sign(text: str) -> None:
    assert suggest_classes(text) == ()


def test_every_class_is_found_by_its_own_name_and_every_sign_belongs_to_one() -> None:
    assert set(_SIGNS) == {spec.key for spec in CLASSES}
    for spec in CLASSES:
        for name in (spec.name_en, spec.name_zh):
            assert spec.key in [each.class_key for each in suggest_classes(name)], name


def test_a_retired_class_is_not_suggested() -> None:
    in_use = {spec.key for spec in CLASSES} - {"component-04-07"}
    assert [each.class_key for each in suggest_classes("the bench by the tree", in_use)] == ["component-04-02"]
    assert "component-04-07" in [each.class_key for each in suggest_classes("the bench by the tree")]
