"""Arrays out of archives (``.npz``) that somebody brings: nothing is run, no more memory taken than the file has."""

from __future__ import annotations

import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

LARGEST_BYTES = 4 << 30
KINDS = "biufcUS"
_HEADS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_BROKEN = (
    ValueError, OSError, EOFError, SyntaxError, RuntimeError, MemoryError, KeyError, TypeError,
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError,
)  # fmt: skip
"""What numpy and zipfile raise for a file that is cut, packed otherwise, locked or made to harm."""


def read_arrays(
    path: Path, names: Collection[str], *, what: str, hint: str, most_bytes: int = LARGEST_BYTES
) -> dict[str, NDArray[Any]]:
    """Return those arrays of an archive that are among ``names``.

    Objects are never unpickled. The size that an array claims is compared with what stands there before it is read.

    Parameters
    ----------
    what, hint
        What the file should be and how to come by one, for the sentence that refuses it.
    most_bytes
        Of all parts, unpacked.

    Raises
    ------
    InvalidInput
        When there is no such file, it is none, or larger.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {part.filename: part for part in archive.infolist()}
            size = sum(part.file_size for part in archive.infolist())
            if size > most_bytes:
                raise InvalidInput(f"{path.name} unpacks to {size >> 20:,} MB.", hint=f"At most {most_bytes >> 20:,}.")
            made = {}
            for name in names:
                part = parts.get(f"{name}.npy")
                if part is not None:
                    with archive.open(part) as file:
                        _check_head(file, name, part.file_size)
                    with archive.open(part) as file:
                        made[name] = np.lib.format.read_array(file, allow_pickle=False)
            return made
    except _BROKEN as error:
        raise InvalidInput(f"{path.name} is no {what} ({error}).", hint=hint) from error


def numbers(given: NDArray[Any], part: str, name: str) -> NDArray[np.float64]:
    """Return an array of an archive as numbers.

    Raises
    ------
    InvalidInput
        When it holds anything else.
    """
    if given.dtype.kind not in "biuf":
        raise InvalidInput(f"{name}: {part} is no array of numbers.", hint="Write it as whole or decimal numbers.")
    return given.astype(np.float64)


def _check_head(file: IO[bytes], name: str, size: int) -> None:
    """Raise where an array is of objects, or says another size than it has."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADS:
        raise ValueError(f"{name} is of version {version[0]}.{version[1]}")
    shape, _, dtype = _HEADS[version](file)
    if dtype.kind not in KINDS:
        raise ValueError(f"{name} holds neither numbers nor texts")
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize != size - file.tell():
        raise ValueError(f"{name} says shape {shape} and holds {size - file.tell():,} bytes")
