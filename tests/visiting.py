"""A program that visits a served platform as a browser does: logs in, opens the page's websocket, asks for tiles."""

from __future__ import annotations

import contextlib
import math
import re
import ssl
from collections.abc import Iterator

import httpx
from sqlalchemy import text
from websockets.sync.client import ClientConnection, connect

from app import cookie
from core.identity import system_actor
from geodata.db import transaction
from tests.serving import ANSWER_WITHIN_S

ZOOM = 14


def enter(client: httpx.Client, address: str, role: str) -> httpx.Response:
    """Log in by the demo card of a role, as a form of our own page does."""
    page = client.get("/login?lang=en").text
    demo = re.search(rf'name="demo" value="({role}[^"]*)"', page)
    assert demo, page[:2000]
    return client.post("/login", data={"demo": demo[1]}, headers={"origin": address})


def tile_address() -> str:
    """The address of a tile in the middle of the only territory."""
    with transaction(system_actor()) as session:
        found = text("SELECT id, ST_X(c), ST_Y(c) FROM (SELECT id, ST_Centroid(boundary) AS c FROM territory) AS t")
        territory, lon, lat = session.execute(found).one()
    x = int((lon + 180) / 360 * 2**ZOOM)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**ZOOM)
    return f"/tiles/{territory}/grids/{ZOOM}/{x}/{y}.mvt"


@contextlib.contextmanager
def websocket(
    client: httpx.Client, address: str, *, trusted: ssl.SSLContext | bool = True, origin: str | None = None
) -> Iterator[ClientConnection]:
    """The websocket of the pages, opened with the cookie of a client that has entered."""
    crumb = f"{cookie.name()}={client.cookies[cookie.name()]}"
    with connect(
        address.replace("http", "ws", 1) + "/_stcore/stream",
        ssl=trusted if isinstance(trusted, ssl.SSLContext) else None,
        origin=origin or address,  # type: ignore[arg-type]
        additional_headers={"Cookie": crumb},
        subprotocols=["streamlit"],  # type: ignore[list-item]
        open_timeout=ANSWER_WITHIN_S,
    ) as opened:
        yield opened


def draw(opened: ClientConnection) -> bytes:
    """What the page answers first to the wish to be drawn."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ClientState_pb2 import ClientState

    opened.send(BackMsg(rerun_script=ClientState()).SerializeToString())
    answer = opened.recv(timeout=ANSWER_WITHIN_S)
    assert isinstance(answer, bytes)
    return answer
