"""Values by cell: the arrays against what was put in, the reach of roles, the age of caches."""

from __future__ import annotations

import datetime as dt
import json
import struct

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotPermitted
from core.identity import Role
from geodata import db
from layers.snapshot import read_cells
from layers.summary import Summary, read_summary, refreshed
from layers.tallies import by_category, by_day
from layers.values import TOO_FEW, CellValues, Question, categories_of, cell_values, cells_of, encoded_cells
from tests.map_city import MapCity, add_incidents, at, make_map_city

NOW = at("2026-07-01", 11)
DAYS = (dt.date(2026, 6, 1), dt.date(2026, 7, 1))


@pytest.fixture
def city(session: Session) -> MapCity:
    made = make_map_city(session)
    done = {"status": "closed", "reported_at": at("2026-06-10")}
    add_incidents(
        session,
        made,
        [
            {"reported_at": at("2026-06-20"), "due_at": at("2026-06-25")},
            {"reported_at": at("2026-06-21"), "due_at": at("2026-07-05"), "code": "order"},
            {"reported_at": at("2026-06-22"), "half": "east", "due_at": at("2026-06-23")},
            {"reported_at": at("2026-03-01"), "due_at": at("2026-03-02")},
            {"status": "void", "reported_at": at("2026-06-20")},
            *({**done, "closed_at": at(f"2026-06-{day}")} for day in (11, 12, 13)),
            {**done, "half": "east", "closed_at": at("2026-06-12")},
        ],
    )
    return made


def ask(session: Session, city: MapCity, role: Role = Role.DISPATCHER, *halves: str, **question: object) -> CellValues:
    actor = city.officer(role, *halves)
    db.as_actor(session, actor)
    wanted = {"metric": "reported", "first": DAYS[0], "last": DAYS[1]} | question
    return cell_values(session, actor, Question(**wanted), now=NOW)


def at_cell(found: CellValues, city: MapCity, half: str) -> float:
    return float(found.values[city.cells[half] - found.first_id])


@pytest.mark.parametrize(
    ("question", "west", "east"),
    [
        ({}, 5, 2),
        ({"status": "open"}, 2, 1),
        ({"status": "closed"}, 3, 1),
        ({"status": "overdue"}, 1, 1),
        ({"metric": "open"}, 2, 1),
        ({"metric": "overdue"}, 1, 1),
        ({"metric": "overdue", "first": dt.date(2026, 1, 1)}, 2, 1),
        ({"categories": ("event-05",)}, 1, 0),
        ({"categories": ()}, 0, 0),
        ({"categories": ("unknown",)}, 0, 0),
    ],
)
def test_counts(session: Session, city: MapCity, question: dict[str, object], west: int, east: int) -> None:
    found = ask(session, city, **question)
    assert (at_cell(found, city, "west"), at_cell(found, city, "east")) == (west, east)
    assert found.total == west + east


def test_a_rate_is_not_shown_where_few_live(session: Session, city: MapCity) -> None:
    found = ask(session, city, metric="per_1000")
    assert at_cell(found, city, "west") == pytest.approx(5 / 500 * 1000)
    assert at_cell(found, city, "east") == TOO_FEW


def test_a_median_needs_three_closed(session: Session, city: MapCity) -> None:
    found = ask(session, city, metric="median_days")
    assert at_cell(found, city, "west") == pytest.approx(2, rel=0.5)
    assert np.isnan(at_cell(found, city, "east"))


def test_overdue_counts_only_what_the_actor_may_see(session: Session, city: MapCity) -> None:
    found = ask(session, city, Role.GRID_MANAGER, "east", metric="overdue")
    assert (at_cell(found, city, "west"), at_cell(found, city, "east")) == (0, 1)
    assert found.limited
    with pytest.raises(NotPermitted):
        ask(session, city, Role.PLANNER, metric="overdue")
    with pytest.raises(NotPermitted):
        ask(session, city, Role.PLANNER, status="overdue")
    assert at_cell(ask(session, city, Role.PLANNER), city, "west") == 5


