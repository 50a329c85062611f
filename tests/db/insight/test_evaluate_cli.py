"""`gridkeeper evaluate`: rows a script can read, and sentences for what cannot be."""

from __future__ import annotations

import json

import pytest

from app.cli import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *arguments])
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
