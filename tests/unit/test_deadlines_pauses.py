"""Pauses, extensions, warnings and used time, computed by hand; and which limit holds."""

from __future__ import annotations

import datetime as dt

import pytest

from core.clock import WorkingCalendar
from core.errors import InvalidInput
from incidents.deadlines import Limit, LimitRule, Pause, choose, countdown, countdown_to, merged
from tests.unit.test_deadlines_table import CN, GB, at, limit

TUESDAY = "Tue 2026-03-03 09:00"


def pauses(calendar: WorkingCalendar, *texts: str) -> list[Pause]:
    """Return pauses written as ``begin > end``, one that goes on as ``begin >``."""
    made = []
    for text in texts:
        begin, end = (part.strip() for part in text.split(">"))
        made.append(Pause(at(calendar, begin), at(calendar, end) if end else None))
    return made


@pytest.mark.parametrize(
    ("calendar", "given", "start", "held", "due"),
    [
        (CN, "4 wh", TUESDAY, [], "Tue 2026-03-03 14:00"),
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 10:00 > Tue 2026-03-03 11:00"], "Tue 2026-03-03 15:00"),
        # The noon break would not have counted anyway.
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 12:00 > Tue 2026-03-03 13:00"], "Tue 2026-03-03 14:00"),
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 11:30 > Tue 2026-03-03 13:30"], "Tue 2026-03-03 15:00"),
        # From the first moment, at the deadline, behind it, before the start.
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 09:00 > Tue 2026-03-03 10:00"], "Tue 2026-03-03 15:00"),
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 14:00 > Tue 2026-03-03 15:00"], "Tue 2026-03-03 14:00"),
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 15:00 > Tue 2026-03-03 16:00"], "Tue 2026-03-03 14:00"),
        (CN, "4 wh", TUESDAY, ["Mon 2026-03-02 09:00 > Mon 2026-03-02 16:00"], "Tue 2026-03-03 14:00"),
        (CN, "4 wh", TUESDAY, ["Mon 2026-03-02 09:00 > Tue 2026-03-03 10:00"], "Tue 2026-03-03 15:00"),
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 10:00 > Wed 2026-03-04 10:00"], "Wed 2026-03-04 14:00"),
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 10:00 > Tue 2026-03-03 10:00"], "Tue 2026-03-03 14:00"),
        # Two that overlap count once, two apart count both, whatever their order.
        (
            CN,
            "4 wh",
            TUESDAY,
            ["Tue 2026-03-03 10:30 > Tue 2026-03-03 11:30", "Tue 2026-03-03 10:00 > Tue 2026-03-03 11:00"],
            "Tue 2026-03-03 15:30",
        ),
        (
            CN,
            "4 wh",
            TUESDAY,
            ["Tue 2026-03-03 14:00 > Tue 2026-03-03 15:00", "Tue 2026-03-03 10:00 > Tue 2026-03-03 11:00"],
            "Tue 2026-03-03 16:00",
        ),
        # A postponement over the weekend, and one over the whole Spring Festival.
        (CN, "4 wh", "Fri 2026-03-06 15:00", ["Fri 2026-03-06 17:00 > Mon 2026-03-09 09:00"], "Mon 2026-03-09 11:00"),
        (CN, "4 wh", "Sat 2026-02-14 15:00", ["Sun 2026-02-15 00:00 > Tue 2026-02-24 00:00"], "Tue 2026-02-24 11:00"),
        # A whole working day moves a day-limit by one, half a day by half a day.
        (CN, "2 wd", "Tue 2026-03-03 10:00", ["Wed 2026-03-04 09:00 > Wed 2026-03-04 17:00"], "Fri 2026-03-06 17:00"),
        (CN, "2 wd", "Tue 2026-03-03 10:00", ["Wed 2026-03-04 13:00 > Wed 2026-03-04 17:00"], "Fri 2026-03-06 14:00"),
        (CN, "2 wd", "Tue 2026-03-03 10:00", ["Fri 2026-03-06 09:00 > Fri 2026-03-06 17:00"], "Thu 2026-03-05 17:00"),
        # Day and night.
        (CN, "8 uh", "Wed 2026-02-18 22:30", ["Wed 2026-02-18 23:30 > Thu 2026-02-19 01:30"], "Thu 2026-02-19 08:30"),
        # Half a Saturday and half a Sunday are 23 hours when the clocks go forward.
        (GB, "3 cd", "Fri 2026-03-27 15:00", ["Sat 2026-03-28 12:00 > Sun 2026-03-29 12:00"], "Tue 2026-03-31 23:00"),
        # One that goes on: no deadline, unless it began after it.
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 10:00 >"], None),
        (CN, "4 wh", TUESDAY, ["Tue 2026-03-03 16:00 >"], "Tue 2026-03-03 14:00"),
    ],
)
def test_a_pause_stops_the_clock(
    calendar: WorkingCalendar, given: str, start: str, held: list[str], due: str | None
) -> None:
    clock = countdown(limit(given), calendar, at(calendar, start), pauses=pauses(calendar, *held))
    assert clock.due() == (None if due is None else at(calendar, due))


@pytest.mark.parametrize(
    ("given", "more", "start", "due"),
    [
        ("4 wh", ["4 wh"], TUESDAY, "Wed 2026-03-04 10:00"),
        ("4 wh", ["1 wd"], TUESDAY, "Wed 2026-03-04 17:00"),
        ("5 wd", ["2 wd"], TUESDAY, "Thu 2026-03-12 17:00"),
        ("2 cd", ["1 cd"], TUESDAY, "Sat 2026-03-07 00:00"),
        ("3 uh", ["2 uh", "1 uh"], TUESDAY, "Tue 2026-03-03 15:00"),
        ("2 wd", ["4 wh"], TUESDAY, "Fri 2026-03-06 14:00"),
    ],
)
def test_an_extension_counts_on_from_the_deadline(given: str, more: list[str], start: str, due: str) -> None:
    clock = countdown(limit(given), CN, at(CN, start), extensions=[limit(each) for each in more])
    assert clock.due() == at(CN, due)


@pytest.mark.parametrize(
    ("given", "start", "held", "told"),
    [
        ("4 wh", TUESDAY, [], ["Tue 2026-03-03 11:00", "Tue 2026-03-03 13:12", "Tue 2026-03-03 14:00"]),
        ("8 uh", "Wed 2026-02-18 22:30", [], ["Thu 2026-02-19 02:30", "Thu 2026-02-19 04:54", "Thu 2026-02-19 06:30"]),
        ("2 wd", "Tue 2026-03-03 10:00", [], ["Wed 2026-03-04 14:00", "Thu 2026-03-05 12:00", "Thu 2026-03-05 17:00"]),
        (
            "4 wh",
            TUESDAY,
            ["Tue 2026-03-03 11:30 > Wed 2026-03-04 09:00"],
            ["Tue 2026-03-03 11:00", "Wed 2026-03-04 09:42", "Wed 2026-03-04 10:30"],
        ),
    ],
)
def test_warnings_fall_due_at_half_four_fifths_and_all(
    given: str, start: str, held: list[str], told: list[str]
) -> None:
    clock = countdown(limit(given), CN, at(CN, start), pauses=pauses(CN, *held))
    assert clock.warnings() == tuple(zip((0.5, 0.8, 1.0), [at(CN, each) for each in told], strict=True))
    for share, moment in clock.warnings():
        assert moment is not None
        assert clock.reached(moment) == share
        assert clock.reached(moment - dt.timedelta(minutes=1)) < share


def test_a_pause_that_goes_on_keeps_later_warnings_from_coming() -> None:
    clock = countdown(limit("4 wh"), CN, at(CN, TUESDAY), pauses=pauses(CN, "Tue 2026-03-03 11:30 >"))
    assert clock.warnings() == ((0.5, at(CN, "Tue 2026-03-03 11:00")), (0.8, None), (1.0, None))
    assert clock.paused(at(CN, "Thu 2026-03-05 10:00"))
    assert clock.share(at(CN, "Thu 2026-03-05 10:00")) == 2.5 / 4


