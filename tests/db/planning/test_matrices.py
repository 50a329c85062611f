"""A matrix of the planner's own in the database: brought once, asked by, and the same answer again on another map."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from app import study_words, transit_work
from app.access_work import answer_access
from app.studies import answer_study
from core.errors import InvalidInput, NotPermitted
from core.identity import Role, system_actor
from core.progress import Silent
from geodata.db import transaction
from geodata.roads import network_of
from geodata.territory import find_territory
from geodata.travel import matrix_s
from people import accounts
from planning import accessing, layering, matrices, service, timetables
from planning.access_model import AccessQuestion
from planning.model import Question
from planning.posing import metric
from planning.terms import OwnPlace, Terms

WALK_M_S = 1.25


@pytest.fixture(scope="module")
def actors(demo_database):
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture(scope="module")
def brought(actors, tmp_path_factory):
    """A matrix of straight ways to eight places and the libraries that are there, as a table in another order."""
    planner = actors[Role.PLANNER]
    with transaction(planner) as session:
        town = find_territory(session)
        homes = matrices.people_at(session, planner, town, None)[0]
        candidates = [OwnPlace(float(lon), float(lat)) for lon, lat in homes[:: len(homes) // 8][:8]]
        places = matrices.expected(session, planner, town, demand_id=None, candidates=candidates, kind="library")
    rows, columns = (metric(each, town.metric_srid) for each in (places.rows, places.columns))
    seconds = np.hypot(*(rows[:, None] - columns[None]).transpose(2, 0, 1)) / WALK_M_S
    path = tmp_path_factory.mktemp("matrix") / "by-bus.csv"
    names = list(reversed(places.column_names))
    lines = [
        ",".join([name, *(f"{second:.1f}" for second in row[::-1])])
        for name, row in zip(places.row_names, seconds, strict=True)
    ]
    path.write_text("\n".join([",".join(["id", *names]), *reversed(lines)]))
    with transaction(planner, purpose="bring a matrix") as session:
        info = matrices.bring(session, planner, town, places, path, name="by bus", shown="by-bus.csv")
    return path, places, info, np.round(seconds, 1)


def question_of(brought, **more) -> Question:
    _, places, info, _ = brought
    own = tuple(OwnPlace(float(lon), float(lat)) for lon, lat in places.candidates)
    return Question("p-median", 2, "library", limit_min=10.0, terms=matrices.named(Terms(places=own, **more), info))


def answered(planner, question, **more) -> service.StudyDetail:
    with transaction(planner) as session:
        study = service.ask(session, planner, find_territory(session), question, queue=False, **more)
    answer_study(planner, study, Silent())
    with transaction(planner) as session:
        return service.study_detail(session, planner, study)


def test_it_is_kept_once_with_its_hash_and_only_planners_bring_it(brought, actors) -> None:
    path, places, info, seconds = brought
    planner = actors[Role.PLANNER]
    assert (info.kind, info.facts["candidates"], info.facts["places"]) == ("matrix", 8, len(places.rows))
    with transaction(planner) as session:
        kept = matrices.read(session, planner, info.id)
        again = matrices.bring(session, planner, find_territory(session), places, path, name="other", shown="x.csv")
    assert np.allclose(kept.od_s, seconds, atol=1e-3)
    assert again.id == info.id
    with pytest.raises(NotPermitted), transaction(actors[Role.AUDITOR]) as session:
        matrices.bring(
            session, actors[Role.AUDITOR], find_territory(session), dataclasses.replace(places, kind="school"), path,
            name="x", shown="x.csv",
        )  # fmt: skip


def test_a_study_goes_by_it_and_gives_the_same_answer_on_another_map(brought, actors) -> None:
    planner = actors[Role.PLANNER]
    first = answered(planner, question_of(brought))
    _, places, info, seconds = brought
    least = seconds[:, 8:].min(axis=1)
    best = min(
        float(places.people @ np.minimum(least, seconds[:, [one, other]].min(axis=1)))
        for one in range(8)
        for other in range(one)
    )
    assert first.study.status == "optimal"
    assert first.study.objective == pytest.approx(best, rel=1e-5)
    assert first.study.question.terms.matrix_sha256 == info.facts["sha256"]
    with transaction(system_actor()) as session:
        session.execute(text("UPDATE building SET people = people * 2 WHERE id % 2 = 0"))
        session.execute(text("DELETE FROM facility WHERE kind = 'library'"))
    with transaction(planner) as session:
        other = service.run_again(session, planner, first.study.id)
    answer_study(planner, other, Silent())
    with transaction(planner) as session:
        second = service.study_detail(session, planner, other)
    assert [(each.lon, each.lat) for each in second.sites] == [(each.lon, each.lat) for each in first.sites]
    assert (second.study.objective, second.study.bound) == (first.study.objective, first.study.bound)
    for name in ("within_then", "mean_s_then", "mean_s_now"):
        assert second.study.facts[name] == first.study.facts[name]


def test_places_it_does_not_know_are_refused_and_a_plan_by_hand_takes_the_nearest_it_knows(brought, actors) -> None:
    planner = actors[Role.PLANNER]
    asked = question_of(brought)
    far = (0.0, 0.0)
    for terms, says in (
        (dataclasses.replace(asked.terms, also=(far,)), "no ways to 1 of 9 places"),
        (dataclasses.replace(asked.terms, closed=(far,)), "knows no streets"),
        (dataclasses.replace(asked.terms, places=()), "says which places"),
    ):
        with transaction(planner) as session, pytest.raises(InvalidInput, match=says):
            service.ask(session, planner, find_territory(session), dataclasses.replace(asked, terms=terms))
    with transaction(planner) as session, pytest.raises(InvalidInput, match="leads to library, not to school"):
        wrong = dataclasses.replace(asked, facility_kind="school")
        service.ask(session, planner, find_territory(session), wrong)
    known = asked.terms.places[3]
    with transaction(planner) as session:
        moved = matrices.settled(session, planner, asked.terms, [(known.lon + 2e-5, known.lat)])
    assert moved == ((known.lon, known.lat),)


def test_access_is_counted_by_it(brought, actors) -> None:
    planner = actors[Role.PLANNER]
    _, places, info, seconds = brought
    asked = AccessQuestion(("library",), limit_min=5.0, matrix_id=info.id)
    with transaction(planner) as session:
        row = accessing.ask(session, planner, find_territory(session), asked, queue=False)
    answer_access(planner, row.id, Silent())
    with transaction(planner) as session:
        kept = accessing.get(session, planner, row.id)
    assert kept.question == asked
    near = seconds[:, 8:].min(axis=1) <= 300.0
    assert kept.facts["now"]["within"] == pytest.approx(places.people[near].sum(), rel=1e-6)
    assert kept.facts["demand"]["matrix"]["sha256"] == info.facts["sha256"]
    with transaction(planner) as session, pytest.raises(InvalidInput, match="leads to library, not to school"):
        wrong = dataclasses.replace(asked, kinds=("school",))
        accessing.ask(session, planner, find_territory(session), wrong)
    with transaction(planner) as session:
        layering.retire(session, planner, info.id)
        assert matrices.offered(session, planner, find_territory(session)) == ()
        assert matrices.read(session, planner, info.id).sha256 == info.facts["sha256"]


@pytest.fixture
def timetable(actors, tmp_path):
    """A bus that runs across the town every ten minutes of a working day, as a page keeps it."""
    planner = actors[Role.PLANNER]
    with transaction(planner) as session:
        west, south, east, north = find_territory(session).bounds
    at = np.linspace([west, south], [east, north], 22)[1:-1]
    rides = [
        (f"{way}{number}", order, f"s{stop}", f"{time // 3600:02}:{time // 60 % 60:02}:00")
        for way, stops in (("out", range(20)), ("back", range(19, -1, -1)))
        for number in range(30)
        for order, stop in enumerate(stops)
        for time in [7 * 3600 + 600 * number + 60 * order]
    ]
    tables = {
        "stops": "stop_id,stop_lat,stop_lon\n" + "".join(f"s{n},{lat},{lon}\n" for n, (lon, lat) in enumerate(at)),
        "trips": "service_id,trip_id\n" + "".join(f"week,{name}\n" for name in dict.fromkeys(row[0] for row in rides)),
        "stop_times": "trip_id,stop_sequence,stop_id,arrival_time,departure_time\n"
        + "".join(f"{trip},{order},{stop},{time},{time}\n" for trip, order, stop, time in rides),
        "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "week,1,1,1,1,1,0,0,20260101,20261231\n",
    }

    def sent() -> str:
        path = tmp_path / "0123456789abcdef.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in tables.items():
                archive.writestr(f"{name}.txt", content)
        return str(path)

    return sent


def wanted(feed: str, **more) -> dict:
    asked = timetables.TransitAsked("by bus, morning", (feed,), ("town-buses.zip",), "2026-11-25", 480, 60)
    return dataclasses.asdict(dataclasses.replace(asked, **more))


def test_ways_by_public_transport_are_computed_from_a_timetable_and_kept_as_a_matrix(actors, timetable) -> None:
    planner, feed = actors[Role.PLANNER], timetable()
    made = transit_work.compute(planner, wanted(feed, kind="school", plots=6), Silent())
    assert not Path(feed).exists()
    with transaction(planner) as session:
        town = find_territory(session)
        info = next(each for each in matrices.offered(session, planner, town) if each.id == made["layer"])
        own = matrices.read(session, planner, info.id)
        asked = Terms(places=matrices.places_of(own))
        question = Question("p-median", 2, "school", limit_min=15.0, terms=matrices.named(asked, info))
        walked = matrix_s(*foot(session, town, own))
    assert info.facts["transit"]["feeds"] == ["town-buses.zip"]
    assert info.facts["transit"]["departures"] == 7
    assert (own.od_s <= walked + 1e-3).all()
    assert (own.od_s < walked - 60).any()
    study = answered(planner, question).study
    assert study.facts["transit"]["stops"] == 20
    assert "by public transport" in study_words.short(study.question)
    assert any("town-buses.zip" in line for line in study_words.assumptions(study, ""))


def foot(session, town, own):
    network = network_of(session, town, "walk")
    return network, network.snap(own.places.rows), network.snap(own.places.columns)


def test_a_timetable_of_another_day_or_place_is_refused_and_does_not_stay(actors, timetable) -> None:
    planner = actors[Role.PLANNER]
    for more, says in (
        ({"day": "2026-11-28", "kind": "school"}, "Nothing runs on 2026-11-28 in town-buses.zip"),
        ({"kind": "none such"}, "no place the ways could lead to"),
    ):
        feed = timetable()
        with pytest.raises(InvalidInput, match=says):
            transit_work.compute(planner, wanted(feed, **more), Silent())
        assert not Path(feed).exists()
    with transaction(actors[Role.AUDITOR]) as session, pytest.raises(NotPermitted):
        asked = timetables.TransitAsked.of(wanted("x.zip"))
        timetables.ask(session, actors[Role.AUDITOR], find_territory(session), asked)
    with transaction(planner) as session:
        town, asked = find_territory(session), timetables.TransitAsked.of(wanted(timetable(), kind="school"))
        places, network = timetables.read(session, planner, town, asked)
    with pytest.raises(InvalidInput, match="None of the 20 stops of the timetable lies in the territory"):
        timetables.made(places, network, asked, [Path(asked.feeds[0])], bounds=(0, 0, 1, 1), progress=Silent())
