"""A record in lines: what is whole is found whole; every way of changing it is found, and its place is named."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, NotFound
from geodata import record_proof
from geodata.heads import Head, Signer, Verifier, open_note, signer
from geodata.merkle import Tree, leaf_hash
from geodata.record_file import FORMAT, Line, read, write
from geodata.record_proof import verify

AT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return signer(tmp_path_factory.mktemp("key"))


def row(seq: int, action: str = "update", after: object = None) -> str:
    fields = [seq, 1, None, None, "system", "x", "", None, action, "incident", str(seq), None, None, after, None]
    return json.dumps(fields)


def as_line(kind: str, text: str | bytes) -> Line:
    body = text if isinstance(text, bytes) else text.encode()
    return (kind, body, hashlib.sha256(body).digest())


def other(kind: str, text: str) -> Line:
    return (kind, text.encode(), b"")


def a_load(seq: int, kept: list[str]) -> list[Line]:
    whole = hashlib.sha256(b"".join(hashlib.sha256(each.encode()).digest() for each in kept)).hexdigest()
    return [
        as_line("r", row(seq, "bulk_insert", {"rows": len(kept), "sha256": whole})),
        *[other("k", each) for each in kept],
    ]


def a_record(key: Signer, sizes: list[int], loose: int = 2) -> list[Line]:
    """Batches of the given sizes, the second row a bulk load of two, and some rows not yet sealed."""
    tree, written, seq = Tree(), list[Line](), 0
    for size in sizes:
        for _ in range(size):
            seq += 1
            added = a_load(seq, ['[null, {"id": 1}]', '[null, {"id": 2}]']) if seq == 2 else [as_line("r", row(seq))]
            tree.append(leaf_hash(added[0][2]))
            written += added
        written.append(other("h", key.sign(tree.size, tree.root(), AT)))
    return written + [as_line("u", row(seq + 1 + more)) for more in range(loose)]


def heads(key: Signer, record: list[Line]) -> list[Head]:
    return [open_note(line[1].decode(), [key.verifier]) for line in record if line[0] == "h"]


def seq_of(line: Line) -> int:
    return int(json.loads(line[1])[0])


sizes_of_batches = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@given(sizes=sizes_of_batches)
def test_what_is_whole_is_found_whole(key: Signer, sizes: list[int]) -> None:
    record = a_record(key, sizes)
    verdict = verify(record, [key.verifier], heads(key, record))
    assert verdict.ok
    assert (verdict.records, verdict.sealed) == (sum(sizes) + 2, sum(sizes))
    assert verdict.head is not None
    assert (verdict.first_bad, verdict.reason) == (None, "")


@given(sizes=sizes_of_batches, data=st.data())
def test_a_changed_row_is_named(key: Signer, sizes: list[int], data: st.DataObject) -> None:
    record = a_record(key, sizes)
    at = data.draw(st.sampled_from([n for n, line in enumerate(record) if line[0] in "ru"]))
    bad = seq_of(record[at])
    bent = record[at][1].replace(b"system", b"systen")
    simple = [*record[:at], (record[at][0], bent, record[at][2]), *record[at + 1 :]]
    verdict = verify(simple, [key.verifier])
    assert (verdict.ok, verdict.first_bad) == (False, bad)
    if record[at][0] == "r":
        # With its hash changed too, the batch is named.
        clever = [*record[:at], as_line("r", bent), *record[at + 1 :]]
        verdict = verify(clever, [key.verifier])
        assert not verdict.ok
        assert verdict.first_bad is not None
        assert verdict.first_bad <= bad


@given(sizes=sizes_of_batches, data=st.data())
def test_a_row_left_out_or_moved_is_found(key: Signer, sizes: list[int], data: st.DataObject) -> None:
    record = a_record(key, sizes)
    rows = [n for n, line in enumerate(record) if line[0] == "r" and b"bulk" not in line[1]]
    if not rows:
        return
    at = data.draw(st.sampled_from(rows))
    assert not verify(record[:at] + record[at + 1 :], [key.verifier]).ok
    if len(rows) > 1:
        other = data.draw(st.sampled_from([n for n in rows if n != at]))
        swapped = list(record)
        swapped[at], swapped[other] = swapped[other], swapped[at]
        assert not verify(swapped, [key.verifier]).ok


@given(sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4))
def test_a_tail_cut_off_with_its_heads_is_found_by_a_published_head(key: Signer, sizes: list[int]) -> None:
    record = a_record(key, sizes)
    published = heads(key, record)
    end = [n for n, line in enumerate(record) if line[0] == "h"][-2]
    short = record[: end + 1]
    assert verify(short, [key.verifier]).ok
    verdict = verify(short, [key.verifier], published)
    assert not verdict.ok
    assert "the end is missing" in verdict.reason


def test_a_history_made_anew_by_who_holds_the_key_is_found_by_a_published_head(key: Signer) -> None:
    published = heads(key, a_record(key, [3, 4]))
    tree, forged = Tree(), list[Line]()
    for seq in range(1, 8):
        line = as_line("r", row(seq, "insert"))
        tree.append(leaf_hash(line[2]))
        forged.append(line)
        if seq in {3, 7}:
            forged.append(other("h", key.sign(tree.size, tree.root(), AT)))
    assert verify(forged, [key.verifier]).ok
    verdict = verify(forged, [key.verifier], published)
    assert not verdict.ok
    assert "published" in verdict.reason


def test_a_forged_batch_is_found(key: Signer, tmp_path: Path) -> None:
    record = a_record(key, [2, 3], loose=0)
    stranger = signer(tmp_path)
    last = open_note(record[-1][1].decode(), [key.verifier])
    forged = [*record[:-1], other("h", stranger.sign(last.size, last.root, AT))]
    verdict = verify(forged, [key.verifier])
    assert (verdict.ok, verdict.first_bad) == (False, 3)
    assert "valid head" in verdict.reason
    assert not verify(record[:-1], [key.verifier]).ok, "rows said to be sealed, without a head"


def test_rows_of_a_load_are_covered(key: Signer) -> None:
    record = a_record(key, [3])
    at = next(n for n, line in enumerate(record) if line[0] == "k")
    bent = [*record[:at], other("k", '[null, {"id": 9}]'), *record[at + 1 :]]
    assert verify(bent, [key.verifier]).first_bad == 2
    assert verify(record[:at] + record[at + 1 :], [key.verifier]).first_bad == 2
    assert not verify([*record[:1], other("k", "[]"), *record[1:]], [key.verifier]).ok


def test_an_empty_record_is_whole(key: Signer) -> None:
    assert verify([], [key.verifier]).ok


@pytest.mark.parametrize(
    "text", ["", "{}\n", "[1]\n", "no json\n", json.dumps({"format": FORMAT}) + '\n["x", "y"]\n', '{"format": 1}\n']
)
def test_what_is_no_export_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"cannot be read|empty"):
        list(read(path))


@given(sizes=sizes_of_batches, most=st.integers(1, 4))
def test_leaves_go_into_the_tree_in_any_portions(key: Signer, sizes: list[int], most: int) -> None:
    record = a_record(key, sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_proof, "LEAVES_MOST", most)
        assert verify(record, [key.verifier], heads(key, record)).ok


def test_a_head_that_was_published_inside_what_is_one_batch_now_is_compared(key: Signer) -> None:
    whole, forged = a_record(key, [9]), a_record(key, [4, 5])
    assert verify(whole, [key.verifier], heads(key, forged)).ok, "the same rows under other heads"
    published = [dataclasses.replace(heads(key, forged)[0], root=b"0" * 32)]
    verdict = verify(whole, [key.verifier], published)
    assert (verdict.ok, verdict.first_bad) == (False, 1)
    assert "published" in verdict.reason


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(
    record=st.lists(
        st.one_of(
            st.builds(as_line, st.sampled_from("ru"), texts),
            st.builds(as_line, st.sampled_from("ru"), texts.map(json.dumps)),
            st.builds(other, st.sampled_from("kh"), texts),
        )
    ),
    packed=st.booleans(),
)
def test_a_file_says_what_was_written(key: Signer, folder: Path, record: list[Line], packed: bool) -> None:
    path = folder / ("record.jsonl.gz" if packed else "record.jsonl")
    assert write(path, record, key.verifier) == sum(line[0] in "ru" for line in record)
    assert list(read(path)) == record
    written = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode().split("\n")[1:-1]
    assert [json.loads(each) for each in written] == [
        [kind, body.decode(), *([digest.hex()] if digest else [])] for kind, body, digest in record
    ]


@given(text=texts, plain=st.booleans())
def test_what_another_program_wrote_anew_reads_the_same(key: Signer, folder: Path, text: str, plain: bool) -> None:
    """However JSON is written: with escapes for all that is not ASCII, or with none that is not needed."""
    path, (_, body, digest) = folder / "record.jsonl", as_line("r", text)
    line = json.dumps(["r", text, digest.hex()], ensure_ascii=plain)
    path.write_text(json.dumps({"format": FORMAT, "key": key.verifier.line()}) + "\n" + line + "\n")
    assert list(read(path)) == [("r", body, digest)]


def test_an_export_of_the_first_release_is_valid_for_ever() -> None:
    path = Path(__file__).parents[1] / "golden" / "record-1.jsonl"
    keys = [Verifier.read(json.loads(path.read_text().splitlines()[0])["key"])]
    verdict = verify(read(path), keys)
    assert (verdict.ok, verdict.records, verdict.sealed) == (True, 20, 18)
    assert verdict.head is not None
    assert verdict.head.root.hex().startswith("81f91a4b393cee374850")


@pytest.mark.parametrize("at", [1, 3, 4, 5, 9, 20, 25])
def test_one_changed_byte_of_it_is_found(tmp_path: Path, at: int) -> None:
    kept = (Path(__file__).parents[1] / "golden" / "record-1.jsonl").read_text().splitlines(keepends=True)
    keys = [Verifier.read(json.loads(kept[0])["key"])]
    for place in range(0, len(kept[at]), 7):
        letter = kept[at][place]
        bent = kept[at][:place] + ("x" if letter != "x" else "y") + kept[at][place + 1 :]
        path = tmp_path / "bent.jsonl"
        path.write_text("".join([*kept[:at], bent, *kept[at + 1 :]]))
        try:
            found = verify(read(path), keys)
        except InvalidInput:
            continue
        assert not found.ok, bent


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        list(read(tmp_path / "none.jsonl"))
