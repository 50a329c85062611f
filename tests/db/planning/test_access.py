"""Access in the database: asked once, answered by a job, compared with a study; norms kept, recorded, guarded."""

from __future__ import annotations

import dataclasses
import json
import sqlite3

import numpy as np
import pytest
from sqlalchemy import Engine, text

import app.jobs
from app.cli import main
from app.studies import answer_study
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from core.progress import Silent
from geodata import db, jobs
from geodata.bulk import begin_load
from geodata.territory import TerritoryInfo, find_territory
from people import accounts
from planning import accessing, service
from planning.access_model import AccessQuestion, AccessRow
from planning.model import Question
from planning.norms import SHIPPED, Norm

QUESTION = AccessQuestion(("library",), "walk", 5.0)
READERS = (Role.PLANNER, Role.GRID_MANAGER, Role.SUPERVISOR, Role.AUDITOR)
assert app.jobs  # the kinds of job are registered by importing it


@pytest.fixture(scope="module")
def town(demo_database: Engine) -> TerritoryInfo:
    with db.transaction(system_actor()) as session:
        return find_territory(session)


@pytest.fixture(scope="module")
def actors(town: TerritoryInfo) -> dict[Role, Actor]:
    with db.transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


def ask(actor: Actor, town: TerritoryInfo, question: AccessQuestion = QUESTION) -> AccessRow:
    with db.transaction(actor) as session:
        return accessing.ask(session, actor, town, question)


def answered(actor: Actor, town: TerritoryInfo, question: AccessQuestion = QUESTION) -> AccessRow:
    ask(actor, town, question)
    jobs.work(jobs.queue_app(), forever=False)
    return ask(actor, town, question)


def test_a_job_answers_once_for_everybody_and_counts_all(town: TerritoryInfo, actors: dict[Role, Actor]) -> None:
    first = ask(actors[Role.AUDITOR], town)
    assert (first.state, ask(actors[Role.PLANNER], town).job_id) == ("asked", first.job_id)
    found = answered(actors[Role.GRID_MANAGER], town)
    assert (found.id, found.state, found.fresh) == (first.id, "answered", True)
    now = found.facts["now"]
    with db.transaction(actors[Role.PLANNER]) as session:
        everybody = session.execute(text("SELECT sum(people) FROM building")).scalar_one()
        cells = accessing.cells_of_answer(session, actors[Role.PLANNER], found.id)
    assert now["people"] == pytest.approx(everybody)
    assert now["within"] + now["beyond"] + now["unreached"] == pytest.approx(everybody)
    assert sum(row["people"] for row in found.facts["communities"]) == pytest.approx(everybody)
    assert sum(spot[2] for spot in found.facts["unserved"]) == pytest.approx(everybody - now["within"], rel=1e-3)
    assert cells.people.sum() <= everybody + 1e-6
    assert now["equity"]["theil"]["between"] + now["equity"]["theil"]["within"] == pytest.approx(
        now["equity"]["theil"]["total"]
    )
    assert np.isclose(cells.within.sum(), now["within"], rtol=0.01)


def test_a_study_is_compared_and_a_basket_adds_up(town: TerritoryInfo, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        study = service.ask(session, planner, town, Question("p-median", 2, "library", candidates=60), queue=False)
    with pytest.raises(InvalidInput, match="no sites yet"):
        ask(planner, town, dataclasses.replace(QUESTION, study_id=study))
    answer_study(planner, study, Silent())
    found = answered(planner, town, dataclasses.replace(QUESTION, study_id=study))
    then, now = found.facts["then"], found.facts["now"]
    assert then["within"] > now["within"]
    assert then["within"] == pytest.approx(sum(row["within_then"] for row in found.facts["communities"]))
    assert found.facts["sites"] == 2
    with pytest.raises(InvalidInput, match="not of school"):
        ask(planner, town, AccessQuestion(("school",), study_id=study))
    basket = answered(planner, town, AccessQuestion(("library", "hospital"), "walk", 5.0)).facts["now"]
    assert sum(basket["kinds"]) == pytest.approx(basket["people"])
    assert basket["kinds"][2] == pytest.approx(basket["within"])
    assert basket["within"] <= min(basket["each_kind"].values()) + 1e-6


def test_new_data_make_an_answer_old(town: TerritoryInfo, actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    old = answered(planner, town)
    loader = system_actor(town.id)
    with db.transaction(loader) as session:
        begin_load(session, territory_id=town.id, kind="x", source_name="x", content_sha256="x", actor=loader)
    with db.transaction(planner) as session:
        assert not accessing.find(session, planner, town, QUESTION).fresh
    assert answered(planner, town).id == old.id


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.HANDLER, Role.ADMINISTRATOR])
def test_others_see_neither_access_nor_norms(town: TerritoryInfo, actors: dict[Role, Actor], role: Role) -> None:
    with pytest.raises(NotPermitted):
        ask(actors[role], town)
    with db.transaction(actors[role]) as session:
        assert session.execute(text("SELECT count(*) FROM access_answer")).scalar_one() == 0
        with pytest.raises(NotPermitted):
            accessing.list_norms(session, actors[role], town)


def test_a_norm_is_set_recorded_and_taken_back(town: TerritoryInfo, actors: dict[Role, Actor]) -> None:
    planner, shipped = actors[Role.PLANNER], next(norm for norm in SHIPPED if norm.facility_kind == "park")
    with db.transaction(planner, purpose="set a norm") as session:
        kept = accessing.set_norm(session, planner, town, dataclasses.replace(shipped, radius_m=300.0))
        again = accessing.set_norm(session, planner, town, dataclasses.replace(kept, active=False))
        with pytest.raises(Conflict):
            accessing.set_norm(session, planner, town, kept)
    assert (kept.version, again.version, again.radius_m) == (1, 2, 300.0)
    for role in READERS:
        with db.transaction(actors[role]) as session:
            found = {norm.key: norm for norm in accessing.list_norms(session, actors[role], town)}
            assert not found[shipped.key].active
            acts = session.execute(text("SELECT action FROM record WHERE subject_table = 'norm' ORDER BY seq"))
            assert [act for (act,) in acts] == ["insert", "update"]
    with db.transaction(actors[Role.SUPERVISOR]) as session, pytest.raises(NotPermitted):
        accessing.set_norm(session, actors[Role.SUPERVISOR], town, shipped)
    with db.transaction(planner) as session:
        assert accessing.drop_norm(session, planner, town, *shipped.key) == shipped
        with pytest.raises(NotFound):
            accessing.drop_norm(session, planner, town, *shipped.key)
        with pytest.raises(InvalidInput):
            accessing.set_norm(session, planner, town, Norm("park", "x", "", "walk", "x", ""))


def test_the_commands_answer_and_write_files(town: TerritoryInfo, tmp_path, capsys) -> None:
    out = tmp_path / "a.gpkg"
    for arguments in (
        ("access", "--facility", "library", "--minutes", "5", "--json", "--out", str(out)),
        ("access", "--facility", "library", "--minutes", "5", "--json", "--out", str(tmp_path / "a.csv")),
        ("norms", "set", "clinic", "city clinic", "--source", "City plan", "--radius-m", "800", "--json"),
        ("norms", "list", "--json"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert ended.value.code == 0
        told = json.loads(capsys.readouterr().out)
    assert any(norm["level"] == "city clinic" and norm["own"] for norm in told["norms"])
    with sqlite3.connect(out) as file:
        layers = dict(file.execute("SELECT table_name, identifier FROM gpkg_contents"))
    assert {"communities", "grids", "facilities"} <= set(layers)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8-sig").startswith("code,name,name_zh,people,within")
