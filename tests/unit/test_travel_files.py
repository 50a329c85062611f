"""Streets, points and matrices out of files, and what is said of bad ones."""

from __future__ import annotations

import gzip
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from core.errors import InvalidInput, NotFound
from geodata.network import build_network
from geodata.travel_files import Points, read_points, read_streets
from geodata.travel_matrix import Matrix, StreetTimes, read_matrix, write_matrix

CROSS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"highway": "primary", "maxspeed": "50", "oneway": True, "name": "High Street"},
            "geometry": {"type": "LineString", "coordinates": [[0, 0], [0.01, 0], [0.02, 0]]},
        },
        {
            "type": "Feature",
            "properties": {"highway": "['residential', 'service']", "maxspeed": None, "oneway": False, "name": None},
            "geometry": {"type": "MultiLineString", "coordinates": [[[0.01, -0.01], [0.01, 0], [0.01, 0.01]]]},
        },
        {"type": "Feature", "properties": {"highway": "footway"}, "geometry": {"type": "Point", "coordinates": [0, 0]}},
    ],
}


@pytest.fixture
def cross(tmp_path):
    path = tmp_path / "streets.geojson"
    path.write_text(json.dumps(CROSS))
    return path


def points_file(tmp_path, text, name="points.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_lines_are_cut_where_they_share_a_point_and_read_as_tags(cross):
    streets = read_streets(cross)
    assert streets.notes == ("1 rows of 3 are no lines and were left out",)
    assert len(streets.roads) == 4
    assert sorted(streets.roads["road_class"]) == ["primary"] * 2 + ["residential"] * 2
    assert sorted(streets.roads["speed_kmh"]) == [30, 30, 50, 50]
    assert sorted(streets.roads["oneway"]) == [0, 0, 1, 1]
    network = build_network(streets.roads, "drive", 32631, fragment_m=0)
    times = network.travel_s(np.array([[0.0, 0.0]]), np.array([[0.01, 0.01], [0.02, 0.0]]))
    assert times[0, 1] == pytest.approx(2226.4 / (50 / 3.6), rel=2e-3)
    assert np.isfinite(times).all()


def test_streets_in_other_forms_are_the_same(cross, tmp_path):
    packed = tmp_path / "streets.geojson.gz"
    packed.write_bytes(gzip.compress(cross.read_bytes()))
    frame = gpd.read_file(cross)
    frame.to_crs(32631).to_file(tmp_path / "streets.gpkg")
    frame.to_crs(32631).to_parquet(tmp_path / "streets.parquet")
    texts = frame.assign(wkt=frame.geometry.to_wkt()).drop(columns="geometry")
    texts.to_csv(tmp_path / "streets.csv", index=False)
    for name in ("streets.geojson.gz", "streets.gpkg", "streets.parquet", "streets.csv"):
        roads = read_streets(tmp_path / name).roads
        assert len(roads) == 4, name
        assert roads["length_m"].sum() == pytest.approx(read_streets(cross).roads["length_m"].sum(), abs=0.01)


def test_points_come_from_columns_or_shapes(cross, tmp_path):
    found = read_points(points_file(tmp_path, "id,lon,lat\na,0.001,0\nb,0.002,0\n"))
    assert found.ids.tolist() == ["a", "b"]
    assert found.lonlat.tolist() == [[0.001, 0], [0.002, 0]]
    twice = read_points(points_file(tmp_path, "name,x,y\na,1,0\na,2,0\n"))
    assert twice.ids.tolist() == ["1", "2"]
    assert "not unique" in twice.notes[0]
    frame = gpd.GeoDataFrame({"id": ["p", "q"]}, geometry=[shapely.Point(1, 2), shapely.box(0, 0, 2, 2)], crs=4326)
    frame.to_crs(3857).to_file(tmp_path / "shapes.gpkg")
    assert read_points(tmp_path / "shapes.gpkg").lonlat == pytest.approx(np.array([[1, 2], [1, 1]]), abs=1e-3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,lon,lat\na,620000,5615000\nb,1,1\n", "1 of 2 coordinates are no longitude and latitude"),
        ("id,lon,lat\na,,1\nb,1,1\n", "1 of 2 places have no coordinates"),
        ("id,name\na,x\n", "has no geometry"),
        ("id,lon,lat\n", "has no rows"),
        ("id,wkt\na,POINT (1\n", "is no WKT"),
    ],
)
def test_bad_points_are_refused_with_their_number(tmp_path, text, said):
    with pytest.raises(InvalidInput, match=said):
        read_points(points_file(tmp_path, text))


