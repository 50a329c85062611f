"""Nouns of the tokens by which other systems read; pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.identity import Role


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it is listed: everything but the secret, which nobody keeps."""

    id: int
    user_id: int
    login: str
    role: Role
    name: str
    created_at: dt.datetime
    expires_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None

    def lives(self, now: dt.datetime) -> bool:
        """Return whether it opens something at a moment."""
        return self.revoked_at is None and self.expires_at > now
