"""Map servers and files of maps that mean ill: nobody else is asked, no other file is read, memory and time end."""

from __future__ import annotations

import contextlib
import gzip
import socket
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.clock import now
from core.errors import GridkeeperError, InvalidInput, SourceUnavailable
from core.settings import settings
from geodata import basemap_files, basemap_xml, basemaps, outward
from geodata.basemap_grid import Level, from_tiles
from geodata.basemaps import BasemapInfo, NewBasemap
from geodata.datum import Datum
from tests.map_server import map_server, wmts_capabilities


class Hostile(BaseHTTPRequestHandler):
    """Names its levels so that the address of a tile would lead elsewhere; ``/drip`` never ends its headers."""

    asked: list[str] = []  # noqa: RUF012  (one server a test)
    gone = threading.Event()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            try:
                while not self.gone.wait(0.02):
                    self.wfile.write(b"x")
            except OSError:
                return
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"\x89PNG\r\n\x1a\n")

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Hostile.asked.clear()
    Hostile.gone.clear()
    with map_server(Hostile) as found:
        monkeypatch.setenv("GRIDKEEPER_OUTWARD_HOSTS", "127.0.0.1")
        settings.cache_clear()
        yield found
        Hostile.gone.set()
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("GRIDKEEPER_BASEMAP_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def test_a_service_cannot_lead_to_another_server_by_the_names_of_its_levels(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = wmts_capabilities(80).replace("//127.0.0.1", "//{TileMatrix}@127.0.0.1").replace("/{TileMatrix}/", "/")
    with monkeypatch.context() as patch:
        patch.setattr(outward, "fetch", lambda *_a, **_k: outward.Answer("text/xml", words.encode()))
        with pytest.raises(InvalidInput, match="login"):
            basemaps.plan_of(NewBasemap("x", "wmts", "http://127.0.0.1/wmts", "the city"))
    plan = {"kind": "wmts", "system": "mercator", "template": "http://{TileMatrix}@10.0.0.9/{TileCol}/{TileRow}"}
    port = address.rpartition(":")[2]
    plan["levels"] = [Level(f"127.0.0.1:{port}/", 156543.03392804097, -2e7, 2e7, 1, 1).stored()]  # type: ignore[assignment]
    old = BasemapInfo(1, 1, "x", "wmts", "http://10.0.0.9/", "WGS-84", "x", plan, now())
    with pytest.raises(GridkeeperError):
        basemaps.tile_of(old, 0, 0, 0, lambda _key, get: get())
    assert Hostile.asked == []


def test_a_server_that_drips_is_left_when_its_time_is_over(address: str) -> None:
    with pytest.raises(SourceUnavailable):
        outward.fetch(f"{address}/drip", most_bytes=10, whole_s=0.3)


def test_signs_of_other_languages_are_quoted(address: str) -> None:
    outward.fetch(f"{address}/底图/1%20.png?层=a,b&tk=1", most_bytes=100)
    assert Hostile.asked == ["/%E5%BA%95%E5%9B%BE/1%20.png?%E5%B1%82=a,b&tk=1"]


def test_clouds_and_this_machine_in_all_notations(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("100.100.100.200", "168.63.129.16", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "::169.254.169.254"):
        assert outward.is_forbidden(each, named=True), each
    assert outward.is_forbidden("64:ff9b::7f00:1")
    assert outward.is_forbidden("::127.0.0.1")
    assert outward.is_forbidden("::1")
    assert not outward.is_forbidden("64:ff9b::a01:203")
    monkeypatch.setattr(outward, "_is_own", lambda address, _port: address == "10.1.2.3")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", ("10.1.2.3", 80))])
    with pytest.raises(SourceUnavailable, match="this machine"):
        outward.fetch("http://maps.city.gov/", most_bytes=10)


def test_this_machine_is_known_by_the_way_to_it() -> None:
    assert outward._is_own("127.0.0.1", 80)
    assert not outward._is_own("127.0.0.2.invalid", 80)


def test_capabilities_of_nonsense_are_refused() -> None:
    deep = "<WMS_Capabilities><Capability>" + "<Layer>" * 3000 + "</Layer>" * 3000 + "</Capability></WMS_Capabilities>"
    with pytest.raises(InvalidInput, match="too many"):
        basemap_xml.wms_plan(basemap_xml.parsed(deep.encode()), "http://x/")
    for wrong in ("nan", "inf"):
        words = wmts_capabilities(80).replace("90.0 -180.0", f"90.0 {wrong}")
        with pytest.raises(InvalidInput):
            basemap_xml.wmts_plan(basemap_xml.parsed(words.encode()), "http://127.0.0.1/")


def test_many_large_tiles_are_never_held_at_once() -> None:
    level = Level("0", 156543.03392804097 / 32, -20037508.34, 20037508.34, 9999, 9999, 2048)
    with pytest.raises(SourceUnavailable, match="Zoom in"):
        from_tiles([level], "mercator", Datum.WGS84, (0, 0, 0), lambda *_asked: pytest.fail("asked"))


def _vrt(source: str) -> str:
    return (
        '<VRTDataset rasterXSize="8" rasterYSize="8"><SRS>EPSG:4326</SRS>'
        "<GeoTransform>10,.1,0,50,0,-.1</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{source}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def test_a_geotiff_leads_to_no_other_file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    import rasterio
    from rasterio.transform import from_origin

    given = {"driver": "GTiff", "count": 1, "dtype": "uint8", "crs": "EPSG:4326"}
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret.tif"
    for path in (elsewhere, folder / "tagged.tif"):
        with rasterio.open(path, "w", width=16, height=16, transform=from_origin(10, 50, 0.05, 0.05), **given) as made:
            made.write(np.full((1, 16, 16), 200, np.uint8))
    (folder / "list.tif").write_text(_vrt(str(elsewhere)))
    with rasterio.open(folder / "tagged.tif", "r+") as made:
        made.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=_vrt(str(elsewhere)))
    with rasterio.open(
        folder / "wide.tif", "w", width=9000, height=9000, blockysize=9000, transform=from_origin(10, 50, 1e-5, 1e-5),
        compress="deflate", sparse_ok=True, **{**given, "count": 4},
    ):  # fmt: skip
        pass
    for name in ("list.tif", "tagged.tif", "wide.tif"):
        with pytest.raises(GridkeeperError):
            basemap_files.file_plan("geotiff", name)
        with pytest.raises(GridkeeperError):
            basemap_files.picture_of_box(name, (1113194, 6400000, 1130000, 6440000), 16, 16)
    (folder / "link.tif").symlink_to(elsewhere)
    with pytest.raises(InvalidInput):
        basemap_files.file_plan("geotiff", "link.tif")


@pytest.mark.parametrize(
    "tiles",
    [
        "SELECT 1 AS zoom_level, 0 AS tile_column, 0 AS tile_row, 4000000000 AS tile_data",
        "SELECT 1 AS zoom_level, 0 AS tile_column, 0 AS tile_row, zeroblob(900000000) AS tile_data",
        (
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
            " SELECT n AS zoom_level, 0 AS tile_column, 0 AS tile_row, x'00' AS tile_data FROM c"
        ),
    ],
)
def test_mbtiles_take_no_more_memory_or_time_than_a_tile(
    folder: Path, tiles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basemap_files, "ASK_S", 0.2)
    with sqlite3.connect(folder / "x.mbtiles") as file:
        file.execute("CREATE TABLE metadata (name text, value text)")
        file.execute(f"CREATE VIEW tiles AS {tiles}")
    with pytest.raises(GridkeeperError):
        basemap_files.file_plan("mbtiles", "x.mbtiles")
    with contextlib.suppress(SourceUnavailable):
        assert basemap_files.stored_tile("mbtiles", "x.mbtiles", 1, 0, 1) is None


def test_a_directory_of_pmtiles_that_unpacks_to_too_much_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pmtiles.tile import Compression, TileType, serialize_header

    monkeypatch.setattr(basemap_files, "UNPACKED_MOST", 1_000_000)
    bomb = gzip.compress(bytes(2_000_000))
    head = dict.fromkeys(
        ("root_offset", "metadata_offset"), 127
    ) | dict.fromkeys(("root_length", "metadata_length"), len(bomb))  # fmt: skip
    names = ("leaf_directory_offset", "leaf_directory_length", "tile_data_offset", "tile_data_length")
    counts = ("addressed_tiles_count", "tile_entries_count", "tile_contents_count", "min_zoom", "max_zoom")
    places = ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7", "center_zoom", "center_lon_e7", "center_lat_e7")
    told: Any = {**head, **dict.fromkeys((*names, *counts, *places), 0), "clustered": True}
    told |= {"internal_compression": Compression.GZIP, "tile_compression": Compression.NONE, "tile_type": TileType.PNG}
    (folder / "x.pmtiles").write_bytes(serialize_header({"version": 3, **told}) + bomb)
    with pytest.raises(SourceUnavailable):
        basemap_files.file_plan("pmtiles", "x.pmtiles")
    with pytest.raises(SourceUnavailable):
        basemap_files.stored_tile("pmtiles", "x.pmtiles", 0, 0, 0)
    (folder / "y.pmtiles").write_bytes(serialize_header({"version": 3, **told}) + b"x" * len(bomb))
    with pytest.raises(SourceUnavailable):
        basemap_files.file_plan("pmtiles", "y.pmtiles")
