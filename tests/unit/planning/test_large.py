"""Large studies: by blocks the answer is that of the whole, and the proof holds for every building."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import shapely

from core.errors import InvalidInput
from core.progress import Cancelled, Silent
from geodata.network import build_network
from geodata.travel import matrix_s
from planning import answer as answering
from planning import large, model
from planning.answer import answer
from planning.candidates import Land
from planning.demand import gather
from planning.large import lost_s
from planning.model import Question
from planning.posing import City, metric
from planning.terms import OwnPlace, Terms
from tests.road_graphs import CORNER, SRID, lonlat, roads

SIDE, STEP_M = 9, 180.0


@pytest.fixture(scope="module")
def city() -> City:
    """Streets in a square, some one-way for cars, two hundred homes, a facility."""
    at = lambda x, y: x * SIDE + y  # noqa: E731
    stretches = []
    for x, y in itertools.product(range(SIDE), range(SIDE)):
        for right, up in ((1, 0), (0, 1)):
            if x + right < SIDE and y + up < SIDE and (x + 2 * y) % 7:
                ends = [(x * STEP_M, y * STEP_M), ((x + right) * STEP_M, (y + up) * STEP_M)]
                stretches.append((at(x, y), at(x + right, y + up), ends, int((x + y) % 3 == 0)))
    rng, none = np.random.default_rng(5), np.empty(0, dtype=object)
    width = (SIDE - 1) * STEP_M
    square = shapely.box(*CORNER - 300, *(CORNER + width + 300))
    return City(
        lonlat(*rng.random((200, 2)) * width), rng.integers(1, 9, 200).astype(float), np.ones(200, dtype=int),
        lonlat((100.0, 120.0)), Land(none, none, none, (), np.empty(0, dtype=bool), square),
        build_network(roads(stretches), "drive", SRID), SRID,
    )  # fmt: skip


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "DEMAND_POINTS", 60)
    monkeypatch.setattr(answering, "DEMAND_POINTS", 60)


def question(count: int = 12, **terms: object) -> Question:
    rng = np.random.default_rng(9)
    at = lonlat(*rng.random((count, 2)) * (SIDE - 1) * STEP_M).tolist()
    places = tuple(OwnPlace(lon, lat) for lon, lat in at)
    said = Terms(places=places, **terms)  # type: ignore[arg-type]
    return Question("p-median", 2, "clinic", mode="drive", candidates=count, terms=said)


def by_hand(city: City, asked: Question) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of all homes to all candidates, and to what is there."""
    homes = city.network.snap(city.homes)
    to = city.network.snap(np.array([(each.lon, each.lat) for each in asked.terms.places]))
    there = matrix_s(city.network, homes, city.network.snap(city.existing))
    return matrix_s(city.network, homes, to), there.min(axis=1)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("points", [100, 5000])
@pytest.mark.parametrize("keep", [True, False])
def test_the_proof_holds_for_every_building(city: City, points: int, keep: bool) -> None:
    asked = dataclasses.replace(question(points=points), keep_existing=keep)
    assert asked.by_blocks
    here = city if keep else dataclasses.replace(city, existing=city.existing[:0])
    found = answer(here, asked)
    times, there = by_hand(city, asked)
    there = there if keep else np.full(len(there), np.inf)
    worth = {
        pair: float(city.people @ np.minimum(times[:, list(pair)].min(axis=1), there))
        for pair in itertools.combinations(range(12), 2)
    }
    every, best = found.facts["every"], min(worth.values())
    assert every["bound"] <= best * (1 + 1e-6) <= every["objective"] * (1 + 2e-6)
    assert found.facts["demand_points"] == min(points, 200)
    if points == 5000:  # every building is a point of its own, and so small a question is proved
        assert every["error"] == 0
        assert every["objective"] == pytest.approx(found.objective, rel=1e-5)
        assert every["gap"] <= large.GAP + 1e-6
        assert every["objective"] <= best * (1 + large.GAP + 1e-6)
    assert sum(each.people for each in found.grounds if each.kind != "left_out") > 0


@pytest.mark.usefixtures("small_is_large")
def test_fixed_sites_are_kept_and_a_plan_by_hand_is_weighed(city: City) -> None:
    asked = question(points=100)
    first = asked.terms.places[0]
    fixed = answer(
        city, dataclasses.replace(asked, terms=dataclasses.replace(asked.terms, fixed=((first.lon, first.lat),)))
    )
    assert min(np.hypot(site.lon - first.lon, site.lat - first.lat) for site in fixed.sites) < 1e-6
    free = answer(city, asked)
    assert fixed.objective is not None
    assert free.objective is not None
    assert free.bound is not None
    assert fixed.objective >= free.bound
    hand = tuple((each.lon, each.lat) for each in asked.terms.places[3:5])
    mine = answer(city, dataclasses.replace(asked, terms=dataclasses.replace(asked.terms, by_hand=hand)))
    assert mine.objective is not None
    assert mine.objective >= free.bound
    assert mine.facts["machine"] == pytest.approx(free.objective)
    both = dataclasses.replace(asked.terms, fixed=((first.lon, first.lat), hand[0]))
    assert answer(city, dataclasses.replace(asked, terms=both)).gap == 0


@pytest.mark.usefixtures("small_is_large")
def test_it_can_be_cancelled_while_blocks_are_gone_through(city: City) -> None:
    class Impatient(Silent):
        def step(self, name: str, _total: int | None = None) -> None:
            self.name = name

        def advance(self, items: int = 1) -> None:
            if self.name == "Going through all candidates":
                raise Cancelled(f"after {items}")

    with pytest.raises(Cancelled):
        answer(city, question(points=100), progress=Impatient())


def test_no_way_is_shorter_by_more_than_is_lost(city: City) -> None:
    homes = city.network.snap(city.homes)
    demand = gather(metric(city.homes, SRID), city.people, 40)
    lost = lost_s(city.network, homes, demand)
    goals = city.network.snap(
        question(30).terms.places and np.array([(p.lon, p.lat) for p in question(30).terms.places])
    )
    times = matrix_s(city.network, homes, goals).astype(float)
    point = times[demand.at[demand.owner]]
    both = np.isfinite(point) & np.isfinite(times)
    assert both.mean() > 0.5
    assert ((point - times)[both] <= np.broadcast_to(lost[:, None], times.shape)[both] + 1e-3).all()
    assert (lost[demand.at] == 0).all()


def test_what_no_block_answers_is_refused_with_the_way_out() -> None:
    question(2500)
    with pytest.raises(InvalidInput, match=r"2,500 candidates are too many"):
        question(2500, spacing_m=100.0)
    with pytest.raises(InvalidInput, match=r"20,000 points of people are too many"):
        dataclasses.replace(question(points=20_000), kind="mclp")
    with pytest.raises(InvalidInput, match=r"no useful number of points"):
        question(points=50_001)
