"""The record at ten million rows: any page of it in less than 200 ms."""

from __future__ import annotations

import os
import sys

import pytest
from sqlalchemy import Engine, text

from core.identity import Actor, Role
from geodata import db, record_search
from geodata.db import transaction
from tests.many import many_records, milliseconds, record_filters

ROWS = int(os.environ.get("LONG_RECORD_ROWS", "10000000"))
LIMIT_MS = 200.0
RUNS = 7


@pytest.mark.slow
def test_every_page_of_ten_million_rows_comes_soon(database: Engine) -> None:
    del database
    owner = db.owner_engine()
    many_records(owner, ROWS)
    owner.dispose()
    auditor = Actor(None, "proof", Role.AUDITOR, territory_id=1)
    with transaction(auditor) as session:
        assert session.scalar(text("SELECT max(seq) FROM record")) == ROWS
    slow = {}
    for name, wanted in record_filters(ROWS).items():
        for before in (None, ROWS // 2, 2_000):

            def page(wanted: record_search.RecordFilter = wanted, before: int | None = before) -> None:
                with transaction(auditor) as session:
                    record_search.search(session, auditor, wanted, before=before)

            best = min(milliseconds(page, RUNS))
            sys.stdout.write(f"{name}, before {before}: {best:.0f} ms\n")
            if best >= LIMIT_MS:
                slow[name, before] = best
    assert slow == {}
