"""The Merkle tree against the reference roots of Certificate Transparency and against the definition itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root,
)

# Inputs and roots of the test suite of the Certificate Transparency reference implementation.
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
lists = st.lists(st.binary(max_size=5), min_size=1, max_size=70).map(lambda many: [leaf_hash(each) for each in many])


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def test_reference_roots() -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in INPUTS]
    assert EMPTY_ROOT.hex() == EMPTY
    assert tuple(root(leaves[: n + 1]).hex() for n in range(len(leaves))) == ROOTS


@given(lists, st.data())
def test_a_tree_taken_up_again_is_the_tree_of_the_whole_list(leaves: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    first = Tree()
    first.extend(leaves[:cut])
    assert first.root() == by_definition(leaves[:cut])
    again = Tree(first.size, list(first.peaks))
    again.extend(leaves[cut:])
    assert again.root() == root(leaves) == by_definition(leaves)


@given(lists, st.lists(st.integers(0, 70), max_size=6))
def test_leaves_in_portions_make_the_tree_of_leaves_one_by_one(leaves: list[bytes], cuts: list[int]) -> None:
    single, many, at = Tree(), Tree(), 0
    for leaf in leaves:
        single.append(leaf)
    for cut in [*sorted(cuts), len(leaves)]:
        many.extend(leaves[at:cut])
        at = max(at, cut)
    assert (many.size, many.peaks) == (single.size, single.peaks)


@given(lists, st.data())
def test_every_leaf_is_proven_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    head = root(leaves[:size])
    path = inclusion_proof(leaves, index, size=size)
    assert is_included(leaves[index], index, size, path, head)
    assert not is_included(leaf_hash(b"not there"), index, size, path, head)
    assert not is_included(leaves[index], index, size, [*path, leaves[0]], head)
    assert not is_included(leaves[index], size, size, path, head)
    for at in range(len(path)):
        bent = [*path[:at], leaf_hash(path[at]), *path[at + 1 :]]
        assert not is_included(leaves[index], index, size, bent, head)
        assert not is_included(leaves[index], index, size, path[:at], head)


@given(lists, st.data())
def test_a_beginning_is_proven_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(leaves)))
    old = data.draw(st.integers(1, size))
    before, after = root(leaves[:old]), root(leaves[:size])
    path = consistency_proof(leaves, old, size=size)
    assert is_consistent(old, before, size, after, path)
    assert not is_consistent(old, leaf_hash(before), size, after, path)
    assert not is_consistent(old, before, size, leaf_hash(after), path)
    assert not is_consistent(old, before, size, after, [*path, before])
    for at in range(len(path)):
        bent = [*path[:at], leaf_hash(path[at]), *path[at + 1 :]]
        assert not is_consistent(old, before, size, after, bent)


@given(lists, st.data())
def test_a_changed_past_has_no_proof(leaves: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(leaves)))
    at = data.draw(st.integers(0, old - 1))
    forged = [*leaves[:at], leaf_hash(leaves[at]), *leaves[at + 1 :]]
    path = consistency_proof(forged, old)
    assert not is_consistent(old, root(leaves[:old]), len(forged), root(forged), path)


def test_nothing_is_the_beginning_of_everything() -> None:
    leaves = [leaf_hash(b"a"), leaf_hash(b"b")]
    assert is_consistent(0, EMPTY_ROOT, 2, root(leaves), [])
    assert not is_consistent(0, leaves[0], 2, root(leaves), [])


@pytest.mark.parametrize(("index", "size"), [(-1, 2), (2, 2), (0, 3)])
def test_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof([leaf_hash(b"a"), leaf_hash(b"b")], index, size=size)


@pytest.mark.parametrize("old", [0, 3])
def test_no_proof_of_a_beginning_that_is_none(old: int) -> None:
    with pytest.raises(ValueError, match="no beginning"):
        consistency_proof([leaf_hash(b"a"), leaf_hash(b"b")], old)


def test_peaks_have_to_fit() -> None:
    with pytest.raises(ValueError, match="2 peaks"):
        Tree(4, [EMPTY_ROOT, EMPTY_ROOT])