def test_files_without_streets_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no line"):
        read_streets(points_file(tmp_path, "id,wkt\na,POINT (1 1)\n"))
    for name in ("none.parquet", "none.osm.pbf", "none.gpkg"):
        with pytest.raises(InvalidInput, match="no file"):
            read_streets(tmp_path / name)
    points_file(tmp_path, "no parquet", "bad.parquet")
    with pytest.raises(InvalidInput, match="GeoParquet"):
        read_streets(tmp_path / "bad.parquet")


def test_a_matrix_is_written_whole_and_read_again(tmp_path):
    made = Matrix(np.array(["a", "b"]), np.array(["x"]), np.array([[1.5], [np.inf]], np.float32))
    write_matrix(tmp_path / "m.npz", made)
    again = read_matrix(tmp_path / "m.npz")
    assert again.seconds.tolist() == [[1.5], [np.inf]]
    assert again.origins.tolist() == ["a", "b"]
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_matrix(tmp_path / "none" / "m.npz", made)


def test_a_planners_own_matrix_answers_by_names_as_streets_do(tmp_path, cross):
    wide = points_file(tmp_path, "place,x,y\na,10,20\nb,,40\n", "wide.csv")
    long = points_file(tmp_path, "origin,destination,minutes\na,x,1\nb,y,0.5\n", "long.csv")
    places = Points(np.array(["b", "a"]), np.zeros((2, 2)))
    goals = Points(np.array(["y"]), np.zeros((1, 2)))
    assert read_matrix(wide).od_s(places, goals).tolist() == [[40], [20]]
    assert read_matrix(long).od_s(places, goals).tolist() == [[30], [np.inf]]
    with pytest.raises(NotFound, match="1 of 1 places are not in the columns"):
        read_matrix(wide).od_s(places, Points(np.array(["z"]), np.zeros((1, 2))))
    network = build_network(read_streets(cross).roads, "walk", 32631)
    found = StreetTimes(network).od_s(Points(np.array(["a"]), np.array([[0.0, 0.0]])), goals)
    assert found.shape == (1, 1)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("place,x\na,-1\nb,no\n", "2 of 2 times are negative or no number"),
        ("place,x\na,1\na,2\n", "1 names of rows stand twice"),
        ("origin,destination,seconds\na,x,1\na,x,2\n", "1 pairs stand twice"),
        ("origin,destination,metres\na,x,1\n", "no column of times"),
        ("place\na\n", "one column"),
    ],
)
def test_a_bad_matrix_is_refused(tmp_path, text, said):
    with pytest.raises(InvalidInput, match=said):
        read_matrix(points_file(tmp_path, text))


def test_a_map_without_columns_is_no_matrix(tmp_path):
    path = tmp_path / "m.geojson"
    gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs=4326).to_file(path)
    with pytest.raises(InvalidInput, match="no column"):
        read_matrix(path)


def test_a_bad_archive_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    for parts, said in (
        ({"od_s": np.ones((1, 1))}, "has no destinations, origins"),
        ({"od_s": np.ones((1, 2)), "origins": np.array(["a"]), "destinations": np.array(["x"])}, "has shape"),
        (
            {"od_s": np.ones((1, 1)), "origins": np.array(["a"], object), "destinations": np.array(["x"])},
            "no mat",
        ),
    ):
        np.savez(path, **parts)
        with pytest.raises(InvalidInput, match=said):
            read_matrix(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match="no matrix file"):
        read_matrix(path)
    with pytest.raises(InvalidInput, match="no file"):
        read_matrix(tmp_path / "none.npz")


def test_an_archive_that_unpacks_to_too_much_is_not_read(tmp_path):
    write_matrix(tmp_path / "m.npz", Matrix(np.array(["a"]), np.array(["x"]), np.ones((1, 1), np.float32)))
    with pytest.raises(InvalidInput, match="unpacks to"):
        read_matrix(tmp_path / "m.npz", most_bytes=100)


def test_numbers_as_names_are_names(tmp_path):
    np.savez(tmp_path / "m.npz", od_s=np.ones((2, 1)), origins=np.array([1, 2]), destinations=np.array([7]))
    assert read_matrix(tmp_path / "m.npz").origins.tolist() == ["1", "2"]
    pd.DataFrame({"id": [1, 2], "7": [3, 4]}).to_csv(tmp_path / "m.csv", index=False)
    assert read_matrix(tmp_path / "m.csv").destinations.tolist() == ["7"]
