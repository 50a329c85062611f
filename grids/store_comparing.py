"""All SQL that sets a draft of grids against what is in force; forty thousand cells are counted where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.change_model import Change

# Sums go by the number of the cell: in any order they differ in their last digits, and so would two answers.
_COUNTS = """
WITH draft AS MATERIALIZED (
    SELECT id, unit_grid_id, area, area_m2, people FROM grid_change_cell WHERE change_id = :change),
live AS MATERIALIZED (
    SELECT g.id, g.people, coalesce(r.code, '') AS area FROM unit_grid AS g
    LEFT JOIN responsibility_grid AS r ON r.id = g.responsibility_grid_id
    WHERE g.community_id = ANY (CAST(:areas AS integer[])) AND g.ended_on IS NULL),
ended AS MATERIALIZED (
    SELECT l.id, l.people FROM live AS l
    WHERE NOT EXISTS (SELECT FROM draft AS d WHERE d.unit_grid_id = l.id)),
loads AS (SELECT sum(coalesce(people, 0) ORDER BY id) AS load FROM draft WHERE area <> '' GROUP BY area),
loads_now AS (SELECT sum(coalesce(people, 0) ORDER BY id) AS load FROM live WHERE area <> '' GROUP BY area)
SELECT d.new, d.rebound, d.covered_m2, l.live - e.ended AS kept, e.ended, e.counted, e.people,
    (SELECT count(*) FROM loads) AS areas, (SELECT count(*) FROM loads_now) AS areas_now,
    (SELECT max(load) / nullif(avg(load), 0) FROM loads) AS max_over_mean,
    (SELECT max(load) / nullif(avg(load), 0) FROM loads_now) AS max_over_mean_now
FROM (SELECT count(*) FILTER (WHERE unit_grid_id IS NULL) AS new,
             count(*) FILTER (WHERE unit_grid_id IS NOT NULL AND draft.area <> coalesce(live.area, '')) AS rebound,
             coalesce(sum(area_m2 ORDER BY draft.id), 0) AS covered_m2
      FROM draft LEFT JOIN live ON live.id = draft.unit_grid_id) AS d,
     (SELECT count(*) AS live FROM live) AS l,
     (SELECT count(*) AS ended, count(people) AS counted, coalesce(sum(people ORDER BY id), 0) AS people
      FROM ended) AS e
"""
_MOVING = """
SELECT count(*) FROM incident AS i JOIN unit_grid AS g ON g.id = i.grid_id
WHERE g.community_id = ANY (CAST(:areas AS integer[])) AND g.ended_on IS NULL
    AND NOT EXISTS (SELECT FROM grid_change_cell AS c WHERE c.change_id = :change AND c.unit_grid_id = g.id)
    AND i.status NOT IN ('closed', 'void')
"""


def counts(session: Session, change: Change) -> dict[str, Any]:
    """Return what the cells of a change would do to those in force.

    ``new``, ``kept``, ``ended`` and ``rebound`` cells, ``covered_m2`` by the draft, ``people`` in cells that end and
    how many of these are ``counted``, ``areas`` and ``areas_now`` (responsibility grids), the most people of one by
    the mean (``max_over_mean``, ``max_over_mean_now``; None where there is nobody or no grid).
    """
    asked = {"change": change.id, "areas": list(change.area_ids)}
    return dict(session.execute(text(_COUNTS), asked).mappings().one())


def incidents_moving(session: Session, change: Change) -> int:
    """Return how many open incidents that the actor may see lie in cells that a change ends."""
    asked = {"change": change.id, "areas": list(change.area_ids)}
    return int(session.execute(text(_MOVING), asked).scalar_one())


def areas_of(session: Session, change_id: int) -> np.ndarray:
    """Return the responsibility grid of each cell of a draft by the number of the cell; empty for none."""
    found = session.scalar(
        text("SELECT array_agg(area ORDER BY id) FROM grid_change_cell WHERE change_id = :change"),
        {"change": change_id},
    )
    return np.array(found or [], dtype=str)
