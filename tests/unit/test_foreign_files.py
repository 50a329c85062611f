"""Files of others: what they point at is not opened, and what they unpack to is bounded."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import InvalidInput
from core.settings import Settings
from geodata import files
from geodata.files import read_table
from geodata.quality import read_boundary

SECRET = "root-of-all-evil"
POINTERS = {
    "a virtual layer": "<OGRVRTDataSource><OGRVRTLayer name='other'><SrcDataSource>CSV:{other}</SrcDataSource>"
    "<LayerSRS>EPSG:4326</LayerSRS><GeometryType>wkbPoint</GeometryType></OGRVRTLayer></OGRVRTDataSource>",
    "a pipeline": '{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline'
    ' ! read --input-format CSV {other} ! set-geom-type --geometry-type POINT"}}',
}


@pytest.mark.parametrize("pointer", list(POINTERS))
@pytest.mark.parametrize("name", ["x.geojson", "x.gpkg", "x.shp"])
@pytest.mark.parametrize("read", [read_table, read_boundary])
def test_a_map_file_cannot_point_at_another_file(
    tmp_path: Path, read: Callable[[Path], object], name: str, pointer: str
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(f"{SECRET}\nx\n")
    path = tmp_path / name
    path.write_text(POINTERS[pointer].format(other=other))
    with pytest.raises(InvalidInput, match="cannot be read") as refused:
        read(path)
    assert SECRET not in str(refused.value)


def test_a_packed_table_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "settings", lambda: Settings(upload_max_mib=1))
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * (3 << 20)))
    with pytest.raises(InvalidInput, match="unpacks to more than 8 MB"):
        read_table(path)


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "settings", lambda: Settings(upload_max_mib=1))
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b" " * (9 << 20))
    with pytest.raises(InvalidInput, match="unpacks to more than 8 MB"):
        read_table(path)


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Settings(secret=SecretStr("changeme"))