@pytest.mark.parametrize(
    ("given", "moment", "used", "share"),
    [
        ("4 wh", "Mon 2026-03-02 09:00", 0, 0),
        ("4 wh", "Tue 2026-03-03 09:00", 0, 0),
        ("4 wh", "Tue 2026-03-03 12:30", 3, 0.75),
        ("4 wh", "Tue 2026-03-03 14:00", 4, 1),
        ("4 wh", "Wed 2026-03-04 10:00", 8, 2),
        ("4 wh", "Sun 2026-03-08 10:00", 28, 7),
        ("1 wd", "Wed 2026-03-04 09:00", 7, 0.5),
        ("1 wd", "Wed 2026-03-04 17:00", 14, 1),
        ("6 uh", "Tue 2026-03-03 12:00", 3, 0.5),
        ("1 cd", "Wed 2026-03-04 04:30", 19.5, 0.5),
    ],
)
def test_used_and_remaining_time(given: str, moment: str, used: float, share: float) -> None:
    clock = countdown(limit(given), CN, at(CN, TUESDAY))
    when = at(CN, moment)
    assert clock.used(when) == dt.timedelta(hours=used)
    assert clock.remaining(when) == clock.whole - dt.timedelta(hours=used)
    assert clock.share(when) == share


def test_a_deadline_that_stands_tells_the_time_there_was_without_its_pauses() -> None:
    held = pauses(CN, "Tue 2026-03-03 10:00 > Wed 2026-03-04 10:00")
    clock = countdown_to(at(CN, "Wed 2026-03-04 14:00"), CN, at(CN, TUESDAY), pauses=held)
    assert clock.whole == dt.timedelta(hours=4)
    assert clock.due() == at(CN, "Wed 2026-03-04 14:00")
    assert clock.share(at(CN, "Wed 2026-03-04 11:00")) == 0.5
    plain = countdown_to(at(CN, "Tue 2026-03-03 14:00"), CN, at(CN, TUESDAY))
    assert (plain.whole, plain.due()) == (dt.timedelta(hours=4), at(CN, "Tue 2026-03-03 14:00"))


def test_a_limit_of_nothing_is_used_up_at_once() -> None:
    clock = countdown(limit("0 uh"), CN, at(CN, TUESDAY))
    assert (clock.share(at(CN, "Mon 2026-03-02 09:00")), clock.share(at(CN, TUESDAY))) == (0, 1)


def test_pauses_merge_and_do_not_run_backwards() -> None:
    start = at(CN, TUESDAY)
    hours = [start + dt.timedelta(hours=hour) for hour in range(6)]
    assert merged([Pause(hours[3]), Pause(hours[1], hours[2]), Pause(hours[2], hours[3])], start) == (Pause(hours[1]),)
    assert merged([Pause(hours[4], hours[5]), Pause(hours[3])], start) == (Pause(hours[3]),)
    with pytest.raises(InvalidInput, match="before it begins"):
        Pause(hours[2], hours[1])


def rule(number: int, class_id: int | None, value: float, first: str, last: str = "", *, step: str = "") -> LimitRule:
    """Return a limit of handling."""
    until = dt.date.fromisoformat(last) if last else None
    return LimitRule(
        number, class_id, "handle", step, Limit(value, "working_hours"), None, dt.date.fromisoformat(first), until
    )


RULES = (
    rule(1, None, 9, "2000-01-01"),
    rule(2, 7, 4, "2000-01-01", "2026-05-31"),
    rule(3, 7, 3, "2026-06-01", "2026-08-31"),
    rule(4, 7, 2, "2026-08-31"),  # changed on its last day: both hold, the newer one before the older
    rule(5, 7, 1, "2000-01-01", step="fence"),
)


@pytest.mark.parametrize(
    ("class_id", "day", "step", "chosen"),
    [
        (7, "2026-05-31", "", 2),
        (7, "2026-06-01", "", 3),
        (7, "2026-08-31", "", 4),
        (7, "2030-01-01", "", 4),
        (7, "2026-06-01", "fence", 5),
        (8, "2026-06-01", "", 1),
        (None, "2026-06-01", "", 1),
        (8, "2026-06-01", "fence", None),
        (7, "1999-12-31", "", None),
    ],
)
def test_the_limit_of_the_class_and_the_day_holds(class_id: int, day: str, step: str, chosen: int | None) -> None:
    found = choose(RULES, class_id, "handle", dt.date.fromisoformat(day), condition=step)
    assert (None if found is None else found.id) == chosen
    assert choose(RULES, class_id, "check", dt.date.fromisoformat(day)) is None
