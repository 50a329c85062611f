"""Where a page is: its territory, and the moment it speaks of."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.errors import NotFound
from core.identity import Actor
from geodata.territory import TerritoryInfo, list_territories


def territory_of(session: Session, actor: Actor) -> TerritoryInfo:
    """Return the territory the actor works in.

    Raises
    ------
    NotFound
        When it does not exist any more.
    """
    for territory in list_territories(session):
        if territory.id == actor.territory_id:
            return territory
    raise NotFound("Your account belongs to no territory that exists.", hint="Ask an administrator.")
