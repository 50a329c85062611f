"""Days to be played: out of a file, or made; and who is there when workers are added or taken away."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from dispatch.plan_files import Fault, Wrong, names, number, straight_lines, table_of, whole, worker_of
from dispatch.plan_model import PRIORITIES, Seconds, Worker
from dispatch.simulate_model import Arrival, Change, Day, Member

MOST_WORKERS, MOST_MORE = 2_000, 50
LEAST_ALIKE = 5
"""So many incidents of a kind tell its mean; fewer take the mean of all."""
_ROUNDS = 30
Places = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stage:
    """A day with the workers who are there and those who could be there more.

    Attributes
    ----------
    arrivals
        Their ``owner`` counts in ``members``.
    spare
        Workers who come when more are wanted, the first one first.
    leave
        Indices of members in the order in which they are missing when fewer are wanted.
    notes
        What is assumed, in both languages.
    """

    arrivals: Sequence[Arrival]
    members: Sequence[Member]
    travel_s: Seconds
    spare: Sequence[Member] = ()
    leave: Sequence[int] = ()
    notes: tuple[tuple[str, str], ...] = ()

    def day(self, change: Change | None = None) -> Day:
        """Return the day with a change of who is there.

        Who comes in addition takes over as owner what lies nearer to where the shift begins than to where the
        owner's begins; who is missing leaves what was owned to the nearest who may do it.
        """
        more = change.workers if change is not None else 0
        if more > len(self.spare) or -more >= len(self.members):
            raise InvalidInput(
                f"{abs(more)} workers {'more' if more > 0 else 'fewer'} cannot be played.",
                hint=f"At most {len(self.spare)} more, and one worker has to stay.",
            )
        if not more:
            return self._whole
        gone = set(self.leave[: max(0, -more)])
        kept = [w for w in range(len(self.members)) if w not in gone]
        members = [*(self.members[w] for w in kept), *self.spare[: max(0, more)]]
        number_of = {w: k for k, w in enumerate(kept)}
        rows = np.array([each.at for each in members])
        arrivals = []
        for each in self.arrivals:
            way = np.array(self.travel_s[rows, each.at], float)
            way[[not each.skills <= member.skills for member in members]] = np.inf
            owner = each.owner
            if owner in gone:
                owner = int(way.argmin()) if np.isfinite(way).any() else -1
            elif owner >= 0:
                owner = number_of[owner]
                new = way[len(kept) :]
                if len(new) and new.min() < way[owner]:
                    owner = len(kept) + int(new.argmin())
            arrivals.append(dataclasses.replace(each, owner=owner))
        return Day(arrivals, members, self.travel_s, self.notes)

    @cached_property
    def _whole(self) -> Day:
        return Day(self.arrivals, self.members, self.travel_s, self.notes)


@dataclass(frozen=True, slots=True)
class Call:
    """An incident as a row of a file states it."""

    id: str
    arrival_s: float
    service_s: float
    mean_s: float
    priority: int
    due_s: float
    skills: frozenset[str]


def read_incidents(path: Path) -> tuple[list[Call], Places, tuple[Fault, ...]]:
    """Return the incidents of a CSV file with their places (longitude, latitude), and the rows that cannot be used.

    Columns: id, lon, lat, arrival_s, service_s; skill, priority, due_s and mean_s may be left away.

    Raises
    ------
    InvalidInput
        When the file is missing, has not the columns, or no row can be used.
    """
    faults: list[Fault] = []
    calls, rows, places, _ = table_of(path, _call, ("id", "lon", "lat", "arrival_s", "service_s"), faults)
    good = []
    for k, (row, place) in enumerate(zip(rows, places, strict=True)):
        if math.isnan(place[0]):
            faults.append(Fault(path.name, row, calls[k].id, "the place is missing"))
        else:
            good.append(k)
    if not good:
        first = f" The first: {faults[0]}." if faults else ""
        raise InvalidInput(f"{path.name} has no incident that can be used.{first}", hint="Look at its rows.")
    return [calls[k] for k in good], np.array([places[k] for k in good]), tuple(sorted(faults, key=lambda f: f.row))


def _call(cells: Mapping[str, str]) -> Call:
    arrival_s, service_s = number(cells, "arrival_s", None), number(cells, "service_s", None)
    mean_s, due_s = number(cells, "mean_s", -1.0), number(cells, "due_s", math.inf)
    priority = whole(cells, "priority", 2)
    if not 0 <= arrival_s < math.inf:
        raise Wrong(f"arrival_s is {arrival_s:g}; it must be zero or more")
    if not 0 <= service_s < math.inf:
        raise Wrong(f"service_s is {service_s:g}; it must be zero or more")
    if priority not in range(PRIORITIES):
        raise Wrong(f"priority is {priority}; it must be 0, 1 or 2")
    if due_s < arrival_s:
        raise Wrong(f"due_s is {due_s:g}, before it arrives at {arrival_s:g}")
    skills = names(cells, "skill") | names(cells, "skills")
    return Call(cells["id"], arrival_s, service_s, mean_s, priority, due_s, skills)


def read_crew(path: Path) -> tuple[list[Worker], Places, tuple[Fault, ...]]:
    """Return the workers of a CSV file (id, lon, lat, skills, start_s, end_s) with where they begin, and bad rows."""
    faults: list[Fault] = []
    people, rows, places, _ = table_of(path, worker_of, ("id", "lon", "lat"), faults)
    good = []
    for k, (row, place) in enumerate(zip(rows, places, strict=True)):
        if math.isnan(place[0]):
            faults.append(Fault(path.name, row, str(people[k].id), "the place is missing"))
        elif not 0 <= people[k].start_s < people[k].end_s:
            faults.append(Fault(path.name, row, str(people[k].id), "the shift ends before it begins"))
        else:
            good.append(k)
    if not good:
        first = f" The first: {faults[0]}." if faults else ""
        raise InvalidInput(f"{path.name} has no worker that can be used.{first}", hint="Look at its rows.")
    return [people[k] for k in good], np.array([places[k] for k in good]), tuple(sorted(faults, key=lambda f: f.row))


def stage_of(
    calls: Sequence[Call],
    places: Places,
    count: int,
    *,
    crew: tuple[Sequence[Worker], Places] | None = None,
    more: int = 0,
    seed: int = 1,
) -> Stage:
    """Return incidents with workers: those of a crew, else ``count`` who are spread as the incidents are.

    Parameters
    ----------
    places
        Longitude and latitude of each incident, shape (incidents, 2).
    more
        How many could come in addition: each where the ways to the incidents are longest.
    """
    if not 1 <= count <= MOST_WORKERS or not 0 <= more <= MOST_MORE:
        raise InvalidInput(
            f"{count} workers cannot be played.", hint=f"Give 1 to {MOST_WORKERS:,}, and at most {MOST_MORE} more."
        )
    chance = np.random.default_rng(seed)
    kinds = sorted(set().union(*(each.skills for each in calls)))
    notes = [
        (
            "Ways are straight lines times a detour, at 25 km/h.",
            "路程按直线距离乘绕行系数、时速 25 公里计算。",
        )
    ]
    if crew is None:
        homes = spread(places, count, chance)
        people = [Worker(f"W{k + 1}", skills=each) for k, each in enumerate(_skills(kinds, count, chance))]
        notes.append(
            (
                "Workers begin where incidents lie close together; each named skill is held by about half of them.",
                "人员按案件密集程度分布出发；每项技能约有一半人员具备。",
            )
        )
    else:
        people, homes = list(crew[0]), crew[1]
    extra = beside(places, homes, more)
    spots = np.vstack([homes, extra, places])
    ways = straight_lines(spots)
    np.fill_diagonal(ways, 0.0)
    first, total = len(homes), len(homes) + len(extra)
    members = [Member(each.id, w, each.start_s, each.end_s, each.skills) for w, each in enumerate(people)]
    ends = max(each.end_s for each in members)
    spare = [
        Member(f"+{k + 1}", first + k, min(m.start_s for m in members), ends, frozenset(kinds))
        for k in range(len(extra))
    ]
    means = known_means(calls)
    arrivals = []
    for j, each in enumerate(calls):
        able = [each.skills <= member.skills for member in members]
        way = np.where(able, ways[:first, total + j], np.inf)
        owner = int(way.argmin()) if any(able) else -1
        arrivals.append(
            Arrival(
                each.id,
                total + j,
                each.arrival_s,
                each.service_s,
                means[j],
                each.priority,
                each.due_s,
                each.skills,
                owner,
            )
        )
    leave = chance.permutation(first).tolist()
    return Stage(arrivals, members, ways, spare, leave, tuple(notes))


def known_means(calls: Sequence[Call]) -> list[float]:
    """Return for each incident the mean of the work of its kind: all that a rule may know."""
    of_all = float(np.mean([each.service_s for each in calls]))
    alike: dict[frozenset[str], list[float]] = {}
    for each in calls:
        alike.setdefault(each.skills, []).append(each.service_s)
    mean = {key: float(np.mean(found)) if len(found) >= LEAST_ALIKE else of_all for key, found in alike.items()}
    return [each.mean_s if each.mean_s >= 0 else mean[each.skills] for each in calls]


def spread(places: Places, count: int, chance: np.random.Generator) -> Places:
    """Return so many places in the middle of about equally many incidents' surroundings (Lloyd's k-means)."""
    picked = chance.choice(len(places), count, replace=count > len(places))
    middles = places[picked] + chance.normal(0, 1e-6, (count, 2))
    flat = np.array([np.cos(np.radians(places[:, 1].mean())), 1.0])
    for _ in range(_ROUNDS):
        nearest = (((places[:, None] - middles[None]) * flat) ** 2).sum(-1).argmin(1)
        some = np.bincount(nearest, minlength=count) > 0
        sums = np.stack([np.bincount(nearest, places[:, k], count) for k in range(2)], axis=1)
        middles[some] = sums[some] / np.bincount(nearest, minlength=count)[some, None]
    return np.asarray(middles)


def beside(places: Places, homes: Places, more: int) -> Places:
    """Return so many more places: each that of the incident by which all ways from the nearest home shrink most."""
    if not more:
        return np.empty((0, 2))
    ways = straight_lines(np.vstack([homes, places]))[:, len(homes) :]
    near, between, found = ways[: len(homes)].min(axis=0), ways[len(homes) :], []
    for _ in range(more):
        best = int(np.minimum(near, between).sum(axis=1).argmin())
        found.append(places[best])
        near = np.minimum(near, between[best])
    return np.array(found)


def _skills(kinds: Sequence[str], count: int, chance: np.random.Generator) -> list[frozenset[str]]:
    has = chance.random((count, len(kinds))) < 0.5
    for k in range(len(kinds)):
        if not has[:, k].any():
            has[k % count, k] = True
    return [frozenset(kind for kind, ok in zip(kinds, row, strict=True) if ok) for row in has]
