"""Asking a server that an administrator named, and no other: bounded in time, size and kind, never redirected.

Map services and feeds of traffic live on the city's own network, so private addresses are wanted. Never asked are the
machine's own services, link-local addresses (where clouds keep their credentials), multicast and unspecified ones,
unless the setting `GRIDKEEPER_OUTWARD_HOSTS` names the host; where it names any, only those are asked at all. A name
is resolved once, every address it has is checked, and the connection is made to a checked address: a name that leads
elsewhere a moment later leads nowhere. At the end of its time a connection is cut, however slowly it drips. Proxies
of the environment are not used.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from urllib.parse import SplitResult, quote, urlsplit

from core.errors import InvalidInput, NotFound, SourceUnavailable
from core.settings import settings

CONNECT_S, WHOLE_S = 4.0, 10.0
AT_ONCE = 8
"""So many servers are asked at the same time by one process."""
WAIT_S = 4.0
AGENT = "Gridkeeper"
CLOUDS = frozenset({"100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"})
"""Where clouds keep credentials beside the link-local addresses: Alibaba, Azure, Oracle, Amazon."""
_NAT64, _COMPATIBLE = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96")
_SIGNS = "%/:=&?~+!$,;'@()*[]{}|"
"""These stand in a path or query as they were given; others, Chinese among them, are quoted."""
_gate = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: the media type in small letters, and the body."""

    media_type: str
    body: bytes


def check_address(address: str) -> SplitResult:
    """Return the parts of an address that may be asked.

    Raises
    ------
    InvalidInput
        When it is no plain address of the web, holds a login, or its host may not be asked.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise _no_address() from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or len(address) > 2000:
        raise _no_address()
    if any(ord(sign) <= 32 or sign in '<>"\\^`' or ord(sign) == 127 for sign in address):
        raise _no_address()
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(
            "An address with a login in it would stand in every log.",
            hint="Give the key in its own field.",
            zh="地址中不能包含用户名或密码，请在密钥栏填写。",
        )
    hosts = allowed_hosts()
    if hosts and _named(parts) not in hosts and parts.hostname not in hosts:
        raise InvalidInput(
            f"The host {parts.hostname} is not among those that may be asked.",
            hint="Whoever runs the platform adds it to GRIDKEEPER_OUTWARD_HOSTS.",
            zh=f"主机 {parts.hostname} 不在允许访问的名单中，请由平台运维人员加入 GRIDKEEPER_OUTWARD_HOSTS。",
        )
    return parts


def same_server(one: str, other: str) -> bool:
    """Return whether two addresses are of one scheme, host and port."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, _named(first)) == (second.scheme, _named(second))


def allowed_hosts() -> frozenset[str]:
    """Return the hosts of the setting, ``name`` or ``name:port``; empty: all but the forbidden addresses."""
    return frozenset(each.strip().lower() for each in settings().outward_hosts.split(",") if each.strip())


def fetch(address: str, *, most_bytes: int, whole_s: float = WHOLE_S) -> Answer:
    """Return what a server answers to a GET; only status 200 counts.

    Raises
    ------
    InvalidInput
        As `check_address` does.
    NotFound
        When the server has nothing there (404, 204).
    SourceUnavailable
        When the server cannot be reached, may not be asked, answers otherwise, too much or too late.
    """
    parts = check_address(address)
    end = time.monotonic() + whole_s
    with _turn(), _cut(end) as twins:
        connection = _connection(parts, end, twins)
        try:
            path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SIGNS)
            connection.request("GET", path, headers={"User-Agent": AGENT, "Accept-Encoding": "identity"})
            response = connection.getresponse()
            if response.status in {http.client.NOT_FOUND, http.client.NO_CONTENT}:
                raise NotFound(
                    f"{parts.hostname} has nothing there.",
                    hint="Check the address.",
                    zh=f"{parts.hostname} 没有该内容。",
                )
            if response.status != http.client.OK:
                raise _refused(parts, response)
            body = _read(response, connection, most_bytes, end, parts)
            if time.monotonic() >= end:  # cut off: what came is not all
                raise TimeoutError
            return Answer(response.headers.get_content_type().lower(), body)
        except (OSError, http.client.HTTPException) as error:
            raise SourceUnavailable(
                f"{parts.hostname} does not answer: {_why(error)}.",
                hint="Check the address and whether the server is up.",
                zh=f"{parts.hostname} 没有响应，请检查地址和服务器状态。",
            ) from error
        finally:
            connection.close()


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    if not _gate.acquire(timeout=WAIT_S):
        raise SourceUnavailable("Too many servers are being asked.", hint="Try again.", zh="访问的服务器过多，请重试。")
    try:
        yield
    finally:
        _gate.release()


