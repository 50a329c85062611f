"""Archives and packed files that somebody sends: unpacked with care into a folder that goes away again."""

from __future__ import annotations

import contextlib
import gzip
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, Final
from xml.parsers import expat  # nosec B406 - it looks for entities and reads nothing

from core.errors import InvalidInput
from core.settings import settings

MEMBERS_AT_MOST: Final = 2_000
_SHARE: Final = 200
_CHUNK: Final = 1 << 20
_PROLOG: Final = 1 << 16
MAPS: Final = (".shp", ".gpkg", ".geojson", ".json", ".kml", ".fgb", ".dxf", ".parquet", ".geoparquet", ".gml", ".tab")
TABLES: Final = (".csv", ".tsv", ".xlsx", ".dbf", ".jsonl", ".ndjson", ".geojsonl")
GTFS_PARTS: Final = {"stops.txt", "routes.txt", "trips.txt", "stop_times.txt", "agency.txt"}
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_FOLDERS = re.compile(r"(?<![\w/])/(?:[^/\s'\"]+/)+")
"""Folders of this machine, which a message of a library names and a stranger need not know."""


def broken(name: str, what: str, error: object) -> InvalidInput:
    """Return the refusal of a file that is cut short or of another kind than it says."""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    said = _FOLDERS.sub("", said).split("; It might help", maxsplit=1)[0]
    return InvalidInput(
        f"{name} is no readable {what} ({said}).",
        hint="Was the download complete? Fetch or save it again; nothing was loaded.",
        zh=f"{name} 不是可读取的 {what} 文件（{said}）。请重新获取或另存；未写入任何数据。",
    )


