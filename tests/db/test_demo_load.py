"""A small demo city through the whole path: every incident in a grid, lives consistent, notes sealed, loaded once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.demo.cities import CITIES, find_city
from app.demo.load import DemoCounts, load_demo
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.identity import Actor, Role, system_actor
from core.progress import Lines
from geodata import db, persons
from geodata.territory import find_territory, make_territory
from incidents.numbers import check_number
from incidents.service import incident_detail, late_incidents, list_incidents, today_counts
from people.service import list_units, list_workers, on_duty
from tests.demo_city import TINY_TOWN, load_tiny_town
from tests.reporters import reporter_of

OPEN_PERSONAL = "(SELECT incident_id, subject_id, note_cipher, phone_hash FROM incident_personal)"

UNTIL = dt.datetime(2026, 11, 20, 14, 5, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def counts(database: Engine, tmp_path_factory: pytest.TempPathFactory) -> DemoCounts:
    return load_tiny_town(tmp_path_factory.mktemp("town"), until=UNTIL)


@pytest.fixture
def city(counts: DemoCounts) -> Session:
    with db.transaction(system_actor()) as session:
        yield session


def frame(session: Session, sql: str) -> pd.DataFrame:
    found = session.execute(text(sql))
    return pd.DataFrame(found.all(), columns=list(found.keys()))


def one(session: Session, sql: str) -> int:
    return session.execute(text(sql)).scalar_one()


def actor_of(session: Session, role: Role) -> Actor:
    from people.accounts import demo_accounts

    territory = find_territory(session, TINY_TOWN.name)
    return next(account.actor() for account in demo_accounts(session, territory.id) if account.role is role)


def test_the_counts_say_what_is_in_the_tables(city: Session, counts: DemoCounts) -> None:
    assert counts.incidents == TINY_TOWN.incidents == one(city, "SELECT count(*) FROM incident")
    assert counts.cells == one(city, "SELECT count(*) FROM unit_grid")
    assert counts.workers == TINY_TOWN.workers == one(city, "SELECT count(*) FROM worker")
    assert counts.tasks == one(city, "SELECT count(*) FROM task")
    assert counts.communities == 2
    assert counts.seconds < 30


def test_every_incident_lies_in_its_grid_and_its_community(city: Session) -> None:
    outside = "FROM incident i JOIN unit_grid g ON g.id = i.grid_id WHERE NOT ST_DWithin(i.geom, g.geom, 1e-9)"
    assert one(city, f"SELECT count(*) {outside}") == 0
    assert (
        one(
            city,
            "SELECT count(*) FROM incident i JOIN unit_grid g ON g.id = i.grid_id"
            " WHERE i.community_id <> g.community_id",
        )
        == 0
    )


def test_all_is_simulated_and_says_so(city: Session) -> None:
    assert one(city, "SELECT count(*) FROM incident WHERE NOT simulated") == 0
    assert find_territory(city, TINY_TOWN.name).is_demo


def test_stages_and_status_are_consistent(city: Session) -> None:
    wrong = (
        "reported_at > filed_at OR filed_at > dispatched_at OR dispatched_at > handled_at OR handled_at > closed_at"
        " OR (status = 'closed') <> (closed_at IS NOT NULL) OR (filed_at IS NULL) <> (due_at IS NULL)"
        " OR greatest(reported_at, filed_at, dispatched_at, handled_at, closed_at) > :until"
    )
    assert city.execute(text(f"SELECT count(*) FROM incident WHERE {wrong}"), {"until": UNTIL}).scalar() == 0
    tasks = "created_at > accepted_at OR accepted_at > finished_at OR (state = 'done') <> (finished_at IS NOT NULL)"
    assert one(city, f"SELECT count(*) FROM task WHERE {tasks}") == 0
    assert (
        one(
            city,
            "SELECT count(*) FROM task t JOIN incident i ON i.id = t.incident_id WHERE t.kind = 'handle'"
            " AND i.handled_at IS DISTINCT FROM t.finished_at",
        )
        == 0
    )


def test_every_open_incident_is_on_somebodys_desk(city: Session) -> None:
    waiting = frame(
        city,
        "SELECT i.status, i.source, count(t.id) FILTER (WHERE t.state <> 'done') AS waiting FROM incident i"
        " LEFT JOIN task t ON t.incident_id = i.id WHERE i.status NOT IN ('closed', 'void', 'filed')"
        " AND NOT (i.status = 'reported' AND i.source IN ('patrol', 'superior')) GROUP BY i.id",
    )
    assert len(waiting)
    assert (waiting["waiting"] == 1).all()


def test_owners_follow_the_duty_list(city: Session) -> None:
    wrong = (
        "SELECT count(*) FROM incident i WHERE unit_id IS NOT NULL AND NOT EXISTS (SELECT FROM class_owner o"
        " WHERE o.class_id = i.class_id AND o.unit_id = i.unit_id"
        " AND coalesce(o.area_id, i.community_id) = i.community_id)"
    )
    assert one(city, wrong) == 0
    assert one(city, "SELECT count(*) FROM incident WHERE filed_at IS NOT NULL AND unit_id IS NULL") == 0


def test_numbers_are_in_order_and_check(city: Session) -> None:
    numbers = frame(city, "SELECT number FROM incident ORDER BY reported_at, id")["number"]
    assert numbers.is_unique
    assert [check_number(number) for number in numbers[:50]] == list(numbers[:50])
    assert numbers.str.slice(0, -2).is_monotonic_increasing


def test_notes_and_names_stand_only_as_ciphertext(city: Session) -> None:
    personal = frame(city, "SELECT incident_id, subject_id, note_cipher FROM incident_personal LIMIT 200")
    notes = persons.unseal_many(city, personal["subject_id"].tolist(), personal["note_cipher"].tolist())
    assert all(note for note in notes)
    names = [reporter_of(city, int(incident_id))[0] for incident_id in personal["incident_id"]]
    assert any(names)
    dumped = "\n".join(
        f"{row}"
        for table in ("incident", OPEN_PERSONAL, "load", "worker", "person", "task")
        for row in city.execute(text(f"SELECT to_jsonb(t) FROM {table} AS t")).scalars()
    )
    for plain in [*notes, *filter(None, names)]:
        assert plain not in dumped
        assert plain.encode().hex() not in dumped


def test_the_record_covers_the_load(city: Session) -> None:
    assert one(city, "SELECT count(*) FROM record WHERE action = 'bulk_insert' AND subject_table = 'incident'") >= 1
    assert one(city, "SELECT count(*) FROM load WHERE kind = 'demo'") == 1


def test_the_summary_agrees_with_the_incidents(city: Session) -> None:
    day = frame(city, "SELECT sum(open) AS open, sum(closed) AS closed, sum(void) AS void FROM incident_day").iloc[0]
    status = frame(city, "SELECT status, count(*) AS n FROM incident GROUP BY status").set_index("status")["n"]
    assert day["closed"] == status["closed"]
    assert day["void"] == status["void"]
    assert day["open"] == TINY_TOWN.incidents - status["closed"] - status["void"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_each_role_has_an_account_and_a_plausible_today(counts: DemoCounts, role: Role) -> None:
    with db.transaction(system_actor()) as session:
        actor = actor_of(session, role)
        territory = find_territory(session, TINY_TOWN.name)
    with db.transaction(actor) as session:
        if role in {Role.PLANNER, Role.ADMINISTRATOR}:
            assert len(list_units(session, actor, territory.id)) == counts.units
            return
        today = today_counts(session, actor, UNTIL)
        everything = role in {Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR}
        assert (today.open == counts.open) if everything else (0 < today.open < counts.open)
        assert (today.late == counts.late) if everything else (today.late <= counts.late)
        assert len(late_incidents(session, actor, UNTIL, limit=100)) == today.late
        if role is Role.GRID_MANAGER:
            crew = on_duty(session, actor, territory.id, timezone=territory.timezone, at=UNTIL)
            assert 1 <= len(crew.present) <= crew.total
            assert all(worker.name for worker in list_workers(session, actor, territory.id))


def test_a_detail_can_be_read_with_note_and_tasks(counts: DemoCounts) -> None:
    with db.transaction(system_actor()) as session:
        actor = actor_of(session, Role.SUPERVISOR)
    with db.transaction(actor) as session:
        newest = list_incidents(session, actor).rows[0]
        detail = incident_detail(session, actor, newest.id)
        assert detail.note


def test_loading_again_adds_nothing(city: Session, counts: DemoCounts, tmp_path: Path) -> None:
    tables = ("territory", "area", "unit_grid", "incident", "task", "worker", "unit", "app_user", "load", "record")
    before = [one(city, f"SELECT count(*) FROM {table}") for table in tables]
    again = load_tiny_town(tmp_path, until=UNTIL + dt.timedelta(days=1), seed=99)
    assert again.already
    assert again.incidents == 0
    assert [one(city, f"SELECT count(*) FROM {table}") for table in tables] == before


def test_same_seed_same_city(city: Session, fresh_database, cluster, tmp_path: Path) -> None:
    from tests.conftest import engine_for

    written = "SELECT number, class_id, status, reported_at, due_at, place, source, ST_AsText(geom) AS at FROM incident"
    first = frame(city, f"{written} ORDER BY reported_at, number")
    engine = engine_for(cluster, fresh_database())
    from core.progress import Silent
    from tests.demo_city import write_osm

    with Session(engine) as session:
        db.as_actor(session, system_actor())
        load_demo(session, system_actor(), TINY_TOWN, write_osm(tmp_path / "t.osm"), until=UNTIL, progress=Silent())
        second = frame(session, f"{written} ORDER BY reported_at, number")
        session.rollback()
    engine.dispose()
    pd.testing.assert_frame_equal(first, second)


def test_nothing_is_left_of_a_load_that_breaks(session: Session, tmp_path: Path) -> None:
    """The transaction is the caller's: whatever breaks, nothing half-written stays."""
    from core.progress import Cancelled
    from tests.demo_city import write_osm

    class Stops(Lines):
        def advance(self, items: int = 1) -> None:
            super().advance(items)
            if self._name == "Writing notes, sealed":
                raise Cancelled("stopped")

    with pytest.raises(Cancelled), session.begin_nested():
        load_demo(session, system_actor(), TINY_TOWN, write_osm(tmp_path / "t.osm"), until=UNTIL, progress=Stops(print))
    assert one(session, "SELECT count(*) FROM territory") == 0
    assert one(session, "SELECT count(*) FROM unit_grid") == 0


def test_a_territory_of_that_name_that_is_no_demo_is_left_alone(session: Session, tmp_path: Path) -> None:
    from shapely import box

    from core.progress import Silent

    make_territory(session, system_actor(), TINY_TOWN.name, boundary=box(*TINY_TOWN.clip))
    with pytest.raises(Conflict, match="not the demo city"):
        load_demo(session, system_actor(), TINY_TOWN, tmp_path / "none.osm", until=now(), progress=Silent())


def test_an_unknown_city_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="isle-of-wight"):
        find_city("atlantis")
    assert set(CITIES) == {"isle-of-wight", "helsinki-centre"}
