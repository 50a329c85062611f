"""Workbooks, line-wise JSON, Parquet, timetables (GTFS) and extracts of OpenStreetMap, streamed row by row."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from pyarrow import parquet

from core.errors import InvalidInput
from geodata.exchange import Chunk, Layout, in_chunks, unique_headings
from geodata.exchange_maps import as_text
from geodata.exchange_text import TextSource, find_headings
from geodata.exchange_unpack import broken
from geodata.files import cell_text, refuse_wide

BATCH_ROWS: Final = 20_000
_HEAD_ROWS: Final = 30
_SHEET_BYTES: Final = 4 << 30
_FORMULA = re.compile(rb"<f[ >/]")


class SheetSource:
    """The first sheet of a workbook that holds a table.

    Raises
    ------
    InvalidInput
        When it is no workbook, or far too large.
    """

    def __init__(self, path: Path, *, layer: str = "") -> None:
        from openpyxl import load_workbook

        self._path = path
        try:
            self._refuse_bomb()
            refuse_wide(path)
            book = load_workbook(path, read_only=True, data_only=True)
            names = tuple(book.sheetnames)
            self._sheet = layer if layer in names else names[0]
            sheet = book[self._sheet]
            sheet.reset_dimensions()
            head = [row for row, _ in zip(sheet.iter_rows(values_only=True), range(_HEAD_ROWS), strict=False)]
            book.close()
        except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError, TypeError, EOFError) as error:
            raise broken(path.name, "Excel workbook", error) from error
        if not any(cell is not None for row in head for cell in row):
            raise InvalidInput(
                f"{path.name}: sheet {self._sheet} is empty.", zh=f"{path.name}：工作表 {self._sheet} 为空。"
            )
        self._skip, headings, said = find_headings(head)
        if len(names) > 1:
            said.append(("layer", self._sheet, f"the first of {len(names)} sheets: {', '.join(names[:8])}"))
        if self._formulas():
            said.append(
                ("formulas", "their results", "the sheet holds formulas; what they gave when it was saved is taken")
            )
        self.layout = Layout("Excel", tuple(headings), layer=self._sheet, layers=names, remarks=tuple(said))

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows; one without any cell is no row."""
        from openpyxl import load_workbook

        book = load_workbook(self._path, read_only=True, data_only=True)
        sheet = book[self._sheet]
        sheet.reset_dimensions()
        width = len(self.layout.headings)

        def rows() -> Iterator[Sequence[str | None]]:
            for number, row in enumerate(sheet.iter_rows(values_only=True)):
                if number >= self._skip and any(cell is not None for cell in row):
                    yield [cell_text(cell) or None for cell in row[:width]]

        try:
            yield from in_chunks(rows(), self.layout.headings, BATCH_ROWS)
        except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError, EOFError) as error:
            raise broken(self._path.name, "Excel workbook", error) from error
        finally:
            book.close()

    def _refuse_bomb(self) -> None:
        with zipfile.ZipFile(self._path) as book:
            for part in book.infolist():
                if part.file_size > _SHEET_BYTES or part.file_size > max(part.compress_size, 1 << 16) * 500:
                    raise InvalidInput(
                        f"{self._path.name} unpacks to far more than it is; it was not read.",
                        hint="Save it as CSV.",
                        zh=f"{self._path.name} 解压后过大，未读取。请另存为 CSV。",
                    )
                if part.filename.endswith((".xml", ".rels")):
                    with book.open(part) as file:
                        if b"<!ENTITY" in file.read(4096):
                            raise InvalidInput(
                                f"{self._path.name} declares entities; it was not read.", hint="Save it as CSV."
                            )

    def _formulas(self) -> bool:
        with zipfile.ZipFile(self._path) as book:
            for part in book.namelist():
                if part.startswith("xl/worksheets/sheet"):
                    with book.open(part) as file:
                        if _FORMULA.search(file.read(1 << 20)):
                            return True
        return False


