"""The kinds of siting question: what each counts, which way is better, and what it must be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "p-median", "mclp", "p-center", "lscp", "cpmp", "cmclp", "backup", "p-dispersion", "fixed-charge", "huff"
]
Unit = Literal["person_s", "people", "s", "sites", "m", "cost"]


@dataclass(frozen=True)
class KindInfo:
    """What a kind of question is about.

    Attributes
    ----------
    maximised
        Whether more is better.
    unit
        Of objective and bound: seconds of all people together, people, seconds of one, sites, metres, money.
    needs_p
        Whether the number of new sites is given; else as many as it takes.
    needs_limit, needs_capacity, needs_cost
        Whether it counts minutes, room in a site, what a site costs.
    """

    maximised: bool
    unit: Unit
    needs_p: bool = True
    needs_limit: bool = False
    needs_capacity: bool = False
    needs_cost: bool = False


INFO: dict[Kind, KindInfo] = {
    "p-median": KindInfo(False, "person_s"),
    "mclp": KindInfo(True, "people", needs_limit=True),
    "p-center": KindInfo(False, "s"),
    "lscp": KindInfo(False, "sites", needs_p=False, needs_limit=True),
    "cpmp": KindInfo(False, "person_s", needs_capacity=True),
    "cmclp": KindInfo(True, "people", needs_limit=True, needs_capacity=True),
    "backup": KindInfo(True, "people", needs_limit=True),
    "p-dispersion": KindInfo(True, "m"),
    "fixed-charge": KindInfo(False, "cost", needs_p=False, needs_cost=True),
    "huff": KindInfo(True, "people"),
}
KINDS: tuple[Kind, ...] = tuple(INFO)
