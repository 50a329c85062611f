"""Norms: how near a facility should be and how much of it a population should have, with the source of each.

Few are shipped, each with the standard it stands in; a territory adds its own and may say otherwise of a shipped
one. A norm is a rule of planning, not of nature: whoever uses it looks it up in the text in force,
because the shipped ones could not be checked against it when they were written down.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import InvalidInput
from geodata.network import MODES, WALK_KMH
from geodata.osm_facilities import FACILITY_KINDS

LEVEL_AT_MOST, SOURCE_AT_MOST = 80, 300
RADIUS_AT_MOST_M = 100_000.0
WALK_M_A_MIN = WALK_KMH * 1000 / 60
_GB = ("GB 50180-2018, appendix C", "GB 50180-2018《城市居住区规划设计标准》附录 C")


@dataclass(frozen=True)
class Norm:
    """What is wanted of a kind of facility; at least one of radius, minutes and places is given.

    Attributes
    ----------
    level, level_zh
        Which size or circle it speaks of, e.g. "community health station"; with the kind it names the norm.
    radius_m
        How far away it may be.
    minutes
        The same as a time by ``mode``.
    per_1000
        Places, beds or whatever ``unit`` says for 1,000 people.
    active
        False where the territory does not use a shipped norm.
    id, version
        Of the territory's own row; None for a shipped one.
    """

    facility_kind: str
    level: str
    level_zh: str
    mode: str
    source: str
    source_zh: str
    radius_m: float | None = None
    minutes: float | None = None
    per_1000: float | None = None
    unit: str = ""
    active: bool = True
    id: int | None = None
    version: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Return what names the norm: kind and level."""
        return self.facility_kind, self.level

    @property
    def limit_min(self) -> float | None:
        """Return the minutes it means: as given, else its radius at the speed of a walk, else None."""
        if self.minutes is not None:
            return self.minutes
        return None if self.radius_m is None else self.radius_m / WALK_M_A_MIN


def _gb(kind: str, level: str, level_zh: str, radius_m: float) -> Norm:
    return Norm(kind, level, level_zh, "walk", *_GB, radius_m=radius_m)


SHIPPED: tuple[Norm, ...] = (
    _gb("kindergarten", "kindergarten (five-minute circle)", "幼儿园（五分钟生活圈）", 300.0),
    _gb("school", "primary school (ten-minute circle)", "小学（十分钟生活圈）", 500.0),
    _gb("school", "lower secondary school (fifteen-minute circle)", "初中（十五分钟生活圈）", 1000.0),
    _gb("clinic", "community health centre (fifteen-minute circle)", "卫生服务中心（十五分钟生活圈）", 1000.0),
    _gb("clinic", "community health station (five-minute circle)", "社区卫生服务站（五分钟生活圈）", 300.0),
    _gb("marketplace", "food market (ten-minute circle)", "菜市场或生鲜超市（十分钟生活圈）", 500.0),
    _gb("bus_stop", "bus stop (ten-minute circle)", "公交车站（十分钟生活圈）", 500.0),
    _gb("social_care", "day care for the aged (five-minute circle)", "老年人日间照料（五分钟生活圈）", 300.0),
    Norm(
        "park", "open public space", "公共开放空间", "walk",
        "United Nations, SDG indicator 11.7.1 (metadata): 400 m along the streets",
        "联合国可持续发展目标指标 11.7.1（元数据）：沿街道 400 米", radius_m=400.0,
    ),
)  # fmt: skip
"""Only what stands in a named standard; numbers of places for 1,000 people are left to the territory."""


def merged(own: Iterable[Norm], shipped: Iterable[Norm] = SHIPPED) -> tuple[Norm, ...]:
    """Return a territory's own norms and those shipped of which it says nothing; by kind, the nearest first."""
    told = {norm.key: norm for norm in shipped} | {norm.key: norm for norm in own}
    return tuple(sorted(told.values(), key=lambda norm: (norm.facility_kind, norm.limit_min or math.inf, norm.level)))


def checked(norm: Norm) -> Norm:
    """Return a norm with tidy words.

    Raises
    ------
    InvalidInput
        When it is of no kind of facility, says no number, a number that cannot be, or no source.
    """
    made = dataclasses.replace(
        norm,
        level=_tidy(norm.level),
        level_zh=_tidy(norm.level_zh),
        source=_tidy(norm.source),
        source_zh=_tidy(norm.source_zh),
        unit=_tidy(norm.unit),
    )
    if made.facility_kind not in FACILITY_KINDS:
        raise InvalidInput(
            f"There is no kind of facility {made.facility_kind!r}.", hint=f"Known are: {', '.join(FACILITY_KINDS)}."
        )
    if made.mode not in MODES:
        raise InvalidInput(f"Nobody travels by {made.mode!r} here.", hint=f"Take one of: {', '.join(MODES)}.")
    if not 0 < len(made.level) <= LEVEL_AT_MOST or len(made.level_zh) > LEVEL_AT_MOST:
        raise InvalidInput(
            "A norm says in a few words what it is of.", hint=f"1 to {LEVEL_AT_MOST} characters, e.g. “health station”."
        )
    if not 0 < len(made.source) <= SOURCE_AT_MOST or len(made.source_zh) > SOURCE_AT_MOST:
        raise InvalidInput(
            "A norm says where it stands.", hint=f"Name the standard or decision, in 1 to {SOURCE_AT_MOST} characters."
        )
    numbers = {"radius_m": RADIUS_AT_MOST_M, "minutes": 240.0, "per_1000": 1_000_000.0}
    for name, most in numbers.items():
        value = getattr(made, name)
        if value is not None and not (math.isfinite(value) and 0 < value <= most):
            raise InvalidInput(
                f"{value:g} cannot be the {name} of a norm.", hint=f"Take more than 0, at most {most:g}."
            )
    if all(getattr(made, name) is None for name in numbers):
        raise InvalidInput(
            "A norm says at least one number.", hint="A radius in metres, minutes, or places for 1,000 people."
        )
    return made


def _tidy(text: str) -> str:
    return " ".join(text.split())
