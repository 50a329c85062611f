"""A Merkle tree over an append-only list, as RFC 6962 (Certificate Transparency) and RFC 9162 define it.

Whoever holds a head (size and root) can tell whether a list given later still begins with what the
head was made over (consistency), and whether one entry is in it (inclusion), without trusting who
keeps the list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
"""Root of the tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry as a leaf: SHA-256 over 0x00 and the entry (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 over 0x01 and its two children (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Tree:
    """A tree that only grows, as the roots of its full subtrees: all that is needed to go on.

    Attributes
    ----------
    size
        Number of leaves.
    peaks
        Roots of the full subtrees, the largest first: one for each 1 in the binary digits of ``size``.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.peaks) != self.size.bit_count() or any(len(peak) != HASH_BYTES for peak in self.peaks):
            message = f"{len(self.peaks)} peaks do not make a tree of {self.size} leaves"
            raise ValueError(message)

    def append(self, leaf: bytes) -> None:
        """Add a leaf, given by its hash; constant time on the average."""
        carried = self.size
        while carried & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            carried >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves in order, given by their hashes: level by level, which is much faster than one by one."""
        level, carried, single = list(leaves), self.size, list[bytes]()
        self.size += len(level)
        while level:
            if carried & 1:
                level.insert(0, self.peaks.pop())
            if len(level) & 1:
                single.append(level.pop())
            pairs = iter(level)
            level = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            carried >>= 1
        self.peaks += reversed(single)

    def root(self) -> bytes:
        """Return the root over all leaves so far; `EMPTY_ROOT` when there is none."""
        if not self.peaks:
            return EMPTY_ROOT
        whole = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            whole = node_hash(peak, whole)
        return whole


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaves given by their hashes."""
    tree = Tree()
    tree.extend(leaves)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int, *, size: int | None = None) -> list[bytes]:
    """Return the audit path of a leaf, from the bottom up (RFC 6962, 2.1.1).

    Parameters
    ----------
    leaves
        Hashes of the leaves, at least ``size``.
    size
        Of the tree that is proven for; all leaves when None.

    Raises
    ------
    ValueError
        When there is no such leaf in a tree of that size.
    """
    end = len(leaves) if size is None else size
    if not 0 <= index < end <= len(leaves):
        message = f"no leaf {index} in a tree of {end}"
        raise ValueError(message)
    path: list[bytes] = []
    first, last = 0, end
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(root(leaves[middle:last]))
            last = middle
        else:
            path.append(root(leaves[first:middle]))
            first = middle
    return path[::-1]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes) -> bool:
    """Return whether ``path`` proves that ``leaf`` stands at ``index`` under ``head`` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(step, reached)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == head


def consistency_proof(leaves: Sequence[bytes], old: int, *, size: int | None = None) -> list[bytes]:
    """Return the proof that the tree of the first ``old`` leaves is the beginning of the larger one (RFC 6962, 2.1.2).

    Raises
    ------
    ValueError
        When ``old`` is not between 1 and the size.
    """
    end = len(leaves) if size is None else size
    if not 0 < old <= end <= len(leaves):
        message = f"a tree of {old} is no beginning of a tree of {end}"
        raise ValueError(message)
    path: list[bytes] = []
    first, last, whole = 0, end, True
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            path.append(root(leaves[middle:last]))
            last = middle
        else:
            path.append(root(leaves[first:middle]))
            first, whole = middle, False
    if not whole:
        path.append(root(leaves[first:last]))
    return path[::-1]


def is_consistent(old: int, old_head: bytes, size: int, head: bytes, path: Sequence[bytes]) -> bool:
    """Return whether ``path`` proves that the older head is the beginning of the newer one (RFC 9162, 2.1.4.2).

    The empty tree is the beginning of every tree and needs no path.
    """
    if old == 0:
        return not path and old_head == EMPTY_ROOT
    if old == size:
        return not path and old_head == head
    if not 0 < old < size or not path:
        return False
    steps = list(path) if old.bit_count() > 1 else [old_head, *path]
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_head and after == head


def _split(count: int) -> int:
    """Return the largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1
