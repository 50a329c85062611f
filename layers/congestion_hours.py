"""Congestion by grid at every hour of the usual day, in one answer for the playback."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor, May, require
from layers.congestion_cells import DEPENDS, EDGES, HOURS, traffic_of
from layers.frames import Frames
from layers.values import cells_of
from layers.versions import versions

SCALE = 100
"""The answer holds whole numbers: the index times this."""


def congestion_hours(session: Session, actor: Actor) -> Frames:
    """Return the congestion index of every cell at the 24 local hours, times `SCALE`; open to all who see the map."""
    require(actor, May.SEE_MAP)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Say which territory you mean.")
    cells = cells_of(session, actor.territory_id)
    index = traffic_of(session, actor.territory_id, cells).index()
    hour, cell = np.nonzero(index.T)
    counts = np.rint(index[cell, hour] * SCALE).astype(np.int32)
    return Frames(cells.first_id, len(cells), HOURS, hour.astype(np.int32), cell.astype(np.int32), counts, EDGES)


def hours_key(actor: Actor) -> tuple[object, ...] | None:
    """Return the cache key of the answer; None when nothing may be cached."""
    version = versions.of(actor.territory_id or 0, DEPENDS)
    return None if version is None else ("congestion", actor.territory_id, version)
