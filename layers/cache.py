"""A least-recently-used cache bounded by bytes, safe to share between threads and the event loop."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

PACK_FROM_BYTES = 1024
PACK_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """Bytes ready to be sent, with the entity tag that names exactly them.

    Attributes
    ----------
    body
        As kept and sent: packed by gzip where ``packed`` says so.
    """

    body: bytes
    etag: str
    packed: bool = False

    @classmethod
    def of(cls, plain: bytes) -> Entry:
        """Return the entry of ``plain``, packed once here when it is worth it and not at every answer."""
        etag = f'"{hashlib.blake2b(plain, digest_size=8).hexdigest()}"'
        if len(plain) >= PACK_FROM_BYTES:
            body = gzip.compress(plain, PACK_LEVEL, mtime=0)
            if len(body) < 0.9 * len(plain):
                return cls(body, etag, packed=True)
        return cls(plain, etag)

    def plain(self) -> bytes:
        """Return the bytes unpacked."""
        return gzip.decompress(self.body) if self.packed else self.body


class ByteCache:
    """Entries by key, the least recently used dropped when the bytes exceed the bound.

    Parameters
    ----------
    limit_bytes
        Bound on bodies plus a flat cost of 300 bytes an entry.
    """

    COST = 300

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Entry | None:
        """Return the entry and mark it used, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: Hashable, entry: Entry) -> None:
        """Keep ``entry``; one larger than a quarter of the bound is not kept."""
        cost = len(entry.body) + self.COST
        if cost > self.limit_bytes / 4:
            return
        with self._lock:
            old = self._entries.pop(key, None)
            if old is not None:
                self.used_bytes -= len(old.body) + self.COST
            self._entries[key] = entry
            self.used_bytes += cost
            while self.used_bytes > self.limit_bytes:
                _, dropped = self._entries.popitem(last=False)
                self.used_bytes -= len(dropped.body) + self.COST
