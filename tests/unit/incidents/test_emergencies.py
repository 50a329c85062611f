"""Words of danger: a table of phrases in both languages, with denials and look-alikes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from incidents.emergencies import OwnRule, calls, plain, shipped, signs, with_own
from incidents.emergency_words import LOOKALIKES, WORDS

RULES = shipped("Asia/Shanghai")
RAISED = {
    "There is a fire in the flat": "fire",
    "house ON FIRE!": "fire",
    "ＦＩＲＥ": "fire",
    "smell of gas at the corner": "fire",
    "I can smell gas": "fire",
    "gas is leaking into the cellar": "fire",
    "the wall collapsed": "fire",
    "a man is trapped under it": "fire",
    "somebody is bleeding": "ambulance",
    "two people injured": "ambulance",
    "she is not breathing": "ambulance",
    "he can’t breathe": "ambulance",
    "a boy with a knife": "police",
    "child in danger on the ice": "police",
    "not only smoke but a fire": "fire",
    "no doubt a fire": "fire",
    "We have no water and there is a fire": "fire",
    "There was no fire yesterday, but now flames": "fire",
    "No. Fire!": "fire",
    "No idea who lit it, the house is burning": "fire",
    "The hydrant is broken and the bin is on fire": "fire",
    "fire at the gas station": "fire",
    "楼上着火了": "fire",
    "闻到煤气味": "fire",
    "路面塌陷": "fire",
    "电梯里有人被困": "fire",
    "不能排除燃气泄漏": "fire",
    "不是没有着火": "fire",
    "没有水，着火了": "fire",
    "没人管，垃圾桶冒烟": "fire",
    "消防栓旁边着火": "fire",
    "加油站起火": "fire",
    "有人晕倒": "ambulance",
    "没有呼吸了": "ambulance",
    "有人持刀": "police",
    "有人要跳楼": "police",
    "孩子有生命危险": "police",
}
QUIET = (
    "the fire hydrant leaks",
    "Fire Hydrant",
    "hydrants",
    "the gas station sign has fallen",
    "gas meter cover missing",
    "fireworks last night",
    "the fire exit is blocked by bicycles",
    "no fire",
    "There is no fire",
    "it is not on fire",
    "no smell of gas",
    "no signs of fire or smoke",
    "nobody injured",
    "nobody is hurt",
    "without injured people",
    "firewood on the pavement",
    "a gasket is loose",
    "the lamp is out",
    "消防栓坏了",
    "消防通道被占用",
    "加油站招牌掉落",
    "燃气井盖破损",
    "火锅店油烟",
    "火车站广场垃圾",
    "落水管破损",
    "没有着火",
    "未发现火情",
    "没有人受伤",
    "无人受伤",
    "不是煤气泄漏",
    "没闻到煤气味",
    "路灯不亮",
    "",
)


@pytest.mark.parametrize(("said", "service"), RAISED.items(), ids=RAISED)
def test_danger_is_raised(said: str, service: str) -> None:
    assert service in {call.service for call in calls(RULES, said)}


@pytest.mark.parametrize("said", QUIET)
def test_look_alikes_and_denials_raise_nothing(said: str) -> None:
    assert calls(RULES, said) == ()


@pytest.mark.parametrize("phrase", LOOKALIKES.split("|"))
def test_every_look_alike_is_quiet_and_hides_no_danger_beside_it(phrase: str) -> None:
    assert signs(RULES, phrase) == ()
    assert signs(RULES, f"{phrase}, fire!") == (("fire", "fire"),)
    assert signs(RULES, f"{phrase}，着火了") == (("着火", "fire"),)


@pytest.mark.parametrize("phrase", [each for phrases in WORDS.values() for each in phrases.split("|")])
def test_every_shipped_word_is_found_in_a_sentence(phrase: str) -> None:
    said = f"现场{phrase}，请速来" if not phrase.isascii() else f"Please come: {phrase.upper()} over there."
    assert signs(RULES, said), phrase


def test_the_numbers_are_those_of_the_place_and_in_the_order_of_calling() -> None:
    said = "A knife, a man bleeding, a fire"
    assert [(each.service, each.number) for each in calls(RULES, said)] == [
        ("police", "110"), ("fire", "119"), ("ambulance", "120"),
    ]  # fmt: skip
    assert {each.number for each in calls(shipped("Europe/London"), said)} == {"999"}
    assert {each.number for each in calls(shipped("Europe/Helsinki"), said)} == {"112"}
    assert {each.number for each in calls(shipped("Antarctica/Troll"), said)} == {"112"}


def test_a_class_of_danger_calls_without_a_word_and_an_unknown_one_the_police() -> None:
    gas = calls(RULES, "", "event-04-03", emergency_class=True)
    assert [(each.service, each.because) for each in gas] == [("fire", ("class:event-04-03",))]
    assert [each.service for each in calls(RULES, "", "event-99-01", emergency_class=True)] == ["police"]
    assert calls(RULES, "", "event-01-02") == ()


def test_own_rules_stand_on_top() -> None:
    own = with_own(
        RULES,
        (
            OwnRule("word", "Dam CRACKS", "fire"),
            OwnRule("word", "fire", "fire", active=False),
            OwnRule("lookalike", "dam cracks show", ""),
            OwnRule("class", "event-01-11", "fire"),
            OwnRule("number", "12119", "fire"),
        ),
    )
    assert [(each.service, each.number) for each in calls(own, "the dam  cracks")] == [("fire", "12119")]
    assert calls(own, "fire") == calls(own, "the dam cracks show") == ()
    assert calls(own, "", "event-01-11")[0].because == ("class:event-01-11",)


@given(st.text(max_size=80))
@example("no ")
@example("没有")
@example("\x01")
@example("fire\x01")
def test_a_plain_cry_for_help_is_heard_after_whatever_was_typed(before: str) -> None:
    assert "fire" in {service for _, service in signs(RULES, f"{before}\nThere is a fire. 着火了")}


@given(st.text(alphabet="fire gasno hydrant没有着火消防栓,。 \n", max_size=60))
def test_capitals_and_full_width_letters_change_nothing(said: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in said)
    assert signs(RULES, said) == signs(RULES, said.upper()) == signs(RULES, wide)
    assert plain(plain(said)) == plain(said)