@contextlib.contextmanager
def unpacked(path: Path, layer: str = "") -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Give the path of the one data set in a file, and the names of all there are in it.

    A zip is unpacked into a folder that goes away again; of several data sets the one called ``layer`` is given, else
    the first. A timetable (GTFS) is given as its folder. Other files are given as they are.

    Raises
    ------
    InvalidInput
        When the archive is broken, leads out of its folder, unpacks to far more than it is, or holds no data set.
    """
    suffix = path.suffix.lower()
    if suffix == ".gz" and path.with_suffix("").suffix.lower() not in {".csv", ".tsv", ".txt", ".osm"}:
        with tempfile.TemporaryDirectory(prefix="gk-unpacked-") as folder:
            target = Path(folder) / path.with_suffix("").name
            try:
                with gzip.open(path) as source:
                    _write(source, target, _most(path), path.name)
            except (EOFError, zlib.error, OSError) as error:
                raise broken(path.name, "gzip", error) from error
            yield target, ()
        return
    if suffix not in {".zip", ".kmz"}:
        yield path, ()
        return
    with tempfile.TemporaryDirectory(prefix="gk-unpacked-") as folder:
        _unzip(path, Path(folder))
        yield _chosen(path, Path(folder), layer)


def refuse_entities(path: Path) -> None:
    """Refuse XML that declares entities: a kilobyte of them can say a billion words.

    They can be declared before the first element alone, however far into the file that is, and in any encoding that
    a parser of XML knows; where this one knows the encoding not, the whole file is looked through.

    Raises
    ------
    InvalidInput
        When the file declares any.
    """
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.EntityDeclHandler = lambda name, *_: found.append(f"entity {name}")
    parser.StartElementHandler = lambda name, _: found.append(name)
    with path.open("rb") as file:
        try:
            while not found and (part := file.read(_PROLOG)):
                parser.Parse(part, False)
        except (expat.ExpatError, ValueError, LookupError):  # also an encoding that Python does not know
            found += _declared(file)
    if found and found[0].startswith("entity "):
        raise InvalidInput(
            f"{path.name} declares entities, which no map file needs; it was not read.",
            hint="Save it again from the program it came from.",
            zh=f"{path.name} 声明了 XML 实体，地图文件不需要；未读取。请用原软件重新导出。",
        )


def _declared(file: BinaryIO) -> list[str]:
    """Return what looks like a declaration of an entity anywhere in a file."""
    file.seek(0)
    kept = b""
    while part := file.read(_CHUNK):
        if _ENTITY.search((kept + part).replace(b"\x00", b"")):
            return ["entity "]
        kept = part[-64:]
    return []


def _most(path: Path) -> int:
    return min(settings().upload_max_mib * 16 << 20, max(path.stat().st_size, _CHUNK) * _SHARE)


def _unzip(path: Path, folder: Path) -> None:
    """Unpack an archive, and what lies packed in it, one level deep; within one limit of bytes for all."""
    left, count = _extract(path, folder, path.name, _most(path), MEMBERS_AT_MOST)
    for inner in sorted(folder.rglob("*")):
        if inner.suffix.lower() == ".zip" and inner.is_file() and not inner.name.startswith("."):
            room = inner.with_suffix("")
            while room.exists():
                room = room.with_name(room.name + "_")
            left, count = _extract(inner, room, f"{path.name}/{inner.name}", left, count)
            inner.unlink()


def _extract(path: Path, folder: Path, name: str, left: int, most: int) -> tuple[int, int]:
    """Unpack one archive into a folder; return how many bytes and how many files may still come."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            if len(members) > most:
                raise InvalidInput(f"{name} holds {len(members):,} files; at most {MEMBERS_AT_MOST:,} are read.")
            for member in members:
                target = folder / _inside(_name(member), name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source:
                    left = _write(source, target, left, name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error) as error:
        raise broken(name, "zip", error) from error
    return left, most - len(members)


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's name; one that was packed on a Chinese Windows is not marked and is no code page 437."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return member.filename


def _inside(name: str, archive: str) -> PurePosixPath:
    inner = PurePosixPath(PureWindowsPath(name).as_posix())
    if not inner.parts or inner.is_absolute() or ".." in inner.parts or ":" in inner.parts[0] or "\x00" in name:
        raise InvalidInput(
            f"{archive} holds a file that would be written outside its folder ({name[:80]!r}); it was not read.",
            hint="Pack it again.",
            zh=f"{archive} 含有指向文件夹之外的路径，未读取。请重新打包。",
        )
    return inner


def _write(source: Any, target: Path, left: int, name: str) -> int:
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise InvalidInput(
                    f"{name} unpacks to far more than it is; it was not read.",
                    hint="Pack one data set only.",
                    zh=f"{name} 解压后过大，未读取。请只打包一个数据集。",
                )
            file.write(chunk)
    return left


def _chosen(path: Path, folder: Path, layer: str) -> tuple[Path, tuple[str, ...]]:
    files = sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("."))
    if {each.name for each in files} >= {"stops.txt"} and {each.name for each in files} & (GTFS_PARTS - {"stops.txt"}):
        return next(each for each in files if each.name == "stops.txt").parent, ()
    bases = sorted({parent for each in files for parent in each.parents if parent.suffix.lower() == ".gdb"})
    for endings in (MAPS, TABLES):
        shapes = {each.with_suffix("") for each in files if each.suffix.lower() == ".shp"}
        found = [
            *bases,
            *(
                each
                for each in files
                if each.suffix.lower() in endings
                and not any(parent in bases for parent in each.parents)
                and not (each.suffix.lower() == ".dbf" and each.with_suffix("") in shapes)
                and not each.name.endswith(".shp.xml")
            ),
        ]
        if found:
            names = tuple(each.stem for each in found)
            return next((each for each in found if each.stem == layer), found[0]), names
    shown = ", ".join(each.name for each in files[:5]) or "nothing"
    raise InvalidInput(
        f"{path.name} holds no data set that can be read ({shown}).",
        hint="Put the parts of one Shapefile into it (.shp, .shx, .dbf, .prj), one GeoPackage, one KML or one table.",
        zh=f"{path.name} 中没有可读取的数据集。请打包一个 Shapefile（含 .dbf、.prj）、GeoPackage、KML 或表格。",
    )
