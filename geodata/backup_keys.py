"""The keys file: the keys of persons, apart from the backup and under the master secret.

The keys of later persons are added and those of erased ones are gone, so the newest keys file opens
every older backup: keep one, and let it replace the one before.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import InvalidInput, NotFound
from geodata.backup_file import AGAIN, fingerprint
from geodata.erasure import Erased

MAGIC: Final = b"GRIDKEEPER KEYS 1\n"
_NONCE, _PRINT = 12, 16


@dataclass(frozen=True)
class Keys:
    """What a keys file holds.

    Attributes
    ----------
    at
        The moment whose state it holds.
    count
        Persons, the erased ones included.
    rows
        The table of keys as PostgreSQL copies it (text).
    erased
        Everybody who is known to be erased.
    """

    at: dt.datetime
    count: int
    rows: bytes
    erased: Mapping[str, Erased]


def write_keys(path: Path, keys: Keys, key: bytes) -> None:
    """Write a keys file and wait until the disk has it."""
    told = {
        "at": keys.at.isoformat(),
        "count": keys.count,
        "erased": [dataclasses.asdict(each) | {"at": each.at.isoformat()} for each in keys.erased.values()],
    }
    head = MAGIC + fingerprint(key).encode()
    plain = json.dumps(told, ensure_ascii=False).encode() + b"\n" + keys.rows
    nonce = os.urandom(_NONCE)
    # Wrapped keys do not compress; the identities beside them do.
    cipher = AESGCM(key).encrypt(nonce, zlib.compress(plain, 1), head)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(head + nonce + cipher)
        file.flush()
        os.fsync(file.fileno())


def read_keys(path: Path, key: bytes) -> Keys:
    """Return what a keys file holds.

    Raises
    ------
    NotFound
        When there is no such file.
    InvalidInput
        When it is no keys file, was made with another master secret, is cut short or altered.
    """
    if not path.is_file():
        raise NotFound(f"There is no keys file {path}.")
    whole = path.read_bytes()
    if not whole.startswith(MAGIC):
        raise InvalidInput(f"{path.name} is no keys file of Gridkeeper.", hint="Give the file that --keys wrote.")
    head, rest = whole[: len(MAGIC) + _PRINT], whole[len(MAGIC) + _PRINT :]
    if head[len(MAGIC) :] != fingerprint(key).encode():
        raise InvalidInput(
            f"The keys file {path.name} was made with another master secret.",
            hint="Put the file `secret` of that platform into the state folder, or set GRIDKEEPER_SECRET.",
        )
    try:
        plain = zlib.decompress(AESGCM(key).decrypt(rest[:_NONCE], rest[_NONCE:], head))
    except (InvalidTag, ValueError) as error:
        raise InvalidInput(f"The keys file {path.name} is cut short or was altered.", hint=AGAIN) from error
    told, _, rows = plain.partition(b"\n")
    said = json.loads(told)
    return Keys(dt.datetime.fromisoformat(said["at"]), said["count"], rows, _erased(said["erased"]))


def _erased(rows: list[dict[str, Any]]) -> Mapping[str, Erased]:
    made = [Erased(**row | {"at": dt.datetime.fromisoformat(row["at"])}) for row in rows]
    return {each.subject_id: each for each in made}
