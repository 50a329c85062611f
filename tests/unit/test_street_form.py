"""Form of streets by cell, against OSMnx; its consolidated intersections are the corners of blocks."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pytest
import shapely

from grids.blocks import street_blocks
from grids.built_up import BuiltUp
from grids.street_form import street_form

CRS = "EPSG:32630"


def town() -> list[shapely.LineString]:
    """Return crooked stretches of a chessboard of seven by seven streets, a hundred metres apart."""
    chance = np.random.default_rng(5)
    node = np.stack(np.meshgrid(np.arange(7), np.arange(7)), axis=-1) * 100.0 + chance.normal(0, 8, (7, 7, 2))
    found = []
    for row in range(7):
        for column in range(7):
            for other in ((row + 1, column), (row, column + 1)):
                if max(other) < 7:
                    ends = node[row, column], node[other]
                    bend = (ends[0] + ends[1]) / 2 + chance.normal(0, 6, 2)
                    found.append(shapely.LineString([ends[0], bend, ends[1]]))
    return found


def graph_of(lines: list[shapely.LineString]) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph(crs=CRS)
    for line in lines:
        ends = [tuple(np.round(line.coords[at], 3)) for at in (0, -1)]
        for x, y in ends:
            graph.add_node((x, y), x=x, y=y)
        for one, other in (ends, ends[::-1]):
            graph.add_edge(one, other, length=line.length, geometry=line, osmid=0)
    nx.set_node_attributes(graph, dict(graph.out_degree()), "street_count")
    return nx.convert_node_labels_to_integers(graph)


def test_form_of_a_whole_town_is_what_osmnx_says() -> None:
    lines = town()
    cell = np.array([shapely.box(-200, -200, 900, 900)], dtype=object)
    form = street_form(cell, np.array(lines, dtype=object)).iloc[0]
    graph = graph_of(lines)
    for one, other, _, edge in graph.edges(keys=True, data=True):
        step = [graph.nodes[other][axis] - graph.nodes[one][axis] for axis in "xy"]
        edge["bearing"] = float(np.degrees(np.arctan2(*step)) % 360)
    stats = osmnx.basic_stats(graph, area=float(cell[0].area))
    degrees = graph.copy()
    degrees.graph["crs"] = "EPSG:4326"  # bearings are there already; OSMnx asks for degrees
    assert form["street_m"] == pytest.approx(stats["street_length_total"])
    assert form["density_km_km2"] == pytest.approx(stats["street_density_km"] / 1e3)  # OSMnx: metres a km²
    assert form["circuity"] == pytest.approx(stats["circuity_avg"], abs=1e-6)
    assert form["entropy"] == pytest.approx(osmnx.bearing.orientation_entropy(osmnx.convert.to_undirected(degrees)))
    assert form["junctions"] == sum(1 for node in graph if graph.out_degree(node) >= 3)


def test_cells_without_streets_have_no_form() -> None:
    cells = np.array([shapely.box(0, 0, 1, 1), shapely.box(500, 500, 600, 600)], dtype=object)
    form = street_form(cells, np.array([shapely.LineString([(500, 550), (600, 550)])], dtype=object))
    assert form["street_m"].tolist() == pytest.approx([0.0, 100.0], abs=1e-3)
    assert np.isnan(form["entropy"].iloc[0])
    assert form["circuity"].iloc[1] == 1.0


def test_every_corner_of_blocks_is_an_intersection_that_osmnx_consolidates() -> None:
    """Two carriageways a few metres apart are one street for both: no corner of a block stands apart."""
    lines = [
        *([(x, -20.0), (x, 640.0)] for x in range(0, 620, 100)),
        *([(-20.0, y), (620.0, y)] for y in (0.0, 100.0, 200.0, 300.0, 307.0, 400.0, 500.0, 600.0)),
    ]
    drawn = shapely.get_parts(shapely.union_all([shapely.LineString(each) for each in lines]))
    graph = graph_of(list(drawn))
    merged = osmnx.consolidate_intersections(graph, tolerance=10, rebuild_graph=False, dead_ends=False)
    inner = [point for point in merged if 50 < point.x < 550 and 50 < point.y < 550]
    streets = gpd.GeoDataFrame({"kind": "street"}, index=range(len(drawn)), geometry=drawn, crs=CRS)
    areas = gpd.GeoDataFrame({"community_id": [1]}, geometry=[shapely.box(0, 0, 600, 600)], crs=CRS)
    cells = street_blocks(areas, streets, built_up=BuiltUp.of(drawn)).geometry.to_numpy()
    corner = np.concatenate([shapely.get_coordinates(each)[:-1] for each in cells])
    place, meets = np.unique(corner, axis=0, return_counts=True)
    corners = shapely.points(place[meets >= 3])
    corners = [each for each in corners if 50 < each.x < 550 and 50 < each.y < 550]
    assert len(inner) == 25
    assert all(min(corner.distance(point) for point in inner) < 10 for corner in corners)
    assert all(min(corner.distance(point) for corner in corners) < 10 for point in inner)
