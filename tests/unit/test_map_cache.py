"""The cache keeps within its bound; versions are only known while somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
import json

import psycopg_pool
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import tiles
from app.guard import status_of
from core.errors import NotFound, SourceUnavailable
from layers.cache import ByteCache, Entry
from layers.registry import SENSITIVITIES, find_layer, layer_entries
from layers.snapshot import Kept
from layers.tiles import TileKey, tiles_of
from layers.versions import LAYERS, TASKS, LayerVersions


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3000)), max_size=60))
def test_the_bound_holds_and_the_sum_is_right(puts: list[tuple[int, int]]) -> None:
    cache = ByteCache(10_000)
    for key, size in puts:
        cache.put(key, Entry(bytes(size), "tag"))
        assert cache.used_bytes <= 10_000
    kept = [entry for key in range(21) if (entry := cache.get(key))]
    assert cache.used_bytes == sum(len(entry.body) + cache.COST for entry in kept)


def test_the_least_used_goes_first() -> None:
    cache = ByteCache(3 * 1300)
    for key in "ab":
        cache.put(key, Entry(bytes(600), "tag"))
    for key in "cd":
        assert cache.get("a")
        cache.put(key, Entry(bytes(600), "tag"))
        cache.put(key + "2", Entry(bytes(600), "tag"))
    assert cache.get("a")
    assert cache.get("b") is None


def test_what_is_too_large_is_not_kept() -> None:
    cache = ByteCache(1000)
    cache.put("a", Entry(bytes(500), "tag"))
    assert len(cache) == 0


@given(st.binary(max_size=5000))
def test_what_was_packed_is_unpacked(plain: bytes) -> None:
    entry = Entry.of(plain)
    assert entry.plain() == plain
    assert len(entry.body) <= len(plain)


def test_what_repeats_is_packed() -> None:
    assert Entry.of(b"grid" * 1000).packed
    assert not Entry.of(b"grid").packed


def test_tags_name_the_content() -> None:
    assert Entry.of(b"a").etag == Entry.of(b"a").etag != Entry.of(b"b").etag


def test_versions_are_counted_by_territory_and_layer() -> None:
    versions = LayerVersions()
    assert versions.of(1, ("grids",)) is None
    versions.connected = True
    first = versions.of(1, ("grids", "roads"))
    versions.changed("2:grids")
    versions.changed("1:incidents")
    assert versions.of(1, ("grids", "roads")) == first
    versions.changed("1:roads")
    assert versions.of(1, ("grids", "roads")) != first


@pytest.mark.parametrize("payload", ["", "x", "1:weather", "one:grids"])
def test_a_strange_notification_makes_all_new(payload: str) -> None:
    versions = LayerVersions()
    versions.connected = True
    before = versions.of(7, LAYERS)
    versions.changed(payload)
    assert versions.of(7, LAYERS) != before


def test_snapshots_are_kept_by_version() -> None:
    kept: Kept[int] = Kept(limit=2)
    reads = iter(range(100))
    assert [kept.get("a", (1,), reads.__next__) for _ in range(2)] == [0, 0]
    assert kept.get("a", (2,), reads.__next__) == 1
    assert [kept.get("a", None, reads.__next__) for _ in range(2)] == [2, 3]
    kept.get("b", (1,), reads.__next__)
    kept.get("c", (1,), reads.__next__)
    assert kept.get("a", (2,), reads.__next__) == 6


def test_layers_know_their_tiles() -> None:
    for key, entry in layer_entries().items():
        assert find_layer(key) is entry
        assert set(entry.depends_on) <= {*LAYERS, TASKS}
        assert entry.sensitivity in SENSITIVITIES
        assert all((entry.title, entry.title_zh, entry.licence, entry.freshness, entry.freshness_zh))
        assert all(sign.label and sign.label_zh for sign in entry.legend)
        json.dumps(entry.drawn)
        for z in range(entry.zooms[0], entry.zooms[1] + 1):
            assert entry.statement is None or "ST_AsMVT" in entry.statement(z)
    with pytest.raises(NotFound):
        find_layer("weather")


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (17, 0, 0), (3, 8, 0), (3, 0, -1)])
def test_tiles_that_do_not_exist(z: int, x: int, y: int) -> None:
    with pytest.raises(NotFound):
        TileKey(z, x, y)


def test_tiles_of_a_box() -> None:
    assert tiles_of((-180, -85, 180, 85), 1) == [TileKey(1, x, y) for y in (0, 1) for x in (0, 1)]
    assert tiles_of((-1.2945, 50.6995, -1.2945, 50.6995), 14) == [TileKey(14, 8133, 5506)]


def test_a_task_given_or_planned_anew_is_told_to_phones_and_changes_no_layer() -> None:
    versions = LayerVersions()
    versions.connected = True
    layers, tasks = versions.of(7, LAYERS), versions.of(7, ("tasks",))
    versions.changed("7:tasks")
    assert versions.of(7, LAYERS) == layers
    assert versions.of(7, ("tasks",)) != tasks


def test_a_tile_without_a_free_connection_is_asked_for_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    class Taken:
        @contextlib.asynccontextmanager
        async def connection(self):
            raise psycopg_pool.PoolTimeout
            yield

    async def ask() -> None:
        async with tiles.connection():
            pytest.fail("there is none")

    monkeypatch.setattr(tiles, "_pools", [Taken()])
    with pytest.raises(SourceUnavailable, match="were taken for 20 s") as told:
        asyncio.run(ask())
    assert status_of(told.value) == 503, "the map takes other answers for the last word"
