"""The commands of the staff list."""

from __future__ import annotations

import json

import pytest

from app.cli import main


@pytest.fixture
def command(demo_database, capsys):
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["worker", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def told(command):
    def run(*arguments: object) -> dict:
        code, out, err = command(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return run


def test_a_worker_is_added_changed_away_and_gone(told, command):
    added = told(
        "add", "--name", "王小明", "--unit", "pg", "--phone", "139 0013 8000", "--skill", "lamps", "--skill", "climbing"
    )
    code = added["code"]
    assert (added["unit"], added["grid"], added["skills"]) == ("PG", None, ["climbing", "lamps"])
    assert told("list", "--find", "13900138000")["workers"][0]["code"] == code
    assert told("list", "--state", "no_grid")["count"] == 1
    grid = next(row["grid"] for row in told("list")["workers"] if row["grid"])
    changed = told("change", code, "--grid", grid, "--language", "zh", "--version", 1)
    assert (changed["grid"], changed["language"], changed["version"], changed["changed"]) == (grid, "zh", 2, True)
    assert not told("change", code, "--grid", grid)["changed"]
    away = told("absence", "add", code, "--from", "2030-03-02", "--to", "2030-03-06", "--deputy", "W001")
    assert told("absence", "end", away["id"], "--back-on", "2030-03-04")["to"] == "2030-03-03"
    assert told("show", code)["absences"][0]["deputy"] == "W001"
    assert told("absence", "end", away["id"], "--back-on", "2030-03-02")["taken_back"]
    first = told("change", code, "--first-day", "2025-01-01")
    gone = told("end", code, "--on", "2025-06-30", "--version", first["version"])
    assert (gone["state"], gone["employed_to"]) == ("left", "2025-06-30")
    assert told("list", "--find", code)["count"] == 0
    erased = told("erase", code, "--purpose", "request", "--reference", "7/2026", "--yes")
    assert (erased["name"], erased["person"]) == (None, "erased")
    assert told("show", code)["phone"] is None


def test_a_list_goes_out_and_comes_in_without_effect(told, command, tmp_path):
    for name in ("staff.xlsx", "staff.csv"):
        path = tmp_path / name
        assert told("export", path, "--chinese")["workers"] > 0
        assert path.stat().st_mode & 0o077 == 0
        assert "is there already" in command("export", path)[2]
        counts = told("import", path)
        assert counts["unchanged"] > 0
        assert (counts["new"], counts["changed"], counts["refused"]) == (0, 0, 0)
    form = tmp_path / "form.csv"
    told("export", form, "--empty")
    form.write_text(form.read_text(encoding="utf-8-sig") + "N1,Ann,PG\nN2,Ben,Nowhere\n", encoding="utf-8")
    assert told("import", form, "--dry-run")["new"] == 1
    code, out, _ = command("import", form)
    assert code == 0
    assert "row 3, unit: there is no unit Nowhere" in out
    assert told("import", form)["unchanged"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "W999"), 2, "no worker W999"),
        (("add", "--name", "x", "--unit", "NO"), 2, "no unit 'NO'"),
        (("add", "W001", "--name", "x", "--unit", "PG"), 2, "W001 is taken"),
        (("add", "--name", "x", "--unit", "PG", "--grid", "NO"), 2, "no responsibility grid 'NO'"),
        (("list", "--state", "asleep"), 2, "no state 'asleep'"),
        (("absence", "add", "W001", "--from", "soon"), 2, "no date"),
        (("absence", "add", "W001", "--from", "2030-01-02", "--to", "2030-01-01"), 2, "before the first"),
        (("absence", "add", "W001", "--from", "2030-01-02", "--deputy", "W001"), 2, "A deputy is somebody else"),
        (("absence", "end", "999999"), 2, "no such absence"),
        (("change", "W001", "--phone", "x"), 2, "cannot be a phone number"),
        (("change", "W001", "--version", "99", "--language", "zh"), 4, "changed meanwhile"),
        (("import", "nowhere.csv"), 2, "There is no file"),
        (("export", "staff.pdf"), 2, "neither .xlsx nor .csv"),
        (("erase", "W001", "--purpose", "left", "--yes"), 2, "cannot be erased"),
        (("add", "--name", "x", "--unit", "PG", "--as", "dispatcher@tiny-town"), 3, "may not manage workers"),
    ],
)
def test_bad_input_is_a_sentence(command, arguments, code, said):
    found, _, err = command(*arguments)
    assert (found, said in err) == (code, True), err
    assert "Traceback" not in err
