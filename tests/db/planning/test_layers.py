"""Layers of planning in the database: versions, people at homes, who may bring, what is recorded, where it counts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Role, system_actor
from geodata.db import transaction
from geodata.territory import find_territory
from people import accounts
from planning import layering
from planning.layer_files import Columns


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
