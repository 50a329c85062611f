"""Compiled functions: what numba makes of them, kept on disk so that it is made once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from core.settings import CHECKOUT

P = ParamSpec("P")
R = TypeVar("R")

# numba reads this when it is imported; a checkout that belongs to root could not be written beside the sources.
# The settings are not asked: a wrong one is said by who starts the platform, not by an import.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(os.environ.get("GRIDKEEPER_STATE_DIR") or CHECKOUT / ".state") / "numba")
)

import numba  # noqa: E402  (after its folder is named)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function compiled at its first call, for arrays and numbers.

    It lets go of the interpreter's lock, so that pages and tiles are served while it runs, and stays on one
    thread: numba's own threads abort when two callers meet, and die in forked children. Who wants two cores
    calls it from two threads.
    """
    return cast("Callable[P, R]", numba.njit(nogil=True, cache=True)(function))


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function compiled for kernels alone: without the ways in from Python it is made much faster."""
    options: Any = {"nogil": True, "cache": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("Callable[P, R]", numba.njit(**options)(function))
