"""A table of text out of a file, whatever its format and encoding; nothing is interpreted here."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import io
import math
import re
import sqlite3
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

import geodata  # noqa: F401  (bounds what GDAL opens, before pyogrio is imported)
from core.errors import InvalidInput
from core.settings import settings
from geodata.crs import shapes_in_wgs84

TABLES = (".csv", ".tsv", ".txt")
MAPS = (".geojson", ".json", ".gpkg", ".fgb", ".shp")
SHEETS = (".xlsx", ".xlsm")
Cells = npt.NDArray[np.object_]
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_HEAD_CHARACTERS = 65_536
COLUMNS_AT_MOST = 1_000
CELLS_AT_MOST = 40_000_000
_UNPACKED = 8
"""How many times the largest upload a packed file may unpack to."""


@dataclass(frozen=True)
class Table:
    """Rows of a file as text.

    Attributes
    ----------
    columns
        Heading to its cells as str; an empty cell is the empty string.
    geometry
        Shapely geometries in EPSG:4326 where the file has its own, else None.
    form
        Format and encoding in words, e.g. ``CSV, GB18030``.
    """

    name: str
    columns: Mapping[str, Cells]
    geometry: npt.NDArray[np.object_] | None
    form: str

    @property
    def stem(self) -> str:
        """Return the name without its endings."""
        return self.name.split(".")[0] or self.name

    def __len__(self) -> int:
        """Return the number of rows."""
        first = next(iter(self.columns.values()), self.geometry)  # a map file may hold shapes and no column
        return 0 if first is None else len(first)


def read_table(path: Path, *, most_bytes: int | None = None) -> Table:
    """Return the rows of a CSV (also .gz), Excel, GeoJSON or GeoPackage file.

    Parameters
    ----------
    most_bytes
        That a packed file may unpack to; None: several times the largest upload of the settings.

    Raises
    ------
    InvalidInput
        When the file is absent, empty, truncated, of no known format, or broken at a row; says which.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise InvalidInput(f"{path.name} is empty.", hint="Was the download complete?")
    most_bytes = most_bytes or unpacked_bytes(settings().upload_max_mib)
    kind = path.with_suffix("").suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if kind in TABLES:
        table = _from_text(path, most_bytes)
    elif kind in SHEETS:
        table = _from_sheet(path, most_bytes)
    elif kind in MAPS and path.suffix.lower() != ".gz":
        table = _from_map(path)
    else:
        known = ", ".join((*TABLES, ".csv.gz", *SHEETS, *MAPS))
        raise InvalidInput(f"{path.name}: a file of this kind cannot be read.", hint=f"Known are {known}.")
    if not len(table):
        raise InvalidInput(
            f"{path.name} has no rows.", hint="Is it the right file, and was it saved whole?",
            zh=f"{path.name} 没有数据行，请确认文件正确且完整。",
        )  # fmt: skip
    return table


