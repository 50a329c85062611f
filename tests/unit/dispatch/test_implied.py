"""The act that a command implies has an id of its own."""

from __future__ import annotations

from dispatch.execution_acts import _implied
from incidents.service.commands import COMMAND_ID


def test_an_implied_act_has_an_id_of_its_own_however_long_the_command():
    long = [f"{'c' * 79}{end}" for end in "ab"]
    ids = {_implied(command, act) for command in (*long, "short-one", "c" * 72) for act in ("accept", "start")}
    assert len(ids) == 8
    assert all(COMMAND_ID.fullmatch(each) for each in ids)
    assert _implied("short-one", "start") == "short-one.start"
