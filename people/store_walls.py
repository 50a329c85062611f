"""SQL of the addresses of walls."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from geodata.tables import WallPass
from people.walls_model import WallPassInfo


def add(
    session: Session, territory_id: int, title: str, secret_hash: str, *, at: dt.datetime, until: dt.datetime
) -> int:
    """Write a pass and return its id."""
    row = WallPass(territory_id=territory_id, title=title, secret_hash=secret_hash, made_at=at, expires_at=until)
    session.add(row)
    session.flush()
    return row.id


def by_hash(session: Session, secret_hash: str, at: dt.datetime) -> WallPassInfo | None:
    """Return the pass that a secret opens at a moment."""
    row = session.scalar(
        select(WallPass).where(
            WallPass.secret_hash == secret_hash, WallPass.expires_at > at, WallPass.revoked_at.is_(None)
        )
    )
    return None if row is None else _info(row)


def listed(session: Session, territory_id: int) -> list[WallPassInfo]:
    """Return the passes of a territory, the newest first."""
    rows = session.scalars(
        select(WallPass).where(WallPass.territory_id == territory_id).order_by(WallPass.id.desc()).limit(100)
    )
    return [_info(row) for row in rows]


def withdraw(session: Session, territory_id: int, pass_id: int, at: dt.datetime) -> bool:
    """Withdraw a pass; return whether it was open to be."""
    gone = session.execute(
        update(WallPass)
        .where(WallPass.id == pass_id, WallPass.territory_id == territory_id, WallPass.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(WallPass.id)
    )
    return gone.first() is not None


def _info(row: WallPass) -> WallPassInfo:
    return WallPassInfo(row.id, row.territory_id, row.title, row.made_at, row.expires_at, row.revoked_at)
