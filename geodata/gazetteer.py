"""Which place of a territory an address means: candidates with their score, what matched and why; pure.

A *gazetteer* holds the named things of a territory: each road once in each community it runs through, its known
house numbers, facilities, communities and settlements. What an address can mean twice is said, never chosen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.linking import Key, Reading, fold, keys_of, likeness, mended, readings_of

LEAST: Final = 0.75
"""A score below which nothing is placed."""
FAR_M: Final = 300.0
"""A road whose ends lie farther from its middle places nothing without a number, a crossing or a community."""
APART_M: Final = 150.0
"""Two places of one score this far apart are two."""
CLOSE: Final = 0.04
"""Scores that differ by less are the same."""
MEET_M: Final = 40.0
"""Roads that come so near to each other cross there."""
_FINENESS: Final = {"number": 0, "crossing": 1, "between": 2, "facility": 3, "road": 4, "settlement": 5, "community": 6}
_HEARD: Final = {("latin", "sound"): 0.97, ("sound", "latin"): 0.97, ("sound", "sound"): 0.92}
"""What a match by sound is worth; characters against characters, and letters against letters, are worth 1."""
_TRIED: Final = 25
_BARE: Final = 3
_WALKED: Final = 60
"""Entries of one name that are looked at."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A named thing.

    Attributes
    ----------
    kind
        ``road``, ``facility``, ``settlement`` or ``community``.
    x, y
        A point of it, in metres of the territory's own system.
    reach_m
        How far from the point it goes.
    shape
        Of a road its lines, in metres; None of others.
    numbers
        House number to its point in metres.
    """

    kind: str
    name: str
    name_zh: str
    community: str
    community_zh: str
    x: float
    y: float
    reach_m: float = 0.0
    shape: BaseGeometry | None = None
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """Return its name, the Chinese one where it has no other."""
        return self.name or self.name_zh

    @property
    def shown(self) -> str:
        """Return its name, with its community; an address of this form finds it again."""
        place = self.community or self.community_zh
        return f"{self.called}, {place}" if place and self.kind != "community" else self.called


@dataclass(frozen=True, slots=True)
class Candidate:
    """What an address may mean.

    Attributes
    ----------
    how
        ``number``, ``between`` (two known numbers), ``crossing``, ``facility``, ``road``, ``settlement`` or
        ``community``: how fine the place is.
    within_m
        How far the true place may be off.
    text
        An address that finds this one alone.
    """

    score: float
    how: str
    name: str
    community: str
    community_zh: str
    x: float
    y: float
    within_m: float
    why: str
    why_zh: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for a script."""
        names = ("score", "how", "name", "community", "community_zh", "why", "why_zh", "text")
        return {name: getattr(self, name) for name in names} | {"within_m": round(self.within_m)}


@dataclass(frozen=True, slots=True)
class Match:
    """The answer to an address: the candidates, the best first, and whether the first may be taken.

    Attributes
    ----------
    state
        ``matched``, ``ambiguous`` (several places are meant as likely), ``coarse`` (the name is found, but says the
        place too roughly), ``weak`` (nothing is alike enough) or ``none``.
    """

    state: str
    candidates: tuple[Candidate, ...]
    why: str
    why_zh: str

    @property
    def best(self) -> Candidate | None:
        """Return the candidate that may be taken; None when none may."""
        return self.candidates[0] if self.state == "matched" else None


