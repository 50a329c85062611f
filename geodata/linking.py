"""Names of streets and places in a form in which they can be compared, and addresses taken apart; pure.

A name becomes a *key*: its own word or words without blanks, and which kind of street it says. 解放路, Jiefang Lu and
Jiefang Road have one key by their sound; St. James's St and Saint James Street have one by their letters.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pypinyin import lazy_pinyin

from geodata.linking_words import CHINESE_KINDS, DIGITS, FIRST, INNER, KINDS, LAST, LEADING, PARTICLES, UNITS

LONGEST: Final = 300
"""Characters of an address that are looked at."""
_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_RUN: Final = re.compile(rf"[{_HAN}][{_HAN}0-9a-z]*")
_CHINESE_KIND: Final = re.compile(rf"({'|'.join(CHINESE_KINDS)})$")
_ADMIN: Final = re.compile(
    rf"(?:[{_HAN}]{{2,8}}?(?:省|自治区|特别行政区))?(?:[{_HAN}]{{2,7}}?市)?(?:[{_HAN}]{{1,5}}?(?:(?<!小)(?<!社)区|县|旗))?"
    rf"(?:[{_HAN}]{{1,7}}?(?:街道|镇|乡))?(?:[{_HAN}]{{1,8}}?(?:社区|村|居委会))?"
    rf"(?!(?:{'|'.join(CHINESE_KINDS)}|街道))"
)
_CHINESE_ROAD: Final = re.compile(
    rf"(?P<road>[{_HAN}0-9]*?[{_HAN}](?:大道|大街|公路|胡同|路|街|巷|弄|道|里)(?:[东西南北中]?(?:路|街|段|巷))?)"
    rf"(?:第?甲?乙?(?P<number>\d+)(?:-\d+)?(?:号|弄)?)?"
)
_CHINESE_NUMBER: Final = re.compile(rf"[{''.join(DIGITS)}十百]+(?=号|弄)")
_CROSSING: Final = re.compile(
    r"\s*(?:&|\s+and\s+|\s*/\s*|\s+x\s+|\s+with\s+|\s+esq(?:uina)?\.?\s+(?:com|con|de)?\s*|\s+com\s+|\s+con\s+|\s+at\s+)\s*",
    re.IGNORECASE,
)
_CHINESE_CROSSING: Final = re.compile(
    r"^(?P<one>.+?)\s*(?:与|和|及|、|/|&|-|—)\s*(?P<other>.+?)\s*(?:的)?(?:交叉口|交汇处|交界处|交叉路口|路口|相交处|十字路口|口)?$"
)
_CORNER: Final = re.compile(
    r"^\s*(?:the\s+)?(?:corner|junction|crossing|intersection|esquina|esq\.?)\s+(?:of|de|da)?\s*", re.IGNORECASE
)
_HASH: Final = re.compile(
    r"^(?P<kind>[a-z]+)\s*(?P<one>\d+\w?)\s*(?:#|no\.?|n)\s*(?P<other>\d+\w?)\s*-\s*(?P<away>\d+)", re.IGNORECASE
)
_NUMBER_FIRST: Final = re.compile(
    r"^(?:no\.?\s*)?(\d{1,5}\s?[a-z]?(?:\s?[-–/]\s?\d{1,5}[a-z]?)?)\s+(.*[^\W\d].*)$", re.IGNORECASE
)
_NUMBER_LAST: Final = re.compile(
    r"^(.*[^\W\d].*?)[\s,]+(?:no\.?|n[ºo°]\.?|#|nr\.?|num\.?)?\s*(\d{1,5}\s?[a-z]?(?:[-–/]\d{1,5})?)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Key:
    """A name in the form in which names are compared.

    Attributes
    ----------
    stem
        Its own words, joined; of a Chinese name its characters, or their sound.
    kind
        Which kind of street it says; empty when none.
    script
        ``latin``, ``han``, or ``sound`` for the sound of a Chinese name.
    """

    stem: str
    kind: str
    script: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read an address: a name, its house number, the name it crosses, and what else stands there."""

    name: str
    number: str = ""
    crossing: str = ""
    around: tuple[str, ...] = ()


def fold(text: str) -> str:
    """Return a text in small half-width letters without accents or marks, its words parted by single blanks."""
    for _ in range(6):
        before = text
        text = unicodedata.normalize("NFKC", text).casefold()
        text = "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
        text = unicodedata.normalize("NFC", text)
        text = re.sub(r"['’`´ʼ.]", "", text)
        text = " ".join(re.sub(r"[^\w]+|_+", " ", text).split())
        if text == before:
            break
    return text


