"""A small map server of the tests: XYZ, WMTS in degrees and WMS, each pixel coloured by where it lies."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geodata.basemap_grid import HALF_M, WORLD_PX_M

LON, LAT = 116.39, 39.9213
"""The colours are told from here: red is east, green is north, 0.00225 of a degree a step of 100, up and down."""
STEP = 0.00225


def colours(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return what every map of this server shows at a place."""
    out = np.full((*lon.shape, 3), 100, np.uint8)
    for band, degrees in enumerate((lon - LON, lat - LAT)):
        out[..., band] = np.round(np.abs((degrees / STEP * 100 + 128) % 510 - 255))
    return out


def picture(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(colours(*np.meshgrid(lon, lat)), "RGB").save(out, "PNG")
    return out.getvalue()


def mercator_tile(z: int, x: int, y: int) -> bytes:
    pixel, at = WORLD_PX_M / 2**z, np.arange(256) + 0.5
    north = HALF_M - (y * 256 + at) * pixel
    lat = np.degrees(2 * np.arctan(np.exp(north / 6_378_137.0)) - np.pi / 2)
    return picture(np.degrees((-HALF_M + (x * 256 + at) * pixel) / 6_378_137.0), lat)


def degrees_tile(z: int, x: int, y: int) -> bytes:
    pixel, at = 360.0 / 256 / 2**z, np.arange(256) + 0.5
    return picture(-180 + (x * 256 + at) * pixel, 90 - (y * 256 + at) * pixel)


def box_picture(box: list[float], width: int, height: int) -> bytes:
    south, west, north, east = box  # 1.3.0 names latitude first
    across = west + (np.arange(width) + 0.5) / width * (east - west)
    return picture(across, north - (np.arange(height) + 0.5) / height * (north - south))


def wmts_capabilities(port: int, *, crs: str = "urn:ogc:def:crs:EPSG::4490", host: str = "127.0.0.1") -> str:
    metres = 360.0 / 256 * math.pi * 6_378_137.0 / 180.0 / 0.00028
    levels = "".join(
        f"<TileMatrix><ows:Identifier>{z}</ows:Identifier><ScaleDenominator>{metres / 2**z!r}</ScaleDenominator>"
        f"<TopLeftCorner>90.0 -180.0</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight>"
        f"<MatrixWidth>{2**z}</MatrixWidth><MatrixHeight>{max(1, 2 ** (z - 1))}</MatrixHeight></TileMatrix>"
        for z in range(1, 19)
    )
    return f"""<?xml version="1.0"?><Capabilities xmlns="http://www.opengis.net/wmts/1.0"
        xmlns:ows="http://www.opengis.net/ows/1.1" version="1.0.0"><Contents>
        <Layer><ows:Identifier>vec</ows:Identifier><Style><ows:Identifier>default</ows:Identifier></Style>
        <Format>image/png</Format><TileMatrixSetLink><TileMatrixSet>c</TileMatrixSet></TileMatrixSetLink>
        <ResourceURL format="image/png" resourceType="tile"
         template="http://{host}:{port}/wmts/{{TileMatrixSet}}/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.png"/></Layer>
        <TileMatrixSet><ows:Identifier>c</ows:Identifier><ows:SupportedCRS>{crs}</ows:SupportedCRS>{levels}
        </TileMatrixSet></Contents></Capabilities>"""


WMS = """<?xml version="1.0"?><WMS_Capabilities version="1.3.0"><Capability><Request><GetMap><Format>image/png</Format>
    </GetMap></Request><Layer><Title>all</Title><CRS>EPSG:4490</CRS><Layer><Name>base</Name></Layer></Layer></Capability>
    </WMS_Capabilities>"""


class MapServer(BaseHTTPRequestHandler):
    """What is asked stands in ``asked``; ``/elsewhere`` redirects, ``/huge`` never ends, ``/page`` is no picture."""

    asked: list[str] = []  # noqa: RUF012  (one server a test)
    server: ThreadingHTTPServer

    def do_GET(self) -> None:
        self.asked.append(self.path)
        parts = urlsplit(self.path)
        words = parts.path.strip("/").split("/")
        query = {key.upper(): values[0] for key, values in parse_qs(parts.query).items()}
        port = int(self.server.server_address[1])
        if words[0] == "xyz":
            self.say(mercator_tile(int(words[1]), int(words[2]), int(words[3].partition(".")[0])))
        elif words[0] == "wmts" and len(words) == 5:
            self.say(degrees_tile(int(words[2]), int(words[4].partition(".")[0]), int(words[3])))
        elif words[0] == "wmts":
            self.say(wmts_capabilities(port).encode(), "text/xml")
        elif words[0] == "faraway":
            self.say(wmts_capabilities(port, host="10.1.2.3").encode(), "text/xml")
        elif words[0] == "gauss":
            self.say(wmts_capabilities(port, crs="EPSG:4547").encode(), "text/xml")
        elif words[0] == "wms" and query.get("REQUEST") == "GetMap":
            box = [float(each) for each in query["BBOX"].split(",")]
            self.say(box_picture(box, int(query["WIDTH"]), int(query["HEIGHT"])))
        elif words[0] == "wms":
            self.say(WMS.encode(), "text/xml")
        else:
            self.other(words[0])

    def other(self, word: str) -> None:
        if word == "elsewhere":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/xyz/0/0/0.png")
            self.end_headers()
        elif word == "huge":
            self.say(b"\x89PNG\r\n\x1a\n" + bytes(5_000_000))
        elif word == "page":
            self.say(b"<html><script>alert(1)</script></html>")
        elif word == "bomb":
            self.say(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', "text/xml")
        else:
            self.send_error(404)

    def say(self, body: bytes, kind: str = "image/png") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # whoever asked has heard enough
            self.close_connection = True

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def map_server(handler: type[BaseHTTPRequestHandler] = MapServer) -> Iterator[str]:
    """Serve on a port of this machine while the context is open; gives ``http://127.0.0.1:port``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
