"""Which class a description means: by the words in it, so that the reason can be said. A person decides."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cache

from incidents.classes import CLASSES

MOST = 3

_SIGNS: Mapping[str, str] = {
    "component-01-01": "water manhole|water cover|上水井|自来水井",
    "component-01-02": "sewage manhole|sewer cover|污水井",
    "component-01-03": "manhole|drain cover|井盖|雨水井",
    "component-01-04": "storm grate|gully|grating|雨水箅|雨箅",
    "component-01-05": "power manhole|electric cover|电力井",
    "component-01-13": "hydrant|fire equipment|extinguisher|消防栓|消火栓|消防设施",
    "component-01-17": "pole|mast|电杆|电线杆",
    "component-01-18": "street lamp|street light|streetlight|lamp post|lamp is out|lamp|路灯",
    "component-02-01": "car park|parking lot|停车场",
    "component-02-03": "bus shelter|bus stop|公交站|候车亭",
    "component-02-09": "traffic sign|road sign|sign post|交通标志|路牌|标志牌",
    "component-02-11": "guard rail|guardrail|railing|crash barrier|护栏",
    "component-02-14": "traffic light|traffic signal|red light stuck|红绿灯|信号灯",
    "component-03-01": "public toilet|toilet|公厕|公共厕所",
    "component-03-04": "refuse room|bin store|垃圾间",
    "component-03-05": "litter bin|bin is full|overflowing bin|bin overflowing|垃圾桶|垃圾箱",
    "component-04-01": "old tree|veteran tree|古树",
    "component-04-02": "street tree|fallen tree|branch|tree|行道树|树枝|倒树|树倒",
    "component-04-05": "green space|lawn|flower bed|绿地|草坪|花坛",
    "component-04-07": "bench|长椅|座椅",
    "event-01-01": "unlawful building|illegal building|without permit|违建|私搭乱建",
    "event-01-02": "exposed refuse|rubbish|garbage|trash|litter|fly-tipping|fly tipping|waste|bags|垃圾",
    "event-01-03": "debris|rubble|渣土|碎石",
    "event-01-04": "dirty road|mud on the road|sweep|脏|路面不洁",
    "event-01-05": "dirty river|river|stream|oil on the water|河道|河面|河水",
    "event-01-07": "abandoned vehicle|abandoned car|wreck|废弃车|僵尸车",
    "event-01-11": "flooded|flooding|flood|standing water|under water|积水|内涝|淹",
    "event-01-12": "snow|ice|icy|slippery|积雪|结冰|路滑",
    "event-02-01": "poster|posters|flyer|sticker|小广告|牛皮癣",
    "event-03-01": "building noise|noise from works|drilling|night work|施工噪|施工扰民|夜间施工",
    "event-03-02": "dust|扬尘|灰尘",
    "event-03-06": "pothole|broken road|hole in the road|crack|路面破损|坑洼|路面坑",
    "event-04-01": "collapse|sinkhole|caved in|subsidence|塌陷|塌方|地陷",
    "event-04-02": "burst main|burst pipe|water main|gushing|水管爆|水管破裂|爆管",
    "event-04-03": "gas leak|smell of gas|gas smell|gas|燃气|煤气|天然气",
    "event-04-04": "blocked sewer|sewer|blocked drain|sewage|下水道|堵塞|污水",
    "event-05-01": "vending|vendor|hawker|street stall|无照|摊贩|流动摊",
    "event-05-05": "illegal parking|parked|parking|double parked|乱停车|违停|停车",
    "event-05-06": "bicycle|bicycles|bikes|scooter|e-bike|共享单车|自行车|电动车",
    "event-05-07": "goods|crates|boxes on the pavement|piled in the street|乱堆|堆物|占道堆",
    "event-05-08": "loud music|music|karaoke|pub|bar noise|商业噪音|音乐声|噪音",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A class that a text may mean, and the words of the text that say so."""

    class_key: str
    because: tuple[str, ...]


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    patterns = {}
    for spec in CLASSES:
        signs = [*_SIGNS.get(spec.key, "").split("|"), spec.name_en.lower(), spec.name_zh]
        ordered = sorted({sign for sign in signs if sign}, key=len, reverse=True)
        # Chinese has no spaces between words; English signs begin and end at one, also inside a Chinese sentence.
        parts = [
            re.escape(sign) if ord(sign[0]) > 0x2E7F else rf"(?<![a-z0-9]){re.escape(sign)}s?(?![a-z0-9])"
            for sign in ordered
        ]
        patterns[spec.key] = re.compile("|".join(parts), re.IGNORECASE)
    return patterns


def suggest_classes(text: str, among: Container[str] | None = None) -> tuple[Suggestion, ...]:
    """Return up to `MOST` classes of the shipped catalogue that the text speaks of, the likeliest first.

    The longer the words that were found, the likelier; of equal ones the more urgent class comes first.

    Parameters
    ----------
    among
        Keys of the classes in use; a retired one is not suggested. None stands for all that were shipped.
    """
    priority = {spec.key: spec.priority for spec in CLASSES}
    found = []
    for key, pattern in _patterns().items():
        if among is not None and key not in among:
            continue
        hits = list(dict.fromkeys(match[0].lower() for match in pattern.finditer(text)))
        if hits:
            weight = max(len(hit) * (3 if ord(hit[0]) > 0x2E7F else 1) for hit in hits)
            found.append((-weight, priority[key], key, tuple(hits)))
    return tuple(Suggestion(key, hits) for _, _, key, hits in sorted(found)[:MOST])
