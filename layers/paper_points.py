"""Single incidents of a map on paper: those of a frame that a question counts, as they stand now or stood on a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import Actor, May, require
from geodata.crs import project
from layers.paper import Box
from layers.values import Question

MOST = 1_500
"""More single signs than this cover each other and the map."""
STATES = ("closed", "ontime", "soon", "overdue")
"""How an incident stands, what matters most drawn last."""
SOON = dt.timedelta(hours=24)
_ROWS = text("""
    SELECT category, geom, state FROM (
        SELECT i.category, ST_AsBinary(i.geom) AS geom, CASE
            WHEN i.closed_at < :night OR i.status IN ('closed', 'void') AND i.closed_at IS NULL THEN 0
            WHEN i.postponed_until > :night OR i.due_at IS NULL THEN 1
            WHEN i.due_at < :night THEN 3 WHEN i.due_at < :soon THEN 2 ELSE 1 END AS state
        FROM incident AS i JOIN territory AS t ON t.id = i.territory_id
        WHERE i.territory_id = :territory AND i.status <> 'void' AND i.reported_at < :night
          AND i.grid_id = ANY(ARRAY(SELECT id FROM unit_grid WHERE territory_id = :territory
                                    AND geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)))
          AND (i.reported_at AT TIME ZONE t.timezone)::date BETWEEN :first AND :last
          AND (CAST(:categories AS text[]) IS NULL OR i.category = ANY(:categories))
          AND ST_X(i.geom) BETWEEN :west AND :east AND ST_Y(i.geom) BETWEEN :south AND :north
    ) AS standing WHERE state = ANY(:wanted) LIMIT :most
""")


@dataclass(frozen=True, eq=False)
class PaperPoints:
    """Incidents of a frame: their points in the metric CRS, how each stands (of `STATES`) and its category."""

    points: NDArray[np.object_]
    state: NDArray[np.int64]
    category: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.state)


def read_points(  # noqa: PLR0917  (what a frame is)
    session: Session, actor: Actor, question: Question, srid: int, box: Box, moment: dt.datetime
) -> PaperPoints | None:
    """Return the incidents that the actor may see; None where there are more than `MOST`.

    Row-level security bounds them to the actor's reach, as it does on the map.

    Parameters
    ----------
    box
        West, south, east and north in degrees.
    moment
        When it is, or the end of the day that the map is of.
    """
    require(actor, May.SEE_INCIDENT_POINTS)
    west, south, east, north = box
    wanted = {"open": [1, 2, 3], "closed": [0], "overdue": [3]}.get(question.status, [0, 1, 2, 3])
    given = {
        "territory": actor.territory_id, "night": moment, "soon": moment + SOON, "first": question.first,
        "last": question.last, "west": west, "south": south, "east": east, "north": north, "wanted": wanted,
        "most": MOST + 1, "categories": None if question.categories is None else list(question.categories),
    }  # fmt: skip
    rows = list(session.execute(_ROWS, given))
    if len(rows) > MOST:
        return None
    rows.sort(key=lambda row: row[2])
    found = shapely.from_wkb([bytes(row[1]) for row in rows]) if rows else np.empty(0, dtype=object)
    points = np.asarray(project(np.asarray(found, dtype=object), srid), dtype=object)
    return PaperPoints(points, np.array([row[2] for row in rows], dtype=np.int64), tuple(row[0] for row in rows))
