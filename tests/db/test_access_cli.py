"""The commands of accounts: the same acts as the page, for scripts."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest

from app.cli import main
from core.identity import Role, system_actor
from geodata.db import transaction
from people import access, accounts


@pytest.fixture
def command(demo_database, capsys, monkeypatch):
    def run(*arguments: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            main(["user", *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def told(answer: tuple[int, str, str]) -> dict:
    assert answer[0] == 0, answer[2]
    return json.loads(answer[1])


def of(command, login: str) -> dict:
    return next(each for each in told(command("list", "--json"))["accounts"] if each["login"] == login)


def test_an_account_from_invitation_to_handover(command):
    made = told(command("invite", "eva", "--role", "planner", "--title", "Planner", "--json"))
    code = made["address"].partition("code=")[2]
    assert (made["login"], made["kind"]) == ("eva", "invite")
    assert of(command, "eva")["state"] == "invited"
    with transaction(system_actor()) as session:
        assert access.redeem(session, code, "four little words", locale="en")
    assert of(command, "eva") | {"last_login": ""} == {
        "login": "eva",
        "title": "Planner",
        "state": "open",
        "roles": ["planner"],
        "last_login": "",
        "look_at": [],
        "demo": False,
    }
    assert told(command("grant", "eva", "--role", "auditor", "--json"))["changed"] is False
    assert "dispatches" not in command("roles", "eva")[1]
    assert told(command("revoke", "eva", "--role", "auditor", "--json"))["ended"] == 1
    states = {each["role"]: each["state"] for each in told(command("roles", "eva", "--json"))["roles"]}
    assert states == {"planner": "now", "auditor": "ended"}
    assert any(name.startswith("eva ") for name in told(command("sessions", "eva", "--json")))
    assert told(command("sessions", "eva", "--end", "--json"))
    assert told(command("sessions", "eva", "--json")) == {}
    assert told(command("lock", "eva", "--json"))["sessions_ended"] == 0
    assert of(command, "eva")["state"] == "closed"
    told(command("unlock", "eva", "--json"))
    seen = told(command("handover", "eva", "--json"))
    assert (seen["roles_ended"], seen["obstacles"]) == (["planner"], [])
    assert of(command, "eva")["state"] == "open"
    assert told(command("handover", "eva", "--yes", "--json"))["roles"] == 1
    assert of(command, "eva")["state"] == "closed"


def test_acting_and_deputies(command):
    told(command("invite", "tom", "--role", "planner", "--title", "Planner", "--json"))
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=20)).date().isoformat()
    given = ("acting", "tom", "--for", "supervisor@tiny-town", "--role", "supervisor", "--reason", "leave")
    assert told(command(*given, "--until", until, "--json"))["warnings"] == []
    assert "supervisor for supervisor@tiny-town" in of(command, "tom")["roles"]
    assert command(*given, "--until", until)[0] == 4
    assert command(*given, "--until", "soon")[0] == 2
    far = (dt.datetime.now(dt.UTC) + dt.timedelta(days=120)).date().isoformat()
    assert "90 days" in command("acting", "tom", "--for", "auditor@tiny-town", "--role", "auditor", "--reason", "x",
                                "--until", far)[2]  # fmt: skip
    assert told(command("deputies", "supervisor@tiny-town", "--deputy", "tom", "--json"))["deputies"] == ["tom"]
    assert command("deputies", "tom", "--deputy", "tom")[0] == 2


def test_review(command):
    told(command("invite", "old", "--role", "planner", "--title", "Planner", "--json"))
    assert isinstance(told(command("review", "--json")), dict)
    assert told(command("review", "old", "--json")) == {"reviewed": "old"}


def test_an_invitation_again_is_a_new_address(command):
    told(command("invite", "again", "--role", "planner", "--title", "Planner", "--json"))
    first = told(command("invite", "again", "--json"))["address"]
    assert told(command("invite", "again", "--json"))["address"] != first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("invite", "nobody"), "no account yet"),
        (("invite", "x", "--role", "king", "--title", "x"), "no role 'king'"),
        (("invite", "x", "--role", "grid_worker", "--title", "x", "--worker", "W999"), "no worker W999"),
        (("roles", "nobody"), "no account 'nobody'"),
        (("grant", "supervisor@tiny-town", "--role", "dispatcher"), "both duties"),
        (("grant", "supervisor@tiny-town", "--role", "handler", "--unit", "NO"), "no unit with the code"),
        (("revoke", "supervisor@tiny-town", "--role", "planner"), "has no role planner"),
        (("sessions", "--end"), "whose sessions"),
        (("handover", "nobody", "--yes"), "neither an account nor a worker"),
        (("handover", "supervisor@tiny-town", "planner@tiny-town", "--yes"), "does not reach"),
        (("invite", "supervisor@tiny-town"), "no password"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(command, arguments, said):
    code, _, err = command(*arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_the_first_administrator_is_offered_only_while_there_is_none(command):
    assert command("first")[0] == 4
    with transaction(system_actor()) as session:
        (chief,) = [each for each in accounts.demo_accounts(session) if each.role is Role.ADMINISTRATOR]
        session.get_one(type(access.store.user(session, chief.user_id)), chief.user_id).active = False
    assert "/first?code=" in told(command("first", "--json"))["address"]
