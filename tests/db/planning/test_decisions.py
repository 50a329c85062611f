"""Decisions in the database: proposed by one, signed by another, never rewritten; run again; a watched search."""

from __future__ import annotations

import dataclasses
import json

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from app.studies import answer_study
from app.study_watch import Watch
from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Actor, Role, system_actor
from core.progress import Silent
from geodata import db
from geodata.record import first_bad
from geodata.territory import TerritoryInfo, find_territory
from people import accounts
from planning import deciding, fronting, living, service
from planning.acts import digest
from planning.model import Question
from planning.terms import OwnPlace, Terms

QUESTION = Question("mclp", 2, "clinic", "walk", 4.0, candidates=60)


@pytest.fixture(scope="module")
def town(demo_database: Engine) -> TerritoryInfo:
    with db.transaction(system_actor()) as session:
        return find_territory(session)


@pytest.fixture(scope="module")
def actors(town: TerritoryInfo) -> dict[Role, Actor]:
    with db.transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


def asked(actor: Actor, town: TerritoryInfo, question: Question = QUESTION) -> int:
    with db.transaction(actor) as session:
        return service.ask(session, actor, town, question, queue=False)


@pytest.fixture(scope="module")
def answered(town: TerritoryInfo, actors: dict[Role, Actor]) -> int:
    study_id = asked(actors[Role.PLANNER], town)
    answer_study(actors[Role.PLANNER], study_id, Silent())
    return study_id


