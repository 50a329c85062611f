"""Access and equity hold for every input: nobody is lost, supply adds up, measures agree with plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from planning import access, equity

LIMIT_S = 900.0
SECONDS = st.one_of(st.floats(0, 3000, width=32), st.just(math.inf))
PEOPLE = st.floats(0.1, 500)
DECAYS = {"2sfca": access.binary, "gaussian": access.gaussian, "stepped": access.stepped()}


@st.composite
def towns(draw):
    places, facilities = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    return (
        draw(arrays(np.float64, (places, facilities), elements=SECONDS)),
        draw(arrays(np.float64, places, elements=PEOPLE)),
        draw(arrays(np.float64, facilities, elements=st.floats(0, 50))),
    )


def plain(seconds, kind):
    """Return what one way counts, written down once more by hand."""
    if not seconds <= LIMIT_S:
        return 0.0
    part = seconds / LIMIT_S
    if kind == "gaussian":
        return (math.exp(-(part**2) / 2) - math.exp(-1 / 2)) / (1 - math.exp(-1 / 2))
    if kind == "stepped":
        return 1.0 if part <= 1 / 3 else 0.68 if part <= 2 / 3 else 0.22
    return 1.0


@pytest.mark.parametrize("kind", DECAYS)
@settings(max_examples=25)
@given(town=towns())
def test_floating_catchments_agree_with_a_plain_loop_and_share_all_supply_out(kind, town):
    od_s, people, supply = town
    found = access.two_step(od_s, people, supply, LIMIT_S, decay=DECAYS[kind])
    wanted = np.zeros(len(people))
    for at in range(len(supply)):
        reach = sum(plain(od_s[each, at], kind) * people[each] for each in range(len(people)))
        for each in range(len(people)):
            if reach > 0:
                wanted[each] += plain(od_s[each, at], kind) * supply[at] / reach
    np.testing.assert_allclose(found.access, wanted, rtol=1e-6, atol=1e-9)
    assert people @ found.access + found.unused == pytest.approx(supply.sum(), rel=1e-9, abs=1e-9)


@settings(max_examples=30)
@given(town=towns(), share=st.floats(0.01, 1))
def test_nobody_is_lost_and_percentiles_cover_what_they_say(town, share):
    od_s, people, _ = town
    ways = od_s.min(axis=1)
    counted = access.served(ways, people, LIMIT_S)
    assert counted.within + counted.beyond + counted.unreached == pytest.approx(people.sum())
    (reached,) = access.percentiles(ways, people, (share,))
    assert people[ways <= reached].sum() >= share * people.sum() * (1 - 1e-9)
    assert people[ways < reached].sum() < share * people.sum() * (1 + 1e-9)
    tenth = access.worst(ways, people, share)
    assert tenth.people == pytest.approx(share * people.sum())
    assert people[ways > tenth.from_s].sum() <= tenth.people * (1 + 1e-9)
    assert tenth.unreached == pytest.approx(min(counted.unreached, tenth.people))
    if tenth.mean_s is not None:
        assert tenth.mean_s >= tenth.from_s - 1e-6 or math.isinf(tenth.from_s)


@settings(max_examples=25)
@given(town=towns())
def test_a_basket_is_reached_when_its_last_kind_is(town):
    od_s, people, _ = town
    whole = access.served(access.basket_s(od_s), people, LIMIT_S).within
    counts = access.kinds_within(od_s, LIMIT_S)
    assert whole == pytest.approx(people[counts == od_s.shape[1]].sum())
    assert all(whole <= access.served(one, people, LIMIT_S).within + 1e-9 for one in od_s.T)


@st.composite
def shares(draw):
    count = draw(st.integers(1, 14))
    values = draw(arrays(np.float64, count, elements=st.one_of(st.just(0.0), st.floats(0.01, 100))))
    values[draw(st.integers(0, count - 1))] = draw(st.floats(0.01, 100))
    groups = draw(arrays(np.int64, count, elements=st.integers(0, 3)))
    return values, draw(arrays(np.float64, count, elements=PEOPLE)), groups


@settings(max_examples=30)
@given(shared=shares())
def test_equity_agrees_with_its_definitions(shared):
    values, people, groups = shared
    mean = np.average(values, weights=people)
    pairs = np.abs(values[:, None] - values[None, :])
    gini = (people[:, None] * people[None, :] * pairs).sum() / (2 * people.sum() ** 2 * mean)
    assert equity.gini(values, people) == pytest.approx(gini, abs=1e-9)
    curve = equity.lorenz(values, people)
    assert (np.diff(curve.value) >= -1e-12).all()
    assert (curve.value <= curve.people + 1e-9).all()
    found = equity.theil(values, people, groups)
    ratio = np.where(values > 0, values, 1) / mean
    direct = (people / people.sum() * np.where(values > 0, ratio * np.log(ratio), 0)).sum()
    assert found.total == pytest.approx(direct, abs=1e-9)
    assert found.between + found.within == found.total
    assert found.between >= -1e-9
    assert sum(found.parts.values()) == pytest.approx(found.within, abs=1e-9)
    assert equity.theil(values, people).between == pytest.approx(0, abs=1e-9)


@settings(max_examples=25)
@given(shared=shares(), cut=st.floats(0.05, 0.95))
def test_measures_are_of_people_and_not_of_places(shared, cut):
    values, people, groups = shared
    twice = np.r_[values, values[:1]], np.r_[people, people[:1] * (1 - cut)], np.r_[groups, groups[:1]]
    twice[1][0] *= cut
    assert equity.gini(*twice[:2]) == pytest.approx(equity.gini(values, people), abs=1e-9)
    assert equity.theil(*twice).within == pytest.approx(equity.theil(values, people, groups).within, abs=1e-9)
    more = equity.palma(values * 3, people), equity.palma(values, people), equity.palma(*twice[:2])
    assert more[0] == pytest.approx(more[1])
    assert more[2] == pytest.approx(more[1], rel=1e-6)
