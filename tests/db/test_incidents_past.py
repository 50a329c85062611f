"""The list of incidents as it stood at the end of a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from incidents.model import IncidentFilter
from incidents.service.past import PAGE_ROWS, list_past
from tests.demo_city import TINY_TOWN


@pytest.fixture
def town(demo_database: Engine) -> Iterator[tuple[Session, TerritoryInfo]]:
    """A session on the demo city as the system; everything is rolled back."""
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            db.as_actor(session, system_actor())
            place = find_territory(session, TINY_TOWN.name)
            db.as_actor(session, system_actor(place.id))
            yield session, place
        outer.rollback()


def test_a_list_of_a_day_counts_what_the_map_of_that_day_counts(town: tuple[Session, TerritoryInfo]) -> None:
    session, place = town
    actor = system_actor(place.id)
    newest = session.execute(text("SELECT max(reported_at) FROM incident")).scalar_one()
    day = (newest - dt.timedelta(days=40)).astimezone(place.zone).date()
    asked = {"home": place.id, "day": day}
    known = session.execute(
        text("SELECT sum(open) AS open, sum(closed) AS closed, sum(void) AS void FROM gk_days_on(:home, :day)"), asked
    ).one()
    page = list_past(session, actor, place, IncidentFilter(), day)
    assert sum(page.counts.values()) == known.open + known.closed + known.void
    assert page.counts.get("open", 0) == known.open
    assert len(page.rows) == PAGE_ROWS
    assert all(row.reported_at.astimezone(place.zone).date() <= day for row in page.rows)
    further = list_past(session, actor, place, IncidentFilter(), day, PAGE_ROWS)
    assert not {row.id for row in further.rows} & {row.id for row in page.rows}
    one = page.rows[0]
    cell = list_past(session, actor, place, IncidentFilter(grid_id=one.grid_id, statuses=("filed", "handling")), day)
    assert set(cell.counts) <= {"open"}
    number = list_past(session, actor, place, IncidentFilter(text=one.number), day)
    assert [row.id for row in number.rows] == [one.id]
    assert not list_past(session, actor, place, IncidentFilter(text="100%_no"), day).rows
