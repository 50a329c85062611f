"""The city's own maps: tiles come out where they belong, from a real server and files, and nobody else is asked."""

from __future__ import annotations

import dataclasses
import io
import sqlite3
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.clock import now
from core.errors import InvalidInput, NotFound, SourceUnavailable
from core.settings import settings
from geodata import basemaps, outward
from geodata.basemap_grid import decoded, tile_places
from geodata.basemaps import BasemapInfo, NewBasemap
from geodata.datum import Datum, from_wgs84
from tests.map_server import LAT, LON, MapServer, colours, map_server, mercator_tile

Z = 17
X, Y = int((LON + 180) / 360 * 2**Z), 49658  # the tile of Beijing's centre
NEAR = 4.0
"""Colours may differ by so much: what JPEG loses, and the turning of the colours."""


def keep(_asked: Hashable, get: Callable[[], bytes | None]) -> bytes | None:
    return get()


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with map_server() as found:
        monkeypatch.setenv("GRIDKEEPER_OUTWARD_HOSTS", found.removeprefix("http://"))
        settings.cache_clear()
        MapServer.asked.clear()
        yield found
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("GRIDKEEPER_BASEMAP_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def made(kind: str, address: str, **more: str) -> BasemapInfo:
    new = NewBasemap("x", kind, address, "the city", **more)
    return BasemapInfo(1, 1, new.name, kind, address, new.datum, "the city", basemaps.plan_of(new), now(), new.secret)


def shown(basemap: BasemapInfo, z: int = Z, x: int = X, y: int = Y) -> np.ndarray[Any, np.dtype[np.int16]]:
    body = basemaps.tile_of(basemap, z, x, y, keep)
    assert body is not None
    picture = decoded(body)
    assert (picture[..., 3] == 255).all()
    return picture[..., :3].astype(np.int16)


def expected(datum: Datum = Datum.WGS84) -> np.ndarray[Any, np.dtype[np.int16]]:
    return colours(*from_wgs84(*tile_places(Z, X, Y), datum)).astype(np.int16)


def test_the_tile_of_the_tests_shows_what_it_should() -> None:
    lon, lat = tile_places(Z, X, Y)
    assert lon.min() < LON < lon.max()
    assert abs(float(lat.mean()) - LAT) < 0.01


def test_tiles_of_the_web_pass_as_they_are(address: str) -> None:
    body = basemaps.tile_of(made("xyz", f"{address}/xyz/{{z}}/{{x}}/{{y}}.png", secret="tk=1"), Z, X, Y, keep)
    assert body == mercator_tile(Z, X, Y)
    assert MapServer.asked == [f"/xyz/{Z}/{X}/{Y}.png?tk=1"]


@pytest.mark.parametrize("kind", ["wmts", "wms"])
def test_services_in_cgcs2000_degrees_are_reprojected(address: str, kind: str) -> None:
    basemap = made(kind, f"{address}/{kind}")
    assert basemap.plan["system"] == "degrees"
    assert np.abs(shown(basemap) - expected()).max() <= NEAR


@pytest.mark.parametrize(("kind", "path"), [("xyz", "/xyz/{z}/{x}/{y}.png"), ("wmts", "/wmts"), ("wms", "/wms")])
def test_a_shifted_datum_is_shifted_back(address: str, kind: str, path: str) -> None:
    there = expected(Datum.GCJ02)
    assert np.abs(there - expected()).max() > 50, "GCJ-02 lies hundreds of metres away"
    assert np.abs(shown(made(kind, address + path, datum="GCJ-02")) - there).max() <= NEAR


def test_a_service_in_another_system_is_refused_with_the_reason(address: str) -> None:
    with pytest.raises(InvalidInput, match="EPSG:4547"):
        made("wmts", f"{address}/gauss")


def test_nobody_else_is_asked(address: str) -> None:
    port = address.rpartition(":")[2]
    with pytest.raises(InvalidInput, match="another server"):
        made("wmts", f"{address}/faraway")
    with pytest.raises(InvalidInput, match="not among those"):
        outward.fetch("http://10.1.2.3/", most_bytes=10)
    with pytest.raises(SourceUnavailable, match="leads elsewhere"):
        outward.fetch(f"{address}/elsewhere", most_bytes=10_000)
    with pytest.raises(SourceUnavailable, match="more than 0.1 MB"):
        outward.fetch(f"{address}/huge", most_bytes=100_000)
    with pytest.raises(NotFound):
        outward.fetch(f"{address}/nothing", most_bytes=10)
    with pytest.raises(InvalidInput, match="login"):
        outward.fetch(f"http://me:secret@127.0.0.1:{port}/", most_bytes=10)
    with pytest.raises(InvalidInput, match="entities"):
        made("wmts", f"{address}/bomb")
    basemap = made("xyz", f"{address}/page/{{z}}/{{x}}/{{y}}")
    with pytest.raises(SourceUnavailable, match="no picture"):
        basemaps.tile_of(basemap, 0, 0, 0, keep)


def test_this_machine_and_its_cloud_are_not_asked() -> None:
    assert settings().outward_hosts == ""
    for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433"):
        with pytest.raises(SourceUnavailable):
            outward.fetch(f"http://{host}:9/", most_bytes=10, whole_s=0.5)
    assert outward.is_forbidden("169.254.169.254", named=True)
    assert outward.is_forbidden("fe80::1%eth0", named=True)
    assert not outward.is_forbidden("10.1.2.3")
    assert not outward.is_forbidden("127.0.0.1", named=True)


@pytest.mark.parametrize(
    "words",
    [
        {"address": "file:///etc/passwd"},
        {"address": "gopher://x/{z}/{x}/{y}"},
        {"address": "http://x/{z}/{x}"},
        {"address": "http://x y/{z}/{x}/{y}"},
        {"address": "http://x/{z}/{x}/{y}\r\nHost: y"},
        {"name": ""},
        {"datum": "Beijing 54"},
        {"secret": "a b"},
        {"attribution": " "},
    ],
)
def test_nonsense_is_refused_in_words(words: dict[str, str]) -> None:
    new = NewBasemap("x", "xyz", "http://x/{z}/{x}/{y}", "the city")
    with pytest.raises(InvalidInput) as refused:
        basemaps.plan_of(dataclasses.replace(new, **words))
    assert refused.value.zh


def test_files_of_tiles_and_an_orthophoto(folder: Path) -> None:
    import rasterio
    from pmtiles.tile import Compression, TileType, zxy_to_tileid
    from pmtiles.writer import Writer
    from rasterio.transform import from_origin

    tile = mercator_tile(Z, X, Y)
    with sqlite3.connect(folder / "city.mbtiles") as made_file:
        made_file.execute("CREATE TABLE metadata (name text, value text)")
        made_file.execute("CREATE TABLE tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
        made_file.execute("INSERT INTO metadata VALUES ('format', 'png'), ('attribution', 'the city')")
        made_file.execute("INSERT INTO tiles VALUES (?, ?, ?, ?)", (Z, X, 2**Z - 1 - Y, tile))
    with (folder / "city.pmtiles").open("wb") as file:
        writer = Writer(file)
        writer.write_tile(zxy_to_tileid(Z, X, Y), tile)
        writer.finalize(
            {
                "tile_type": TileType.PNG,
                "tile_compression": Compression.NONE,
                **dict.fromkeys(("min_zoom", "max_zoom", "center_zoom"), Z),
                "min_lon_e7": 0,
                "min_lat_e7": 0,
                "max_lon_e7": 1,
                "max_lat_e7": 1,
                "center_lon_e7": 0,
                "center_lat_e7": 0,
            },
            {"attribution": "the city"},
        )
    lon, lat = tile_places(Z, X, Y)
    west, north, step = float(lon.min()) - 0.001, float(lat.max()) + 0.001, 0.000005
    across = west + (np.arange(1000) + 0.5) * step
    seen = colours(*np.meshgrid(across, north - (np.arange(900) + 0.5) * step))
    with rasterio.open(
        folder / "photo.tif", "w", driver="GTiff", width=1000, height=900, count=3, dtype="uint8",
        crs="EPSG:4490", transform=from_origin(west, north, step, step),
    ) as photo:  # fmt: skip
        photo.write(np.moveaxis(seen, -1, 0))
    for kind, name in (("mbtiles", "city.mbtiles"), ("pmtiles", "city.pmtiles"), ("geotiff", "photo.tif")):
        basemap = made(kind, name)
        assert np.abs(shown(basemap) - expected()).max() <= NEAR + 2, kind
        assert basemaps.tile_of(basemap, Z, 0, 0, keep) is None, kind
        shifted = made(kind, name, datum="GCJ-02")
        if kind == "geotiff":
            body = basemaps.tile_of(shifted, Z, X, Y, keep)
            assert body is None or not (decoded(body)[..., 3] == 255).all()
    for bad in ("../secret.mbtiles", "/etc/passwd", "city.tif", ".."):
        with pytest.raises(InvalidInput):
            made("geotiff", bad)
    (folder / "broken.pmtiles").write_bytes(b"no tiles" * 40)
    (folder / "broken.mbtiles").write_bytes(b"no tiles" * 40)
    for kind in ("pmtiles", "mbtiles"):
        with pytest.raises(SourceUnavailable):
            made(kind, f"broken.{kind}")


def test_a_picture_that_unpacks_to_too_much_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(SourceUnavailable, match="far too large"):
        decoded(out.getvalue())
