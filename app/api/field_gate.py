"""How much heavy work of phones is done at once: photos and ways have threads of their own, and a queue with an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from core.errors import SourceUnavailable

T = TypeVar("T")


class Gate:
    """Lets so many in at once, and of one phone so many; of those in it, so many work, and the others wait.

    Who waits takes memory (what was sent) and no thread, so that pages, tiles and logins go on beside it.
    """

    def __init__(self, name: str, *, at_work: int, inside: int, each: int) -> None:
        self.at_work, self.inside, self.each = at_work, inside, each
        self._limiter: RunVar[CapacityLimiter] = RunVar(name)
        self._who: Counter[Hashable] = Counter()

    @contextmanager
    def enter(self, who: Hashable) -> Iterator[None]:
        """Take a place.

        Raises
        ------
        SourceUnavailable
            When there is none; the phone sends it later.
        """
        if self._who.total() >= self.inside or self._who[who] >= self.each:
            raise SourceUnavailable(
                "Too many phones send at once.",
                hint="It is sent again in a moment.",
                zh="同时提交的手机过多，稍后将自动重试。",
            )
        self._who[who] += 1
        try:
            yield
        finally:
            self._who[who] -= 1
            self._who += Counter()  # who has left is not remembered

    async def work(self, act: Callable[..., T], *args: Any) -> T:
        """Do it in a thread of the gate's own."""
        try:
            limiter = self._limiter.get()
        except LookupError:
            limiter = CapacityLimiter(self.at_work)
            self._limiter.set(limiter)
        return await to_thread.run_sync(act, *args, limiter=limiter)


PHOTOS = Gate("photos of phones", at_work=2, inside=10, each=2)
WAYS = Gate("ways of phones", at_work=2, inside=600, each=6)
