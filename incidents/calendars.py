"""Working calendars behind one interface, whatever library knows the holidays.

A `CalendarSpec` is what is seeded into the tables ``calendar`` and ``calendar_day``; there it is
editable data, and `working_calendar` turns it (or the edited rows) into the clock of deadlines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.clock import WorkingCalendar

FIRST_YEAR = 2010
LAST_YEAR = 2035
AHEAD = dt.timedelta(days=60)
"""How far ahead the longest usual limit, 20 working days, may reach over holidays."""
LEAST_HOLIDAYS = 3
"""With fewer public holidays than this a calendar does not know a year: no country has so few."""

Hours = Mapping[str, Sequence[Sequence[str]]]
_ROUND_THE_CLOCK: Hours = {str(day): [["00:00", "00:00"]] for day in range(1, 8)}
_NINE_TO_FIVE: Hours = {str(day): [["09:00", "17:00"]] for day in range(1, 6)}
_WITH_NOON_BREAK: Hours = {str(day): [["09:00", "12:00"], ["13:00", "17:00"]] for day in range(1, 6)}


@dataclass(frozen=True)
class CalendarSpec:
    """A calendar as it is stored.

    Attributes
    ----------
    hours
        ISO weekday ("1" Monday … "7" Sunday) to spans of local time.
    days
        Exceptions: day to (kind, name), kind ``holiday`` or ``workday`` (a make-up workday).
    """

    code: str
    name_en: str
    name_zh: str
    timezone: str
    hours: Hours
    days: Mapping[dt.date, tuple[str, str]]
    holidays_source: str


def working_calendar(spec: CalendarSpec) -> WorkingCalendar:
    """Return the clock that counts by a calendar."""
    return WorkingCalendar(
        spec.timezone,
        {
            int(weekday): tuple((dt.time.fromisoformat(begin), dt.time.fromisoformat(end)) for begin, end in spans)
            for weekday, spans in spec.hours.items()
        },
        holidays=frozenset(day for day, (kind, _) in spec.days.items() if kind == "holiday"),
        workdays=frozenset(day for day, (kind, _) in spec.days.items() if kind == "workday"),
    )


def missing_years(holidays: Mapping[int, int], first: int, last: int) -> tuple[int, ...]:
    """Return the years from ``first`` to ``last`` whose days a calendar does not know.

    Parameters
    ----------
    holidays
        Year to its number of public holidays; a year without any may be absent.
    """
    return tuple(year for year in range(first, last + 1) if holidays.get(year, 0) < LEAST_HOLIDAYS)


def known_years(holidays: Mapping[int, int]) -> tuple[int, int] | None:
    """Return first and last of the latest unbroken run of years that a calendar knows; None when it knows none."""
    known = sorted(year for year, count in holidays.items() if count >= LEAST_HOLIDAYS)
    if not known:
        return None
    first = last = known[-1]
    while first - 1 in known:
        first -= 1
    return first, last


def code_for(timezone: str) -> str:
    """Return the code of the office calendar of a time zone, e.g. ``office-gb`` for Europe/London."""
    country = _country_of(timezone)
    usual = {"GB": "Europe/London", "CN": "Asia/Shanghai"}.get(country)
    return f"office-{country.lower()}" if timezone == usual else f"office-{timezone.replace('/', '-').lower()}"


def always() -> CalendarSpec:
    """Return the calendar of urgent hours: day and night."""
    return CalendarSpec("always", "Round the clock", "全天候", "UTC", _ROUND_THE_CLOCK, {}, "")


def office_for(timezone: str) -> CalendarSpec:
    """Return the office calendar of a time zone: Monday to Friday with the public holidays of its country.

    Chinese days come from the published arrangements, make-up workdays (调休) included, as far as
    they are published; other countries' from the rules of the ``holidays`` library. A zone whose
    country no library knows gets no holidays and says so in ``holidays_source``.
    """
    country = _country_of(timezone)
    if country == "CN":
        days, source = _chinese_days()
        names = ("Chinese office", "中国机关")
        hours = _WITH_NOON_BREAK
    else:
        days, source = _days_of(country)
        names = ("English office", "英国机关") if country == "GB" else (f"Office ({timezone})", f"机关（{timezone}）")
        hours = _NINE_TO_FIVE
    return CalendarSpec(code_for(timezone), *names, timezone, hours, days, source)


def shipped_calendars(timezone: str) -> tuple[CalendarSpec, ...]:
    """Return the calendars a territory in ``timezone`` starts with: always, England, China and its own."""
    chosen = {spec.code: spec for spec in (always(), office_for("Europe/London"), office_for("Asia/Shanghai"))}
    if code_for(timezone) not in chosen:
        own = office_for(timezone)
        chosen[own.code] = own
    return tuple(chosen.values())


def _country_of(timezone: str) -> str:
    from babel.core import get_global

    return str(get_global("zone_territories").get(timezone, "001"))


def _chinese_days() -> tuple[dict[dt.date, tuple[str, str]], str]:
    from chinese_calendar import constants

    days = {day: ("holiday", str(name)) for day, name in constants.holidays.items() if day.year >= FIRST_YEAR}
    days |= {day: ("workday", str(name)) for day, name in constants.workdays.items() if day.year >= FIRST_YEAR}
    return days, f"chinesecalendar, published up to {max(constants.holidays).year}"


def _days_of(country: str) -> tuple[dict[dt.date, tuple[str, str]], str]:
    import holidays

    region = "ENG" if country == "GB" else None
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    try:
        found = holidays.country_holidays(country, subdiv=region, years=years)
    except NotImplementedError:
        return {}, "none known: enter the public holidays"
    source = f"holidays:{country}" + (f":{region}" if region else "")
    return {day: ("holiday", name) for day, name in sorted(found.items())}, source
