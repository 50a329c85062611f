"""Values of a filter as their column's kind has them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import pytest

from core.errors import InvalidInput
from geodata.filters import typed

MIDNIGHT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server's own clock is eight hours ahead."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_a_day_begins_at_the_same_moment_wherever_the_server_stands() -> None:
    for told in ("2026-03-01", "2026-03-01T00:00:00", "2026-03-01T00:00:00Z", "2026-03-01T08:00:00+08:00"):
        assert typed("reported_at", "moment", told) == MIDNIGHT


@pytest.mark.parametrize(
    ("kind", "value"),
    [("moment", "0001-01-01T00:00:00+14:00"), ("moment", "soon"), ("integer", "9" * 30), ("text", "a\x00")],
)
def test_what_is_none_is_refused(kind: str, value: str) -> None:
    with pytest.raises(InvalidInput):
        typed("x", kind, value)
