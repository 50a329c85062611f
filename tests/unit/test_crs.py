from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS

from core.errors import InvalidInput
from geodata.crs import GEOD, metric_srid_of, project, shapes_in_wgs84, stretch_lengths_m, timezone_of
from geodata.quality import as_areas, parse_bbox, read_boundary, territory_boundary

SQUARE = '{"type":"Polygon","coordinates":[[[10,50],[10.1,50],[10.1,50.1],[10,50.1],[10,50]]]}'


@pytest.mark.parametrize(
    ("lon", "lat", "scheme", "srid"),
    [
        (-1.3, 50.7, "local", 32630),
        (24.9, 60.2, "local", 32635),
        (-51.2, -30.0, "local", 32722),
        (116.4, 39.9, "local", 32650),
        (116.4, 39.9, "cn15", 4548),
        (75.9, 39.5, "cn15", 4534),
        (134.5, 48.3, "cn15", 4554),
        (-1.3, 50.7, "cn15", 32630),
        (114.17, 22.3, "cn15", 32650),
        (-180, 10, "local", 32601),
        (180, 10, "local", 32601),
    ],
)
def test_metric_crs(lon, lat, scheme, srid):
    assert metric_srid_of(lon, lat, scheme) == srid
    crs = CRS.from_epsg(srid)
    assert crs.axis_info[0].unit_name == "metre"
    if -180 < lon < 180:
        area = crs.area_of_use
        assert area.west - 1.5 <= lon <= area.east + 1.5


def test_time_zone():
    assert timezone_of(-1.3, 50.7) == "Europe/London"
    assert timezone_of(116.4, 39.9) == "Asia/Shanghai"


def test_lengths_are_geodesic():
    lon, lat = np.array([10, 10.1, 10.2, 20, 20]), np.array([50, 50, 50, 10, 11.0])
    lengths = stretch_lengths_m(lon, lat, np.array([0, 3]))
    assert lengths[0] == pytest.approx(GEOD.inv(10, 50, 10.1, 50)[2] * 2)
    assert lengths[1] == pytest.approx(GEOD.inv(20, 10, 20, 11)[2])
    assert stretch_lengths_m(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)).size == 0


def test_projection_keeps_areas_and_nothing_else_moves():
    square = np.array([shapely.from_geojson(SQUARE)], dtype=object)
    there = project(square, 32632)
    geodesic = abs(GEOD.geometry_area_perimeter(square[0])[0])
    assert there[0].area == pytest.approx(geodesic, rel=1e-3)
    back = project(there, 4326, 32632)
    assert shapely.get_coordinates(back) == pytest.approx(shapely.get_coordinates(square), abs=1e-9)


def test_areas_are_mended():
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    line = shapely.LineString([(0, 0), (1, 1)])
    flat = shapely.Polygon([(0, 0), (1, 1), (0, 0)])
    areas, mended = as_areas(np.array([shapely.box(0, 0, 1, 1), bow_tie, line, flat, None], dtype=object))
    assert mended == 2
    assert [area is None for area in areas] == [False, False, True, True, True]
    assert all(area.geom_type == "MultiPolygon" and area.is_valid for area in areas[:2])
    assert areas[1].area == pytest.approx(0.5)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "a,b,c,d", "2,0,1,1", "0,2,1,1", "0,95,1,96", "-190,0,0,1", "1,1,1,1", "0,0,nan,1"]
)
def test_bad_boxes(text):
    with pytest.raises(InvalidInput) as caught:
        parse_bbox(text)
    assert caught.value.hint


def test_good_box():
    assert parse_bbox("-1.6, 50.57, -1.06, 50.78") == (-1.6, 50.57, -1.06, 50.78)


def test_boundary_files(tmp_path):
    good = tmp_path / "good.geojson"
    good.write_text(SQUARE)
    assert read_boundary(good).bounds == (10, 50, 10.1, 50.1)

    points = tmp_path / "points.geojson"
    points.write_text('{"type":"Point","coordinates":[1,2]}')
    noise = tmp_path / "noise.geojson"
    noise.write_text("not a map")
    metres = tmp_path / "metres.geojson"
    metres.write_text(
        '{"type":"Polygon","coordinates":[[[500000,5540000],[501000,5540000],[501000,5541000],[500000,5540000]]]}'
    )
    for path, what in (
        (points, "no polygon"),
        (noise, "cannot be read"),
        (metres, "not longitude"),
        (tmp_path / "no", "no file"),
    ):
        with pytest.raises(InvalidInput, match=what) as caught:
            read_boundary(path)
        assert path.name in caught.value.message


