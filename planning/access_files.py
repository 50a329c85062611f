"""A matrix of the planner's own: seconds from places to facilities, people and supply, out of an archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from geodata.archives import numbers, read_arrays

Floats = NDArray[np.float64]
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
    given = read_arrays(path, _PARTS, what="archive of numbers", hint="'gridkeeper matrix' writes one.")
    parts = {name: numbers(values, name, path.name) for name, values in given.items()}
    if "od_s" not in parts:
        raise InvalidInput(f"{path.name} has no od_s.", hint="It needs od_s, seconds of shape (places, facilities).")
    od_s = parts["od_s"]
    if od_s.ndim != 2 or not od_s.size:
        raise InvalidInput(f"{path.name}: od_s has shape {od_s.shape}, not (places, facilities).")
    return AccessFile(od_s, parts.get("weight", np.ones(len(od_s))), parts.get("supply", np.ones(od_s.shape[1])))
