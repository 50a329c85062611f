"""Rows as PostgreSQL's binary COPY takes them, made a column at a time: no Python runs for a row but its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geodata.exchange import Geometries

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
TRAILER: Final = b"\xff\xff"
COLUMNS: Final = (
    "data_set_id", "row_key", "batch_id", "row_number", "content_hash", "properties", "geom", "unit_grid_id",
    "valid_from",
)  # fmt: skip
_EPOCH_US: Final = 946_684_800_000_000
"""From 1970 to 2000, from which PostgreSQL counts."""
_NONE: Final = b"\xff\xff\xff\xff"
_DIGEST_BYTES: Final = 16
_ESCAPED: Final = '[\\x00-\\x1f"\\\\]'


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows ready to be written: the body of a binary COPY, and the hash of each row's content, in order."""

    body: bytes
    hashes: list[bytes]


def pack(
    values: Mapping[str, pa.Array],
    shapes: Geometries | None,
    key: Sequence[str],
    numbers: NDArray[np.int64],
    grids: NDArray[np.int64],
    *,
    data_set_id: int,
    batch_id: int,
    moment_us: int,
) -> Packed:
    """Return rows of a data set as binary COPY takes them, in the order of `COLUMNS`.

    Parameters
    ----------
    grids
        Unit grid of each row, 0 for none.
    moment_us
        From when the rows hold, in microseconds since 1970 in UTC.
    """
    count = len(numbers)
    if not count:
        return Packed(b"", [])
    texts = json_objects(values, count)
    wkb = _ewkb(shapes, count)
    content = pc.binary_join_element_wise(
        pc.cast(texts, pa.binary()), pc.fill_null(wkb, b""), pa.scalar(b"\n", pa.binary())
    )
    hashes = [hashlib.blake2b(each, digest_size=_DIGEST_BYTES).digest() for each in content.to_pylist()]
    keys = _keys(values, key, hashes)
    four, eight = _int32(np.full(count, 4)), _int32(np.full(count, 8))
    begins = np.frombuffer(b"\x00\x09" * count, np.uint8).reshape(count, 2)  # nine fields
    grid = _fixed(np.column_stack([four, _int32(grids)]))
    fields = [
        _fixed(np.column_stack([begins, four, _int32(np.full(count, data_set_id))])),
        _sized(pc.cast(keys, pa.binary())),
        _fixed(np.column_stack([four, _int32(np.full(count, batch_id)), eight, _int64(numbers)])),
        _sized(pa.array(hashes, pa.binary())),
        _sized(pc.binary_join_element_wise(b"\x01", pc.cast(texts, pa.binary()), b"")),
        _sized(wkb),
        pc.if_else(pa.array(grids > 0), grid, pa.scalar(_NONE, pa.binary())),
        _fixed(np.column_stack([eight, _int64(np.full(count, moment_us - _EPOCH_US))])),
    ]
    joined = pc.binary_join_element_wise(*fields, b"")
    offsets = np.frombuffer(joined.buffers()[1], dtype=np.int32)
    start, end = int(offsets[joined.offset]), int(offsets[joined.offset + count])
    return Packed(joined.buffers()[2].slice(start, end - start).to_pybytes(), hashes)


def json_objects(values: Mapping[str, pa.Array], count: int) -> pa.Array:
    """Return each row as the text of a JSON object; cells that are empty are left out of none and said as null."""
    if not values:
        return pa.array(["{}"] * count, pa.string())
    parts: list[pa.Array | pa.Scalar] = []
    for place, (name, cells) in enumerate(values.items()):
        import json

        parts.append(pa.scalar(f"{', ' if place else '{'}{json.dumps(name, ensure_ascii=False)}: ", pa.string()))
        parts.append(_json_cells(cells))
    return pc.binary_join_element_wise(*parts, pa.scalar("}", pa.string()), pa.scalar("", pa.string()))


def _json_cells(cells: pa.Array) -> pa.Array:
    kind = cells.type
    if pa.types.is_string(kind):
        if pc.any(pc.match_substring_regex(cells, _ESCAPED)).as_py():
            import json

            cells = pa.array(
                [None if each is None else json.dumps(each, ensure_ascii=False) for each in cells.to_pylist()],
                pa.string(),
            )
        else:
            quote = pa.scalar('"', pa.string())
            cells = pc.binary_join_element_wise(quote, cells, quote, pa.scalar("", pa.string()))
    elif pa.types.is_floating(kind):
        whole = pc.and_(pc.equal(cells, pc.round(cells)), pc.less(pc.abs(cells), 1e15))
        exact = pa.array([None if each is None else repr(each) for each in cells.to_pylist()], pa.string())
        cells = (
            pc.if_else(pc.fill_null(whole, False), pc.cast(cells, pa.string()), exact)
            if not pc.all(whole).as_py()
            else pc.cast(cells, pa.string())
        )
    else:
        cells = pc.cast(cells, pa.string())
    return pc.fill_null(cells, "null")


def _keys(values: Mapping[str, pa.Array], key: Sequence[str], hashes: Sequence[bytes]) -> pa.Array:
    if not key:
        return pa.array([each.hex() for each in hashes], pa.string())
    return row_keys(values, key)


def row_keys(values: Mapping[str, pa.Array], key: Sequence[str]) -> pa.Array:
    """Return the natural key of each row as text."""
    parts = [pc.fill_null(pc.cast(values[name], pa.string()), "") for name in key]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, pa.scalar("|", pa.string()))


def _ewkb(shapes: Geometries | None, count: int) -> pa.Array:
    if shapes is None:
        return pa.nulls(count, pa.binary())
    return pa.array(shapely.to_wkb(shapely.set_srid(shapes, 4326), include_srid=True), pa.binary())


def _sized(cells: pa.Array) -> pa.Array:
    """Return values with their length before them, as a field of a binary COPY."""
    sizes = pc.fill_null(pc.binary_length(cells), -1).to_numpy(zero_copy_only=False)
    heads = _fixed(_int32(sizes))
    return pc.binary_join_element_wise(heads, pc.fill_null(cells, b""), b"")


def _int32(numbers: NDArray[np.integer]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(numbers, dtype=">i4").view(np.uint8).reshape(len(numbers), 4)


def _int64(numbers: NDArray[np.integer]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(numbers, dtype=">i8").view(np.uint8).reshape(len(numbers), 8)


def _fixed(rows: NDArray[np.uint8]) -> pa.Array:
    """Return rows of bytes as binary values."""
    width = rows.shape[1]
    made = pa.Array.from_buffers(
        pa.binary(width), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows).tobytes())]
    )
    return pc.cast(made, pa.binary())
