"""One log format; errors get an id that the user is shown instead of a trace."""

from __future__ import annotations

import logging
import secrets
import sys

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configure(level: str = "INFO") -> None:
    """Send all log lines to standard error in one format."""
    logging.basicConfig(level=level, format=FORMAT, stream=sys.stderr, force=True)
    logging.getLogger("alembic").setLevel("WARNING")
    logging.getLogger("procrastinate").setLevel("WARNING")


def get(name: str) -> logging.Logger:
    """Return the logger of a module."""
    return logging.getLogger(name)


def unknown_error(logger: logging.Logger, error: BaseException) -> str:
    """Log an unexpected error with its trace and return the short id to show."""
    error_id = secrets.token_hex(4)
    logger.error("unexpected error %s", error_id, exc_info=error)
    return error_id
