"""Data by address: pages of OGC API Features and WFS become one file; what answers otherwise is told in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from core.errors import GridkeeperError, InvalidInput, NotPermitted, SourceUnavailable
from core.identity import Actor, Role
from core.progress import Silent
from geodata import exchange_fetch, sourcing
from geodata.exchange_open import KNOWN, opened
from geodata.outward import Answer

HOST = "https://maps.example"
SUPERVISOR = Actor(None, "s", Role.SUPERVISOR, 1)


def feature(number: int) -> dict[str, object]:
    shape = {"type": "Point", "coordinates": [8.5 + number / 1e4, 47.3]}
    return {"type": "Feature", "id": f"n{number}", "properties": {"kind": "lamp"}, "geometry": shape}


def server(monkeypatch: pytest.MonkeyPatch, *, pages: int = 3, wrong: str = "") -> list[str]:
    asked: list[str] = []

    def fetch(address: str, **_: object) -> Answer:
        asked.append(address)
        parts, given = urlsplit(address), parse_qs(urlsplit(address).query)
        if parts.path.endswith("/lamps"):
            return Answer("application/json", json.dumps({"id": "lamps"}).encode())
        if given.get("request") == ["GetCapabilities"]:
            body = b"<W><FeatureTypeList><FeatureType><Name>city:lamps</Name></FeatureType></FeatureTypeList></W>"
            return Answer("text/xml", body)
        if given.get("request") == ["GetFeature"]:
            start = int(given.get("startIndex", ["0"])[0])
            if wrong == "same":
                start = 0
            told: dict[str, object] = {"features": [feature(n) for n in range(start, min(start + 1000, 2500))]}
            if wrong != "same":
                told["numberMatched"] = 2500
            if wrong == "xml":
                return Answer("text/xml", b"<E><ows:ExceptionText>No such type</ows:ExceptionText></E>")
            return Answer("application/json", json.dumps(told).encode())
        page = int(given.get("page", ["0"])[0])
        links = [{"rel": "next", "href": f"{wrong or HOST}/collections/lamps/items?page={page + 1}"}]
        told = {"features": [feature(page * 10 + n) for n in range(10)], "links": links if page + 1 < pages else []}
        return Answer("application/geo+json", json.dumps(told).encode())

    monkeypatch.setattr(exchange_fetch, "fetch", fetch)
    return asked


def near(address: str, folder: Path, most: int = 1 << 24) -> exchange_fetch.Fetched:
    return exchange_fetch.fetched(address, folder, Silent(), most_bytes=most, endings=KNOWN)


def test_pages_of_features_become_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = server(monkeypatch)
    found = near(f"{HOST}/ogc/collections/lamps/items?f=html&bbox=8,47,9,48", tmp_path)
    assert (found.name, found.rows) == ("lamps", 30)
    assert "bbox=8%2C47%2C9%2C48" in asked[1]
    with opened(found.path) as source:
        assert source.layout.headings == ("id", "kind")
        assert [len(each) for each in source.chunks()] == [30]


def test_a_server_that_leads_elsewhere_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server(monkeypatch, wrong="https://other.example")
    with pytest.raises(GridkeeperError, match="circle or to another server"):
        near(f"{HOST}/collections/lamps", tmp_path)
    server(monkeypatch)
    with pytest.raises(InvalidInput, match="more than is taken at once"):
        near(f"{HOST}/collections/lamps", tmp_path, most=1000)


def test_a_server_that_drips_page_after_page_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server(monkeypatch)
    monkeypatch.setattr(exchange_fetch, "ALL_S", -1.0)
    with pytest.raises(SourceUnavailable, match="takes too long: 10 features"):
        near(f"{HOST}/collections/lamps", tmp_path)


def test_half_a_sign_in_a_page_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = b'{"id": "x", "features": [{"properties": {"name": "a\\ud800"}, "geometry": null}]}'
    monkeypatch.setattr(exchange_fetch, "fetch", lambda *_, **__: Answer("application/json", page))
    found = near(f"{HOST}/collections/lamps", tmp_path)
    assert json.loads(found.path.read_text(encoding="utf-8"))["properties"] == {"name": "a?"}


def test_a_wfs_is_read_page_by_page_and_names_its_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = server(monkeypatch)
    found = near(f"{HOST}/wfs?map=city&typeNames=city:lamps", tmp_path)
    assert found.rows == 2500
    assert len(asked) == 3
    assert all("map=city" in each for each in asked)
    with pytest.raises(InvalidInput, match="names no type.*city:lamps"):
        near(f"{HOST}/wfs?service=WFS", tmp_path)
    server(monkeypatch, wrong="same")
    with pytest.raises(GridkeeperError, match="same page again"):
        near(f"{HOST}/wfs?typeNames=city:lamps", tmp_path)
    server(monkeypatch, wrong="xml")
    with pytest.raises(GridkeeperError, match="No such type"):
        near(f"{HOST}/wfs?typeNames=city:lamp", tmp_path)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("https://maps.example/about", "nothing that is read here"),
        ("https://me:secret@maps.example/collections/lamps", "login in it"),
        ("lamps", "neither an address nor a table"),
        ("warehouse/public.lamps", "no database called 'warehouse'"),
    ],
)
def test_what_cannot_be_asked_is_told(tmp_path: Path, address: str, sentence: str) -> None:
    with pytest.raises(GridkeeperError, match=sentence):
        sourcing.near(SUPERVISOR, address, tmp_path)


def test_a_department_asks_named_hosts_only(tmp_path: Path) -> None:
    clerk = Actor(None, "clerk", Role.HANDLER, 1, unit_ids=(1,))
    with pytest.raises(NotPermitted, match="platform's keeper"):
        sourcing.near(clerk, f"{HOST}/collections/lamps", tmp_path)
    with pytest.raises(NotPermitted):
        sourcing.near(clerk, "warehouse/public.lamps", tmp_path)
