"""The commands that make accounts for a platform that is no demo."""

from __future__ import annotations

import io
import json

import pytest

from app.cli import main
from core.identity import Role, system_actor
from geodata.db import transaction
from people import accounts


@pytest.fixture
def command(demo_database, capsys, monkeypatch):
    def run(*arguments: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


ADD = ("user", "add", "ann", "--title", "Head", "--password-stdin")


def test_adding_an_account_that_can_log_in(command):
    code, out, _ = command(*ADD, "--role", "supervisor", "--json", given="four little words\n")
    assert code == 0
    assert json.loads(out)["login"] == "ann"
    with transaction(system_actor()) as session:
        token = accounts.login(session, "ann", "four little words", locale="en").token
        assert accounts.session_actor(session, token).actor.role is Role.SUPERVISOR
    assert "ann" in command("user", "list")[1]
    assert "taken" in command(*ADD, "--role", "supervisor", given="four little words\n")[2]


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (("--role", "king"), "four little words\n", "no role 'king'"),
        (("--role", "planner"), "short\n", "10 to 256 characters"),
        (("--role", "grid_manager"), "four little words\n", "at least one community"),
        (("--role", "grid_manager", "--community", "nowhere"), "four little words\n", "no community with the code"),
        (("--role", "planner", "--territory", "nowhere"), "four little words\n", "no territory 'nowhere'"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(command, arguments, given, said):
    code, _, err = command("user", "add", "bob", "--title", "x", "--password-stdin", *arguments, given=given)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_retiring_the_demo_accounts(command):
    assert json.loads(command("user", "retire-demo", "--json")[1])["retired"] == 8
    assert json.loads(command("user", "retire-demo", "--json")[1])["retired"] == 0
