"""Which words and classes mean danger to life, and whom to call; pure.

What is shipped here is a beginning: a territory adds words, switches them off and gives its own numbers
(table ``emergency_rule``). When in doubt a word raises: a false alarm costs a click, a missed one a life.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from incidents.emergency_words import LOOKALIKES, WORDS

SERVICES: dict[str, tuple[str, str]] = {
    "police": ("Police", "公安"),
    "fire": ("Fire and rescue", "消防救援"),
    "ambulance": ("Ambulance", "医疗急救"),
}
"""Service to its name in English and Chinese, in the order in which they are called."""
NUMBERS = {
    "Asia/": {"police": "110", "fire": "119", "ambulance": "120"},
    "Europe/London": dict.fromkeys(SERVICES, "999"),
    "Europe/": dict.fromkeys(SERVICES, "112"),
    "America/": dict.fromkeys(SERVICES, "911"),
    "": dict.fromkeys(SERVICES, "112"),
}
"""Numbers by the beginning of a territory's time zone, until it gives its own."""
PHRASE_MOST = 60

_CLASSES = {"event-04-01": "fire", "event-04-02": "police", "event-04-03": "fire"}
CLASS_SERVICE = "police"
"""Whom to call for a class of danger that names nobody."""
# A denial holds for the words that follow at once; "not only", "no doubt", "cannot rule out" are none.
_DENIED_EN = re.compile(
    r"(?:\b(?:no|not|never|without|isn't|isnt|aren't|wasn't|weren't|don't|doesn't|didn't|nobody|no one|nothing|false)"
    r"(?!\s+(?:only|doubt|just|far|sure))"
    r"(?:\s+(?:a|an|any|the|is|was|are|were|it|been|be|being|seen|smell|smells|smelling|of|sign|signs|there|actual|real|see"
    r"|on|in|got|badly|seriously|longer|more|open|visible|or|flames|smoke|fire|hurt|injured|gas|person|people))*\s+)$"
)
_DENIED_ZH = re.compile(
    r"(?:没有|没|未|无|并无|不是|并非|未见|未发现|没发现|没有发现|没有看到|没看到|没闻到|没有闻到|无人|没人|没有人|不存在|不会|非)"
    r"(?:任何|明显|人员|人|什么|再|有|发生|出现|发现)*$"
)
_DOUBLE_ZH = re.compile(r"(?:不能排除|不排除|无法排除|没有排除|不是没有|不会没有|并非没有|不是没|不可能没有|不可能没)$")
_BREAKS = re.compile(r"[.!?;,:\n。！？；，：、]|\bbut\b|\bhowever\b|\band now\b|但是|但|可是|不过|然而")
_ASCII_EDGE = "a-z0-9"


@dataclass(frozen=True, slots=True)
class Rules:
    """The words in force: phrase to service; look-alikes; class key to service; service to the number to call."""

    words: tuple[tuple[str, str], ...]
    lookalikes: tuple[str, ...]
    classes: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, str], ...]

    def number(self, service: str) -> str:
        """Return the number to call for a service."""
        return dict(self.numbers).get(service) or dict(self.numbers).get(CLASS_SERVICE, "112")


@dataclass(frozen=True, slots=True)
class OwnRule:
    """A row of a territory's own: see table ``emergency_rule``."""

    kind: str
    phrase: str
    service: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A service to be called now: its number, and the words or the class that say so."""

    service: str
    number: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handed:
    """A service and what became of calling it; ``id`` None for an emergency of which nobody wrote anything down.

    Attributes
    ----------
    because
        Words of the list, or ``class:<key>``, parted by strokes.
    state
        ``waiting``, ``acknowledged`` or ``dismissed`` (no emergency).
    """

    id: int | None
    incident_id: int
    number: str
    class_en: str
    class_zh: str
    status: str
    place: str
    service: str
    phone: str
    because: str
    state: str
    raised_at: dt.datetime
    raised_label: str = ""
    called_at: dt.datetime | None = None
    channel: str = ""
    reference: str = ""
    settled_at: dt.datetime | None = None
    settled_label: str = ""


def shipped(timezone: str = "") -> Rules:
    """Return the rules as shipped, with the numbers of a time zone."""
    longest = max((start for start in NUMBERS if timezone.startswith(start)), key=len)
    return Rules(
        tuple((phrase, service) for service, phrases in WORDS.items() for phrase in phrases.split("|")),
        tuple(LOOKALIKES.split("|")),
        tuple(_CLASSES.items()),
        tuple(NUMBERS[longest].items()),
    )


def with_own(rules: Rules, own: Iterable[OwnRule]) -> Rules:
    """Return rules with a territory's own on top: one switched off takes the shipped one away."""
    words, lookalikes = dict(rules.words), dict.fromkeys(rules.lookalikes)
    classes, numbers = dict(rules.classes), dict(rules.numbers)
    for each in own:
        phrase = each.phrase if each.kind in {"class", "number"} else plain(each.phrase)
        if each.kind == "number":
            if each.active:
                numbers[each.service] = phrase
        elif each.kind == "lookalike":
            lookalikes.pop(phrase, None)
            if each.active:
                lookalikes[phrase] = None
        else:
            held = words if each.kind == "word" else classes
            held.pop(phrase, None)
            if each.active:
                held[phrase] = each.service
    return Rules(tuple(words.items()), tuple(lookalikes), tuple(classes.items()), tuple(numbers.items()))


