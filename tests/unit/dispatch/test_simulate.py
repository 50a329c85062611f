"""Simulated days whose outcome can be reckoned by hand, and days that must be the same for every rule."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.progress import Cancelled
from dispatch.plan_model import Break
from dispatch.simulate import compare, play, refuses, runs_of
from dispatch.simulate_days import read_crew, read_incidents, stage_of
from dispatch.simulate_model import MYOPIC, Arrival, Change, Day, Member, Options, Policy

HEAD = "id,lon,lat,arrival_s,service_s,skill,priority,due_s\n"


def line(arrivals: list[Arrival], members: list[Member]) -> Day:
    """Return a day on a street with a place a hundred seconds."""
    spots = np.arange(20.0)
    return Day(arrivals, members, (100 * np.abs(spots[:, None] - spots)).astype(np.float32))


def busy_day(seed: int = 1, count: int = 60, members: int = 6) -> Day:
    """Return a day with two skills, deadlines, shifts and breaks."""
    chance = np.random.default_rng(seed)
    come = np.sort(chance.uniform(0, 4 * 3600, count))
    arrivals = [
        Arrival(
            j,
            int(chance.integers(20)),
            float(come[j]),
            float(chance.gamma(4, 150)),
            600.0,
            int(chance.integers(3)),
            float(come[j] + 3600),
            frozenset(["lamp"] if chance.random() < 0.3 else []),
            int(chance.integers(members)),
        )
        for j in range(count)
    ]
    crew = [
        Member(w, int(chance.integers(20)), 600.0 * (w % 2), 6 * 3600, frozenset(["lamp"] if w % 2 else []), rest)
        for w, rest in enumerate([(Break(3600.0, 7200.0, 1200.0),)] * members)
    ]
    return line(arrivals, crew)


def test_the_nearest_who_is_free_goes() -> None:
    """The near one goes to the first; the second incident takes who is left, though it lies farther."""
    day = line([Arrival("a", 1, 10, 500, 500), Arrival("b", 2, 20, 500, 500)], [Member("n", 0), Member("f", 9)])
    outcome = play(day, Policy.NEAREST_IDLE)
    assert [(leg.worker, leg.begun_s) for leg in outcome.legs] == [(0, 110), (1, 720)]
    assert outcome.measures.travel_s == 800
    assert outcome.measures.response_s == pytest.approx((100 + 700) / 2)


def test_the_plan_waits_for_the_worker_who_will_be_near() -> None:
    """With time enough the one who is busy next to it goes on there: 200 s of way instead of 800."""
    day = line([Arrival("a", 1, 10, 500, 500), Arrival("b", 2, 20, 500, 500)], [Member("n", 0), Member("f", 9)])
    outcome = play(day, Policy.ROLLING)
    assert [leg.worker for leg in outcome.legs] == [0, 0]
    assert outcome.measures.travel_s == 200


def test_pairs_go_by_way_and_owners_wait() -> None:
    """Two wait, one gets free: the pair rule takes the nearer, the owner rule the own one, overflow when it is long."""
    arrivals = [
        Arrival(0, 5, 0, 1000, 1000, owner=0),
        Arrival(1, 15, 10, 100, 100, owner=0),
        Arrival(2, 6, 20, 100, 100, owner=0),
    ]
    alone = line(arrivals, [Member(0, 5)])
    assert [leg.begun_s for leg in play(alone, Policy.NEAREST_PAIR).legs] == [0, 2100, 1100]
    two = line(arrivals, [Member(0, 5), Member(1, 14)])
    assert [leg.worker for leg in play(two, Policy.FIXED_OWNER).legs] == [0, 0, 0]
    spilt = play(two, Policy.OWNER_OVERFLOW, Options(overflow_s=300))
    assert [leg.worker for leg in spilt.legs][1] == 1
    assert spilt.legs[1].left_s == pytest.approx(310)
    assert spilt.measures.own_grid == pytest.approx(1 - sum(leg.worker for leg in spilt.legs) / 3)


@pytest.mark.parametrize("policy", list(Policy))
def test_nobody_is_in_two_places_and_the_same_seed_is_the_same_day(policy: Policy) -> None:
    """Every incident at most once, by who may; nobody leaves before the last is done, before the shift, in a break."""
    day, options = busy_day(), Options(refusals=0.2, rounds=40)
    outcome = play(day, policy, options)
    again = play(day, policy, options)
    assert outcome.legs == again.legs
    assert outcome.measures == again.measures
    by_worker: dict[int, list[tuple[float, float]]] = {}
    for j, (leg, arrival) in enumerate(zip(outcome.legs, day.arrivals, strict=True)):
        if leg.worker < 0:
            continue
        member = day.members[leg.worker]
        assert arrival.skills <= member.skills
        assert leg.left_s >= max(arrival.arrival_s, member.start_s)
        assert leg.done_s == pytest.approx(leg.begun_s + arrival.service_s)
        assert leg.left_s < member.end_s
        assert not refuses(options, j, leg.worker)
        by_worker.setdefault(leg.worker, []).append((leg.left_s, leg.done_s))
    for w, spans in by_worker.items():
        spans.sort()
        assert all(before[1] <= after[0] + 1e-6 for before, after in pairwise(spans))
        rest = day.members[w].breaks[0]
        gaps = [after[0] - max(before[1], rest.earliest_s) for before, after in pairwise(spans)]
        if spans[0][0] < rest.earliest_s and spans[-1][0] > rest.earliest_s + 3600:
            assert max(gaps) >= rest.length_s - 1e-6


def test_chance_hangs_on_the_incident_not_on_the_rule() -> None:
    """The same worker refuses the same incident under every rule; about so many as asked; none when none is asked."""
    options = Options(refusals=0.25)
    drawn = [refuses(options, j, w) for j in range(100) for w in range(20)]
    assert drawn == [refuses(options, j, w) for j in range(100) for w in range(20)]
    assert np.mean(drawn) == pytest.approx(0.25, abs=0.04)
    assert play(busy_day(), Policy.NEAREST_IDLE, options).measures.refusals > 0
    assert play(busy_day(), Policy.NEAREST_IDLE).measures.refusals == 0


def test_the_plan_beats_the_rules_on_a_full_day() -> None:
    """Fewer or as few breaches as the best rule that looks at now, and less driving than that rule."""
    day = busy_day(3, 80, 6)
    rolling = play(day, Policy.ROLLING, Options(rounds=30)).measures
    best = min((play(day, policy).measures for policy in MYOPIC), key=lambda m: (m.breaches, m.travel_s))
    assert rolling.breaches <= best.breaches
    assert rolling.travel_s < best.travel_s


def test_what_nobody_may_do_is_left_and_counted() -> None:
    """Without the skill nobody comes; it is a breach where its deadline lies within the day."""
    need = frozenset(["crane"])
    day = line(
        [Arrival(0, 1, 0, 10, 10, due_s=100, skills=need), Arrival(1, 1, 0, 10, 10, due_s=9e9, skills=need)],
        [Member(0, 0, 0, 3600)],
    )
    for policy in Policy:
        measures = play(day, policy).measures
        assert (measures.unserved, measures.breaches) == (2, 1)
        assert math.isnan(measures.response_s)


def test_changes_stand_side_by_side(tmp_path: Path) -> None:
    """More workers are there under every rule; a penalty is run once, for the rule that has a cost table."""
    file = tmp_path / "day.csv"
    rows = [
        f"{k},{-1.3 + (k % 7) / 100},{50.6 + (k % 5) / 100},{400 * k},900,,{k % 3},{400 * k + 2400}" for k in range(40)
    ]
    file.write_text(HEAD + "\n".join(rows))
    calls, places, faults = read_incidents(file)
    assert not faults
    stage = stage_of(calls, places, 3, more=2)
    changes = [Change(), Change(workers=2), Change(workers=-1), Change(owner_s=0), Change(owner_s=3600)]
    outcomes = compare(runs_of([Policy.NEAREST_IDLE, Policy.ROLLING], changes), stage.day, Options(rounds=30))
    assert [(each.policy, each.change) for each in outcomes] == [
        *((Policy.NEAREST_IDLE, each) for each in changes[:3]),
        *((Policy.ROLLING, each) for each in changes),
    ]
    assert [each.measures.workers for each in outcomes[:3]] == [3, 5, 2]
    assert outcomes[1].measures.response_s < outcomes[0].measures.response_s < outcomes[2].measures.response_s
    assert outcomes[-1].measures.own_grid > outcomes[-2].measures.own_grid
    with pytest.raises(InvalidInput, match="3 workers fewer"):
        stage.day(Change(workers=-3))


def test_bad_rows_are_named_and_the_others_played(tmp_path: Path) -> None:
    """Each wrong row by its number and what is wrong with it."""
    file = tmp_path / "day.csv"
    file.write_text(
        HEAD + "a,-1.3,50.6,0,600,,2,\nb,-1.3,50.6,0,-600,,2,\nc,,,0,600,,2,\nd,-1.3,50.6,x,600,,2,\n"
        "e,-1.3,50.6,0,600,,7,\nf,-1.3,50.6,50,600,,1,20\na,-1.3,50.6,0,600,,2,\n,-1.3,50.6,0,600,,2,\n"
    )
    calls, _, faults = read_incidents(file)
    assert [each.id for each in calls] == ["a"]
    assert [each.row for each in faults] == [3, 4, 5, 6, 7, 8, 9]
    assert "zero or more" in faults[0].en
    assert "place is missing" in faults[1].en
    assert "not a number" in faults[2].en
    assert "0, 1 or 2" in faults[3].en
    assert "before it arrives" in faults[4].en
    file.write_text(HEAD + "c,,,0,600,,2,\n")
    with pytest.raises(InvalidInput, match="no incident that can be used.*row 2"):
        read_incidents(file)
    file.write_text("id,lon,lat,skills,start_s,end_s\nw,-1.3,50.6,,0,100\nv,-1.3,50.6,,100,50\nu,,,,0,50\n")
    people, homes, faults = read_crew(file)
    assert [each.id for each in people] == ["w"]
    assert homes.shape == (1, 2)
    assert [each.row for each in faults] == [3, 4]


def test_what_cannot_be_played_is_refused() -> None:
    """Nobody there, nothing to do, refusals of all, a matrix that does not fit."""
    one, who = Arrival(0, 0, 0, 1, 1), Member(0, 0)
    with pytest.raises(InvalidInput, match="no incident"):
        line([], [who])
    with pytest.raises(InvalidInput, match="no worker"):
        line([one], [])
    with pytest.raises(InvalidInput, match="matrix"):
        line([Arrival(0, 20, 0, 1, 1)], [who])
    with pytest.raises(InvalidInput, match="refusals"):
        Options(refusals=1.0)


def test_a_day_can_be_stopped() -> None:
    """The wish to cancel passes through."""

    class Stopper:
        def step(self, name: str, total: int | None = None) -> None:
            """Begin."""

        def advance(self, items: int = 1) -> None:  # noqa: ARG002  (as the protocol says)
            """Stop."""
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        play(busy_day(), Policy.NEAREST_IDLE, progress=Stopper())
