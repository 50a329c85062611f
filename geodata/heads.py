"""Signed heads of the record: size and root of its Merkle tree as a signed note.

The text is a checkpoint as the C2SP specifications ``tlog-checkpoint`` and ``signed-note`` describe it,
with Ed25519, so that tools of others can check it. Whoever keeps a head elsewhere can prove later
that the record was changed, and nobody needs our software for that.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import InvalidInput, NotFound
from geodata.merkle import HASH_BYTES

KEY_FILE = "record.key"
_ED25519 = b"\x01"
_DASH = "\u2014 "


@dataclass(frozen=True)
class Head:
    """Size and root of the tree at a moment.

    Attributes
    ----------
    origin
        Name of the record, equal to the name of its key.
    """

    origin: str
    size: int
    root: bytes
    at: dt.datetime

    def text(self) -> str:
        """Return what is signed: origin, size, root and time, a line each."""
        moment = self.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\ntime {moment}\n"


@dataclass(frozen=True)
class Verifier:
    """The public key of a record, with its name."""

    name: str
    key: bytes

    @cached_property
    def key_id(self) -> bytes:
        """Return the four bytes that a signature names its key by."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:4]

    def line(self) -> str:
        """Return the key in one line: name, id, and kind with key in base64."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.key).decode()}"

    @classmethod
    def read(cls, line: str) -> Verifier:
        """Return the key that `line` wrote.

        Raises
        ------
        InvalidInput
            When it is none.
        """
        name, _, rest = line.strip().partition("+")
        stated, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raw = b""
        made = cls(name, raw[1:])
        if not name or len(raw) != 1 + HASH_BYTES or raw[:1] != _ED25519 or made.key_id.hex() != stated:
            raise InvalidInput(
                "This is not the public key of a record.",
                hint="It is one line: gridkeeper-…, a plus sign, eight digits, a plus sign, letters.",
            )
        return made

    def accepts(self, text: str, signature: bytes) -> bool:
        """Return whether ``signature`` is this key's over ``text``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """The private key that heads are signed with."""

    key: Ed25519PrivateKey

    @cached_property
    def verifier(self) -> Verifier:
        """Return the public half; the name carries the beginning of its hash, so that no two records share one."""
        raw = self.key.public_key().public_bytes_raw()
        return Verifier(f"gridkeeper-{hashlib.sha256(raw).hexdigest()[:12]}", raw)

    def sign(self, size: int, root: bytes, at: dt.datetime) -> str:
        """Return the signed note of a head."""
        text = Head(self.verifier.name, size, root, at).text()
        signed = base64.b64encode(self.verifier.key_id + self.key.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.verifier.name} {signed}\n"


def signer(folder: Path) -> Signer:
    """Return the signing key of the state folder, made on first use and readable by its owner alone."""
    path = folder / KEY_FILE
    try:
        held = path.read_text()
    except FileNotFoundError:
        made = Ed25519PrivateKey.generate()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(made.private_bytes_raw().hex())
        except FileExistsError:
            return signer(folder)  # another process was first
        return Signer(made)
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(held.strip())))


def read_notes(text: str) -> list[str]:
    """Return the signed notes of a file of heads, in order; other lines, such as comments, are passed over."""
    notes: list[str] = []
    gathered: list[str] = []
    for line in text.splitlines():
        if line.startswith(_DASH) and len(gathered) > 1:
            body = "\n".join(gathered[-5:]) + "\n"
            notes.append(body + line + "\n")
            gathered = []
        elif not line.startswith("#"):
            gathered.append(line)
    return notes


def open_note(note: str, keys: list[Verifier]) -> Head:
    """Return the head of a signed note that one of the keys signed.

    Raises
    ------
    InvalidInput
        When the note has another form, or its signature fits none of the keys.
    """
    head, signature = _take_apart(note)
    text = head.text()
    for key in keys:
        if key.name == head.origin and signature[:4] == key.key_id and key.accepts(text, signature[4:]):
            return head
    raise InvalidInput(
        f"The head over {head.size} rows is not signed by the key of this record.",
        hint="Give the public key that was published with the heads.",
    )


def _take_apart(note: str) -> tuple[Head, bytes]:
    try:
        origin, size, root, time, _, signed = note.rstrip("\n").split("\n")
        at = dt.datetime.strptime(time, "time %Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        raw = base64.b64decode(root, validate=True)
        signature = base64.b64decode(signed.rpartition(" ")[2], validate=True)
    except ValueError as error:
        raise InvalidInput(
            "This is not the head of a record.", hint="A head has a name, a size, a root, a time and a signature."
        ) from error
    head = Head(origin, int(size), raw, at)
    if note.rstrip("\n") != f"{head.text()}\n{signed}" or not signed.startswith(_DASH) or len(raw) != HASH_BYTES:
        raise InvalidInput("This is not the head of a record.", hint="Its lines were changed.")
    return head, signature


def read_keys(path: Path) -> list[Verifier]:
    """Return the public keys of a file, one a line.

    Raises
    ------
    NotFound
        When there is no such file.
    InvalidInput
        When a line is no key.
    """
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    return [Verifier.read(line) for line in lines if line.strip() and not line.startswith("#")]
