"""What the address of the City map says, checked word by word; what cannot be used is told in a sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app import i18n, words
from app.i18n import t
from core.clock import EARLIEST, past_day
from core.errors import InvalidInput
from layers.breaks import LEAST, MOST, RAMPS, SCHEMES, own_breaks
from layers.registry import layer_entries
from layers.values import METRICS, STATUSES

PERIODS = (7, 30, 90, 365, words.OWN_DATES)
DEFAULT_PERIOD = 90
VIEWS = ("map", "table", "small")
COMPARED = ("off", "before", "year", "dates")
LEVELS = ("responsibility", "community", "cell")
DEFAULTS: Mapping[str, Any] = {
    "period": DEFAULT_PERIOD, "categories": (), "status": "open", "metric": "reported",
    "layers": ("grids", "incidents"), "colour_by": "status", "view": "map", "breaks": "auto", "classes": 5, "own": "",
    "ramp": "YlGnBu", "compare": "off", "level": "responsibility",
}  # fmt: skip
NAMES = (
    "days", "from", "to", "status", "metric", "layers", "categories", "colour_by", "view", "breaks", "classes", "own",
    "ramp", "compare", "cfrom", "cto", "level",
)  # fmt: skip
"""Parameters that the page reads and writes; grid, place and on are others'."""
SHOWN = 24
"""Of what was not understood so many signs are repeated."""


@dataclass(frozen=True)
class Asked:
    """What an address asks for.

    Attributes
    ----------
    kept
        By the names of `DEFAULTS`, and ``dates``, ``range``, ``compared``: pairs of days; what the address does not
        name is missing.
    wrong
        One sentence for each part that cannot be used.
    """

    kept: Mapping[str, Any]
    wrong: tuple[str, ...]


def read(given: Mapping[str, str], today: dt.date) -> Asked:
    """Return what an address asks for; nothing of it is trusted."""
    kept: dict[str, Any] = {}
    wrong: list[str] = []
    one_of = {
        "status": STATUSES, "metric": METRICS, "colour_by": ("status", "category"), "view": VIEWS, "breaks": SCHEMES,
        "ramp": RAMPS, "compare": COMPARED, "level": LEVELS,
    }  # fmt: skip
    for name, known in one_of.items():
        if name in given and given[name] in known:
            kept[name] = given[name]
        elif name in given:
            wrong.append(_unknown(name, given[name], known))
    _numbers(given, kept, wrong)
    if "layers" in given:
        entries = layer_entries()
        asked = _listed(given["layers"])
        kept["layers"] = tuple(key for key in asked if key in entries)
        wrong += [_unknown("layers", key, entries) for key in asked if key not in entries]
    if "categories" in given:
        kept["categories"] = _listed(given["categories"])[:200]
    if "own" in given:
        try:
            own_breaks(given["own"])
            kept["own"] = given["own"][:80]
        except InvalidInput as error:
            wrong.append(f"{t('Own breaks')}: {t(error.message)} {t(error.hint)}")
    _days(given, today, kept, wrong)
    if "on" in given:
        _day(given["on"], today, wrong)
    return Asked(kept, tuple(wrong))


def write(kept: Mapping[str, Any], chosen: tuple[dt.date, dt.date], domain: tuple[dt.date, dt.date]) -> dict[str, str]:
    """Return the address of a state; what is as usual is left out."""
    said: dict[str, str] = {}
    if kept["period"] != DEFAULT_PERIOD:
        said["days"] = str(kept["period"])
    if kept["period"] == words.OWN_DATES or chosen != domain:
        said |= {"from": chosen[0].isoformat(), "to": chosen[1].isoformat()}
    for name in ("status", "metric", "colour_by", "view", "breaks", "classes", "ramp", "compare", "level"):
        if kept[name] != DEFAULTS[name]:
            said[name] = str(kept[name])
    if kept["breaks"] == "manual" and kept["own"]:
        said["own"] = kept["own"]
    for name in ("layers", "categories"):
        if tuple(kept[name]) != DEFAULTS[name]:
            said[name] = ",".join(kept[name])
    if kept["compare"] == "dates" and kept.get("compared"):
        said |= {name: day.isoformat() for name, day in zip(("cfrom", "cto"), kept["compared"], strict=True)}
    return said


def link(given: Mapping[str, str], said: Mapping[str, str]) -> str:
    """Return the address of the map that is seen, with other words in it; a word that is empty is left out."""
    kept = {name: given[name] for name in (*NAMES, "on") if name in given and name not in said}
    return f"/map?{urlencode({name: word for name, word in (dict(said) | kept).items() if word})}"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in text.split(",") if part))


def _numbers(given: Mapping[str, str], kept: dict[str, Any], wrong: list[str]) -> None:
    if "days" in given:
        if given["days"] in {str(days) for days in PERIODS}:
            kept["period"] = int(given["days"])
        else:
            wrong.append(_unknown("days", given["days"], [str(days) for days in PERIODS]))
    if "classes" in given:
        if given["classes"] in {str(count) for count in range(LEAST, MOST + 1)}:
            kept["classes"] = int(given["classes"])
        else:
            wrong.append(_unknown("classes", given["classes"], [f"{LEAST}–{MOST}"]))


def _days(given: Mapping[str, str], today: dt.date, kept: dict[str, Any], wrong: list[str]) -> None:
    for first, last, name in (("from", "to", "range"), ("cfrom", "cto", "compared")):
        if first not in given and last not in given:
            continue
        days = [_day(given.get(key, ""), today, wrong) for key in (first, last)]
        if days[0] is None or days[1] is None:
            continue
        if days[1] < days[0]:
            wrong.append(
                t("The address asks for {first} to {last}, which ends before it begins.", first=days[0], last=days[1])
            )
            continue
        kept[name] = (days[0], days[1])
    if "range" in kept and kept.get("period", words.OWN_DATES) == words.OWN_DATES:
        kept |= {"period": words.OWN_DATES, "dates": kept.pop("range")}


def _day(text: str, today: dt.date, wrong: list[str]) -> dt.date | None:
    try:
        return past_day(text, today)
    except InvalidInput:
        said = t("“{given}” in the address is no day from {first} to today. Write it as 2026-03-14.",
                   given=_short(text), first=i18n.day(EARLIEST))  # fmt: skip
        wrong.append(said)
        return None


def _unknown(name: str, given: str, known: Iterable[str]) -> str:
    return t(
        "“{given}” in the address is not understood: {name} is one of {known}.",
        given=_short(given), name=name, known=", ".join(known),
    )  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
