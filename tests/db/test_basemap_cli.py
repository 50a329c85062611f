"""gridkeeper basemap: add, list, check and remove a map of the city's own, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from app.cli import main
from core.settings import settings
from tests.map_server import MapServer, map_server


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with map_server() as found:
        monkeypatch.setenv("GRIDKEEPER_OUTWARD_HOSTS", found.removeprefix("http://"))
        settings.cache_clear()
        MapServer.asked.clear()
        yield found
    monkeypatch.undo()
    settings.cache_clear()


def test_a_basemap_is_added_checked_listed_and_removed(
    capsys: pytest.CaptureFixture[str], demo_database: object, address: str
) -> None:
    del demo_database

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as done:
            main(["basemap", *arguments])
        told = capsys.readouterr()
        return int(done.value.code or 0), told.out or told.err

    tiles = f"{address}/xyz/{{z}}/{{x}}/{{y}}.png"
    code, out = run("add", "Intranet", "xyz", tiles, "--credit", "The city", "--key", "tk=hidden", "--json")
    assert code == 0, out
    number = str(json.loads(out)["basemap"])
    code, out = run("check", number, "--json")
    assert code == 0, out
    assert json.loads(out)["kind"] == "image/png"
    code, out = run("list", "--json")
    assert "hidden" not in out, "a key is told by no list"
    assert [each["name"] for each in json.loads(out)["basemaps"]] == ["Intranet"]
    wrong = (
        ("add", "Intranet", "xyz", tiles, "--credit", "The city"),
        ("add", "No marks", "xyz", address, "--credit", "The city"),
        ("add", "No credit", "xyz", tiles, "--credit", " "),
        ("add", "Outside", "xyz", "http://169.254.169.254/{z}/{x}/{y}", "--credit", "x"),
        ("add", "Gone", "geotiff", "../../etc/passwd", "--credit", "x"),
        ("check", "999999"),
        ("remove", "999999"),
    )
    for arguments in wrong:
        code, out = run(*arguments)
        assert code not in {0, 70}, arguments
        assert out.startswith("error: "), out
    assert run("remove", number)[0] == 0
    assert json.loads(run("list", "--json")[1])["basemaps"] == []
