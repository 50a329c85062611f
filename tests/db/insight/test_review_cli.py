"""`gridkeeper review`: the generated finding of the demo, from the list to a decision by somebody else."""

from __future__ import annotations

import json

import pytest

from app.cli import main
from core.identity import Role, system_actor
from geodata import db
from people import accounts


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["review", *arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def logins(demo_database) -> dict[Role, str]:
    with db.transaction(system_actor()) as session:
        return {each.role: each.login for each in accounts.demo_accounts(session)}


def test_from_the_list_to_the_decision(logins, capsys) -> None:
    assert run("run", "--anew", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["findings"], again["opened"]) == (1, 0)
    assert run("list", "--rule", "bulk_export", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["state"], row["simulated"], row["numbers"]) == ("open", True, {"count": 5750})
    number = str(row["id"])
    assert run("list", "--as", logins[Role.PLANNER]) == 3
    assert "may not see reviews" in capsys.readouterr().err
    why = "The register went to the printer in three parts."
    assert run("decide", number, "dismissed", "--reason", why, "--as", logins[Role.HANDLER]) == 3
    capsys.readouterr()
    assert run("decide", number, "dismissed", "--reason", why, "--as", logins[Role.AUDITOR], "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "dismissed"
    assert run("decide", number, "confirmed", "--reason", why, "--as", logins[Role.SUPERVISOR]) == 4
    assert run("show", number) == 0
    told = capsys.readouterr().out
    assert "Was all of it needed?" in told
    assert why in told
    assert told.count("export  component") == 3


@pytest.mark.parametrize("wrong", [["list", "--rule", "x"], ["list", "--state", "x"], ["show", "999999"]])
def test_bad_input_is_a_sentence(logins, capsys, wrong: list[str]) -> None:
    assert run(*wrong) == 2
    assert capsys.readouterr().err.startswith("error: ")
