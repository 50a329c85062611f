"""Layers of planning in the database: versions, people at homes, who may bring, what is recorded, where it counts."""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.access_work import answer_access
from app.cli import main
from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Role, system_actor
from core.progress import Silent
from geodata.db import transaction
from geodata.territory import find_territory
from people import accounts
from planning import accessing, layering, service
from planning.access_model import AccessQuestion
from planning.layer_files import Columns
from planning.layer_model import Growth
from planning.model import Question
from planning.terms import Terms


@pytest.fixture(scope="module")
def actors(demo_database):
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture
def people_file(demo_database, tmp_path):
    """Ten places inside the demo town, the first with twice as many people."""
    with transaction(system_actor()) as session:
        rows = session.execute(
            text("SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geom) AS p FROM building"
                 " WHERE people > 0 ORDER BY id LIMIT 10) AS homes")
        ).all()  # fmt: skip
    path = tmp_path / "people.csv"
    lines = [f"{lon},{lat},{20 if at == 0 else 10},{4},{6}" for at, (lon, lat) in enumerate(rows)]
    path.write_text("lon,lat,people,young,old\n" + "\n".join(lines))
    return path


def bring(actor, path, name="census", **more):
    with transaction(actor, purpose="bring a layer") as session:
        return layering.bring(session, actor, find_territory(session), "demand", path, name=name, year=2025, **more)


def test_what_is_brought_again_is_the_next_version_and_stands_in_the_record(actors, people_file) -> None:
    planner = actors[Role.PLANNER]
    first = bring(planner, people_file, columns=Columns(groups=("young", "old")))
    second = bring(planner, people_file)
    assert (first.revision, second.revision) == (1, 2)
    assert first.groups == ("young", "old")
    assert first.facts["people"] == 110
    with transaction(planner) as session:
        territory = find_territory(session)
        assert [each.id for each in layering.demand_layers(session, planner, territory)] == [second.id]
        people = layering.people_of(session, planner, first.id)
        assert people.people.sum() == pytest.approx(110)
        assert people.groups.sum(axis=0).tolist() == [40, 60]
        layering.retire(session, planner, second.id)
        assert layering.demand_layers(session, planner, territory) == ()
        assert len(layering.versions(session, planner, territory)) >= 2
        with pytest.raises(NotFound, match="There are: none"):
            layering.find(session, planner, territory, "demand", "census")
    with transaction(actors[Role.AUDITOR]) as session:
        acts = session.execute(
            text("SELECT action, count(*) FROM record WHERE subject_table = 'named_layer' GROUP BY 1 ORDER BY 1")
        ).all()
    assert dict(acts) == {"insert": 2, "update": 1}


def test_only_a_planner_brings_and_nobody_changes_a_place(actors, people_file) -> None:
    with pytest.raises(NotPermitted):
        bring(actors[Role.AUDITOR], people_file)
    made = bring(actors[Role.PLANNER], people_file, name="firm")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction(system_actor()) as session:
        session.execute(text("UPDATE layer_place SET weight = 1 WHERE layer_id = :layer"), {"layer": made.id})
    with transaction(actors[Role.DISPATCHER]) as session:
        assert session.execute(text("SELECT count(*) FROM layer_place")).scalar_one() == 0
    elsewhere = dataclasses.replace(actors[Role.PLANNER], territory_id=999)
    with transaction(elsewhere) as session, pytest.raises(NotFound):
        layering.get(session, elsewhere, made.id)


def test_a_layer_of_one_kind_is_not_taken_for_another(actors, people_file) -> None:
    made = bring(actors[Role.PLANNER], people_file, name="kinds")
    with transaction(actors[Role.PLANNER]) as session, pytest.raises(InvalidInput, match="holds no candidates"):
        layering.candidates_of(session, actors[Role.PLANNER], made.id)
    with pytest.raises(InvalidInput, match="needs a short name"):
        bring(actors[Role.PLANNER], people_file, name="  ")
    assert np.isfinite(made.facts["places"])


def test_access_counts_the_people_of_a_layer_by_group_with_an_assumed_growth(actors, people_file) -> None:
    planner = actors[Role.PLANNER]
    made = bring(planner, people_file, name="by age", columns=Columns(groups=("young", "old")))
    asked = AccessQuestion(("library",), "walk", 15.0, None, made.id, Growth(10.0, 2))
    assert asked.key != AccessQuestion(("library",)).key
    with transaction(planner) as session:
        row = accessing.ask(session, planner, find_territory(session), asked, queue=False)
    answer_access(planner, row.id, Silent())
    with transaction(planner) as session:
        kept = accessing.get(session, planner, row.id)
    assert kept.question == asked
    facts = kept.facts
    assert facts["now"]["people"] == pytest.approx(110 * 1.21)
    assert facts["demand"] == {"name": "by age", "year": 2025, "revision": 1, "growth": [10.0, 2]}
    groups = {each["name"]: each for each in facts["groups"]["rows"]}
    assert groups["young"]["people"] == pytest.approx(40 * 1.21)
    for each in groups.values():
        assert each["within"] + each["beyond"] + each["unreached"] == pytest.approx(each["people"])
    parts = facts["groups"]["theil"]
    assert parts["between"] + parts["within"] == pytest.approx(parts["total"])
    with transaction(planner) as session, pytest.raises(NotFound, match="no layer of demand"):
        accessing.ask(session, planner, find_territory(session), dataclasses.replace(asked, demand_id=10**6))


