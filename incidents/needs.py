"""What handling an incident of a class takes: skills, equipment, workers, minutes on site (pure).

Shipped for the classes where not everybody can go; the others need one worker, whoever he is, for the usual time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from people.abilities import EQUIPMENT_WORDS, SKILL_WORDS, names_en, names_zh

WORKERS_MOST = 6
MINUTES_MOST = 480.0
LABELS_MOST = 6


@dataclass(frozen=True, slots=True)
class Needs:
    """What a class needs.

    Attributes
    ----------
    skills, equipment
        Whoever goes has all of them.
    workers
        How many have to come.
    service_min
        Minutes on site where too few were handled to know better; 0: as usual for the kind of task.
    """

    skills: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    workers: int = 1
    service_min: float = 0.0

    def fields(self) -> dict[str, Any]:
        """Return the needs as a row of the catalogue holds them."""
        return {
            "skills": list(self.skills),
            "equipment": list(self.equipment),
            "workers": self.workers,
            "service_min": self.service_min,
        }


NOTHING = Needs()
NEEDS: dict[str, Needs] = {
    "component-01-04": Needs(("drains",), service_min=30.0),
    "component-01-05": Needs(("lighting",), service_min=30.0),
    "component-01-17": Needs(("lighting",), service_min=40.0),
    "component-01-18": Needs(("lighting",), ("ladder",), service_min=30.0),
    "component-02-14": Needs(("lighting",), ("ladder",), service_min=40.0),
    "component-03-05": Needs(service_min=10.0),
    "component-04-01": Needs(("greenery",), service_min=45.0),
    "component-04-02": Needs(("greenery",), ("chainsaw",), service_min=45.0),
    "event-01-11": Needs((), ("pump",), service_min=45.0),
    "event-02-01": Needs(service_min=10.0),
    "event-04-01": Needs(("roads",), workers=2, service_min=60.0),
    "event-04-04": Needs(("drains",), service_min=45.0),
    "event-05-05": Needs(service_min=10.0),
}
"""Key of a class to what it needs as shipped; editable data once it is seeded."""


def lacking(
    needed: tuple[Iterable[str], Iterable[str]], had: tuple[Iterable[str], Iterable[str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the skills and the equipment that are needed and not there."""
    skills, equipment = (tuple(sorted(set(want) - set(have))) for want, have in zip(needed, had, strict=True))
    return skills, equipment


def lacks_words(skills: Iterable[str], equipment: Iterable[str]) -> tuple[str, str]:
    """Return "has no chainsaw and lacks the skill greenery" in English and Chinese; empty when nothing lacks."""
    skills, equipment = sorted(skills), sorted(equipment)
    english, chinese = [], []
    if equipment:
        english.append(f"has no {names_en(equipment)}")
        chinese.append(f"没有{names_zh(equipment)}")
    if skills:
        english.append(f"lacks the skill {names_en(skills)}")
        chinese.append(f"不具备{names_zh(skills)}技能")
    return " and ".join(english), "，".join(chinese)


def known_labels() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the skills and the equipment that the platform itself names."""
    return tuple(SKILL_WORDS), tuple(EQUIPMENT_WORDS)
