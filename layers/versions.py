"""Which version of a layer is current: counted from the database's notifications."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

import psycopg

CHANNEL = "gridkeeper_layer"
DISPATCH_CHANNEL, TASKS = "gridkeeper_dispatch", "tasks"
"""Where changes of tasks are told; they are no layer of a map, and the rest that is told there is nothing here."""
LAYERS = ("incidents", "grids", "facilities", "components", "roads", "basemap")
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
        if territory.isdigit() and layer in (*LAYERS, TASKS):
            self._counts[int(territory), layer] += 1
        else:
            self._epoch += 1

    async def listen(self, conninfo: str) -> None:
        """Listen until cancelled; reconnect when the connection is lost."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    await connection.execute(f"LISTEN {DISPATCH_CHANNEL}")
                    self._epoch += 1
                    self.connected = True
                    async for notification in connection.notifies():
                        if notification.channel == CHANNEL or notification.payload.endswith(f":{TASKS}"):
                            self.changed(notification.payload)
            except psycopg.Error as error:
                log.warning("Layer versions: not listening (%s); nothing is cached meanwhile.", error)
            finally:
                self.connected = False
            await asyncio.sleep(RETRY_S)


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
