"""The log of erasures outside the database: it survives a restore, and makes the restore erase again.

One line an erasure: moment, word, subject, purpose; never a name. The line is on the disk before the
transaction commits, so that no erasure that took place is missing here. If the commit then fails, a
second line takes it back.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from core.clock import now
from core.settings import settings

FILE_NAME = "erasures.log"
_LINE = re.compile(r"(\S+) (erased|withdrawn) ([0-9A-Za-z-]{1,64}) ([a-z]+)")
_PENDING, _WRITTEN = "erasures pending", "erasures written"


@dataclass(frozen=True, slots=True)
class Logged:
    """An erasure that the log knows."""

    subject_id: str
    at: dt.datetime
    purpose: str


def log_path() -> Path:
    """Return the file in the state folder."""
    return settings().state_dir / FILE_NAME


def read_log(path: Path | None = None) -> Mapping[str, Logged]:
    """Return the erasures that took place by subject; a line that was cut off by a crash never did."""
    path = path or log_path()
    found: dict[str, Logged] = {}
    if not path.exists():
        return found
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        at, word, subject, purpose = match.groups()
        if word == "withdrawn":
            found.pop(subject, None)
        else:
            found[subject] = Logged(subject, dt.datetime.fromisoformat(at), purpose)
    return found


def write_log(erased: Iterable[Logged], *, word: str = "erased", path: Path | None = None) -> None:
    """Append lines and wait until the disk has them."""
    lines = "".join(f"{each.at.isoformat()} {word} {each.subject_id} {each.purpose}\n" for each in erased)
    if not lines:
        return
    path = path or log_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            lines = "\n" + lines  # the last writer was cut off
        file.write(lines.encode())
        os.fsync(file.fileno())
    if fresh:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def log_at_commit(session: Session, subject_ids: Iterable[str], purpose: str) -> None:
    """Have the log written when the session's transaction commits; a rollback forgets it."""
    if _PENDING not in session.info:
        session.info[_PENDING], session.info[_WRITTEN] = [], []
        event.listen(session, "before_commit", _before_commit)
        event.listen(session, "after_commit", _after_commit)
        event.listen(session, "after_soft_rollback", _after_rollback)
        event.listen(session, "after_transaction_end", _after_end)
    inside: list[SessionTransaction] = []
    each = session.get_nested_transaction() or session.get_transaction()
    while each is not None:
        inside.append(each)
        each = each.parent
    at = now()
    session.info[_PENDING] += [(Logged(subject, at, purpose), inside) for subject in subject_ids]


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.info[_WRITTEN] = [logged for logged, _ in session.info[_PENDING]]
    session.info[_PENDING] = []
    write_log(session.info[_WRITTEN])


def _after_commit(session: Session) -> None:
    session.info[_WRITTEN] = []


def _after_rollback(session: Session, ended: SessionTransaction) -> None:
    session.info[_PENDING] = [each for each in session.info[_PENDING] if ended not in each[1]]


def _after_end(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is not None:
        return
    write_log(session.info[_WRITTEN], word="withdrawn")  # empty after a commit
    session.info[_PENDING], session.info[_WRITTEN] = [], []
