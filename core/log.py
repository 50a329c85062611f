"""One log format; errors get an id that the user is shown instead of a trace."""

from __future__ import annotations

import logging
import secrets
import sys
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configure(level: str = "INFO") -> None:
    """Send all log lines to standard error in one format."""
    logging.basicConfig(level=level, format=FORMAT, stream=sys.stderr, force=True)
    for noisy in ("alembic", "procrastinate", "psycopg.pool"):
        logging.getLogger(noisy).setLevel("WARNING")


def get(name: str) -> logging.Logger:
    """Return the logger of a module."""
    return logging.getLogger(name)


def errors_to_file(logger: logging.Logger, path: Path) -> None:
    """Write what ``logger`` says to ``path`` and nowhere else."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.handlers = [handler]
    logger.propagate = False


def unknown_error(logger: logging.Logger, error: BaseException) -> str:
    """Log an unexpected error with its trace and return the short id to show."""
    error_id = secrets.token_hex(4)
    logger.error("unexpected error %s", error_id, exc_info=error)
    return error_id
