"""The fronts of a question on a city: what else could be chosen, with the sites as places."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from core.progress import Progress, Silent
from geodata.travel import nearest_s
from planning.model import SITES_AT_MOST, Question
from planning.pareto import Front, FrontPoint, cost_coverage, efficiency_equity
from planning.posing import Candidates, City, candidates_of, demand_of, fewer, metric, pose, some

SECONDS = 30.0
POINTS = 7
SITES_SHOWN = 8
"""Coverage is shown for up to so many sites, or twice as many as are asked for."""


def traded(
    city: City, question: Question, sites: int, *, progress: Progress | None = None, seconds: float = SECONDS
) -> list[dict[str, Any]]:
    """Return the fronts of a question, plain enough to be stored: points with figures, bound and places.

    Parameters
    ----------
    sites
        How many the answer of the question chose; where the question does not say a number, this is it.
    """
    progress = progress or Silent()
    terms = dataclasses.replace(question.terms, by_hand=(), floor=None)
    p = max(question.p or sites, 1)
    asked = dataclasses.replace(question, kind="p-median", p=p, terms=terms)
    progress.step("Finding free plots")
    homes_m = metric(city.homes, city.metric_srid)
    where = fewer(candidates_of(city, asked, homes_m), homes_m, city.people, np.empty(0, dtype=np.int64))
    demand = demand_of(city, asked.with_few_points, homes_m)
    points = some(city.network.snap(city.homes), demand.at)
    there_s = np.full(len(points), np.inf)
    if len(city.existing):
        there_s = nearest_s(city.network, points, city.network.snap(city.existing))[0].astype(np.float64)
    problem = pose(city, asked, where, demand, points, nearest_s=there_s, progress=progress)
    problem = dataclasses.replace(problem, limit_s=question.limit_s)
    more = min(max(SITES_SHOWN, 2 * p), SITES_AT_MOST, len(where.lonlat))
    made = [
        efficiency_equity(problem, points=POINTS, seconds=seconds / 2, seed=question.seed, progress=progress),
        cost_coverage(
            dataclasses.replace(problem, p=more if terms.budget is None else problem.p), points=POINTS + 1,
            seconds=seconds / 2, seed=question.seed, progress=progress,
        ),
    ]  # fmt: skip
    people = float(demand.people.sum())
    return [_plain(front, where, people) for front in made if front is not None and front.points]


def _plain(front: Front, where: Candidates, people: float) -> dict[str, Any]:
    return {
        "trade": front.trade,
        "priced": front.priced,
        "people": people,
        "y_best": front.y_best,
        "x_least": front.x_least,
        "points": [_point(point, where) for point in front.points],
    }


def _point(point: FrontPoint, where: Candidates) -> dict[str, Any]:
    numbers = {
        part.name: getattr(point, part.name) for part in dataclasses.fields(point) if part.name not in {"sites", "end"}
    }
    said = {name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in numbers.items()}  # fmt: skip
    return said | {"places": [[float(lon), float(lat)] for lon, lat in where.lonlat[list(point.sites)]]}
