"""The shipped catalogue of components and events; editable data once it is seeded.

The same digits mean different things in other cities' lists, so scheme and version are part of
every key. No class is about petitions, assemblies, religion or persons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from incidents.needs import NEEDS, NOTHING, Needs

SCHEME = "gk"
SCHEME_VERSION = "2026"


@dataclass(frozen=True, slots=True)
class ClassSpec:
    """A class of incident as the catalogue ships it.

    Attributes
    ----------
    kind
        ``component`` (a public asset) or ``event`` (a happening).
    code
        Major and minor, e.g. ``01-02``; unique inside kind, scheme and version.
    category
        Key of the major class, e.g. ``event-01``; what maps are coloured by.
    priority
        1 most urgent … 4.
    emergency
        Danger to life: handed to the emergency services at once, never only queued.
    evidence
        What has to be there before it is finished; see `incidents.evidence_rules`. Most classes need none.
    needs
        What whoever handles it has to have, how many come, for how long.
    """

    kind: str
    code: str
    category: str
    category_en: str
    category_zh: str
    name_en: str
    name_zh: str
    priority: int = 3
    emergency: bool = False
    evidence: str = ""
    needs: Needs = NOTHING

    @property
    def key(self) -> str:
        """Return kind and code in one word, e.g. ``event-04-03``."""
        return f"{self.kind}-{self.code}"

    @property
    def check_on_site(self) -> bool:
        """Return whether a worker looks at the place when it is handled: by default at components."""
        return self.kind == "component"


MAJORS = {
    "component-01": ("Public utilities", "公用设施"),
    "component-02": ("Road traffic", "道路交通"),
    "component-03": ("City appearance, assets", "市容环境部件"),
    "component-04": ("Greenery", "园林绿化"),
    "component-05": ("Housing and land", "房屋土地"),
    "component-06": ("Other components", "其他部件"),
    "component-07": ("Extension", "扩展部件"),
    "event-01": ("City appearance, events", "市容环境事件"),
    "event-02": ("Advertising", "宣传广告"),
    "event-03": ("Construction", "施工管理"),
    "event-04": ("Sudden events", "突发事件"),
    "event-05": ("Street order", "街面秩序"),
}
"""Category key to its name in English and Chinese."""

_MINORS = {
    "component": (
        ("01-01", "Water manhole", "上水井盖", 2, False),
        ("01-02", "Sewage manhole", "污水井盖", 2, False),
        ("01-03", "Storm manhole", "雨水井盖", 2, False),
        ("01-04", "Storm grate", "雨水箅子", 2, False),
        ("01-05", "Power manhole", "电力井盖", 1, False),
        ("01-13", "Fire equipment", "消防设施", 1, False),
        ("01-17", "Pole", "电杆", 2, False),
        ("01-18", "Street lamp", "路灯", 3, False),
        ("02-01", "Car park", "停车场", 4, False),
        ("02-03", "Bus shelter", "公交站亭", 4, False),
        ("02-09", "Traffic sign", "交通标志牌", 3, False),
        ("02-11", "Guard rail", "交通护栏", 2, False),
        ("02-14", "Traffic light", "交通信号灯", 1, False),
        ("03-01", "Public toilet", "公共厕所", 3, False),
        ("03-04", "Refuse room", "垃圾间", 3, False),
        ("03-05", "Litter bin", "垃圾箱", 4, False),
        ("04-01", "Old tree", "古树名木", 3, False),
        ("04-02", "Street tree", "行道树", 3, False),
        ("04-05", "Green space", "绿地", 4, False),
        ("04-07", "Bench", "街头座椅", 4, False),
    ),
    "event": (
        ("01-01", "Unlawful building", "私搭乱建", 3, False),
        ("01-02", "Exposed refuse", "暴露垃圾", 3, False),
        ("01-03", "Piled debris", "积存渣土", 3, False),
        ("01-04", "Dirty road", "道路保洁", 3, False),
        ("01-05", "Dirty river", "河道保洁", 3, False),
        ("01-07", "Abandoned vehicle", "废弃车辆", 4, False),
        ("01-11", "Flooded road", "道路积水", 1, False),
        ("01-12", "Snow and ice", "积雪结冰", 2, False),
        ("02-01", "Illegal posters", "非法小广告", 4, False),
        ("03-01", "Noise from works", "施工扰民", 3, False),
        ("03-02", "Dust from works", "工地扬尘", 3, False),
        ("03-06", "Broken road", "道路破损", 2, False),
        ("04-01", "Road collapse", "路面塌陷", 1, True),
        ("04-02", "Burst water main", "自来水管破裂", 1, True),
        ("04-03", "Gas leak", "燃气管道破裂", 1, True),
        ("04-04", "Blocked sewer", "下水道堵塞", 2, False),
        ("05-01", "Unlicensed vending", "无照经营", 4, False),
        ("05-05", "Illegal parking", "机动车乱停放", 3, False),
        ("05-06", "Bicycles in the way", "非机动车乱停放", 4, False),
        ("05-07", "Goods piled in the street", "乱堆物堆料", 3, False),
        ("05-08", "Commercial noise", "商业噪音", 4, False),
    ),
}

_EVIDENCE = {
    "event-01-01": "before after place",
    "event-01-03": "before after",
    "event-01-07": "before after",
    "event-05-07": "before after",
}
"""Where words do not settle whether it is gone; a department may ask for more or for less."""


CLASSES: tuple[ClassSpec, ...] = tuple(
    ClassSpec(
        kind,
        code,
        f"{kind}-{code[:2]}",
        *MAJORS[f"{kind}-{code[:2]}"],
        name_en,
        name_zh,
        priority,
        emergency,
        _EVIDENCE.get(f"{kind}-{code}", ""),
        NEEDS.get(f"{kind}-{code}", NOTHING),
    )
    for kind, minors in _MINORS.items()
    for code, name_en, name_zh, priority, emergency in minors
)
"""All shipped classes, components first, in the order of their codes."""


def plain(label: str) -> str:
    """Return a label in the form in which labels are compared: lower case, one space, no punctuation around."""
    return re.sub(r"[\s_]+", " ", label).strip(" .,;:|").casefold()


@cache
def _by_label() -> dict[str, ClassSpec]:
    found = {plain(label): spec for spec in CLASSES for label in (spec.name_en, spec.name_zh, spec.key)}
    # A bare code is only taken where components and events do not both use it.
    codes = [spec.code for spec in CLASSES]
    return found | {spec.code: spec for spec in CLASSES if codes.count(spec.code) == 1}


def find_class(label: str) -> ClassSpec | None:
    """Return the shipped class that a file means by ``label`` (name, key or unambiguous code), else None."""
    return _by_label().get(plain(label))