def test_the_commands_bring_a_layer_and_say_where_something_fits(people_file, capsys) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    code, out, _ = run(
        "layer", "bring", "demand", str(people_file), "--name", "told", "--groups", "young,old", "--json"
    )
    assert code == 0
    assert json.loads(out)["people"] == 110
    code, out, _ = run(
        "suitability", "park", "--cell-m", "100", "--demand", "told", "--keep", "parks", "--weight", "open=0", "--json"
    )
    found = json.loads(out)
    assert (code, found["kept"], found["cell_m"]) == (0, "parks, version 1", 100.0)
    assert found["areas"][0]["score"] <= found["bound"]
    assert "open" not in found["criteria"]
    for wrong, says in (
        (("suitability", "palace"), "no use 'palace'"),
        (("suitability", "park", "--weight", "road=2"), "does not weigh 'road'"),
        (("suitability", "park", "--limit", "water"), "no pair"),
        (("layer", "bring", "mud", str(people_file), "--name", "x"), "no kind of layer 'mud'"),
    ):
        code, _, err = run(*wrong)
        assert (code, says in err) == (2, True), err


def test_a_study_counts_the_people_of_a_layer_and_its_growth_and_says_the_same_again(actors, people_file) -> None:
    planner = actors[Role.PLANNER]
    made = bring(planner, people_file, name="for studies")
    terms = Terms(demand=made.id, demand_name="for studies, 2025", growth=10.0, years=1)
    assert Terms.of_json(terms.as_json()) == terms
    with transaction(planner) as session:
        question = Question("mclp", 1, "library", limit_min=10.0, candidates=60, terms=terms)
        study = service.ask(session, planner, find_territory(session), question, queue=False)
    with transaction(planner) as session:
        city, again = service.read_city(session, planner, study)
    assert again == question
    assert city.people.sum() == pytest.approx(121)
    with pytest.raises(InvalidInput, match="no useful assumption"):
        Terms(growth=50.0, years=1)


_BRING = (
    "INSERT INTO named_layer (territory_id, kind, name, revision, made_label, facts)"
    " SELECT id, 'zones', :name, 1, 'x', '{\"places\": 1}' FROM territory RETURNING id"
)
_PLACE = "INSERT INTO layer_place (layer_id, territory_id, geom) SELECT id, territory_id, 'SRID=4326;POINT(0 0)'"
MINE = {"name": "firm ground"}


@pytest.fixture(scope="module")
def layer(demo_database):
    with transaction(system_actor()) as session:
        made = session.execute(text(_BRING), MINE).scalar_one()
        session.execute(text(f"{_PLACE} FROM named_layer WHERE id = :id"), {"id": made})
    return made


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE named_layer SET facts = '{}' WHERE id = :id", "never changed"),
        ("UPDATE named_layer SET name = 'soft ground' WHERE id = :id", "never changed"),
        ("UPDATE named_layer SET made_at = now() WHERE id = :id", "never changed"),
        ("UPDATE named_layer SET grid = 'x' WHERE id = :id", "never changed"),
        ("DELETE FROM named_layer WHERE id = :id", "permission denied"),
        ("UPDATE layer_place SET weight = 7 WHERE layer_id = :id", "permission denied"),
        ("DELETE FROM layer_place WHERE layer_id = :id", "permission denied"),
        (f"{_PLACE} FROM named_layer WHERE id = :id", "come with their layer"),
    ],
)
def test_no_statement_changes_a_layer(layer, statement, says) -> None:
    with pytest.raises(DBAPIError, match=says), transaction(system_actor()) as session:
        session.execute(text(statement), {"id": layer})


def test_a_layer_ends_once_and_its_end_is_not_taken_back(layer) -> None:
    end = text("UPDATE named_layer SET retired_at = now() WHERE id = :id")
    with transaction(system_actor()) as session:
        session.execute(end, {"id": layer})
    with pytest.raises(DBAPIError, match="never changed"), transaction(system_actor()) as session:
        session.execute(text("UPDATE named_layer SET retired_at = NULL WHERE id = :id"), {"id": layer})


def test_a_time_of_bringing_cannot_be_said(demo_database) -> None:
    """By it places know whether they come with their layer; one that lies ahead would leave the door open."""
    ahead = _BRING.replace("made_label,", "made_label, made_at,").replace("'x', '{", "'x', '2100-01-01', '{")
    with transaction(system_actor()) as session:
        made = session.execute(text(ahead), {"name": "ahead"}).scalar_one()
        said = text("SELECT made_at = now() FROM named_layer WHERE id = :id")
        assert session.execute(said, {"id": made}).scalar_one()


def test_not_even_the_owner_deletes_or_rewrites(layer) -> None:
    owner = create_engine(os.environ["GRIDKEEPER_OWNER_DATABASE_URL"])
    for statement in (
        "DELETE FROM named_layer",
        "DELETE FROM layer_place",
        "UPDATE layer_place SET weight = 7",
        "TRUNCATE layer_place",
    ):
        with pytest.raises(DBAPIError, match="never"), owner.begin() as connection:
            connection.execute(text(statement))
    owner.dispose()
