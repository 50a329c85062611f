"""Answers of feeds that mean ill: memory ends, and no number is too large to be refused."""

from __future__ import annotations

import pytest

from core.clock import now
from dispatch import feeds_model
from dispatch.feeds_model import FeedInfo, as_table

FIELDS = {"time": "t", "kmh": "v", "lon": "x", "lat": "y"}


def feed(form: str) -> FeedInfo:
    return FeedInfo(1, 1, "x", "http://x/", form, FIELDS, "WGS-84", 60, active=True, version=1, asked_at=now())


@pytest.mark.parametrize(
    ("form", "body"), [("json", b"[" + b"0," * 5000 + b"0]"), ("csv", b"t,v,x,y\n" + b"1\n" * 5000)]
)
def test_no_more_rows_are_made_than_are_read(form: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds_model, "LINES_MOST", 10)
    told: list[object] = []

    def keep(value: object, _ours: str) -> str:
        told.append(value)
        return ""

    monkeypatch.setattr(feeds_model, "_told", keep)
    assert len(as_table(body, feed(form)).splitlines()) == 1 + 11
    assert len(told) == 11 * len(feeds_model.FIELDS)


def test_a_time_of_hundreds_of_digits_is_refused_by_its_line() -> None:
    body = b'[{"t": 1' + b"0" * 400 + b', "v": 30, "x": 1, "y": 2}]'
    assert as_table(body, feed("json")).splitlines()[1].endswith(",30,1,2,,")


def test_a_column_without_a_name_is_nobodys() -> None:
    body = b",t,v,x,y\n7,2026-01-01T00:00:00Z,30,1,2\n"
    assert as_table(body, feed("csv")).splitlines()[1] == "2026-01-01T00:00:00Z,30,1,2,,"
