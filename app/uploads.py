"""Files that users send: checked, and written under names of our own into the state folder."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from app import i18n
from app.i18n import t
from core.errors import GridkeeperError, InvalidInput
from core.identity import Actor, May
from core.settings import settings
from incidents.evidence import MOST_BYTES

ENDINGS = (".osm.pbf", ".osm.gz", ".osm.bz2", ".osm")
AREA_ENDINGS = (".geojson", ".json", ".gpkg", ".zip")
TABLE_ENDINGS = (".csv", ".csv.gz", ".xlsx", ".geojson", ".gpkg")
COPY_BYTES = 1 << 20
AROUND_BYTES = 64 << 10
"""What the browser puts around a file it sends."""
LISTS = (May.BRING_DATA, May.MANAGE_WORKERS, May.MANAGE_UNITS, May.MANAGE_COMPONENTS, May.DISPATCH)
"""Who brings lists: of workers, units, shifts, components, speeds."""


def most_mib(actor: Actor, may: May) -> int:
    """Return how many MB a file may have that somebody sends for a task."""
    if actor.may(May.LOAD_DATA):
        return settings().upload_max_mib
    layers = may in {May.MAKE_STUDIES, May.PROPOSE_GRIDS, May.BRING_DATA}
    return settings().planning_upload_max_mib if layers else settings().list_upload_max_mib


def longest_bytes(actor: Actor) -> int:
    """Return how large anything is that somebody sends who loads no maps: a list, a photo, a layer; 0 for nothing."""
    sizes = [most_mib(actor, may) << 20 for may in (*LISTS, May.MAKE_STUDIES, May.PROPOSE_GRIDS) if actor.may(may)]
    sizes += [MOST_BYTES] if actor.may(May.ADD_EVIDENCE) else []
    return max(sizes) + AROUND_BYTES if sizes else 0


def labelled(words: str, mib: int) -> str:
    """Return the label of a field for files, with how large one may be."""
    return t("{what}, at most {most} MB", what=words, most=i18n.number(mib))


def base_name(file_name: str) -> str:
    """Return a file's name without folders of either kind of system."""
    return PurePosixPath(PureWindowsPath(file_name).name).name


def title_of(file_name: str) -> str:
    """Return a file's name as the title of a city: "isle-of-wight-latest.osm.pbf" as "Isle Of Wight"."""
    stem = base_name(file_name)
    for ending in ENDINGS:
        stem = stem[: -len(ending)] if stem.lower().endswith(ending) else stem
    return stem.replace("-latest", "").replace("-", " ").replace("_", " ").strip().title()


@contextlib.contextmanager
def called(path: Path, file_name: str) -> Iterator[None]:
    """Let what goes wrong with a file that was sent name it as its sender does, not as it is kept."""
    shown = base_name(file_name)
    try:
        yield
    except GridkeeperError as error:
        error.message, error.hint, error.zh = (
            words.replace(path.name, shown) for words in (error.message, error.hint, error.zh)
        )
        raise


@contextlib.contextmanager
def taken(content: bytes, file_name: str, endings: tuple[str, ...], *, most_mib: int | None = None) -> Iterator[Path]:
    """Give the path of a file that was sent, for as long as it is read; what is wrong with it names it as its sender.

    Raises
    ------
    InvalidInput
        As `save`.
    """
    path = save(io.BytesIO(content), file_name, endings, most_mib=most_mib)
    try:
        with called(path, file_name):
            yield path
    finally:
        path.unlink(missing_ok=True)


def save(source: BinaryIO, file_name: str, endings: tuple[str, ...] = ENDINGS, *, most_mib: int | None = None) -> Path:
    """Write a file into the state folder and return its path; an OpenStreetMap extract unless ``endings`` say else.

    Nothing of the user's name for it but the ending is used. It has at most ``most_mib``; None: that of the settings.
    What could not be taken leaves no file.

    Raises
    ------
    InvalidInput
        For an ending we do not read, an empty file, and one above the limit of the settings.
    """
    shown = base_name(file_name) or "The file"
    most = most_mib or settings().upload_max_mib
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
            if written > most << 20:
                raise InvalidInput(f"{shown} is larger than {most} MB.", hint="Cut it smaller.")
            target.write(chunk)
        if not written:
            raise InvalidInput(f"{shown} is empty.", hint="Download it again.")
        undo.pop_all()
    return path
