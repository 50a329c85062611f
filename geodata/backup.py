"""Taking a backup of the whole database, and what is known of the last one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from geodata.tables import Backup


@dataclass(frozen=True, slots=True)
class TakenBackup:
    """A backup that was taken; see the columns of the table `backup`."""

    at: dt.datetime
    by_label: str
    file_name: str
    bytes: int
    sha256: str
    keys_saved: bool
    verified: bool
    counts: Mapping[str, int]
    last_seq: int
    seconds: float


def last_backup(session: Session) -> TakenBackup | None:
    """Return the newest backup that was verified; None when there is none yet."""
    row = session.scalar(select(Backup).where(Backup.verified).order_by(Backup.at.desc(), Backup.id.desc()).limit(1))
    if row is None:
        return None
    return TakenBackup(**{name: getattr(row, name) for name in TakenBackup.__slots__})
