"""Studies in the database: asked, answered by a job, kept; who may see them; nothing built where nothing can stand."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import Engine, text

import app.jobs
from app.studies import answer_study
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from core.progress import Silent
from geodata import catalogue, db, jobs
from geodata.territory import TerritoryInfo, find_territory
from people import accounts
from planning import service
from planning.model import Question

QUESTION = Question("mclp", 2, "clinic", "walk", 4.0, candidates=60)
assert app.jobs  # the kinds of job are registered by importing it


@pytest.fixture(scope="module")
def town(demo_database: Engine) -> TerritoryInfo:
    with db.transaction(system_actor()) as session:
        return find_territory(session)


@pytest.fixture(scope="module")
def actors(town: TerritoryInfo) -> dict[Role, Actor]:
    with db.transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


def asked(actor: Actor, town: TerritoryInfo, question: Question = QUESTION, **more: object) -> int:
    with db.transaction(actor) as session:
        return service.ask(session, actor, town, question, **more)


def detail(actor: Actor, study_id: int) -> service.StudyDetail:
    with db.transaction(actor) as session:
        return service.study_detail(session, actor, study_id)


def work() -> None:
    jobs.work(jobs.queue_app(), forever=False)


@pytest.fixture(scope="module")
def answered(town: TerritoryInfo, actors: dict[Role, Actor]) -> int:
    study_id = asked(actors[Role.PLANNER], town, title="  Two  clinics ")
    before = detail(actors[Role.PLANNER], study_id)
    assert (before.study.state, before.job.state) == ("asked", "waiting")
    work()
    return study_id


def test_a_job_answers_and_everybody_is_counted(answered: int, actors: dict[Role, Actor]) -> None:
    found = detail(actors[Role.PLANNER], answered)
    study, facts = found.study, found.study.facts
    assert (study.state, study.title, study.question, found.job.state) == ("answered", "Two clinics", QUESTION, "done")
    assert study.gap <= 0.02
    assert study.objective <= study.bound + 1e-6
    assert [site.number for site in found.sites] == [1, 2]
    assert sum(site.people for site in found.sites) == pytest.approx(facts["people"]), "no clinic was there before"
    assert sum(site.within for site in found.sites) == pytest.approx(facts["within_then"])
    assert all(site.street and site.community_id and site.grid_id for site in found.sites)
    assert {ground.kind for ground in found.grounds} <= {"catchment", "left_out"}
    served = sum(ground.people for ground in found.grounds if ground.kind == "catchment")
    assert served == pytest.approx(facts["people"])
    assert sum(row["people"] for row in facts["communities"]) == pytest.approx(facts["people"])
    assert facts["curve"]["then"] == sorted(facts["curve"]["then"])
    assert facts["curve"]["now"] is None


def test_the_catalogue_tells_what_a_study_read_together(answered: int, actors: dict[Role, Actor]) -> None:
    assert answered
    with db.transaction(actors[Role.SUPERVISOR]) as session:
        used = {each.joined for each in catalogue.uses(session, actors[Role.SUPERVISOR], "facilities")
                if each.way == "study"}  # fmt: skip
    assert used == {("streets",)}


def test_the_record_tells_who_asked_and_the_job_answered_in_his_name(answered: int, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    entries = detail(planner, answered).history
    assert [entry.action for entry in entries] == ["insert", "update", "update"]
    assert {entry.actor_label for entry in entries} == {planner.label}
    assert entries[-1].changes["state"] == ("asked", "answered")
    assert entries[-1].purpose == "answer a study"


def test_sites_stand_where_something_can_be_built(
    answered: int, actors: dict[Role, Actor], town: TerritoryInfo
) -> None:
    for site in detail(actors[Role.PLANNER], answered).sites:
        with db.transaction(system_actor()) as session:
            taken = session.execute(
                text(
                    "WITH site AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography AS at)"
                    " SELECT (SELECT count(*) FROM building, site WHERE ST_DWithin(geom::geography, at, 11.9))"
                    " + (SELECT count(*) FROM land_cover, site WHERE ST_DWithin(geom::geography, at, 11.9))"
                    " + (SELECT count(*) FROM road, site WHERE ST_DWithin(geom::geography, at, 16.9))"
                ),
                {"lon": site.lon, "lat": site.lat},
            ).scalar_one()
        assert taken == 0


@pytest.mark.parametrize("role", [Role.GRID_MANAGER, Role.SUPERVISOR, Role.AUDITOR])
def test_who_decides_and_oversees_reads_but_does_not_ask(
    answered: int, actors: dict[Role, Actor], town: TerritoryInfo, role: Role
) -> None:
    found = detail(actors[role], answered)
    assert found.study.state == "answered"
    assert len(found.history) == 3
    with pytest.raises(NotPermitted):
        asked(actors[role], town)


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.HANDLER, Role.ADMINISTRATOR])
def test_others_see_no_study_not_even_by_a_query_of_their_own(
    answered: int, actors: dict[Role, Actor], role: Role
) -> None:
    with pytest.raises(NotPermitted):
        detail(actors[role], answered)
    with db.transaction(actors[role]) as session:
        for table in ("study", "study_site", "study_ground"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_another_territory_sees_nothing(answered: int, actors: dict[Role, Actor], town: TerritoryInfo) -> None:
    stranger = dataclasses.replace(actors[Role.PLANNER], territory_id=town.id + 1)
    with pytest.raises(NotFound):
        detail(stranger, answered)
    with pytest.raises(NotPermitted):
        asked(stranger, town)


def test_an_answered_study_is_not_asked_again(answered: int, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    with pytest.raises(Conflict, match="answer already"), db.transaction(planner) as session:
        service.ask_again(session, planner, answered)
    before = detail(planner, answered).study
    answer_study(planner, answered, Silent())
    assert detail(planner, answered).study == before, "the first answer stays"


def test_a_cancelled_study_begins_again(town: TerritoryInfo, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    study_id = asked(planner, town)
    with pytest.raises(Conflict, match="being answered"), db.transaction(planner) as session:
        service.ask_again(session, planner, study_id)
    with db.transaction(planner) as session:
        service.cancel(session, planner, study_id)
    work()
    assert (detail(planner, study_id).study.state, detail(planner, study_id).job.state) == ("asked", "cancelled")
    with db.transaction(planner) as session:
        service.ask_again(session, planner, study_id)
    work()
    assert detail(planner, study_id).study.state == "answered"


def test_colleagues_see_the_work_of_a_study_and_do_not_begin_it_twice(
    town: TerritoryInfo, actors: dict[Role, Actor]
) -> None:
    planner = actors[Role.PLANNER]
    colleague = dataclasses.replace(planner, user_id=actors[Role.AUDITOR].user_id, label="colleague")
    study_id = asked(planner, town)
    for reader in (colleague, actors[Role.GRID_MANAGER], actors[Role.AUDITOR]):
        assert detail(reader, study_id).job.state == "waiting", reader.role
    with pytest.raises(Conflict, match="being answered"), db.transaction(colleague) as session:
        service.ask_again(session, colleague, study_id)
    with db.transaction(colleague) as session:
        service.cancel(session, colleague, study_id)
        # The rights lent for looking at the work are given back.
        assert session.execute(text("SELECT gk_role()")).scalar_one() == Role.PLANNER
    assert detail(planner, study_id).job.state == "cancelled"
    with pytest.raises(NotPermitted), db.transaction(actors[Role.AUDITOR]) as session:
        service.cancel(session, actors[Role.AUDITOR], study_id)


def test_cancelling_in_the_middle_keeps_nothing(
    town: TerritoryInfo, actors: dict[Role, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    planner = actors[Role.PLANNER]
    study_id = asked(planner, town)
    original = jobs.RowProgress.step

    def step(self: jobs.RowProgress, name: str, total: int | None = None) -> None:
        if name == "Travel times":
            with db.transaction(planner) as session:
                service.cancel(session, planner, study_id)
        original(self, name, total)

    monkeypatch.setattr(jobs.RowProgress, "step", step)
    work()
    found = detail(planner, study_id)
    assert (found.study.state, found.job.state, found.sites) == ("asked", "cancelled", ())


def test_a_town_without_roads_to_drive_on_is_a_sentence(town: TerritoryInfo, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    study_id = asked(planner, town, dataclasses.replace(QUESTION, mode="drive"))
    with db.transaction(system_actor()) as session:
        session.execute(text("UPDATE road SET drivable = false WHERE territory_id = :id"), {"id": town.id})
    work()
    found = detail(planner, study_id)
    assert found.job.state == "failed"
    assert "no roads to drive on" in found.job.message


def test_a_town_without_room_has_no_answer_and_says_why(town: TerritoryInfo, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    study_id = asked(planner, town)  # after the test above no road for cars is left to build at
    work()
    found = detail(planner, study_id).study
    assert (found.state, found.facts["binding"], found.facts["candidates"]) == ("infeasible", "candidates", 0)
    with pytest.raises(InvalidInput, match="61 sites are asked for, but only 60 candidates"):
        dataclasses.replace(QUESTION, p=61)
