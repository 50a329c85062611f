"""The OGC API read by the clients that others use: GDAL's driver and owslib, over a real socket, with a token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from owslib.ogcapi.features import Features
from sqlalchemy import text
from starlette.applications import Starlette

from app import bearer, routes
from core.identity import Actor, Role
from geodata.catalogue_builtin import builtin
from geodata.db import transaction
from people import tokens
from tests.serving import free_port


@dataclass(frozen=True)
class Interface:
    address: str
    secret: str
    incidents: int
    closed: list[str]


@pytest.fixture(scope="module")
def interface(actors: dict[Role, Actor]) -> Iterator[Interface]:
    """The platform's routes behind its gate on a port of this machine, and a dispatcher's token."""
    actor = actors[Role.DISPATCHER]
    with transaction(actor) as session:
        secret = tokens.issue(session, actor, name="GDAL").secret
        incidents = session.scalar(text("SELECT count(*) FROM incident"))
        closed = session.scalars(text("SELECT number FROM incident WHERE status = 'closed' AND priority < 3")).all()
    app = Starlette(routes=routes.routes, middleware=routes.middleware)
    app.exception_handlers = {k: v for k, v in routes.exception_handlers.items() if k is not Exception}
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 90
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    bearer.forget()
    yield Interface(f"http://127.0.0.1:{port}/ogc", secret, int(incidents or 0), sorted(closed))
    server.should_exit = True
    thread.join(30)


READ = """
import json, sys
import pyogrio

address, secret = sys.argv[1:]
if "OAPIF" not in pyogrio.list_drivers():
    print("null")
    sys.exit()
told = {"closed": False}
try:
    pyogrio.list_layers("OAPIF:" + address)
except pyogrio.errors.DataSourceError:
    told["closed"] = True
pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": secret})
gdal = "OAPIF:" + address
told["layers"] = sorted(name for name, _ in pyogrio.list_layers(gdal))
info = pyogrio.read_info(gdal, layer="incidents", force_feature_count=True)
told["counted"], told["kind"] = info["features"], info["geometry_type"]
frame = pyogrio.read_dataframe(gdal, layer="incidents")
told["rows"], told["numbers"] = len(frame), int(frame["number"].nunique())
told["bounds"] = list(frame.total_bounds)
west, south, east, north = frame.total_bounds
box = (west, south, (west + east) / 2, north)
told["boxed"] = len(pyogrio.read_dataframe(gdal, layer="incidents", bbox=box))
told["inside"] = int((frame.geometry.x <= box[2]).sum())
closed = pyogrio.read_dataframe(gdal, layer="incidents", where="status = 'closed' AND priority < 3")
told["filtered"] = sorted(closed["number"])
grids = pyogrio.read_dataframe(gdal, layer="unit-grids")
told["grids"], told["valid"] = sorted(set(grids.geom_type)), bool(grids.is_valid.all())
print(json.dumps(told))
"""
"""In a process of its own: inside the platform GDAL opens nothing over the network."""


def gdal_environment() -> dict[str, str]:
    """What a GDAL outside the platform is started with: its drivers as they are, and no proxy in between."""
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    clean.pop("GDAL_SKIP", None)
    return clean


def test_gdal_lists_and_reads_the_collections(interface: Interface) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ, interface.address, interface.secret],
        env=gdal_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    if told is None:
        pytest.skip("this GDAL has no driver for OGC API – Features")
    assert told["closed"], "it read without a token"
    assert told["layers"] == sorted(key for key in builtin() if key != "planning-layers")
    # Several pages, each found by the link of the one before.
    assert told["counted"] == told["rows"] == told["numbers"] == interface.incidents
    assert told["kind"] == "Point"
    west, south, east, north = told["bounds"]
    assert -1.4 < west < east < -1.2
    assert 50.6 < south < north < 50.8
    assert 0 < told["boxed"] == told["inside"] < interface.incidents
    assert told["filtered"] == interface.closed
    assert told["grids"] == ["Polygon"]
    assert told["valid"]


def test_owslib_reads_the_collections(interface: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = Features(interface.address, headers={"Authorization": f"Bearer {interface.secret}"})
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in client.conformance()["conformsTo"]
    assert client.api()["openapi"].startswith("3.0")
    assert set(client.feature_collections()) == set(builtin()) - {"planning-layers"}
    assert client.collection("streets")["storageCrs"].endswith("CRS84")
    assert "limit_kmh" in client.collection_queryables("streets")["properties"]
    page = client.collection_items("facilities", limit=5)
    assert page["numberReturned"] == len(page["features"]) == 5
    one = client.collection_item("facilities", page["features"][0]["id"])
    assert one["properties"] == page["features"][0]["properties"]
    few = client.collection_items("incidents", limit=3, status="closed", datetime="2000-01-01/..")
    assert {each["properties"]["status"] for each in few["features"]} == {"closed"}
