"""Skills and equipment in words: the names that the platform itself gives out; others stand as they were typed."""

from __future__ import annotations

from collections.abc import Iterable

SKILL_WORDS = {
    "roads": ("Roads", "道路"),
    "drains": ("Drains", "排水"),
    "refuse": ("Refuse", "垃圾清运"),
    "greenery": ("Greenery", "绿化"),
    "lighting": ("Lighting", "照明"),
    "street_order": ("Street order", "市容秩序"),
    "buildings": ("Buildings", "建筑"),
}
EQUIPMENT_WORDS = {
    "chainsaw": ("Chainsaw", "油锯"),
    "pump": ("Pump", "抽水泵"),
    "ladder": ("Ladder", "梯子"),
}
ABILITY_WORDS = SKILL_WORDS | EQUIPMENT_WORDS
"""Key to its name in English and Chinese."""


def names_en(keys: Iterable[str]) -> str:
    """Return skills or pieces of equipment within an English sentence: lower case, by comma."""
    return ", ".join(ABILITY_WORDS[key][0].lower() if key in ABILITY_WORDS else key for key in sorted(keys))


def names_zh(keys: Iterable[str]) -> str:
    """Return the same in Chinese."""
    return "、".join(ABILITY_WORDS[key][1] if key in ABILITY_WORDS else key for key in sorted(keys))