class LinesSource:
    """A JSON object in each line: plain ones, or GeoJSON features."""

    def __init__(self, path: Path) -> None:
        self._path = path
        headings: dict[str, None] = {}
        self._shapes = False
        for number, (each, shape) in zip(range(1000), self._objects(), strict=False):
            del number
            headings.update(dict.fromkeys(each))
            self._shapes = self._shapes or shape is not None
        if not headings and not self._shapes:
            raise InvalidInput(f"{path.name} is empty.", zh=f"{path.name} 是空文件。")
        self._keys = list(headings)
        crs = "EPSG:4326" if self._shapes else ""
        self.layout = Layout("JSON lines", tuple(unique_headings(self._keys)), self._shapes, crs, "UTF-8")

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows; what the first thousand lines did not have as a key is not read."""
        first, rows, shapes = 1, [], []
        for each, shape in self._objects():
            rows.append([None if each.get(key) is None else _plain(each[key]) for key in self._keys])
            shapes.append(shape)
            if len(rows) == BATCH_ROWS:
                yield self._chunk(first, rows, shapes)
                first, rows, shapes = first + len(rows), [], []
        if rows:
            yield self._chunk(first, rows, shapes)

    def _chunk(self, first: int, rows: list[list[str | None]], shapes: list[str | None]) -> Chunk:
        columns = {
            heading: pa.array([row[place] for row in rows], pa.string())
            for place, heading in enumerate(self.layout.headings)
        }
        made = shapely.from_geojson(np.array(shapes, dtype=object), on_invalid="ignore") if self._shapes else None
        return Chunk(first, columns, made)

    def _objects(self) -> Iterator[tuple[dict[str, Any], str | None]]:
        with self._path.open(encoding="utf-8-sig", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    found = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise broken(self._path.name, f"JSON in line {number:,}", error) from error
                if not isinstance(found, dict):
                    raise broken(self._path.name, f"JSON in line {number:,}", "no object with keys")
                if found.get("type") == "Feature":
                    shape = found.get("geometry")
                    yield found.get("properties") or {}, json.dumps(shape) if shape else None
                else:
                    yield found, None


class ParquetSource:
    """A Parquet file, with shapes where it is GeoParquet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = parquet.ParquetFile(path)
            meta = json.loads((self._file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
            self._shape = str(meta.get("primary_column", ""))
            column = meta.get("columns", {}).get(self._shape, {})
        except (pa.ArrowException, OSError, ValueError, AttributeError) as error:
            raise broken(path.name, "Parquet", error) from error
        if self._shape and str(column.get("encoding", "WKB")).upper() != "WKB":
            raise InvalidInput(
                f"{path.name}: shapes are encoded as {column.get('encoding')}.", hint="Write them as WKB."
            )
        names = [name for name in self._file.schema_arrow.names if name != self._shape]
        said = column.get("crs", "EPSG:4326") if self._shape else ""  # absent means longitude and latitude there
        self._names = names
        self.layout = Layout(
            "GeoParquet" if self._shape else "Parquet", tuple(unique_headings(names)), bool(self._shape),
            said if isinstance(said, str) else json.dumps(said) if said else "", "UTF-8",
            rows=self._file.metadata.num_rows,
        )  # fmt: skip

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows, with their shapes in the file's own coordinate system."""
        first = 1
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
                named = dict(zip(batch.schema.names, batch.columns, strict=True))
                shapes = None
                if self._shape:
                    wkb = named[self._shape].to_numpy(zero_copy_only=False)
                    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
                columns = {
                    heading: as_text(named[name])
                    for heading, name in zip(self.layout.headings, self._names, strict=True)
                }
                yield Chunk(first, columns, shapes)
                first += batch.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            raise broken(self._path.name, "Parquet", error) from error


class TimetableSource:
    """The stops of a timetable (GTFS), or another of its tables by name."""

    def __init__(self, folder: Path, *, layer: str = "", name: str = "") -> None:
        tables = tuple(sorted(each.stem for each in folder.glob("*.txt")))
        chosen = layer or "stops"
        if chosen not in tables:
            raise InvalidInput(f"The timetable has no {chosen}.txt.", hint=f"It has {', '.join(tables)}.")
        self._table = TextSource(folder / f"{chosen}.txt", delimiter=",", form=f"GTFS {chosen}")
        found = self._table.layout
        said = ("layer", chosen, f"{name or 'the file'} is a timetable; its tables are {', '.join(tables)}")
        self.layout = Layout(
            found.form, found.headings, False, "", found.encoding, ",", chosen, tables, None, (said, *found.remarks)
        )

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows."""
        return self._table.chunks()


class StreetMapSource:
    """What has a name or a use in an extract of OpenStreetMap: nodes, ways by their middle, relations as areas."""

    MAIN: Final = ("amenity", "shop", "office", "leisure", "tourism", "healthcare", "emergency", "public_transport")

    def __init__(self, path: Path) -> None:
        self._path = path
        said = ("rows", "places with a use", f"objects tagged {', '.join(self.MAIN)}; streets come by 'load osm'")
        headings = ("osm_id", "class", "name", "name_zh", "name_en")
        self.layout = Layout("OpenStreetMap", headings, True, "EPSG:4326", "UTF-8", remarks=(said,))

    def chunks(self) -> Iterator[Chunk]:
        """Give the places; a relation of several outlines is one area, with its holes."""
        import osmium

        first, rows, shapes = 1, [], []
        wkb = osmium.geom.WKBFactory()
        try:
            used = osmium.filter.KeyFilter(*self.MAIN)
            areas = osmium.filter.KeyFilter(*self.MAIN)  # of relations; others are not put together
            found = osmium.FileProcessor(str(self._path)).with_locations().with_areas(areas).with_filter(used)
            each: Any
            for each in found:
                shape = _shape(each, wkb)
                key = next((name for name in self.MAIN if name in each.tags), "")
                if shape is None or not key:
                    continue
                tags = each.tags
                rows.append([
                    _osm_id(each), f"{key}={tags[key]}", tags.get("name"), tags.get("name:zh"), tags.get("name:en"),
                ])  # fmt: skip
                shapes.append(shape)
                if len(rows) == BATCH_ROWS:
                    yield self._chunk(first, rows, shapes)
                    first, rows, shapes = first + len(rows), [], []
        except (RuntimeError, ValueError, OSError) as error:
            raise broken(self._path.name, "OpenStreetMap extract", error) from error
        if rows:
            yield self._chunk(first, rows, shapes)

    def _chunk(self, first: int, rows: list[list[Any]], shapes: list[Any]) -> Chunk:
        columns = {
            heading: pa.array([row[place] for row in rows], pa.string())
            for place, heading in enumerate(self.layout.headings)
        }
        made = np.empty(len(shapes), dtype=object)
        made[:] = shapes
        return Chunk(first, columns, made)


def _osm_id(each: Any) -> str:
    if each.is_area():
        return f"r{each.orig_id()}"
    return f"{'n' if each.is_node() else 'w'}{each.id}"


def _shape(each: Any, wkb: Any) -> Any:
    """Return where an object lies; None for what says it by another object, or not at all."""
    if not each.is_area():
        place = _place(each)
        return None if place is None else shapely.Point(place)
    if each.from_way():
        return None  # the way itself comes by its middle
    try:
        return shapely.from_wkb(wkb.create_multipolygon(each))
    except (RuntimeError, shapely.errors.GEOSException):
        return None


def _place(each: Any) -> tuple[float, float] | None:
    if each.is_node():
        return (each.lon, each.lat) if each.location.valid() else None
    if not each.is_way():
        return None
    nodes = [node.location for node in each.nodes if node.location.valid()]
    if not nodes:
        return None
    return sum(node.lon for node in nodes) / len(nodes), sum(node.lat for node in nodes) / len(nodes)


def _plain(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return cell_text(value) if not isinstance(value, bool) else str(value).lower()
