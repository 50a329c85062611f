"""What an address of a wall is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WallPassInfo:
    """An address that shows the Wall without a login, until it ends or is withdrawn."""

    id: int
    territory_id: int
    title: str
    made_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None = None

    def opens(self, at: dt.datetime) -> bool:
        """Return whether it shows anything at a moment."""
        return self.revoked_at is None and at < self.expires_at
