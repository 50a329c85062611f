"""Is this the same thing that somebody reported already? By place, time, class and words, with the reason; pure.

The score is a product: each of place, time and matter can rule a pair out, none makes one by itself. A person decides.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

RADIUS_M = 300.0
"""How far apart two reports of one thing may be placed: a caller names the street, a worker the spot."""
WINDOW = dt.timedelta(days=60)
"""How old an open incident may be to be offered."""
SHOWN_FROM = 0.25
SHOWN_MOST = 3
SAME_CLASS, SAME_CATEGORY, OTHER_CLASS, NO_CLASS = 1.0, 0.6, 0.25, 0.5
_HALF_M = 120.0
_HALF_DAYS = 20.0
_EARTH_M = 6_371_008.8
_WORD = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")
_COMMON = frozenset(
    """
    the a an is are was at in on of to and or there near by it its with from for that this has have been some very
    please says said
    """.split()  # noqa: SIM905  (a list of so many words is not read)
)
LINK_WORDS = {"link": ("Linked as a duplicate", "关联为重复上报"), "unlink": ("Unlinked", "解除重复关联")}
"""How the record names the two acts, English and Chinese."""
UNLINK_REASONS = {
    "another_place": ("It is at another place", "不是同一地点"),
    "another_matter": ("It is another matter", "不是同一问题"),
    "mistake": ("Linked by mistake", "误关联"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of the report that is being taken down; ``class_key`` is empty while none is chosen."""

    class_key: str
    category: str
    lon: float
    lat: float
    text: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Nearby:
    """An open incident in the neighbourhood; ``text`` is its note, as far as the asker may read it."""

    id: int
    number: str
    class_key: str
    class_en: str
    class_zh: str
    category: str
    status: str
    reported_at: dt.datetime
    place: str
    lon: float
    lat: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much an open incident looks like the report, and why.

    Attributes
    ----------
    score
        0 to 1.
    matter
        ``class``, ``category``, ``other``, or ``unknown`` while no class is chosen.
    shared
        Words that both texts use, in the order of the report.
    """

    incident: Nearby
    score: float
    matter: str
    distance_m: float
    age: dt.timedelta
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relative:
    """The first report of a duplicate, or a duplicate of it."""

    id: int
    number: str
    class_en: str
    class_zh: str
    status: str
    reported_at: dt.datetime
    place: str
    source: str


@dataclass(frozen=True, slots=True)
class Followed:
    """What the duplicates of an incident say of the hands that may end it: they end with it.

    Attributes
    ----------
    sent_by
        Users who ever sent a duplicate out; None in it stands for a process.
    handled_by, workers
        Users who ever finished a handle task of a duplicate, and workers whose task of it was done.
    reporters
        Users who reported a duplicate; None in it stands for a process.
    simple
        Whether each duplicate by itself is a finding that may be settled on the spot.
    """

    sent_by: frozenset[int | None] = frozenset()
    handled_by: frozenset[int] = frozenset()
    workers: frozenset[int] = frozenset()
    reporters: frozenset[int | None] = frozenset()
    simple: bool = True


def alike(asked: Asked, nearby: Iterable[Nearby], *, most: int = SHOWN_MOST) -> tuple[Likeness, ...]:
    """Return the incidents that may be the same thing, the likeliest first; of equal ones the older number."""
    found = [each for each in (likeness(asked, one) for one in nearby) if each is not None]
    return tuple(sorted(found, key=lambda each: (-each.score, each.incident.id))[:most])


def likeness(asked: Asked, other: Nearby) -> Likeness | None:
    """Return how much two reports are alike; None when too little to be shown.

    Nearer, nearer in time, a nearer class and more common words never score less.
    """
    distance = distance_m(asked.lon, asked.lat, other.lon, other.lat)
    age = abs(asked.at - other.reported_at)
    if distance > RADIUS_M or age > WINDOW or other.status in {"closed", "void"}:
        return None
    matter, weight = _matter(asked, other)
    mine, theirs = words_of(asked.text), words_of(other.text)
    shared = tuple(word for stem, word in mine.items() if stem in theirs)
    overlap = len(shared) / min(len(mine), len(theirs)) if mine and theirs else 0.0
    place = 0.5 ** (distance / _HALF_M)
    time = 0.5 ** (age / dt.timedelta(days=_HALF_DAYS))
    # Of another class it is the same thing only when the words say so.
    score = place * time * (weight + (1.0 - weight) * overlap)
    if score < SHOWN_FROM:
        return None
    return Likeness(other, score, matter, distance, age, shared)


def _matter(asked: Asked, other: Nearby) -> tuple[str, float]:
    if not asked.class_key:
        return "unknown", NO_CLASS
    if asked.class_key == other.class_key:
        return "class", SAME_CLASS
    return ("category", SAME_CATEGORY) if asked.category == other.category else ("other", OTHER_CLASS)


@lru_cache(maxsize=512)
def words_of(text: str) -> Mapping[str, str]:
    """Return the telling words of a text: as they are compared, to as they were written.

    English without the common ones and without the s of the plural, Chinese in pairs of signs.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    words: dict[str, str] = {}
    for run in _WORD.findall(folded):
        if run[0] > "\u4dff":
            for at in range(max(1, len(run) - 1)):
                words.setdefault(run[at : at + 2], run[at : at + 2])
        elif run not in _COMMON and len(run) > 1:
            words.setdefault(run.removesuffix("s") if len(run) > 3 else run, run)
    return MappingProxyType(words)


def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Return the metres between two points in degrees, along the great circle."""
    north, south = math.radians(lat), math.radians(other_lat)
    half = math.sin((south - north) / 2) ** 2
    half += math.cos(north) * math.cos(south) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * _EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def box_degrees(lat: float, metres: float = RADIUS_M) -> tuple[float, float]:
    """Return half the width and half the height, in degrees, of a box that holds all within ``metres``."""
    high = math.degrees(metres / _EARTH_M)
    return high / max(0.01, math.cos(math.radians(min(89.0, abs(lat) + high)))), high
