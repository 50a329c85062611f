"""What an act on an incident is asked with, as it stands at the press of its button."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app import incident_acts


@pytest.mark.parametrize(
    ("drawn", "chosen", "meant"),
    [
        ({"worker_id": 5}, ("unit_id", 3), {"unit_id": 3}),
        ({"unit_id": 3}, ("worker_id", 5), {"worker_id": 5}),
        ({"worker_id": 5}, ("worker_id", 6), {"worker_id": 6}),
        ({"worker_id": 5}, None, {"worker_id": 5}),
    ],
)
def test_who_is_taken_back_is_whom_the_list_shows_and_nobody_beside(monkeypatch, drawn, chosen, meant) -> None:
    shown = {"gk_part": chosen, "gk_reason": "elsewhere"}
    monkeypatch.setattr(incident_acts, "st", SimpleNamespace(session_state=shown))
    given = {"reason": "not_needed", **drawn}
    assert incident_acts.latest(given, "gk") == {"reason": "elsewhere", **meant}
