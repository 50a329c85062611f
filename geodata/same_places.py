"""Whether two rows of two files are one place: a score with its terms, and which rows count as one; pure."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InvalidInput
from geodata.linking import fold, keys_of, normalised, readings_of, sound_of

LIKELY: Final = 0.6
"""A score from which on a pair is shown for a decision."""
NEAR_M: Final = 25.0
FAR_M: Final = 400.0
"""At the same spot up to the first, no sign of being one from the second on."""
WEIGHTS: Final = {"name": 0.55, "distance": 0.25, "address": 0.15, "phone": 0.25}
MOST_PAIRS: Final = 2_000_000
"""So many pairs are compared; where many rows were placed at one point, all of them with all would be more."""
_PIECE: Final = 100
LEAST_NAME: Final = 0.35
"""A name less alike than this makes no pair, however near, unless the telephone is the same."""
COMMON: Final = frozenset(
    {
        "clinic", "clinics", "hospital", "health", "medical", "centre", "center", "surgery", "practice", "pharmacy",
        "school", "primary", "secondary", "college", "nursery", "kindergarten", "library", "station", "service",
        "services", "community", "public", "office", "store", "shop", "company", "ltd", "limited", "inc", "co", "the",
        "of", "and", "hall", "house", "park", "point", "branch",
        "escola", "clinica", "posto", "saude", "centro", "unidade", "colegio", "escuela", "farmacia",
        "de", "da", "do", "das", "dos", "e", "del", "la",
    }
)  # fmt: skip
COMMON_CHINESE: Final = (
    "社区卫生服务中心", "社区卫生服务站", "卫生服务中心", "卫生服务站", "服务中心", "服务站", "有限责任公司",
    "有限公司",
    "人民医院", "中心医院", "卫生院", "卫生室", "门诊部", "幼儿园", "图书馆", "派出所", "办事处", "居委会", "公共厕所",
    "诊所", "医院", "药店", "药房", "小学", "中学", "学校", "学院", "公司", "中心", "社区", "街道", "超市", "公园",
)  # fmt: skip
"""Words that say what a place is and not which; the longest first."""
SORTS: Final = {
    "clinic": "health", "clinics": "health", "hospital": "health", "health": "health", "medical": "health",
    "surgery": "health", "clinica": "health", "posto": "health", "saude": "health", "诊": "health", "医": "health",
    "卫生": "health", "pharmacy": "pharmacy", "farmacia": "pharmacy", "药": "pharmacy", "primary": "primary",
    "secondary": "secondary", "小学": "primary", "中学": "secondary", "nursery": "nursery", "kindergarten": "nursery",
    "幼儿园": "nursery", "library": "library", "图书馆": "library", "post": "post", "邮": "post", "police": "police",
    "派出所": "police", "fire": "fire", "消防": "fire", "厕": "toilet", "toilet": "toilet", "toilets": "toilet",
    "park": "park", "公园": "park", "超市": "shop", "supermarket": "shop", "church": "church", "bank": "bank",
    "银行": "bank", "station": "station", "hotel": "hotel", "inn": "hotel", "酒店": "hotel",
}  # fmt: skip
"""What a place is, by a word of its name; two that say another are seldom one."""
_NUMERALS: Final = str.maketrans("一二三四五六七八九", "123456789")


@dataclass(frozen=True, slots=True)
class Side:
    """A row as far as it can be compared.

    Attributes
    ----------
    x, y
        In metres; NaN where it lies nowhere.
    phone
        Keyed hash of a telephone, or a published number's digits; empty where none is kept; see `telephone`.
    vague
        Its point comes from words or a code (the middle of a road, the inside of a grid): it serves to find rows that
        may be the same, and is no sign that they are.
    """

    key: str
    name: str
    x: float = np.nan
    y: float = np.nan
    address: str = ""
    phone: str = ""
    vague: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """Two rows that may be one: how likely, and what that is made of."""

    one: str
    other: str
    score: float
    terms: Mapping[str, Any]


def candidates(one: Sequence[Side], other: Sequence[Side], *, least: float = LIKELY) -> list[Scored]:
    """Return the pairs of two files that may be one place, the likeliest first.

    Compared are rows within `FAR_M` of each other, and rows with one telephone.

    Raises
    ------
    InvalidInput
        When that would be more than `MOST_PAIRS`.
    """
    kept: list[NDArray[np.int64]] = []
    count = 0
    for some in (_near(one, other), _phoned(one, other)):
        for a, b in some:
            count += len(a)
            if count > MOST_PAIRS:
                raise InvalidInput(
                    f"More than {MOST_PAIRS:,} pairs of rows lie within {FAR_M:.0f} m or have one telephone.",
                    hint="Give the rows coordinates where they have none, or compare smaller data sets.",
                    zh=f"相距 {FAR_M:.0f} 米以内或电话相同的行超过 {MOST_PAIRS:,} 对，请补充坐标或缩小数据集。",
                )
            kept.append(a * len(other) + b)
    pairs = np.unique(np.concatenate(kept)).tolist() if kept else []
    made = (compared(one[each // len(other)], other[each % len(other)]) for each in pairs)
    return sorted((each for each in made if each.score >= least), key=lambda each: (-each.score, each.one, each.other))


def telephone(text: str) -> str:
    """Return a telephone, or the hash of one, as it is compared; empty for what says that there is none (无, n/a)."""
    said = "".join(each for each in fold(text) if each.isalnum())
    return said if sum(each.isdecimal() for each in said) >= 5 and len(set(said)) > 2 else ""


def _near(one: Sequence[Side], other: Sequence[Side]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give the rows of both sides that lie near each other, piece by piece."""
    here, there = (np.flatnonzero([np.isfinite(each.x) for each in side]) for side in (one, other))
    if not len(here) or not len(there):
        return
    points = [
        np.asarray([shapely.Point(side[at].x, side[at].y) for at in places.tolist()], dtype=object)
        for side, places in ((one, here), (other, there))
    ]
    tree = shapely.STRtree(points[1])
    for start in range(0, len(here), _PIECE):
        a, b = tree.query(points[0][start : start + _PIECE], predicate="dwithin", distance=FAR_M)
        yield here[start + a], there[b]


