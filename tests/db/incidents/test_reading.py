"""The list, one incident, Today and a grid, for each role within its reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.persons import erase, seal_many
from geodata.tables import (
    OPEN_STATUSES,
    CalendarDay,
    ClassOwner,
    IncidentClass,
    IncidentPersonal,
    Task,
    TimeLimit,
    Unit,
)
from incidents.model import IncidentFilter
from incidents.service import (
    assign_owners,
    count_incidents,
    find_incident,
    grid_incidents_summary,
    incident_detail,
    late_incidents,
    list_incidents,
    owners,
    read_catalogue,
    seed_catalogue,
    take_numbers,
    today_counts,
)
from tests.db.incidents.conftest import NOW, City

Add = Callable[..., int]
HOUR = dt.timedelta(hours=1)


def seen(session: Session, actor: Actor, wanted: IncidentFilter | None = None) -> list[int]:
    db.as_actor(session, actor)
    rows = list_incidents(session, actor, wanted, moment=NOW).rows
    assert count_incidents(session, actor, wanted, moment=NOW) == len(rows)
    return [row.id for row in rows]


@pytest.fixture
def unit_id(session: Session, city: City) -> int:
    unit = Unit(
        territory_id=city.territory.id,
        code="U1",
        kind="department",
        name="Highways",
        name_zh="道路科",
        valid_from=dt.date(2020, 1, 1),
    )
    session.add(unit)
    session.flush()
    return unit.id


def test_seeding_twice_adds_nothing_and_keeps_what_was_edited(session: Session, city: City) -> None:
    row = session.scalars(select(IncidentClass).where(IncidentClass.name_en == "Bench")).one()
    row.name_en = "Park bench"
    session.flush()
    days = len(session.scalars(select(CalendarDay.id)).all())
    limits = len(session.scalars(select(TimeLimit.id)).all())
    assert seed_catalogue(session, city.actor, city.territory) == {"calendars": 0, "classes": 0, "limits": 0}
    assert len(session.scalars(select(CalendarDay.id)).all()) == days
    assert len(session.scalars(select(TimeLimit.id)).all()) == limits
    assert row.name_en == "Park bench"


def test_the_catalogue_says_when_an_incident_is_due(session: Session, city: City) -> None:
    catalogue = read_catalogue(session, city.territory)
    gas, refuse = catalogue.classes["event-04-03"], catalogue.classes["event-01-02"]
    friday = dt.datetime(2026, 7, 3, 15, 0, tzinfo=dt.UTC)  # 16:00 in London
    assert catalogue.due_at(gas.id, friday) == friday + 3 * HOUR
    assert catalogue.due_at(refuse.id, friday) == dt.datetime(2026, 7, 6, 11, 0, tzinfo=dt.UTC)


def test_the_duty_list_is_filled_once(session: Session, city: City, unit_id: int) -> None:
    filled = assign_owners(session, city.actor, city.territory, {"event-04": unit_id}, legal_basis="By-law 7")
    assert filled == 4
    assert assign_owners(session, city.actor, city.territory, {"event-04": unit_id}) == 0
    assert set(owners(session, city.territory).values()) == {unit_id}
    assert session.scalars(select(ClassOwner.legal_basis).distinct()).all() == ["By-law 7"]
    with pytest.raises(InvalidInput, match="event-99"):
        assign_owners(session, city.actor, city.territory, {"event-99": unit_id})


def test_numbers_run_by_year_and_never_repeat(session: Session, city: City) -> None:
    first = take_numbers(session, city.territory, [2025, 2026, 2025])
    second = take_numbers(session, city.territory, [2025])
    assert [number[3:14] for number in first + second] == ["2025-000001", "2026-000001", "2025-000002", "2025-000003"]


def test_each_role_sees_its_reach(session: Session, city: City, add_incident: Add, unit_id: int) -> None:
    west, east = add_incident(unit_id=unit_id), add_incident(east=True, reported_at=NOW - 30 * HOUR)
    for role in (Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR):
        assert seen(session, city.officer(role)) == [west, east]
    assert seen(session, city.officer(Role.GRID_MANAGER, area_ids=(city.east_id,))) == [east]
    assert seen(session, city.officer(Role.GRID_WORKER, area_ids=(city.west_id,))) == [west]
    assert seen(session, city.officer(Role.GRID_MANAGER)) == []
    assert seen(session, city.officer(Role.HANDLER, unit_ids=(unit_id,))) == [west]
    for role in (Role.PLANNER, Role.ADMINISTRATOR):
        with pytest.raises(NotPermitted):
            list_incidents(session, city.officer(role))
    with pytest.raises(InvalidInput, match="territory"):
        list_incidents(session, system_actor())


def test_the_filter_narrows(session: Session, city: City, add_incident: Add, unit_id: int) -> None:
    late = add_incident(due_at=NOW - HOUR, unit_id=unit_id, place="High Street 5%")
    closed = add_incident(code="01-02", status="closed", closed_at=NOW, due_at=NOW - HOUR, east=True)
    old = add_incident(code="05-05", reported_at=dt.datetime(2026, 6, 1, 22, 59, tzinfo=dt.UTC))  # 23:59 in London
    chief = city.officer(Role.SUPERVISOR)
    for wanted, expected in (
        (IncidentFilter(), [closed, late, old]),
        (IncidentFilter(categories=("event-01", "event-05")), [closed, old]),
        (IncidentFilter(statuses=("closed",)), [closed]),
        (IncidentFilter(overdue=True), [late]),
        (IncidentFilter(unit_id=unit_id), [late]),
        (IncidentFilter(grid_id=city.east_grid), [closed]),
        (IncidentFilter(community_id=city.east_id), [closed]),
        (IncidentFilter(community_id=city.west_id, overdue=True), [late]),
        (IncidentFilter(first_day=dt.date(2026, 6, 2)), [closed, late]),
        (IncidentFilter(last_day=dt.date(2026, 6, 1)), [old]),
        (IncidentFilter(last_day=dt.date(2026, 5, 31)), []),
        (IncidentFilter(text="high street"), [late]),
        (IncidentFilter(text="5%"), [late]),
        (IncidentFilter(text="%"), [late]),
        (IncidentFilter(text="t-3"), [old]),
    ):
        assert sorted(seen(session, chief, wanted)) == sorted(expected), wanted


def test_pages_follow_each_other_without_gap_or_repeat(session: Session, city: City, add_incident: Add) -> None:
    made = [add_incident(reported_at=NOW - (step // 3) * HOUR) for step in range(11)]
    found, after = [], None
    while True:
        page = list_incidents(session, city.actor, after=after, limit=4)
        found += [row.id for row in page.rows]
        after = page.after
        if after is None:
            break
    assert sorted(found) == sorted(made)
    assert found[:3] == sorted(made[:3], reverse=True)
    with pytest.raises(InvalidInput, match="1 to 1000"):
        list_incidents(session, city.actor, limit=0)


@pytest.mark.parametrize(
    "wanted",
    [IncidentFilter(overdue=True), IncidentFilter(mark="late"), IncidentFilter(used=50), IncidentFilter(used=80)],
)
def test_what_is_late_comes_by_deadline_each_row_once(
    session: Session, city: City, add_incident: Add, wanted: IncidentFilter
) -> None:
    late = wanted.overdue or bool(wanted.mark)
    made = {}
    for step in range(17):
        due_at = NOW + (-1 if late else 1) * HOUR * (step * 7 % 5 + 1)  # several share a deadline, newest not last
        warned = {} if late else {"warn_half_at": NOW - HOUR, "warn_most_at": NOW - HOUR}
        made[add_incident(reported_at=NOW - step * HOUR, due_at=due_at, **warned)] = due_at
    for limit in (1, 4, 17, 50):
        found: list[int] = []
        after = None
        while True:
            page = list_incidents(session, city.actor, wanted, after=after, limit=limit, moment=NOW)
            found += [row.id for row in page.rows]
            after = page.after
            if after is None:
                break
        assert found == sorted(made, key=lambda each: (made[each], each)), limit


def test_a_row_carries_what_a_list_shows(session: Session, city: City, add_incident: Add, unit_id: int) -> None:
    add_incident(due_at=NOW - HOUR, unit_id=unit_id)
    (row,) = list_incidents(session, city.actor).rows
    assert (row.title("en"), row.title("zh"), row.category_zh) == ("Gas leak", "燃气管道破裂", "突发事件")
    assert (row.unit, row.unit_zh, row.lon, row.lat) == ("Highways", "道路科", -1.31, 50.69)
    assert row.is_open
    assert row.is_late(NOW)
    assert not row.is_late(NOW - 2 * HOUR)


def test_a_number_finds_its_incident(session: Session, city: City, add_incident: Add) -> None:
    (number,) = take_numbers(session, city.territory, [2026])
    made = add_incident(number=number, east=True)
    assert find_incident(session, city.actor, number.lower()) == made
    manager = city.officer(Role.GRID_MANAGER, area_ids=(city.west_id,))
    db.as_actor(session, manager)
    assert find_incident(session, manager, number) is None
    with pytest.raises(InvalidInput, match="mistyped"):
        find_incident(session, manager, number[:-1] + ("A" if number[-1] != "A" else "B"))


def test_one_incident_with_note_tasks_and_history(
    session: Session, city: City, add_incident: Add, unit_id: int
) -> None:
    made = add_incident(unit_id=unit_id)
    (subject,), (cipher,) = seal_many(session, ["Smell at number 5"])
    session.add(
        IncidentPersonal(incident_id=made, territory_id=city.territory.id, subject_id=subject, note_cipher=cipher)
    )
    session.add(
        Task(
            territory_id=city.territory.id,
            incident_id=made,
            kind="handle",
            state="waiting",
            unit_id=unit_id,
            created_at=NOW,
        )
    )
    session.flush()
    dispatcher, auditor = city.officer(Role.DISPATCHER), city.officer(Role.AUDITOR)
    db.as_actor(session, dispatcher)
    detail = incident_detail(session, dispatcher, made)
    assert (detail.note, detail.note_state) == ("Smell at number 5", "shown")
    assert [(task.kind, task.unit) for task in detail.tasks] == [("handle", "Highways")]
    assert [(entry.table, entry.action) for entry in detail.history] == [("incident", "insert"), ("task", "insert")]
    db.as_actor(session, auditor)
    assert (incident_detail(session, auditor, made).note, incident_detail(session, auditor, made).note_state) == (
        None,
        "not permitted",
    )
    db.as_actor(session, city.actor)
    erase(session, subject)
    assert incident_detail(session, city.actor, made).note_state == "erased"
    outsider = city.officer(Role.GRID_MANAGER, area_ids=(city.east_id,))
    db.as_actor(session, outsider)
    with pytest.raises(NotFound):
        incident_detail(session, outsider, made)


def test_today_counts_within_reach(session: Session, city: City, add_incident: Add) -> None:
    add_incident(due_at=NOW - HOUR, emergency=False, priority=3)
    urgent = add_incident(due_at=NOW - 0.5 * HOUR, east=True)
    add_incident(due_at=NOW + HOUR, status="handling")
    add_incident(due_at=NOW + 3 * HOUR)
    add_incident(status="closed", closed_at=NOW - HOUR, due_at=NOW - 2 * HOUR)
    # Yesterday began at 23:00 UTC on 29 June: this one was filed just before.
    early = dt.datetime(2026, 6, 29, 22, 59, tzinfo=dt.UTC)
    add_incident(reported_at=early, filed_at=early, status="void")
    chief = city.officer(Role.SUPERVISOR)
    db.as_actor(session, chief)
    counts = today_counts(session, chief, NOW)
    assert (counts.late, counts.due_soon, counts.open) == (2, 1, 4)
    assert counts.by_status == {"filed": 3, "handling": 1}
    assert (counts.filed, counts.closed) == (5, 1)
    assert late_incidents(session, chief, NOW)[0].id == urgent
    manager = city.officer(Role.GRID_MANAGER, area_ids=(city.east_id,))
    db.as_actor(session, manager)
    counts = today_counts(session, manager, NOW)
    assert (counts.late, counts.open, counts.filed, counts.closed) == (1, 1, 1, 0)
    assert [row.id for row in late_incidents(session, manager, NOW)] == [urgent]


def test_the_numbers_of_today_are_those_of_their_rows(session: Session, city: City, add_incident: Add) -> None:
    add_incident(due_at=NOW - HOUR)
    soon = [add_incident(due_at=NOW), add_incident(due_at=NOW + 2 * HOUR, status="handling")]
    add_incident(due_at=NOW + 2.01 * HOUR)
    add_incident(due_at=NOW + HOUR, status="closed", closed_at=NOW)
    add_incident(due_at=None, status="reported")
    chief = city.officer(Role.SUPERVISOR)
    assert sorted(seen(session, chief, IncidentFilter(due_soon=True))) == soon
    counts = today_counts(session, chief, NOW)
    for number, wanted in (
        (counts.late, IncidentFilter(overdue=True)),
        (counts.due_soon, IncidentFilter(due_soon=True)),
        (counts.by_status["reported"], IncidentFilter(statuses=("reported",))),
        (counts.by_status["filed"], IncidentFilter(statuses=("filed",))),
        (counts.filed, IncidentFilter(moved="filed")),
        (counts.closed, IncidentFilter(moved="closed")),
        (counts.open, IncidentFilter(statuses=OPEN_STATUSES)),
    ):
        assert number == len(seen(session, chief, wanted)) > 0, wanted


def test_a_grid_in_numbers(session: Session, city: City, add_incident: Add) -> None:
    add_incident(due_at=NOW - HOUR)
    add_incident(status="closed", reported_at=NOW - 100 * HOUR, closed_at=NOW - 60 * HOUR)
    add_incident(code="01-02", reported_at=NOW - dt.timedelta(days=200))
    chief, planner = city.officer(Role.SUPERVISOR), city.officer(Role.PLANNER)
    db.as_actor(session, chief)
    grid = grid_incidents_summary(session, chief, city.west_grid, moment=NOW)
    assert (grid.open, grid.late, grid.closed, len(grid.days), sum(grid.daily)) == (2, 1, 1, 90, 2)
    assert (grid.days[-1], grid.daily[-2]) == (dt.date(2026, 7, 1), 1)
    assert grid.median_days is not None
    assert 36 <= grid.median_days * 24 <= 48
    assert grid.by_category == {"event-04": 2}
    db.as_actor(session, planner)
    assert grid_incidents_summary(session, planner, city.west_grid, moment=NOW).late is None
