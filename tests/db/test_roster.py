"""The roster in the database: who may change it, in one act, with the rules checked before; files; the command line."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli import build
from core.errors import Conflict, DataQuality, GridkeeperError, InvalidInput, NotFound, NotPermitted
from core.identity import Role, system_actor
from geodata.db import transaction
from geodata.files import read_table
from geodata.tables import Absence, RosterException
from geodata.territory import find_territory
from people import accounts, rostering
from people.cover import Reason, State
from people.roster import DayException, Pattern, Step
from people.roster_change import Change
from people.roster_files import to_csv
from people.roster_rules import Rule, Rules
from people.service import list_workers

MONDAY = dt.date(2031, 3, 3)
"""Years after the demo's changed days and absences, a week with nothing but patterns."""


@pytest.fixture
def town(demo_database):
    with transaction(system_actor()) as session:
        return find_territory(session)


@pytest.fixture
def actors(town):
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture
def system(town):
    return system_actor(town.id)


@pytest.fixture
def ids(town, system):
    with transaction(system) as session:
        return {code: worker for worker, code in rostering.codes_of(session, system, town).items()}


def carry(actor, town, change, **how):
    with transaction(actor) as session:
        return rostering.carry_out(session, actor, town, change, **how)


def hours(town, system, worker, day):
    with transaction(system) as session:
        view = rostering.roster_view(session, system, town, day, 1)
    row = [each.id for each in view.members].index(worker)
    return tuple(int(part[row, view.lead]) for part in (view.roster.start_min, view.roster.end_min))


def on(worker, day, start, end, *, rest=30, version=0):
    return Change(days=(DayException(worker, day, start, end, rest, "change", version),))


def test_a_day_is_changed_and_the_pattern_comes_back(town, system, ids, actors):
    supervisor, worker = actors[Role.SUPERVISOR], ids["W001"]
    before = hours(town, system, worker, MONDAY)
    carry(supervisor, town, on(worker, MONDAY, 600, 1080))
    assert hours(town, system, worker, MONDAY) == (600, 1080)
    with transaction(system) as session:
        known = rostering.exception_on(session, system, town.id, worker, MONDAY)
    carry(supervisor, town, Change(cleared=(known,)))
    assert hours(town, system, worker, MONDAY) == before


def test_who_was_overtaken_is_told_what_holds_now(town, system, ids):
    worker, day = ids["W001"], MONDAY + dt.timedelta(days=1)
    carry(system, town, on(worker, day, 600, 1080))
    with pytest.raises(Conflict, match=r"W001 on 2031-03-04 was changed meanwhile; it is now 10:00–18:00"):
        carry(system, town, on(worker, day, 540, 1020))
    carry(system, town, on(worker, day, 540, 1020, version=1))
    assert hours(town, system, worker, day) == (540, 1020)


def test_a_broken_rule_is_refused_with_its_numbers_unless_meant(town, system, ids):
    worker, day = ids["W002"], MONDAY + dt.timedelta(days=14)
    change = on(worker, day, 0, 1380, rest=0)
    with pytest.raises(DataQuality, match="breaks the rules") as refused:
        carry(system, town, change)
    assert any(
        "W002, 2031-03-17: 23 h of work in a shift, at most 10 h are allowed" in each
        for each in refused.value.violations
    )
    assert any("a break of 0 min" in each for each in refused.value.violations)
    assert {each.rule for each in carry(system, town, change, knowingly=True)} >= {Rule.DAY_HOURS, Rule.BREAK}


def test_two_swap_their_shifts_in_one_act(town, system, ids):
    day = MONDAY + dt.timedelta(days=21)
    early, late = ids["W002"], ids["W004"]
    for _ in range(7):
        mine, theirs = hours(town, system, early, day), hours(town, system, late, day)
        if mine[0] >= 0 and theirs[0] >= 0:
            break
        day += dt.timedelta(days=1)
    with transaction(system) as session:
        change = rostering.swap_change(session, system, town, one=early, other=late, day=day)
        rostering.carry_out(session, system, town, change, knowingly=True)
    assert (hours(town, system, early, day), hours(town, system, late, day)) == (theirs, mine)
    with transaction(system) as session, pytest.raises(InvalidInput, match="two workers"):
        rostering.swap_change(session, system, town, one=early, other=early, day=day)