def decode(raw: bytes, name: str) -> tuple[str, str]:
    """Return the text of ``raw`` and the name of its encoding: UTF-8, UTF-16 by its mark, GB18030, else Windows-1252.

    Bytes that are not UTF-8 are taken as Chinese when, so read, nearly all their characters are
    common ones (GB 2312): Western letters misread as Chinese hardly ever are.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return _decoded(raw, encoding, name), encoding.removesuffix("-sig").upper()
    try:
        return raw.decode(), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        chinese = raw.decode("gb18030")
    except UnicodeDecodeError:
        chinese = ""
    foreign = [character for character in chinese if character > "\x7f"]
    if foreign and sum(_is_common(character) for character in foreign) > 0.9 * len(foreign):
        return chinese, "GB18030"
    return _decoded(raw, "cp1252", name), "Windows-1252"


def _decoded(raw: bytes, encoding: str, name: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{name} is no text in a known encoding (byte {error.start:,}).", hint="Save it as CSV in UTF-8."
        ) from error


def _is_common(character: str) -> bool:
    try:
        return len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def _from_text(path: Path, most_bytes: int) -> Table:
    if path.suffix.lower() != ".gz":
        raw = path.read_bytes()
    else:
        try:
            with gzip.open(path) as packed:
                raw = packed.read(most_bytes + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InvalidInput(
                f"{path.name} is cut short or is no gzip file ({error}).", hint="Fetch it again; nothing was loaded."
            ) from error
        _refuse_bomb(path, len(raw), most_bytes)
    if not raw.strip():
        raise InvalidInput(f"{path.name} is empty.", hint="Was the download complete?")
    text, encoding = decode(raw, path.name)
    if _CONTROL.search(text, 0, _HEAD_CHARACTERS):
        raise InvalidInput(f"{path.name} is no text table: it holds binary data.", hint="Save it as CSV in UTF-8.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            rows = pd.read_csv(
                io.StringIO(text),
                sep=_separator(text),
                dtype=str,
                keep_default_na=False,
                index_col=False,
                skipinitialspace=True,
            )
    except pd.errors.EmptyDataError as error:
        raise InvalidInput(f"{path.name} is empty.") from error
    except pd.errors.ParserWarning as error:
        raise InvalidInput(f"{path.name}: rows have more columns than the first line names.") from error
    except pd.errors.ParserError as error:
        said = re.sub(r"^.*?(C error:|error:)\s*", "", str(error)).strip()
        raise InvalidInput(
            f"{path.name} breaks as a table: {said}.", hint="Look for a missing or an extra quotation mark there."
        ) from error
    return Table(path.name, _as_text(rows), None, f"CSV, {encoding}")


def unpacked_bytes(upload_mib: int) -> int:
    """Return to how many bytes a packed file may unpack where uploads have at most so many MB."""
    return _UNPACKED * upload_mib << 20


def _refuse_bomb(path: Path, unpacked_bytes: int, most_bytes: int) -> None:
    if unpacked_bytes > most_bytes:
        raise InvalidInput(
            f"{path.name} unpacks to more than {most_bytes >> 20:,} MB.",
            hint="Split it, or have the limit on uploads raised.",
        )


def _separator(text: str) -> str:
    first_line = text[: text.find("\n")] if "\n" in text else text
    outside_quotes = re.sub(r'"[^"]*"', "", first_line)
    return max(",;\t|", key=outside_quotes.count)


def _from_sheet(path: Path, most_bytes: int) -> Table:
    try:
        with zipfile.ZipFile(path) as book:
            _refuse_bomb(path, sum(part.file_size for part in book.infolist()), most_bytes)
        refuse_wide(path)
        rows = pd.read_excel(path, dtype=object, engine="openpyxl", keep_default_na=False)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:  # the last is of broken XML
        raise InvalidInput(f"{path.name} is no readable Excel workbook ({error}).", hint="Save it as CSV.") from error
    rows = rows.loc[(rows != "").any(axis=1)] if len(rows.columns) else rows
    return Table(path.name, _as_text(rows), None, "Excel")


def refuse_wide(path: Path) -> None:
    """Refuse a sheet in which one cell stands far out: every row is as wide as the widest, and takes that memory.

    Five kilobytes of a workbook can say 60,000 rows of 16,384 columns.
    """
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        width = 0
        for rows, row in enumerate(sheet.iter_rows(values_only=True), 1):
            if len(row) > width:
                filled = [place for place, value in enumerate(row, 1) if value is not None]
                width = max(width, filled[-1] if filled else 0)
            if width > COLUMNS_AT_MOST or (width > 0 and rows * width > CELLS_AT_MOST):
                raise InvalidInput(
                    f"{path.name}: the sheet reaches to column {width:,}, row {rows:,}; that is too large for a table.",
                    hint="Delete what stands far out to the right or below, or save it as CSV.",
                    zh=f"{path.name}：工作表范围到第 {width:,} 列、第 {rows:,} 行，过大。"
                    "请删除右侧或下方的多余内容，或另存为 CSV。",
                )
    finally:
        book.close()


def _from_map(path: Path) -> Table:
    import pyogrio

    if path.suffix.lower() == ".gpkg":
        refuse_views(path)
    try:
        frame = pyogrio.read_dataframe(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} cannot be read as a map file ({error}).") from error
    if "geometry" not in frame.columns:
        raise InvalidInput(f"{path.name} has no geometry.", hint="Bring it in as CSV with longitude and latitude.")
    if frame.crs is None:
        raise InvalidInput(
            f"{path.name} does not say its coordinate system.", hint="Write it with one, best EPSG:4326."
        )
    geometry = shapes_in_wgs84(frame.geometry.to_numpy(), frame.crs, path.name)
    return Table(path.name, _as_text(pd.DataFrame(frame.drop(columns="geometry"))), geometry, path.suffix[1:].upper())


def refuse_views(path: Path) -> None:
    """Refuse a GeoPackage with a layer that is a view: eighty kilobytes of one can give rows without end."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
            views = file.execute(
                "SELECT name FROM sqlite_master WHERE type = 'view' AND lower(name) IN"
                " (SELECT lower(table_name) FROM gpkg_contents)"
            ).fetchall()
    except sqlite3.Error:
        return  # what is no GeoPackage is told of by who reads it
    if views:
        raise InvalidInput(
            f"{path.name}: its layer {views[0][0]} is a view.", hint="Save it as a plain layer, or as GeoJSON."
        )


def _as_text(rows: pd.DataFrame) -> dict[str, Cells]:
    made = {}
    for heading in rows.columns:
        cells = np.empty(len(rows), dtype=object)
        cells[:] = [cell_text(value) for value in rows[heading].astype(object)]
        made[str(heading).strip()] = cells
    return made


def cell_text(value: object) -> str:
    """Return what a cell of a table says as text; empty for nothing."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (dt.datetime, dt.date, pd.Timestamp)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
