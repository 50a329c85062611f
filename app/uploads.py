"""Files that users send: checked, and written under names of our own into the state folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from core.errors import InvalidInput
from core.settings import settings

ENDINGS = (".osm.pbf", ".osm.gz", ".osm.bz2", ".osm")
AREA_ENDINGS = (".geojson", ".json", ".gpkg", ".zip")
TABLE_ENDINGS = (".csv", ".csv.gz", ".xlsx", ".geojson", ".gpkg")
COPY_BYTES = 1 << 20


def base_name(file_name: str) -> str:
    """Return a file's name without folders of either kind of system."""
    return PurePosixPath(PureWindowsPath(file_name).name).name


def title_of(file_name: str) -> str:
    """Return a file's name as the title of a city: "isle-of-wight-latest.osm.pbf" as "Isle Of Wight"."""
    stem = base_name(file_name)
    for ending in ENDINGS:
        stem = stem[: -len(ending)] if stem.lower().endswith(ending) else stem
    return stem.replace("-latest", "").replace("-", " ").replace("_", " ").strip().title()


def save(source: BinaryIO, file_name: str, endings: tuple[str, ...] = ENDINGS) -> Path:
    """Write a file into the state folder and return its path; an OpenStreetMap extract unless ``endings`` say else.

    Nothing of the user's name for it but the ending is used. What could not be taken leaves no file.

    Raises
    ------
    InvalidInput
        For an ending we do not read, an empty file, and one above the limit of the settings.
    """
    shown = base_name(file_name) or "The file"
    ending = next((each for each in endings if file_name.lower().endswith(each)), None)
    if ending is None and endings is not ENDINGS:
        raise InvalidInput(
            f"{shown} is of a kind that is not read here.",
            hint=f"Its name ends in {' or '.join(endings)}.",
            zh=f"{shown} 不是可读取的文件类型。文件名应以 {'、'.join(endings)} 结尾。",
        )
    if ending is None:
        raise InvalidInput(f"{shown} is not an OpenStreetMap extract.", hint="Its name ends in .osm.pbf.")
    folder = settings().state_dir / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{secrets.token_hex(8)}{ending}"
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with contextlib.ExitStack() as undo, os.fdopen(handle, "wb") as target:
        undo.callback(path.unlink, missing_ok=True)
        written = 0
        while chunk := source.read(COPY_BYTES):
            written += len(chunk)
            if written > settings().upload_max_mib << 20:
                raise InvalidInput(f"{shown} is larger than {settings().upload_max_mib} MB.", hint="Cut it smaller.")
            target.write(chunk)
        if not written:
            raise InvalidInput(f"{shown} is empty.", hint="Download it again.")
        undo.pop_all()
    return path
