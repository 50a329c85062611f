"""Any file that the gate reads, opened by what it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from core.errors import InvalidInput
from geodata.exchange import Chunk, Layout
from geodata.exchange_maps import FORMS, MapSource
from geodata.exchange_sheets import LinesSource, ParquetSource, SheetSource, StreetMapSource, TimetableSource
from geodata.exchange_text import TextSource
from geodata.exchange_unpack import unpacked

TEXTS: Final = {".csv": "CSV", ".tsv": "TSV", ".txt": "text table"}
SHEETS: Final = (".xlsx", ".xlsm")
LINES: Final = (".jsonl", ".ndjson", ".geojsonl", ".geojsons")
EXTRACTS: Final = (".pbf", ".osm", ".osm.gz", ".osm.bz2")
KNOWN: Final = (
    ".csv", ".csv.gz", ".tsv", ".txt", ".xlsx", ".xlsm", ".geojson", ".geojson.gz", ".json", ".gpkg", ".gdb", ".zip",
    ".shp", ".kml", ".kmz", ".fgb", ".dxf", ".dbf", ".gml", ".gpx", ".parquet", ".geoparquet", ".jsonl", ".ndjson",
    ".osm", ".osm.gz", ".osm.pbf",
)  # fmt: skip
"""Endings of names that are read."""
TELLING: Final = {
    ".xls": "It is an Excel workbook of before 2007; save it as .xlsx or CSV.",
    ".doc": "It is a letter, no table; copy the table into a workbook.",
    ".docx": "It is a letter, no table; copy the table into a workbook.",
    ".pdf": "It is a printed page; ask for the table it was made from.",
    ".dwg": "It is a drawing in a closed format; save it as DXF.",
    ".tif": "It is a picture of the ground; slopes come in under Suitability.",
    ".mdb": "It is an Access database; export its table as CSV, or the whole as a File Geodatabase or GeoPackage.",
    ".xml": "It is XML of a kind that is not read here; export it as GeoJSON or CSV.",
    ".rar": "It is a rar archive; pack it as zip.",
    ".7z": "It is a 7z archive; pack it as zip.",
}
"""Ending to what can be done, for files that are not read."""


class Source(Protocol):
    """A file that was opened: what it looks like, and its rows in chunks."""

    layout: Layout

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows, from the first, each time it is called."""


@contextlib.contextmanager
def opened(path: Path, *, encoding: str = "", delimiter: str = "", layer: str = "") -> Iterator[Source]:
    """Give a file opened by what it is; a packed one is unpacked for as long as the context is open.

    Parameters
    ----------
    encoding, delimiter, layer
        As a person or a mapping says; empty: found.

    Raises
    ------
    InvalidInput
        When there is no such file, it is empty, of a kind that is not read, or broken; says which and what to do.
    """
    if not path.exists() or (path.is_dir() and path.suffix.lower() != ".gdb"):
        raise InvalidInput(f"There is no file {path.name}.", zh=f"没有文件 {path.name}。")
    if path.is_file() and not path.stat().st_size:
        raise InvalidInput(f"{path.name} is empty.", hint="Was the download complete?", zh=f"{path.name} 是空文件。")
    with unpacked(path, layer) as (inner, names):
        yield _source(inner, encoding=encoding, delimiter=delimiter, layer=layer, names=names, sent=path)


def _source(  # noqa: PLR0911  (a line per kind)
    path: Path, *, encoding: str, delimiter: str, layer: str, names: tuple[str, ...], sent: Path
) -> Source:
    name, suffix = path.name.lower(), path.suffix.lower()
    kind = path.with_suffix("").suffix.lower() if suffix == ".gz" else suffix
    if path.is_dir() and suffix != ".gdb":
        return TimetableSource(path, layer=layer, name=sent.name)
    if name.endswith(EXTRACTS):
        return StreetMapSource(path)
    if kind in TEXTS:
        return TextSource(path, encoding=encoding, delimiter=delimiter, form=TEXTS[kind])
    if suffix in SHEETS:
        return SheetSource(path, layer=layer)
    if suffix in LINES:
        return LinesSource(path)
    if suffix in {".parquet", ".geoparquet"}:
        return ParquetSource(path)
    if suffix in FORMS:
        return MapSource(path, encoding=encoding, layer=layer, names=names)
    raise InvalidInput(
        f"{sent.name}: a file of this kind is not read here.",
        hint=TELLING.get(kind, f"Known are {', '.join(KNOWN)}."),
        zh=f"{sent.name}：不支持此类文件。可读取：{'、'.join(KNOWN)}。",
    )
