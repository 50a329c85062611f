"""What is imported is set aside from the search for garbage, and garbage among it still goes."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from streamlit import config

from app import tidy


class Ring:
    """Holds itself, so that only a search finds it."""

    def __init__(self) -> None:
        self.self = self


def test_what_lives_is_set_aside_and_what_was_is_collected_the_next_time() -> None:
    living, gone = Ring(), weakref.ref(ring := Ring())
    try:
        tidy.settle()
        assert gc.get_freeze_count() > 1000
        del ring
        gc.collect()
        assert gone() is not None, "set aside"
        tidy.settle()
        assert gone() is None
        assert living.self is living
    finally:
        gc.unfreeze()


def test_the_server_sets_aside_soon_after_something_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy, "LOOK_S", 0.0)
    settled: list[int] = []
    monkeypatch.setattr(tidy, "settle", lambda: settled.append(1))

    async def serve() -> None:
        async with tidy.tidying():
            for _ in range(50):
                await asyncio.sleep(0)

    asyncio.run(serve())
    assert settled == [1], "nothing new was imported"
    assert gc.get_freeze_count() == 0


def test_streamlit_does_not_search_after_every_run() -> None:
    assert config.get_option("runner.postScriptGC") is False
