"""Leagues, trends and a worker's own scores: recounted from the incidents, and within each role's reach."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from insight import service
from insight.indicators import TOO_FEW
from insight.model import SUBJECTS, subjects_for
from insight.store import past
from people import accounts

YEAR = (now().date() - dt.timedelta(days=370), now().date() + dt.timedelta(days=1))
REFUSED = [(role, subject) for role in Role for subject in SUBJECTS if subject not in subjects_for(role)]


@pytest.fixture(scope="module")
def actors(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with db.transaction(system_actor()) as session:
        found = {each.role: each.actor() for each in accounts.demo_accounts(session)}
        home = found[Role.SUPERVISOR].territory_id or 0
        service.refresh(session, system_actor(home), home)
    return found | {Role.SYSTEM: system_actor(home)}


@pytest.fixture
def as_role(actors: dict[Role, Actor]) -> Iterator[tuple[Session, dict[Role, Actor]]]:
    with db.transaction(actors[Role.SYSTEM]) as session:
        yield session, actors
        session.rollback()


def accepted(session: Session, actor: Actor, subject: str) -> dict[int | None, int]:
    db.as_actor(session, actor)
    scores = service.evaluate(session, actor, subject, *YEAR)
    return {score.subject_id: score.denominator for score in scores if score.indicator == "filing"}


@pytest.mark.parametrize(
    ("subject", "column"), [("department", "unit_id"), ("community", "community_id"), ("class", "class_id")]
)
def test_a_league_counts_what_the_incidents_say(as_role, subject: str, column: str) -> None:
    session, actors = as_role
    moment = now()
    db.as_actor(session, actors[Role.SUPERVISOR])
    scores = service.evaluate(session, actors[Role.SUPERVISOR], subject, *YEAR, moment=moment)
    found = {
        score.subject_id: (score.numerator, score.denominator)
        for score in scores
        if score.indicator == "closing_on_time"
    }
    rows = session.execute(
        text(
            f"SELECT {column}, count(*) FILTER (WHERE closed_at <= due_at), count(*) FROM incident"
            " WHERE due_at <= :moment AND filed_at IS NOT NULL AND status <> 'void' GROUP BY 1"
        ),
        {"moment": moment},
    )
    assert {who: pair for who, pair in found.items() if pair[1]} == {who: (top, bottom) for who, top, bottom in rows}
    for score in scores:
        assert score.rate is None or score.low <= score.rate <= score.high
        assert score.too_few == (score.denominator < TOO_FEW)
        assert (score.rank_low is None) == (score.denominator == 0 or score.subject_id is None)


@pytest.mark.parametrize(("role", "subject"), REFUSED)
def test_a_role_compares_no_more_than_it_may(as_role, role: Role, subject: str) -> None:
    session, actors = as_role
    db.as_actor(session, actors[role])
    with pytest.raises(NotPermitted):
        service.evaluate(session, actors[role], subject, *YEAR)


def test_a_manager_is_shown_his_communities_and_a_handler_his_units(as_role) -> None:
    session, actors = as_role
    whole = accepted(session, actors[Role.SUPERVISOR], "community")
    assert accepted(session, actors[Role.AUDITOR], "community") == whole
    assert accepted(session, actors[Role.DISPATCHER], "community") == whole
    manager = actors[Role.GRID_MANAGER]
    assert accepted(session, manager, "community") == {
        who: count for who, count in whole.items() if who in manager.area_ids
    }
    handler = actors[Role.HANDLER]
    assert set(accepted(session, handler, "department")) <= set(handler.unit_ids)


def test_a_planner_gets_sums_and_no_fact(as_role) -> None:
    session, actors = as_role
    planner = actors[Role.PLANNER]
    whole = accepted(session, actors[Role.SUPERVISOR], "community")
    assert accepted(session, planner, "community") == {who: n for who, n in whole.items() if n >= TOO_FEW}
    assert session.scalar(text("SELECT count(*) FROM incident_fact")) == 0


def test_posts_are_desks_and_hold_no_rank(as_role) -> None:
    session, actors = as_role
    scores = service.evaluate(session, actors[Role.SUPERVISOR], "post", *YEAR)
    assert {score.name for score in scores} == {"acceptor", "dispatcher", "verifier"}
    assert {score.rank_low for score in scores} == {None}
    assert all(score.denominator for score in scores)


def test_a_trend_adds_up_to_the_league(as_role) -> None:
    session, actors = as_role
    chief = actors[Role.SUPERVISOR]
    months = service.trend(session, chief, "department", "filing", first=YEAR[0], last=YEAR[1])
    league = accepted(session, chief, "department")
    assert {who: sum(month.denominator for month in course) for who, course in months.items()} == league
    assert all([m.month for m in course] == sorted(m.month for m in course) for course in months.values())


def test_worker_scores_are_for_the_worker_and_the_manager_of_the_grid(as_role) -> None:
    session, actors = as_role
    manager = actors[Role.GRID_MANAGER]
    query = text(
        "SELECT w.id, bool_or(g.community_id = ANY (:mine)) FROM worker AS w JOIN unit_grid AS g"
        " ON g.responsibility_grid_id = w.responsibility_grid_id AND g.ended_on IS NULL GROUP BY 1 ORDER BY 1"
    )
    workers = session.execute(query, {"mine": list(manager.area_ids)}).all()
    mine = next(each for each, is_mine in workers if is_mine)
    others = next(each for each, is_mine in workers if not is_mine)
    himself = dataclasses.replace(actors[Role.GRID_WORKER], worker_id=mine)
    for actor in (himself, manager):
        db.as_actor(session, actor)
        scores = service.worker_scores(session, actor, mine, *YEAR)
        assert {score.rank_low for score in scores} == {None}
        assert max(score.denominator for score in scores) > 0
    for role in (Role.GRID_WORKER, Role.GRID_MANAGER, Role.SUPERVISOR, Role.AUDITOR, Role.HANDLER, Role.PLANNER):
        actor = himself if role is Role.GRID_WORKER else actors[role]
        db.as_actor(session, actor)
        with pytest.raises(NotPermitted):
            service.worker_scores(session, actor, others, *YEAR)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.PLANNER, Role.HANDLER])
def test_all_subjects_at_once_are_the_same_numbers(as_role, role: Role) -> None:
    session, actors = as_role
    actor, moment = actors[role], now()
    db.as_actor(session, actor)
    at_once = service.evaluate_all(session, actor, *YEAR, moment=moment)
    assert tuple(at_once) == subjects_for(role)
    for subject, scores in at_once.items():
        assert scores == service.evaluate(session, actor, subject, *YEAR, moment=moment), subject


def test_bad_questions_are_refused_in_words(as_role) -> None:
    session, actors = as_role
    chief = actors[Role.SUPERVISOR]
    with pytest.raises(InvalidInput, match="no subject"):
        service.evaluate(session, chief, "worker", *YEAR)
    with pytest.raises(InvalidInput, match="before the first"):
        service.evaluate(session, chief, "class", YEAR[1], YEAR[0])
    with pytest.raises(InvalidInput, match="three years"):
        service.evaluate(session, chief, "class", dt.date(2000, 1, 1), YEAR[1])
    with pytest.raises(InvalidInput, match="no indicator"):
        service.trend(session, chief, "class", "x", first=YEAR[0], last=YEAR[1])


def test_the_day_that_is_asked_about_is_kept_however_many_later_ones_are(
    as_role: tuple[Session, dict[Role, Actor]],
) -> None:
    session, actors = as_role
    home = actors[Role.SYSTEM].territory_id or 0
    session.execute(
        text(
            "INSERT INTO incident_fact_past SELECT CAST(d AS date), f.* FROM"
            " (SELECT * FROM incident_fact LIMIT 1) AS f,"
            " generate_series(DATE '2001-01-01', DATE '2001-01-01' + :more, INTERVAL '1 day') AS d"
        ),
        {"more": past.KEPT_DAYS},
    )
    past.let_go(session, home, dt.date(2001, 1, 1))
    days = session.scalars(text("SELECT DISTINCT day FROM incident_fact_past ORDER BY day")).all()
    assert (len(days), days[0], days[1]) == (past.KEPT_DAYS, dt.date(2001, 1, 1), dt.date(2001, 1, 3))