def normalised(name: str) -> str:
    """Return a name with its shortened words written out; of what is written out already the same."""
    tokens = fold(name).split()
    made: list[str] = []
    for place, said in enumerate(tokens):
        last = place == len(tokens) - 1 or (place == len(tokens) - 2 and LAST.get(tokens[-1], tokens[-1]) in _SIDES)
        if last and place and said in LAST:
            word = LAST[said]
        elif place == 0 and len(tokens) > 1 and said in FIRST:
            word = FIRST[said]
        elif len(tokens) > 1 and said in INNER:
            word = INNER[said]
        else:
            word = "saint" if place and said == "st" else said
        made.append(word)
    return " ".join(made)


_SIDES: Final = frozenset({"north", "south", "east", "west"})


@functools.lru_cache(maxsize=200_000)
def keys_of(name: str) -> tuple[Key, ...]:
    """Return the keys of a name, one for each script that it is written in, and of Chinese its sound."""
    made: list[Key] = []
    flat = fold(name[:LONGEST])
    for run in _HAN_RUN.findall(flat):
        found = _CHINESE_KIND.search(run)
        stem = run[: found.start()] if found and found.start() else run
        kind = CHINESE_KINDS[found.group(1)] if found and found.start() else ""
        made += [Key(stem, kind, "han"), Key(sound_of(stem), kind, "sound")]
    latin = normalised(" ".join(_HAN_RUN.sub(" ", flat).split()))
    if latin and (not made or re.search(r"[a-z]{2}", latin)):
        made.append(_latin(latin.split()))
    return tuple(dict.fromkeys(each for each in made if each.stem))


def mended(name: str) -> str:
    """Return a name whose kind of street is misspelt with the kind that was meant; as it is where none was."""
    tokens = normalised(name).split()
    for place in (-1, 0) if len(tokens) > 1 else ():
        word = tokens[place]
        if word in KINDS or len(word) < 4:
            continue
        near = sorted(
            (edits(word, each), each) for each in KINDS if len(each) >= 4 and (each in LEADING) == (place == 0)
        )
        if near and near[0][0] <= (1 if len(word) < 6 else 2) and (len(near) == 1 or near[1][0] > near[0][0]):
            tokens[place] = near[0][1]
            return " ".join(tokens)
    return name


def sound_of(chinese: str) -> str:
    """Return Chinese characters by their sound, without tones or blanks; other letters as they are."""
    return fold("".join(lazy_pinyin(chinese))).replace(" ", "")


def readings_of(address: str) -> list[Reading]:
    """Return the ways to read an address, the likelier first; empty when it says nothing.

    A number may be the house's or the street's (*Calle 45*): both readings are given, and what is known decides.
    """
    text = " ".join(unicodedata.normalize("NFKC", address).split())[:LONGEST]
    if not fold(text):
        return []
    if re.search(rf"[{_HAN}]", text):
        return list(dict.fromkeys(_chinese(text)))
    return list(dict.fromkeys(_latin_readings(text)))


def likeness(one: str, other: str) -> float:
    """Return how alike two stems are, 0 … 1: one less the share of letters to change; 0 where too many are.

    Of fewer than five letters none may differ, of nine two, of fourteen three; a swap of neighbours counts as one.
    """
    if one == other:
        return 1.0 if one else 0.0
    longest = max(len(one), len(other))
    allowed = 0 if longest < 5 else 1 if longest < 9 else 2 if longest < 14 else 3
    if abs(len(one) - len(other)) > allowed or re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return 0.0
    steps = edits(one, other)
    return round(1 - steps / longest, 4) if steps <= allowed else 0.0


