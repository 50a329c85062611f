"""The stage clocks on the page of one incident: a postponement stops the clock of handling, and says so."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.identity import Role, system_actor
from geodata.db import transaction
from tests.pages.conftest import words


@pytest.mark.parametrize(("language", "said"), [("en", "paused, "), ("zh", "暂停")])
def test_a_postponed_incident_has_its_clock_stopped(run, language, said):
    with transaction(system_actor()) as session:
        found = session.execute(
            text(
                "UPDATE incident SET postponed_at = now() - interval '1 hour',"
                " postponed_until = now() + interval '9 h',"
                " due_at = now() + interval '9 days' WHERE id = (SELECT min(id) FROM incident"
                " WHERE status = 'handling' AND limit_id IS NOT NULL) RETURNING id"
            )
        ).scalar_one()
    assert said in words(run("incidents", Role.SUPERVISOR, language, incident=str(found)))
