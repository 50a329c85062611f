"""Fictional names of workers and reporters (pure)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GIVEN = [
    "Alice",
    "Amir",
    "Anna",
    "Ben",
    "Carys",
    "Chloe",
    "Daniel",
    "Dawn",
    "Ella",
    "Farah",
    "George",
    "Grace",
    "Harry",
    "Imran",
    "Isla",
    "Jack",
    "Joan",
    "Kate",
    "Leon",
    "Lucy",
    "Marek",
    "Maya",
    "Nadia",
    "Owen",
    "Petra",
    "Rosa",
    "Ruth",
    "Sam",
    "Tom",
    "Zoe",
]
FAMILY = [
    "Ashworth",
    "Barlow",
    "Brennan",
    "Calder",
    "Cheverton",
    "Dyer",
    "Ellery",
    "Fairweather",
    "Garland",
    "Hallam",
    "Iqbal",
    "Jessop",
    "Kowal",
    "Lacey",
    "Merrick",
    "Newnham",
    "Orchard",
    "Pascoe",
    "Quill",
    "Rowden",
    "Stott",
    "Tindall",
    "Underwood",
    "Varley",
    "Wetherby",
    "Yeoman",
]
FAMILY_ZH = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
GIVEN_ZH = [
    "秀英",
    "建国",
    "丽华",
    "志强",
    "晓燕",
    "海涛",
    "文静",
    "国庆",
    "雪梅",
    "子涵",
    "俊杰",
    "桂兰",
    "明辉",
    "思远",
    "玉珍",
    "浩然",
    "雅琴",
    "永康",
    "春生",
    "婉婷",
    "德胜",
    "佳怡",
    "立新",
    "慧敏",
]
CHINESE_SHARE = 0.3


def reporter_names(count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return ``count`` fictional names, some Chinese; repeats are likely, as in a city."""
    chinese = rng.random(count) < CHINESE_SHARE
    given, family = rng.integers(0, len(GIVEN), count), rng.integers(0, len(FAMILY), count)
    given_zh, family_zh = rng.integers(0, len(GIVEN_ZH), count), rng.integers(0, len(FAMILY_ZH), count)
    return np.array(
        [
            FAMILY_ZH[fz] + GIVEN_ZH[gz] if zh else f"{GIVEN[g]} {FAMILY[f]}"
            for zh, g, f, gz, fz in zip(chinese, given, family, given_zh, family_zh, strict=True)
        ],
        dtype=object,
    )


def worker_names(count: int) -> list[tuple[str, str]]:
    """Return ``count`` different fictional names in English and Chinese spelling."""
    pairs = []
    for index in range(count):
        english = f"{GIVEN[index * 7 % len(GIVEN)]} {FAMILY[(index * 11 + index // len(FAMILY)) % len(FAMILY)]}"
        chinese = (
            FAMILY_ZH[index * 13 % len(FAMILY_ZH)] + GIVEN_ZH[(index * 5 + index // len(GIVEN_ZH)) % len(GIVEN_ZH)]
        )
        pairs.append((english, chinese))
    return pairs