@contextlib.contextmanager
def _cut(end: float) -> Iterator[list[socket.socket]]:
    """Shut the connections noted within when the time is over; a limit for each read alone ends nothing that drips."""
    twins: list[socket.socket] = []

    def shut() -> None:
        for twin in tuple(twins):
            with contextlib.suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(end - time.monotonic(), 0.0), shut)
    timer.daemon = True
    timer.start()
    try:
        yield twins
    finally:
        timer.cancel()
        timer.join()
        for twin in twins:
            twin.close()


def _read(
    response: http.client.HTTPResponse,
    connection: http.client.HTTPConnection,
    most: int,
    end: float,
    parts: SplitResult,
) -> bytes:
    body = bytearray()
    while True:
        left_s = end - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left_s)
        piece = response.read1(65_536)
        if not piece:
            break
        body += piece
        if len(body) > most:
            size = f"{most / 1_000_000:g} MB"
            raise SourceUnavailable(
                f"{parts.hostname} sends more than {size}.",
                hint="Check that the address is the right one.",
                zh=f"{parts.hostname} 返回的内容超过 {size}。",
            )
    if response.length:
        raise http.client.IncompleteRead(bytes(body))
    return bytes(body)


def _refused(parts: SplitResult, response: http.client.HTTPResponse) -> SourceUnavailable:
    if 300 <= response.status < 400:
        return SourceUnavailable(
            f"{parts.hostname} leads elsewhere, which is not followed.",
            hint="Give the address it leads to, if that is the right one.",
            zh=f"{parts.hostname} 返回了跳转，系统不跟随跳转，请直接填写最终地址。",
        )
    return SourceUnavailable(
        f"{parts.hostname} answers {response.status}.",
        hint="Check the address and the key.",
        zh=f"{parts.hostname} 返回状态 {response.status}，请检查地址与密钥。",
    )


def _connection(parts: SplitResult, end: float, twins: list[socket.socket]) -> http.client.HTTPConnection:
    host = cast("str", parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = _resolve(parts, host, port)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=CONNECT_S, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=CONNECT_S)

    def dial(_where: object, _timeout: object = None, _source: object = None) -> socket.socket:
        trouble: OSError = TimeoutError()
        for address in addresses:
            left_s = end - time.monotonic()
            if left_s <= 0:
                break
            try:
                made = socket.create_connection((address, port), timeout=min(CONNECT_S, left_s))
                twins.append(made.dup())
            except OSError as error:
                trouble = error
            else:
                return made
        raise trouble

    connection._create_connection = dial  # type: ignore[attr-defined]  # noqa: SLF001  (the seam http.client has for it)
    return connection


def _resolve(parts: SplitResult, host: str, port: int) -> list[str]:
    """Return the addresses of a host, all of which may be asked."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceUnavailable(
            f"The name {host} leads nowhere.", hint="Check the address.", zh=f"无法解析主机名 {host}，请检查地址。"
        ) from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    hosts = allowed_hosts()
    named = _named(parts) in hosts or host in hosts
    for address in addresses:
        if is_forbidden(address, named=named) or (not named and _is_own(address, port)):
            raise SourceUnavailable(
                f"{host} is an address of this machine or of its cloud, and is not asked.",
                hint="Whoever runs the platform may allow it by GRIDKEEPER_OUTWARD_HOSTS.",
                zh=f"{host} 指向本机或云平台的内部地址，系统不予访问；确需访问请设置 GRIDKEEPER_OUTWARD_HOSTS。",
            )
    return addresses


def is_forbidden(address: str, *, named: bool = False) -> bool:
    """Return whether an address is never asked; ``named`` by the setting, this machine itself may be."""
    one = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(one, ipaddress.IPv6Address):
        packed = one in _NAT64 or (one in _COMPATIBLE and int(one) > 1)
        inner = one.ipv4_mapped or one.sixtofour or (ipaddress.IPv4Address(int(one) & 0xFFFFFFFF) if packed else None)
        one = inner or one
    if one.is_link_local or one.is_multicast or one.is_unspecified or str(one) in {"255.255.255.255", *CLOUDS}:
        return True
    return one.is_loopback and not named


def _is_own(address: str, port: int) -> bool:
    """Return whether an address is this machine's on some network: it would be asked from that same address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:  # names a way, sends nothing
            probe.connect((address, port))
            return str(probe.getsockname()[0]) == address
    except OSError:
        return False


def _named(parts: SplitResult) -> str:
    return f"{(parts.hostname or '').lower()}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it takes too long"
    if isinstance(error, ssl.SSLError):
        return "its certificate cannot be trusted"
    return "the connection breaks" if isinstance(error, http.client.HTTPException) else "no connection"


def _no_address() -> InvalidInput:
    return InvalidInput(
        "This is no address of a server.",
        hint="Give it as http://maps.city.gov/…",
        zh="这不是有效的服务地址，应以 http:// 或 https:// 开头。",
    )
