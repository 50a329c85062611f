"""The roster in words: why nobody is there, which rule is broken, what is wrong with a row; in the language in use."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date

from app import i18n
from app.i18n import t
from people.cover import Reason, State
from people.model import WorkerInfo
from people.roster import local_time
from people.roster_change import clock, clock_words
from people.roster_files import PROBLEMS, Problem
from people.roster_rules import WORDS, Rule, Violation

SIGNS = {State.HOME: "", State.DEPUTY: "D", State.UNCOVERED: "!", State.REST: ""}
"""What stands in a grid on the map beside its colour."""


def reason(key: Reason) -> str:
    """Return why a grid has nobody."""
    return {
        Reason.NO_WORKER: t("has no worker"),
        Reason.FREE_DAY: t("free day"),
        Reason.AWAY: t("away, nobody stands in"),
        Reason.DEPUTY_OFF: t("away, the deputy is off shift"),
        Reason.OFF_SHIFT: t("outside the shift"),
        Reason.TOO_FEW: t("fewer than needed"),
    }[key]


def state(key: State) -> str:
    """Return how a grid stands."""
    return {
        State.HOME: t("covered by its own worker"),
        State.DEPUTY: t("covered by a deputy"),
        State.UNCOVERED: t("uncovered"),
        State.REST: t("needs nobody at this hour"),
    }[key]


def rule_name(key: Rule) -> str:
    """Return the name of a rule."""
    return {
        Rule.DAY_HOURS: t("Hours a day"),
        Rule.WEEK_HOURS: t("Hours a week"),
        Rule.REST: t("Rest between shifts"),
        Rule.DAYS_ROW: t("Days in a row"),
        Rule.BREAK: t("Break"),
    }[key]


def violation(each: Violation, worker: str) -> str:
    """Return a broken rule as a sentence."""
    found, limit = i18n.number(each.found, 2), i18n.number(each.limit, 2)
    return t(WORDS[each.rule], worker=worker, day=i18n.day(each.day), found=found, limit=limit)


def problem(each: Problem) -> str:
    """Return what is wrong with a row of a file."""
    value = " ".join(t(part) for part in (each.value, each.hint) if part)
    return t(PROBLEMS[each.kind], row=each.row, value=value)


def why_changed(key: str) -> str:
    """Return the reason of an exception."""
    return {
        "free": t("Free"),
        "change": t("Other hours"),
        "extra": t("Extra shift"),
        "swap": t("Swapped"),
        "cover": t("Stands in"),
        "plan": t("From a file"),
    }.get(key, key)


def hours(start_min: int | None, end_min: int | None) -> str:
    """Return hours as "06:00–14:00"; the word for a free day when there are none."""
    return clock_words(start_min, end_min) or t("free")


def short_hours(start_min: int, end_min: int) -> str:
    """Return hours as short as they can be read, "6–14" or "21–6"."""
    parts = [f"{value % 1440 // 60}" + (f":{value % 60:02d}" if value % 60 else "") for value in (start_min, end_min)]
    return "–".join(parts)


def worker(who: WorkerInfo | None, code: str) -> str:
    """Return staff number and, for those who may see it, the name."""
    return f"{code} {who.name}" if who is not None and who.name else code


def span(start_s: int, end_s: int, zone: ZoneInfo) -> str:
    """Return a time of a day as "09:00–13:30"."""
    first, last = local_time(start_s, zone), local_time(end_s, zone)
    end = "24:00" if last.date() > first.date() else f"{last:%H:%M}"
    return f"{first:%H:%M}–{end}"


def minutes(value: int) -> str:
    """Return minutes after midnight as a time of day."""
    return clock(value)


def weekday(day: dt.date) -> str:
    """Return the day of the week in one letter or character."""
    return _weekday(day.weekday(), i18n.locale())


def month(day: dt.date) -> str:
    """Return the month in three letters or two characters."""
    return str(format_date(day, "LLL", locale=_babel(i18n.locale())))


def day_and_month(day: dt.date) -> str:
    """Return a day with its month, short: 16 Nov, 11月16日."""
    return str(format_date(day, "M月d日" if i18n.locale() == "zh" else "d MMM", locale=_babel(i18n.locale())))


def _babel(language: str) -> str:
    return "zh_Hans_CN" if language == "zh" else "en"


@lru_cache(maxsize=14)
def _weekday(number: int, language: str) -> str:
    monday = dt.date(2024, 1, 1)
    return str(format_date(monday + dt.timedelta(days=number), "EEEEE", locale=_babel(language)))