def calls(rules: Rules, text: str, class_key: str = "", *, emergency_class: bool = False) -> tuple[Call, ...]:
    """Return whom to call for a report, in the order of `SERVICES`; nothing when nobody is in danger.

    Parameters
    ----------
    emergency_class
        Whether the catalogue marks the class as danger to life.
    """
    because: dict[str, list[str]] = {}
    if emergency_class or class_key in dict(rules.classes):
        because.setdefault(dict(rules.classes).get(class_key, CLASS_SERVICE), []).append(f"class:{class_key}")
    for phrase, service in signs(rules, text):
        because.setdefault(service, []).append(phrase)
    known = sorted(because, key=lambda service: list(SERVICES).index(service) if service in SERVICES else len(SERVICES))
    return tuple(Call(service, rules.number(service), tuple(dict.fromkeys(because[service]))) for service in known)


def signs(rules: Rules, text: str) -> tuple[tuple[str, str], ...]:
    """Return the phrases of danger in a text with the service each calls for: no look-alikes, none that is denied."""
    folded = plain(text)
    look_alike = _pattern(rules.lookalikes)
    if look_alike is not None:
        # A sign of our own stands for it: no phrase runs across, and no edge of a word is lost.
        folded = look_alike.sub("\x01", folded)
    services, found = dict(rules.words), {}
    pattern = _pattern(tuple(phrase for phrase, _ in rules.words))
    for match in pattern.finditer(folded) if pattern is not None else ():
        if not _denied(folded[: match.start()]):
            phrase = _phrase(match[0], services)
            found[phrase] = services[phrase]
    return tuple(found.items())


def is_shipped(kind: str, phrase: str) -> str:
    """Return the service that a shipped word or class calls for; empty when it is none of ours."""
    held = dict(shipped().words if kind == "word" else shipped().classes if kind == "class" else ())
    return held.get(phrase, "")


def mutes(lookalike: str) -> bool:
    """Return whether a look-alike holds nothing but shipped words of danger, or a part of one."""
    words = tuple(phrase for phrase, _ in shipped().words)
    told = plain(lookalike)
    if any(told in word or told.removesuffix("s") in word for word in words):
        return True
    longest_first = sorted(words, key=len, reverse=True)
    return not re.sub("|".join(map(re.escape, longest_first)), "", told).strip(" s,.-")


def plain(text: str) -> str:
    """Return a text as phrases are compared: full-width and capital letters folded, apostrophes and spaces alike."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("\x01", " ")
    return re.sub(r"[^\S\n]+", " ", folded).strip()


def _phrase(found: str, services: dict[str, str]) -> str:
    return found if found in services else found.removesuffix("s")


def _denied(before: str) -> bool:
    clause = _BREAKS.split(before)[-1]
    tail = clause[-60:]
    if _DOUBLE_ZH.search(tail):
        return False
    return bool(_DENIED_EN.search(tail) or _DENIED_ZH.search(tail))


@lru_cache(maxsize=32)
def _pattern(phrases: Sequence[str]) -> re.Pattern[str] | None:
    """Return what finds any of the phrases, the longest first; English ones begin and end at the edge of a word."""
    ordered = sorted({phrase for phrase in phrases if phrase}, key=len, reverse=True)
    parts = [
        rf"(?<![{_ASCII_EDGE}]){re.escape(phrase)}s?(?![{_ASCII_EDGE}])" if phrase.isascii() else re.escape(phrase)
        for phrase in ordered
    ]
    return re.compile("|".join(parts)) if parts else None