class Gazetteer:
    """The named things of a territory, ready to be asked.

    Parameters
    ----------
    least
        Score from which on a candidate may be taken.
    """

    def __init__(self, entries: Sequence[Entry], *, least: float = LEAST) -> None:
        self.entries, self.least = tuple(entries), least
        self._by_stem: dict[str, list[tuple[int, Key]]] = defaultdict(list)
        for place, each in enumerate(self.entries):
            for key in dict.fromkeys((*keys_of(each.name), *keys_of(each.name_zh))):
                self._by_stem[key.stem].append((place, key))
        self._stems = list(self._by_stem)
        self._parts: dict[str, list[int]] = defaultdict(list)
        for number, stem in enumerate(self._stems):
            for part in _parts(stem):
                self._parts[part].append(number)
        self._areas = {
            fold(name): fold(each.community or each.name)
            for each in self.entries
            for name in (
                (each.community, each.community_zh) if each.kind != "settlement" else (each.name, each.name_zh)
            )
            if name
        }
        self.match = lru_cache(maxsize=100_000)(self._match)

    def _match(self, address: str) -> Match:
        """Return what an address means."""
        readings = [more for each in readings_of(address) for more in self._without_area(each)]
        if not readings:
            return Match("none", (), "it says nothing", "内容为空")
        levels: dict[int, list[Reading]] = defaultdict(list)
        for each in readings:
            levels[_strength(each)].append(each)
        if min(levels) < _BARE:
            levels.pop(_BARE, None)  # beside a street, a bare name is where it lies
        elif any(fold(each.name) not in self._areas for each in levels[_BARE]):
            levels[_BARE] = [each for each in levels[_BARE] if fold(each.name) not in self._areas]
        found: list[Candidate] = []
        for level in sorted(levels):
            for fuzzy in (False, True):
                found += [each for reading in levels[level] for each in self._of_reading(reading, fuzzy=fuzzy)]
                if any(each.score >= self.least for each in found):
                    return self._judged(found)
        return self._judged(found)

    def _without_area(self, reading: Reading) -> Iterable[Reading]:
        """Give the reading, and once more where the name ends in that of a community: 12 High Street Newport."""
        yield reading
        words = reading.name.split()
        for size in (3, 2, 1):
            if len(words) > size and fold(" ".join(words[-size:])) in self._areas:
                rest, area = " ".join(words[:-size]), " ".join(words[-size:])
                yield replace(reading, name=rest, around=(*reading.around, area))
                if any(each.isdigit() for each in words[-size - 1 : -size]):
                    yield from (replace(each, around=(*each.around, area)) for each in readings_of(rest))

    def _of_reading(self, reading: Reading, *, fuzzy: bool) -> list[Candidate]:
        hits = self._named(reading.name, fuzzy=fuzzy)
        if reading.crossing:
            others = self._named(reading.crossing, fuzzy=fuzzy)
            return self._crossings(reading, hits, others)
        return [self._candidate(reading, self.entries[place], *said) for place, said in hits.items()]

    def _named(self, name: str, *, fuzzy: bool) -> dict[int, tuple[float, str, str]]:
        """Return entries of a name: score, and why in both languages."""
        best: dict[int, tuple[float, str, str]] = {}
        keys = dict.fromkeys((*keys_of(name), *keys_of(mended(name)))) if fuzzy else keys_of(name)
        for key in keys:
            stems = self._near(key.stem) if fuzzy else {key.stem: 1.0} if key.stem in self._by_stem else {}
            for stem, alike in stems.items():
                for place, own in self._by_stem[stem]:
                    said = _score(key, own, alike, self.entries[place])
                    if said is not None and said[0] > best.get(place, (0.0,))[0]:
                        best[place] = said
        ranked = sorted(best.items(), key=lambda each: (-each[1][0], each[0]))
        return dict(ranked[:_WALKED])

    def _near(self, stem: str) -> dict[str, float]:
        """Return the known stems that are nearly this one."""
        parts = _parts(stem)
        shared = Counter(number for part in parts for number in self._parts.get(part, ()))
        ranked = sorted(
            shared, key=lambda number: (-shared[number] / (len(parts) + len(self._stems[number]) + 2), number)
        )[:_TRIED]
        made = {self._stems[number]: likeness(stem, self._stems[number]) for number in ranked}
        return {each: alike for each, alike in made.items() if alike > 0}

    def _candidate(self, reading: Reading, entry: Entry, score: float, why: str, why_zh: str) -> Candidate:
        how, x, y, within = entry.kind, entry.x, entry.y, entry.reach_m
        if entry.kind == "road" and reading.number:
            how, x, y, within, more, more_zh = _numbered(entry, reading.number)
            why, why_zh = f"{why}; {more}", f"{why_zh}；{more_zh}"
        elif entry.kind != "road" and reading.number:
            score -= 0.1
        score, said, said_zh = self._around(reading, entry, score)
        text = entry.shown if not reading.number else entry.shown.replace(
            entry.called, _with_number(entry, reading.number), 1
        )  # fmt: skip
        return Candidate(
            round(max(score, 0.0), 3), how, entry.called, entry.community, entry.community_zh, x, y,
            within, why + said, why_zh + said_zh, text,
        )  # fmt: skip

    def _around(self, reading: Reading, entry: Entry, score: float) -> tuple[float, str, str]:
        """Return the score with what the address says of the surroundings, and why."""
        own = {fold(each) for each in (entry.community, entry.community_zh) if each}
        said = [fold(each) for each in reading.around]
        if any(part and (each == part or part in each) for each in said for part in own):
            return score, f"; it says {entry.community}", f"；注明{entry.community_zh or entry.community}"
        other = next((each for each in said if each in self._areas and self._areas[each] not in own), "")
        if other and entry.community:
            why = f"; it says {other}, but this lies in {entry.community}"
            return score - 0.15, why, f"；注明{other}，但位于{entry.community_zh or entry.community}"
        return score, "", ""

    def _crossings(
        self, reading: Reading, hits: Mapping[int, tuple[float, str, str]], others: Mapping[int, tuple[float, str, str]]
    ) -> list[Candidate]:
        made = []
        for place, (score, why, why_zh) in hits.items():
            one = self.entries[place]
            for at, (score_2, why_2, why_2_zh) in others.items():
                two = self.entries[at]
                if one.shape is None or two.shape is None or at == place or one.called == two.called:
                    continue
                if shapely.distance(one.shape, two.shape) > MEET_M:
                    continue
                for x, y in _meetings(one.shape, two.shape):
                    score_, said, said_zh = self._around(reading, one, min(score, score_2))
                    names = f"{one.called} & {two.called}"
                    told = " and " if why == why_2 else f" ({why}) and "
                    zh = (
                        f"{one.name_zh or one.name}（{why_zh}）与{two.name_zh or two.name}（{why_2_zh}）相交处{said_zh}"
                    )
                    made.append(Candidate(
                        round(score_, 3), "crossing", names, one.community, one.community_zh, x, y, MEET_M / 2,
                        f"where {one.called}{told}{two.called} ({why_2}) meet{said}",
                        zh,
                        f"{names}, {one.community}" if one.community else names,
                    ))  # fmt: skip
        return made

    def _judged(self, found: Iterable[Candidate]) -> Match:
        ranked = sorted(found, key=lambda each: (-each.score, _FINENESS[each.how], each.within_m, each.text))
        kept: list[Candidate] = []
        for each in ranked:
            if each.score > 0 and not any(_same_spot(each, other) for other in kept):
                kept.append(each)
        if not kept:
            return Match("none", (), "nothing here is called so", "本地没有此名称")
        top = kept[0].score
        good = [each for each in kept if each.score > top - CLOSE]
        fine = [each for each in good if each.how not in {"settlement", "community"}]
        good = fine or good
        good.sort(key=lambda each: (_FINENESS[each.how], -each.score))
        numbered = [each for each in good if each.how in {"number", "between", "crossing"}]
        good = numbered or good
        rest = [each for each in kept if each not in good]
        shown = tuple((*good, *rest)[:6])
        best = good[0]
        if best.score < self.least:
            return Match(
                "weak", shown, f"the nearest is {best.name}: {best.why}", f"最接近：{best.name}，{best.why_zh}"
            )
        if len(good) > 1:
            texts = list(dict.fromkeys(each.text for each in good[:4]))
            if len(texts) == 1:
                why = f"{len(good)} places there are called {texts[0]}; say a crossing or a number that is known"
                return Match("ambiguous", shown, why, f"有 {len(good)} 处名为{texts[0]}，请补充路口或已知门牌号")
            places = "; ".join(texts)
            return Match("ambiguous", shown, places, "；".join(texts))
        if best.how in {"settlement", "community"} or best.within_m > FAR_M:
            why = f"{best.name} is known, but goes {best.within_m:,.0f} m either way; say a number or a crossing"
            return Match("coarse", shown, why, f"{best.name}范围约 {best.within_m:,.0f} 米，请补充门牌号或路口")
        return Match("matched", shown, best.why, best.why_zh)


