"""Rules from the command line: proposed from a file by one account, approved by another, refused in sentences."""

from __future__ import annotations

import json

import pytest

from app.cli import main

KEY = "event-02-01|handle|"


@pytest.fixture(scope="module")
def office(demo_database) -> None:
    del demo_database


@pytest.fixture
def command(office, capsys):
    del office

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["rules", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def write(tmp_path):
    def file(content: object, name: str = "change.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return file


def test_the_round_of_a_change(command, write):
    file = write(
        {"limits": {KEY: {"value": 4}}, "calendars": {"office-gb": {"days": {"2026-06-05": {"name": "Fair"}}}}}
    )
    code, out, _ = command("check", file, "--json")
    assert (code, json.loads(out)["ok"], len(json.loads(out)["changes"])) == (0, True, 2)
    asked = ("propose", file, "--as", "administrator@tiny-town", "--reason", "Posters go faster", "--json")
    code, out, _ = command(*asked)
    made = json.loads(out)
    assert (code, made["state"], made["moved"]) == (0, "proposed", [])
    assert made["changes"][0] == "Illegal posters: handle: limit 10 working days → 4 working days"
    number = str(made["id"])
    code, _, err = command("approve", number, "--as", "administrator@tiny-town")
    assert (code, "administrator" in err) == (3, True)
    assert "proposed" in command("list")[1]
    code, out, _ = command("approve", number, "--as", "supervisor@tiny-town", "--note", "Fine", "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["note"]) == (0, "approved", "Fine")
    assert "4 working days (version 2)" in command("list", "limits")[1]
    assert json.loads(command("list", "limits", "--json")[1])["limits"][KEY]["value"] == 4
    code, _, err = command("approve", number, "--as", "supervisor@tiny-town")
    assert (code, "approved meanwhile" in err) == (4, True)
    assert "Illegal posters" in command("show", number)[1]
    assert "2026-06-05,holiday,Fair" in command("export", "--calendar", "office-gb")[1]


def test_one_account_is_not_two_persons(command, write):
    file = write({"limits": {"event-05-01|handle|": {"value": 3}}})
    made = json.loads(command("propose", file, "--as", "supervisor@tiny-town", "--json")[1])
    code, _, err = command("approve", made["id"], "--as", "supervisor@tiny-town")
    assert code == 3
    assert "Who proposes a change does not decide it. Ask another supervisor." in err
    assert command("reject", made["id"], "--as", "supervisor@tiny-town", "--note", "no")[0] == 3
    assert command("withdraw", made["id"], "--as", "supervisor@tiny-town")[0] == 0
    assert "withdrawn" in command("list", "--state", "withdrawn")[1]


def test_an_export_comes_back_unchanged(command, tmp_path):
    path = tmp_path / "rules.json"
    assert command("export", path)[0] == 0
    code, out, _ = command("check", path)
    assert (code, out.strip()) == (0, "nothing would change, nothing is wrong")
    assert command("check")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "content", "expected"),
    [
        (("propose",), '{"limits": {"event-02-01|handle|": {"value": -1}}}', "above 0"),
        (("propose",), "{}", "Nothing would change"),
        (("propose",), "no json", "no JSON"),
        (("propose",), '{"limits": {"event-77-01|handle|": null}}', "could end"),
        (("propose", "--from", "soon"), '{"limits": {"event-02-01|handle|": {"value": 9}}}', "no day"),
        (("propose", "--from", "2001-01-01"), '{"limits": {"event-02-01|handle|": {"value": 9}}}', "from today"),
    ],
)
def test_bad_input_ends_with_two_and_a_sentence(command, write, arguments, content, expected):
    first, *more = arguments
    code, _, err = command(first, write(content), *more, "--as", "administrator@tiny-town")
    assert code == 2
    assert expected in err
    assert "Traceback" not in err


def test_more_bad_input(command, write, tmp_path):
    somebody = ("--as", "administrator@tiny-town")
    assert command("check", write('{"limits": {"event-02-01|handle|": {"unit": "weeks"}}}'))[0] == 2
    assert "cannot be read" in command("propose", tmp_path / "none.json", *somebody)[2]
    assert "of no kind of rules" in command("propose", write("a,b\n1,2\n", "a.csv"), *somebody)[2]
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in command("propose", tmp_path / "latin.json", *somebody)[2]
    assert "no list" in command("list", "wishes")[2]
    assert "no state" in command("list", "--state", "lost")[2]
    assert "no change 4711" in command("show", "4711")[2]
    assert "no calendar" in command("export", "--calendar", "office-mars")[2]
    assert command("approve", "1", "--as", "nobody")[0] == 2
    assert command("export", tmp_path)[0] == 2
