"""Map files, streamed through GDAL: Shapefile, GeoPackage, GeoJSON, KML, File Geodatabase, FlatGeobuf, DXF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

import geodata  # noqa: F401  (bounds what GDAL opens, before pyogrio is imported)
from core.errors import InvalidInput
from geodata.exchange import Chunk, Layout, unique_headings
from geodata.exchange_unpack import broken, refuse_entities
from geodata.files import decode, refuse_views

FORMS: Final = {
    ".shp": "Shapefile", ".gpkg": "GeoPackage", ".geojson": "GeoJSON", ".json": "GeoJSON", ".kml": "KML",
    ".gdb": "File Geodatabase", ".fgb": "FlatGeobuf", ".dxf": "DXF", ".dbf": "DBF", ".gml": "GML", ".gpx": "GPX",
    ".tab": "MapInfo",
}  # fmt: skip
_HEADS: Final = {
    ".gpkg": (b"SQLite format 3\x00",), ".shp": (b"\x00\x00\x27\x0a",), ".fgb": (b"fgb",),
    ".geojson": (b"{",), ".json": (b"{", b"["), ".kml": (b"<",), ".gml": (b"<",), ".gpx": (b"<",),
}  # fmt: skip
BATCH_ROWS: Final = 20_000
_DBF_SAMPLE: Final = 1 << 22


class MapSource:
    """A map file: what it looks like, and its rows.

    Raises
    ------
    InvalidInput
        When its content is not what its name says, it is broken, or it holds nothing.
    """

    def __init__(self, path: Path, *, encoding: str = "", layer: str = "", names: tuple[str, ...] = ()) -> None:
        import pyogrio

        self._path, self._suffix = path, path.suffix.lower()
        form = FORMS[self._suffix]
        self._check()
        self._encoding, why = (encoding, "as said") if encoding else self._code_page()
        try:
            layers = [(str(name), kind) for name, kind in pyogrio.list_layers(path)]
            if not layers:
                raise InvalidInput(f"{path.name} holds no layer.", zh=f"{path.name} 中没有图层。")
            self._layer = self._choose(layers, layer)
            info = pyogrio.read_info(path, layer=self._layer, encoding=self._encoding or None)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError) as error:
            raise broken(path.name, form, error) from error
        said: list[tuple[str, str, str]] = []
        all_names = names if len(names) > 1 else tuple(name for name, _ in layers)
        if len(all_names) > 1:
            shown = path.stem if len(names) > 1 else self._layer
            said.append(("layer", shown, f"the first of {len(all_names)}: {', '.join(all_names[:8])}"))
        if why:
            said.append(("encoding", self._encoding or "UTF-8", why))
        self.layout = Layout(
            form=form,
            headings=tuple(unique_headings(info["fields"])),
            has_shapes=bool(info["geometry_type"]) and self._suffix != ".dbf",
            crs=str(info["crs"] or ""),
            encoding=self._encoding or str(info["encoding"] or "UTF-8"),
            layer=self._layer,
            layers=all_names,
            rows=int(info["features"]) if info["features"] >= 0 else None,
            remarks=tuple(said),
        )

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows, with their shapes in the file's own coordinate system."""
        import pyogrio

        first = 1
        try:
            with pyogrio.raw.open_arrow(
                self._path,
                layer=self._layer,
                encoding=self._encoding or None,
                batch_size=BATCH_ROWS,
                use_pyarrow=True,
                datetime_as_string=True,
            ) as (meta, reader):
                shape_column = meta["geometry_name"] or "wkb_geometry"
                for batch in reader:
                    yield self._chunk(batch, first, shape_column)
                    first += batch.num_rows
        except (
            pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError, pa.ArrowInvalid,
            RuntimeError, UnicodeDecodeError,
        ) as error:  # fmt: skip
            raise broken(self._path.name, self.layout.form, error) from error

    def _chunk(self, batch: pa.RecordBatch, first: int, shape_column: str) -> Chunk:
        shapes = None
        if self.layout.has_shapes and shape_column in batch.schema.names:
            wkb = batch.column(batch.schema.names.index(shape_column)).to_numpy(zero_copy_only=False)
            shapes = shapely.from_wkb(wkb, on_invalid="ignore")
        kept = [place for place, name in enumerate(batch.schema.names) if name != shape_column]
        columns = {
            heading: as_text(batch.column(place)) for heading, place in zip(self.layout.headings, kept, strict=True)
        }
        return Chunk(first, columns, shapes)

    def _choose(self, layers: list[tuple[str, Any]], layer: str) -> str:
        names = [name for name, _ in layers]
        if layer and layer in names:
            return layer
        if layer and len(names) > 1:
            raise InvalidInput(
                f"{self._path.name} has no layer {layer!r}.",
                hint=f"It has {', '.join(names[:12])}.",
                zh=f"{self._path.name} 中没有图层 {layer}，现有：{'、'.join(names[:12])}。",
            )
        return next((name for name, kind in layers if kind), names[0])

    def _check(self) -> None:
        if self._suffix == ".gdb":
            return
        with self._path.open("rb") as file:
            start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
        wanted = _HEADS.get(self._suffix, ())
        if wanted and not start.startswith(wanted):
            raise InvalidInput(
                f"The content of {self._path.name} is not what its ending {self._suffix} says.",
                hint="Save it again from the program it came from.",
                zh=f"{self._path.name} 的内容与扩展名 {self._suffix} 不符，请用原软件重新导出。",
            )
        if self._suffix in {".kml", ".gml", ".gpx"}:
            refuse_entities(self._path)
        if self._suffix == ".gpkg":
            refuse_views(self._path)

    def _code_page(self) -> tuple[str, str]:
        """Return the encoding of a DBF and why; empty where the format says it by itself."""
        table = self._path.with_suffix(".dbf") if self._suffix == ".shp" else self._path
        if self._suffix not in {".shp", ".dbf"}:
            return "", ""
        if not table.is_file():
            table = next(
                (each for each in self._path.parent.glob(f"{self._path.stem}.*") if each.suffix.lower() == ".dbf"),
                table,
            )
        for ending in (".cpg", ".cst", ".CPG"):
            page = self._path.with_suffix(ending)
            if page.is_file():
                said = page.read_text(errors="replace").strip()
                known = {"936": "gb18030", "GBK": "gb18030", "GB2312": "gb18030", "65001": "UTF-8"}
                name = known.get(said.upper().replace("CP", "").replace("ANSI ", ""), said)
                return (name, f"its {ending} says {said}") if name else ("", "")
        if not table.is_file():
            return "", ""
        with table.open("rb") as file:
            head = file.read(32)
            begins = int.from_bytes(head[8:10], "little") if len(head) >= 10 else 32
            fields = file.read(max(0, begins - 32))
            raw = file.read(_DBF_SAMPLE)
        names = b"".join(fields[at : at + 11].split(b"\x00")[0] for at in range(0, max(0, len(fields) - 31), 32))
        _, found = decode(names + b" " + raw[: len(raw) // 2 * 2], self._path.name) if raw else ("", "UTF-8")
        return {"GB18030": "gb18030", "Windows-1252": "cp1252"}.get(
            found, found
        ), "there is no .cpg; its letters say so"


def as_text(column: pa.Array) -> pa.Array:
    """Return a column of any type as text, null where it is empty."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return pc.cast(column, pa.string())
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_date(kind):
        return pc.cast(column, pa.string())
    if pa.types.is_timestamp(kind):
        return pa.array([None if each is None else each.isoformat() for each in column.to_pylist()], pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.nulls(len(column), pa.string())
    return pa.array(
        [None if each is None else json.dumps(each, ensure_ascii=False, default=str) for each in column.to_pylist()],
        pa.string(),
    )


def points(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Return points, None where a coordinate is missing."""
    made = np.full(len(lon), None, dtype=object)
    there = ~(np.isnan(lon) | np.isnan(lat))
    made[there] = shapely.points(lon[there], lat[there])
    return made
