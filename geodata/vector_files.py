"""Vector files that users send: told by their first bytes, unpacked with care, read in longitude and latitude."""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.settings import settings
from geodata.crs import shapes_in_wgs84
from geodata.quality import crs_of

ENDINGS = (".geojson", ".json", ".gpkg", ".zip")
MEMBERS_AT_MOST = 60
UNPACKED_SHARE = 100
"""A file may unpack to so many times its own size at most, whatever it says of itself."""
_PARTS = {".shp", ".shx", ".dbf", ".prj", ".cpg", ".cst", ".qix", ".sbn", ".sbx", ".xml", ".qmd"}
_OPENED = (".shp", ".gpkg", ".geojson", ".json")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Shapes:
    """What a vector file holds: geometries in EPSG:4326, and the columns beside them as text."""

    geometry: NDArray[np.object_]
    columns: dict[str, list[str]]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Give the path of the one dataset in a file; a zip is unpacked into a folder that goes away again.

    Raises
    ------
    InvalidInput
        When the content is not what the ending says, or a zip is broken, too big, or holds no dataset or several.
    """
    if path.suffix.lower() != ".zip":
        _check_signature(path)
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=path.parent) as folder:
        _unpack(path, Path(folder))
        found = [each for each in sorted(Path(folder).iterdir()) if each.suffix.lower() in _OPENED]
        if len(found) != 1:
            names = ", ".join(each.name for each in found) or "none"
            raise InvalidInput(
                f"The zip must hold one dataset; it holds {len(found)} ({names}).",
                hint="Put the parts of one Shapefile into it (.shp, .shx, .dbf, .prj), or one GeoPackage.",
            )
        _check_signature(found[0])
        yield found[0]


def read_shapes(path: Path, *, name: str | None = None) -> Shapes:
    """Return geometries and columns of a vector file (GeoJSON, GeoPackage, or a zip with a Shapefile).

    Parameters
    ----------
    name
        What the file is called in messages; None takes its own name.

    Raises
    ------
    InvalidInput
        When it cannot be read or does not say its coordinate reference system.
    """
    import pyogrio

    shown = name or path.name
    with opened(path) as dataset:
        try:
            meta: dict[str, Any]
            meta, _, wkb, fields = pyogrio.raw.read(dataset, layer=0)  # of several the first, without a warning
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
            raise InvalidInput(
                f"{shown} cannot be read: {str(error).splitlines()[0]}",
                hint="Give GeoJSON, GeoPackage, or a zip with a Shapefile.",
            ) from error
    shapes = shapely.from_wkb(wkb) if wkb is not None else np.empty(0, dtype=object)
    if not len(shapes):
        raise InvalidInput(f"{shown} holds no shape.", hint="Give a polygon for each area.")
    if not meta["crs"]:
        raise InvalidInput(
            f"{shown} does not say its coordinate reference system.",
            hint="Add the .prj file, or write it as GeoJSON in longitude and latitude.",
        )
    shapes = shapes_in_wgs84(shapes, crs_of(meta["crs"], shown), shown)
    columns = {
        str(title): ["" if value is None or value != value else str(value).strip() for value in values.tolist()]  # noqa: PLR0124  (NaN)
        for title, values in zip(meta["fields"], fields, strict=True)
    }
    return Shapes(shapes, columns)


def _check_signature(path: Path) -> None:
    """Refuse a file that is another thing than it is called: GDAL opens by content, and some content opens others."""
    with path.open("rb") as file:
        head = file.read(64).removeprefix(b"\xef\xbb\xbf")
    fits = {
        ".gpkg": head.startswith(b"SQLite format 3\x00"),
        ".shp": head.startswith(b"\x00\x00\x27\x0a"),
    }.get(path.suffix.lower(), head.lstrip()[:1] == b"{")
    if not fits:
        raise InvalidInput(
            f"The content of {path.name} is not what its ending {path.suffix} says.",
            hint="Give GeoJSON, GeoPackage, or a zip with a Shapefile.",
        )


def _unpack(path: Path, folder: Path) -> None:
    """Write the parts of a dataset out of a zip, flat, counting every byte that really comes out."""
    most = min(settings().upload_max_mib << 20, max(path.stat().st_size, _CHUNK) * UNPACKED_SHARE)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            wanted = [
                each
                for each in members
                if (suffix := PurePosixPath(each.filename).suffix.lower()) in _PARTS or suffix in _OPENED
            ]
            if len(members) > MEMBERS_AT_MOST:
                raise InvalidInput(
                    f"The zip holds {len(members)} files; at most {MEMBERS_AT_MOST} are read.",
                    hint="Put one dataset into it.",
                )
            left = most
            for member in wanted:
                left = _write(archive, member, folder / PurePosixPath(member.filename).name, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise InvalidInput(f"The zip cannot be opened: {error}", hint="Pack it again, without a password.") from error


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one member and return how many bytes may still come."""
    with archive.open(member) as source, target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise InvalidInput(
                    "The zip unpacks to far more than it is; it was not read.", hint="Pack one dataset only."
                )
            file.write(chunk)
    return left
