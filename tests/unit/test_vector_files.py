"""Vector files as they come: zips with too much in them, files that are something else, no CRS."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import box

from core.errors import InvalidInput
from geodata.vector_files import read_shapes

FRAME = gpd.GeoDataFrame({"name": ["One", None]}, geometry=[box(10, 50, 10.1, 50.1), box(11, 50, 11.1, 50.1)], crs=4326)


def zipped(folder: Path, files: list[Path], name: str = "areas.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, f"some/folder/{file.name}")
    return path


def shapefile(folder: Path, crs: int | None = 32632) -> list[Path]:
    frame = FRAME.to_crs(32632)
    if crs is None:
        frame = frame.set_crs(None, allow_override=True)
    frame.to_file(folder / "areas.shp")
    return sorted(folder.glob("areas.*"))


@pytest.mark.parametrize("ending", ["geojson", "gpkg"])
def test_a_dataset_is_read_in_longitude_and_latitude(tmp_path, ending):
    path = tmp_path / f"areas.{ending}"
    FRAME.to_crs(32632 if ending == "gpkg" else 4326).to_file(path)
    found = read_shapes(path)
    assert found.geometry[0].bounds == pytest.approx((10, 50, 10.1, 50.1), abs=1e-6)
    assert found.columns["name"] == ["One", ""]


def test_a_zipped_shapefile_is_read_and_leaves_nothing(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    path = zipped(tmp_path, shapefile(source))
    assert read_shapes(path).geometry[0].bounds == pytest.approx((10, 50, 10.1, 50.1), abs=1e-3)
    assert {each.name for each in tmp_path.iterdir()} == {"source", "areas.zip"}


def test_a_shapefile_without_prj_is_refused(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    with pytest.warns(UserWarning, match="crs"):
        files = shapefile(source, None)
    with pytest.raises(InvalidInput, match="does not say its coordinate reference system"):
        read_shapes(zipped(tmp_path, files))


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    bomb = tmp_path / "areas.geojson"
    with bomb.open("wb") as file:
        file.write(b"{")
        file.seek(300 << 20)
        file.write(b"}")
    path = zipped(tmp_path, [bomb])
    bomb.unlink()
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InvalidInput, match="far more than it is"):
        read_shapes(path)


def test_a_zip_with_a_thousand_files_is_not_unpacked(tmp_path):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1000):
            archive.writestr(f"{number}.shp", b"")
    with pytest.raises(InvalidInput, match="holds 1000 files"):
        read_shapes(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", b"not a zip"),
        ("a.geojson", b"<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>"),
        ("a.gpkg", b"<OGRVRTDataSource/>"),
        ("a.json", b""),
        ("a.geojson", b'{"type": "nothing"}'),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput):
        read_shapes(path)


def test_a_zip_with_two_datasets_says_which(tmp_path):
    for name in ("one.geojson", "two.geojson"):
        FRAME.to_file(tmp_path / name)
    with pytest.raises(InvalidInput, match=r"one\.geojson, two\.geojson"):
        read_shapes(zipped(tmp_path, [tmp_path / "one.geojson", tmp_path / "two.geojson"]))
