"""`gridkeeper evaluate`: rows a script can read, and sentences for what cannot be."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from app.cli import main
from core.identity import Role, system_actor
from geodata import db
from people import accounts


def run(*arguments: str, command: tuple[str, ...] = ("evaluate",)) -> int:
    with pytest.raises(SystemExit) as ended:
        main([*command, *arguments])
    return int(ended.value.code or 0)


def test_rows_have_what_was_promised(demo_database, capsys) -> None:
    assert run("--subject", "department", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert {"subject", "indicator", "numerator", "denominator", "rate", "low", "high"} <= set(first["rows"][0])
    assert {row["subject"] for row in first["rows"]} == {"department"}
    assert run("--subject", "department", "--anew", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["rows"] == first["rows"], "folding all of it again gives the same numbers"
    assert again["folded"] > 1000
    assert run("--subject", "all", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row for row in rows if row["subject"] == "department"] == first["rows"]
    assert {row["subject"] for row in rows} == {"department", "community", "class", "post"}


def test_in_words(demo_database, capsys) -> None:
    assert run("--subject", "community", "--indicator", "closing", "--from", "2020-01-01", "--to", "2020-12-31") == 0
    assert capsys.readouterr().out == ""
    assert run("--subject", "community", "--indicator", "closing") == 0
    assert "rank 1 to 2 of 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", [["--subject", "worker"], ["--from", "yesterday"], ["--indicator", "x"], ["--as", "nobody-here"]]
)
def test_bad_input_is_a_sentence(demo_database, capsys, wrong: list[str]) -> None:
    assert run(*wrong) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_an_appeal_from_the_report_to_the_decision(demo_database, capsys) -> None:
    with db.transaction(system_actor()) as session:
        logins = {each.role: each.login for each in accounts.demo_accounts(session)}
        units = next(each for each in accounts.demo_accounts(session) if each.role is Role.HANDLER).unit_ids
        number, incident = session.execute(
            text(
                "UPDATE incident SET closed_at = now() - interval '1 hour', due_at = now() - interval '2 hours',"
                " closed_by = NULL, dispatched_by = NULL, source = 'hotline' WHERE id = (SELECT min(id) FROM incident"
                " WHERE status = 'closed' AND unit_id = ANY (:units)) RETURNING number, id"
            ),
            {"units": list(units)},
        ).one()

    def told(*arguments: str) -> dict[str, object]:
        assert run(*arguments, "--json", command=()) == 0
        return dict(json.loads(capsys.readouterr().out))

    chief, handler = logins[Role.SUPERVISOR], logins[Role.HANDLER]
    given = ("--effect", "in_time", "--ground", "weather", "--evidence", "The street was flooded")
    made = told("appeal", "file", number, "--as", handler, *given)
    assert (made["state"], made["incident_id"], made["signature_holds"]) == ("waiting", incident, False)
    assert [row["id"] for row in told("appeal", "list", "--state", "waiting")["appeals"]] == [made["id"]]
    assert run("appeal", "decide", str(made["id"]), "--as", handler, "--grant", "--reason", "x", command=()) == 3
    assert "supervisor decides" in capsys.readouterr().err
    done = told("appeal", "decide", str(made["id"]), "--as", chief, "--grant", "--reason", "It was flooded")
    assert (done["state"], done["signature_holds"]) == ("granted", True)
    rows = told("evaluate", "--indicator", "closing_on_time")["rows"]
    changed = [row for row in rows if row["numerator"] != row["before_numerator"]]
    assert [row["numerator"] - row["before_numerator"] for row in changed] == [1]
    word = told("incident", "word", number, "--as", chief, "--solved", "--satisfied", "5")
    assert (word["solved"], word["satisfied"]) == (True, 5)
