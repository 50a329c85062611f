"""The demo cities: where their map comes from is `geodata.extracts`; what is told about them stands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.demo.office import StreetOffice
from core.errors import InvalidInput

DEFAULT_CITY = "isle-of-wight"


@dataclass(frozen=True, slots=True)
class DemoCity:
    """A demo city.

    Attributes
    ----------
    clip
        West, south, east, north: what lies outside is dropped.
    people
        Residents that the buildings are scaled to: on the island the estimates of 2019 and later, in the
        centre of Helsinki what the region's population squares of 2020 hold there.
    focus
        Communities of the demo grid manager; the map opens on the first.
    incidents
        Reports of the simulated year.
    town_m, countryside_m
        Size of the square cells.
    """

    name: str
    title_en: str
    title_zh: str
    clip: tuple[float, float, float, float]
    people: int
    opens: tuple[float, float, int]
    focus: tuple[str, ...]
    offices: tuple[StreetOffice, ...]
    incidents: int
    workers: int
    town_m: float = 100.0
    countryside_m: float = 500.0
    names_zh: Mapping[str, str] = field(default_factory=dict)


_PARISHES_ZH = {
    "Arreton": "阿雷顿",
    "Bembridge": "本布里奇",
    "Brading": "布雷丁",
    "Brighstone": "布赖斯通",
    "Calbourne": "卡尔伯恩",
    "Chale": "查尔",
    "Chillerton and Gatcombe": "奇勒顿与加特科姆",
    "Cowes": "考斯",
    "East Cowes": "东考斯",
    "Fishbourne": "菲什伯恩",
    "Freshwater": "弗雷什沃特",
    "Godshill": "戈兹希尔",
    "Gurnard": "格纳德",
    "Havenstreet and Ashey": "黑文斯特里特与阿希",
    "Lake": "莱克",
    "Nettlestone and Seaview": "内特尔斯通与锡维尤",
    "Newchurch": "纽彻奇",
    "Newport": "纽波特",
    "Niton and Whitwell": "奈顿与惠特韦尔",
    "Northwood": "诺思伍德",
    "Rookley": "鲁克利",
    "Ryde": "赖德",
    "Sandown": "桑当",
    "Shalfleet": "沙尔弗利特",
    "Shanklin": "尚克林",
    "Shorwell": "肖韦尔",
    "St. Helens": "圣海伦斯",
    "Totland": "托特兰",
    "Ventnor": "文特诺",
    "Whippingham": "惠平厄姆",
    "Wootton Bridge": "伍顿布里奇",
    "Wroxall": "罗克索尔",
    "Yarmouth": "雅茅斯",
}

CITIES: dict[str, DemoCity] = {
    "isle-of-wight": DemoCity(
        name="isle-of-wight",
        title_en="Isle of Wight",
        title_zh="怀特岛",
        clip=(-1.60, 50.57, -1.06, 50.78),
        people=140_000,
        opens=(-1.2945, 50.6995, 14),
        focus=("Newport", "East Cowes", "Whippingham", "Wootton Bridge", "Northwood"),
        offices=(
            StreetOffice("Newport Street Office", "纽波特街道办事处", -1.2952, 50.7004),
            StreetOffice("Cowes Street Office", "考斯街道办事处", -1.2985, 50.7633),
            StreetOffice("Ryde Street Office", "赖德街道办事处", -1.1604, 50.7300),
            StreetOffice("Bay Street Office", "桑当湾街道办事处", -1.1660, 50.6420),
            StreetOffice("South Wight Street Office", "南怀特街道办事处", -1.2440, 50.6000),
            StreetOffice("West Wight Street Office", "西怀特街道办事处", -1.5100, 50.6850),
        ),
        incidents=36_500,
        workers=64,
        names_zh=_PARISHES_ZH,
    ),
    "helsinki-centre": DemoCity(
        name="helsinki-centre",
        title_en="Helsinki centre",
        title_zh="赫尔辛基市中心",
        clip=(24.93, 60.15, 24.97, 60.18),
        people=5_400,
        opens=(24.9443, 60.1695, 15),
        focus=("Helsinki centre",),
        offices=(StreetOffice("Centre Street Office", "中心区街道办事处", 24.9443, 60.1695),),
        incidents=6_000,
        workers=12,
    ),
}


def find_city(name: str) -> DemoCity:
    """Return the demo city of a name; raise `InvalidInput` naming those there are."""
    if name not in CITIES:
        raise InvalidInput(f"There is no demo city {name!r}.", hint=f"There are: {', '.join(CITIES)}.")
    return CITIES[name]
