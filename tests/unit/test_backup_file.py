"""The file of a backup: whole or refused, byte by byte; and the keys file beside it."""

from __future__ import annotations

import datetime as dt
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, NotFound
from geodata.backup_file import read_backup, write_backup
from geodata.backup_keys import Keys, read_keys, write_keys
from geodata.erasure import Erased

KEY, OTHER = b"k" * 32, b"o" * 32
MOMENT = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def _quiet(_megabytes: int) -> None:
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "raw").write_bytes(bytes(range(256)) * 3)
    write_backup(folder / "city.tar", {"made_at": "now", "census": {}}, folder / "raw", KEY, _quiet)
    return folder / "city.tar"


@pytest.fixture(scope="module")
def content(whole: Path) -> bytes:
    return whole.read_bytes()


def test_what_was_written_is_read_and_any_tar_program_opens_it(whole: Path) -> None:
    sealed = read_backup(whole, KEY)
    assert b"".join(sealed.dump()) == bytes(range(256)) * 3
    assert (sealed.own, sealed.size, sealed.manifest["made_at"]) == (True, whole.stat().st_size, "now")
    assert read_backup(whole, OTHER).own is False
    with tarfile.open(whole) as opened:
        assert opened.getnames() == ["manifest.json", "database.dump", "seal.json"]


def test_cut_short_anywhere_it_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.tar"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InvalidInput, match="cut short|no backup"):
            read_backup(path, KEY)
    path.write_bytes(content + b"\0")
    with pytest.raises(InvalidInput, match="altered"):
        read_backup(path, KEY)


def test_one_other_bit_anywhere_and_it_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "altered.tar"
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1 << place % 8
        path.write_bytes(altered)
        with pytest.raises(InvalidInput):
            read_backup(path, KEY)


@given(st.binary(max_size=3000))
def test_any_other_file_is_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "junk"
    path.write_bytes(junk)
    with pytest.raises(InvalidInput):
        read_backup(path, KEY)
    with pytest.raises(InvalidInput):
        read_keys(path, KEY)


def test_whoever_writes_his_own_seal_lacks_the_secret(content: bytes, tmp_path: Path) -> None:
    """A file made with another secret that claims ours."""
    (tmp_path / "raw").write_bytes(b"x")
    forged = tmp_path / "forged.tar"
    write_backup(forged, {"made_at": "now"}, tmp_path / "raw", OTHER, _quiet)
    theirs = read_backup(forged, OTHER).manifest["secret"]
    ours = read_backup(_put(tmp_path / "own.tar", content), KEY).manifest["secret"]
    assert theirs != ours
    from geodata import backup_file

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup_file, "fingerprint", lambda _key: ours)
        write_backup(forged, {"made_at": "now"}, tmp_path / "raw", OTHER, _quiet)
    with pytest.raises(InvalidInput, match="altered"):
        read_backup(forged, KEY)


def _put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_file_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    from geodata import backup_file

    (tmp_path / "raw").write_bytes(b"x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup_file, "FORMAT", 2)
        write_backup(tmp_path / "new.tar", {}, tmp_path / "raw", KEY, _quiet)
    with pytest.raises(InvalidInput, match="newer Gridkeeper"):
        read_backup(tmp_path / "new.tar", KEY)
    with pytest.raises(NotFound):
        read_backup(tmp_path / "nowhere.tar", KEY)


def test_the_keys_file_opens_with_its_secret_alone(tmp_path: Path) -> None:
    path = tmp_path / "city.keys"
    erased = Erased("s-1", MOMENT, "command line", "request", "17/2026")
    rows = os.urandom(50).hex().encode() * 20
    write_keys(path, Keys(MOMENT, 20, rows, {"s-1": erased}), KEY)
    assert path.stat().st_mode & 0o777 == 0o600
    found = read_keys(path, KEY)
    assert (found.rows, found.count, found.at, dict(found.erased)) == (rows, 20, MOMENT, {"s-1": erased})
    content = path.read_bytes()
    assert rows[:20] not in content
    with pytest.raises(InvalidInput, match="another master secret"):
        read_keys(path, OTHER)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InvalidInput):
            read_keys(path, KEY)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(InvalidInput):
            read_keys(path, KEY)