def test_run_again_gives_the_same_answer_from_the_same_data(answered: int, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        again = service.run_again(session, planner, answered)
    answer_study(planner, again, Silent())
    with db.transaction(planner) as session:
        first, second = (service.study_detail(session, planner, each) for each in (answered, again))
    assert second.study.parent_id == answered
    assert second.study.question == first.study.question
    assert second.sites == first.sites
    assert second.study.facts["ground"] == first.study.facts["ground"]
    assert (second.study.objective, second.study.bound) == (first.study.objective, first.study.bound)


def test_two_persons_decide_and_the_record_holds_it(answered: int, actors: dict[Role, Actor]) -> None:
    planner, supervisor = actors[Role.PLANNER], actors[Role.SUPERVISOR]
    with pytest.raises(InvalidInput, match="not said why"), db.transaction(planner) as session:
        deciding.propose(session, planner, answered, reason="  ", program="x")
    with db.transaction(planner) as session:
        one = deciding.propose(session, planner, answered, reason="Nearest to the new quarter.", program="Gridkeeper 1")
    with pytest.raises(Conflict, match="proposed already"), db.transaction(planner) as session:
        deciding.propose(session, planner, answered, reason="again", program="x")
    with pytest.raises(NotPermitted), db.transaction(planner) as session:
        deciding.sign(session, planner, one, version=1)
    both = dataclasses.replace(planner, role=Role.SUPERVISOR)
    with pytest.raises(NotPermitted, match="does not sign"), db.transaction(both) as session:
        deciding.sign(session, both, one, version=1)
    with pytest.raises(Conflict, match="meanwhile"), db.transaction(supervisor) as session:
        deciding.sign(session, supervisor, one, version=7)
    with db.transaction(supervisor) as session:
        deciding.sign(session, supervisor, one, version=1, note="Agreed.")
    with db.transaction(actors[Role.GRID_MANAGER]) as session:
        found = deciding.detail(session, actors[Role.GRID_MANAGER], one)
    decision = found.decision
    assert (decision.state, decision.note, decision.version) == ("signed", "Agreed.", 2)
    assert (decision.proposed_label, decision.decided_label) == (planner.label, supervisor.label)
    assert found.holds
    assert digest(decision.content) == decision.content_sha256
    said = json.loads(decision.content)
    assert [site["number"] for site in said["sites"]] == [1, 2]
    assert said["answer"]["gap"] == found.study.gap
    assert said["question"]["seed"] == QUESTION.seed
    assert said["data"]["roads"]
    assert [each["study"] for each in said["aside"]], "the answer of the run again is left aside"
    assert [entry.action for entry in found.history] == ["insert", "update"]
    with db.transaction(system_actor()) as session:
        assert first_bad(session) is None
    with pytest.raises(Conflict, match="meanwhile"), db.transaction(supervisor) as session:
        deciding.refuse(session, supervisor, one, version=2, note="No.")


@pytest.mark.parametrize(
    ("role", "change"),
    [
        (Role.PLANNER, "state = 'signed'"),
        (Role.SUPERVISOR, "content = 'x', content_sha256 = encode(sha256('x'), 'hex')"),
        (Role.SUPERVISOR, "reason = 'other'"),
        (Role.PLANNER, "content = content || ' '"),
    ],
)
def test_the_database_refuses_what_the_pages_do_not_offer(
    answered: int, town: TerritoryInfo, actors: dict[Role, Actor], role: Role, change: str
) -> None:
    planner, actor = actors[Role.PLANNER], actors[role]
    with db.transaction(planner) as session:
        for each in deciding.of_study(session, planner, answered):
            if each.state == "proposed":
                deciding.withdraw(session, planner, each.id, version=each.version)
        fresh = [each for each in service.list_studies(session, planner, town) if each[0].state == "answered"]
        other = next(study.id for study, _ in fresh if study.id != answered)
        for each in deciding.of_study(session, planner, other):
            if each.state == "proposed":
                deciding.withdraw(session, planner, each.id, version=each.version)
        one = deciding.propose(session, planner, other, reason="x", program="x")
    with pytest.raises(ProgrammingError, match="rewritten|does not sign|hash"), db.transaction(actor) as session:
        session.execute(text(f"UPDATE study_decision SET {change} WHERE id = :one"), {"one": one})
    with db.transaction(planner) as session:
        assert deciding.detail(session, planner, one).decision.state == "proposed"


def test_a_search_is_watched_and_ends_with_the_best_when_told(
    town: TerritoryInfo, actors: dict[Role, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    planner = actors[Role.PLANNER]
    study_id = asked(planner, town, dataclasses.replace(QUESTION, kind="p-median"))
    monkeypatch.setattr("app.study_watch.WRITTEN_EVERY_S", 0.0)
    noted = living.note

    def note(session: object, actor: Actor, one: int, trail: object, people: float) -> bool:
        noted(session, actor, one, trail, people)  # type: ignore[arg-type]
        return True

    monkeypatch.setattr(living, "note", note)
    found = answer_study(planner, study_id, Silent())
    assert found.status in {"feasible", "optimal"}
    assert found.facts["stopped"]
    assert len(found.sites) == 2
    seconds, best, bound = zip(*found.facts["trail"], strict=True)
    assert list(seconds) == sorted(seconds)
    assert list(best) == sorted(best, reverse=True)
    assert all(low <= high + 1e-6 for low, high in zip(bound, best, strict=True))
    with db.transaction(planner) as session:
        assert living.live(session, planner, study_id) is None, "a passing state passes"
        with pytest.raises(Conflict, match="not being answered"):
            living.stop_and_keep(session, planner, study_id)
    assert Watch(planner, study_id, 1.0, Silent()).trail == ()


def test_what_is_left_out_is_counted_with_its_reason(town: TerritoryInfo, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    with db.transaction(system_actor()) as session:
        lon, lat, far = session.execute(
            text("SELECT ST_X(p), ST_Y(p), ST_XMax(boundary) + 1 FROM territory,"
                 " LATERAL (SELECT ST_PointOnSurface(geom) AS p FROM building WHERE territory_id = :id"
                 " ORDER BY id LIMIT 1) AS b WHERE territory.id = :id"),
            {"id": town.id},
        ).one()  # fmt: skip
    places = (OwnPlace(lon, lat), OwnPlace(lon, lat, area_m2=20.0), OwnPlace(far, lat))
    terms = Terms(places=places, sifted=True, least_m2=300.0)
    study_id = asked(planner, town, Question("mclp", 1, "clinic", "walk", 4.0, candidates=60, terms=terms))
    found = answer_study(planner, study_id, Silent())
    assert found.facts["excluded"] == {"too_small": 1, "outside": 1}
    assert len(found.facts["excluded_at"]["outside"]) == 1
    assert found.facts["candidates_at"] == [[round(lon, 5), round(lat, 5)]]
    houses = Question("mclp", 1, "clinic", "walk", 4.0, candidates=60, terms=Terms(source="buildings", least_m2=40.0))
    again = answer_study(planner, asked(planner, town, houses), Silent())
    assert again.facts["candidates"] > 0 or again.facts["binding"] == "candidates"


def test_fronts_are_kept_and_a_point_becomes_a_study(answered: int, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        fronting.ask(session, planner, answered)
        with pytest.raises(Conflict, match="computed already"):
            fronting.ask(session, planner, answered)
        sites = service.study_detail(session, planner, answered).sites
        points = [{"places": [[site.lon, site.lat] for site in sites]}]
        fronting.keep(session, planner, answered, [{"trade": "efficiency-equity", "points": points}])
        with pytest.raises(InvalidInput, match="no such point"):
            fronting.choose(session, planner, answered, 0, 1)
        fresh = fronting.choose(session, planner, answered, 0, 0)
        study = service.study_detail(session, planner, fresh).study
    assert study.parent_id == answered
    assert study.question.terms.by_hand == tuple((site.lon, site.lat) for site in sites)
