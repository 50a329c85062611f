"""Which version of a layer is current: counted from the database's notifications and from what the record shows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

import psycopg

from geodata.changes import LOOK_S, SQL, Changes, call_after_commits

CHANNEL = "gridkeeper_layer"
TASKS = "tasks"
"""Tasks are no layer of a map, but those who look at tasks want to know."""
SUMMARY = "summary"
"""Told when rows of the daily summary have gone; changed ones say so themselves."""
LAYERS = ("incidents", "grids", "facilities", "components", "roads", "basemap", "traffic")
RETRY_S = 2.0

log = logging.getLogger(__name__)


class LayerVersions:
    """Counts changes by territory and layer while it listens; knows nothing while it does not.

    A version is only good inside this process. Each new connection starts a new epoch, because
    changes during the gap were not heard.
    """

    def __init__(self) -> None:
        self.connected = False
        self._epoch = 0
        self._counts: defaultdict[tuple[int, str], int] = defaultdict(int)

    def of(self, territory_id: int, layers: Sequence[str]) -> tuple[int, ...] | None:
        """Return the versions of ``layers``, or None when nobody listens and nothing may be cached."""
        if not self.connected:
            return None
        return (self._epoch, *(self._counts.get((territory_id, layer), 0) for layer in layers))

    def changed(self, payload: str) -> None:
        """Count one notification ``"<territory_id>:<layer>"``; anything else starts a new epoch."""
        territory, _, layer = payload.partition(":")
        if territory.isdigit() and layer in (*LAYERS, TASKS, SUMMARY):
            self._counts[int(territory), layer] += 1
        else:
            self._epoch += 1

    async def listen(self, conninfo: str) -> None:
        """Listen until cancelled; reconnect when the connection is lost."""
        while True:
            try:
                connection, looking = [
                    await psycopg.AsyncConnection.connect(conninfo, autocommit=True) for _ in range(2)
                ]
                async with connection, looking, asyncio.TaskGroup() as both:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._epoch += 1
                    both.create_task(self._hear(connection))
                    both.create_task(self._look(looking))
            except* psycopg.Error as errors:
                log.warning("Layer versions: not listening (%s); nothing is cached meanwhile.", errors.exceptions[0])
            finally:
                self.connected = False
            await asyncio.sleep(RETRY_S)

    async def _hear(self, connection: psycopg.AsyncConnection) -> None:
        async for notification in connection.notifies():
            self.changed(notification.payload)

    async def _look(self, connection: psycopg.AsyncConnection) -> None:
        """Look at the record now and then, and soon after what this process did itself."""
        changes, loop, woken = Changes(), asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(woken.set)

        end = call_after_commits(wake)
        try:
            await self._look_once(connection, changes)
            self.connected = True
            while True:
                await self._look_once(connection, changes)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), LOOK_S)
                woken.clear()
        finally:
            end()

    async def _look_once(self, connection: psycopg.AsyncConnection, changes: Changes) -> None:
        row = await (await connection.execute(SQL, changes.asked)).fetchone()
        for payload in changes.learn(row[0] if row else {}):
            self.changed(payload)


versions = LayerVersions()
"""The versions of this process."""


@contextlib.asynccontextmanager
async def listening(conninfo: str) -> AsyncIterator[LayerVersions]:
    """Listen in the background while the context is open."""
    task = asyncio.create_task(versions.listen(conninfo), name="layer versions")
    try:
        yield versions
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
