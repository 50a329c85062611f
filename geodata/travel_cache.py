"""Prepared graphs kept: in memory, and in the state folder under the hash of their arcs.

What is kept depends on which arcs there are and not on their speeds, so one file serves every speed and closure.
A file is written under another name and moved into place; one that is cut off, changed or of an older form is
made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import log
from core.settings import settings
from geodata.travel_hierarchy import Hierarchy, build_hierarchy

IN_MEMORY = 8
ON_DISK = 64
_FORM = b"gridkeeper hierarchy 1"
_PARTS = {"rank": "i4", "offsets": "i8", "above": "i4", "parent": "i4", "slot": "i8", "upward": "?"}
_kept: OrderedDict[str, Hierarchy] = OrderedDict()
_lock = threading.Lock()
_log = log.get(__name__)


def hierarchy_of(nodes: int, tails: NDArray[np.integer], heads: NDArray[np.integer]) -> Hierarchy:
    """Return the hierarchy of a graph: kept in memory or on disk, else built and kept."""
    key = graph_hash(nodes, tails, heads)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    path = folder() / f"{key}.npz"
    made = read(path, nodes, len(tails))
    if made is None:
        made = build_hierarchy(nodes, tails, heads)
        write(path, made)
    with _lock:
        _kept[key] = made
        while len(_kept) > IN_MEMORY:
            _kept.popitem(last=False)
    return made


def folder() -> Path:
    """Return where prepared graphs are kept."""
    return settings().state_dir / "travel"


def graph_hash(nodes: int, tails: NDArray[np.integer], heads: NDArray[np.integer]) -> str:
    """Return the name of a graph: the hash of its number of nodes and its arcs in their order."""
    digest = hashlib.blake2b(_FORM + nodes.to_bytes(8, "little"), digest_size=20)
    for part in (tails, heads):
        digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
    return digest.hexdigest()


def read(path: Path, nodes: int, arcs: int) -> Hierarchy | None:
    """Return what a file keeps; None when there is none, or it is not whole or of another graph."""
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = {name: file[name] for name in _PARTS}
            told = file["digest"].tobytes()
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _log.warning("the prepared graph %s cannot be read (%s); it is made anew", path.name, error)
        return None
    fits = (
        all(parts[name].dtype == np.dtype(kind) and parts[name].ndim == 1 for name, kind in _PARTS.items())
        and len(parts["rank"]) == nodes
        and len(parts["slot"]) == arcs
        and told == _digest(parts)
    )
    if not fits:
        _log.warning("the prepared graph %s is damaged; it is made anew", path.name)
        return None
    return Hierarchy(**parts)


def write(path: Path, hierarchy: Hierarchy) -> None:
    """Keep a hierarchy; where the folder cannot be written a line in the log is all."""
    parts = {name: getattr(hierarchy, name) for name in _PARTS}
    digest = np.frombuffer(_digest(parts), dtype=np.uint8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".new-", suffix=".npz", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, digest=digest, **parts)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
        _forget(path.parent)
    except OSError as error:
        _log.warning("the prepared graph %s cannot be kept (%s)", path.name, error)


def _digest(parts: dict[str, NDArray[np.generic]]) -> bytes:
    digest = hashlib.blake2b(_FORM, digest_size=20)
    for name in _PARTS:
        digest.update(np.ascontiguousarray(parts[name]).tobytes())
    return digest.digest()


def _forget(where: Path) -> None:
    """Delete the oldest files beyond `ON_DISK`."""
    files = sorted(where.glob("[!.]*.npz"), key=lambda path: path.stat().st_mtime)
    for path in files[:-ON_DISK]:
        path.unlink(missing_ok=True)
