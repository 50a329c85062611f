"""Counts of what a territory holds, for the first page of each role; read-only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Overview:
    """What stands in a territory; ``people`` is None before it was estimated."""

    communities: int
    unit_grids: int
    people: float | None
    buildings: int
    road_km: float
    facilities: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CommunityLoad:
    """Open incidents of a community, as far as the actor sees them."""

    community_id: int
    name: str
    name_zh: str | None
    people: float | None
    open: int
    late: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows in quarantine for one reason."""

    reason: str
    rows: int
    newest: dt.datetime


@dataclass(frozen=True, slots=True)
class Loaded:
    """One act of bringing data in."""

    kind: str
    source_name: str
    actor_label: str
    at: dt.datetime


def overview(session: Session, territory_id: int) -> Overview:
    """Return the counts of a territory."""
    given = {"territory": territory_id}
    counts = session.execute(
        text("""
            SELECT (SELECT count(*) FROM area WHERE territory_id = :territory AND level = 'community') AS communities,
                   (SELECT count(*) FROM building WHERE territory_id = :territory) AS buildings,
                   (SELECT coalesce(sum(length_m), 0) / 1000 FROM road
                    WHERE territory_id = :territory AND drivable) AS road_km,
                   cells.n AS unit_grids, cells.people
            FROM (SELECT count(*) AS n, sum(people) AS people FROM unit_grid
                  WHERE territory_id = :territory AND ended_on IS NULL) AS cells
        """),
        given,
    ).one()
    facilities = session.execute(
        text(
            "SELECT kind, count(*) AS number FROM facility WHERE territory_id = :territory"
            " GROUP BY kind ORDER BY number DESC, kind"
        ),
        given,
    )
    return Overview(
        communities=counts.communities,
        unit_grids=counts.unit_grids,
        people=counts.people,
        buildings=counts.buildings,
        road_km=counts.road_km,
        facilities={row.kind: row.number for row in facilities},
    )


def load_by_community(
    session: Session, territory_id: int, moment: dt.datetime, *, area_ids: Sequence[int] = ()
) -> list[CommunityLoad]:
    """Return open and late incidents by community, most late first; of ``area_ids`` when given."""
    rows = session.execute(
        text("""
            SELECT area.id, area.name, area.name_zh, cells.people, coalesce(now.open, 0), coalesce(now.late, 0)
            FROM area
            LEFT JOIN (SELECT community_id, sum(people) AS people FROM unit_grid
                       WHERE territory_id = :territory AND ended_on IS NULL GROUP BY community_id) AS cells
                   ON cells.community_id = area.id
            LEFT JOIN (SELECT community_id, count(*) AS open,
                              count(*) FILTER (WHERE due_at < :moment
                                  AND (postponed_until IS NULL OR postponed_until <= :moment)) AS late
                       FROM incident WHERE territory_id = :territory AND status NOT IN ('closed', 'void')
                       GROUP BY community_id) AS now ON now.community_id = area.id
            WHERE area.territory_id = :territory AND area.level = 'community'
              AND (cardinality(CAST(:areas AS int[])) = 0 OR area.id = ANY(:areas))
            ORDER BY 6 DESC, 5 DESC, area.code
        """),
        {"territory": territory_id, "moment": moment, "areas": list(area_ids)},
    )
    return [CommunityLoad(*row) for row in rows]


def quarantine_by_reason(session: Session, territory_id: int) -> list[Waiting]:
    """Return how many rows wait in quarantine, by reason, most first."""
    rows = session.execute(
        text("""
            SELECT reason, count(*), max(created_at) FROM quarantine
            WHERE territory_id = :territory AND state = 'waiting' GROUP BY reason ORDER BY 2 DESC, 1
        """),
        {"territory": territory_id},
    )
    return [Waiting(*row) for row in rows]


def latest_loads(session: Session, territory_id: int, *, limit: int = 8) -> list[Loaded]:
    """Return what was brought in last, newest first."""
    rows = session.execute(
        text("""
            SELECT kind, source_name, actor_label, started_at FROM load
            WHERE territory_id = :territory ORDER BY id DESC LIMIT :limit
        """),
        {"territory": territory_id, "limit": limit},
    )
    return [Loaded(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class GridName:
    """What a list calls a unit grid."""

    grid_id: int
    code: str
    community: str
    community_zh: str | None


def grids_within(session: Session, area_ids: Sequence[int], day: dt.date | None = None) -> list[int]:
    """Return the unit grids of some communities in force, now or on a day."""
    rows = session.execute(
        text(
            "SELECT id FROM unit_grid WHERE community_id = ANY(:areas) AND CASE WHEN CAST(:day AS date) IS NULL"
            " THEN ended_on IS NULL ELSE started_on <= :day AND (ended_on IS NULL OR ended_on > :day) END"
        ),
        {"areas": list(area_ids), "day": day},
    )
    return list(rows.scalars())


def grid_names(session: Session, grid_ids: Sequence[int]) -> dict[int, GridName]:
    """Return code and community of unit grids by id."""
    rows = session.execute(
        text("""
            SELECT unit_grid.id, unit_grid.code, area.name, area.name_zh
            FROM unit_grid JOIN area ON area.id = unit_grid.community_id WHERE unit_grid.id = ANY(:grids)
        """),
        {"grids": list(grid_ids)},
    )
    return {row[0]: GridName(*row) for row in rows}