def test_the_encoding_can_be_read_back(session: Session, city: MapCity) -> None:
    found = ask(session, city)
    body = found.encoded()
    length = struct.unpack("<I", body[4:8])[0]
    header = json.loads(body[8 : 8 + length])
    values = np.frombuffer(body[8 + length :], "<f4")
    assert body[:4] == b"GKV1"
    assert length % 4 == 0
    assert header["first"] == found.first_id
    assert np.array_equal(values, found.values, equal_nan=True)
    cells = cells_of(session, city.territory.id)
    assert len(encoded_cells(cells)) > 8 * len(cells)
    assert cells.live.all()
    lat, lon = cells.centre(city.cells["west"]) or (0, 0)
    assert abs(lat - 50.69) < 0.01
    assert abs(lon + 1.305) < 0.01
    assert cells.centre(10**9) is None
    assert 0.49 < np.nanmin(cells.x) <= np.nanmax(cells.x) < 0.5


def test_categories_have_titles_in_both_languages(session: Session, city: MapCity) -> None:
    assert categories_of(session, city.territory.id)["event-05"] == ("Street order", "街面秩序")


@pytest.mark.parametrize(
    "wrong",
    [
        {"metric": "beauty"},
        {"status": "lost"},
        {"first": dt.date(2026, 7, 2)},
        {"first": dt.date(1990, 1, 1)},
    ],
)
def test_a_wrong_question_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Question(**({"metric": "reported", "first": DAYS[0], "last": DAYS[1]} | wrong))


def test_a_territory_without_grids_gives_empty_arrays(session: Session) -> None:
    from core.identity import Actor

    actor = Actor(None, "x", Role.DISPATCHER, 10**6)
    found = cell_values(session, actor, Question("reported", *DAYS))
    assert (len(found.values), found.edges, found.total) == (0, (), 0)


def test_a_summary_brought_up_to_date_is_the_one_read_anew(session: Session, city: MapCity) -> None:
    """New rows, changed ones, another category and an older change all come in; nothing is counted twice."""
    cells = read_cells(session, city.territory.id)
    kept = read_summary(session, city.territory.id, cells)
    add_incidents(
        session,
        city,
        [
            {"reported_at": at("2026-06-20")},
            {"reported_at": at("2026-02-02"), "half": "east", "code": "order"},
            {"status": "closed", "reported_at": at("2026-06-10"), "closed_at": at("2026-06-19")},
        ],
    )
    session.execute(text("UPDATE incident SET priority = 2"))
    found = refreshed(session, city.territory.id, cells, kept)
    anew = read_summary(session, city.territory.id, cells)
    assert found.rows == anew.rows == len(kept.cell) + 1

    def rows(of: Summary) -> list[tuple[int, ...]]:
        columns = (of.cell, of.day, of.category, of.open, of.closed, of.within.sum(axis=1))
        return sorted(zip(*(map(int, column) for column in columns), strict=True))

    assert rows(found) == rows(anew)
    assert rows(refreshed(session, city.territory.id, cells, found)) == rows(anew)


@pytest.mark.parametrize("by", ["community", "responsibility"])
@pytest.mark.parametrize("metric", ["reported", "median_days", "per_1000", "people", "people_km2", "overdue"])
def test_parents_tell_what_their_cells_do(session: Session, city: MapCity, by: str, metric: str) -> None:
    session.execute(
        text(
            "INSERT INTO responsibility_grid (territory_id, code, name) SELECT :territory, id, name FROM area"
            " WHERE territory_id = :territory AND level = 'community'"
        ),
        {"territory": city.territory.id},
    )
    session.execute(
        text(
            "UPDATE unit_grid AS g SET responsibility_grid_id = r.id FROM responsibility_grid AS r"
            " WHERE r.code = g.community_id::text AND r.territory_id = g.territory_id AND g.territory_id = :territory"
        ),
        {"territory": city.territory.id},
    )
    found = ask(session, city, metric=metric, by=by)
    told = sorted(float(value) for value in found.values if np.isfinite(value))
    assert len(told) == (1 if metric == "median_days" else 2)
    if metric in {"reported", "overdue"}:
        assert told == {"reported": [2, 5], "overdue": [1, 1]}[metric]
    if metric == "people":
        people = session.execute(
            text("SELECT sum(people) FROM unit_grid WHERE territory_id = :id GROUP BY community_id ORDER BY 1"),
            {"id": city.territory.id},
        ).scalars()
        assert told == [float(each) for each in people]


