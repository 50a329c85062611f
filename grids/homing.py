"""Where incidents are at home when cells end: open ones move to today's cell, settled ones keep the cell of their day.

Of a settled incident whose cell has ended, the cell that holds its place today is kept beside it, so that a
map of today shows what happened there before; opened again, it goes there (a trigger of the database does that).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import shapely
from sqlalchemy.orm import Session

from grids import store, store_homes, store_versions
from grids.edits import rehomed


def settle(session: Session, territory_id: int, ended: Sequence[int]) -> int:
    """Note for each settled incident of ended cells the cell of today that holds its place; return how many."""
    found = store_homes.settled(session, ended)
    if len(found) == 0:
        return 0
    live = store.live_cells(session, territory_id)
    homes = _homes(live.geometry.to_numpy(), found[["lon", "lat"]].to_numpy(dtype=np.float64))
    ids = live["id"].to_numpy(dtype=np.int64)
    inside = homes >= 0
    store_homes.note_ground(session, territory_id, found["id"][inside].tolist(), ids[homes[inside]].tolist())
    return int(inside.sum())


def move_all(session: Session, territory_id: int, today: dt.date) -> int:
    """Bring the open incidents of all ended cells home where cells were cut anew; return how many moved."""
    ended = store_homes.ended(session, territory_id)
    moved = store_versions.open_incidents(session, ended)
    live = store.live_cells(session, territory_id)
    if len(moved) and len(live):
        homes = _homes(live.geometry.to_numpy(), moved[["lon", "lat"]].to_numpy(dtype=np.float64))
        store_homes.rehome(session, territory_id, moved, live["id"].to_numpy()[homes].tolist(), today)
    settle(session, territory_id, ended)
    return len(moved)


def _homes(shapes: np.ndarray, places: np.ndarray) -> np.ndarray:
    return rehomed(shapes, np.asarray(shapely.points(places), dtype=object))
