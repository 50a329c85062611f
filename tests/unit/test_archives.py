"""Archives that are cut, locked, or made to harm are refused in a sentence, by everything that reads one."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from core.errors import InvalidInput
from geodata.travel_matrix import read_matrix
from planning.access_files import read_access_file
from planning.matrix_files import read_costs


def npy(values) -> bytes:
    into = io.BytesIO()
    np.save(into, values, allow_pickle=True)
    return into.getvalue()


def headed(head: str, body: bytes = b"") -> bytes:
    raw = head.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(raw)) + raw + body


def shaped(*shape: int) -> bytes:
    return headed(repr({"descr": "<f8", "fortran_order": False, "shape": shape}), b"\0" * 64)


HOSTILE = {
    "objects": npy(np.array([["a", 1], [None, 2]], object)),
    "a pickle": pickle.dumps([1, 2]),
    "a shape of terabytes": shaped(10**6, 10**6),
    "a shape beyond all numbers": shaped(2**62, 16),
    "a negative shape": shaped(-1, -1),
    "an endless head": headed("(" * 3000),
    "an open text": headed("{'descr': '''"),
    "a plain text": b"hello",
    "records": npy(np.zeros((2, 2), dtype=[("a", "f8")])),
    "days": npy(np.zeros((2, 2), dtype="M8[s]")),
}


def archive(path, part: bytes):
    names = npy(np.array(["a", "b"]))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("od_s", "cost"):
            file.writestr(f"{name}.npy", part)
        for name in ("origins", "destinations"):
            file.writestr(f"{name}.npy", names)
    return path


@pytest.mark.parametrize("read", [read_matrix, read_costs, read_access_file])
def test_what_is_made_to_harm_is_refused_in_a_sentence(tmp_path, read):
    for what, part in HOSTILE.items():
        with pytest.raises(InvalidInput, match=r"h\.npz"):
            read(archive(tmp_path / "h.npz", part))
            pytest.fail(what)
    good = archive(tmp_path / "h.npz", npy(np.random.default_rng(1).random((2, 2)))).read_bytes()
    for at, value in ((8, b"\x63\x00"), (6, b"\x01\x00")):  # packed in an unknown way; locked
        bad = good
        for mark, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
            start = 0
            while (start := bad.find(mark, start)) >= 0:
                bad = bad[: start + at + shift] + value + bad[start + at + shift + 2 :]
                start += 4
        (tmp_path / "h.npz").write_bytes(bad)
        with pytest.raises(InvalidInput, match=r"h\.npz is no"):
            read(tmp_path / "h.npz")


def test_marks_of_no_way_that_are_numbers_are_told_of(tmp_path):
    for mark in (1e300, 2147483647.0):
        with pytest.raises(InvalidInput, match="4 of 4 times are above"):
            read_matrix(archive(tmp_path / "m.npz", npy(np.full((2, 2), mark))))


def test_names_in_bytes_that_are_no_text_are_refused(tmp_path):
    ways = np.ones((1, 1))
    np.savez(tmp_path / "m.npz", od_s=ways, origins=np.array([b"\xff"]), destinations=np.array(["x"]))
    with pytest.raises(InvalidInput, match="names in bytes"):
        read_matrix(tmp_path / "m.npz")