@pytest.mark.parametrize(
    ("question", "first", "days"),
    [({}, 4, 7), ({"status": "open"}, 0, 3), ({"status": "closed"}, 4, 4), ({"status": "overdue"}, 0, 2),
     ({"categories": ("event-05",)}, 0, 1), ({"metric": "open"}, 0, 3)],
)  # fmt: skip
def test_days_are_counted_as_the_map_counts(
    session: Session, city: MapCity, question: dict[str, object], first: int, days: int
) -> None:
    found = ask(session, city, **question)
    wanted = {"metric": "reported", "first": DAYS[0], "last": DAYS[1]} | question
    counts = by_day(session, city.officer(Role.DISPATCHER), Question(**wanted), now=NOW)
    assert len(counts) == 31
    assert counts[9] == first
    assert counts.sum() == days == found.total


def test_categories_are_counted_as_the_map_counts_also_in_some_communities(session: Session, city: MapCity) -> None:
    question = Question("reported", *DAYS)
    actor = city.officer(Role.DISPATCHER)
    db.as_actor(session, actor)
    whole = by_category(session, actor, question)
    assert sum(each.open + each.closed for each in whole) == 7
    assert [each.category for each in whole if each.open + each.closed == 1] == ["event-05"]
    part = by_category(session, actor, question, area_ids=(city.communities["east"],))
    assert [(each.open, each.closed) for each in part] == [(1, 1)]
    assert by_category(session, actor, Question("reported", *DAYS, categories=("event-05",)))[0].open == 1


def test_days_and_categories_are_what_the_incidents_themselves_say(session: Session, city: MapCity) -> None:
    chance = np.random.default_rng(9)
    day, hour = chance.integers(1, 31, 150), chance.integers(0, 24, 150)
    rows = [
        {
            "half": ("west", "east")[chance.integers(2)], "code": ("gas", "order")[chance.integers(2)],
            "status": ("filed", "handling", "closed", "void")[chance.integers(4)],
            "reported_at": at(f"2026-06-{day[k]:02d}", int(hour[k])),
            "due_at": None if chance.random() < 0.2 else at("2026-06-15") + dt.timedelta(days=int(chance.integers(40))),
        }
        for k in range(150)
    ]  # fmt: skip
    for row in rows:
        if row["status"] in {"closed", "void"}:
            row["closed_at"] = row["reported_at"] + dt.timedelta(hours=3)
    add_incidents(session, city, rows)
    actor = city.officer(Role.DISPATCHER)
    db.as_actor(session, actor)
    which = {
        "all": "true", "open": "status <> 'closed'", "closed": "status = 'closed'",
        "overdue": "status <> 'closed' AND due_at < :now",
    }  # fmt: skip
    source = (
        "SELECT {what}, count(*), count(*) FILTER (WHERE status = 'closed') FROM incident"
        " CROSS JOIN LATERAL (SELECT (reported_at AT TIME ZONE 'Europe/London')::date AS day) AS local"
        " WHERE territory_id = :id AND status <> 'void' AND day BETWEEN :first AND :last AND {which} GROUP BY 1"
    )
    given = {"id": city.territory.id, "first": dt.date(2026, 6, 5), "last": dt.date(2026, 6, 25), "now": NOW}
    span = {"first": given["first"], "last": given["last"]}
    for status, sql in which.items():
        said = session.execute(text(source.format(what="day", which=sql)), given).all()
        counts = by_day(session, actor, Question("reported", status=status, **span), now=NOW)
        found = {span["first"] + dt.timedelta(days=k): int(count) for k, count in enumerate(counts) if count}
        assert found == {row[0]: row[1] for row in said}, status
    for areas in ((), (city.communities["east"],)):
        here = "community_id = ANY(:areas)" if areas else "true"
        said = session.execute(text(source.format(what="category", which=here)), given | {"areas": list(areas)}).all()
        told = by_category(session, actor, Question("reported", **span), area_ids=areas)
        assert {each.category: (each.open + each.closed, each.closed) for each in told} == {r[0]: r[1:] for r in said}


def test_who_sees_no_incidents_is_told_no_deadlines_by_day(session: Session, city: MapCity) -> None:
    db.as_actor(session, city.officer(Role.PLANNER))
    with pytest.raises(NotPermitted):
        by_day(session, city.officer(Role.PLANNER), Question("reported", *DAYS, status="overdue"))
