"""The command line of incidents: the whole round with JSON, and refusals by exit code."""

from __future__ import annotations

import json

import pytest

from app.cli import main
from core.identity import Role, system_actor
from geodata import db
from incidents.service import list_incidents
from people import accounts


@pytest.fixture
def say(demo_database, capsys):
    def run(*words: str) -> tuple[int, dict[str, object], str]:
        with pytest.raises(SystemExit) as ended:
            main(["incident", *words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(out) if out.startswith("{") else {"text": out}, err

    return run


@pytest.fixture
def point(demo_database) -> tuple[str, str]:
    with db.transaction(system_actor()) as session:
        supervisor = next(each for each in accounts.demo_accounts(session) if each.role is Role.SUPERVISOR).actor()
        db.as_actor(session, supervisor)
        row = list_incidents(session, supervisor, limit=1).rows[0]
    return str(row.lon), str(row.lat)


def test_the_whole_round(say, point) -> None:
    lon, lat = point
    logins = {role: f"{role}@tiny-town" for role in ("dispatcher", "supervisor", "worker")}
    code, filed, _ = say(
        "file", "--class", "Gas leak", "--lon", lon, "--lat", lat, "--text", "Smell of gas", "--phone", "555 123456",
        "--as", logins["supervisor"], "--json",
    )  # fmt: skip
    assert (code, filed["status"], filed["unit"], filed["version"]) == (0, "filed", "Gas Company", 1)
    number = str(filed["number"])
    assert filed["due_at"]
    code, given, _ = say("assign", number, "--worker", "W001", "--version", "1", "--as", logins["dispatcher"], "--json")
    assert (code, given["status"], given["worker"]) == (0, "dispatched", "W001")
    code, _, err = say("assign", number, "--worker", "W002", "--version", "1", "--as", logins["dispatcher"], "--json")
    assert code == 4
    assert "worker: nobody → W001" in err
    code, done, _ = say("move", number, "finish", "--as", logins["worker"], "--json")
    assert (code, done["status"]) == (0, "checking")
    code, _, err = say("move", number, "close", "--as", logins["dispatcher"], "--json")
    assert code == 3
    assert "who dispatches never closes" in err
    code, closed, _ = say("move", number, "close", "--as", logins["supervisor"], "--json")
    assert (code, closed["status"]) == (0, "closed")
    code, listed, _ = say("list", "--text", number, "--json")
    assert (listed["count"], listed["incidents"][0]["status"]) == (1, "closed")


def test_an_address_stands_for_a_point(say) -> None:
    code, filed, _ = say("file", "--class", "event-01-02", "--address", "5 High Street, Westside", "--json")
    assert (code, filed["community"], filed["place"]) == (0, "Westside", "5 High Street, Westside")
    code, _, err = say("file", "--class", "event-01-02", "--address", "High Street")
    assert code == 2
    assert "can be several places: High Street, Eastside" in err
    code, _, err = say("file", "--class", "event-01-02", "--address", "Hihg Street, Westside")
    assert code == 2
    assert "Did you mean: High Street" in err
    code, _, err = say("file", "--class", "event-01-02", "--address", "Nowhere at all")
    assert code == 2
    assert "Nothing in Tiny Town is called" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("file", "--class", "event-01-02"), "Where is it?"),
        (("file", "--class", "nonsense", "--lon", "-1.295", "--lat", "50.692"), "no class"),
        (("file", "--class", "event-01-02", "--lon", "10", "--lat", "50"), "no unit grid"),
        (("move", "TT-2026-000001-A", "close"), "mistyped"),
        (("move", "999999999", "close"), "no such incident"),
        (("move", "1", "explode"), "no act"),
        (("show", "999999999"), "no such incident"),
        (("show", "TT-2026-000001-A"), "mistyped"),
        (("show", "lost"), "lost"),
        (("list", "--status", "lost"), "no status"),
        (("list", "--as", "nobody"), "no account"),
        (("list", "--queue", "lost"), "no queue"),
        (("list", "--used", "70"), "not at 70"),
        (("assign", "1", "--worker", "W999"), "no worker"),
        (("assign", "1", "--worker", "W001", "--unit", "XX"), "no unit"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_two(say, words: tuple[str, ...], says: str) -> None:
    code, _, err = say(*words)
    assert code == 2
    assert says in err
    assert "Traceback" not in err


def test_the_list_reads_as_lines(say) -> None:
    code, told, _ = say("list", "--status", "open", "--limit", "2")
    assert code == 0
    assert str(told["text"]).count("\n") == 3


@pytest.mark.parametrize("words", [("--queue", "late"), ("--queue", "postponed"), ("--used", "80")])
def test_the_list_of_a_queue_and_of_what_used_its_time(say, words) -> None:
    code, told, _ = say("list", *words, "--json")
    assert code == 0
    assert told["count"] >= len(told["incidents"])
    assert words[1] != "postponed" or told["count"] == 0


def test_one_incident_is_told_whole_and_without_a_personal_field(say, point) -> None:
    lon, lat = point
    _, filed, _ = say(
        "file", "--class", "Gas leak", "--lon", lon, "--lat", lat, "--text", "Smell of gas at Ann Other's",
        "--name", "Ann Other", "--phone", "555 123456", "--as", "supervisor@tiny-town", "--json",
    )  # fmt: skip
    number = str(filed["number"])
    say("assign", number, "--worker", "W001", "--as", "dispatcher@tiny-town", "--json")
    code, shown, _ = say("show", number, "--as", "dispatcher@tiny-town", "--json")
    assert (code, shown["number"], shown["status"], shown["worker"]) == (0, number, "dispatched", "W001")
    assert [(task["kind"], task["worker"]) for task in shown["tasks"]] == [("handle", "W001")]
    assert "handle" in [stage["stage"] for stage in shown["stages"]]
    assert "recall" in shown["acts"] or "reassign" in shown["acts"]
    assert "close" not in shown["acts"], "who dispatches never closes"
    assert (shown["evidence"], shown["duplicate_of"], shown["duplicates"]) == (0, None, [])
    assert not [word for word in ("Ann", "Smell", "555", "cipher") if word in json.dumps(shown)]
    code, by_id, _ = say("show", str(filed["id"]), "--json")
    assert (code, by_id["number"]) == (0, number)
    code, told, _ = say("show", number)
    assert code == 0
    assert "stage  handle" in str(told["text"])
