"""A matrix of the planner's own: seconds from places to facilities, people and supply, out of an archive."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

Floats = NDArray[np.float64]
LARGEST_BYTES = 4 << 30
_PARTS = ("od_s", "weight", "supply")


@dataclass(frozen=True, eq=False)
class AccessFile:
    """What the archive holds: ``od_s`` (places, facilities), people of each place, supply of each facility."""

    od_s: Floats
    weight: Floats
    supply: Floats


def read_access_file(path: Path) -> AccessFile:
    """Return the parts of an archive (``.npz``); without ``weight`` and ``supply`` each counts 1.

    Raises
    ------
    InvalidInput
        When it is no such archive, or empty; sizes and numbers are checked where they are used.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > LARGEST_BYTES:
            raise InvalidInput(f"{path.name} unpacks to {size >> 20:,} MB.", hint=f"At most {LARGEST_BYTES >> 20:,}.")
        with np.load(path, allow_pickle=False) as file:
            parts = {name: np.asarray(file[name], dtype=np.float64) for name in _PARTS if name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidInput(
            f"{path.name} is no archive of numbers ({error}).", hint="'gridkeeper matrix' writes one."
        ) from error
    if "od_s" not in parts:
        raise InvalidInput(f"{path.name} has no od_s.", hint="It needs od_s, seconds of shape (places, facilities).")
    od_s = parts["od_s"]
    if od_s.ndim != 2 or not od_s.size:
        raise InvalidInput(f"{path.name}: od_s has shape {od_s.shape}, not (places, facilities).")
    return AccessFile(od_s, parts.get("weight", np.ones(len(od_s))), parts.get("supply", np.ones(od_s.shape[1])))
