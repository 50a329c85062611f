from __future__ import annotations

import json
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import osmnx
import pytest

from core.errors import InvalidInput, NotFound, SourceUnavailable
from core.identity import system_actor
from core.settings import settings
from geodata.osm import load_osm_as_territory
from geodata.osm_place import fetch_place
from tests import osm_city

RING = [
    [osm_city.WEST, osm_city.SOUTH],
    [osm_city.EAST, osm_city.SOUTH],
    [osm_city.EAST, osm_city.NORTH],
    [osm_city.WEST, osm_city.NORTH],
]


def found(name: str) -> list[dict[str, Any]]:
    """What Nominatim answers."""
    shapes = {
        "Smalltown": {"type": "Polygon", "coordinates": [[*RING, RING[0]]]},
        "Signpost": {"type": "Point", "coordinates": RING[0]},
    }
    if name not in shapes:
        return []
    box = [str(value) for value in (osm_city.SOUTH, osm_city.NORTH, osm_city.WEST, osm_city.EAST)]
    common = {"place_id": 1, "osm_type": "relation", "osm_id": 310, "lat": "50", "lon": "10", "class": "boundary"}
    return [
        common
        | {
            "type": "administrative",
            "importance": 0.5,
            "display_name": name,
            "name": name,
            "boundingbox": box,
            "geojson": shapes[name],
        }
    ]


def inside(query: str) -> list[osm_city.Element]:
    """What Overpass answers: the objects with one of the keys asked for, and all they refer to."""
    keys = set(re.findall(r"(?:node|way|relation)\['([\w:]+)'", query)) or {"highway"}
    known = {(element["type"], element["id"]): element for element in osm_city.city()}
    wanted = [key for key, element in known.items() if keys & set(element["tags"])]
    if "['highway']" in query or '["highway"]' in query:
        wanted = [key for key, element in known.items() if key[0] == "way" and "highway" in element["tags"]]
    answer: dict[tuple[str, int], osm_city.Element] = {}
    while wanted:
        key = wanted.pop()
        if key in answer or key not in known:
            continue
        answer[key] = known[key]
        wanted += [("node", ref) for ref in known[key].get("nodes", ())]
        wanted += [(member["type"], member["ref"]) for member in known[key].get("members", ())]
    return list(answer.values())


class Handler(BaseHTTPRequestHandler):
    """Nominatim and Overpass of the hand-made city."""

    queries: list[str]

    def do_GET(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self._answer(found(query["q"][0]))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = urllib.parse.parse_qs(body)["data"][0]
        self.queries.append(query)
        self._answer({"version": 0.6, "elements": inside(query)})

    def _answer(self, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Be silent."""


@pytest.fixture
def servers(monkeypatch):
    """The local servers, and the queries they got."""
    Handler.queries = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("GRIDKEEPER_OVERPASS_URL", f"{address}/api")
    monkeypatch.setenv("GRIDKEEPER_NOMINATIM_URL", address)
    settings.cache_clear()
    yield Handler.queries
    server.shutdown()
    server.server_close()
    monkeypatch.undo()
    settings.cache_clear()


def test_a_place_by_name_is_loaded_like_a_file(session, servers):
    before = osmnx.settings.overpass_url, osmnx.settings.cache_folder, osmnx.settings.cache_only_mode
    place = fetch_place("Smalltown")
    assert place.title == "Smalltown"
    assert place.boundary.bounds == pytest.approx((osm_city.WEST, osm_city.SOUTH, osm_city.EAST, osm_city.NORTH))
    assert len(servers) == 2
    assert (osmnx.settings.overpass_url, osmnx.settings.cache_folder, osmnx.settings.cache_only_mode) == before

    territory, counts = load_osm_as_territory(session, system_actor(), "smalltown", place.path, boundary=place.boundary)
    assert counts.roads == osm_city.STRETCHES
    assert counts.facilities == 3
    assert counts.buildings == 4
    assert counts.communities == 2
    assert territory.metric_srid == 32632


def test_unknown_place(servers):
    with pytest.raises(NotFound, match="Atlantis"):
        fetch_place("Atlantis")


def test_place_without_boundary(servers):
    with pytest.raises(InvalidInput, match="only as a point"):
        fetch_place("Signpost")


def test_servers_out_of_reach(monkeypatch):
    monkeypatch.setenv("GRIDKEEPER_NOMINATIM_URL", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(SourceUnavailable, match="cannot be reached") as caught:
        fetch_place("Smalltown")
    assert "load osm FILE" in caught.value.hint
    monkeypatch.undo()
    settings.cache_clear()
