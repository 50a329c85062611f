"""The commands of the record, as an auditor and a script use them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.cli import main

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(demo_database: Engine, capsys: pytest.CaptureFixture[str]) -> Command:
    del demo_database

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["record", *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_from_the_seal_to_the_proof(command: Command, tmp_path: Path) -> None:
    assert command("head")[2].startswith("error: Nothing is sealed yet.")
    code, out, _ = command("seal", "--json")
    made = json.loads(out)
    assert (code, made["batches"]) == (0, 1)
    head, keys, file = tmp_path / "head.txt", tmp_path / "keys.txt", tmp_path / "record.jsonl.gz"
    head.write_text(command("head")[1])
    assert head.read_text() == made["head"]
    keys.write_text(command("head", "--key")[1])
    assert json.loads(command("export", str(file), "--json")[1])["records"] == made["records"]

    checks = ("--head", str(head), "--key", str(keys), "--json")
    code, out, _ = command("verify", str(file), *checks)
    answer = json.loads(out)
    assert (code, answer["ok"], answer["records"], answer["first_bad"]) == (0, True, made["records"], None)
    assert answer["head"]["size"] == made["records"]
    assert json.loads(command("verify", "--database", *checks)[1])["ok"]

    plain = gzip.decompress(file.read_bytes()).decode()
    bent = tmp_path / "bent.jsonl"
    bent.write_text(plain.replace("demo", "dema", 1))
    code, out, _ = command("verify", str(bent), *checks)
    answer = json.loads(out)
    assert (code, answer["ok"]) == (1, False)
    assert answer["first_bad"] is not None

    seq = int(json.loads(plain.splitlines()[3])[1][1:].partition(",")[0])
    assert len(json.loads(command("prove", str(seq), "--json")[1])["path"]) >= 5
    assert json.loads(command("prove", "--since", "7", "--json")[1])["since"] == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify",), "Say what to check"),
        (("verify", "no-such-file"), "There is no file"),
        (("verify", "--database", "--head", "no-such-file"), "There is no file"),
        (("verify", "--database", "--key", "no-such-file"), "There is no file"),
        (("prove",), "Say what to prove"),
        (("prove", "999999999"), "sealed"),
    ],
)
def test_bad_input_is_said(command: Command, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_a_file_that_is_no_head(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("nothing\n")
    assert "holds no head" in command("verify", "--database", "--head", str(path))[2]
