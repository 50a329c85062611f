"""Two persons change the rules: in the service, and asked of the database itself; what is filed keeps its version."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from core.errors import Conflict, DataQuality, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import AppUser, Calendar, CalendarDay, Incident, IncidentClass, Record, RuleChange, TimeLimit
from incidents.rules import CALENDAR, CLASS, DAY, LIMIT, Change, Key, Row, Wanted, apply, limit_key, undo
from incidents.service import move, read_catalogue, report, ruling
from incidents.work import NewReport
from tests.db.incidents.conftest import City

Add = Callable[..., int]
REFUSE = (LIMIT, limit_key("event-01-02", "handle"))
LONGER = {REFUSE: {"value": 6.0}}
NO_RIGHT = "42501"


@dataclass
class Office:
    """Two supervisors, an administrator and an auditor, with accounts of their own."""

    session: Session
    city: City
    first: Actor
    second: Actor
    administrator: Actor
    auditor: Actor

    def rules(self) -> dict[Key, Row]:
        return ruling.read_rules(self.session, system_actor(self.city.territory.id))

    def propose(self, wanted: Wanted, actor: Actor | None = None, **more: object) -> Change:
        who = actor or self.first
        db.as_actor(self.session, who)
        return ruling.propose(self.session, who, wanted, **more)

    def approve(self, change: Change, actor: Actor | None = None) -> Change:
        who = actor or self.second
        db.as_actor(self.session, who)
        return ruling.approve(self.session, who, change.id)

    def done(self, wanted: Wanted, **more: object) -> Change:
        return self.approve(self.propose(wanted, **more))

    @contextmanager
    def as_(self, actor: Actor) -> Iterator[Session]:
        db.as_actor(self.session, actor)
        yield self.session

    def refused(self, statement: str, actor: Actor, **values: object) -> None:
        db.as_actor(self.session, actor)
        with pytest.raises(ProgrammingError) as caught, self.session.begin_nested():
            self.session.execute(text(statement), values)
        assert caught.value.orig.sqlstate == NO_RIGHT


@pytest.fixture
def office(session: Session, city: City) -> Office:
    def actor(login: str, role: Role) -> Actor:
        row = AppUser(login=login, password_hash="x", title_en=login, title_zh=login)
        session.add(row)
        session.flush()
        return Actor(row.id, login, role, city.territory.id)

    return Office(
        session,
        city,
        actor("first", Role.SUPERVISOR),
        actor("second", Role.SUPERVISOR),
        actor("keeper", Role.ADMINISTRATOR),
        actor("reader", Role.AUDITOR),
    )


def contents(rules: dict[Key, Row]) -> dict[Key, dict]:
    return {key: dict(row.fields) for key, row in rules.items()}


def test_one_proposes_another_approves_and_the_old_limit_stays_readable(office: Office) -> None:
    before = office.rules()[REFUSE]
    change = office.propose(LONGER, reason="Crews need the drive")
    assert (change.state, change.proposed_by, change.proposed_label) == ("proposed", office.first.user_id, "first")
    assert office.rules()[REFUSE] == before
    done = office.approve(change)
    assert (done.state, done.decided_by, done.decided_label) == ("approved", office.second.user_id, "second")
    now = office.rules()[REFUSE]
    assert (now.fields["value"], now.version) == (6.0, before.version + 1)
    old = office.session.get_one(TimeLimit, before.id, populate_existing=True)
    assert (old.value, old.valid_to) == (4.0, dt.datetime.now(dt.UTC).date())
    db.as_actor(office.session, office.auditor)
    (past,) = [row for key, row in ruling.past_limits(office.session, office.auditor) if key == REFUSE[1]]
    assert past.id == before.id
    recorded = office.session.execute(
        select(Record.action, Record.actor_user_id)
        .where(Record.subject_table.in_(["rule_change", "time_limit"]))
        .order_by(Record.seq.desc())
        .limit(4)
    ).all()
    assert set(recorded) == {
        ("insert", office.second.user_id),
        ("update", office.second.user_id),
        ("insert", office.first.user_id),
    }


def test_who_proposes_can_never_approve(office: Office) -> None:
    change = office.propose(LONGER)
    db.as_actor(office.session, office.first)
    for act in (ruling.approve, lambda *a: ruling.reject(*a, note="no")):
        with pytest.raises(NotPermitted, match="Who proposes"):
            act(office.session, office.first, change.id)
    decide = "UPDATE rule_change SET state = 'approved', decided_at = now(), decided_by = :who WHERE id = :id"
    for who in (office.first, office.second):
        office.refused(decide, office.first, who=who.user_id, id=change.id)
    # Not in another role of the same person either, and not with the two-person check of the row alone.
    other_hat = Actor(office.first.user_id, "first", Role.ADMINISTRATOR, office.city.territory.id)
    office.refused(decide, other_hat, who=office.second.user_id, id=change.id)
    db.as_actor(office.session, system_actor())
    with pytest.raises(IntegrityError, match="two_persons"), office.session.begin_nested():
        office.session.execute(text(decide), {"who": office.first.user_id, "id": change.id})


@pytest.mark.parametrize("table", ["incident_class", "time_limit", "calendar", "calendar_day"])
def test_nobody_writes_rules_by_himself(office: Office, table: str) -> None:
    change = office.propose(LONGER)
    for actor in (office.first, office.second, office.administrator, office.auditor):
        for change_id in ("", str(change.id)):
            db.as_actor(office.session, actor)
            office.session.execute(text("SELECT set_config('gridkeeper.change', :id, true)"), {"id": change_id})
            office.refused(f"UPDATE {table} SET id = id", actor)
            office.refused(f"DELETE FROM {table}", actor)
            office.refused(
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table} ORDER BY id DESC LIMIT 1", actor
            )


def test_an_approval_opens_only_the_rows_it_names_and_only_while_it_is_applied(office: Office) -> None:
    change = office.done(LONGER)
    named = office.rules()[REFUSE].id
    other = office.rules()[LIMIT, limit_key("event-01-03", "handle")].id
    using = f"SELECT set_config('gridkeeper.change', '{change.id}', true)"
    for statement in (
        f"UPDATE time_limit SET valid_to = current_date WHERE id = {other}",
        f"UPDATE time_limit SET value = 9 WHERE id = {named}",
        (
            "INSERT INTO time_limit (scheme, scheme_version, stage, value, unit, valid_from)"
            " VALUES ('gk', '2026', 'handle', 9, 'working_days', current_date)"
        ),
        "UPDATE incident_class SET priority = 1",
        "DELETE FROM calendar_day",
    ):
        with office.as_(office.second):
            office.session.execute(text(using))
        office.refused(statement, office.second)
    # Later, in another transaction, the same approval opens nothing: its moment has passed.
    db.as_actor(office.session, system_actor())
    office.session.execute(
        text("UPDATE rule_change SET decided_at = now() - interval '1 s' WHERE id = :id"), {"id": change.id}
    )
    with office.as_(office.second):
        office.session.execute(text(using))
    office.refused(f"UPDATE time_limit SET valid_to = current_date WHERE id = {named}", office.second)


def test_a_proposal_is_not_rewritten_and_decided_once(office: Office) -> None:
    change = office.propose(LONGER)
    forged = json.dumps([])
    office.refused("UPDATE rule_change SET edits = CAST(:edits AS jsonb)", office.second, edits=forged)
    office.refused("UPDATE rule_change SET proposed_by = :who", office.second, who=office.administrator.user_id)
    office.refused(
        "INSERT INTO rule_change (title, edits, state, decided_at) VALUES ('x', '[]', 'approved', now())", office.first
    )
    db.as_actor(office.session, office.second)
    assert office.session.execute(text("DELETE FROM rule_change")).rowcount == 0
    assert ruling.reject(office.session, office.second, change.id, note="Too long").note == "Too long"
    with pytest.raises(Conflict, match="rejected meanwhile by second"):
        ruling.approve(office.session, office.second, change.id)
    office.refused("UPDATE rule_change SET state = 'approved'", office.second)


def test_only_the_proposer_withdraws(office: Office) -> None:
    change = office.propose(LONGER)
    for actor in (office.second, office.administrator):
        db.as_actor(office.session, actor)
        with pytest.raises(NotPermitted, match="withdraws"):
            ruling.withdraw(office.session, actor, change.id)
    db.as_actor(office.session, office.first)
    assert ruling.withdraw(office.session, office.first, change.id).state == "withdrawn"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.DISPATCHER, Role.PLANNER, Role.GRID_MANAGER])
def test_the_other_roles_read_only(office: Office, role: Role) -> None:
    change = office.propose(LONGER)
    actor = Actor(office.auditor.user_id, "x", role, office.city.territory.id)
    db.as_actor(office.session, actor)
    assert ruling.get_change(office.session, actor, change.id).edits == change.edits
    for act in (
        lambda: ruling.propose(office.session, actor, LONGER),
        lambda: ruling.approve(office.session, actor, change.id),
        lambda: ruling.withdraw(office.session, actor, change.id),
    ):
        with pytest.raises(NotPermitted):
            act()
    office.refused("INSERT INTO rule_change (title, edits) VALUES ('x', '[]')", actor)


def test_an_administrator_proposes_and_does_not_approve(office: Office) -> None:
    change = office.propose(LONGER, office.administrator)
    db.as_actor(office.session, office.administrator)
    with pytest.raises(NotPermitted):
        ruling.approve(office.session, office.administrator, change.id)
    assert office.approve(change).state == "approved"


def test_the_command_line_without_an_account_decides_nothing(office: Office) -> None:
    change = office.propose(LONGER)
    machine = system_actor(office.city.territory.id)
    for act in (
        lambda: ruling.propose(office.session, machine, LONGER),
        lambda: ruling.approve(office.session, machine, change.id),
    ):
        with pytest.raises(InvalidInput, match="--as"):
            act()


# --- Versions


def take_in(office: Office, actor: Actor, number: int, code: str = "event-01-02") -> Incident:
    db.as_actor(office.session, actor)
    new = NewReport(class_key=code, lon=-1.31, lat=50.69, text="", place="Mill Lane", source="hotline")
    done = report(office.session, actor, new, command_id=f"command-{number}")
    return office.session.get_one(Incident, done.incident_id, populate_existing=True)


def test_what_is_filed_keeps_its_limit_and_its_class(office: Office) -> None:
    filed = take_in(office, office.first, 1)
    waiting = take_in(office, Actor(None, "desk", Role.DISPATCHER, office.city.territory.id), 2)
    due, limit_id = filed.due_at, filed.limit_id
    assert (filed.status, waiting.status) == ("filed", "reported")
    assert (filed.class_version, limit_id) == (1, office.rules()[REFUSE].id)
    change = office.propose({**LONGER, (CLASS, "event-01-02"): {"name_en": "Refuse in the open", "priority": 2}})
    db.as_actor(office.session, office.second)
    assert ruling.keeps_old_clock(office.session, office.second, change.edits) == 2
    office.approve(change)
    office.session.refresh(filed)
    assert (filed.due_at, filed.limit_id, filed.class_version, filed.priority) == (due, limit_id, 1, 3)
    db.as_actor(office.session, office.first)
    # What was only reported is filed, and timed, by what holds on the day of filing.
    move(office.session, office.first, waiting.id, "file", version=None, command_id="command-3")
    office.session.refresh(waiting)
    assert waiting.limit_id == office.rules()[REFUSE].id != limit_id
    later = take_in(office, office.first, 4)
    assert (later.class_version, later.priority, later.limit_id) == (2, 2, waiting.limit_id)
    assert later.due_at == read_catalogue(office.session, office.city.territory).due_at(later.class_id, later.filed_at)


def test_a_retired_class_leaves_the_desk_and_still_times_what_was_reported(office: Office) -> None:
    waiting = take_in(office, Actor(None, "desk", Role.DISPATCHER, office.city.territory.id), 1)
    office.done({(CLASS, "event-01-02"): {"active": False}})
    assert "event-01-02" not in read_catalogue(office.session, office.city.territory).classes
    db.as_actor(office.session, office.first)
    move(office.session, office.first, waiting.id, "file", version=None, command_id="command-3")
    office.session.refresh(waiting)
    assert waiting.due_at is not None


def test_a_calendar_moves_no_deadline_that_stands(office: Office) -> None:
    filed = take_in(office, office.first, 1, "event-03-01")
    due = filed.due_at
    assert due is not None
    week = [filed.filed_at.date() + dt.timedelta(days=ahead) for ahead in range(1, 8)]
    change = office.propose({(DAY, f"office-gb|{day}"): {"kind": "holiday", "name": "Jubilee"} for day in week})
    db.as_actor(office.session, office.second)
    assert ruling.keeps_old_clock(office.session, office.second, change.edits) == 1
    office.approve(change)
    office.session.refresh(filed)
    assert filed.due_at == due
    anew = read_catalogue(office.session, office.city.territory).due_at(filed.class_id, filed.filed_at)
    assert anew is not None
    assert anew > due


def test_a_limit_may_begin_later_and_counts_by_its_own_calendar(office: Office) -> None:
    today = dt.datetime.now(dt.UTC).date()
    first = today + dt.timedelta(days=30)
    office.done(LONGER, start=first)
    now = read_catalogue(office.session, office.city.territory)
    class_id = now.classes["event-01-02"].id
    assert now.limits[class_id].limit.value == 4.0
    assert office.rules()[REFUSE].valid_from == first
    office.done({REFUSE: {"value": 8.0, "calendar": "always"}})
    catalogue = read_catalogue(office.session, office.city.territory)
    assert catalogue.limits[class_id].limit.value == 8.0
    friday = dt.datetime(2026, 7, 3, 15, 0, tzinfo=dt.UTC)
    assert catalogue.due_at(class_id, friday) == friday + dt.timedelta(hours=8)
    # The one that was to begin in a month never does.
    alive = (
        select(func.count())
        .select_from(TimeLimit)
        .where(
            TimeLimit.class_id == class_id,
            TimeLimit.valid_from <= first,
            func.coalesce(TimeLimit.valid_to, dt.date(2100, 1, 1)) >= first,
        )
    )
    assert office.session.scalar(alive) == 1


# --- Applying


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