def test_boundary_file_in_another_crs_and_without_one(tmp_path):
    square = gpd.GeoSeries([shapely.from_geojson(SQUARE)], crs=4326).to_crs(32632)
    square.to_file(tmp_path / "utm.shp")
    assert read_boundary(tmp_path / "utm.shp").bounds == pytest.approx((10, 50, 10.1, 50.1), abs=1e-6)
    (tmp_path / "utm.prj").unlink()
    with pytest.raises(InvalidInput, match="coordinate reference system"):
        read_boundary(tmp_path / "utm.shp")


def test_boundary_without_area():
    with pytest.raises(InvalidInput, match="no area"):
        territory_boundary(shapely.LineString([(0, 0), (1, 1)]), "The line")
    with pytest.raises(InvalidInput, match="no area"):
        territory_boundary(shapely.MultiPolygon([]), "Nothing")


def _moved(crs: int | str, x: float, y: float) -> shapely.Point:
    (place,) = shapes_in_wgs84(np.array([shapely.Point(x, y, 5)]), CRS.from_user_input(crs), "a.gpkg")
    return place


@pytest.mark.parametrize(
    ("srid", "x", "y"),
    [(4547, 424613.87, 2559013.87), (4526, 38424613.87, 2559013.87), (4490, 113.264, 23.129), (4326, 113.264, 23.129)],
)
def test_cgcs2000_is_read_longitude_first(srid: int, x: float, y: float) -> None:
    place = _moved(srid, x, y)
    assert (place.x, place.y) == (pytest.approx(113.264, abs=1e-7), pytest.approx(23.129, abs=1e-7))


@pytest.mark.parametrize(
    ("srid", "x", "y"), [(4610, 116.4, 39.9), (4214, 116.4, 39.9), (2431, 500000, 4e6), (4555, 116.4, 39.9)]
)
def test_a_datum_nobody_ties_to_wgs84_there_is_refused(srid: int, x: float, y: float) -> None:
    with pytest.raises(InvalidInput, match="not published"):
        _moved(srid, x, y)


@pytest.mark.parametrize(
    ("srid", "x", "y"), [(27700, 450000, 90000), (3879, 25496000, 6673000), (2154, 652000, 6862000)]
)
def test_published_datums_are_read(srid: int, x: float, y: float) -> None:
    place = _moved(srid, x, y)
    assert abs(place.x) < 60


def test_parameters_in_the_file_make_an_old_datum_readable() -> None:
    crs = "+proj=longlat +ellps=IAU76 +towgs84=1,2,3 +no_defs"
    place = _moved(crs, 116.4, 39.9)
    assert place.x == pytest.approx(116.4, abs=1e-3)
    assert place.x != 116.4


def test_no_system_or_one_that_lies_nowhere_is_refused() -> None:
    here = np.array([shapely.Point(1, 2)])
    with pytest.raises(InvalidInput, match="does not say"):
        shapes_in_wgs84(here, None, "a.gpkg")
    with pytest.raises(InvalidInput, match="nowhere"):
        shapes_in_wgs84(here, CRS.from_wkt('LOCAL_CS["plan",UNIT["metre",1]]'), "a.gpkg")


def test_a_boundary_that_crosses_itself_is_refused_and_one_that_touches_itself_is_mended(tmp_path):
    bow, touching = tmp_path / "bow.geojson", tmp_path / "touching.geojson"
    bow.write_text('{"type":"Polygon","coordinates":[[[10,50],[10.1,50.1],[10.1,50],[10,50.1],[10,50]]]}')
    with pytest.raises(InvalidInput, match="crosses itself") as caught:
        read_boundary(bow)
    assert caught.value.hint
    assert caught.value.zh
    ring = "[[10,50],[10.05,50.05],[10.1,50],[10.1,50.1],[10.05,50.05],[10,50.1],[10,50]]"
    touching.write_text(f'{{"type":"Polygon","coordinates":[{ring}]}}')
    assert read_boundary(touching).area == pytest.approx(0.005)
