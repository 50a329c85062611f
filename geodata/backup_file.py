"""The file of a backup: a tar of manifest, dump and seal, in which every byte is accounted for.

Anybody can open it by hand (``tar xf FILE``, then ``pg_restore``). The seal carries the hash over all
bytes before it, and a keyed code that only the platform's own master secret makes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import InvalidInput, NotFound

FORMAT: Final = 1
MANIFEST, DUMP, SEAL = "manifest.json", "database.dump", "seal.json"
_BLOCK = 512
_CHUNK = 1 << 20
_END = b"\0" * (2 * _BLOCK)
_MANIFEST_MOST = 16 << 20
AGAIN = "Take another backup, or fetch the file again from where it is kept."
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Sealed:
    """A backup file that is whole.

    Attributes
    ----------
    size, sha256
        Of the whole file; bytes.
    dump_at, dump_bytes
        Where the dump lies in it.
    own
        Whether it was made with our master secret.
    """

    path: Path
    manifest: Mapping[str, Any]
    size: int
    sha256: str
    dump_at: int
    dump_bytes: int
    own: bool

    def dump(self) -> Iterator[bytes]:
        """Return the dump in pieces."""
        with self.path.open("rb") as file:
            file.seek(self.dump_at)
            left = self.dump_bytes
            while left:
                piece = file.read(min(_CHUNK, left))
                if not piece:
                    raise _cut_short(self.path)
                left -= len(piece)
                yield piece


def megabytes(size: int) -> int:
    """Return how many pieces of at most a megabyte a size in bytes has."""
    return -(-size // _CHUNK)


def fingerprint(key: bytes) -> str:
    """Return a short name of a key that tells nothing about it."""
    return hashlib.sha256(b"gridkeeper fingerprint" + key).hexdigest()[:16]


def write_backup(path: Path, manifest: Mapping[str, Any], dump: Path, key: bytes, advance: Advance) -> None:
    """Write a backup file and wait until the disk has it.

    Parameters
    ----------
    manifest
        What the backup says about itself; format, fingerprint of the key and the parts are added.
    key
        Signs the file.
    advance
        Is told of every megabyte.
    """
    size = dump.stat().st_size
    parts = {DUMP: {"bytes": size, "sha256": _sha256_of(dump)}}
    whole = {"format": FORMAT, **manifest, "secret": fingerprint(key), "parts": parts}
    told = json.dumps(whole, ensure_ascii=False, indent=1).encode() + b"\n"
    digest = hashlib.sha256()
    with path.open("wb") as file, dump.open("rb") as source:

        def put(piece: bytes) -> None:
            file.write(piece)
            digest.update(piece)

        put(_header(MANIFEST, len(told)) + told + _padding(len(told)))
        put(_header(DUMP, size))
        while piece := source.read(_CHUNK):
            put(piece)
            advance(1)
        put(_padding(size))
        put(_header(SEAL, len(_seal(b"", key))))
        seal = _seal(digest.digest(), key)
        file.write(seal + _padding(len(seal)) + _END)
        file.flush()
        os.fsync(file.fileno())


def read_backup(path: Path, key: bytes, advance: Advance | None = None) -> Sealed:
    """Return what a backup file says once every byte of it was read and found right.

    Raises
    ------
    NotFound
        When there is no such file.
    InvalidInput
        When it is no backup, newer than this code, cut short or altered.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    reader = _Reader(path, advance or (lambda _megabytes: None))
    with reader.file:
        told_bytes = reader.header(MANIFEST)
        if told_bytes > _MANIFEST_MOST:
            raise _no_backup(path)
        told = reader.take(told_bytes)
        reader.padding(told_bytes)
        dump_bytes = reader.header(DUMP)
        dump_at = reader.at
        reader.skip(dump_bytes)
        reader.padding(dump_bytes)
        seal_bytes = reader.header(SEAL)
        if seal_bytes != len(_seal(b"", key)):
            raise _altered(path)
        before = reader.digest.digest()
        seal = reader.take(seal_bytes)
        reader.padding(seal_bytes)
        if reader.take(len(_END)) != _END or reader.file.read(1):
            raise _altered(path)
    try:
        said = json.loads(seal)
        found = hashlib.sha256(before).hexdigest() == said["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise _altered(path) from error
    if not found:
        raise _altered(path)
    manifest = json.loads(told)
    own = manifest["secret"] == fingerprint(key)
    if own and seal != _seal(before, key):
        raise _altered(path)
    if manifest["format"] > FORMAT:
        raise InvalidInput(
            f"{path.name} was made by a newer Gridkeeper (format {manifest['format']}).",
            hint="Bring Gridkeeper up to date first.",
        )
    return Sealed(path, manifest, reader.at, reader.digest.hexdigest(), dump_at, dump_bytes, own)


def _seal(digest: bytes, key: bytes) -> bytes:
    mac = hmac.new(key, digest, hashlib.sha256).hexdigest()
    return json.dumps({"sha256": hashlib.sha256(digest).hexdigest(), "mac": mac}).encode() + b"\n"


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def _padding(size: int) -> bytes:
    return b"\0" * (-size % _BLOCK)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Reader:
    """Reads a file in the one order that is right, and hashes all of it."""

    def __init__(self, path: Path, advance: Advance) -> None:
        self.path = path
        self.file: BinaryIO = path.open("rb")
        self.at = 0
        self.digest = hashlib.sha256()
        self._advance = advance

    def take(self, count: int) -> bytes:
        piece = self.file.read(count)
        if len(piece) < count:
            raise _cut_short(self.path) if self.at else _no_backup(self.path)
        self.at += count
        self.digest.update(piece)
        return piece

    def skip(self, count: int) -> None:
        while count:
            count -= len(self.take(min(_CHUNK, count)))
            self._advance(1)

    def header(self, name: str) -> int:
        """Return the size of the part that begins here."""
        block = self.take(_BLOCK)
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except tarfile.TarError as error:
            raise self._not_right(name) from error
        if info.size < 0 or block != _header(name, info.size):
            raise self._not_right(name)
        return info.size

    def padding(self, size: int) -> None:
        if self.take(-size % _BLOCK).strip(b"\0"):
            raise _altered(self.path)

    def _not_right(self, name: str) -> InvalidInput:
        return _no_backup(self.path) if name == MANIFEST else _altered(self.path)


def _no_backup(path: Path) -> InvalidInput:
    return InvalidInput(f"{path.name} is no backup of Gridkeeper.", hint="Give a file that `gridkeeper backup` made.")


def _cut_short(path: Path) -> InvalidInput:
    return InvalidInput(f"{path.name} is cut short; nothing was touched.", hint=AGAIN)


def _altered(path: Path) -> InvalidInput:
    return InvalidInput(f"{path.name} was altered or damaged; nothing was touched.", hint=AGAIN)
