"""Who hears that incidents and tasks changed: the record is looked at, so that no writer has to announce.

A commit that sends a notification waits for every other one that does (docs/decisions/0041). Each change stands in the
record anyway. Who listens therefore looks there a few times a second, by itself: there is no announcer who could be
away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

LOOK_S = 0.2
"""So often it is looked, and at once after a transaction of the own process."""
MOST = 50_000
"""So many rows are counted anew at most; beyond, what is still being written is told as a change of everything."""
EVERYTHING = ""
"""Told when it is not known what changed."""
SQL = "SELECT gk_changes(%(since)s, %(upto)s, %(mark)s)"
_WHAT = {"incident": "incidents", "task": "tasks"}

_looking: set[Callable[[], object]] = set()


def call_after_commits(wake: Callable[[], object]) -> Callable[[], None]:
    """Let ``wake`` be called after each transaction of this process, from any thread; return what ends it."""
    _looking.add(wake)
    return lambda: _looking.discard(wake)


def committed() -> None:
    """Wake who looks: a transaction of this process has ended."""
    for wake in tuple(_looking):
        wake()


class Changes:
    """What changed from one look to the next; made anew with each connection.

    Numbers are drawn before a commit, so a row may appear below others that were seen. Rows are therefore counted
    above a number ``since`` below which every transaction has ended, which follows as they end.
    """

    def __init__(self) -> None:
        self._since: int | None = None
        self._last = 0
        self._counts: dict[tuple[int, str], int] = {}
        self._upto: tuple[int, int] | None = None
        self._owed: int | None = None
        self._unsure = True

    @property
    def asked(self) -> dict[str, int | bool]:
        """Return the parameters of `SQL` for the next look.

        With ``mark`` it takes the id of a transaction: whoever drew a number before has a lower one, and has ended when
        ``low`` reaches it.
        """
        if self._since is None:
            return {"since": 2**62, "upto": 2**62, "mark": False}
        mark = self._unsure or (self._upto is None and self._last > self._since)
        return {"since": self._since, "upto": self._since if self._upto is None else self._upto[0], "mark": mark}

    def learn(self, found: Mapping[str, Any]) -> list[str]:
        """Take in what a look found; return what changed, ``"<territory>:incidents"`` or ``"<territory>:tasks"``.

        The first look finds nothing. Soon after, `EVERYTHING` is told once, for what was being written at that time.
        """
        last, low, mark = int(found["last"]), int(found["low"]), found["mark"]
        if self._since is None:
            self._since = self._last = last
            return []
        told = []
        for territory, subject, many, _ in found["rows"]:
            if many > self._counts.get((territory, subject), 0):
                told.append(f"{territory}:{_WHAT[subject]}")
                self._counts[territory, subject] = many
        if self._owed is not None and low >= self._owed:
            told.append(EVERYTHING)
            self._owed = None
        if self._upto is not None and low >= self._upto[1]:
            self._since, self._upto = self._upto[0], None
            self._counts = {(territory, subject): more for territory, subject, _, more in found["rows"]}
        if mark is not None:
            if self._unsure:
                self._owed, self._unsure = mark, False
            if self._upto is None and self._last > self._since:
                self._upto = self._last, mark
        if last - self._since > MOST:
            self._since, self._upto, self._counts, self._unsure = self._last, None, {}, True
        self._last = last
        return told
