"""Which requests for data stand on the page."""

from __future__ import annotations

import datetime as dt

from app.catalogue_asks import SHOWN, shown_of
from geodata.asking import Asked

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def asked(number: int, until: dt.datetime | None) -> Asked:
    return Asked(
        id=number, key="set-x", title="x", title_zh="", unit_id=None, asked_label="x", asked_at=NOW, purpose="x",
        days=9, state="granted", decided_label="x", decided_at=NOW, reason="x",
        grant_id=None if until is None else number, until=until, ended_early=False, mine=False, decidable=True,
        version=1,
    )  # fmt: skip


def test_a_grant_that_lasts_is_within_reach_however_many_came_after_it() -> None:
    day = dt.timedelta(days=1)
    rows = [asked(number, None) for number in range(SHOWN)]
    rows += [asked(50, NOW + day), asked(51, NOW - day), asked(52, None), asked(53, NOW + day)]
    assert [each.id for each in shown_of(rows, NOW)] == [*range(SHOWN), 50, 53]
