"""Deadlines, computed by hand: every row names the weekday, so that a wrong date cannot hide.

The calendars are the shipped ones: the Chinese office (09:00-12:00 and 13:00-17:00, the published days
of 2026 with their make-up workdays) and the English one (09:00-17:00).
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from core.clock import WorkingCalendar
from incidents.calendars import office_for, working_calendar
from incidents.deadlines import Limit, due_at

CN = working_calendar(office_for("Asia/Shanghai"))
GB = working_calendar(office_for("Europe/London"))
NIGHT = WorkingCalendar(
    "Europe/Berlin", {day: ((dt.time(0), dt.time(6)), (dt.time(22), dt.time(0))) for day in range(1, 8)}
)
NEPAL = WorkingCalendar("Asia/Kathmandu", dict.fromkeys(range(1, 6), ((dt.time(9), dt.time(17)),)))
UNITS = {"uh": "urgent_hours", "wh": "working_hours", "wd": "working_days", "cd": "calendar_days"}


def limit(text: str) -> Limit:
    """Return a limit written as ``4 wh``."""
    value, unit = text.split()
    return Limit(float(value), UNITS[unit])


def at(calendar: WorkingCalendar, text: str) -> dt.datetime:
    """Return a moment written as weekday and local time; the weekday must be right."""
    weekday, stamp = text.split(" ", 1)
    local = dt.datetime.fromisoformat(stamp).replace(tzinfo=calendar.zone)
    assert local.strftime("%a") == weekday, f"{stamp} is a {local:%A}"
    return local.astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("calendar", "given", "start", "due"),
    [
        # Exposed refuse and flooded road: 4 working hours; the noon break does not count.
        (CN, "4 wh", "Tue 2026-03-03 09:00", "Tue 2026-03-03 14:00"),
        (CN, "4 wh", "Tue 2026-03-03 10:30", "Tue 2026-03-03 15:30"),
        (CN, "4 wh", "Tue 2026-03-03 16:00", "Wed 2026-03-04 12:00"),
        (CN, "4 wh", "Fri 2026-03-06 15:00", "Mon 2026-03-09 11:00"),
        (CN, "4 wh", "Sat 2026-03-07 10:00", "Mon 2026-03-09 14:00"),
        # Dirty road: 2 working hours.
        (CN, "2 wh", "Fri 2026-03-06 16:30", "Mon 2026-03-09 10:30"),
        (CN, "2 wh", "Tue 2026-03-03 12:30", "Tue 2026-03-03 15:00"),
        # Dispatching: 1.5 working hours.
        (CN, "1.5 wh", "Tue 2026-03-03 11:30", "Tue 2026-03-03 14:00"),
        (CN, "1.5 wh", "Tue 2026-03-03 12:00", "Tue 2026-03-03 14:30"),
        (CN, "1.5 wh", "Tue 2026-03-03 12:59", "Tue 2026-03-03 14:30"),
        (CN, "1.5 wh", "Tue 2026-03-03 08:00", "Tue 2026-03-03 10:30"),
        (CN, "1.5 wh", "Tue 2026-03-03 23:30", "Wed 2026-03-04 10:30"),
        (CN, "1.5 wh", "Wed 2026-03-04 00:00", "Wed 2026-03-04 10:30"),
        (CN, "1.5 wh", "Tue 2026-03-03 10:30", "Tue 2026-03-03 12:00"),
        # Gas leak: 3 urgent hours, then 2 urgent days; illegal parking: 3 urgent hours.
        (CN, "3 uh", "Fri 2026-03-06 23:00", "Sat 2026-03-07 02:00"),
        (CN, "48 uh", "Sat 2026-02-14 10:00", "Mon 2026-02-16 10:00"),
        (CN, "3 uh", "Sun 2026-03-08 23:30", "Mon 2026-03-09 02:30"),
        # Burst main in the Spring Festival: fence, repair, surface; Saturday 28 February is made up.
        (CN, "3 uh", "Wed 2026-02-18 22:30", "Thu 2026-02-19 01:30"),
        (CN, "8 uh", "Wed 2026-02-18 22:30", "Thu 2026-02-19 06:30"),
        (CN, "5 wd", "Wed 2026-02-18 22:30", "Sat 2026-02-28 17:00"),
        # Unlawful building, the Friday before the Spring Festival: stop work, penalty, demolition.
        (CN, "4 wh", "Fri 2026-02-13 16:00", "Sat 2026-02-14 12:00"),
        (CN, "7 wd", "Fri 2026-02-13 16:00", "Mon 2026-03-02 17:00"),
        (CN, "20 wd", "Fri 2026-02-13 16:00", "Thu 2026-03-19 17:00"),
        # From a make-up Saturday over nine free days.
        (CN, "4 wh", "Sat 2026-02-14 15:00", "Tue 2026-02-24 11:00"),
        (CN, "1 wd", "Sat 2026-02-14 15:00", "Tue 2026-02-24 17:00"),
        # National Day: Sunday 20 September and Saturday 10 October are made up.
        (CN, "1 wd", "Sat 2026-09-19 10:00", "Sun 2026-09-20 17:00"),
        (CN, "4 wh", "Fri 2026-09-18 16:00", "Sun 2026-09-20 12:00"),
        (CN, "7 wd", "Tue 2026-09-29 10:00", "Wed 2026-10-14 17:00"),
        (CN, "4 wh", "Wed 2026-09-30 16:30", "Thu 2026-10-08 13:30"),
        (CN, "3 wd", "Wed 2026-09-30 16:30", "Sat 2026-10-10 17:00"),
        # Mid-autumn on a Friday, Qingming on a Monday, Labour Day with a made-up Saturday, New Year with a Sunday.
        (CN, "1 wd", "Thu 2026-09-24 10:00", "Mon 2026-09-28 17:00"),
        (CN, "2 wh", "Fri 2026-04-03 16:00", "Tue 2026-04-07 10:00"),
        (CN, "4 wh", "Thu 2026-04-30 16:00", "Wed 2026-05-06 12:00"),
        (CN, "3 wd", "Thu 2026-04-30 09:00", "Fri 2026-05-08 17:00"),
        (CN, "4 wd", "Thu 2026-04-30 09:00", "Sat 2026-05-09 17:00"),
        (CN, "2 wh", "Wed 2025-12-31 16:00", "Sun 2026-01-04 10:00"),
        # Calendar days run through everything and end at midnight.
        (CN, "3 cd", "Fri 2026-02-27 15:00", "Tue 2026-03-03 00:00"),
        (CN, "7 cd", "Wed 2026-02-18 22:30", "Thu 2026-02-26 00:00"),
        (GB, "0 cd", "Wed 2026-07-01 23:59", "Thu 2026-07-02 00:00"),
        # The leap day.
        (CN, "1 cd", "Mon 2028-02-28 12:00", "Wed 2028-03-01 00:00"),
        (GB, "1 wd", "Mon 2028-02-28 10:00", "Tue 2028-02-29 17:00"),
        (GB, "4 wh", "Tue 2028-02-29 15:00", "Wed 2028-03-01 11:00"),
        (GB, "24 uh", "Mon 2028-02-28 23:00", "Tue 2028-02-29 23:00"),
        # An English week.
        (GB, "8 wh", "Wed 2026-07-01 09:00", "Wed 2026-07-01 17:00"),
        (GB, "8.5 wh", "Wed 2026-07-01 09:00", "Thu 2026-07-02 09:30"),
        (GB, "40 wh", "Wed 2026-07-01 09:00", "Tue 2026-07-07 17:00"),
        (GB, "1 wh", "Wed 2026-07-01 17:00", "Thu 2026-07-02 10:00"),
        (GB, "0 wh", "Sat 2026-07-04 12:00", "Mon 2026-07-06 09:00"),
        (GB, "0 wd", "Wed 2026-07-01 10:00", "Wed 2026-07-01 17:00"),
        (GB, "0 wd", "Sat 2026-07-04 10:00", "Mon 2026-07-06 17:00"),
        (GB, "1 wd", "Wed 2026-07-01 23:59", "Thu 2026-07-02 17:00"),
        (GB, "1 wd", "Thu 2026-07-02 00:00", "Fri 2026-07-03 17:00"),
        # Bank holidays: Easter, early May, August, and a Christmas on a Friday.
        (GB, "4 wh", "Thu 2026-04-02 16:00", "Tue 2026-04-07 12:00"),
        (GB, "5 wd", "Thu 2026-04-02 10:00", "Mon 2026-04-13 17:00"),
        (GB, "4 wh", "Fri 2026-05-01 15:00", "Tue 2026-05-05 11:00"),
        (GB, "1 wh", "Fri 2026-08-28 16:59", "Tue 2026-09-01 09:59"),
        (GB, "10 wd", "Thu 2026-12-24 12:00", "Tue 2027-01-12 17:00"),
        # The clocks go forward on Sunday 29 March 2026 and back on Sunday 25 October.
        (GB, "3 uh", "Sat 2026-03-28 23:00", "Sun 2026-03-29 03:00"),
        (GB, "24 uh", "Sat 2026-03-28 12:00", "Sun 2026-03-29 13:00"),
        (GB, "24 uh", "Sat 2026-10-24 12:00", "Sun 2026-10-25 11:00"),
        (GB, "3 uh", "Sat 2026-10-24 22:30", "Sun 2026-10-25 01:30"),  # the first of two half past one
        (GB, "4.5 uh", "Sat 2026-10-24 22:30", "Sun 2026-10-25 02:00"),
        (GB, "2 wh", "Fri 2026-03-27 16:00", "Mon 2026-03-30 10:00"),
        (GB, "2 wh", "Fri 2026-10-23 16:00", "Mon 2026-10-26 10:00"),
        (GB, "2 cd", "Fri 2026-03-27 10:00", "Mon 2026-03-30 00:00"),
        (GB, "1 cd", "Sat 2026-10-24 10:00", "Mon 2026-10-26 00:00"),
        # A night shift over midnight, over the hour that lacks, and over the one that comes twice.
        (NIGHT, "4 wh", "Mon 2026-06-01 23:00", "Tue 2026-06-02 03:00"),
        (NIGHT, "9 wh", "Mon 2026-06-01 05:00", "Tue 2026-06-02 06:00"),
        (NIGHT, "1 wd", "Mon 2026-06-01 12:00", "Wed 2026-06-03 00:00"),
        (NIGHT, "8 wh", "Sat 2026-03-28 22:00", "Sun 2026-03-29 23:00"),
        (NIGHT, "8 wh", "Sat 2026-10-24 22:00", "Sun 2026-10-25 05:00"),
        (NEPAL, "2 wh", "Fri 2026-07-03 15:45", "Mon 2026-07-06 09:45"),
    ],
)
def test_due(calendar: WorkingCalendar, given: str, start: str, due: str) -> None:
    assert due_at(limit(given), calendar, at(calendar, start)) == at(calendar, due)


@pytest.mark.parametrize(
    ("zone", "local", "given", "due"),
    [
        ("UTC", "2026-03-03T01:00", "4 wh", "Tue 2026-03-03 14:00"),  # 09:00 in Shanghai
        ("UTC", "2026-03-03T16:30", "1 wd", "Thu 2026-03-05 17:00"),  # Wednesday already in Shanghai
        ("America/New_York", "2026-03-05T20:30", "1.5 wh", "Fri 2026-03-06 11:00"),  # 09:30 on Friday
        ("America/New_York", "2026-03-06T22:00", "0 cd", "Sun 2026-03-08 00:00"),  # Saturday 11:00
        ("Asia/Kathmandu", "2026-03-03T06:45", "4 wh", "Tue 2026-03-03 14:00"),
    ],
)
def test_the_office_counts_whatever_the_zone_of_the_moment(zone: str, local: str, given: str, due: str) -> None:
    start = dt.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    assert due_at(limit(given), CN, start) == at(CN, due)