def test_a_pattern_from_a_day_on_ends_the_one_of_now(town, system, ids):
    worker, first = ids["W003"], MONDAY + dt.timedelta(days=28)
    with transaction(system) as session:
        late = next(each for each in rostering.patterns_of(session, system, town.id) if each.code == "L")
        change = rostering.pattern_change(session, system, town, worker, late.id, from_on=first)
        rostering.carry_out(session, system, town, change, knowingly=True)
    assert hours(town, system, worker, first) == (780, 1260)
    assert hours(town, system, worker, first + dt.timedelta(days=5)) == (-1, -1)
    assert hours(town, system, worker, first - dt.timedelta(days=1))[0] in {540, -1}
    with transaction(system) as session, pytest.raises(InvalidInput, match=f"Another pattern begins on {first}"):
        rostering.pattern_change(session, system, town, worker, late.id, from_on=first - dt.timedelta(days=9))


def test_nobody_is_given_two_patterns_at_once(town, system, ids):
    with transaction(system) as session:
        late = next(each for each in rostering.patterns_of(session, system, town.id) if each.code == "L")
        change = rostering.pattern_change(session, system, town, ids["W005"], late.id, from_on=MONDAY)
    stale = dataclasses.replace(change, ended=())
    with pytest.raises(Conflict, match="gave one of these workers a pattern"):
        carry(system, town, stale, knowingly=True)


def test_days_outside_an_employment_and_of_an_absence_are_refused(town, system, ids):
    worker, day = ids["W006"], MONDAY
    with transaction(system) as session:
        session.execute(text("UPDATE worker SET employed_to = :last WHERE id = :id"), {"last": day, "id": worker})
    with pytest.raises(InvalidInput, match="not employed on that day"):
        carry(system, town, on(worker, day + dt.timedelta(days=1), 480, 960))
    with transaction(system) as session:
        session.add(Absence(territory_id=town.id, worker_id=ids["W007"], kind="leave", from_on=day, to_on=day))
    with pytest.raises(InvalidInput, match="away on that day"):
        carry(system, town, on(ids["W007"], day, 480, 960))
    assert hours(town, system, ids["W007"], day) == (-1, -1)


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AUDITOR, Role.PLANNER, Role.GRID_WORKER])
def test_others_change_nothing(town, ids, actors, role):
    with pytest.raises(NotPermitted):
        carry(actors[role], town, on(ids["W001"], MONDAY, 480, 960))


def test_a_manager_changes_the_own_workers_only_and_the_database_says_so_too(town, system, ids, actors):
    manager = actors[Role.GRID_MANAGER]
    with transaction(manager) as session:
        mine = {each.id for each in list_workers(session, manager, town.id)}
    own, other = min(mine), min(set(ids.values()) - mine)
    day = MONDAY + dt.timedelta(days=60)
    carry(manager, town, on(own, day, 540, 1020), knowingly=True)
    with pytest.raises(NotFound, match="not in your reach"):
        carry(manager, town, on(other, day, 540, 1020))
    with pytest.raises(Exception, match="reaches no such row of roster_exception"), transaction(manager) as session:
        session.add(RosterException(territory_id=town.id, worker_id=other, day=day, reason="free"))
        session.flush()
    with pytest.raises(Exception, match="may not insert rows of shift_pattern"), transaction(manager) as session:
        session.execute(text("INSERT INTO shift_pattern (territory_id, code, name, cycle_days, steps)"
                             " VALUES (:home, 'Z', 'Z', 1, '[]')"), {"home": town.id})  # fmt: skip


def test_nobody_touches_the_patterns_of_another_territory(town, actors):
    stranger = dataclasses.replace(actors[Role.ADMINISTRATOR], territory_id=town.id + 1)
    for table in ("shift_pattern", "roster_rule"):
        with pytest.raises(Exception, match="belong to another territory"), transaction(stranger) as session:
            session.execute(text(f"UPDATE {table} SET version = version + 1"))
    for table in ("worker_pattern", "roster_exception"):
        with pytest.raises(Exception, match="reaches no such row"), transaction(stranger) as session:
            session.execute(text(f"UPDATE {table} SET version = version + 1"))


def test_rules_are_of_the_territory_and_changed_once(town, system, actors):
    with transaction(system) as session:
        rules = rostering.rules_of(session, system, town.id)
        rostering.set_rules(session, actors[Role.SUPERVISOR], town.id, dataclasses.replace(rules, min_rest_h=12))
    with transaction(system) as session, pytest.raises(Conflict):
        rostering.set_rules(session, system, town.id, dataclasses.replace(rules, min_rest_h=13))
    with transaction(system) as session:
        assert rostering.rules_of(session, system, town.id).min_rest_h == 12
        with pytest.raises(InvalidInput):
            rostering.set_rules(session, system, town.id, Rules(max_day_h=30))
        with pytest.raises(NotPermitted):
            rostering.set_rules(session, actors[Role.GRID_MANAGER], town.id, Rules())


