"""How much heavy reading is done at once: threads of its own, and a queue with an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from core.errors import SourceUnavailable

T = TypeVar("T")


class Busy:
    """Lets so many in at once, and of one caller so many; of those in it, so many work, and the others wait.

    Who waits takes memory and no thread, so that pages, tiles and logins go on beside it.
    """

    SAY = "Too much is asked for at once."
    HINT = "Ask again in a moment, and fewer things beside each other."
    ZH = "同时请求过多，请稍后重试。"

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
            When there is none.
        """
        if self._who.total() >= self.inside or self._who[who] >= self.each:
            raise SourceUnavailable(self.SAY, hint=self.HINT, zh=self.ZH)
        self._who[who] += 1
        try:
            yield
        finally:
            self._who[who] -= 1
            self._who += Counter()  # who has left is not remembered

    async def work(self, act: Callable[..., T], *args: Any) -> T:
        """Do it in a thread of its own."""
        try:
            limiter = self._limiter.get()
        except LookupError:
            limiter = CapacityLimiter(self.at_work)
            self._limiter.set(limiter)
        return await to_thread.run_sync(act, *args, limiter=limiter)