def _strength(reading: Reading) -> int:
    """Return how much a reading is one of an address: a crossing, or number and street first, a bare name last."""
    street = any(key.kind for key in keys_of(mended(reading.name)))
    if reading.crossing or (street and reading.number):
        return 0
    return 1 if street else 2 if reading.number else _BARE


def _score(key: Key, own: Key, alike: float, entry: Entry) -> tuple[float, str, str] | None:
    """Return what a name is worth against an entry's own, and why; None when it is another."""
    scripts = (key.script, own.script)
    if key.script != own.script and scripts not in _HEARD:
        return None
    if key.script == "sound" and own.script == "latin":
        return None  # a Chinese name is not looked for among English ones
    score, why, zh = alike, "the name is the same", "名称一致"
    if alike < 1:
        score, why, zh = alike * 0.98, f"the name is nearly the same ({entry.called})", "名称相近"
    if scripts in _HEARD:
        score *= _HEARD[scripts]
        why, zh = f"{why} by its sound", f"{zh}（读音）"
    if key.kind != own.kind:
        if own.stem.isdigit() or (entry.kind != "road" and key.kind):
            return None
        score -= 0.05 if not key.kind else 0.12
        why += "; it says no kind of street" if not key.kind else "; it says another kind of street"
        zh += "；未注明路、街" if not key.kind else "；路、街类别不同"
    return score, why, zh


