"""Facts folded from the record: equal to the incidents, to the plain rule, and to themselves when folded anew."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import NotPermitted
from core.identity import Role, system_actor
from geodata import db, sealing
from insight import service
from insight.facts import KEPT, Act, fold
from people import accounts
from tests.db.insight.slow_fold import differences

SAME = (
    "SELECT count(*) FROM incident AS i FULL JOIN incident_fact AS f ON f.incident_id = i.id"
    " WHERE (i.territory_id, i.status, i.source, i.class_id, i.emergency OR i.priority = 1, i.grid_id,"
    " i.community_id, i.unit_id, i.worker_id, i.reported_at, i.filed_at, i.handled_at, i.closed_at, i.due_at,"
    " i.postponed_until, i.duplicate_of, i.reworks, i.simulated)"
    " IS DISTINCT FROM (f.territory_id, f.status, f.source, f.class_id, f.urgent, f.grid_id,"
    " f.community_id, f.unit_id, f.worker_id, f.reported_at, f.filed_at, f.handled_at, f.closed_at, f.due_at,"
    " f.postponed_until, f.duplicate_of, f.reworks, f.simulated)"
)
ALL_FACTS = "SELECT to_jsonb(f) FROM incident_fact AS f ORDER BY incident_id"


@pytest.fixture
def home(demo_database: Engine) -> int:
    del demo_database
    with db.transaction(system_actor()) as session:
        return accounts.demo_accounts(session)[0].territory_id


def facts(session: Session) -> list[dict[str, object]]:
    return list(session.scalars(text(ALL_FACTS)))


def change(sql: str) -> None:
    with db.transaction(system_actor(label="test")) as session:
        session.execute(text(sql))


def refresh(home: int, *, anew: bool = False) -> service.Folded:
    with db.transaction(system_actor()) as session:
        return service.refresh(session, system_actor(), home, anew=anew)


def test_facts_of_the_demo_equal_its_incidents(home: int) -> None:
    done = refresh(home)
    with db.transaction(system_actor()) as session:
        assert session.scalar(text(SAME)) == 0
        assert done.facts == session.scalar(text("SELECT count(*) FROM incident")) > 1000
        given_out = (
            "SELECT count(*) FROM incident_fact JOIN incident ON id = incident_id"
            " WHERE dispatches <> (dispatched_at IS NOT NULL)::int"
        )
        assert session.scalar(text(given_out)) == 0


def test_going_on_equals_beginning_again_through_a_whole_life(home: int) -> None:
    refresh(home, anew=True)
    with db.transaction(system_actor()) as session:
        chosen = session.scalar(text("SELECT min(id) FROM incident WHERE status = 'handling'"))
        before = next(each for each in facts(session) if each["incident_id"] == chosen)
    assert (before["dispatches"], before["returns"]) == (1, 0)
    steps = (
        "status = 'dispatched', dispatched_at = now()",
        "status = 'handling'",
        "status = 'filed'",
        "status = 'dispatched', dispatched_at = now()",
        "status = 'checking', handled_at = now()",
        "status = 'handling', handled_at = NULL, reworks = reworks + 1",
        "status = 'checking', handled_at = now()",
        "status = 'closed', closed_at = now(), due_at = now() - interval '1 hour'",
        "due_at = now() + interval '9 days'",
        "status = 'filed', closed_at = NULL, handled_at = NULL, reworks = reworks + 1",
        "status = 'dispatched', dispatched_at = now()",
        "status = 'checking', handled_at = now()",
        "status = 'closed', closed_at = now(), due_at = now() - interval '1 hour'",
        "due_at = now() + interval '9 days'",
    )
    for number, step in enumerate(steps):
        change(f"UPDATE incident SET {step}, version = version + 1 WHERE id = {chosen}")
        if number % 3 == 0:
            with db.transaction(system_actor()) as session:
                sealing.seal(session)
        refresh(home)
        if "closed_at = NULL" in step:
            with db.transaction(system_actor()) as session:
                opened = next(each for each in facts(session) if each["incident_id"] == chosen)
                assert str(opened["due_at"]) > now().isoformat(), "what is open again is due when its new deadline says"
                assert differences(session, home) == 0
    change(f"DELETE FROM incident WHERE id = (SELECT max(id) FROM incident WHERE id <> {chosen})")
    refresh(home)
    with db.transaction(system_actor()) as session:
        gone_on = facts(session)
        mine = next(each for each in gone_on if each["incident_id"] == chosen)
        count = session.scalar(text("SELECT count(*) FROM incident"))
        assert differences(session, home) == 0
    assert (mine["dispatches"], mine["returns"], mine["reopens"], mine["status"]) == (4, 1, 1, "closed")
    assert mine["reworks"] == before["reworks"] + 2
    assert str(mine["due_at"]) < str(mine["closed_at"]), "a deadline moved after the close makes nothing punctual"
    assert len(gone_on) == count
    refresh(home, anew=True)
    with db.transaction(system_actor()) as session:
        assert facts(session) == gone_on
        assert differences(session, home) == 0


def test_the_fold_in_sql_is_the_plain_rule(home: int) -> None:
    refresh(home)
    acts: dict[int, list[Act]] = defaultdict(list)
    with db.transaction(system_actor()) as session:
        rows = session.execute(
            text(
                "SELECT seq, subject_id, before, after FROM record WHERE subject_table = 'incident'"
                " AND subject_id IS NOT NULL UNION ALL"
                " SELECT seq, l.subject_id, l.before, l.after FROM record JOIN load_row AS l ON record_seq = seq"
                " WHERE subject_table = 'incident'"
            )
        )
        for seq, subject, before, after in rows:
            acts[int(subject)].append(Act(seq, before, after))
        written = {int(str(row["incident_id"])): row for row in facts(session)}
    plain = {incident: fact for incident, told in acts.items() if (fact := fold(told)) is not None}
    assert plain.keys() == written.keys()
    names = (*KEPT, "due_at", "urgent", "dispatches", "returns", "reopens", "marks", "last_seq")
    for incident, fact in plain.items():
        assert {name: as_read(fact[name]) for name in names} == {
            name: as_read(written[incident][name]) for name in names
        }


def as_read(value: object) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) and "T" in value and "+" in value else value


def test_a_late_commit_is_not_lost(home: int) -> None:
    """A row whose number lies below the last one read, committed after it, is found by its batch."""
    early, late = system_actor(label="early"), system_actor(label="late")
    with db.transaction(system_actor()) as session:
        first, second = session.scalars(text("SELECT id FROM incident ORDER BY id LIMIT 2"))
    with db.transaction(early) as slow:
        slow.execute(text(f"UPDATE incident SET priority = 1 WHERE id = {first}"))
        with db.transaction(late) as quick:
            quick.execute(text(f"UPDATE incident SET priority = 1 WHERE id = {second}"))
        with db.transaction(system_actor()) as session:
            sealing.seal(session)
        refresh(home)
    with db.transaction(system_actor()) as session:
        sealing.seal(session)
    assert refresh(home).facts >= 1
    with db.transaction(system_actor()) as session:
        urgent = text(f"SELECT count(*) FROM incident_fact WHERE urgent AND incident_id IN ({first}, {second})")
        assert session.scalar(urgent) == 2
    assert refresh(home).facts == 0, "nothing new, nothing folded"


def test_only_the_platform_folds(home: int) -> None:
    with db.transaction(system_actor()) as session:
        chief = next(each.actor() for each in accounts.demo_accounts(session) if each.role is Role.SUPERVISOR)
    with db.transaction(chief) as session, pytest.raises(NotPermitted):
        service.refresh(session, chief, home)
