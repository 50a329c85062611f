"""What an approval writes: every row it names and no other; taken back by its inverse; refused when a row moved."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.errors import Conflict, DataQuality, NotFound
from core.identity import system_actor
from geodata import db
from geodata.tables import Calendar, CalendarDay, IncidentClass, RuleChange
from incidents.rules import CALENDAR, CLASS, DAY, LIMIT, Key, Row, apply, limit_key, undo
from incidents.service import read_catalogue, ruling
from tests.db.incidents.office import Office

REFUSE = (LIMIT, limit_key("event-01-02", "handle"))
LONGER = {REFUSE: {"value": 6.0}}


def contents(rules: dict[Key, Row]) -> dict[Key, dict]:
    return {key: dict(row.fields) for key, row in rules.items()}


EVERYTHING: dict[Key, dict | None] = {
    REFUSE: {"value": 2.0, "unit": "working_days", "closing_condition_en": "Gone", "calendar": "office-cn"},
    (LIMIT, limit_key("event-01-01", "handle", "penalty")): None,
    (LIMIT, limit_key("event-01-02", "check")): {"value": 3.0, "unit": "working_hours"},
    (CLASS, "event-04-03"): {"name_en": "Gas escape", "emergency": False},
    (CALENDAR, "office-gb"): {"hours": {"1": [["08:00", "12:00"]]}},
    (DAY, "office-gb|2026-12-25"): None,
    (DAY, "office-gb|2026-12-28"): {"kind": "workday", "name": "Made up"},
    (DAY, "office-gb|2026-06-05"): {"kind": "holiday", "name": "Fair"},
}


def test_a_change_and_its_inverse_leave_the_rules_as_they_were(office: Office) -> None:
    before = office.rules()
    change = office.propose(EVERYTHING, reason="Gas has a service of its own")
    expected = apply(before, change.edits)
    office.approve(change)
    after = office.rules()
    assert contents(after) == contents(expected)
    assert {key for key in after if after[key] != before.get(key)} | {k for k in before if k not in after} == set(
        EVERYTHING
    )
    assert after[CALENDAR, "office-gb"].version > before[CALENDAR, "office-gb"].version
    office.done(undo(change.edits))
    assert contents(office.rules()) == contents(before)


def test_a_new_class_comes_with_its_limit(office: Office) -> None:
    key = "event-06-01"
    wanted = {(CLASS, "event-05-09"): {"name_en": "Wild e-scooters", "name_zh": "电动滑板车乱停"}}
    with pytest.raises(DataQuality, match="no limit for handling"):
        office.propose(wanted)
    with pytest.raises(DataQuality, match="known major"):
        office.propose({(CLASS, key): {"name_en": "A", "name_zh": "甲"}})
    office.done({**wanted, (LIMIT, limit_key("event-05-09", "handle")): {"value": 3.0}})
    catalogue = read_catalogue(office.session, office.city.territory)
    made = catalogue.classes["event-05-09"]
    assert (made.category, made.category_zh, catalogue.limits[made.id].limit.value) == ("event-05", "街面秩序", 3.0)


def test_what_moved_meanwhile_is_a_conflict_that_says_what(office: Office) -> None:
    mine = office.propose(LONGER)
    office.done({REFUSE: {"value": 8.0}}, actor=office.administrator)
    db.as_actor(office.session, office.second)
    (told,) = ruling.what_moved(office.session, office.second, mine)
    assert told[0] == "Exposed refuse: handle: limit 4 working hours → 8 working hours"
    with pytest.raises(Conflict, match=r"4 working hours → 8 working hours.*Propose it again"):
        ruling.approve(office.session, office.second, mine.id)
    db.as_actor(office.session, office.first)
    anew = ruling.propose_again(office.session, office.first, mine.id)
    assert (anew.edits[0].before or {})["value"] == 8.0
    assert ruling.get_change(office.session, office.first, mine.id).state == "withdrawn"
    office.approve(anew)
    assert office.rules()[REFUSE].fields["value"] == 6.0


def test_a_day_that_somebody_else_entered_first_is_a_conflict(office: Office) -> None:
    day = (DAY, "office-gb|2026-06-05")
    mine = office.propose({day: {"kind": "holiday", "name": "Fair"}})
    other = office.propose(
        {(DAY, "office-gb|2026-06-12"): {"kind": "holiday", "name": "Regatta"}}, office.administrator
    )
    office.approve(other)
    office.done({day: {"kind": "holiday", "name": "Island fair"}}, actor=office.administrator)
    db.as_actor(office.session, office.second)
    with pytest.raises(Conflict, match="Island fair"):
        ruling.approve(office.session, office.second, mine.id)


def test_an_unknown_change_is_said(office: Office) -> None:
    db.as_actor(office.session, office.second)
    with pytest.raises(NotFound, match="no change 999"):
        ruling.approve(office.session, office.second, 999)


def test_the_seeded_rules_break_none(office: Office) -> None:
    assert ruling.check_present(office.session, system_actor()) == ()
    assert ruling.reach(office.session, office.first).territories >= 1
    assert office.session.scalar(select(func.count()).select_from(RuleChange)) == 0
    assert office.session.scalar(select(func.count()).select_from(Calendar)) == 3
    assert office.session.scalar(select(func.count()).select_from(CalendarDay))
    assert office.session.scalar(select(func.count()).select_from(IncidentClass))
