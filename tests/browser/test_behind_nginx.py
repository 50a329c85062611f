"""Behind Debian's nginx with docs/nginx.conf: log-in, page, websocket, tiles and a big upload; strangers refused."""

from __future__ import annotations

import contextlib
import os
import pwd
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus

from app import cookie
from geodata.embedded import Cluster
from tests import visiting
from tests.browser.conftest import PATIENCE_MS
from tests.certificates import make_pair
from tests.conftest import ROOT, _as_application_database
from tests.serving import ANSWER_WITHIN_S, START_WITHIN_S, Server, free_port, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
CONFIGURATION = ROOT / "docs" / "nginx.conf"
UPLOAD_MIB = 60
AROUND = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    {temporary}
    include {site};
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def nginx() -> str:
    found = which("nginx") or which("/usr/sbin/nginx")
    if found is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx-light)")
    return found


def configuration(folder: Path, backend: Server, port: int, plain_port: int, *, sign_on: str = "") -> Path:
    """The file of docs/ with ports, name and certificate of this test, inside the least that nginx needs around it."""
    cert, key = make_pair(folder)
    site = CONFIGURATION.read_text()
    for documented, here in {
        "server 127.0.0.1:8501;": f"server {backend.address.replace('http://localhost', '127.0.0.1')};",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "server_name city.example;": "server_name localhost;",
        "/etc/ssl/gridkeeper/cert.pem": str(cert),
        "/etc/ssl/gridkeeper/key.pem": str(key),
    }.items():
        assert documented in site, f"docs/nginx.conf no longer says {documented!r}"
        site = site.replace(documented, here)
    if sign_on:
        passwords = folder / "passwords"
        passwords.write_text(f"{sign_on}:{{PLAIN}}words\n")
        site = site.replace(
            'proxy_set_header X-Remote-User "";',
            f"auth_basic Gridkeeper; auth_basic_user_file {passwords}; proxy_set_header X-Remote-User $remote_user;",
        )
    (folder / "site.conf").write_text(site)
    temporary = "\n    ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    user = pwd.getpwuid(os.geteuid()).pw_name
    around = AROUND.format(user=user, folder=folder, site=folder / "site.conf", temporary=temporary)
    (folder / "nginx.conf").write_text(around)
    return folder / "nginx.conf"


@dataclass(frozen=True)
class Front:
    """A running nginx: its address, whom to trust, and the address that only leads to it."""

    address: str
    plain: str
    trusted: ssl.SSLContext

    def client(self, **more: object) -> httpx.Client:
        return httpx.Client(base_url=self.address, verify=self.trusted, timeout=ANSWER_WITHIN_S, **more)  # type: ignore[arg-type]


@contextlib.contextmanager
def started(folder: Path, backend: Server, *, sign_on: str = "") -> Iterator[Front]:
    """nginx in front of the platform, stopped afterwards."""
    port, plain_port = free_port(), free_port()
    path = configuration(folder, backend, port, plain_port, sign_on=sign_on)
    process = subprocess.Popen([nginx(), "-c", str(path), "-e", str(folder / "error.log")])
    front = Front(
        f"https://localhost:{port}",
        f"http://localhost:{plain_port}",
        ssl.create_default_context(cafile=str(folder / "cert.pem")),
    )
    try:
        deadline = time.monotonic() + START_WITHIN_S
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError), front.client() as asked:
                asked.get("/login/icon.svg")
                break
            time.sleep(0.1)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield front
    finally:
        process.terminate()
        process.wait(ANSWER_WITHIN_S)