def _phoned(one: Sequence[Side], other: Sequence[Side]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give the rows of both sides that have one telephone."""
    phones: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(other):
        if each.phone:
            phones[each.phone].append(place)
    for place, each in enumerate(one):
        same = phones.get(each.phone) if each.phone else None
        if same:
            yield np.full(len(same), place, dtype=np.int64), np.asarray(same, dtype=np.int64)


def compared(one: Side, other: Side) -> Scored:
    """Return how likely two rows are one place; the same whichever comes first."""
    terms: dict[str, float | None] = {
        "name": name_likeness(one.name, other.name),
        "distance": None,
        "address": address_likeness(one.address, other.address),
        "phone": None if not one.phone or not other.phone else float(one.phone == other.phone),
    }
    said: dict[str, Any] = {}
    away = float(np.hypot(one.x - other.x, one.y - other.y))
    if np.isfinite(away) and (one.vague or other.vague):
        said["vague"] = True
    elif np.isfinite(away):
        terms["distance"] = round(float(np.clip((FAR_M - away) / (FAR_M - NEAR_M), 0, 1)), 3)
        said["metres"] = round(away)
    present = {name: value for name, value in terms.items() if value is not None}
    weight = sum(WEIGHTS[name] for name in present)
    score = sum(WEIGHTS[name] * value for name, value in present.items()) / weight
    if (terms["name"] or 0.0) < LEAST_NAME and terms["phone"] != 1.0:
        score = min(score, LIKELY - 0.05)
    return Scored(one.key, other.key, round(score, 3), {**present, **said})


@functools.lru_cache(maxsize=200_000)
def name_likeness(one: str, other: str) -> float:
    """Return how alike two names are, 0 … 1; words like Clinic or 诊所 weigh little."""
    if one > other:
        return name_likeness(other, one)
    (core, whole, sounded, figures), (core_2, whole_2, sounded_2, figures_2) = _named(one), _named(other)
    if not whole or not whole_2:
        return 0.0
    whole_like = _dice(whole, whole_2)
    cores = _dice(core, core_2) if core and core_2 else None
    if sounded and sounded_2:
        whole_like = max(whole_like, 0.9 * _dice(sounded[1], sounded_2[1]))
        heard = _dice(sounded[0], sounded_2[0]) if sounded[0] and sounded_2[0] else 0.0
        cores = None if cores is None else max(cores, 0.95 * heard)
    score = whole_like * 0.7 if cores is None else 0.75 * cores + 0.25 * whole_like
    if cores is None and whole == whole_2:
        score = 0.7  # two that say only what they are
    sorts, sorts_2 = _sorts(one), _sorts(other)
    if sorts and sorts_2 and not sorts & sorts_2:
        score *= 0.5
    if figures and figures_2 and figures != figures_2:
        score = min(score, 0.3)
    return round(score, 3)


def address_likeness(one: str, other: str) -> float | None:
    """Return how alike two addresses are, 0 … 1; None where one is missing or says no street."""
    a, b = _streets(one), _streets(other)
    if not a or not b:
        return None
    shared = [(number, number_2) for key, number in a for key_2, number_2 in b if key == key_2]
    if not shared:
        return 0.1
    if any(number and number == number_2 for number, number_2 in shared):
        return 1.0
    return 0.3 if all(number and number_2 for number, number_2 in shared) else 0.7


def places_of(
    same: Iterable[tuple[int, tuple[int, str], tuple[int, str]]],
) -> dict[tuple[int, str], int]:
    """Return which place each row counts as: the lowest number of the pairs that join it, through any chain."""
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    def root(row: tuple[int, str]) -> tuple[int, str]:
        while parent.setdefault(row, row) != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    pairs = list(same)
    for _, one, other in pairs:
        parent[root(one)] = root(other)
    lowest: dict[tuple[int, str], int] = {}
    for number, one, _ in pairs:
        at = root(one)
        lowest[at] = min(number, lowest.get(at, number))
    return {row: lowest[root(row)] for row in parent}


def _streets(address: str) -> set[tuple[tuple[str, str], str]]:
    found = {
        ((key.stem, key.kind), each.number)
        for each in readings_of(address)
        for key in keys_of(each.name)
        if key.kind and key.script != "han"
    }
    numbered = {key for key, number in found if number}
    return {(key, number) for key, number in found if number or key not in numbered}


@functools.lru_cache(maxsize=100_000)
def _named(name: str) -> tuple[frozenset[str], frozenset[str], tuple[frozenset[str], frozenset[str]] | None, str]:
    """Return the parts of a name's own words and of the whole, of their sound where it is Chinese, and its numbers."""
    flat = normalised(name)
    chinese = any(each > "\u3400" for each in flat)
    core = flat.replace(" ", "") if chinese else " ".join(each for each in flat.split() if each not in COMMON)
    if chinese:
        for word in COMMON_CHINESE:
            core = core.replace(word, "")
    figures = re.sub(r"第([一二三四五六七八九])", lambda found: found.group().translate(_NUMERALS), flat)
    numbers = " ".join(re.findall(r"\d+", figures))
    sounded = (_grams(sound_of(core)), _grams(sound_of(flat.replace(" ", "")))) if chinese else None
    if not chinese:
        sounded = (_grams(core.replace(" ", "")), _grams(flat.replace(" ", "")))
    return _grams(core), _grams(flat), sounded, numbers


def _sorts(name: str) -> frozenset[str]:
    flat = normalised(name)
    words = set(flat.split())
    return frozenset(sort for word, sort in SORTS.items() if (word in words if word.isascii() else word in flat))


def _grams(text: str) -> frozenset[str]:
    text = fold(text)
    if not text:
        return frozenset()
    size = 2 if any(each > "\u3400" for each in text) else 3
    padded = f" {text} " if size == 3 else f"^{text}"
    return frozenset(padded[at : at + size] for at in range(max(1, len(padded) - size + 1)))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0
