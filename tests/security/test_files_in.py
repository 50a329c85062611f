"""Files that come in: none unpacks to a mountain, none names its own place, none is a trace."""

from __future__ import annotations

import gzip
import http.server
import io
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from app import uploads
from core.errors import InvalidInput
from core.settings import settings
from geodata.exchange_open import opened
from geodata.files import read_table
from geodata.record_file import read as read_record
from geodata.vector_files import read_shapes
from incidents.evidence import MOST_PIXELS, clean

SHEET = (
    '<?xml version="1.0"?><!DOCTYPE worksheet [{entities}]>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
    '<row r="2"><c r="A2" t="inlineStr"><is><t>{use}</t></is></c></row></sheetData></worksheet>'
)
LAUGHS = SHEET.format(
    entities=f'<!ENTITY a "{"ha" * 500}">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 20}">' for n in range(7)),
    use="&h;",
)
OUTSIDE = SHEET.format(entities='<!ENTITY a SYSTEM "file:///etc/passwd">', use="&a;")
PARTS = {
    "entities without end": ("xl/worksheets/sheet1.xml", LAUGHS),
    "a file of this machine": ("xl/worksheets/sheet1.xml", OUTSIDE),
    "no XML": ("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row>"),
    "nothing": ("xl/workbook.xml", ""),
    "control": ("xl/worksheets/sheet1.xml", "\x00\x01\x02"),
}


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRIDKEEPER_UPLOAD_MAX_MIB", "1")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def a_workbook(path: Path, part: str = "", content: str = "") -> Path:
    """Write a workbook, one part of it exchanged for another."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["name", "place"], ["a", "b"]):
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return path


def peak_mib(work: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / (1 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_workbook_that_is_a_trap_is_refused(tmp_path: Path, name: str) -> None:
    path = a_workbook(tmp_path / "trap.xlsx", *PARTS[name])

    def refused() -> None:
        with pytest.raises(InvalidInput) as caught:
            read_table(path)
        assert "root:" not in str(caught.value)

    assert peak_mib(refused) < 64


def test_a_packed_table_is_unpacked_no_further_than_the_limit(tmp_path: Path, small_limit: None) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(64):
            file.write(b"name,place\n" * 95_000)

    def refused() -> None:
        with pytest.raises(InvalidInput, match="unpacks to more"):
            read_table(path)

    assert path.stat().st_size < 1 << 20
    assert peak_mib(refused) < 40


def test_a_packed_record_is_read_a_line_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb") as file:
        file.write(b'{"format": "gridkeeper record 1"}\n')
        for _ in range(15_000):
            file.write(b'["k", "' + b"a" * 1000 + b'"]\n')
    assert path.stat().st_size < 1 << 20
    assert peak_mib(lambda: sum(1 for _ in read_record(path))) < 4


@pytest.mark.parametrize(
    "name",
    ["../../evil.shp", "/etc/evil.shp", "..\\..\\evil.shp", "a/../../../b.shp", "C:\\evil.shp", "evil.shp\x00.txt"],
)
def test_no_part_of_a_zip_names_its_own_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in" / "data.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"\x00\x00\x27\x0a" + b"\0" * 96)
    with pytest.raises(InvalidInput):
        read_shapes(path)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["data.zip", "in"]
    assert not list(Path("/etc").glob("evil*"))


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x.csv", "/abs/x.csv", "..\\x.csv", "x\x00.csv", "a\nb.csv", "\u202evsc.csv"]
)
def test_an_upload_gets_a_name_of_ours(name: str) -> None:
    path = uploads.save(io.BytesIO(b"a,b\n1,2\n"), name, uploads.TABLE_ENDINGS)
    assert path.parent == settings().state_dir / "uploads"
    assert path.stem.partition(".")[0].isalnum()
    path.unlink()


def test_a_picture_of_few_bytes_and_many_points_is_not_drawn() -> None:
    side = int(MOST_PIXELS**0.5) + 500
    held = io.BytesIO()
    Image.new("1", (side, side)).save(held, "PNG")
    assert len(held.getvalue()) < 1 << 20

    def refused() -> None:
        with pytest.raises(InvalidInput, match="points"):
            clean(held.getvalue())

    assert peak_mib(refused) < 8


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "ICO"])
def test_other_readers_of_pictures_are_not_woken(kind: str) -> None:
    held = io.BytesIO()
    Image.new("RGB", (64, 64)).save(held, kind)
    with pytest.raises(InvalidInput, match="no photo"):
        clean(held.getvalue())


def test_a_map_file_makes_us_ask_nobody(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_said: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}"
    schema = f"{at}/ns {at}/wfs?service=WFS&amp;version=1.0.0&amp;request=DescribeFeatureType&amp;typeName=o:x"
    gml = (
        '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:o="{at}/ns" xsi:schemaLocation="{schema}">'
        '<gml:featureMember><o:x fid="x.1"><o:n>1</o:n></o:x></gml:featureMember></wfs:FeatureCollection>'
    )
    point = '{"type": "Feature", "properties": {"a": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}'
    crs = f'{{"type": "link", "properties": {{"href": "{at}/crs", "type": "ogcwkt"}}}}'
    geojson = f'{{"type": "FeatureCollection", "crs": {crs}, "features": [{point}]}}'
    try:
        for name, content in (("a.gml", gml), ("a.geojson", geojson)):
            path = tmp_path / name
            path.write_text(content)
            with opened(path) as source:
                assert sum(len(each) for each in source.chunks()) == 1
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []
