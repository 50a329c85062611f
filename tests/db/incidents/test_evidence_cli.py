"""Evidence on the command line: add, note, list, show, blur; with JSON, and refusals by exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from app.cli import main
from core.identity import system_actor
from geodata import db
from incidents.evidence import stored
from tests.photos import as_bytes, street

HANDLED = (
    "SELECT i.number FROM incident AS i JOIN task AS t ON t.incident_id = i.id JOIN app_user AS u ON"
    " u.login = 'handler@tiny-town' JOIN user_role AS r ON r.user_id = u.id AND r.role = 'handler'"
    " WHERE t.kind = 'handle' AND t.unit_id = ANY (r.unit_ids) AND i.unit_id = t.unit_id"
    " AND i.status IN ('dispatched', 'handling') ORDER BY i.id LIMIT 1"
)


@pytest.fixture
def say(demo_database, capsys):
    def run(*words: str) -> tuple[int, dict[str, object], str]:
        with pytest.raises(SystemExit) as ended:
            main(["incident", "evidence", *words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(out) if out.startswith("{") else {"text": out}, err

    return run


def test_the_round(say, tmp_path: Path) -> None:
    with db.transaction(system_actor()) as session:
        number = session.execute(text(HANDLED)).scalar_one()
    photo = tmp_path / "IMG 1.png"
    photo.write_bytes(as_bytes(street(8), "PNG"))
    handler = ("--as", "handler@tiny-town", "--json")
    code, added, _ = say("add", number, str(photo), "--kind", "before", "--blur", "L9", *handler)
    assert (code, added["kind"], added["taken_as"]) == (0, "before", "handler")
    code, _, err = say("add", number, str(photo), *handler)
    assert (code, "this very photo" in err) == (4, True)
    code, _, err = say("note", number, "Behind the shed", *handler)
    assert code == 0
    code, listed, _ = say("list", number, *handler)
    assert code == 0
    told = {each["kind"]: each for each in listed["evidence"]}  # type: ignore[attr-defined]
    assert told["place"]["note"] == "Behind the shed"
    assert told["before"]["sha256"] == added["sha256"]
    code, plain, _ = say("list", number)
    assert "before" in str(plain["text"])
    copies = {}
    for who, given in (("handler", handler), ("supervisor", ("--as", "supervisor@tiny-town", "--json"))):
        out = tmp_path / f"{who}.jpg"
        code, shown, _ = say("show", str(added["id"]), "--out", str(out), *given)
        assert code == 0
        copies[who] = shown["copy"]
        assert stored(out.read_bytes()).size == (640, 480)
        assert say("show", str(added["id"]), "--out", str(out), *given)[0] == 2, "never written over"
    assert copies == {"handler": "original", "supervisor": "blurred"}
    code, more, _ = say("blur", str(added["id"]), "A1-B2", "--as", "supervisor@tiny-town", "--json")
    assert (code, more["version"]) == (0, 2)


@pytest.mark.parametrize("words", [("add", "1", "/nowhere/x.jpg"), ("show", "999999999"), ("blur", "999999999", "A1")])
def test_bad_input_is_a_sentence(say, words: tuple[str, ...]) -> None:
    code, _, err = say(*words)
    assert code in {2, 5}
    assert err.startswith("error: ")
    assert "Traceback" not in err


def test_what_is_no_photo_is_refused(say, tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(b"<html></html>")
    code, _, err = say("add", "1", str(path))
    assert (code, "no photo that can be read" in err) == (2, True)