@pytest.fixture(scope="module")
def backend(
    cluster: Cluster,
    fresh_database: Callable[[str], str],
    demo_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    nginx()
    sign_on = {"GRIDKEEPER_SSO_HEADER": "X-Remote-User", "GRIDKEEPER_SSO_PROXIES": "127.0.0.1"}
    with (
        contextlib.contextmanager(_as_application_database)(cluster, fresh_database(demo_template)),
        served(tmp_path_factory.mktemp("backend") / "log", ("app.cli", "run"), **sign_on) as running,
    ):
        assert running.answers(), running.log.read_text()[-3000:]
        yield running


@pytest.fixture(scope="module")
def front(backend: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with started(tmp_path_factory.mktemp("nginx"), backend) as running:
        yield running


@pytest.fixture(scope="module")
def client(front: Front) -> Iterator[httpx.Client]:
    with front.client() as opened:
        entered = visiting.enter(opened, front.address, "supervisor")
        assert (entered.status_code, entered.headers["location"]) == (303, "/"), entered.text
        assert all("secure" in crumb.lower() for crumb in entered.headers.get_list("set-cookie"))
        yield opened


def test_http_leads_to_https(front: Front) -> None:
    answer = httpx.get(f"{front.plain}/login?lang=en", timeout=ANSWER_WITHIN_S)
    assert (answer.status_code, answer.headers["location"]) == (301, "https://localhost/login?lang=en")


def test_page_tiles_and_websocket_come_through(client: httpx.Client, front: Front) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["strict-transport-security"]
    assert client.get(visiting.tile_address()).content
    with visiting.websocket(client, front.address, trusted=front.trusted) as opened:
        assert visiting.draw(opened)


def test_nobody_enters_without_a_session(front: Front) -> None:
    with front.client() as stranger:
        assert stranger.get("/").headers["location"].startswith("/login")
        assert stranger.get(visiting.tile_address()).status_code == 401


def test_other_sites_are_refused_behind_the_proxy_too(client: httpx.Client, front: Front) -> None:
    foreign = "https://evil.example"
    assert client.post("/logout", headers={"origin": foreign}).status_code == 403
    assert client.get("/").status_code == 200
    with (
        pytest.raises(InvalidStatus),
        visiting.websocket(client, front.address, trusted=front.trusted, origin=foreign),
    ):
        pass


def test_a_visitor_cannot_say_where_he_comes_from(front: Front) -> None:
    """Thirty wrong passwords from one address slow it down, whatever addresses the visitor makes up."""
    with front.client() as visitor:
        codes = [
            visitor.post(
                "/login",
                data={"name": "nobody", "password": "wrong words here"},
                headers={"origin": front.address, "x-forwarded-for": f"10.0.0.{number}"},
            ).status_code
            for number in range(32)
        ]
    assert codes[0] == 401
    assert codes[-1] == 429


def test_a_visitor_cannot_sign_on_by_the_header(front: Front) -> None:
    with front.client() as visitor:
        answer = visitor.get("/", headers={"X-Remote-User": "supervisor@tiny-town"})
    assert answer.headers["location"].startswith("/login")
    assert cookie.name() not in visitor.cookies


def test_the_proxy_signs_on_by_the_header(backend: Server, tmp_path: Path) -> None:
    with started(tmp_path, backend, sign_on="ann") as running, running.client(auth=("ann", "words")) as visitor:
        answer = visitor.get("/")
    assert answer.status_code == 403
    assert "ann has no account here" in answer.text, "the name came through; the account is the administrator's to make"


def test_a_browser_works_and_brings_in_a_big_file(chromium: Browser, front: Front, tmp_path: Path) -> None:
    big = tmp_path / "big-town-latest.osm.pbf"
    with big.open("wb") as file:
        file.truncate(UPLOAD_MIB << 20)
    context = chromium.new_context(ignore_https_errors=True, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{front.address}/login?lang=en")
    page.locator("form:has(input[name='demo'][value^='supervisor']) button").click()
    page.locator(".gk-title h1").wait_for()
    page.goto(f"{front.address}/bring-in?what=city")
    page.locator("input[type=file]").set_input_files(big)
    page.get_by_label("Name of the city").wait_for()
    page.wait_for_function("document.querySelector('input[aria-label=\"Name of the city\"]').value === 'Big Town'")
    expect(page.get_by_role("button", name="Build the city")).to_be_enabled()
    context.close()
