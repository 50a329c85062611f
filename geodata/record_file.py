"""The file of an exported record: a line of JSON each, which anybody can read without our software.

The first line names the format and the public key. Then come ``["r", text, hash]`` for a row (the text
is that of ``gk_record_text``), ``["k", text]`` for a row that a bulk load kept, ``["h", note]`` for the
head of a batch, and ``["u", text, hash]`` for a row not yet sealed. Texts stay bytes on their way, since
it is bytes that are hashed.
"""

from __future__ import annotations

import gzip
import json
import zlib
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from core.errors import InvalidInput, NotFound
from core.progress import Progress, Silent
from geodata.heads import Verifier

FORMAT = "gridkeeper record 1"
EVERY = 5000
PACKING = 3
"""Level of gzip: a third of the time of the highest for a tenth more bytes."""
HASHED = ("r", "u")
Line = tuple[str, bytes, bytes]
"""What it is (r, u, k or h), its text in UTF-8, and for rows their hash."""
_PARTS = {"r": 3, "u": 3, "k": 2, "h": 2}
_ROW_STARTS = {b'["r", "': "r", b'["u", "': "u"}
_CONTROLS = bytes(range(32))
_START, _END, _HASH = 7, -71, slice(-67, -3)
"""Where the text of a row begins and ends, and where its hash stands: ``["r", "…", "<64 digits>"]``."""


def write(path: Path, record: Iterable[Line], key: Verifier, progress: Progress | None = None) -> int:
    """Write lines to a file, compressed when its name ends in .gz; return the rows written.

    The file appears whole or not at all.
    """
    progress = progress or Silent()
    part = path.with_name(path.name + ".part")
    rows = 0
    try:
        with ExitStack() as opened:
            file = opened.enter_context(_open(part, "wb", packed=path.suffix == ".gz"))
            file.write(json.dumps({"format": FORMAT, "key": key.line()}).encode() + b"\n")
            for kind, body, digest in record:
                if not digest:
                    file.write(b'["%b", %b]\n' % (kind.encode(), _quoted(body)))
                    continue
                file.write(b'["%b", %b, "%b"]\n' % (kind.encode(), _quoted(body), digest.hex().encode()))
                rows += 1
                if rows % EVERY == 0:
                    progress.advance(EVERY)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return rows


def read(path: Path) -> Iterator[Line]:
    """Return the lines of an exported file.

    Raises
    ------
    NotFound
        When there is no such file.
    InvalidInput
        When it is no export, naming the line.
    """
    if not path.exists():
        raise NotFound(f"There is no file {path}.")
    number = 0
    try:
        with ExitStack() as opened:
            file = opened.enter_context(_open(path, "rb", packed=path.suffix == ".gz"))
            for number, written in enumerate(file, start=1):
                if number == 1:
                    _first(written)
                else:
                    yield _at_a_glance(written) or _understood(written)
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise InvalidInput(
            f"{path.name} is not an exported record; its line {number or 1} cannot be read.",
            hint="Export it again with `gridkeeper record export FILE`.",
        ) from error
    if number == 0:
        raise InvalidInput(f"{path.name} is empty.", hint="Export it again with `gridkeeper record export FILE`.")


def _quoted(body: bytes) -> bytes:
    """Return a text as JSON writes it; the text of a row is JSON itself, so nothing but quotes needs escaping."""
    if len(body.translate(None, _CONTROLS)) != len(body):
        return json.dumps(body.decode(), ensure_ascii=False).encode()
    return b'"' + body.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _first(written: bytes) -> None:
    line = json.loads(written)
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        raise ValueError


def _at_a_glance(written: bytes) -> Line | None:
    r"""Return the line of a row in which every backslash stands before a quote, as in most; None for any other.

    Then every quote of the text is one of those, and JSON says no more than to take the backslashes away.
    """
    kind = _ROW_STARTS.get(written[:_START])
    if kind is None or written[_END : _HASH.start] != b'", "' or written[_HASH.stop :] != b'"]\n':
        return None
    escaped = written[_START:_END]
    body = escaped.replace(b'\\"', b'"')
    if b"\\" in body or body.count(b'"') != len(escaped) - len(body):
        return None
    return kind, body, unhexlify(written[_HASH])


def _understood(written: bytes) -> Line:
    """Return any line; raise ValueError for what is none."""
    line = json.loads(written)
    if not isinstance(line, list) or not line or not all(isinstance(part, str) for part in line):
        raise ValueError
    if len(line) != _PARTS.get(line[0]):
        raise ValueError
    return line[0], line[1].encode(), unhexlify(line[2]) if line[0] in HASHED else b""


def _open(path: Path, mode: str, *, packed: bool) -> IO[bytes]:
    if packed:
        return cast("IO[bytes]", gzip.open(path, mode, compresslevel=PACKING))
    return cast("IO[bytes]", path.open(mode, buffering=1 << 20))