def edits(one: str, other: str) -> int:
    """Return how many letters have to be changed, put in, left out or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        two_before, before, row = before, row, [i] + [0] * len(other)
        for j, b in enumerate(other, start=1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], two_before[j - 2] + 1)
    return row[-1]


def _latin(tokens: list[str]) -> Key:
    kind = ""
    if len(tokens) > 1 and tokens[0] in LEADING:
        kind, tokens = KINDS[tokens[0]], tokens[1:]
    elif len(tokens) > 1 and tokens[-1] in KINDS and tokens[-1] not in LEADING:
        kind, tokens = KINDS[tokens[-1]], tokens[:-1]
    elif len(tokens) > 2 and tokens[-1] in _SIDES and tokens[-2] in KINDS:
        kind, tokens = KINDS[tokens[-2]], [*tokens[:-2], tokens[-1]]
    bare = [each for each in tokens if each not in PARTICLES] or tokens
    return Key("".join(bare), kind, "latin")


def _chinese(text: str) -> Iterator[Reading]:
    text = _CHINESE_NUMBER.sub(lambda found: str(_number(found.group())), text).replace(" ", "")
    pieces = [each for each in re.split(r"[,，;；()（）]", text) if each]
    for place, piece in enumerate(pieces):
        rest = tuple(each for at, each in enumerate(pieces) if at != place)
        admin = _ADMIN.match(piece)
        cut = admin.end() if admin and admin.end() < len(piece) else 0
        around = (*rest, piece[:cut]) if cut else rest
        body = piece[cut:]
        crossing = _CHINESE_CROSSING.match(body)
        if crossing and all(_CHINESE_ROAD.search(part) or re.search("[A-Za-z]{3}", part) for part in crossing.groups()):
            yield Reading(crossing["one"], crossing=_road(crossing["other"]), around=around)
            continue
        found = _CHINESE_ROAD.match(body)
        if found:
            yield Reading(found["road"], found["number"] or "", around=around)
        if not found or found.end() < len(body):
            yield Reading(re.sub(r"\d+号?.*$", "", body) or body, around=around)
        if cut:
            yield Reading(re.sub(r"\d+号?.*$", "", piece) or piece, around=rest)
    if not re.fullmatch(rf"[{_HAN}\d,，;；()（）\-]+", text):
        yield from _latin_readings(re.sub(rf"[{_HAN}]+", " ", text))


def _road(text: str) -> str:
    found = _CHINESE_ROAD.search(text)
    return found["road"] if found else text


def _latin_readings(text: str) -> Iterator[Reading]:
    hashed = _HASH.match(text)
    if hashed:
        kind = FIRST.get(fold(hashed["kind"]), fold(hashed["kind"]))
        across = {"calle": "carrera", "carrera": "calle", "avenida": "calle"}.get(kind)
        if across:
            yield Reading(f"{kind} {hashed['one']}", hashed["away"], f"{across} {hashed['other']}")
    pieces = [each.strip() for each in re.split(r"[,;()]|\s[-–]\s", text) if each.strip()]
    for place, piece in enumerate(pieces):
        rest = tuple(each for at, each in enumerate(pieces) if at != place)
        roads = [each for each in _CROSSING.split(_CORNER.sub("", piece)) if each and each.strip()]
        if len(roads) == 2 and all(re.search(r"[^\W\d]", each) for each in roads):
            yield Reading(roads[0].strip(), crossing=roads[1].strip(), around=rest)
        after = (
            rest[0]
            if place == 0 and rest and re.fullmatch(r"(?:n[.ºo°]?\s*)?\d{1,5}\s*[a-z]?", rest[0], re.IGNORECASE)
            else ""
        )
        if after:
            yield Reading(piece, _digits(after), around=rest[1:])
        yield from _numbered(piece, rest, pieces[place - 1] if place else "")


def _numbered(piece: str, rest: tuple[str, ...], before: str) -> Iterator[Reading]:
    """Give the readings of one piece: its number before, behind, part of the name, or in the piece before."""
    words = piece.split()
    while len(words) > 2 and fold(words[0]) in UNITS and re.match(r"\d", words[1]):
        words = words[1:] if fold(words[0]) in {"no", "number", "nr", "num"} else words[2:]
    body = " ".join(words)
    if not re.search(r"[^\W\d]", body):
        return
    known = _digits(before) if re.fullmatch(r"\d{1,5}\s*[a-z]?", before, re.IGNORECASE) else ""
    first, last = _NUMBER_FIRST.match(body), _NUMBER_LAST.match(body)
    yield Reading(body, known, around=rest)
    if first:
        yield Reading(first[2], _digits(first[1]), around=rest)
    if last:
        yield Reading(last[1], _digits(last[2]), around=rest)


def _digits(text: str) -> str:
    found = re.search(r"\d+", text)
    return str(int(found.group())) if found else ""


def _number(chinese: str) -> int:
    """Return a number below a thousand written in Chinese, e.g. 一百二十 or 三〇五."""
    if not re.search(r"[十百]", chinese):
        return int("".join(str(DIGITS[each]) for each in chinese))
    total, digit = 0, 0
    for each in chinese:
        if each in {"十", "百"}:
            total += (digit or 1) * (10 if each == "十" else 100)
            digit = 0
        else:
            digit = DIGITS[each]
    return total + digit
