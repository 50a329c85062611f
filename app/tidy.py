"""What was imported is not searched for garbage again and again: a page's run was mostly that.

Modules, tables and catalogues make some 700,000 objects, which never go. To search them takes a quarter of a second,
in which nothing else of the process runs; Streamlit does so after every run of a page unless it is told not to
(``runner.postScriptGC`` in .streamlit/config.toml). Python's own rounds stay; these objects are set aside from them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator

LOOK_S = 5.0
AGAIN_S = 3600.0


def settle() -> None:
    """Collect all that is garbage, and set aside what is left; what was set aside before is looked at once more."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def _settling() -> None:
    known, left_s = 0, AGAIN_S
    while True:
        await asyncio.sleep(LOOK_S)
        left_s -= LOOK_S
        if len(sys.modules) != known or left_s <= 0:
            known, left_s = len(sys.modules), AGAIN_S
            settle()


@contextlib.asynccontextmanager
async def tidying() -> AsyncIterator[None]:
    """Set aside, while the server runs, what pages import; now and then also what has become garbage among it."""
    task = asyncio.create_task(_settling(), name="tidying")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        gc.unfreeze()
