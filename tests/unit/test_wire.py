"""Listening sockets, and the connections they accept, send without waiting."""

from __future__ import annotations

import socket

from app.wire import answer_at_once


def test_accepted_connections_do_not_wait() -> None:
    with socket.socket(socket.AF_INET) as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert answer_at_once() >= 1
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
