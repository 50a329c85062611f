"""Balanced areas: contiguous always, every cell in one, loads within what cells allow, with and without METIS."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from grids.balance import Ground, balance, compose, explain, has_metis, rebalance, staffing_curve
from grids.balance_kernels import polish, relay
from grids.ground import ground_of
from grids.partition import partition
from tests.property.cities import cities


def lattice(rows: int, columns: int) -> Ground:
    """A chessboard of squares of 100 m."""
    at = np.arange(rows * columns).reshape(rows, columns)
    side = np.stack([at[:, :-1].ravel(), at[:, 1:].ravel()], axis=1)
    above = np.stack([at[:-1].ravel(), at[1:].ravel()], axis=1)
    pairs = np.concatenate([side, above])
    row, column = np.divmod(np.arange(rows * columns), columns)
    return Ground(pairs, np.full(len(pairs), 100.0), np.stack([column * 100.0, row * 100.0], axis=1))


@settings(max_examples=15)
@given(
    city=cities(),
    seed=st.integers(0, 2**32 - 1),
    k=st.integers(1, 12),
    metis=st.booleans(),
    empty=st.booleans(),
    respect=st.booleans(),
)
def test_areas_are_contiguous_and_whole(  # noqa: PLR0917  (hypothesis gives them by name)
    city: gpd.GeoDataFrame, seed: int, k: int, metis: bool, empty: bool, respect: bool
) -> None:
    cells = partition(city, kind="square", size_m=200.0)
    shapes, community = cells.geometry.to_numpy(), cells["community_id"].to_numpy()
    ground = ground_of(shapes)
    load = np.zeros(len(cells)) if empty else np.random.default_rng(seed).exponential(1, len(cells))
    group = community if respect else None
    try:
        found = balance(ground, load, k, group=group, metis=metis and has_metis(), seed=seed % 1000)
    except InvalidInput as error:
        assert error.hint.startswith("Ask for")  # noqa: PT017  (too few areas for the islands drawn)
        return
    assert found.non_contiguous == 0
    assert sorted(set(found.area.tolist())) == list(range(k))
    assert found.load.sum() == pytest.approx(load.sum())
    for number in range(k):
        members = np.flatnonzero(found.area == number)
        assert shapely.union_all(shapes[members]).geom_type == "Polygon"
        if respect:
            assert len(set(community[members])) == 1
    moved = np.random.default_rng(seed).exponential(1, len(cells))
    again = rebalance(ground, moved, found.area, group=group)
    assert again.non_contiguous == 0
    assert len(again.load) == k
    assert again.load.max() <= np.bincount(found.area, weights=moved, minlength=k).max() * 1.2 + moved.max()


@pytest.mark.parametrize("metis", [True, False])
@pytest.mark.parametrize("uneven", [False, True])
def test_loads_keep_the_bound(metis: bool, uneven: bool) -> None:
    if metis and not has_metis():
        pytest.skip("pymetis has no wheel here")
    ground = lattice(60, 60)
    load = np.random.default_rng(3).gamma(2, 1, 3_600) if uneven else np.ones(3_600)
    found = balance(ground, load, 36, metis=metis)
    assert found.non_contiguous == 0
    assert found.max_over_mean <= 1.015
    assert found.cut_m <= 1.1 * 100 * 2 * 36 * 10  # squares of ten by ten would have 36 × 40 sides, halved and inner


def test_a_dear_change_moves_fewer_cells() -> None:
    ground = lattice(30, 30)
    today = balance(ground, np.ones(900), 9).area
    load = np.ones(900)
    load[:150] = 1.5
    before = np.bincount(today, weights=load).max() / load.sum() * 9
    cheap = rebalance(ground, load, today, change_cost=0.0)
    dear = rebalance(ground, load, today, change_cost=5.0)
    assert dear.changed <= cheap.changed
    assert dear.changed < 300
    assert max(cheap.max_over_mean, dear.max_over_mean) < min(before, 1.03)
    assert rebalance(ground, np.ones(900), today).changed == 0


def test_torn_areas_are_mended() -> None:
    ground = lattice(6, 6)
    torn = np.repeat([0, 1, 0, 1, 2, 2], 6)
    found = rebalance(ground, np.ones(36), torn)
    assert found.non_contiguous == 0
    assert len(found.load) == 3


def test_a_composed_load_says_what_it_is_made_of() -> None:
    columns = {"incidents": [4.0, 0, 0, 4], "people": [0.0, 30, 30, 0]}
    load, parts = compose(columns, {"incidents": 1, "people": 0.5})
    assert load.sum() == pytest.approx(4)
    assert parts["incidents"].tolist() == pytest.approx([4 / 3, 0, 0, 4 / 3])
    found = balance(lattice(2, 2), load, 2)
    told = explain(found, parts)
    assert sum(area.cells for area in told) == 4
    for area in told:
        assert sum(area.parts.values()) == pytest.approx(area.load)
    curve = staffing_curve(lattice(4, 4), np.ones(16), [1, 2, 4])
    assert [point["mean"] for point in curve] == [16, 8, 4]


@pytest.mark.parametrize(
    ("weights", "message"),
    [({}, "composed"), ({"people": -1}, "composed"), ({"shops": 1}, "no number"), ({"bad": 1}, "cell 2")],
)
def test_a_bad_load_is_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        compose({"people": [1, 2], "bad": [1, -3]}, weights)


def test_too_few_and_too_many_areas_are_refused() -> None:
    two = Ground(np.array([[0, 1], [2, 3]]), np.ones(2), np.zeros((4, 2)))
    for k in (1, 5):
        with pytest.raises(InvalidInput, match="contiguous"):
            balance(two, np.ones(4), k)
    assert balance(two, np.ones(4), 2).area.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])


def test_kernels_do_the_same_uncompiled() -> None:
    """The loops as Python runs them, so that coverage and mistakes of types show."""
    ground = lattice(8, 8)
    offsets, adjacent, border = ground.rows()
    start = np.repeat(np.arange(4), 16)
    weight = np.r_[np.full(16, 2.0), np.ones(48)] / 20
    results = []
    for hand_on, move in ((relay, polish), (relay.py_func, polish.py_func)):  # type: ignore[attr-defined]
        area, home = start.copy(), np.full(64, -1)
        load = np.bincount(area, weights=weight).astype(float)
        hand_on(offsets, adjacent, border / 100, weight, area, home, load, 1.012, 20)
        move(offsets, adjacent, border / 100, weight, area, home, load, 0.96, 1.012, 3e3, 0.1, 0.0, np.arange(64), 20)
        results.append(area.tolist())
    assert results[0] == results[1]
