"""The day × cell × category summary equals a recount, whatever happens to incidents."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core.identity import Role, system_actor
from geodata import db
from geodata.tables import Incident, IncidentDay, Territory
from geodata.territory import list_territories
from incidents.summary import BIN_HOURS, N_BINS
from tests.db.incidents.conftest import NOW, City, make_city

Recount = Callable[[], dict[tuple[Any, ...], tuple[Any, ...]]]


def stored(session: Session) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    session.flush()
    rows = session.execute(
        select(
            IncidentDay.territory_id,
            IncidentDay.day,
            IncidentDay.grid_id,
            IncidentDay.category,
            IncidentDay.open,
            IncidentDay.closed,
            IncidentDay.void,
            IncidentDay.closed_within,
        )
    )
    return {tuple(row[:4]): tuple(row[4:]) for row in rows}


def test_bounds_in_the_database_are_those_of_the_code(session: Session) -> None:
    for index, hours in enumerate(BIN_HOURS):
        for offset, expected in ((-1, index), (0, index + 1)):
            found = session.execute(
                text("SELECT gk_close_bin(:at, CAST(:at AS timestamptz) + make_interval(secs => :s))"),
                {"at": NOW, "s": hours * 3600 + offset},
            ).scalar_one()
            assert found == expected
    assert session.execute(text("SELECT gk_close_bin(:a, :b)"), {"a": NOW, "b": NOW - dt.timedelta(1)}).scalar() == 0
    assert len(BIN_HOURS) + 1 == N_BINS


@pytest.mark.parametrize("seed", range(6))
def test_random_work_leaves_the_summary_right(
    session: Session, city: City, add_incident: Callable[..., int], recount: Recount, seed: int
) -> None:
    dice = random.Random(seed)
    ids: list[int] = []

    def moment() -> dt.datetime:
        return NOW - dt.timedelta(minutes=dice.randrange(0, 4 * 24 * 60, 10))

    def some() -> list[int]:
        return dice.sample(ids, k=min(len(ids), dice.randint(1, 6)))

    for _ in range(60):
        act = dice.choice(["add", "add", "close", "void", "reopen", "move", "date", "category", "delete", "touch"])
        if act == "add" or not ids:
            code = dice.choice(["04-03", "01-02", "05-05"])
            status = dice.choice(["filed", "handling", "closed", "void"])
            closed = moment() + dt.timedelta(days=9) if status == "closed" and dice.random() < 0.7 else None
            east = dice.random() < 0.5
            ids.append(add_incident(code=code, status=status, closed_at=closed, reported_at=moment(), east=east))
            continue
        which = Incident.id.in_(some())
        if act == "delete":
            gone = some()
            session.execute(delete(Incident).where(Incident.id.in_(gone)))
            ids = [i for i in ids if i not in gone]
            continue
        values: dict[str, Any] = {
            "close": {"status": "closed", "closed_at": moment() + dt.timedelta(hours=dice.randrange(2000))},
            "void": {"status": "void"},
            "reopen": {"status": "handling", "closed_at": None},
            "move": {"grid_id": dice.choice([city.west_grid, city.east_grid])},
            "date": {"reported_at": moment()},
            "category": {"category": dice.choice(["event-01", "event-05"])},
            "touch": {"place": f"Street {dice.random()}"},
        }[act]
        session.execute(update(Incident).where(which).values(**values))
    assert stored(session) == recount()
    session.execute(delete(Incident))
    assert stored(session) == {}


def test_days_are_local_and_move_with_the_time_zone(
    session: Session, city: City, add_incident: Callable[..., int], recount: Recount
) -> None:
    add_incident(reported_at=dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC))  # half past midnight on 2 July in London
    assert [key[1] for key in stored(session)] == [dt.date(2026, 7, 2)]
    session.execute(update(Territory).where(Territory.id == city.territory.id).values(timezone="America/New_York"))
    assert [key[1] for key in stored(session)] == [dt.date(2026, 7, 1)]
    assert stored(session) == recount()


def test_a_closing_without_time_counts_as_closed_but_in_no_bin(
    session: Session, add_incident: Callable[..., int]
) -> None:
    add_incident(status="closed", closed_at=None)
    ((counts),) = stored(session).values()
    assert counts[:3] == (0, 1, 0)
    assert sum(counts[3]) == 0


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_nobody_writes_the_summary_directly(session: Session, city: City, role: Role) -> None:
    db.as_actor(session, city.officer(role))
    with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
        session.execute(update(IncidentDay).values(open=0))
    with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
        session.execute(text("SELECT gk_recount_incident_days(1)"))
    with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
        session.execute(text("UPDATE incident_number SET last = 0"))


def test_officers_feed_the_summary_through_incidents_alone(
    session: Session, city: City, add_incident: Callable[..., int]
) -> None:
    db.as_actor(session, city.officer(Role.GRID_MANAGER, area_ids=(city.west_id,)))
    add_incident(status="reported", filed_at=None)
    assert sum(counts[0] for counts in stored(session).values()) == 1


def test_many_writers_at_once_neither_wait_for_ever_nor_miscount(database: Engine) -> None:
    with db.transaction(system_actor()) as session:
        city = make_city(session, "busy-city")
        kind = session.execute(
            text("SELECT id, category FROM incident_class WHERE code = '04-03' AND kind = 'event'")
        ).one()
    rows, writers = 15, 8

    def work(number: int) -> None:
        dice = random.Random(number)
        for step in range(rows):
            with db.transaction(city.actor) as session:
                first = session.execute(
                    text("SELECT gk_take_numbers(:t, 2026, 4)"), {"t": city.territory.id}
                ).scalar_one()
                # Both cells in one statement, in an order that differs from writer to writer.
                cells = [city.west_grid, city.east_grid] * 2
                dice.shuffle(cells)
                session.execute(
                    text(
                        "INSERT INTO incident (territory_id, number, source, class_id, category, status, priority,"
                        " reported_at, grid_id, community_id, geom) VALUES (:t, :n, 'hotline', :k, :c, 'filed', 1, :at,"
                        " :g, :a, ST_SetSRID(ST_MakePoint(-1.3, 50.69), 4326)), (:t, :n2, 'hotline', :k, :c, 'filed',"
                        " 1, :at, :g2, :a, ST_SetSRID(ST_MakePoint(-1.3, 50.69), 4326))"
                    ),
                    {"t": city.territory.id, "n": f"N{first}", "n2": f"N{first + 1}", "k": kind.id, "c": kind.category}
                    | {"at": NOW - dt.timedelta(days=step % 2), "g": cells[0], "g2": cells[1], "a": city.west_id},
                )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with db.transaction(system_actor()) as session:
        assert session.execute(text("SELECT count(*), count(DISTINCT number) FROM incident")).one() == (
            2 * rows * writers,
            2 * rows * writers,
        )
        assert session.execute(text("SELECT sum(open) FROM incident_day")).scalar() == 2 * rows * writers
        assert [territory.name for territory in list_territories(session)] == ["busy-city"]
