"""Who really is at the other end of a connection, whatever the headers of the request say."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

PEER = "gridkeeper.peer"
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
Call = Callable[[Any, Scope, Receive, Send], Awaitable[None]]


def remember_peers() -> None:
    """Let the server keep the address a connection came from, before a header is believed about it.

    uvicorn puts what X-Forwarded-For says in place of the address when a proxy it trusts is at the other
    end. Whom a sign-on header may be believed from is a question about the proxy itself.
    """
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    before: Call = ProxyHeadersMiddleware.__call__  # type: ignore[assignment]
    if hasattr(before, "__wrapped__"):
        return

    @functools.wraps(before)
    async def remembering(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope[PEER] = (scope.get("client") or ("", 0))[0]
        await before(self, scope, receive, send)

    ProxyHeadersMiddleware.__call__ = remembering  # type: ignore[assignment, method-assign]


def peer(scope: Scope) -> str:
    """Return the address of the other end of the connection; empty when it cannot be known for sure."""
    if PEER in scope:
        return str(scope[PEER])
    if any(name in Headers(scope=scope) for name in FORWARDED):
        return ""  # a server that was not asked to remember may have believed it already
    return str((scope.get("client") or ("", 0))[0])


def networks(text: str) -> Networks:
    """Return the networks of a comma list of addresses and networks.

    Raises
    ------
    ValueError
        For a part that is neither, or that is the whole world.
    """
    found = tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    if any(network.prefixlen == 0 for network in found):
        raise ValueError("that is the whole world")
    return found


def is_among(address: str, wanted: Networks) -> bool:
    """Return whether an address lies in one of the networks; an IPv4 address written as IPv6 counts as itself."""
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped is not None:
        given = given.ipv4_mapped
    return any(given in network for network in wanted)


def is_this_machine(scope: Scope) -> bool:
    """Return whether a request was made on this machine itself, and not passed on for somebody elsewhere."""
    if any(name in Headers(scope=scope) for name in FORWARDED):
        return False
    address = peer(scope)
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
