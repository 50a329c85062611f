"""Files of layers: what counts, what is told by its line, what is refused; slope out of heights."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image, TiffImagePlugin

from core.errors import DataQuality, InvalidInput
from planning.layer_files import Columns, read_layer
from planning.layer_model import Growth, LayerData, spread
from planning.rasters import Raster, read_slope, slope_of

CITY = shapely.box(10.0, 50.0, 10.2, 50.2)
HEAD = "name,lon,lat,people,young,old\n"


def brought(tmp_path, text, kind="demand", columns=None, name="people.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_layer(path, kind, CITY, columns or Columns(), shown=name)


def test_people_and_groups_are_read_and_what_cannot_count_is_told_by_its_line(tmp_path) -> None:
    rows = "a,10.1,50.1,30,10,20\nb,10.1,50.12,0,0,0\nc,,50.1,5,5,0\nd,10.1,50.1,,,\n"
    rows += "e,11,50.1,8,8,0\nf,10.05,50.1,6,2,4\n"
    found = brought(tmp_path, HEAD + rows, columns=Columns(groups=("young", "old")))
    assert found.names == ("a", "f")
    assert found.weight.tolist() == [30, 6]
    assert found.groups.tolist() == [[10, 20], [2, 4]]
    told = "\n".join(found.findings)
    assert "line 5: people is empty" in told
    assert "lines 3, 5 have no people, left out" in told
    assert "line 4 has no place" in told
    assert "line 6: outside the territory with 8 people" in told
    assert found.facts["left_out"] == 4


def test_negative_people_are_refused_with_their_lines(tmp_path) -> None:
    with pytest.raises(DataQuality, match=r"line 3: people is '-4'; line 4: people is 'many'"):
        brought(tmp_path, "lon,lat,people\n10.1,50.1,3\n10.1,50.1,-4\n10.1,50.1,many\n")


def test_metres_without_a_crs_and_places_elsewhere_are_refused(tmp_path) -> None:
    with pytest.raises(InvalidInput, match="no longitude and latitude"):
        brought(tmp_path, "x,y,people\n571000,5550000,3\n")
    with pytest.raises(InvalidInput, match="All of people.csv lies outside"):
        brought(tmp_path, "lon,lat,people\n50.1,10.1,3\n")
    metres = brought(tmp_path, "x,y,people\n578000,5551000,3\n", columns=Columns(srid=25832))
    assert metres.shapes[0].within(CITY)


def test_the_column_of_people_is_asked_for_when_there_is_none(tmp_path) -> None:
    with pytest.raises(InvalidInput, match="how many people"):
        brought(tmp_path, "lon,lat,size\n10.1,50.1,3\n")
    assert brought(tmp_path, "lon,lat,size\n10.1,50.1,3\n", columns=Columns("size")).weight.tolist() == [3]
    with pytest.raises(InvalidInput, match="no column 'old'"):
        brought(tmp_path, "lon,lat,people\n10.1,50.1,3\n", columns=Columns(groups=("old",)))


def test_the_people_of_an_area_are_shared_out_over_its_homes(tmp_path) -> None:
    ring = [[10.0, 50.0], [10.1, 50.0], [10.1, 50.1], [10.0, 50.1], [10.0, 50.0]]
    empty = [[10.15, 50.15], [10.16, 50.15], [10.16, 50.16], [10.15, 50.16], [10.15, 50.15]]
    rows = [
        {"type": "Feature", "properties": {"people": people}, "geometry": {"type": "Polygon", "coordinates": [each]}}
        for people, each in ((90, ring), (7, empty))
    ]
    made = brought(tmp_path, json.dumps({"type": "FeatureCollection", "features": rows}), name="areas.geojson")
    people = spread(made, np.array([[10.02, 50.02], [10.05, 50.05], [10.19, 50.19]]), np.array([1.0, 2.0, 5.0]))
    assert sorted(people.people.tolist()) == pytest.approx([7, 30, 60])
    assert people.people.sum() == pytest.approx(97)


def test_spreading_nobody_is_lost_where_there_are_no_homes() -> None:
    data = LayerData(np.array([shapely.Point(1, 2)], dtype=object), ("",), np.array([4.0]), np.array([[1.0, 3.0]]))
    people = spread(data, np.empty((0, 2)), np.empty(0))
    assert people.lonlat.tolist() == [[1, 2]]
    assert people.groups.tolist() == [[1, 3]]


def test_growth_is_compound_and_bounded() -> None:
    assert Growth(2.0, 10).factor == pytest.approx(1.02**10)
    with pytest.raises(InvalidInput):
        Growth(40.0, 1)


def test_the_slope_of_a_plane_is_what_it_is() -> None:
    rows, columns = np.mgrid[0:6, 0:8]
    plane = Raster((3 * columns + 4 * rows).astype(np.float32), 0.0, 60.0, 10.0, 10.0, 25832)
    inner = slope_of(plane).values[1:-1, 1:-1]
    assert inner == pytest.approx(50.0, rel=1e-5)  # a rise of 5 over 10 m


def test_an_ascii_grid_and_a_geotiff_say_the_same(tmp_path) -> None:
    heights = np.add.outer(np.arange(20.0), np.arange(20.0)).astype(np.float32)
    body = "\n".join(" ".join(f"{each:g}" for each in row) for row in heights)
    text = f"ncols 20\nnrows 20\nxllcorner 10\nyllcorner 50\ncellsize 0.01\nNODATA_value -9999\n{body}\n"
    (tmp_path / "h.asc").write_text(text)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33550], tags[33922] = (0.01, 0.01, 0.0), (0.0, 0.0, 0.0, 10.0, 50.2, 0.0)
    tags.tagtype[33550] = tags.tagtype[33922] = 12
    tags[34735] = (1, 1, 0, 1, 2048, 0, 1, 4326)
    tags.tagtype[34735] = 3
    Image.fromarray(heights).save(tmp_path / "h.tif", tiffinfo=tags)
    places = np.array([[10.055, 50.055], [10.105, 50.155], [11.0, 50.0]])
    found = [
        Raster.unpacked(read_slope(tmp_path / name, 25832, CITY).grid or b"").at(places) for name in ("h.asc", "h.tif")
    ]
    assert found[0] == pytest.approx(found[1], nan_ok=True)
    assert np.isnan(found[0]).tolist() == [False, False, True]


def test_what_is_no_raster_or_lies_elsewhere_is_refused(tmp_path) -> None:
    (tmp_path / "a.asc").write_text("ncols x\n")
    (tmp_path / "b.tif").write_bytes(b"II*\x00nothing")
    (tmp_path / "c.asc").write_text("ncols 3\nnrows 3\nxllcorner 1\nyllcorner 1\ncellsize 0.1\n" + "1 2 3\n" * 3)
    for name, said in (("a.asc", "no ESRI ASCII grid"), ("b.tif", "no GeoTIFF"), ("c.asc", "lies elsewhere")):
        with pytest.raises(InvalidInput, match=said):
            read_slope(tmp_path / name, 25832, CITY)


@pytest.mark.parametrize(
    "head",
    ["ncols inf\nnrows 2", "ncols -2\nnrows -2", "ncols 9000\nnrows 9000", "ncols 2\nnrows 2\nxllcorner nan"],
)
def test_a_grid_of_no_size_or_place_is_refused_in_words(tmp_path, head) -> None:
    path = tmp_path / "h.asc"
    path.write_text(f"{head}\n" + ("" if "xll" in head else "xllcorner 0\n") + "yllcorner 0\ncellsize 0.1\n1 2\n3 4\n")
    with pytest.raises(InvalidInput):
        read_slope(path, 25832, CITY)


@pytest.mark.parametrize(
    ("mode", "scale", "tie", "keys", "said"),
    [
        ("F", (0.1,), (0, 0, 0, 10, 51, 0), (1, 1, 0, 1, 2048, 0, 1, 4326), "no place"),
        ("F", (0.1, 0.1, 0), (0.0, 0.0), (1, 1, 0, 1, 2048, 0, 1, 4326), "no place"),
        ("F", (float("nan"), 0.1, 0), (0, 0, 0, 10, 51, 0), (1, 1, 0, 1, 2048, 0, 1, 4326), "no place"),
        ("F", (0.0, 0.0, 0), (0, 0, 0, 10, 51, 0), (1, 1, 0, 1, 2048, 0, 1, 4326), "no place"),
        ("F", (0.1, 0.1, 0), (0, 0, 0, 10, 51, 0), (1, 1, 0, 1, 2048, 0, 1, 9999), "9999"),
        ("RGB", (0.1, 0.1, 0), (0, 0, 0, 10, 51, 0), (1, 1, 0, 1, 2048, 0, 1, 4326), "several bands"),
    ],
)
def test_a_geotiff_with_hostile_tags_is_refused_in_words(tmp_path, mode, scale, tie, keys, said) -> None:  # noqa: PLR0917
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, kind, value in ((33550, 12, scale), (33922, 12, tie), (34735, 3, keys)):
        tags.tagtype[tag] = kind
        tags[tag] = value
    Image.new(mode, (20, 20)).save(tmp_path / "h.tif", tiffinfo=tags)
    with pytest.raises(InvalidInput, match=said):
        read_slope(tmp_path / "h.tif", 25832, CITY)


def test_a_crs_that_is_none_and_people_beyond_counting_are_refused(tmp_path) -> None:
    with pytest.raises(InvalidInput, match="9999"):
        brought(tmp_path, HEAD + "a,10.1,50.1,30,10,20\n", columns=Columns(srid=9999))
    with pytest.raises(DataQuality, match="cannot be"):
        brought(tmp_path, HEAD + "a,10.1,50.1,1e308,1,1\nb,10.1,50.1,1e308,1,1\n")


def test_a_geopackage_whose_layer_multiplies_its_rows_is_cut_short(tmp_path) -> None:
    path = tmp_path / "v.gpkg"
    frame = gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(10.1, 50.1)], crs=4326)
    frame.to_file(path, layer="pts", driver="GPKG")
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.executescript(
            "CREATE VIEW many AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000)"
            " SELECT n.i AS fid, (SELECT geom FROM pts LIMIT 1) AS geom FROM n;"
            "DELETE FROM gpkg_geometry_columns; DELETE FROM gpkg_contents; DELETE FROM gpkg_ogr_contents;"
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id)"
            " VALUES ('many', 'features', 'm', 4326);"
            "INSERT INTO gpkg_geometry_columns VALUES ('many', 'geom', 'POINT', 4326, 0, 0);"
        )
    with pytest.raises(InvalidInput, match="view"):
        read_layer(path, "candidates", CITY, Columns(), shown="v.gpkg")
