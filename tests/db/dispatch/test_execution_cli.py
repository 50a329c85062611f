"""Carrying out by command: publish, choose by hand, release, and the clock of answers, with JSON and refusals."""

from __future__ import annotations

import json
import random

import pytest

from app.cli import main
from core.identity import system_actor
from geodata import db
from tests.db.dispatch.test_execution_at_once import planned, rush
from tests.dispatched import what_is_broken


@pytest.fixture
def say(demo_database, capsys):
    def run(*words: str) -> tuple[int, dict[str, object], str]:
        with pytest.raises(SystemExit) as ended:
            main(["dispatch", *words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(out) if out.startswith("{") else {"text": out}, err

    return run


def test_publish_choose_release_and_the_clock(say) -> None:
    as_dispatcher = ("--as", "dispatcher@tiny-town", "--json")
    assert say("publish", *as_dispatcher)[0] == 2
    made = rush(3)
    planned(made, random.Random(1), 3)
    code, told, _ = say("publish", str(made.ids[0]), *as_dispatcher)
    assert (code, len(told["sent"]), told["stale"]) == (0, 1, {})
    number = told["sent"][0]
    code, told, _ = say("publish", *as_dispatcher)
    assert (code, len(told["sent"]), list(told["stale"])) == (0, 2, [])
    assert say("publish", str(made.ids[1]), "--as", "supervisor@tiny-town")[0] == 3
    code, told, _ = say("override", number, "--worker", "w002", "--reason", "knows_place", *as_dispatcher)
    assert (code, told["status"], told["pinned to"]) == (0, "dispatched", "W002")
    assert say("override", number, "--worker", "w002", "--reason", "because", *as_dispatcher)[0] == 2
    assert say("override", number, "--worker", "W999", "--reason", "skill", *as_dispatcher)[0] == 2
    (pin,) = say("pins", *as_dispatcher)[1]["pins"]
    assert pin == {"incident": number, "worker": "W002", "kind": "pin", "reason": "knows_place"}
    assert say("release", number, *as_dispatcher)[1]["released"] is True
    assert say("release", number, *as_dispatcher)[0] == 2
    assert say("time-out", "--json")[0] == 0
    assert say("deliver", "--json")[1]["arrived"] > 3
    assert say("deliver", "--json")[1]["arrived"] == 0
    with db.transaction(system_actor()) as session:
        assert what_is_broken(session, made.since) == {}
