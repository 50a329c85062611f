"""Signed heads: what one key signed is read by its public half, and by nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, NotFound
from geodata.heads import Verifier, open_note, read_keys, read_notes, signer
from geodata.merkle import EMPTY_ROOT, leaf_hash

AT = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = signer(tmp_path)
    assert signer(tmp_path).verifier == first.verifier
    assert stat.S_IMODE((tmp_path / "record.key").stat().st_mode) == 0o600
    assert signer(tmp_path / "other").verifier != first.verifier


def test_a_note_says_name_size_root_and_time(tmp_path: Path) -> None:
    key = signer(tmp_path)
    note = key.sign(17, leaf_hash(b"x"), AT)
    name, size, root, time, empty, signature = note.splitlines()
    assert (size, base64.b64decode(root), time, empty) == ("17", leaf_hash(b"x"), "time 2026-03-01T12:00:00Z", "")
    assert signature.startswith(f"\u2014 {name} ")
    head = open_note(note, [key.verifier])
    assert (head.size, head.root, head.at) == (17, leaf_hash(b"x"), AT)


@given(st.data())
def test_no_changed_note_is_accepted(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    key = signer(tmp_path_factory.getbasetemp() / "one-key")
    note = key.sign(17, EMPTY_ROOT, AT)
    at = data.draw(st.integers(0, len(note) - 2))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda new: new != note[at]))
    bent = note[:at] + letter + note[at + 1 :]
    try:
        head = open_note(bent, [key.verifier])
    except InvalidInput:
        return
    # Base64 has a few spare bits at its end; what is signed is the same.
    assert head.text() == note.partition("\n\n")[0] + "\n"


def test_another_key_signs_nothing_of_ours(tmp_path: Path) -> None:
    ours, theirs = signer(tmp_path / "a"), signer(tmp_path / "b")
    with pytest.raises(InvalidInput, match="not signed by the key"):
        open_note(theirs.sign(1, EMPTY_ROOT, AT), [ours.verifier])
    renamed = Verifier(theirs.verifier.name, ours.verifier.key)
    with pytest.raises(InvalidInput):
        open_note(theirs.sign(1, EMPTY_ROOT, AT), [renamed])


def test_public_keys_are_lines(tmp_path: Path) -> None:
    key = signer(tmp_path).verifier
    assert Verifier.read(key.line()) == key
    file = tmp_path / "keys.txt"
    file.write_text(f"# published 1 March\n\n{key.line()}\n")
    assert read_keys(file) == [key]
    with pytest.raises(NotFound):
        read_keys(tmp_path / "none.txt")


@pytest.mark.parametrize("line", ["", "x", "gridkeeper-1+00000000+AAAA", "a+b+c", "gridkeeper-é+12345678+%%%"])
def test_what_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="public key"):
        Verifier.read(line)


def test_notes_are_found_again_in_a_file(tmp_path: Path) -> None:
    key = signer(tmp_path)
    notes = [key.sign(size, leaf_hash(bytes([size])), AT) for size in (1, 2, 30)]
    assert read_notes("# heads of a day\n" + "\n".join(notes)) == notes
    assert read_notes("nothing here\n") == []


@pytest.mark.parametrize(
    "text", ["", "a\nb\nc\nd\n\n\u2014 e f\n", "a\n1\n!!\ntime 2026-03-01T12:00:00Z\n\n\u2014 a b\n"]
)
def test_what_is_no_head_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        open_note(text, [signer(tmp_path).verifier])
