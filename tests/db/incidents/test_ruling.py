"""Two persons change the rules: in the service, and asked of the database itself; what is filed keeps its version."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import Incident, Record, TimeLimit
from incidents.deadlines import Limit
from incidents.model import FiledUnder
from incidents.rules import CLASS, DAY, LIMIT, limit_key
from incidents.service import incident_detail, move, read_catalogue, report, ruling
from incidents.work import NewReport
from tests.db.incidents.office import Office

Add = Callable[..., int]
REFUSE = (LIMIT, limit_key("event-01-02", "handle"))
LONGER = {REFUSE: {"value": 6.0}}
NO_RIGHT = "42501"


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
    new = NewReport(class_key=code, lon=-1.31, lat=50.69, text="", place="Mill Lane", source="patrol")
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
    told = incident_detail(office.session, office.second, filed.id).filed_under
    assert told == FiledUnder("event-01-02", 1, Limit(4.0, "working_hours"), 1)
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
