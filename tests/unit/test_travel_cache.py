"""Prepared graphs are kept on disk whole, and made anew when a file is not what it should be."""

from __future__ import annotations

import numpy as np
import pytest

from core.settings import settings
from geodata import travel_cache
from geodata.travel_cache import graph_hash, hierarchy_of, read, write
from geodata.travel_hierarchy import build_hierarchy

TAILS, HEADS = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])


@pytest.fixture
def kept(monkeypatch):
    """An empty memory; returns the one file after a first call."""
    monkeypatch.setattr(travel_cache, "_kept", type(travel_cache._kept)())
    hierarchy_of(4, TAILS, HEADS)
    path = travel_cache.folder() / f"{graph_hash(4, TAILS, HEADS)}.npz"
    yield path
    path.unlink(missing_ok=True)


def forget(monkeypatch):
    monkeypatch.setattr(travel_cache, "_kept", type(travel_cache._kept)())


def test_the_second_time_nothing_is_built(kept, monkeypatch):
    assert kept.is_file()
    assert kept.parent.parent == settings().state_dir
    forget(monkeypatch)
    monkeypatch.setattr(travel_cache, "build_hierarchy", None)
    made = hierarchy_of(4, TAILS, HEADS)
    assert hierarchy_of(4, TAILS, HEADS) is made
    assert made.customise(np.ones(4)).up.seconds.size


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "changed", "other"])
def test_a_damaged_file_is_made_anew(kept, monkeypatch, caplog, damage):
    whole = kept.read_bytes()
    if damage == "changed":
        with np.load(kept) as file:
            parts = dict(file)
        parts["above"] = parts["above"][::-1].copy()
        np.savez(kept, **parts)
    elif damage == "other":
        write(kept, build_hierarchy(3, TAILS[:2], HEADS[:2]))
    else:
        kept.write_bytes({"cut": whole[:200], "empty": b"", "text": b"no archive"}[damage])
    forget(monkeypatch)
    made = hierarchy_of(4, TAILS, HEADS)
    assert "made anew" in caplog.text
    assert made.nodes == 4
    assert read(kept, 4, 4) is not None
    assert [each.name for each in kept.parent.glob(".new-*")] == []


def test_the_name_follows_the_arcs_and_their_order():
    names = {
        graph_hash(4, TAILS, HEADS),
        graph_hash(5, TAILS, HEADS),
        graph_hash(4, HEADS, TAILS),
        graph_hash(4, TAILS[::-1], HEADS[::-1]),
    }
    assert len(names) == 4
    assert graph_hash(4, TAILS.astype(np.int32), HEADS) in names


def test_a_folder_that_cannot_be_written_costs_a_line_in_the_log(monkeypatch, caplog, tmp_path):
    forget(monkeypatch)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(travel_cache, "folder", lambda: tmp_path / "file" / "travel")
    assert hierarchy_of(4, TAILS, HEADS).nodes == 4
    assert "cannot be kept" in caplog.text


def test_old_files_go(monkeypatch, tmp_path):
    monkeypatch.setattr(travel_cache, "ON_DISK", 2)
    made = build_hierarchy(4, TAILS, HEADS)
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.npz", made)
    assert len(list(tmp_path.glob("*.npz"))) == 2
