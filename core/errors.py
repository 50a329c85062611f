"""The vocabulary of failure; callers catch these words, never strings."""

from __future__ import annotations

from collections.abc import Sequence


class GridkeeperError(Exception):
    """A failure that can be said to a user in one sentence.

    Parameters
    ----------
    message
        What is wrong and where (file, row, object), as a plain sentence.
    hint
        The way out; empty when there is none.
    zh
        Message and way out in Chinese, where a page shows them as they are; empty when there is none.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", zh: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.zh = zh

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidInput(GridkeeperError):
    """What the user gave cannot be used."""

    exit_code = 2


class NotFound(GridkeeperError):
    """The object does not exist, or not for this actor."""

    exit_code = 2


class NotPermitted(GridkeeperError):
    """The actor's role does not allow this act."""

    exit_code = 3


class Conflict(GridkeeperError):
    """The object was changed meanwhile; ``by`` are the labels of those who did, where that is known."""

    exit_code = 4
    by: tuple[str, ...] = ()


class SourceUnavailable(GridkeeperError):
    """A file, server or package that is needed cannot be reached."""

    exit_code = 5


class DataQuality(InvalidInput):
    """Data broke rules; carries every violation, so that one round mends them all."""

    def __init__(self, message: str, violations: Sequence[str], *, hint: str = "", zh: str = "") -> None:
        super().__init__(message, hint=hint, zh=zh)
        self.violations = tuple(violations)

    def __str__(self) -> str:
        shown = "; ".join(self.violations[:10])
        more = f"; and {len(self.violations) - 10} more" if len(self.violations) > 10 else ""
        return f"{self.message} {shown}{more}. {self.hint}".strip()