def test_a_new_pattern_is_checked(town, system):
    with transaction(system) as session:
        rostering.set_pattern(session, system, town.id, Pattern(0, "X", "Two on", None, 3, (Step(0, 480, 960),), 0))
    with transaction(system) as session, pytest.raises(Conflict, match="there already"):
        rostering.set_pattern(session, system, town.id, Pattern(0, "X", "Again", None, 3, (), 0))
    long = (Step(0, 1200, 2400), Step(1, 600, 1200))
    with transaction(system) as session, pytest.raises(InvalidInput, match="runs into that of the next day"):
        rostering.set_pattern(session, system, town.id, Pattern(0, "Y", "Long", None, 2, long, 0))


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return read_table(path)


def test_a_file_changes_all_or_nothing_and_again_nothing(town, system, ids, tmp_path):
    day = MONDAY + dt.timedelta(days=90)
    table = write(tmp_path / "roster.csv", [
        "工号,日期,开始,结束,休息,班制",
        f"W008,{day},08:30,16:30,45,",
        f"w008,{day + dt.timedelta(days=1)},休,,,",
        f"W009,{day:%Y/%m/%d},21:00,次日05:30,30,",
        f"W010,{day},,,,l",
    ])  # fmt: skip
    with transaction(system) as session:
        reading = rostering.read_file(session, system, town, table)
        assert (reading.rows, len(reading.change.days), len(reading.change.given), reading.problems) == (4, 3, 1, ())
        rostering.bring_in(session, system, town, reading, knowingly=True)
    assert hours(town, system, ids["W008"], day) == (510, 990)
    assert hours(town, system, ids["W008"], day + dt.timedelta(days=1)) == (-1, -1)
    assert hours(town, system, ids["W009"], day) == (1260, 1770)
    assert hours(town, system, ids["W010"], day + dt.timedelta(days=7))[0] in {780, -1}
    with transaction(system) as session:
        again = rostering.read_file(session, system, town, table)
    assert not again.change
    assert again.unchanged == 4


def test_what_was_saved_can_be_brought_in_and_changes_nothing(town, system, tmp_path):
    with transaction(system) as session:
        view = rostering.roster_view(session, system, town, dt.date.today(), 28)  # noqa: DTZ011  (the demo's days)
        codes = {row: each.code for row, each in enumerate(view.members)}
        path = tmp_path / "saved.csv"
        path.write_text(to_csv(view.roster, codes, view.lead, 28, view.plan.patterns))
        reading = rostering.read_file(session, system, town, read_table(path))
    assert reading.problems == ()
    assert not reading.change
    assert reading.unchanged == reading.rows > 200


def test_every_fault_of_a_file_is_named_and_nothing_is_written(town, system, tmp_path):
    day = MONDAY + dt.timedelta(days=120)
    table = write(tmp_path / "bad.csv", [
        "worker,day,start,end,break,pattern",
        f"W999,{day},08:00,16:00,30,",
        "W008,someday,08:00,16:00,30,",
        f"W008,{day},25:00,16:00,30,",
        f"W008,{day},21:00,06:00,30,",
        f"W008,{day},08:00,,30,",
        f"W008,{day},08:00,16:00,long,",
        f"W008,{day},,,,Q",
        f"W008,{day},,,,",
        f"W009,{day},08:00,16:00,30,",
        f"W009,{day},09:00,16:00,30,",
        f"W006,{day},08:00,16:00,30,",
        f"W010,{day},08:00,16:00,30,D",
    ])  # fmt: skip
    with transaction(system) as session:
        reading = rostering.read_file(session, system, town, table)
        with pytest.raises(DataQuality) as refused:
            rostering.bring_in(session, system, town, reading, knowingly=True)
    kinds = [each.kind for each in reading.problems]
    assert kinds == ["no_worker", "no_day", "no_time", "bad_shift", "one_time", "bad_break", "no_pattern", "nothing",
                     "twice", "employment", "both"]  # fmt: skip
    assert "Row 5: The shift ends before it begins. Mark an end on the next day with +1" in refused.value.violations[3]
    with transaction(system) as session:
        assert session.scalar(text("SELECT count(*) FROM roster_exception WHERE day = :day"), {"day": day}) == 0


@pytest.mark.parametrize(
    ("heading", "words"),
    [("name,when,start,end", "no column worker, day"), ("worker,day,start", "start and end, or pattern")],
)
def test_wrong_headings_are_named(town, system, tmp_path, heading, words):
    table = write(tmp_path / "headings.csv", [heading, ",".join("1" for _ in heading.split(","))])
    with transaction(system) as session, pytest.raises(InvalidInput, match=words):
        rostering.read_file(session, system, town, table)


