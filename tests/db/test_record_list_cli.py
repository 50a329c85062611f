"""The command that lists the record."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from app.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["record", "list", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_pages_go_on_where_the_last_ended(demo_database: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    del demo_database
    code, out, err = run(capsys, "--limit", "1000", "--json")
    assert (code, err) == (0, "")
    whole = json.loads(out)["rows"]
    first = json.loads(run(capsys, "--limit", "2", "--json")[1])
    second = json.loads(run(capsys, "--limit", "2", "--before", str(first["after"]), "--json")[1])
    assert [row["seq"] for row in first["rows"] + second["rows"]] == [row["seq"] for row in whole[:4]]
    assert json.loads(run(capsys, "--action", "bulk_insert", "--table", "incident", "--json")[1])["rows"]
    assert json.loads(run(capsys, "--from", "1999-01-01", "--to", "1999-01-02", "--json")[1])["rows"] == []
    code, out, _ = run(capsys, "--limit", "1")
    assert code == 0
    assert "Go on with --before" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2026-02-30"), "is no day"),
        (("--find", "nobody knows"), "Nothing here is called"),
        (("--grid", "x"), "There is no unit grid"),
        (("--territory", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_is_said(
    demo_database: Engine, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    del demo_database
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err
