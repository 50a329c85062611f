"""Absences: never two at once, deputies who are there, and why told only to those who manage."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from core.errors import Conflict, GridkeeperError, InvalidInput, NotFound, NotPermitted
from core.identity import Role, system_actor
from geodata.db import as_actor, transaction
from geodata.tables import Absence
from people import absences, staff, store_workers, workers
from people.worker_model import StaffFilter
from tests.staff_town import TODAY, open_staff_town


@pytest.fixture
def town(demo_database):
    with open_staff_town(demo_database) as opened:
        yield opened


def day(number):
    return TODAY + dt.timedelta(days=number)


def add(town, worker, first, last, *, role=Role.SUPERVISOR, kind="leave", deputy=None):
    days = {"from_on": day(first), "to_on": day(last)}
    return absences.add_absence(town.session, town.act(role), town.id, worker, kind=kind, deputy_id=deputy, **days)


def ids(town):
    return [row.id for row in town.rows(Role.SUPERVISOR)]


def test_an_overlap_is_refused_naming_the_other(town):
    one = ids(town)[0]
    add(town, one, 0, 4, kind="sick")
    with pytest.raises(InvalidInput, match=r"away already from 02 Mar 2026 to 06 Mar 2026 \(sick\)"):
        add(town, one, 4, 9)
    add(town, one, 5, 9)
    assert [each.kind for each in town.detail(Role.SUPERVISOR, "W001").absences] == ["leave", "sick"]
    assert [row.code for row in town.rows(Role.SUPERVISOR, StaffFilter(state="away"))] == ["W001"]


@pytest.mark.parametrize(
    ("days", "kind", "said"),
    [((3, 1), "leave", "before the first"), ((0, 800), "leave", "two years"), ((0, 1), "party", "no kind")],
)
def test_days_and_kind_are_checked(town, days, kind, said):
    with pytest.raises(InvalidInput, match=said):
        add(town, ids(town)[0], *days, kind=kind)


def test_a_deputy_works_here_and_is_there(town):
    one, two, three, four = ids(town)[:4]
    with pytest.raises(InvalidInput, match="A deputy is somebody else"):
        add(town, one, 0, 3, deputy=one)
    add(town, two, 3, 3)
    with pytest.raises(InvalidInput, match="W002 is away too from 05 Mar 2026 to 05 Mar 2026"):
        add(town, one, 0, 3, deputy=two)
    with pytest.raises(NotFound, match="no such deputy"):
        add(town, one, 0, 3, deputy=10**6)
    as_actor(town.session, system_actor(town.id))
    town.session.execute(text("UPDATE task SET state = 'done'"))
    gone = {"version": None, "today": TODAY}
    workers.end_employment(town.session, town.act(Role.SUPERVISOR), town.id, four, day(-1), **gone)
    with pytest.raises(InvalidInput, match="W004 does not work here in all of these days"):
        add(town, one, 0, 3, deputy=four)
    with pytest.raises(InvalidInput, match="does not work here any more"):
        add(town, four, 0, 3)
    kept = add(town, one, 0, 3, deputy=three)
    assert kept.stands_in == ()
    ill = add(town, three, 2, 2, kind="sick")
    assert [each.worker_id for each in ill.stands_in] == [one], "he stood in: another deputy is needed"
    rows = town.rows(Role.SUPERVISOR)
    assert [(row.code, code) for row, code in staff.stands_in_today(town.session, town.act(Role.AUDITOR), rows)] == [
        ("W001", "W003")
    ]


def test_back_earlier_longer_and_taken_back(town):
    one = ids(town)[0]
    first = add(town, one, 0, 5).id
    add(town, one, 8, 9)
    actor = town.act(Role.SUPERVISOR)
    change = {"deputy_id": None}
    with pytest.raises(InvalidInput, match="away already"):
        absences.change_absence(town.session, actor, town.id, first, to_on=day(8), version=1, **change)
    absences.change_absence(town.session, actor, town.id, first, to_on=day(7), version=1, **change)
    with pytest.raises(Conflict, match="changed meanwhile: now to 09 Mar 2026"):
        absences.end_absence(town.session, actor, town.id, first, back_on=day(2), version=1)
    assert absences.end_absence(town.session, actor, town.id, first, back_on=day(2), version=2).to_on == day(1)
    with pytest.raises(InvalidInput, match="ends on 03 Mar 2026 anyway"):
        absences.end_absence(town.session, actor, town.id, first, back_on=day(2), version=3)
    assert absences.end_absence(town.session, actor, town.id, first, back_on=day(0), version=3).id is None
    with pytest.raises(NotFound):
        absences.end_absence(town.session, actor, town.id, first, back_on=day(0), version=4)
    history = staff.staff_history(town.session, actor, town.detail(Role.SUPERVISOR, "W001").row)
    assert [entry.action for entry in history if entry.table == "absence"].count("delete") == 1
    assert "sick" not in str(history)


def test_why_is_for_those_who_manage_and_for_himself(town):
    mine = town.rows(Role.GRID_MANAGER)[0]
    foreign = next(row for row in town.rows(Role.SUPERVISOR) if row not in town.rows(Role.GRID_MANAGER))
    add(town, mine.id, 0, 3, role=Role.GRID_MANAGER, kind="sick")
    with pytest.raises(NotFound):
        add(town, foreign.id, 0, 3, role=Role.GRID_MANAGER)
    add(town, foreign.id, 0, 3, kind="sick")
    with pytest.raises(NotPermitted):
        add(town, mine.id, 9, 9, role=Role.DISPATCHER)
    seen = select(Absence.worker_id)
    for role, count in ((Role.GRID_MANAGER, 1), (Role.ADMINISTRATOR, 2), (Role.DISPATCHER, 0), (Role.AUDITOR, 0)):
        town.act(role)
        assert len(town.session.scalars(seen).all()) == count, role
    for role in (Role.DISPATCHER, Role.AUDITOR):
        detail = town.detail(role, foreign.code)
        assert detail.absences == ()
        assert [(each.from_on, each.to_on) for each in detail.coming] == [(day(0), day(3))]
    with pytest.raises(NotFound, match="no such absence"):
        absence_id = town.detail(Role.SUPERVISOR, foreign.code).absences[0].id
        absences.end_absence(
            town.session, town.act(Role.GRID_MANAGER), town.id, absence_id, back_on=day(1), version=None
        )


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["add", "change", "end"]),
        st.integers(0, 2),
        st.integers(0, 12),
        st.integers(-1, 6),
        st.one_of(st.none(), st.integers(0, 2)),
    ),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_is_tried_no_two_absences_overlap_and_no_deputy_is_away_when_named(town, acts):
    people = ids(town)[:3]
    actor = town.act(Role.SUPERVISOR)
    with town.session.begin_nested() as kept:
        for act, who, first, length, deputy in acts:
            known = store_workers.absences(town.session, worker_id=people[who])
            stands_in = None if deputy is None else people[deputy]
            try:
                if act == "add":
                    add(town, people[who], first, first + length, deputy=stands_in)
                elif known and act == "change":
                    absences.change_absence(
                        town.session, actor, town.id, known[0].id, to_on=day(first), deputy_id=stands_in, version=None
                    )
                elif known:
                    absences.end_absence(town.session, actor, town.id, known[0].id, back_on=day(first), version=None)
            except GridkeeperError:
                continue
            days = [
                (worker, each.from_on + dt.timedelta(days=n))
                for worker in people
                for each in store_workers.absences(town.session, worker_id=worker)
                for n in range((each.to_on - each.from_on).days + 1)
            ]
            assert len(days) == len(set(days))
        kept.rollback()


def test_two_at_once_are_one_and_a_sentence(demo_database):
    """The second waits for the first, and then is told of it."""
    with open_staff_town(demo_database) as opened:
        actor, territory, worker = opened.actors[Role.SUPERVISOR], opened.id, ids(opened)[5]
    said: list[str] = []
    both = threading.Barrier(2)

    def act():
        both.wait()
        try:
            with transaction(actor) as session:
                absences.add_absence(session, actor, territory, worker, kind="leave", from_on=day(0), to_on=day(5))
        except InvalidInput as error:
            said.append(error.message)

    threads = [threading.Thread(target=act) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 1
    assert "away already from 02 Mar 2026" in said[0]


def test_the_database_refuses_an_overlap_too_in_the_same_words(town):
    one = ids(town)[0]
    add(town, one, 0, 4)
    worker = store_workers.lock(town.session, town.id, [one])[one]
    late = Absence(territory_id=town.id, worker_id=one, kind="leave", from_on=day(3), to_on=day(6))
    with pytest.raises(InvalidInput, match="away already from 02 Mar 2026"):
        absences._write(town.session, worker, late)
    assert len(town.detail(Role.SUPERVISOR, "W001").absences) == 1