def _numbered(entry: Entry, number: str) -> tuple[str, float, float, float, str, str]:
    """Return how a house number places: itself, between known ones, or along the whole road."""
    exact = entry.numbers.get(number)
    if exact is not None:
        return "number", *exact, 15.0, f"number {number} is known", f"已知 {number} 号"
    wanted = int(number)
    same_side = {int(each): at for each, at in entry.numbers.items() if each.isdigit() and int(each) % 2 == wanted % 2}
    below = max((each for each in same_side if each < wanted), default=None)
    above = min((each for each in same_side if each > wanted), default=None)
    if below is not None and above is not None and above - below <= 40:
        share = (wanted - below) / (above - below)
        (x0, y0), (x1, y1) = same_side[below], same_side[above]
        away = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        told = f"number {number} lies between {below} and {above}"
        return (
            "between",
            x0 + share * (x1 - x0),
            y0 + share * (y1 - y0),
            away / 2 + 15,
            told,
            f"位于 {below} 号与 {above} 号之间",
        )
    told = f"number {number} is not known, so somewhere along it (±{entry.reach_m:,.0f} m)"
    return "road", entry.x, entry.y, entry.reach_m, told, f"未知 {number} 号，取道路中点（±{entry.reach_m:,.0f} 米）"


def _with_number(entry: Entry, number: str) -> str:
    name = entry.called
    return f"{name}{number}号" if not name.isascii() and fold(name)[-1:] > "\u3400" else f"{number} {name}"


def _same_spot(one: Candidate, other: Candidate) -> bool:
    near = (one.x - other.x) ** 2 + (one.y - other.y) ** 2 <= APART_M**2
    return near and (one.name == other.name or one.how == other.how == "crossing" or one.score < other.score)


def _meetings(one: BaseGeometry, other: BaseGeometry) -> list[tuple[float, float]]:
    """Return where two roads meet, one point for each place."""
    met = shapely.intersection(one, other)
    points = shapely.get_coordinates(met)
    if not len(points):
        points = shapely.get_coordinates(shapely.shortest_line(one, other)).mean(axis=0, keepdims=True)
    kept: list[tuple[float, float]] = []
    for x, y in points.tolist():
        if not any((x - a) ** 2 + (y - b) ** 2 <= APART_M**2 for a, b in kept):
            kept.append((x, y))
    return kept[:4]


def _parts(stem: str) -> set[str]:
    padded = f"^{stem}$"
    size = 2 if any(each > "\u3400" for each in stem) else 3
    return {padded[at : at + size] for at in range(max(1, len(padded) - size + 1))}