def test_the_record_holds_who_changed_a_roster(town, ids, actors):
    supervisor = actors[Role.SUPERVISOR]
    day = MONDAY + dt.timedelta(days=150)
    carry(supervisor, town, on(ids["W011"], day, 540, 1020), knowingly=True)
    with transaction(supervisor) as session:
        row = session.execute(
            text("SELECT actor_label, after ->> 'day' FROM record WHERE subject_table = 'roster_exception'"
                 " ORDER BY seq DESC LIMIT 1")
        ).one()  # fmt: skip
    assert row == (supervisor.label, day.isoformat())


def test_a_grid_that_needs_more_than_it_has_is_short(town, system, actors):
    at = dt.datetime.combine(MONDAY, dt.time(11), town.zone)
    with transaction(system) as session:
        view = rostering.roster_view(session, system, town, MONDAY, 1)
        before = rostering.cover_view(session, system, town, view, at)
        place = next(i for i, each in enumerate(before.states) if each.state is State.HOME)
        code = before.grids[place].code
        rostering.set_need(session, actors[Role.SUPERVISOR], town.id, code, len(before.states[place].workers) + 1)
        after = rostering.cover_view(session, system, town, view, at)
        assert (after.states[place].state, after.states[place].reason) == (State.UNCOVERED, Reason.TOO_FEW)
        assert any(gap.reason is Reason.TOO_FEW and gap.grid == place for gap in after.gaps)
        rostering.set_need(session, system, town.id, code, 0)
        rest = rostering.cover_view(session, system, town, view, at)
        assert not any(gap.grid == place for gap in rest.gaps)
        with pytest.raises(NotPermitted):
            rostering.set_need(session, actors[Role.GRID_MANAGER], town.id, code, 1)
        with pytest.raises(NotFound):
            rostering.set_need(session, system, town.id, "nowhere", 1)


def test_a_grid_worker_sees_the_own_shifts_and_nobody_elses(town, system, ids, actors):
    worker = actors[Role.GRID_WORKER]
    with transaction(worker) as session:
        mine = rostering.own_shifts(session, worker, town, MONDAY, 7)
    assert {each.worker_id for each in mine} == {worker.worker_id}
    own = next(code for code, each in ids.items() if each == worker.worker_id)
    assert {each.day for each in mine} <= {MONDAY + dt.timedelta(days=at) for at in range(7)}
    assert own == "W001"
    assert mine


def run(*arguments):
    return CliRunner().invoke(build(), ["roster", *arguments])


def test_commands(town, tmp_path):
    shown = json.loads(run("show", "--day", str(MONDAY), "--json").stdout)
    assert len(shown) == 12
    assert set(shown["W001"]) == {str(MONDAY + dt.timedelta(days=at)) for at in range(7)}
    duty = json.loads(run("duty", "--at", f"{MONDAY}T11:00", "--json").stdout)
    assert duty["workers"] == 12
    assert duty["on_duty"]
    found = json.loads(run("gaps", "--day", str(MONDAY), "--days", "2", "--json").stdout)["gaps"]
    assert {each["reason"] for each in found} <= {"free_day", "off_shift", "away", "deputy_off", "no_worker"}
    assert "broken" in json.loads(run("check", "--json").stdout)
    day = str(MONDAY + dt.timedelta(days=200))
    assert run("except", "W012", day, "09:00-15:00/30", "--knowingly").exit_code == 0
    assert run("except", "W012", day, "pattern").exit_code == 0
    assert run("pattern", "Z", "08:00-16:00/30", "free", "--name", "One on one off", "--json").exit_code == 0
    given = run("assign", "W012", "Z", "--from", day, "--knowingly", "--json")
    assert json.loads(given.stdout)["pattern"] == "Z"
    path = tmp_path / "r.csv"
    path.write_text(f"worker,day,start,end\nW012,{day},07:00,12:00\n")
    assert json.loads(run("import", str(path), "--dry-run", "--json").stdout)["days_changed"] == 1
    assert json.loads(run("import", str(path), "--knowingly", "--json").stdout)["written"]
    assert json.loads(run("import", str(path), "--json").stdout)["already_so"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "--day", "soon"),
        ("assign", "W001", "Q", "--from", "2031-01-01"),
        ("except", "W999", "2031-01-01", "free"),
        ("except", "W001", "2031-01-01", "08:00-07:00"),
        ("swap", "W001", "W001", "2031-01-01"),
        ("import", "nowhere.csv"),
    ],
)
def test_bad_input_ends_with_a_sentence(town, arguments):
    error = run(*arguments).exception
    assert isinstance(error, GridkeeperError)
    assert error.exit_code == 2
