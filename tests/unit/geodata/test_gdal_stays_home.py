"""A file that names an address makes GDAL ask nobody, whatever the machine reaches without its proxy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from tests.conftest import ROOT

READ = "import geodata, pyogrio, sys; print(pyogrio.read_info(sys.argv[1])['features'])"


def test_the_address_of_a_coordinate_system_is_not_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listens(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (called so by the class above)
            pass

    place = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    path = tmp_path / "linked.geojson"
    with HTTPServer(("127.0.0.1", 0), Listens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        href = f"http://127.0.0.1:{server.server_port}/crs"
        link = {"type": "link", "properties": {"href": href, "type": "ogcwkt"}}
        path.write_text(json.dumps({"type": "FeatureCollection", "crs": link, "features": [place]}))
        environment = os.environ | {"NO_PROXY": "*", "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", READ, str(path)],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        server.shutdown()
    assert done.stdout.strip() == "1", done.stderr
    assert asked == []
