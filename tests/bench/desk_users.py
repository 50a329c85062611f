"""Desk users of the City map without a browser: the websocket, the values and the tiles that a first map asks for."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence

import httpx
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


async def first_map(url: str, account: str, addresses: Sequence[str]) -> float:
    """Return the seconds from opening the page to the last answer its first map needs."""
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        await client.post("/login", data={"demo": account}, headers={"origin": url})
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        began = time.perf_counter()
        (await client.get("/map")).raise_for_status()
        socket = url.replace("http://", "ws://") + "/_stcore/stream"
        headers = {"Cookie": cookie, "Origin": url}
        async with websockets.connect(
            socket, additional_headers=headers, max_size=None, subprotocols=["streamlit"], open_timeout=120
        ) as stream:
            asked = BackMsg()
            asked.rerun_script.page_name = "map"
            await stream.send(asked.SerializeToString())
            while True:
                told = ForwardMsg()
                told.ParseFromString(await stream.recv())
                if told.WhichOneof("type") == "script_finished":
                    break
            gate = asyncio.Semaphore(6)  # as many as a browser opens at a time

            async def fetch(address: str) -> None:
                async with gate:
                    (await client.get(address)).raise_for_status()

            await asyncio.gather(*map(fetch, addresses))
        return time.perf_counter() - began


async def together(url: str, account: str, addresses: Sequence[str], users: int) -> list[float]:
    """Return the seconds of each of several users who come at once."""
    return list(await asyncio.gather(*(first_map(url, account, addresses) for _ in range(users))))


def p95(times: Sequence[float]) -> float:
    """Return the value that 95 of 100 do not exceed."""
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
