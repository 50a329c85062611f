"""How answers leave: tagged, packed, and at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from layers.cache import Entry

ASK_EACH_TIME = "private, no-cache"
"""A browser keeps the answer but asks each time whether it is still true; the answer is mostly 304."""
OPEN_FILES = Path("/dev/fd")


def respond(request: Request, entry: Entry, media_type: str, *, keep: str = ASK_EACH_TIME) -> Response:
    """Return the entry, or 304 when the browser has it; packed for those who can unpack."""
    headers = {"Cache-Control": keep, "ETag": entry.etag, "Vary": "Cookie, Accept-Encoding"}
    if request.headers.get("if-none-match", "").removeprefix("W/") == entry.etag:
        return Response(status_code=304, headers=headers)
    if entry.packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(entry.body, media_type=media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(entry.plain(), media_type=media_type, headers=headers)


def answer_at_once() -> int:
    """Switch off the kernel's gathering of small packets on all listening sockets, and return on how many.

    Without this every small answer on a kept connection waits 40 ms. Streamlit opens its socket
    without naming the protocol, so asyncio does not do this for the connections as it does
    elsewhere; head and body of an answer are two packets, and the second waits for the browser's
    delayed acknowledgement. Connections inherit the option from the listening socket. Where open
    files cannot be listed, nothing is changed.
    """
    if not OPEN_FILES.exists():
        return 0
    return sum(_without_delay(int(entry.name)) for entry in list(OPEN_FILES.iterdir()) if entry.name.isdigit())


def _without_delay(descriptor: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as listener:
            if listener.family not in {socket.AF_INET, socket.AF_INET6}:
                return False
            if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return False
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:  # a file, a pipe, or closed meanwhile
        return False
    return True
